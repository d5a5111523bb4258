"""The response of a WSGI app, as the bytes of HTTP/1.1."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Protocol

from mockgraph.errors import GraphError
from mockgraph.redaction import masked_url
from mockgraph.serving.http1_parser import ParsedRequest
from mockgraph.serving.http1_writer import SERVER_FIELD, chunk, dated_end, head, refusal_message
from mockgraph.wsgi import Headers, WSGIApp, close_body

# The fields of an app's that say how a message is sent.
_OF_MESSAGES = frozenset({"connection", "content-length", "date"})
_WITHOUT_CONTENT = ("1", "204", "304")  # how statuses begin whose responses have none
_logger = logging.getLogger("mockgraph")


class ResponseSink(Protocol):
    """The connection that a response is sent to.

    ``send`` does not wait for the client, ``pour`` waits until it has taken all; ``cut`` ends
    the connection where it stands.
    """

    @property
    def is_cut(self) -> bool: ...
    def send(self, data: bytes) -> None: ...
    def pour(self, data: bytes) -> None: ...
    def cut(self) -> None: ...


def respond(
    app: WSGIApp, request: ParsedRequest, sink: ResponseSink, is_last: Callable[[], bool]
) -> bool:
    """Send the app's response to a request, and return whether the connection may be kept.

    ``is_last`` is called when the response begins; where it is true, the client is asked to
    close. An app that fails is answered for with 500, or, where its response has begun, by
    cutting the connection.
    """
    response = _Response(request, sink, is_last)
    try:
        try:
            response.run(app)
        finally:
            close_body(request.environ)
    except BaseException:  # SystemExit, too: no app ends the server
        environ = request.environ
        url = masked_url(environ["REQUEST_URI"])
        _logger.exception("%s %s failed", environ["REQUEST_METHOD"], url)
        if response.begun:
            sink.cut()
        else:
            sink.send(refusal_message(GraphError()))
        return False
    return response.keep and not sink.is_cut


class _Response:
    """A response under way: its head is sent together with the first piece of its body."""

    __slots__ = (
        "_announced",
        "_chunked",
        "_headers",
        "_is_last",
        "_request",
        "_sent",
        "_silent",
        "_sink",
        "_status",
        "_written",
        "begun",
        "keep",
    )

    def __init__(self, request: ParsedRequest, sink: ResponseSink, is_last: Callable[[], bool]):
        self._request = request
        self._sink = sink
        self._is_last = is_last
        self._status = ""
        self._headers: Headers = []
        self._written: list[bytes] = []
        self._announced: int | None = None  # the Content-Length
        self._chunked = self._silent = False
        self._sent = 0
        self.keep = request.keep
        self.begun = False

    def run(self, app: WSGIApp) -> None:
        body = app(self._request.environ, self._start)
        try:
            if isinstance(body, list):
                self._send_whole(b"".join([*self._written, *body]))
            else:
                self._pour(body)
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                close()
        if self._announced is not None and self._announced != self._sent and not self._silent:
            self.keep = False  # the client waits for more, or takes the rest for a response

    def _start(self, status: str, headers: Headers, exc_info: Any = None) -> Any:
        if exc_info is None and self._status:
            raise RuntimeError("start_response was called a second time, without an error.")
        if exc_info is not None and self.begun:
            raise exc_info[1]
        self._status, self._headers = status, headers
        return self._written.append

    def _with_written(self, piece: bytes) -> bytes:
        """Return a piece of the body after what the app passed to ``write`` before it."""
        if not self._written:
            return piece
        written = b"".join(self._written)
        self._written.clear()
        return written + piece

    def _send_whole(self, body: bytes) -> None:
        begin = self._begin(len(body))
        self._sent = len(body)
        self._sink.send(begin if self._silent else begin + body)

    def _pour(self, pieces: Iterable[bytes]) -> None:
        for piece in pieces:
            if self._sink.is_cut:
                return
            whole = self._with_written(piece)
            if whole:
                self._pour_piece(whole)
            if self._silent:
                return
        if not self.begun:
            self._send_whole(self._with_written(b""))
        elif self._chunked:
            self._sink.pour(chunk(b""))

    def _pour_piece(self, piece: bytes) -> None:
        begin = b"" if self.begun else self._begin(None)
        self._sent += len(piece)
        if self._silent:
            piece = b""
        elif self._chunked:
            piece = chunk(piece)
        self._sink.pour(begin + piece)

    def _begin(self, length: int | None) -> bytes:
        """Return the head, given the length of the body in bytes where that is known."""
        status, environ = self._status, self._request.environ
        if not status:
            raise RuntimeError("The app did not call start_response.")
        start_line, has_content = _start_line(status)
        fields = list(self._headers)
        closes = is_dated = False
        for name, value in fields:
            lower = name.lower()
            if lower not in _OF_MESSAGES:
                continue
            if lower == "content-length":
                self._announced = int(value)
            elif lower == "connection":
                closes = "close" in value.lower()
            else:
                is_dated = True
        is_current = environ["SERVER_PROTOCOL"] == "HTTP/1.1"
        method = environ["REQUEST_METHOD"]
        self._silent = not has_content or method == "HEAD"
        if method == "CONNECT" and status[0] == "2":  # the tunnel begins where the head ends
            self._silent = closes = True
        if self._announced is None and not self._silent:
            if length is not None:
                fields.append(("Content-Length", str(length)))
            elif is_current:
                self._chunked = True
                fields.append(("Transfer-Encoding", "chunked"))
            else:
                self.keep = False  # the end of the connection is that of the body
        self.keep = self.keep and not closes and not self._is_last()
        if closes:
            pass  # the app has said so, or nothing may be said
        elif not self.keep:
            fields.append(("Connection", "close"))
        elif not is_current:
            fields.append(("Connection", "keep-alive"))
        if is_dated:
            fields.append(SERVER_FIELD)
        begin = head(start_line, fields, b"\r\n" if is_dated else dated_end())
        self.begun = True
        return begin


@lru_cache(maxsize=128)
def _start_line(status: str) -> tuple[str, bool]:
    """Return the first line of a response, and whether it has content. Raises ValueError."""
    if not status[:3].isdigit():
        raise ValueError(f"{status!r} is no status.")
    return f"HTTP/1.1 {status}", not status.startswith(_WITHOUT_CONTENT)
