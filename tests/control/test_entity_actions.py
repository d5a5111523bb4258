"""Single entities of the state: read, written and refused as the types say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from mockgraph.seeds import read_seeds

ALERTS = "security/alerts_v2"


@pytest.fixture
def demo(make_client: Callable[..., FlaskClient]) -> FlaskClient:
    return make_client(seed=read_seeds("demo"))


def control(client: FlaskClient, method: str, path: str, **more: Any) -> Any:
    answer = client.open(f"/_mockgraph{path}", method=method, **more)
    return answer.status_code, answer.get_json(silent=True)


def test_sets_and_their_numbers(demo: FlaskClient) -> None:
    _, told = control(demo, "GET", "/sets")
    sets = {each["set"]: each for each in told["value"]}
    assert sets[ALERTS] == {
        "set": ALERTS,
        "type": "microsoft.graph.security.alert",
        "count": 34,
        "roots": ["v1.0", "beta"],
    }
    assert sets["security/subjectRightsRequests"]["count"] == 0
    _, every = control(demo, "GET", "/sets?every=true")
    assert "security/cases/ediscoveryCases/custodians" in {each["set"] for each in every["value"]}
    assert sets.keys() < {each["set"] for each in every["value"]}


def test_entities_by_filter_order_and_page(demo: FlaskClient) -> None:
    asked = {
        "set": ALERTS,
        "filter": "severity eq 'high'",
        "orderby": "title",
        "top": "2",
        "skip": "1",
    }
    _, told = control(demo, "GET", "/entities", query_string=asked)
    _, whole = control(demo, "GET", "/entities", query_string={**asked, "top": "50", "skip": "0"})
    titles = [each["entity"]["title"] for each in whole["value"]]
    assert (told["count"], len(titles)) == (16, 16)
    assert [each["entity"]["title"] for each in told["value"]] == sorted(titles)[1:3]


def test_an_entity_there_and_back(demo: FlaskClient) -> None:
    _, listed = control(demo, "GET", "/entities", query_string={"set": ALERTS, "top": "1"})
    (found,) = listed["value"]
    where = {"set": ALERTS, "key": found["key"]}
    entity = {**found["entity"], "severity": "low"}
    assert control(demo, "PUT", "/entity", json={**where, "entity": entity})[0] == 200
    assert control(demo, "GET", "/entity", query_string=where) == (200, entity)
    assert control(demo, "DELETE", "/entity", query_string=where) == (204, None)
    assert control(demo, "DELETE", "/entity", query_string=where)[0] == 404


def test_what_is_left_out_is_unset(demo: FlaskClient) -> None:
    _, listed = control(demo, "GET", "/entities", query_string={"set": ALERTS, "top": "1"})
    key = listed["value"][0]["key"]
    body = {"set": ALERTS, "key": key, "entity": {"title": "Only this"}}
    assert control(demo, "PUT", "/entity", json=body)[0] == 200
    entity = demo.get(f"/v1.0/{ALERTS}/{key}").get_json()
    assert (entity["title"], entity["severity"]) == ("Only this", None)


@pytest.mark.parametrize(
    ("entity", "message"),
    [
        ({"severity": "hihg"}, "severity: 'hihg' is not a member"),
        ({"titel": "x"}, "'microsoft.graph.security.alert'. Did you mean title?"),
        ({"id": "other"}, "An id cannot be changed"),
    ],
)
def test_what_does_not_fit_changes_nothing(demo: FlaskClient, entity: Any, message: str) -> None:
    _, listed = control(demo, "GET", "/entities", query_string={"set": ALERTS, "top": "1"})
    found = listed["value"][0]
    body = {"set": ALERTS, "key": found["key"], "entity": {**found["entity"], **entity}}
    status, refused = control(demo, "PUT", "/entity", json=body)
    assert status == 400
    assert message in refused["error"]["message"]
    assert control(demo, "GET", "/entities", query_string={"set": ALERTS, "top": "1"})[1] == listed


@pytest.mark.parametrize(
    "name", ["security/alert_v2", "security", "_mockgraph/directory", "a\x00b"]
)
def test_what_is_no_set(demo: FlaskClient, name: str) -> None:
    for path in ("/entities", "/entity"):
        asked = {"set": name, "key": "x"} if path == "/entity" else {"set": name}
        assert control(demo, "GET", path, query_string=asked)[0] == 400


@pytest.mark.parametrize(
    ("path", "asked", "near"),
    [
        ("/entities", {"set": "alerts_v3"}, "the nearest are security/alerts_v2, security/alerts."),
        ("/entities", {"set": ALERTS, "filter": "titel eq 'x'"}, "Did you mean title?"),
        ("/snapshots/befor", {}, "There is no snapshot 'befor'. Did you mean before?"),
    ],
)
def test_what_is_misspelt_is_told_the_nearest_names(
    demo: FlaskClient, path: str, asked: dict[str, str], near: str
) -> None:
    control(demo, "POST", "/snapshots/before")
    status, refused = control(demo, "GET", path, query_string=asked)
    assert status in (400, 404)
    assert refused["error"]["message"].endswith(near)


def test_a_query_runs_over_the_state_of_now(demo: FlaskClient) -> None:
    pytest.importorskip("duckdb")
    status, found = control(demo, "POST", "/hunting/run", json={"query": "AlertInfo | count"})
    assert status == 200
    assert found["schema"][0]["name"] == "Count"
    assert found["results"][0]["Count"] > 0
    assert control(demo, "POST", "/hunting/run", json={"query": "AlertInf | count"})[0] == 400
