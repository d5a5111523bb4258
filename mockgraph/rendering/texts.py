"""JSON as text, in either layout."""

from __future__ import annotations

import orjson
from werkzeug.wrappers import Response

from mockgraph.model import Json


def render_json(value: Json, status: int, layout: str = "graph") -> Response:
    """A response that is no entity: an error, or what the control plane answers."""
    response = Response(dump(value, layout), status)
    response.content_type = "application/json"
    return response


def dump(value: Json, layout: str) -> bytes:
    """JSON text: compact, or laid out as the reference pages print it, with CRLF."""
    if layout == "graph":
        return orjson.dumps(value)
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).replace(b"\n", b"\r\n")
