"""A client's connection: the requests that it has sent, and the responses still to be sent."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from mockgraph.serving.http1_parser import BodyLimit, RequestParser
from mockgraph.serving.http1_writer import CONTINUE, refusal_message
from mockgraph.serving.known_heads import ParsedRequest
from mockgraph.serving.server.access_log import LineWriter
from mockgraph.serving.server.response import respond
from mockgraph.wsgi import HOLD, Environ, WSGIApp

RECEIVED = 64 * 1024  # bytes that are received at a time
_POUR_TIMEOUT = 60.0  # seconds in which a client must take some of a response that is poured

# How a socket is polled for having been closed at its other end, where the system can tell.
_CLOSED = getattr(select, "POLLRDHUP", 0)


class Loop(Protocol):
    """The loop that a connection belongs to, and the log of its requests.

    ``sleep`` waits for some seconds during a request of the connection, while others are served,
    and tells whether the server is to stop.
    """

    @property
    def max_body(self) -> int: ...
    @property
    def body_limit(self) -> BodyLimit | None: ...
    @property
    def log(self) -> LineWriter | None: ...
    @property
    def is_stopping(self) -> bool: ...
    def sleep(self, connection: Connection, seconds: float) -> bool: ...


# Makes a connection of an accepted socket, a base environ and its loop.
Connect = Callable[[socket.socket, Environ, Loop], "Connection"]


class Connection:
    """An accepted socket with its parser, used by one thread at a time.

    ``out`` is what is still to be sent, and ``is_held`` says that it is held until it is released;
    ``events`` is what the loop waits for, ``used_at`` the ``time.monotonic`` of its last response,
    or of its beginning. An app finds four functions in environ: ``mockgraph.cut()`` ends the
    connection where it stands, ``mockgraph.sleep(s)`` waits for so many seconds without holding up
    others, ``mockgraph.has_left()`` tells whether work on an answer is in vain.
    ``mockgraph.hold(settle, conclude)`` has the response, which must be whole, held until
    ``settle`` has been called, which may wait; then ``conclude`` is called, and may return an app
    that answers instead.
    """

    __slots__ = (
        "_answered",
        "_conclude",
        "_loop",
        "_settle",
        "_socket",
        "events",
        "is_cut",
        "is_held",
        "keep",
        "out",
        "parser",
        "used_at",
    )

    def __init__(self, accepted: socket.socket, environ: Environ, loop: Loop):
        self._socket = accepted
        self._loop = loop
        self.parser = self._new_parser(environ)
        self.out: bytes | memoryview = b""
        self.events = 0
        self.used_at = time.monotonic()
        self.keep = True
        self.is_cut = False
        self.is_held = False
        self._settle: Callable[[], None] = _do_nothing
        self._conclude: Callable[[], WSGIApp | None] = _do_nothing
        # The request whose response is held, the status of that, and when it came.
        self._answered: tuple[ParsedRequest, str, float] | None = None

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way."""
        return not (self.parser.under_way or self.parser.ready or self.out)

    @property
    def is_waiting(self) -> bool:
        """Whether nothing can be done for it before its client does something."""
        return bool(self.events) and not self.is_held and not self.can_answer

    @property
    def is_sent_to(self) -> bool:
        """Whether data have come that were not received yet."""
        try:
            # On the socket below TLS, which cannot peek.
            return bool(socket.socket.recv(self._socket, 1, socket.MSG_PEEK))
        except OSError:
            return False

    @property
    def can_answer(self) -> bool:
        """Whether there is a request to answer, and the responses before it are taken."""
        return bool(self.parser.ready) and self.keep and not self.out and not self.is_cut

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be sent: it was cut, or its last response is taken."""
        return self.is_cut or (not self.keep and not self.out)

    def receive(self) -> None:
        """Parse what the client has sent."""
        try:
            data = self._receive()
        except OSError:
            data = b""  # a reset is as good as an end
        if data is None:
            return
        if not data:
            self.parser.end()
            return
        self.parser.feed(data)

    def answer(self, app: WSGIApp, is_last: Callable[[], bool]) -> None:
        """Let the app answer the next request."""
        self._respond(app, self.parser.ready.popleft(), time.perf_counter(), is_last)

    def hold(self, settle: Callable[[], None], conclude: Callable[[], WSGIApp | None]) -> None:
        """Hold the response until it is released, as the app asks."""
        self.is_held = True
        self._settle = settle
        self._conclude = conclude

    def settle(self) -> None:
        """Wait until the response that is held may be released."""
        self._settle()

    def release(self, is_last: Callable[[], bool]) -> None:
        """Let what was held and has been settled be sent, or what takes its place."""
        answered, conclude = self._answered, self._conclude
        self.is_held, self._answered = False, None
        self._settle = self._conclude = _do_nothing
        replacement = conclude()
        assert answered is not None
        request, status, began = answered
        if replacement is not None:
            self.out = b""
            self._respond(replacement, request, began, is_last)
        elif self._loop.log is not None:
            self._loop.log.add_request(request.environ, status, began)

    def conclude(self) -> None:
        """After the last response, go on with a body, or refuse what is no request, or end."""
        if self.parser.waits and not self.parser.ready and self.keep:
            self.parser.waits = False
            self.send(CONTINUE)
            self.flush()
        if self.keep and not self.out and self.parser.ended:
            self.keep = False
            if self.parser.refusal is not None:
                self.send(refusal_message(self.parser.refusal))
                self.flush()

    def send(self, data: bytes) -> None:
        """Add this to ``out``: it is sent by :meth:`flush`."""
        self.out = bytes(self.out) + data if self.out else data

    def flush(self) -> None:
        """Send as much of ``out`` as the client takes now."""
        if not self.out:
            return
        if self.is_cut:
            self.out = b""
            return
        try:
            sent = self._send(self.out)
        except OSError:
            self.cut()
        else:
            self.out = b"" if sent == len(self.out) else memoryview(self.out)[sent:]

    def pour(self, data: bytes) -> None:
        """Send all of this, waiting for the client; one that takes nothing for 60 s is cut."""
        self.send(data)
        self.flush()
        if not self.out:
            return
        self._socket.settimeout(_POUR_TIMEOUT)
        while self.out:
            self.flush()
        if not self.is_cut:
            self._socket.setblocking(False)

    def sleep(self, seconds: float) -> bool:
        """Wait while others are served, at most until the server stops; tell whether it does."""
        return self._loop.sleep(self, seconds)

    def has_left(self) -> bool:
        """Return whether nobody waits for an answer: the client has closed, or the server stops.

        A client that has closed one direction only cannot be told from one that has left.
        """
        if self.is_cut or self._loop.is_stopping:
            return True
        try:
            if not _CLOSED:
                return not socket.socket.recv(self._socket, 1, socket.MSG_PEEK)
            poll = select.poll()
            poll.register(self._socket, _CLOSED)
            return bool(poll.poll(0))
        except BlockingIOError:
            return False
        except (OSError, ValueError):
            return True

    def cut(self) -> None:
        """End the connection where it stands. Any thread may call it."""
        self.is_cut = True
        # On the socket below TLS, which would send its close_notify.
        with suppress(OSError):
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def finish(self) -> None:
        """Send no more and leave it to the client to close: it may not have read all yet."""
        with suppress(OSError):
            socket.socket.shutdown(self._socket, socket.SHUT_WR)

    def drain(self) -> bool:
        """Discard what the client still sends, and return whether it has closed."""
        try:
            return not socket.socket.recv(self._socket, RECEIVED)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def close(self) -> None:
        self.out = b""
        self._socket.close()
        self.parser.forget()

    def _respond(
        self, app: WSGIApp, request: ParsedRequest, began: float, is_last: Callable[[], bool]
    ) -> None:
        status, keep = respond(app, request, self, is_last)
        if not keep:
            self.keep = False
        if self.is_held:
            self._answered = request, status, began
        elif self._loop.log is not None:
            self._loop.log.add_request(request.environ, status, began)

    def _new_parser(self, environ: Environ) -> RequestParser:
        environ["mockgraph.cut"] = self.cut
        environ["mockgraph.sleep"] = self.sleep
        environ["mockgraph.has_left"] = self.has_left
        environ[HOLD] = self.hold
        return RequestParser(environ, self._loop.max_body, self._loop.body_limit)

    def _receive(self) -> bytes | None:
        """Return what has come: nothing at the end, None where nothing has. Raises OSError."""
        try:
            return self._socket.recv(RECEIVED)
        except BlockingIOError:
            return None

    def _send(self, data: bytes | memoryview) -> int:
        """Send some of this and return how many bytes. Raises OSError."""
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0


def _do_nothing() -> None: ...
