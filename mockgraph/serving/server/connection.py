"""One connection: what it has asked, what is still to be sent to it, and how it ends."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress

from mockgraph.serving.server.answers import WSGIApp, answer, refusal
from mockgraph.serving.server.requests import Environ, Requests

PIECE = 64 * 1024  # bytes that are received at a time
_PATIENCE = 60.0  # seconds in which a client must take some of an answer that is poured
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

# Waits so many seconds in the midst of a connection's request, while others are served.
Sleep = Callable[["Connection", float], None]
# Makes a connection of an accepted socket, what its requests' environ begins with, and the rest.
Connect = Callable[[socket.socket, Environ, int, Sleep], "Connection"]


class Connection:
    """An accepted socket, at any moment one thread's alone.

    ``out`` is what the client has not taken yet, ``events`` what the loop waits for, ``used_at``
    when it came or was answered last, by ``time.monotonic``. An app finds in environ
    ``mockgraph.cut``, called to end the connection where it stands, and ``mockgraph.sleep``,
    called with seconds to wait without holding anybody up.
    """

    __slots__ = ("_sleep", "_socket", "events", "is_cut", "keep", "out", "requests", "used_at")

    def __init__(
        self,
        accepted: socket.socket,
        environ: Environ,
        max_body: int,
        sleep: Sleep,
    ):
        self._socket = accepted
        self._sleep = sleep
        self.requests = self._requests(environ, max_body)
        self.out: bytes | memoryview = b""
        self.events = 0
        self.used_at = time.monotonic()
        self.keep = True
        self.is_cut = False

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way."""
        return not (self.requests.under_way or self.requests.ready or self.out)

    @property
    def is_sent_to(self) -> bool:
        """Whether something has come that was not received yet."""
        try:
            # Of the socket itself: TLS cannot look ahead.
            return bool(socket.socket.recv(self._socket, 1, socket.MSG_PEEK))
        except OSError:
            return False

    @property
    def can_answer(self) -> bool:
        """Whether there is a request to answer, and the answers before it are taken."""
        return bool(self.requests.ready) and self.keep and not self.out and not self.is_cut

    @property
    def is_over(self) -> bool:
        """Whether all that is to be said is said, or nobody is there to hear it."""
        return self.is_cut or (not self.keep and not self.out)

    def receive(self) -> None:
        """Take what the client has sent."""
        try:
            data = self._receive()
        except OSError:
            data = b""  # it was reset: as good as its end
        if data is None:
            return
        if not data:
            self.requests.end()
            return
        self.requests.feed(data)
        if self.requests.waits:
            self.requests.waits = False
            self.send(_CONTINUE)

    def answer(self, app: WSGIApp, is_last: Callable[[], bool]) -> None:
        """Let the app answer the next request."""
        request = self.requests.ready.popleft()
        if not answer(app, request, self, is_last):
            self.keep = False

    def conclude(self) -> None:
        """After the last answer, refuse what is no request, and take note of the end."""
        if self.keep and not self.out and self.requests.ended:
            self.keep = False
            if self.requests.refusal is not None:
                self.send(refusal(self.requests.refusal))

    def send(self, data: bytes) -> None:
        """Send what the client takes now; the rest is ``out``."""
        self.out = bytes(self.out) + data if self.out else data
        self.flush()

    def flush(self) -> None:
        """Send of ``out`` what the client takes now."""
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
        """Send all of this, however slowly the client takes it."""
        self.send(data)
        if not self.out:
            return
        self._socket.settimeout(_PATIENCE)
        while self.out:
            self.flush()
        if not self.is_cut:
            self._socket.setblocking(False)

    def sleep(self, seconds: float) -> None:
        """Wait, while others are served; a server that stops ends it."""
        self._sleep(self, seconds)

    def cut(self) -> None:
        """End the connection where it stands. Any thread may call it."""
        self.is_cut = True
        # Of the socket itself: TLS would say goodbye.
        with suppress(OSError):
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def finish(self) -> None:
        """Send no more, but leave it to the client to close: it may not have read all yet."""
        with suppress(OSError):
            socket.socket.shutdown(self._socket, socket.SHUT_WR)

    def drain(self) -> bool:
        """Throw away what a finished client still sends; whether it has ended."""
        try:
            return not socket.socket.recv(self._socket, PIECE)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def close(self) -> None:
        self.out = b""
        self._socket.close()
        self.requests.forget()

    def _requests(self, environ: Environ, max_body: int) -> Requests:
        environ["mockgraph.cut"] = self.cut
        environ["mockgraph.sleep"] = self.sleep
        return Requests(environ, max_body)

    def _receive(self) -> bytes | None:
        """What has come, empty at its end, None where nothing has. Raises OSError."""
        try:
            return self._socket.recv(PIECE)
        except BlockingIOError:
            return None

    def _send(self, data: bytes | memoryview) -> int:
        """Send some of this and say how much. Raises OSError."""
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0
