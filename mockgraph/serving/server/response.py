"""The response of a WSGI app, as the bytes of HTTP/1.1."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from mockgraph.errors import GraphError
from mockgraph.redaction import masked_url
from mockgraph.serving.http1_writer import (
    SERVER_END,
    check_breaks,
    chunk,
    dated_end,
    refusal_message,
)
from mockgraph.serving.known_heads import ParsedRequest
from mockgraph.wsgi import Headers, WSGIApp, close_body

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
) -> tuple[str, bool]:
    """Send the app's response to a request.

    Return its status, and whether the connection may be kept. ``is_last`` is called when the
    response begins; where it is true, the client is asked to close. An app that fails is answered
    for with 500, or, where its response has begun, by cutting the connection.
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
            return response.status, False
        error = GraphError()
        sink.send(refusal_message(error))
        return f"{error.status}", False
    return response.status, response.keep and not sink.is_cut


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
        "_written",
        "begun",
        "keep",
        "status",
    )

    def __init__(self, request: ParsedRequest, sink: ResponseSink, is_last: Callable[[], bool]):
        self._request = request
        self._sink = sink
        self._is_last = is_last
        self.status = ""
        self._headers: Headers = []
        self._written: list[bytes] = []
        self._announced: int | None = None  # the Content-Length
        self._chunked = self._silent = False
        self._sent = 0
        self.keep = request.keep
        self.begun = False

    def run(self, app: WSGIApp) -> None:
        body = app(self._request.environ, self._start)
        if type(body) is list:
            is_one = len(body) == 1 and not self._written
            self._send_whole(body[0] if is_one else b"".join([*self._written, *body]))
        else:
            try:
                self._pour(body)
            finally:
                close = getattr(body, "close", None)
                if close is not None:
                    close()
        if self._announced is not None and self._announced != self._sent and not self._silent:
            self.keep = False  # the client waits for more, or takes the rest for a response

    def _start(self, status: str, headers: Headers, exc_info: Any = None) -> Any:
        if exc_info is None and self.status:
            raise RuntimeError("start_response was called a second time, without an error.")
        if exc_info is not None and self.begun:
            raise exc_info[1]
        self.status, self._headers = status, headers
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
        if not self.status:
            raise RuntimeError("The app did not call start_response.")
        environ = self._request.environ
        names, values = zip(*self._headers) if self._headers else ((), ())  # noqa: B905 (pairs)
        outline = _outline(
            self.status, names, environ["REQUEST_METHOD"], environ["SERVER_PROTOCOL"]
        )
        check_breaks("".join(values))
        if outline.length is not None:
            self._announced = int(values[outline.length])
        self._silent = outline.is_silent
        self.keep = self.keep and not self._is_last()
        own = "" if outline.is_whole and self.keep else self._own_fields(outline, values, length)
        pieces = outline.pieces.copy()
        pieces[1::2] = values
        end = SERVER_END if outline.is_dated else dated_end()
        begin = ("".join(pieces) + own).encode("latin-1") + end
        self.begun = True
        return begin

    def _own_fields(self, outline: _Outline, values: Sequence[str], length: int | None) -> str:
        """Return the fields that say how the message is sent, where the app's do not."""
        own = ""
        if outline.length is None and not outline.is_silent:
            if length is not None:
                own = f"Content-Length: {length}\r\n"
            elif outline.is_current:
                self._chunked = True
                own = "Transfer-Encoding: chunked\r\n"
            else:
                self.keep = False  # the end of the connection is that of the body
        if (
            outline.connection is not None and "close" in values[outline.connection].lower()
        ) or outline.is_tunnel:
            self.keep = False
        elif not self.keep:
            own += "Connection: close\r\n"
        elif not outline.is_current:
            own += "Connection: keep-alive\r\n"
        return own


class _Outline(NamedTuple):
    """The head of a response but for the values of the app's fields.

    ``pieces`` are what is around the values, and places for these. ``length`` and ``connection``
    tell which value is that of ``Content-Length``, and of ``Connection``. With ``is_silent`` no
    body follows, with ``is_tunnel`` something else. ``is_current`` tells HTTP/1.1; ``is_whole``
    that nothing more is to be said where the connection is kept.
    """

    pieces: list[str]
    length: int | None
    connection: int | None
    is_dated: bool
    is_silent: bool
    is_tunnel: bool
    is_current: bool
    is_whole: bool


@lru_cache(maxsize=128)
def _outline(status: str, names: tuple[str, ...], method: str, version: str) -> _Outline:
    """Return the outline of a response's head, given the request's method and version of HTTP.

    Raises ValueError where the status is none, or breaks a line, as a name may.
    """
    if not status[:3].isdigit():
        raise ValueError(f"{status!r} is no status.")
    check_breaks("".join([status, *names]))
    pieces = [f"HTTP/1.1 {status}\r\n"]
    for name in names:
        pieces[-1] += f"{name}: "
        pieces += ["", "\r\n"]
    places = {name.lower(): place for place, name in enumerate(names)}
    length, connection = places.get("content-length"), places.get("connection")
    is_tunnel = method == "CONNECT" and status[0] == "2"  # which begins where the head ends
    is_silent = is_tunnel or method == "HEAD" or status.startswith(_WITHOUT_CONTENT)
    is_current = version == "HTTP/1.1"
    is_framed = is_silent or length is not None
    is_whole = is_framed and is_current and connection is None and not is_tunnel
    return _Outline(
        pieces, length, connection, "date" in places, is_silent, is_tunnel, is_current, is_whole
    )
