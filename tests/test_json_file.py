"""JSON in a file, read piece by piece: as orjson reads it at once, and refused where that is."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mockgraph import json_file
from mockgraph.errors import GraphError, MalformedPayload, PayloadTooLarge
from mockgraph.json_file import JsonFile, JsonItems

MANY = 10**6


def is_apart(path: tuple[str, ...]) -> bool:
    return len(path) <= 2 and path[0] in ("a", "b", "")


def read(text: bytes, piece: int = json_file._PIECE, most: int = MANY) -> Any:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(json_file, "_PIECE", piece)
        return whole(JsonFile(io.BytesIO(text), is_apart, most, PayloadTooLarge(most)).read())


def whole(value: Any) -> Any:
    if isinstance(value, JsonItems):
        found = list(value)
        assert len(value) == len(found)
        assert list(value) == found  # again, from the file
        return found
    return {k: whole(v) for k, v in value.items()} if isinstance(value, dict) else value


numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.sampled_from(["a", "b", "c", "", "ä"]), inner, max_size=4)
    ),
    max_leaves=30,
)
spaces = st.sampled_from([b"", b" ", b"\n\t\r "])
pieces = st.sampled_from([1, 2, 3, 7, 50, 10**6])


@given(value=values, piece=pieces, indented=st.booleans(), before=spaces, behind=spaces)
@example({"a": [1.5, -20, 3e10]}, 1, False, b"", b"")
@example({"a": {"b": ["\\", '"', "\\u0000\u2028"]}}, 1, True, b" ", b" ")
@example("x" * 1000, 3, False, b"", b"")
def test_it_is_read_as_orjson_reads_it(
    value: Any, piece: int, indented: bool, before: bytes, behind: bytes
) -> None:
    text = before + orjson.dumps(value, option=orjson.OPT_INDENT_2 if indented else 0) + behind
    assert read(text, piece) == orjson.loads(text)
    assert read(b"\xef\xbb\xbf" + text, piece) == orjson.loads(text)


edits = st.lists(st.tuples(st.floats(0, 1), st.sampled_from(list(b'{}[]",:\\ 0e-.nt\x00\xff'))))


@given(value=values, piece=pieces, edits=edits, cut=st.floats(0.5, 1))
@example({"a": [1]}, 1, [(0.99, ord(","))], 1)
def test_it_is_refused_where_orjson_refuses_it(
    value: Any, piece: int, edits: list[tuple[float, int]], cut: float
) -> None:
    text = bytearray(orjson.dumps(value))
    for at, byte in edits:
        text[min(int(at * len(text)), len(text) - 1)] = byte
    data = bytes(text[: max(1, int(cut * len(text)))])
    try:
        expected = orjson.loads(data)
    except orjson.JSONDecodeError:
        with pytest.raises(MalformedPayload):
            read(data, piece)
    else:
        assert read(data, piece) == expected


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b'{"a": [NaN]}',
        b'{"a": [1, Infinity]}',
        b'{"a": ["\xff"]}',
        b'{"a": ["\\ud800"]}',
        b'{"a": [1}',
        b'{"a": [1],}',
        b'{"a" [1]}',
        b'{"a": [1]} x',
        b'{"a": [1,, 2]}',
        b"{a: 1}",
        b'{"a": [' + b"[" * 100_000,
        b'{"a": [' + b"1" * 5000 + b"x]}",
    ],
)
@pytest.mark.parametrize("piece", [1, 10**6])
def test_what_is_no_json_is_refused(text: bytes, piece: int) -> None:
    if piece == 1 and len(text) > 10_000:
        text = text[:500]
    with pytest.raises(MalformedPayload):
        read(text, piece)


def test_a_fault_at_its_beginning_is_found_there() -> None:
    """The rest of a large file is not read for it."""
    file = io.BytesIO(b'{"a": [{"x": nil}, ' + b'{"x": 1}, ' * 500_000)
    with pytest.raises(MalformedPayload):
        JsonFile(file, is_apart, MANY * 10, GraphError()).read()
    assert file.tell() < 2 * json_file._PIECE


@pytest.mark.parametrize("text", [b'{"a": [' + b"{},", b'{"c": [' + b"[],", b'{"a": [[' + b"[],"])
def test_it_may_have_so_many_objects_and_arrays(text: bytes) -> None:
    begin, item = text[:-3], text[-3:]
    brackets = b"]" * begin.count(b"[") + b"}"
    few = begin + item * 97 + b"0" + brackets
    assert read(few, most=100) == orjson.loads(few)
    with pytest.raises(PayloadTooLarge):
        read(begin + item * 102 + b"0" + brackets, most=100)


def test_the_items_are_not_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    item = orjson.dumps({"text": "x" * 1000})
    with path.open("wb") as file:
        file.write(b'{"a": [' + b",".join([item] * 20_000) + b"]}")
    with path.open("rb") as opened:
        tracemalloc.start()
        found = JsonFile(opened, is_apart, MANY, GraphError()).read()
        count = sum(1 for _ in found["a"])
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert count == 20_000
    assert most < 12 * 1024 * 1024 < path.stat().st_size
