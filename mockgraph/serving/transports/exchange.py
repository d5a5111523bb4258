"""One call of a WSGI app without a socket: what a server would make of it, and its answer.

Two things that an app cannot do by itself it finds in its environment, as it does with a live
server: ``mockgraph.cut()`` breaks the connection, ``mockgraph.sleep(seconds)`` waits, or, where
the client would have given up by then, makes it give up at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from email.utils import formatdate
from typing import Any, TypeVar

from mockgraph.serving.server.answers import WSGIApp
from mockgraph.serving.server.requests import Environ

T = TypeVar("T")

# Statuses whose answers have no content, whatever was meant to be said (RFC 9110, 15).
_WITHOUT_CONTENT = frozenset({204, 304})


class TimedOut(Exception):
    """The answer, or the next piece of it, would come later than the client waits for it."""


class CutOff(Exception):
    """The connection broke before the answer was whole."""


class Exchange:
    """A call under way: :meth:`start` runs the app, :meth:`read` gets the body piece by piece.

    Both raise TimedOut and CutOff, and what the app itself raises. One thread at a time may
    call them; any may call :meth:`close`. ``timeout`` is how long the client waits for the
    headers and for each piece, in seconds, None being for ever. ``is_whole`` tells, once
    started, that the body is there and :meth:`read` returns at once.
    """

    def __init__(self, app: WSGIApp, environ: Environ, timeout: float | None = None):
        self.timeout = timeout
        self.status = 0
        self.reason = ""
        self.headers: list[tuple[str, str]] = []
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
        self._running = threading.Lock()
        self._gone = threading.Event()

    @property
    def length(self) -> int | None:
        """The length of the body in bytes, None where it is not told beforehand."""
        if self.status in _WITHOUT_CONTENT or self._environ["REQUEST_METHOD"] == "HEAD":
            return 0
        return next((int(v) for name, v in self.headers if name.lower() == "content-length"), None)

    def start(self) -> None:
        """Run the app, until the status and the headers are known."""
        self._run(self._start)
        self._check_time()
        if self._is_cut:
            raise CutOff("Server disconnected without sending a response.")

    def read(self) -> bytes:
        """The next piece of the body; nothing at its end."""
        piece = self._run(self._next)
        self._check_time()
        if piece and not self._is_cut and self.length != 0:
            self._received += len(piece)
            return piece
        self._check_length()
        return b""

    def close(self) -> None:
        """The client is gone: nobody waits any more."""
        self._gone.set()
        self._dispose()

    def _check_time(self) -> None:
        if self._is_late:
            raise TimedOut
        self._waited = 0.0

    def _check_length(self) -> None:
        """Raises CutOff where the body ended too early."""
        length, broken = self.length, "Peer closed connection without sending complete message body"
        if length is None and (self._is_cut or self._gone.is_set()):
            raise CutOff(f"{broken} ({self._received} bytes of it).")
        if length is not None and self._received < length:
            raise CutOff(f"{broken} ({self._received} bytes of {length}).")

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
        if self.length is None:
            length = ("Content-Length", str(sum(map(len, self._ready))))
            self.headers.append(length if self.is_whole else ("Transfer-Encoding", "chunked"))

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], _: Any = None
    ) -> Callable[[bytes], Any]:
        code, _, self.reason = status.partition(" ")
        self.status, self.headers = int(code), list(headers)
        if not any(name.lower() == "date" for name, _ in headers):
            self.headers.append(("Date", formatdate(usegmt=True)))
        return self._ready.append

    def _next(self) -> bytes:
        while self._ready:
            if piece := self._ready.pop(0):
                return piece
        return next(filter(None, self._rest), b"")

    def _cut(self) -> None:
        self._is_cut = True

    def _sleep(self, seconds: float) -> None:
        self._waited += seconds
        if self.timeout is not None and self._waited >= self.timeout:
            self._is_late = True
        elif not self._is_late:
            self._gone.wait(seconds)

    # -- threads --------------------------------------------------------------------------

    def _run(self, work: Callable[[], T]) -> T:
        try:
            with self._running:
                return work()
        finally:
            if self._gone.is_set():
                self._dispose()

    def _dispose(self) -> None:
        """Let go of the app's iterable, unless it runs: who runs it comes by here afterwards."""
        if self._running.acquire(blocking=False):
            chunks, self._chunks, self._rest = self._chunks, (), iter(())
            try:
                getattr(chunks, "close", tuple)()
            finally:
                self._running.release()
