"""Named snapshots as documents: exported, imported, gone back to, in Python and by HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import state_of
from flask.testing import FlaskClient

from mockgraph import MockGraph
from mockgraph.errors import BadRequest, NotFound

AT = "/_mockgraph/snapshots/mine"
JSON = "application/json"


def seed(*titles: str) -> dict[str, Any]:
    return {"Security": {"alerts": [{"id": each, "title": each} for each in titles]}}


def ids(document: Any) -> list[str]:
    return [each["id"] for each in document["Security"]["alerts"]]


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


def test_in_python() -> None:
    with MockGraph(seed=seed("a")) as graph:
        graph.snapshot("first")
        graph.snapshot("given", seed("b", "c"))
        assert graph.snapshots == ["first", "given"]
        document = graph.document("given")
        assert ids(document) == ["b", "c"]
        document["Security"]["alerts"].clear()  # a copy
        graph.restore("given")
        assert ids(graph.state) == ["b", "c"]
        assert ids(graph.document("first")) == ["a"]
        with pytest.raises(NotFound, match="no snapshot 'none'"):
            graph.document("none")
        with pytest.raises(BadRequest):
            graph.snapshot("bad", {"alerts": []})
        assert graph.snapshots == ["first", "given"]
