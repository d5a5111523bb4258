"""Rules of the live Security service beyond its metadata: on v1.0 and beta alone."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import state_of
from flask.testing import FlaskClient

from . import OFFICIAL, SERVED, VENDOR, at, create, ids, refused

Json = Any

official = pytest.mark.parametrize("root", OFFICIAL)
REPRESENTATION = {"Prefer": "return=representation"}

UPDATABLE: dict[str, Json] = {
    "assignedTo": "kai@contoso.example",
    "closedDateTime": "2024-01-01T00:00:00Z",
    "comments": ["seen"],
    "feedback": "truePositive",
    "status": "resolved",
    "tags": ["red"],
}
FIXED: dict[str, Json] = {
    "title": "x",
    "severity": "low",
    "category": "x",
    "confidence": 1,
    "azureTenantId": "x",
    "hostStates": [{"fqdn": "x"}],
    "eventDateTime": "2024-01-01T00:00:00Z",
    "aDynamicOne": 1,
}


@pytest.fixture
def alert(graph: FlaskClient) -> FlaskClient:
    create(
        graph,
        "alerts",
        id="a",
        title="t",
        severity="high",
        vendorInformation={**VENDOR, "subProvider": "s"},
    )
    return graph


@official
@pytest.mark.parametrize(
    "vendor",
    [
        {},
        {"vendorInformation": None},
        {"vendorInformation": {}},
        {"vendorInformation": {"provider": "p"}},
        {"vendorInformation": {"vendor": "v"}},
        {"vendorInformation": {"provider": None, "vendor": "v"}},
    ],
)
def test_an_update_says_whose_the_alert_is(alert: FlaskClient, root: str, vendor: Json) -> None:
    before = alert.get(at(root, "alerts", "a")).json
    message = refused(alert.patch(at(root, "alerts", "a"), json={"status": "resolved", **vendor}))
    assert message.startswith("vendorInformation/")
    assert alert.get(at(root, "alerts", "a")).json == before


@official
@pytest.mark.parametrize("name", UPDATABLE)
def test_what_an_update_may_change(alert: FlaskClient, root: str, name: str) -> None:
    body = {name: UPDATABLE[name], "vendorInformation": VENDOR}
    response = alert.patch(at(root, "alerts", "a"), json=body)
    assert (response.status_code, response.data) == (204, b"")
    assert alert.get(at(root, "alerts", "a", name)).get_json()["value"] == UPDATABLE[name]


@official
@pytest.mark.parametrize("below", [(), ("settings",)], ids=["case", "settings"])
def test_an_update_of_a_case_shows_nothing(
    graph: FlaskClient, root: str, below: tuple[str, ...]
) -> None:
    cases = at(root, "cases", "ediscoveryCases")
    assert graph.post(cases, json={"id": "c", "tags": [{"id": "t"}]}).status_code == 201
    url = "/".join((cases, "c", *below))
    done = graph.patch(url, json={})
    assert (done.status_code, done.data) == (204, b"")
    assert graph.patch(url, json={}, headers=REPRESENTATION).status_code == 200
    assert graph.patch(f"{cases}/c/tags/t", json={}).status_code == 200  # its page says nothing


def test_an_update_of_an_indicator_shows_nothing(graph: FlaskClient) -> None:
    url = at("beta", "tiIndicators", create(graph, "tiIndicators")["id"])
    done = graph.patch(url, json={"description": "seen"})
    assert (done.status_code, done.data) == (204, b"")
    assert graph.get(url).get_json()["description"] == "seen"
    shown = graph.patch(url, json={"severity": 2}, headers=REPRESENTATION)
    assert (shown.status_code, shown.get_json()["severity"]) == (200, 2)


@official
@pytest.mark.parametrize("name", FIXED)
def test_what_it_may_not(alert: FlaskClient, root: str, name: str) -> None:
    before = alert.get(at(root, "alerts", "a")).json
    body = {name: FIXED[name], "status": "resolved", "vendorInformation": VENDOR}
    assert refused(alert.patch(at(root, "alerts", "a"), json=body)).startswith(f"{name}: ")
    assert alert.get(at(root, "alerts", "a")).json == before


@official
def test_the_vendor_itself_does_not_change(alert: FlaskClient, root: str) -> None:
    before = alert.get(at(root, "alerts", "a")).get_json()["vendorInformation"]
    body = {"status": "resolved", "vendorInformation": {"provider": "else", "vendor": "else"}}
    answer = alert.patch(at(root, "alerts", "a"), json=body, headers=REPRESENTATION).get_json()
    assert (answer["status"], answer["vendorInformation"]) == ("resolved", before)


@official
def test_a_fetched_alert_may_be_sent_back_changed(alert: FlaskClient, root: str) -> None:
    body = alert.get(at(root, "alerts", "a")).get_json() | {"status": "resolved"}
    answer = alert.patch(at(root, "alerts", "a"), json=body, headers=REPRESENTATION)
    assert answer.status_code == 200
    assert answer.get_json()["status"] == "resolved"


def test_the_documented_root_has_no_such_rules(alert: FlaskClient) -> None:
    for name, value in {**UPDATABLE, **FIXED}.items():
        response = alert.patch(at("localtest", "alerts", "a"), json={name: value})
        assert response.status_code == 200
    shown = alert.get(at("localtest", "alerts", "a")).get_json()
    for name, value in {**UPDATABLE, **FIXED}.items():
        if name != "hostStates":
            assert shown[name] == value
    body = {"vendorInformation": {"provider": "else"}}
    answer = alert.patch(at("localtest", "alerts", "a"), json=body).get_json()
    assert answer["vendorInformation"]["provider"] == "else"
    assert answer["vendorInformation"]["vendor"] == "Contoso"


@pytest.mark.parametrize(("root", "name"), SERVED)
def test_how_far_a_list_may_be_skipped(graph: FlaskClient, root: str, name: str) -> None:
    create(graph, name, id="a")
    assert ids(graph.get(f"{at(root, name)}?$skip=500")) == []
    beyond = graph.get(f"{at(root, name)}?$skip=501")
    if name == "alerts" and root in OFFICIAL:
        assert "500" in refused(beyond)
    else:
        assert ids(beyond) == []
    most = 50 if name == "incidents" else 1000
    assert ids(graph.get(f"{at(root, name)}?$top={most}")) == ["a"]
    assert f"{most}" in refused(graph.get(f"{at(root, name)}?$top={most + 1}"))


NEW_UPDATABLE: dict[str, dict[str, Json]] = {
    "alerts_v2": {
        "assignedTo": "kai@contoso.example",
        "classification": "truePositive",
        "determination": "malware",
        "status": "resolved",
    },
    "incidents": {
        "assignedTo": "kai@contoso.example",
        "classification": "truePositive",
        "customTags": ["red"],
        "description": "d",
        "determination": "malware",
        "displayName": "n",
        "resolvingComment": "c",
        "severity": "low",
        "status": "resolved",
        "summary": "s",
    },
}
NEW_FIXED: dict[str, dict[str, Json]] = {
    "alerts_v2": {"title": "x", "severity": "low", "incidentId": "7", "tenantId": "x"},
    "incidents": {"redirectIncidentId": "x", "priorityScore": 5, "tenantId": "x"},
}


@pytest.mark.parametrize("name", NEW_UPDATABLE)
@official
def test_what_an_update_of_the_newer_generation_may_change(
    graph: FlaskClient, root: str, name: str
) -> None:
    url = at(root, name, create(graph, name)["id"])
    for each, value in NEW_UPDATABLE[name].items():
        answer = graph.patch(url, json={each: value})
        assert (answer.status_code, answer.get_json()[each]) == (200, value)
    before = graph.get(url).json
    for each, value in NEW_FIXED[name].items():
        message = refused(graph.patch(url, json={each: value, "status": "resolved"}))
        assert message.startswith(f"{each}: ")
    assert graph.patch(url, json=before).status_code == 200


@official
def test_what_has_no_such_rules_changes_whole(graph: FlaskClient, root: str) -> None:
    url = at(root, "subjectRightsRequests", create(graph, "subjectRightsRequests")["id"])
    answer = graph.patch(url, json={"displayName": "x", "description": "d"})
    assert answer.status_code == 200
    assert (answer.get_json()["displayName"], answer.get_json()["description"]) == ("x", "d")


@pytest.mark.parametrize("name", FIXED)
def test_the_action_changes_no_more_than_an_update(alert: FlaskClient, name: str) -> None:
    create(alert, "alerts", id="b")
    before = state_of(alert)
    body = {"value": [{"id": "b", "status": "resolved"}, {"id": "a", name: FIXED[name]}]}
    message = refused(alert.post(at("beta", "alerts", "updateAlerts"), json=body))
    assert f"{name}: " in message
    assert state_of(alert) == before
    done = alert.post(at("localtest", "alerts", "updateAlerts"), json=body)
    assert done.status_code == 200
    assert done.get_json()["value"][1][name]
