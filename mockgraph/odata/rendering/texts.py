"""JSON as text, in either layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from mockgraph import work
from mockgraph.http import Response
from mockgraph.metadata.names import Json
from mockgraph.state.packing import json_of

# Items of an array that are written between two looks at whether anybody waits for it.
_BLOCK = 1000
_NO_ITEMS = b'"value":[]'  # in no text: quotes are escaped there


def render_json(value: Json, status: int, layout: str = "graph") -> Response:
    """Return a response that is no entity: an error, or what the control plane answers."""
    return Response(status, dump(value, layout), "application/json")


def dump(value: Json, layout: str) -> bytes:
    """JSON text: compact, or laid out as the reference pages print it, with CRLF.

    Long arrays are written block by block, each of them counted as work of the request.
    """
    indent = 0 if layout == "graph" else orjson.OPT_INDENT_2
    if type(value) is dict:
        for name, item in value.items():
            if type(item) is list and len(item) > _BLOCK:
                value = {**value, name: orjson.Fragment(_array(item, indent))}
    if not indent:
        return json_of(value)  # the journal keeps it
    return orjson.dumps(value, option=indent).replace(b"\n", b"\r\n")


def _array(items: Sequence[Json], indent: int) -> bytes:
    """Return the JSON of an array that is a member of the outermost object."""
    done, end = work.current(), b"\n]" if indent else b"]"
    texts = []
    for start in range(0, len(items), _BLOCK):
        text = orjson.dumps(items[start : start + _BLOCK], option=indent)
        done.read(len(text))
        texts.append(text[1 : -len(end)])
    text = b"[" + b",".join(texts) + end
    return text.replace(b"\n", b"\n  ") if indent else text


def page_json(body: Mapping[str, Json], items: Sequence[bytes]) -> bytes:
    """Return the body of a page, whose ``value`` is empty, as compact JSON with these in it.

    They are JSON already, and are put where they stay: orjson would move them as its text grows.
    """
    head, _, tail = orjson.dumps(body).partition(_NO_ITEMS)
    text = b",".join(items)
    if len(items) > _BLOCK:
        work.current().read(len(text))
    return b"".join((head, _NO_ITEMS[:-1], text, b"]", tail))


def joined(first: bytes, second: bytes) -> bytes:
    """Return two objects in JSON as one, which can be kept. They have no name in common."""
    comma = b"," if len(first) > 2 and len(second) > 2 else b""
    return first[:-1] + comma + second[1:]
