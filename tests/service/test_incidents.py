"""Incidents and their alerts: merged, moved, resolved, and what the service writes by itself."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from conftest import state_of
from flask.testing import FlaskClient

from . import OFFICIAL, at, create, ids, refused

Json = Any
official = pytest.mark.parametrize("root", OFFICIAL)
MERGE, MOVE = "microsoft.graph.security.mergeIncidents", "microsoft.graph.security.moveAlerts"


@pytest.fixture
def incidents(graph: FlaskClient) -> FlaskClient:
    """Three incidents, the second the oldest, with two alerts each, and an alert of none."""
    for key, day in (("1", 3), ("2", 1), ("3", 2)):
        made = f"2026-01-0{day}T00:00:00Z"
        create(graph, "incidents", id=key, createdDateTime=made, severity="low", status="active")
        for letter, severity in (("a", "low"), ("b", "high" if key == "1" else "medium")):
            create(graph, "alerts_v2", id=f"{key}{letter}", incidentId=key, severity=severity)
    create(graph, "alerts_v2", id="free", title="Alone", severity="medium")
    table = graph.application.extensions["mockgraph"].default.state.db.table("security/incidents")
    table.update({"incidentWebUrl": "https://x.example/2"}, doc_ids=["2"])
    for key, day in (("1", 3), ("2", 1), ("3", 2)):
        table.update({"createdDateTime": f"2026-01-0{day}T00:00:00Z"}, doc_ids=[key])
    return graph


def read(graph: FlaskClient, name: str, key: str) -> Json:
    return graph.get(at("v1.0", name, key)).get_json()


def merge(graph: FlaskClient, *keys: str, root: str = "v1.0", name: str = MERGE) -> Any:
    body = {"incidentIds": keys, "incidentComment": "one story", "mergeReasons": "SameActor"}
    return graph.post(at(root, "incidents", name), json=body)


def move(graph: FlaskClient, *keys: str, url: str = "", **more: Json) -> Any:
    return graph.post(url or at("v1.0", "alerts_v2", MOVE), json={"alertIds": keys, **more})


@official
@pytest.mark.parametrize("name", [MERGE, "mergeIncidents", "MERGEINCIDENTS"])
def test_a_merge(incidents: FlaskClient, root: str, name: str) -> None:
    answer = merge(incidents, "1", "2", root=root, name=name)
    assert answer.status_code == 200
    assert answer.get_json()["targetIncidentId"] == "2"
    assert answer.get_json()["@odata.context"].endswith("#microsoft.graph.security.mergeResponse")
    source, target = (read(incidents, "incidents", key) for key in "12")
    assert (source["status"], source["redirectIncidentId"]) == ("redirected", "2")
    assert (target["status"], target["redirectIncidentId"]) == ("active", None)
    assert target["severity"] == "high"
    for each in (source, target):
        assert each["comments"][-1]["comment"] == "one story"
        assert each["comments"][-1]["createdByDisplayName"]
    assert ids(incidents.get(at(root, "incidents", "1", "alerts"))) == []
    moved = ids(incidents.get(f"{at(root, 'incidents', '2', 'alerts')}?$orderby=id"))
    assert moved == ["1a", "1b", "2a", "2b"]


@pytest.mark.parametrize(
    ("keys", "status", "says"),
    [
        ([], 400, "incidentIds: "),
        (["1"], 400, "incidentIds: "),
        (["1", "1"], 400, "incidentIds: "),
        (["1", "gone"], 404, "'gone'"),
        (["1", None], 400, "incidentIds/1"),
        ("1", 400, "incidentIds: "),
    ],
)
def test_merges_that_are_none(incidents: FlaskClient, keys: Json, status: int, says: str) -> None:
    before = state_of(incidents)
    answer = incidents.post(at("v1.0", "incidents", MERGE), json={"incidentIds": keys})
    assert says in refused(answer, status)
    assert state_of(incidents) == before


def test_what_was_merged_away_takes_no_more(incidents: FlaskClient) -> None:
    assert merge(incidents, "1", "2").status_code == 200
    before = state_of(incidents)
    assert "'1' was merged into '2'" in refused(merge(incidents, "1", "3"))
    assert "'1' was merged into '2'" in refused(move(incidents, "3a", incidentId="1"))
    assert state_of(incidents) == before


def test_alerts_are_moved(incidents: FlaskClient) -> None:
    answer = move(
        incidents,
        "1b",
        "free",
        incidentId="2",
        alertComment="here",
        newCorrelationReasons="sameActor",
    )
    assert answer.get_json()["targetIncidentId"] == "2"
    for key in ("1b", "free"):
        alert = read(incidents, "alerts_v2", key)
        assert (alert["incidentId"], alert["incidentWebUrl"]) == ("2", "https://x.example/2")
        assert alert["comments"][-1]["comment"] == "here"
    assert read(incidents, "incidents", "2")["severity"] == "high"
    assert ids(incidents.get(at("v1.0", "incidents", "1", "alerts"))) == ["1a"]


def test_alerts_are_moved_to_an_incident_of_their_own(incidents: FlaskClient) -> None:
    target = move(incidents, "free", "1a").get_json()["targetIncidentId"]
    assert target.isdecimal()
    made = read(incidents, "incidents", target)
    assert (made["displayName"], made["severity"], made["status"]) == ("Alone", "medium", "active")
    assert ids(incidents.get(at("v1.0", "incidents", target, "alerts"))) == ["1a", "free"]


def test_alerts_are_moved_out_of_an_incident(incidents: FlaskClient) -> None:
    url = at("v1.0", "incidents", "1", "alerts", MOVE)
    assert move(incidents, "1a", incidentId="3", url=url).status_code == 200
    before = state_of(incidents)
    assert "of the incident '1'" in refused(move(incidents, "2a", url=url), 404)
    refused(move(incidents, "2a", url=at("v1.0", "incidents", "gone", "alerts", MOVE)), 404)
    assert state_of(incidents) == before


@pytest.mark.parametrize(
    ("keys", "more", "status"),
    [
        ([], {}, 400),
        (["gone"], {}, 404),
        (["1a", "gone"], {}, 404),
        (["1a"], {"incidentId": "x"}, 404),
    ],
)
def test_moves_that_are_none(incidents: FlaskClient, keys: Json, more: Json, status: int) -> None:
    before = state_of(incidents)
    refused(move(incidents, *keys, **more), status)
    assert state_of(incidents) == before


def test_merges_and_moves_at_once_lose_no_alert(incidents: FlaskClient) -> None:
    """Whichever comes first, each alert ends in an incident that is there and not merged away."""
    app = incidents.application

    def ask(number: int) -> Any:
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = "Bearer x"
        if number % 2:
            pair = ("1", "2") if number % 3 else ("3", "1")
            return merge(client, *pair).status_code
        target = str(number % 3 + 1)
        return move(client, "1a", "2b", "3a", "free", incidentId=target).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(ask, range(24)))
    assert set(statuses) <= {200, 400}
    assert 200 in statuses
    security = state_of(app.test_client())["Security"]
    status = {each["id"]: each["status"] for each in security["incidents"]}
    for alert in security["alerts_v2"]:
        assert status[alert["incidentId"]] == "active"


# -- what the service writes ------------------------------------------------------------------


@official
def test_when_an_alert_was_resolved(graph: FlaskClient, root: str) -> None:
    url = at(root, "alerts_v2", create(graph, "alerts_v2", status="new")["id"])
    resolved = graph.patch(url, json={"status": "Resolved"}).get_json()
    assert resolved["resolvedDateTime"] == resolved["lastUpdateDateTime"]
    again = graph.patch(url, json={"status": "resolved", "assignedTo": "kai"}).get_json()
    assert again["resolvedDateTime"] == resolved["resolvedDateTime"]
    opened = graph.patch(url, json={"status": "inProgress"}).get_json()
    assert opened["resolvedDateTime"] is None
    forged = graph.patch(url, json={"resolvedDateTime": "2001-01-01T00:00:00Z"}).get_json()
    assert forged["resolvedDateTime"] is None


def test_who_changed_an_incident(graph: FlaskClient) -> None:
    url = at("v1.0", "incidents", create(graph, "incidents")["id"])
    after = graph.patch(url, json={"status": "resolved", "lastModifiedBy": "me"}).get_json()
    assert after["lastModifiedBy"] == "MockGraph"


@official
@pytest.mark.parametrize("name", ["alerts_v2", "incidents"])
def test_what_the_service_alone_makes(graph: FlaskClient, root: str, name: str) -> None:
    key = create(graph, name)["id"]
    before = state_of(graph)
    words = "Specified HTTP method is not allowed for the request target."
    for response in (
        graph.post(at(root, name), json={}),
        graph.post(at(root, name, "$ref"), json={}),
        graph.delete(at(root, name, key)),
    ):
        assert refused(response, 405) == words
        assert "POST" not in response.headers["Allow"]
        assert "DELETE" not in response.headers["Allow"]
    assert state_of(graph) == before


@official
def test_how_many_incidents_at_once(graph: FlaskClient, root: str) -> None:
    for number in range(51):
        create(graph, "incidents", id=str(number))
    assert refused(graph.get(f"{at(root, 'incidents')}?$top=100")) == (
        "The limit of '50' for Top query has been exceeded. "
        "The value from the incoming request is '100'."
    )
    assert ids(graph.get(f"{at(root, 'incidents')}?$top=0")) == []
    page = graph.get(f"{at(root, 'incidents')}?$top=50")
    assert len(ids(page)) == 50
    assert len(ids(graph.get(page.get_json()["@odata.nextLink"]))) == 1


@official
def test_what_an_expansion_answered_may_be_sent_back(incidents: FlaskClient, root: str) -> None:
    url = at(root, "incidents", "1")
    fetched = incidents.get(f"{url}?$expand=alerts").get_json()
    changed = incidents.patch(url, json={**fetched, "status": "resolved"})
    assert changed.status_code == 200, changed.text
    after = incidents.get(f"{url}?$expand=alerts").get_json()
    assert (after["status"], after["alerts"]) == ("resolved", fetched["alerts"])


@official
@pytest.mark.parametrize("alerts", [[{"title": "Made"}], [{"id": "1a"}, 7], "1a", {"id": "1a"}])
def test_alerts_that_no_expansion_answered_are_not_written(
    incidents: FlaskClient, root: str, alerts: Json
) -> None:
    before = state_of(incidents)
    body = {"status": "resolved", "alerts": alerts}
    response = incidents.patch(at(root, "incidents", "1"), json=body)
    assert "writing 'alerts'" in refused(response, 501)
    assert state_of(incidents) == before
