"""HTTP/1.1 as bytes, for clients that write to a connection and read from it (RFC 9112)."""

from __future__ import annotations

from collections.abc import Iterator

from mockgraph.serving.transports.endpoint import Endpoint, Peer
from mockgraph.serving.transports.exchange import CutOff, Exchange, TimedOut

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Conversation:
    """One request and its answer, as the bytes that go over a connection.

    ``timeout`` is how long the client waits for the next bytes, in seconds, None being for ever;
    ``was_cut`` tells that the answer broke off.
    """

    def __init__(self, endpoint: Endpoint, peer: Peer):
        self.timeout: float | None = None
        self.was_cut = False
        self._endpoint = endpoint
        self._requests = endpoint.requests(peer)
        self._exchange: Exchange | None = None
        self._answer: Iterator[bytes] | None = None
        self._is_closed = False

    @property
    def is_complete(self) -> bool:
        """Whether the request has been sent whole, or as much of it as is looked at."""
        return bool(self._requests.ready) or self._requests.ended

    @property
    def has_interim(self) -> bool:
        """Whether the client waits to be told to go on, which :meth:`receive` does."""
        return self._requests.waits

    def send(self, data: bytes) -> None:
        """Take bytes of the request. Raises BrokenPipeError where no more are looked at."""
        if self._requests.abandoned:
            raise BrokenPipeError("The request was refused before it was complete.")
        self._requests.feed(data)

    def receive(self) -> bytes:
        """The next bytes of the answer, none where the connection ends.

        Raises TimedOut where they would come too late, or never, for want of the rest of the
        request.
        """
        if self._requests.waits:
            self._requests.waits = False
            return _CONTINUE
        if self._answer is None:
            if not self.is_complete:
                raise TimedOut
            self._exchange = self._endpoint.exchange(self._requests, self.timeout)
            self._answer = _answered(self._exchange)
            if self._is_closed:
                self._exchange.close()
        elif self._exchange is not None:
            self._exchange.timeout = self.timeout
        try:
            return next(self._answer, b"")
        except CutOff:
            self.was_cut = True
            return b""

    def close(self) -> None:
        """The client reads no more. Any thread may say so."""
        self._is_closed = True
        if self._exchange is not None:
            self._exchange.close()


def _answered(exchange: Exchange) -> Iterator[bytes]:
    exchange.start()
    lines = [f"HTTP/1.1 {exchange.status} {exchange.reason}"]
    lines += [f"{name}: {value}" for name, value in exchange.headers]
    yield "\r\n".join([*lines, "", ""]).encode("latin-1")
    is_chunked = exchange.length is None
    while piece := exchange.read():
        yield b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece
    if is_chunked:
        yield b"0\r\n\r\n"
