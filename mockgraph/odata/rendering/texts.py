"""JSON as text, in either layout."""

from __future__ import annotations

import orjson

from mockgraph.http import Response
from mockgraph.metadata.names import Json
from mockgraph.state.packing import json_of


def render_json(value: Json, status: int, layout: str = "graph") -> Response:
    """Return a response that is no entity: an error, or what the control plane answers."""
    return Response(status, dump(value, layout), "application/json")


def dump(value: Json, layout: str) -> bytes:
    """JSON text: compact, or laid out as the reference pages print it, with CRLF."""
    if layout == "graph":
        return json_of(value)  # the journal keeps it
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).replace(b"\n", b"\r\n")
