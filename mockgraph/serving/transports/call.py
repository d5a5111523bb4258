"""A call of a WSGI app without a socket.

In environ the app finds the two functions that it finds with a live server: ``mockgraph.cut()``
breaks the connection, ``mockgraph.sleep(seconds)`` waits, or, where the client would have given
up by then, has it give up at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from mockgraph.serving.http1_writer import date_field
from mockgraph.wsgi import WITHOUT_CONTENT, Environ, Headers, WSGIApp, close_body

T = TypeVar("T")


class TimedOut(Exception):
    """The response, or the next piece of it, would come later than the client waits for it."""


class ConnectionBroken(Exception):
    """The connection broke before the response was complete."""


class Call:
    """A call under way: :meth:`start` runs the app, :meth:`read` gets the body piece by piece.

    Both raise TimedOut and ConnectionBroken, and what the app itself raises. One thread at a
    time may call them; any may call :meth:`close`. ``timeout`` is how many seconds the client
    waits for the headers and for each piece, None being for ever. Once started, ``length`` is that
    of the body in bytes, None where no header says it, and ``is_whole`` is true where the body is
    there and :meth:`read` returns at once.
    """

    def __init__(self, app: WSGIApp, environ: Environ, timeout: float | None = None):
        self.timeout = timeout
        self.status = 0
        self.reason = ""
        self.headers: Headers = []
        self.length: int | None = None
        self.is_whole = False
        self._app = app
        self._environ = environ
        self._chunks: Iterable[bytes] = ()
        self._rest: Iterator[bytes] = iter(())
        self._ready: list[bytes] = []
        self._received = 0
        self._waited = 0.0
        self._is_late = False
        self._is_cut = False
        self._is_gone = False
        self._running = threading.Lock()
        self._asleep: threading.Event | None = None

    def start(self) -> None:
        """Run the app, until the status and the headers are known."""
        self._run(self._start)
        self._check_time()
        if self._is_cut:
            raise ConnectionBroken("Server disconnected without sending a response.")

    def read(self) -> bytes:
        """Return the next piece of the body, nothing at its end."""
        piece = self._run(self._next)
        self._check_time()
        if piece and not self._is_cut and self.length != 0:
            self._received += len(piece)
            return piece
        self._check_length()
        return b""

    def take(self) -> bytes | None:
        """Return the body, all of it; None where it has to be read piece by piece."""
        if not self.is_whole or self._is_cut or self._received:
            return None
        body = b"".join(self._ready)
        if len(body) != self.length:
            return None
        self._ready.clear()
        self._received = len(body)
        return body

    @property
    def is_over(self) -> bool:
        """Whether all of the body was there, and was taken."""
        return self.is_whole and self._received == self.length

    def close(self) -> None:
        """Take note that the client is gone: a sleep ends, the app's iterable is closed."""
        self._is_gone = True
        if self._asleep is not None:
            self._asleep.set()
        self._dispose()

    def _check_time(self) -> None:
        if self._is_late:
            raise TimedOut
        self._waited = 0.0

    def _check_length(self) -> None:
        """Raise ConnectionBroken where the body ended too early."""
        length, broken = self.length, "Peer closed connection without sending complete message body"
        if length is None and (self._is_cut or self._is_gone):
            raise ConnectionBroken(f"{broken} ({self._received} bytes of it).")
        if length is not None and self._received < length:
            raise ConnectionBroken(f"{broken} ({self._received} bytes of {length}).")

    # -- the app's side -------------------------------------------------------------------

    def _start(self) -> None:
        self._environ["mockgraph.cut"] = self._cut
        self._environ["mockgraph.sleep"] = self._sleep
        self._chunks = self._app(self._environ, self._start_response)
        if isinstance(self._chunks, (list, tuple)):
            self._ready += self._chunks
            self.is_whole = True
        else:
            self._rest = iter(self._chunks)
            if not self.status:  # an app may leave the headers until its body is asked for
                self._ready.append(next(self._rest, b""))
        if not self.status:
            raise RuntimeError("The app did not call start_response.")
        self._complete_headers()

    def _start_response(
        self, status: str, headers: Headers, _: Any = None
    ) -> Callable[[bytes], Any]:
        code, _, self.reason = status.partition(" ")
        self.status, self.headers = int(code), list(headers)
        return self._ready.append

    def _complete_headers(self) -> None:
        """Add the date and the length of the body, as a server does, and note the length."""
        given = {name.lower(): value for name, value in self.headers}
        if "date" not in given:
            self.headers.append(date_field())
        if self.status in WITHOUT_CONTENT or self._environ["REQUEST_METHOD"] == "HEAD":
            self.length = 0
        elif (length := given.get("content-length")) is not None:
            self.length = int(length)
        elif self.is_whole:
            self.length = sum(map(len, self._ready))
            self.headers.append(("Content-Length", str(self.length)))
        else:
            self.headers.append(("Transfer-Encoding", "chunked"))

    def _next(self) -> bytes:
        while self._ready:
            if piece := self._ready.pop(0):
                return piece
        return next(filter(None, self._rest), b"")

    def _cut(self) -> None:
        self._is_cut = True

    def _sleep(self, seconds: float) -> bool:
        """Wait, and tell whether nobody waits for the answer any more."""
        self._waited += seconds
        if self.timeout is not None and self._waited >= self.timeout:
            self._is_late = True
        elif not self._is_late:
            asleep = self._asleep = threading.Event()
            if not self._is_gone:  # who goes from here on wakes it
                asleep.wait(seconds)
        return self._is_late or self._is_gone

    # -- threads --------------------------------------------------------------------------

    def _run(self, work: Callable[[], T]) -> T:
        try:
            with self._running:
                return work()
        finally:
            if self._is_gone:
                self._dispose()

    def _dispose(self) -> None:
        """Close the app's iterable, unless it runs: then :meth:`_run` does so afterwards."""
        if self._running.acquire(blocking=False):
            chunks, self._chunks, self._rest = self._chunks, (), iter(())
            try:
                getattr(chunks, "close", tuple)()
                close_body(self._environ)
                # They lead back here: without them nothing is left to the collector.
                self._environ.pop("mockgraph.cut", None)
                self._environ.pop("mockgraph.sleep", None)
            finally:
                self._running.release()
