"""The state by HTTP: reset, the document, snapshots, the clock."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from conftest import state_of
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from listed_alerts import ALERT, ALERTS, titles
from refusals import message_of

from mockgraph import create_app
from mockgraph.server_options import Settings
from mockgraph.service import SERVICE
from mockgraph.testing.tenant import MAX_SNAPSHOTS

SECURITY = "/localtest/Security"


STATE = "/_mockgraph/state"


AT = "/_mockgraph/snapshots/mine"


JSON = "application/json"


def seed(*titles: str) -> dict[str, Any]:
    return {"Security": {"alerts": [{"id": each, "title": each} for each in titles]}}


def ids(document: Any) -> list[str]:
    return [each["id"] for each in document["Security"]["alerts"]]


def test_reset(client: FlaskClient) -> None:
    fresh = state_of(client)
    client.patch(SECURITY, json={"providerStatus": []})
    client.post(f"{SECURITY}/alerts", json={"title": "x"})
    assert state_of(client) != fresh
    answer = client.post("/_mockgraph/reset")
    assert (answer.status_code, answer.data) == (204, b"")
    assert state_of(client) == fresh


def test_a_reset_takes_back_a_replaced_state(client: FlaskClient) -> None:
    fresh = state_of(client)
    assert client.put(STATE, json={"Security": {}}).status_code == 204
    assert client.post("/_mockgraph/reset").status_code == 204
    assert state_of(client) == fresh


def test_the_state_mirrors_the_urls(client: FlaskClient) -> None:
    document = state_of(client)
    assert set(document) == {"Security"}
    below = SERVICE.stored.children["security"].children().values()
    collections = {each.name for each in below if each.is_collection}
    assert set(document["Security"]) == collections | {"id", "providerStatus"}
    assert document["Security"]["providerStatus"] == [
        {
            "enabled": True,
            "endpoint": "Endpoint value",
            "provider": "Provider value",
            "region": "Region value",
            "vendor": "Vendor value",
        }
    ]


def test_what_is_put_is_served(client: FlaskClient) -> None:
    document = {"Security": {"id": "own", "alerts": [{"id": "a", "title": "T"}]}}
    assert client.put(STATE, json=document).status_code == 204
    body = client.get(SECURITY).json
    assert body is not None
    assert (body["id"], body["providerStatus"]) == ("own", [])
    assert json.loads(client.get(f"{SECURITY}/alerts/a").data)["title"] == "T"
    assert json.loads(client.get(f"{SECURITY}/tiIndicators").data)["value"] == []


def test_a_put_changes_the_etags(client: FlaskClient) -> None:
    before = client.get(SECURITY).headers["ETag"]
    document = state_of(client)
    assert client.put(STATE, json=document).status_code == 204
    assert state_of(client) == document
    assert client.get(SECURITY).headers["ETag"] != before


def test_a_state_may_be_larger_than_a_request_to_graph(
    make_client: Callable[..., FlaskClient],
) -> None:
    client = make_client(max_body=1_000)
    alerts = [{"title": "x" * 100} for _ in range(100)]
    assert client.post(f"{SECURITY}/alerts", json={"title": "x" * 1_000}).status_code == 413
    assert client.put(STATE, json={"Security": {"alerts": alerts}}).status_code == 204
    assert len(state_of(client)["Security"]["alerts"]) == 100


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"{}", "text/plain", 415),
    ],
)
def test_a_state_that_is_no_json(
    client: FlaskClient, data: bytes, content_type: str, status: int
) -> None:
    before = state_of(client)
    answer = client.put(STATE, data=data, content_type=content_type)
    message_of(answer.status_code, answer.headers, answer.data)
    assert answer.status_code == status
    assert state_of(client) == before


def test_two_apps_share_nothing(make_client: Callable[..., FlaskClient]) -> None:
    one, two = make_client(), make_client()
    before = state_of(two)
    one.put(STATE, json={"Security": {}})
    one.post(f"{SECURITY}/alerts", json={})
    assert state_of(two) == before


names = st.sampled_from(["id", "providerStatus", "alerts", "colour", "@odata.type"])


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def shared() -> FlaskClient:
    return create_app(Settings()).test_client()


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(document=anything | st.fixed_dictionaries({"Security": anything}))
def test_any_document_is_taken_or_refused(shared: FlaskClient, document: Any) -> None:
    before = state_of(shared)
    answer = shared.put(STATE, data=json.dumps(document), content_type="application/json")
    assert answer.status_code in (204, 400)
    if answer.status_code == 400:
        assert state_of(shared) == before
    else:
        written = state_of(shared)
        assert shared.put(STATE, json=written).status_code == 204
        assert state_of(shared) == written


def test_a_snapshot_is_gone_back_to(client: FlaskClient) -> None:
    before = titles(client)
    assert client.post("/_mockgraph/snapshots/base").status_code == 201
    client.post(ALERTS, json={**ALERT, "title": "later"})
    assert client.get("/_mockgraph/snapshots").json == {"value": ["base"]}
    assert client.post("/_mockgraph/snapshots/base/restore").status_code == 204
    assert titles(client) == before
    client.post(ALERTS, json={**ALERT, "title": "again"})
    assert client.post("/_mockgraph/reset").status_code == 204
    assert client.post("/_mockgraph/snapshots/base/restore").status_code == 204
    assert titles(client) == before
    assert client.delete("/_mockgraph/snapshots/base").status_code == 204


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "none/restore", 404),
        ("DELETE", "none", 404),
        ("POST", "a%20b", 400),
        ("GET", "none", 404),
        ("PATCH", "none", 405),
    ],
)
def test_snapshots_that_are_not_there(
    client: FlaskClient, method: str, path: str, status: int
) -> None:
    answer = client.open(f"/_mockgraph/snapshots/{path}", method=method)
    assert answer.status_code == status
    assert answer.json is not None
    assert answer.json["error"]["code"]


def test_snapshots_are_bounded(client: FlaskClient) -> None:
    tenant = client.application.extensions["mockgraph"].default
    for number in range(MAX_SNAPSHOTS):
        tenant.keep(f"s{number}")
    assert client.post("/_mockgraph/snapshots/more").status_code == 507
    assert client.post("/_mockgraph/snapshots/s0").status_code == 201


def test_exported_and_imported_elsewhere(client: FlaskClient, empty_client: FlaskClient) -> None:
    client.put("/_mockgraph/state", json=seed("a", "b"))
    client.post(AT)
    kept = state_of(client)
    client.put("/_mockgraph/state", json=seed())
    exported = client.get(AT)
    assert exported.json == kept
    assert ids(state_of(client)) == []
    assert empty_client.put(AT, json=exported.json).status_code == 204
    assert ids(state_of(empty_client)) == []  # not before it is restored
    assert empty_client.post(f"{AT}/restore").status_code == 204
    assert state_of(empty_client) == kept


def test_by_the_names_of_a_tenant(client: FlaskClient) -> None:
    assert client.put(f"/t/a{AT}", json=seed("of a")).status_code == 204
    assert client.get(AT).status_code == 404
    assert ids(client.get(f"/t/a{AT}").json) == ["of a"]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("mine", "null"),
        ("mine", "{"),
        ("mine", '{"Security": {"alerts": [{"title": 5}]}}'),
        ("-bad", '{"Security": {}}'),
    ],
)
def test_what_cannot_be_imported_changes_nothing(client: FlaskClient, name: str, body: str) -> None:
    client.post(AT)
    before = client.get(AT).json
    refused = client.put(f"/_mockgraph/snapshots/{name}", data=body, content_type=JSON)
    assert refused.status_code == 400
    assert client.get("/_mockgraph/snapshots").json == {"value": ["mine"]}
    assert client.get(AT).json == before


def test_the_clock_by_http(empty_client: FlaskClient) -> None:
    clock = "/_mockgraph/clock"
    set_to = empty_client.post(clock, json={"freeze": "2024-02-29T12:00:00+01:00"})
    assert set_to.json == {"now": "2024-02-29T11:00:00.000000Z"}
    made = empty_client.post(ALERTS, json=ALERT).json
    assert made is not None
    assert empty_client.post(clock, json={"advance": 1.5}).json == {
        "now": "2024-02-29T11:00:01.500000Z"
    }
    empty_client.post(clock, json={"freeze": None})
    assert empty_client.get(clock).json == {"now": "2024-02-29T11:00:01.500000Z"}
    assert empty_client.delete(clock).status_code == 204
    now = empty_client.get(clock).json
    assert now is not None
    assert now["now"] > "2026"


@pytest.mark.parametrize(
    "sent", [{"freeze": "noon"}, {"freeze": 5}, {"advance": "1"}, {"advance": 1e300}, {"to": 1}, []]
)
def test_a_clock_that_cannot_be_set(client: FlaskClient, sent: object) -> None:
    assert client.post("/_mockgraph/clock", json=sent).status_code == 400
