"""Honest refusals: what is elsewhere in Graph, what another root has, what is misspelt."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from . import OFFICIAL, at, create, refused


@pytest.mark.parametrize("root", OFFICIAL)
@pytest.mark.parametrize("path", ["users", "me/messages", "Groups/x/members", "deviceManagement"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_part_of_graph(graph: FlaskClient, root: str, path: str, method: str) -> None:
    message = refused(graph.open(f"/{root}/{path}", method=method, json={}), 501)
    assert message.startswith("MockGraph does not emulate ")
    assert path.partition("/")[0].lower() in message.lower()
    assert "--csdl" in message
    assert "stub" in message


def test_what_beta_alone_has_is_no_part_of_v1(graph: FlaskClient) -> None:
    refused(graph.get("/beta/riskyUsers"), 501)
    assert refused(graph.get("/v1.0/riskyUsers")) == (
        "Resource not found for the segment 'riskyUsers'."
    )


def test_the_documented_root_has_no_other_part(graph: FlaskClient) -> None:
    assert refused(graph.get("/localtest/users")) == "Resource not found for the segment 'users'."


MISSPELT = {
    "/v1.0/security/alertz": ("alertz", "alerts"),
    "/v1.0/security/incident": ("incident", "incidents"),
    "/v1.0/securty": ("securty", "security"),
    "/v1.0/security/alerts_v2/a/titel": ("titel", "title"),
    "/v1.0/security/alerts_v2/a/evidnce": ("evidnce", "evidence"),
    "/v1.0/security/cases/ediscoverycase": ("ediscoverycase", "ediscoveryCases"),
    "/beta/security/rules/detectionRule": ("detectionRule", "detectionRules"),
    "/beta/nothingLikeIt": ("nothingLikeIt", None),
    # Other segments begin like these.
    "/beta/security/alerts_v2/a/b": ("b", None),
    "/v1.0/security/alerts_v2/statuses/statu": ("statu", "status"),
}


@pytest.mark.parametrize("path", MISSPELT)
def test_a_misspelling_is_told_in_the_journal_alone(graph: FlaskClient, path: str) -> None:
    create(graph, "alerts_v2", id="a")
    segment, meant = MISSPELT[path]
    message = refused(graph.get(path))
    assert message.startswith("Resource not found for the segment '")
    if meant is not None:
        assert message == f"Resource not found for the segment '{segment}'."
    listed = graph.get("/_mockgraph/requests?limit=1").get_json()["value"]
    assert (listed[-1]["nearest"] or [None])[0] == meant


@pytest.mark.parametrize("root", OFFICIAL)
def test_a_property_that_is_misspelt(graph: FlaskClient, root: str) -> None:
    url = at(root, "alerts_v2", create(graph, "alerts_v2")["id"])
    message = refused(graph.patch(url, json={"staus": "resolved"}))
    assert "'staus' does not exist on type 'microsoft.graph.security.alert'" in message
    assert "'status'" not in message
    refused(graph.get(f"{at(root, 'alerts_v2')}?$filter=severty eq 'high'"))
    listed = graph.get("/_mockgraph/requests?limit=2").get_json()["value"]
    assert [each["nearest"][0] for each in listed] == ["status", "severity"]


RULE = {
    "displayName": "Encoded PowerShell",
    "isEnabled": True,
    "queryCondition": {"queryText": "DeviceProcessEvents | take 1"},
    "schedule": {"period": "12H"},
    "detectionAction": {
        "alertTemplate": {
            "title": "Encoded PowerShell",
            "severity": "Medium",
            "category": "Execution",
            "mitreTechniques": ["T1059.001"],
            "impactedAssets": [
                {
                    "@odata.type": "#microsoft.graph.security.impactedDeviceAsset",
                    "identifier": "deviceId",
                }
            ],
        },
        "organizationalScope": None,
        "responseActions": [
            {
                "@odata.type": "#microsoft.graph.security.isolateDeviceResponseAction",
                "identifier": "deviceId",
                "isolationType": "full",
            }
        ],
    },
}


def test_the_rules_of_custom_detections(graph: FlaskClient) -> None:
    url = at("beta", "rules", "detectionRules")
    made = graph.post(url, json=RULE)
    assert made.status_code == 201
    assert made.get_json()["createdDateTime"]
    assert made.get_json()["createdBy"] == made.get_json()["lastModifiedBy"] == "MockGraph"
    shown = made.get_json()["detectionAction"]
    assert shown["alertTemplate"]["severity"] == "medium"
    assert shown["responseActions"][0]["isolationType"] == "full"
    graph.post(url, json=RULE | {"displayName": "Password spray"})
    options = {"$filter": "contains(displayName,'Encoded')"}
    found = graph.get(url, query_string=options).get_json()["value"]
    assert [each["displayName"] for each in found] == ["Encoded PowerShell"]
    one = f"{url}/{found[0]['id']}"
    assert graph.patch(one, json={"isEnabled": False}).get_json()["isEnabled"] is False
    assert graph.delete(one).status_code == 204
    assert "served under beta" in refused(graph.get(at("v1.0", "rules", "detectionRules")))
    refused(graph.post(url, json={"detectionAction": {"responseActions": [{"identifier": "x"}]}}))


@pytest.mark.parametrize(
    "path",
    [
        "labels/retentionLabels",
        "triggerTypes/retentionEventTypes",
        "triggers/retentionEvents",
        "auditLog/queries",
        "informationProtection/sensitivityLabels",
        "rules/detectionRules",
    ],
)
def test_what_programs_use_of_beta(graph: FlaskClient, path: str) -> None:
    assert graph.get(at("beta", *path.split("/"))).get_json()["value"] == []
