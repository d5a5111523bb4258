"""The six bound actions over HTTP: what they do, what they answer, all or nothing."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import state_of
from flask.testing import FlaskClient

from . import at, create, ids, on_documented_roots, refused, without_control

Json = Any

BULK = [
    ("alerts", "updateAlerts"),
    ("tiIndicators", "submitTiIndicators"),
    ("tiIndicators", "updateTiIndicators"),
    ("tiIndicators", "deleteTiIndicators"),
    ("tiIndicators", "deleteTiIndicatorsByExternalId"),
]
every_bulk_action = pytest.mark.parametrize(("name", "action"), BULK)


def act(client: FlaskClient, root: str, name: str, action: str, value: Json) -> Any:
    return client.post(at(root, name, action), json={"value": value})


def results(response: Any) -> list[int]:
    """The codes of an answer of one ResultInfo an item."""
    assert response.json["@odata.context"].endswith(
        "$metadata#Collection(microsoft.graph.ResultInfo)"
    )
    items = without_control(response.json["value"])
    assert all(set(each) == {"code", "subcode", "message"} for each in items)
    assert all(bool(each["message"]) == bool(each["code"]) for each in items)
    return [each["code"] for each in items]


@pytest.fixture
def filled(graph: FlaskClient) -> FlaskClient:
    for key in ("a", "b", "c"):
        create(graph, "alerts", id=key, title=key, vendorInformation={"provider": key})
        create(graph, "tiIndicators", id=key, externalId=f"x-{key}", description=key)
    create(graph, "tiIndicators", id="d", externalId="x-a")
    return graph


# -- what they do -------------------------------------------------------------------------


@on_documented_roots
def test_update_alerts(filled: FlaskClient, root: str) -> None:
    changes = [
        {"id": "a", "status": "resolved"},
        {"id": "c", "tags": ["t"], "vendorInformation": {"provider": "c"}},
    ]
    response = act(filled, root, "alerts", "updateAlerts", changes)
    assert response.status_code == 200
    assert response.json["@odata.context"].endswith("$metadata#Collection(microsoft.graph.alert)")
    first, second = response.json["value"]
    assert (first["id"], first["status"], first["title"]) == ("a", "resolved", "a")
    assert second["tags"] == ["t"]
    assert second["vendorInformation"]["provider"] == "c"
    for each in (first, second):
        read = filled.get(at(root, "alerts", each["id"]))
        assert {"@odata.context": read.get_json()["@odata.context"], **each} == read.json
    assert filled.get(at(root, "alerts", "b")).get_json()["status"] is None


@on_documented_roots
def test_an_alert_that_nobody_knows_makes_the_answer_partial(
    filled: FlaskClient, root: str
) -> None:
    changes = [{"id": "a", "status": "resolved"}, {"id": "gone", "status": "resolved"}]
    response = act(filled, root, "alerts", "updateAlerts", changes)
    assert response.status_code == 206
    assert [each["id"] for each in response.json["value"]] == ["a"]
    assert filled.get(at(root, "alerts", "a")).get_json()["status"] == "resolved"
    refused(act(filled, root, "alerts", "updateAlerts", changes[1:]), 404)
    refused(filled.get(at(root, "alerts", "gone")), 404)


@on_documented_roots
def test_submit_indicators(filled: FlaskClient, root: str) -> None:
    sent = [{"description": "new", "extra": 1}, {"id": "mine", "fileSize": 2**40}]
    response = act(filled, root, "tiIndicators", "submitTiIndicators", sent)
    assert response.status_code == 200
    assert response.json["@odata.context"].endswith("#Collection(microsoft.graph.tiIndicator)")
    first, second = response.json["value"]
    assert (first["description"], first["extra"], second["id"]) == ("new", 1, "mine")
    assert first["tags"] == []
    for each in (first, second):
        read = filled.get(at(root, "tiIndicators", each["id"])).json
        assert without_control(read) == without_control(each)


@on_documented_roots
def test_submit_what_is_there_already(filled: FlaskClient, root: str) -> None:
    sent = [{"id": "new"}, {"id": "a", "description": "else"}, {"id": "new"}]
    response = act(filled, root, "tiIndicators", "submitTiIndicators", sent)
    assert response.status_code == 206
    assert results(response) == [0, 409, 409]
    assert filled.get(at(root, "tiIndicators", "new")).status_code == 200
    assert filled.get(at(root, "tiIndicators", "a")).get_json()["description"] == "a"


@on_documented_roots
def test_update_indicators(filled: FlaskClient, root: str) -> None:
    changes = [{"id": "a", "description": "new"}, {"id": "b", "tags": ["t"]}]
    response = act(filled, root, "tiIndicators", "updateTiIndicators", changes)
    assert response.status_code == 200
    assert [each["id"] for each in response.json["value"]] == ["a", "b"]
    shown = filled.get(at(root, "tiIndicators", "a")).get_json()
    assert (shown["description"], shown["externalId"]) == ("new", "x-a")
    partial = act(
        filled,
        root,
        "tiIndicators",
        "updateTiIndicators",
        [{"id": "gone"}, {"id": "c", "description": "c2"}],
    )
    assert partial.status_code == 206
    assert results(partial) == [404, 0]
    assert filled.get(at(root, "tiIndicators", "c")).get_json()["description"] == "c2"


@on_documented_roots
def test_delete_indicators(filled: FlaskClient, root: str) -> None:
    response = act(filled, root, "tiIndicators", "deleteTiIndicators", ["a", "b"])
    assert response.status_code == 200
    assert results(response) == [0, 0]
    assert ids(filled.get(at(root, "tiIndicators"))) == ["c", "d"]
    partial = act(filled, root, "tiIndicators", "deleteTiIndicators", ["a", "c", "c"])
    assert partial.status_code == 206
    assert results(partial) == [404, 0, 404]
    assert ids(filled.get(at(root, "tiIndicators"))) == ["d"]


@on_documented_roots
def test_delete_indicators_by_external_id(filled: FlaskClient, root: str) -> None:
    response = act(filled, root, "tiIndicators", "deleteTiIndicatorsByExternalId", ["x-a"])
    assert response.status_code == 200
    assert results(response) == [0]
    assert ids(filled.get(at(root, "tiIndicators"))) == ["b", "c"]
    partial = act(filled, root, "tiIndicators", "deleteTiIndicatorsByExternalId", ["x-b", "b"])
    assert partial.status_code == 206
    assert results(partial) == [0, 404]
    assert ids(filled.get(at(root, "tiIndicators"))) == ["c"]


@pytest.mark.parametrize("status", [None, "NotStarted", "Running"])
@on_documented_roots
def test_cancel_a_security_action(graph: FlaskClient, root: str, status: str | None) -> None:
    url = at(
        root, "securityActions", create(graph, "securityActions", name="n", status=status)["id"]
    )
    etag = graph.get(url).headers["ETag"]
    response = graph.post(f"{url}/cancelSecurityAction")
    due = 204 if root == "localtest" else 200  # beta's page says 200, with nothing in the body
    assert (response.status_code, response.data) == (due, b"")
    after = graph.get(url).get_json()
    assert after["@odata.etag"] != etag
    assert (after["name"], after["status"]) == ("n", "Failed")
    assert after["errorInfo"]["message"]
    assert after["lastActionDateTime"]
    assert [each["status"] for each in after["states"]] == ["Failed"]
    refused(graph.post(f"{url}/cancelSecurityAction"), 409)
    assert graph.get(url).json == after


@on_documented_roots
def test_what_cannot_be_cancelled(graph: FlaskClient, root: str) -> None:
    url = at(root, "securityActions", create(graph, "securityActions", status="Completed")["id"])
    before = state_of(graph)
    assert "Completed" in refused(graph.post(f"{url}/cancelSecurityAction"), 409)
    refused(graph.post(at(root, "securityActions", "gone", "cancelSecurityAction")), 404)
    assert state_of(graph) == before


# -- how they are asked -------------------------------------------------------------------


@pytest.mark.parametrize(
    "spelling", ["updatealerts", "UPDATEALERTS", "microsoft.graph.updateAlerts", "updateAlerts/"]
)
def test_an_action_by_other_spellings(filled: FlaskClient, spelling: str) -> None:
    url = f"{at('beta', 'alerts')}/{spelling}"
    response = filled.post(url, json={"value": [{"id": "a", "status": "resolved"}]})
    assert response.status_code == 200
    assert filled.get(at("beta", "alerts", "a")).get_json()["status"] == "resolved"


@every_bulk_action
@on_documented_roots
def test_an_action_is_posted_to(filled: FlaskClient, root: str, name: str, action: str) -> None:
    for method in ("GET", "PUT", "PATCH", "DELETE", "HEAD"):
        response = filled.open(at(root, name, action), method=method, json={})
        assert response.status_code == 405
        assert response.headers["Allow"] == "POST, OPTIONS"
    refused(filled.post(at(root, name, action, "more"), json={"value": []}))
    refused(filled.post(at(root, "secureScores", action), json={"value": []}), 405)


@every_bulk_action
@on_documented_roots
def test_an_action_on_nothing(filled: FlaskClient, root: str, name: str, action: str) -> None:
    before = state_of(filled)
    response = act(filled, root, name, action, [])
    assert response.status_code == 200
    assert response.json["value"] == []
    assert state_of(filled) == before


@pytest.mark.parametrize(
    "body", [{}, {"value": None}, {"value": "a"}, {"value": {}}, {"values": []}, [], "x", None]
)
@every_bulk_action
def test_parameters_that_do_not_fit(
    filled: FlaskClient, name: str, action: str, body: Json
) -> None:
    before = state_of(filled)
    refused(filled.post(at("beta", name, action), json=body))
    assert state_of(filled) == before


FAULTS: list[tuple[str, str, list[Json], str]] = [
    (
        "alerts",
        "updateAlerts",
        [{"id": "a", "title": "x"}, {"id": "b", "title": 5}],
        "value/1/title",
    ),
    ("alerts", "updateAlerts", [{"id": "a", "title": "x"}, {"title": "x"}], "value/1/id"),
    (
        "alerts",
        "updateAlerts",
        [{"id": "a", "title": "x"}, {"id": "b", "hostStates": [{"os": 1}]}],
        "value/1/hostStates/0/os",
    ),
    ("tiIndicators", "submitTiIndicators", [{"id": "n"}, {"fileSize": 2**63}], "value/1/fileSize"),
    ("tiIndicators", "submitTiIndicators", [{"id": "n"}, {"id": "a/b"}], "id"),
    ("tiIndicators", "submitTiIndicators", [{"id": "n"}, None], "value/1"),
    ("tiIndicators", "submitTiIndicators", [{}] * 101, "value"),
    (
        "tiIndicators",
        "updateTiIndicators",
        [{"id": "a", "description": "x"}, {"description": "x"}],
        "value/1/id",
    ),
    ("tiIndicators", "updateTiIndicators", [{"id": "a", "action": "x"}], "value/0/action"),
    ("tiIndicators", "deleteTiIndicators", ["a", 5], "value/1"),
    ("tiIndicators", "deleteTiIndicators", ["a", {"id": "b"}], "value/1"),
    ("tiIndicators", "deleteTiIndicatorsByExternalId", ["x-a", None], "value/1"),
]


@pytest.mark.parametrize(("name", "action", "value", "path"), FAULTS)
@on_documented_roots
def test_one_fault_and_nothing_is_done(
    filled: FlaskClient, root: str, name: str, action: str, value: Json, path: str
) -> None:
    before = state_of(filled)
    assert refused(act(filled, root, name, action, value)).startswith(f"{path}: ")
    assert state_of(filled) == before


def test_a_hundred_indicators_at_once(graph: FlaskClient) -> None:
    response = act(graph, "beta", "tiIndicators", "submitTiIndicators", [{}] * 100)
    assert response.status_code == 200
    assert len({each["id"] for each in response.json["value"]}) == 100
    assert graph.get(at("beta", "tiIndicators", "$count")).text == "100"


def test_the_documented_root_names_the_types(filled: FlaskClient) -> None:
    response = act(filled, "localtest", "tiIndicators", "deleteTiIndicators", ["a"])
    assert response.json["value"][0]["@odata.type"] == "microsoft.graph.ResultInfo"
    response = act(filled, "localtest", "alerts", "updateAlerts", [{"id": "a"}])
    assert response.json["value"][0]["@odata.type"] == "#microsoft.graph.alert"
