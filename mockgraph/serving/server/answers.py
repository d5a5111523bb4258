"""From a WSGI app's answer to the bytes of HTTP."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterable
from email.utils import formatdate
from functools import lru_cache
from typing import Any, Protocol

import orjson

from mockgraph.errors import PHRASES, GraphError
from mockgraph.serving.server.requests import Environ, Request
from mockgraph.version import __version__

Headers = list[tuple[str, str]]
StartResponse = Callable[..., Any]
WSGIApp = Callable[[Environ, StartResponse], Iterable[bytes]]

_SERVER = f"Server: MockGraph/{__version__}"
_WITHOUT_CONTENT = ("1", "204", "304")  # how their statuses begin (RFC 9110, 15)
_logger = logging.getLogger("mockgraph")


class Wire(Protocol):
    """Where an answer goes: ``send`` waits for nothing, ``pour`` until the client takes it."""

    @property
    def is_cut(self) -> bool: ...
    def send(self, data: bytes) -> None: ...
    def pour(self, data: bytes) -> None: ...
    def cut(self) -> None: ...


def answer(app: WSGIApp, request: Request, wire: Wire, is_last: Callable[[], bool]) -> bool:
    """Let the app answer a request; whether the connection may be kept for others.

    ``is_last`` is asked when the answer begins, and told to the client. An app that fails is
    answered for with 500, or, where its answer has begun, by cutting the connection.
    """
    answering = _Answering(request, wire, is_last)
    try:
        answering.run(app)
    except BaseException:  # an exit is a failure of the app's, too
        environ = request.environ
        _logger.exception("%s %s failed", environ["REQUEST_METHOD"], environ["REQUEST_URI"])
        if answering.begun:
            wire.cut()
        else:
            wire.send(refusal(GraphError()))
        return False
    return answering.keep and not wire.is_cut


def refusal(error: GraphError) -> bytes:
    """The whole answer to what is no request, in Graph's shape; the connection ends with it."""
    request_id = str(uuid.uuid4())
    body = orjson.dumps(error.body(request_id, request_id))
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
        ("request-id", request_id),
        ("client-request-id", request_id),
        ("OData-Version", "4.0"),
    ]
    lines = [f"HTTP/1.1 {error.status} {PHRASES[error.status]}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return _head(lines) + body


class _Answering:
    """One answer on its way: the status and headers first, with what comes first of the body."""

    __slots__ = (
        "_announced",
        "_chunked",
        "_headers",
        "_is_last",
        "_request",
        "_sent",
        "_silent",
        "_status",
        "_wire",
        "_written",
        "begun",
        "keep",
    )

    def __init__(self, request: Request, wire: Wire, is_last: Callable[[], bool]):
        self._request = request
        self._wire = wire
        self._is_last = is_last
        self._status = ""
        self._headers: Headers = []
        self._written: list[bytes] = []
        self._announced: int | None = None
        self._chunked = self._silent = False
        self._sent = 0
        self.keep = request.keep
        self.begun = False

    def run(self, app: WSGIApp) -> None:
        body = app(self._request.environ, self._start)
        try:
            if isinstance(body, list):
                self._send_whole(self._taken(b"".join(body)))
            else:
                self._pour(body)
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                close()
        if self._announced is not None and self._announced != self._sent and not self._silent:
            self.keep = False  # the client waits for more, or takes the rest for an answer

    def _start(self, status: str, headers: Headers, exc_info: Any = None) -> Any:
        if exc_info is None and self._status:
            raise RuntimeError("start_response was called a second time, without an error.")
        if exc_info is not None and self.begun:
            raise exc_info[1]
        self._status, self._headers = status, headers
        return self._written.append

    def _taken(self, piece: bytes) -> bytes:
        """A piece of the body, after what the app has written meanwhile."""
        if not self._written:
            return piece
        written = b"".join(self._written)
        self._written.clear()
        return written + piece

    def _send_whole(self, body: bytes) -> None:
        head = self._begin(len(body))
        self._sent = len(body)
        self._wire.send(head if self._silent else head + body)

    def _pour(self, pieces: Iterable[bytes]) -> None:
        for piece in pieces:
            if self._wire.is_cut:
                return
            whole = self._taken(piece)
            if whole:
                self._pour_piece(whole)
            if self._silent:
                return
        if not self.begun:
            self._send_whole(self._taken(b""))
        elif self._chunked:
            self._wire.pour(b"0\r\n\r\n")

    def _pour_piece(self, piece: bytes) -> None:
        head = b"" if self.begun else self._begin(None)
        self._sent += len(piece)
        if self._silent:
            piece = b""
        elif self._chunked:
            piece = b"%x\r\n%b\r\n" % (len(piece), piece)
        self._wire.pour(head + piece)

    def _begin(self, length: int | None) -> bytes:
        """The status and headers, given the length of the body where that is known."""
        if not self._status:
            raise RuntimeError("The app did not call start_response.")
        environ, status = self._request.environ, self._status
        if not status[:3].isdigit():
            raise ValueError(f"{status!r} is no status.")
        lines = [f"HTTP/1.1 {status}"]
        closes = is_dated = False
        for name, value in self._headers:
            lines.append(f"{name}: {value}")
            lower = name.lower()
            if lower == "content-length":
                self._announced = int(value)
            elif lower == "connection":
                closes = "close" in value.lower()
            elif lower == "date":
                is_dated = True
        current = environ["SERVER_PROTOCOL"] == "HTTP/1.1"
        method = environ["REQUEST_METHOD"]
        self._silent = status.startswith(_WITHOUT_CONTENT) or method == "HEAD"
        if method == "CONNECT" and status[0] == "2":  # the tunnel begins where the head ends
            self._silent = closes = True
        if self._announced is None and not self._silent:
            if length is not None:
                lines.append(f"Content-Length: {length}")
            elif current:
                self._chunked = True
                lines.append("Transfer-Encoding: chunked")
            else:
                self.keep = False  # the end of the connection is that of the body
        self.keep = self.keep and not closes and not self._is_last()
        if closes:
            pass  # the app has said so, or nothing may be said
        elif not self.keep:
            lines.append("Connection: close")
        elif not current:
            lines.append("Connection: keep-alive")
        head = _head(lines, is_dated)
        self.begun = True
        return head


def _head(lines: list[str], is_dated: bool = False) -> bytes:
    """The bytes of a head, with the server's own fields; its date only where there is none."""
    lines.append(_SERVER)
    if not is_dated:
        lines.append(_date(int(time.time())))
    lines += ("", "")
    text = "\r\n".join(lines)
    breaks = len(lines) - 1
    if text.count("\n") != breaks or text.count("\r") != breaks:
        raise ValueError("A header has a line break in it.")
    return text.encode("latin-1")


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return f"Date: {formatdate(second, usegmt=True)}"
