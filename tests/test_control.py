"""The control plane: health, reset and the whole state."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from conftest import state_of
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from refusals import message_of

from mockgraph import create_app
from mockgraph.service import SERVICE
from mockgraph.settings import Settings
from mockgraph.version import __version__

SECURITY = "/localtest/Security"
STATE = "/_mockgraph/state"


def test_health(client: FlaskClient) -> None:
    answer = client.get("/_mockgraph/health")
    assert answer.status_code == 200
    assert answer.json == {"status": "ready", "version": __version__}


def test_the_index_says_what_is_where(client: FlaskClient) -> None:
    body = client.get("/").json
    assert body is not None
    assert body["roots"] == {
        "localtest": SECURITY,
        "v1.0": "/v1.0/security",
        "beta": "/beta/security",
    }
    assert all(client.get(path).status_code == 200 for path in body["roots"].values())


def test_all_that_there_is_is_told(client: FlaskClient) -> None:
    for path in ("/_mockgraph", "/_mockgraph/"):
        told = client.get(path).json
        assert told is not None
        assert told["value"][0] == "GET /_mockgraph"
        assert "POST /_mockgraph/snapshots/{name}/restore" in told["value"]
        assert len(told["value"]) == len(set(told["value"])) > 20


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
    names = {each.name for each in SERVICE.sets.values()}
    assert set(document["Security"]) == names | {"id", "providerStatus"}
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


def test_the_layout_of_the_pages(make_client: Callable[..., FlaskClient]) -> None:
    data = make_client(json="documented").get("/_mockgraph/health").data
    assert data.startswith(b'{\r\n  "status": "ready",\r\n')


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
