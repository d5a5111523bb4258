"""The state as a document in pieces: what it is at once, no piece long, nothing unpacked."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from mockgraph.odata.rendering import texts
from mockgraph.service import SERVICE
from mockgraph.state import State, document_writer, packing
from mockgraph.state.packing import PackedEntity

CASES = [
    {
        "id": f"c{n}",
        "settings": {"ocr": {"isEnabled": True}},
        "custodians": [{"id": f"u{each}", "email": f"u{each}@example.com"} for each in range(n)],
    }
    for n in range(3)
]
ALERTS = [
    {"id": f"a{n}", "title": 'a "title"\\ \u2028', "own": {"deep": [n, None]}} for n in range(5)
]


def made(document: Any) -> State:
    return State(SERVICE, document)


def whole(**security: Any) -> Any:
    return {
        "Security": {
            "alerts": ALERTS,
            "cases": {"ediscoveryCases": CASES},
            "providerStatus": [{"region": "r"}],
            **security,
        },
        "Directory": {"users": [{"userPrincipalName": "a@b.c"}], "applications": []},
        "Hunting": {"DeviceEvents": [{"DeviceName": "d", "Timestamp": None}], "None": []},
    }


@pytest.mark.parametrize("layout", ["graph", "documented"])
@pytest.mark.parametrize("document", [{"Security": {}}, whole(), whole(alerts=[])])
def test_the_pieces_are_the_document(document: Any, layout: str) -> None:
    written = made(document).written()
    text = b"".join(written.pieces(indented=layout != "graph"))
    assert text == texts.dump(written.value(), layout)
    again = made(orjson.loads(text))
    assert b"".join(again.written().pieces(indented=layout != "graph")) == text


values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
members = st.recursive(
    values | st.lists(values, max_size=3).map(document_writer._Listed),
    lambda inner: st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=3), members, max_size=3))
def test_any_document_is_written_as_orjson_does(document: Any) -> None:
    plain = document_writer._whole(document)
    assert b"".join(document_writer._texts(document, None)) == orjson.dumps(plain)
    indented = orjson.dumps(plain, option=orjson.OPT_INDENT_2)
    assert b"".join(document_writer._texts(document, b"\n")) == indented


def test_no_piece_is_long_and_nothing_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "_PIECE", 2000)
    monkeypatch.setattr(packing, "_UNPACKED", packing._Unpacked())
    state = made({"Security": {"alerts": [{"id": f"a{n}"} for n in range(300)]}})
    new = state.create("security/alerts", {"title": "new"})
    pieces = list(state.written().pieces())
    assert len(pieces) > 50
    assert max(map(len, pieces)) < 5_000
    alerts = state.db.rows("security/alerts").in_order.stored()
    held = [each for each in alerts if isinstance(each, PackedEntity) and each._entity is not None]
    assert [each.key for each in held] == [new.key]


def test_it_is_of_one_moment() -> None:
    state = made({"Security": {"alerts": ALERTS}})
    before = state.document()
    pieces = state.written().pieces()
    written = state.written()
    first = next(pieces)
    state.db.table("security/alerts").truncate()
    assert orjson.loads(first + b"".join(pieces)) == before
    assert written.value() == before


# -- by HTTP --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/_mockgraph/state", "/_mockgraph/snapshots/kept"])
def test_a_large_one_is_answered_in_pieces(client: FlaskClient, path: str) -> None:
    small = client.get("/_mockgraph/state")
    assert int(small.headers["Content-Length"]) == len(small.data)
    alerts = [{"id": f"a{n}", "description": "x" * 1000} for n in range(200)]
    client.put("/_mockgraph/state", json={"Security": {"alerts": alerts}})
    client.post("/_mockgraph/snapshots/kept")
    answer = client.get(path)
    assert "Content-Length" not in answer.headers
    assert answer.content_type == "application/json"
    read: Any = answer.json
    assert [each["id"] for each in read["Security"]["alerts"]] == [each["id"] for each in alerts]
    assert client.head(path).status_code == 200
