"""Both generations of alerts side by side: comments, evidence, an incident's alerts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from conftest import state_of
from flask.testing import FlaskClient

from . import OFFICIAL, at, create, ids, refused, without_control

Json = Any

official = pytest.mark.parametrize("root", OFFICIAL)
commented = pytest.mark.parametrize("name", ["alerts_v2", "incidents"])


# -- comments -----------------------------------------------------------------------------


@commented
@official
def test_comments_are_added(graph: FlaskClient, root: str, name: str) -> None:
    url = at(root, name, create(graph, name, id="a", assignedTo="kai")["id"])
    type_name = "microsoft.graph.security.alertComment"
    first = graph.post(f"{url}/comments", json={"@odata.type": type_name, "comment": "one"})
    assert first.status_code == 200
    assert first.get_json()["@odata.context"].endswith(f"{name}('a')/comments")
    second = graph.post(f"{url}/Comments", json={"comment": "two", "createdByDisplayName": "Kai"})
    assert [each["comment"] for each in second.get_json()["value"]] == ["one", "two"]
    assert second.get_json()["value"][1]["createdByDisplayName"] == "Kai"
    written = datetime.fromisoformat(second.get_json()["value"][1]["createdDateTime"])
    assert abs(datetime.now(UTC) - written) < timedelta(minutes=1)
    assert graph.get(url).get_json()["comments"] == second.get_json()["value"]
    assert graph.get(f"{url}/comments").get_json()["value"] == second.get_json()["value"]
    assert graph.get(f"{url}/comments/$count").text == "2"
    assert graph.get(url).get_json()["assignedTo"] == "kai"


@commented
def test_comments_as_the_sdks_send_them(graph: FlaskClient, name: str) -> None:
    url = at("v1.0", name, create(graph, name)["id"])
    answer = graph.post(f"{url}/comments", json=[{"comment": "one"}, {"comment": "two"}])
    assert [each["comment"] for each in answer.get_json()["value"]] == ["one", "two"]
    assert all(each["createdByDisplayName"] for each in answer.get_json()["value"])
    refused(graph.post(f"{url}/comments", json=[{"comment": "three"}, {"comment": 4}]))
    assert len(graph.get(url).get_json()["comments"]) == 2


@commented
def test_a_comments_time_is_the_servers(graph: FlaskClient, name: str) -> None:
    url = at("v1.0", name, create(graph, name)["id"])
    sent = {"comment": "x", "createdDateTime": "2001-01-01T00:00:00Z"}
    made = graph.post(f"{url}/comments", json=sent)
    assert made.get_json()["value"][0]["createdDateTime"] > "2020"


@commented
def test_a_comment_changes_the_last_update(graph: FlaskClient, name: str) -> None:
    made = create(graph, name)
    graph.post(at("v1.0", name, made["id"], "comments"), json={"comment": "x"})
    after = graph.get(at("v1.0", name, made["id"])).get_json()
    assert after["lastUpdateDateTime"] > made["lastUpdateDateTime"]
    assert after["createdDateTime"] == made["createdDateTime"]


@pytest.mark.parametrize(
    "body", [{"comment": 5}, {"nope": 1}, [], "x", None, {"@odata.type": "#microsoft.graph.alert"}]
)
@commented
def test_comments_that_are_none(graph: FlaskClient, name: str, body: Json) -> None:
    key = create(graph, name)["id"]
    before = state_of(graph)
    refused(graph.post(at("beta", name, key, "comments"), json=body))
    refused(graph.post(at("beta", name, "gone", "comments"), json={"comment": "x"}), 404)
    assert state_of(graph) == before


def test_comments_of_the_first_generation_are_texts(graph: FlaskClient) -> None:
    key = create(graph, "alerts", comments=["seen"])["id"]
    refused(graph.post(at("v1.0", "alerts", key, "comments"), json={"comment": "x"}), 405)


# -- evidence -----------------------------------------------------------------------------

EVIDENCE: list[dict[str, Json]] = [
    {
        "@odata.type": "#microsoft.graph.security.deviceEvidence",
        "roles": ["attacked"],
        "verdict": "malicious",
        "deviceDnsName": "web-1",
        "loggedOnUsers": [{"accountName": "kai", "domainName": "contoso"}],
    },
    {
        "@odata.type": "microsoft.graph.security.ipEvidence",
        "ipAddress": "203.0.113.7",
        "createdDateTime": "2024-01-01T03:00:00+03:00",
    },
    {"remediationStatus": "blocked"},
]


@official
def test_evidence_of_derived_types(graph: FlaskClient, root: str) -> None:
    url = at(root, "alerts_v2", create(graph, "alerts_v2", evidence=EVIDENCE)["id"])
    device, address, base = graph.get(url).get_json()["evidence"]
    assert device["@odata.type"] == "#microsoft.graph.security.deviceEvidence"
    assert device["loggedOnUsers"] == EVIDENCE[0]["loggedOnUsers"]
    assert (device["deviceDnsName"], device["roles"]) == ("web-1", ["attacked"])
    assert address["@odata.type"] == "#microsoft.graph.security.ipEvidence"
    assert address["createdDateTime"] == "2024-01-01T00:00:00Z"
    assert "@odata.type" not in base
    assert (base["remediationStatus"], base["verdict"], base["tags"]) == ("blocked", None, [])
    for query in (
        "evidence/any(e:e/microsoft.graph.security.ipEvidence/ipAddress eq '203.0.113.7')",
        "evidence/any(e:isof(e,microsoft.graph.security.deviceEvidence))",
        "evidence/any(e:e/verdict eq 'malicious')",
        "evidence/$count eq 3",
    ):
        assert len(ids(graph.get(f"{at(root, 'alerts_v2')}?$filter={query}"))) == 1
    undeclared = "evidence/any(e:e/ipAddress eq '203.0.113.7')"
    message = refused(graph.get(f"{at(root, 'alerts_v2')}?$filter={undeclared}"))
    assert "'ipAddress' does not exist on type 'microsoft.graph.security.alertEvidence'" in message
    selected = graph.get(f"{url}?$select=evidence/roles").get_json()
    assert without_control(selected["evidence"][0]) == {"roles": ["attacked"]}


def test_evidence_survives_being_sent_back(graph: FlaskClient) -> None:
    made = create(graph, "alerts_v2", evidence=EVIDENCE)
    url = at("v1.0", "alerts_v2", made["id"])
    after = graph.patch(url, json=graph.get(url).json).get_json()
    assert after["evidence"] == made["evidence"]


@pytest.mark.parametrize(
    "type_name",
    [
        "#microsoft.graph.deviceEvidence",
        "#microsoft.graph.security.nopeEvidence",
        "",
        5,
        None,
        "#microsoft.graph.security.alert",
    ],
)
def test_evidence_of_no_such_type(graph: FlaskClient, type_name: Json) -> None:
    url = at("v1.0", "alerts_v2", create(graph, "alerts_v2")["id"])
    body = {"evidence": [{}, {"@odata.type": type_name}]}
    assert refused(graph.patch(url, json=body)).startswith("evidence/1/@odata.type: ")


# -- an incident's alerts -----------------------------------------------------------------


@pytest.fixture
def incidents(graph: FlaskClient) -> FlaskClient:
    for key in ("storm", "O'Hara"):
        create(graph, "incidents", id=key)
    for number, owner in enumerate(["storm", "storm", "O'Hara", None, "gone"]):
        create(graph, "alerts_v2", id=f"a{number}", incidentId=owner, title=f"t{number}")
    return graph


@official
def test_the_alerts_of_an_incident(incidents: FlaskClient, root: str) -> None:
    url = at(root, "incidents", "storm", "alerts")
    response = incidents.get(url)
    assert ids(response) == ["a0", "a1"]
    context = f"http://localhost/{root}/$metadata#security/incidents('storm')/alerts"
    assert response.get_json()["@odata.context"] == context
    alone = incidents.get(at(root, "alerts_v2", "a0")).json
    assert without_control(response.get_json()["value"][0]) == without_control(alone)
    assert incidents.get(f"{url}/$count").text == "2"
    assert ids(incidents.get(f"{url}?$filter=title eq 't1'&$select=id,title")) == ["a1"]
    assert incidents.get(f"{url}/$count?$filter=title eq 't1'").text == "1"
    assert ids(incidents.get(f"{url}?$orderby=title desc&$count=true")) == ["a1", "a0"]
    quoted = incidents.get(at(root, "incidents('O''Hara')", "ALERTS"))
    assert ids(quoted) == ["a2"]
    assert quoted.get_json()["@odata.context"].endswith("#security/incidents('O''Hara')/alerts")
    refused(incidents.get(at(root, "incidents", "gone", "alerts")), 404)
    refused(incidents.get(at(root, "incidents", "gone", "alerts", "$count")), 404)
    refused(incidents.post(url, json={"title": "new"}), 405)
    refused(incidents.delete(f"{url}/a0"), 405)
    assert incidents.get(f"{url}/$count").text == "2"


@official
def test_an_alert_goes_with_its_incident_id(incidents: FlaskClient, root: str) -> None:
    state = state_of(incidents)
    state["Security"]["alerts_v2"][0]["incidentId"] = "O'Hara"
    assert incidents.put("/_mockgraph/state", json=state).status_code == 204
    assert ids(incidents.get(at(root, "incidents", "storm", "alerts"))) == ["a1"]
    assert ids(incidents.get(at(root, "incidents", "O'Hara", "alerts"))) == ["a0", "a2"]
    moved = incidents.post(
        at(root, "incidents", "storm", "alerts", "moveAlerts"),
        json={"alertIds": ["a1"], "incidentId": "O'Hara"},
    )
    assert moved.get_json()["targetIncidentId"] == "O'Hara"
    assert ids(incidents.get(at(root, "incidents", "storm", "alerts"))) == []


@official
def test_the_two_generations_do_not_mix(graph: FlaskClient, root: str) -> None:
    create(graph, "alerts", id="same", status="newAlert")
    create(graph, "alerts_v2", id="same", status="new")
    assert graph.get(at(root, "alerts", "same", "status", "$value")).text == "newAlert"
    assert graph.get(at(root, "alerts_v2", "same", "status", "$value")).text == "new"
    refused(graph.patch(at(root, "alerts_v2", "same"), json={"status": "newAlert"}))
    typed = {"@odata.type": "#microsoft.graph.alert"}
    refused(graph.patch(at(root, "alerts_v2", "same"), json=typed))
    typed = {"@odata.type": "#microsoft.graph.security.alert"}
    assert graph.patch(at(root, "alerts_v2", "same"), json=typed).status_code == 200
