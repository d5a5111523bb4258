"""Requests within a request: the items of a batch go through the whole app, as others do."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from mockgraph.wsgi import HOLD, WSGIApp, variable

if TYPE_CHECKING:
    from mockgraph.odata.batch import Headers, Send

# What an item has in common with the request around it: the server, and who asks.
_KEPT = (
    "SERVER_NAME",
    "SERVER_PORT",
    "SERVER_PROTOCOL",
    "SCRIPT_NAME",
    "REMOTE_ADDR",
    "HTTP_HOST",
    "HTTP_AUTHORIZATION",
)


def sender(app: WSGIApp, outer: Mapping[str, Any]) -> Send:
    """Sends an item through the app, as from the caller of the request around it.

    No server holds its response: the request around it would have that first.
    """
    kept = {name: outer[name] for name in _KEPT if name in outer}
    kept |= {
        name: value for name, value in outer.items() if name.startswith(("wsgi.", "mockgraph."))
    }
    kept["mockgraph.in_batch"] = True
    kept.pop(HOLD, None)

    def send(
        method: str, path: str, query: str, headers: Headers, body: bytes
    ) -> tuple[int, Headers, bytes]:
        environ = {
            **kept,
            **{variable(name): value for name, value in headers},
            "REQUEST_METHOD": method,
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
        answered: list[tuple[str, Headers]] = []

        def start(status: str, headers: Headers, _: Any = None) -> None:
            answered.append((status, headers))

        chunks = app(environ, start)
        try:
            content = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        status, answer_headers = answered[-1]
        return int(status[:3]), answer_headers, content

    return send
