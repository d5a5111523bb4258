"""What the live Security service demands beyond its metadata: on v1.0 and beta alone."""

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
    assert alert.get(at(root, "alerts", "a", name)).json["value"] == UPDATABLE[name]


@official
@pytest.mark.parametrize("name", FIXED)
def test_what_it_may_not(alert: FlaskClient, root: str, name: str) -> None:
    before = alert.get(at(root, "alerts", "a")).json
    body = {name: FIXED[name], "status": "resolved", "vendorInformation": VENDOR}
    assert refused(alert.patch(at(root, "alerts", "a"), json=body)).startswith(f"{name}: ")
    assert alert.get(at(root, "alerts", "a")).json == before


@official
def test_the_vendor_itself_does_not_change(alert: FlaskClient, root: str) -> None:
    before = alert.get(at(root, "alerts", "a")).json["vendorInformation"]
    body = {"status": "resolved", "vendorInformation": {"provider": "else", "vendor": "else"}}
    answer = alert.patch(at(root, "alerts", "a"), json=body, headers=REPRESENTATION).json
    assert (answer["status"], answer["vendorInformation"]) == ("resolved", before)


@official
def test_a_fetched_alert_may_be_sent_back_changed(alert: FlaskClient, root: str) -> None:
    body = alert.get(at(root, "alerts", "a")).json | {"status": "resolved"}
    answer = alert.patch(at(root, "alerts", "a"), json=body, headers=REPRESENTATION)
    assert answer.status_code == 200
    assert answer.json["status"] == "resolved"


def test_the_documented_root_has_no_such_rules(alert: FlaskClient) -> None:
    for name, value in {**UPDATABLE, **FIXED}.items():
        response = alert.patch(at("localtest", "alerts", "a"), json={name: value})
        assert response.status_code == 200
    shown = alert.get(at("localtest", "alerts", "a")).json
    for name, value in {**UPDATABLE, **FIXED}.items():
        if name != "hostStates":
            assert shown[name] == value
    body = {"vendorInformation": {"provider": "else"}}
    answer = alert.patch(at("localtest", "alerts", "a"), json=body).json
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
    assert ids(graph.get(f"{at(root, name)}?$top=1000")) == ["a"]
    assert "1000" in refused(graph.get(f"{at(root, name)}?$top=1001"))


@official
def test_no_other_set_has_such_rules(graph: FlaskClient, root: str) -> None:
    url = at(root, "alerts_v2", create(graph, "alerts_v2", title="t")["id"])
    answer = graph.patch(url, json={"title": "x", "status": "resolved"})
    assert answer.status_code == 200
    assert answer.json["title"] == "x"


@pytest.mark.parametrize("name", FIXED)
def test_the_action_changes_no_more_than_an_update(alert: FlaskClient, name: str) -> None:
    create(alert, "alerts", id="b")
    before = state_of(alert)
    body = {"value": [{"id": "b", "status": "resolved"}, {"id": "a", name: FIXED[name]}]}
    for root in OFFICIAL:
        message = refused(alert.post(at(root, "alerts", "updateAlerts"), json=body))
        assert f"{name}: " in message
        assert state_of(alert) == before
    done = alert.post(at("localtest", "alerts", "updateAlerts"), json=body)
    assert done.status_code == 200
    assert done.json["value"][1][name]
