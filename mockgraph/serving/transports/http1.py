"""HTTP/1.1 as bytes, for clients that write to a connection and read from it (RFC 9112)."""

from __future__ import annotations

from collections.abc import Iterator

from mockgraph.serving.http1_writer import CONTINUE, chunk, head
from mockgraph.serving.transports.call import Call, ConnectionBroken, TimedOut
from mockgraph.serving.transports.endpoint import Endpoint, Peer


class Conversation:
    """A request and its response, as the bytes that go over a connection.

    ``timeout`` is how many seconds the client waits for the next bytes, None being for ever;
    ``was_cut`` is true once the response broke off.
    """

    def __init__(self, endpoint: Endpoint, peer: Peer):
        self.timeout: float | None = None
        self.was_cut = False
        self._endpoint = endpoint
        self._parser = endpoint.parser(peer)
        self._call: Call | None = None
        self._rest: Iterator[bytes] = iter(())
        self._is_closed = False

    @property
    def is_complete(self) -> bool:
        """Whether the request has been sent to its end, or to where it is refused."""
        return bool(self._parser.ready) or self._parser.ended

    @property
    def is_over(self) -> bool:
        """Whether nothing comes behind what was received."""
        return self.was_cut or (self._call is not None and self._call.is_over)

    @property
    def has_interim(self) -> bool:
        """Whether the client waits for ``100 Continue``, which :meth:`receive` returns next."""
        return self._parser.waits

    def send(self, data: bytes) -> None:
        """Parse bytes of the request. Raises BrokenPipeError once it is refused."""
        if self._parser.abandoned:
            raise BrokenPipeError("The request was refused before it was complete.")
        self._parser.feed(data)

    def receive(self) -> bytes:
        """Return the next bytes of the response, none where the connection ends.

        Raises TimedOut where they would come too late, or never, because the rest of the
        request is missing.
        """
        if self._parser.waits:
            self._parser.waits = False
            return CONTINUE
        call = self._call
        try:
            if call is None:
                return self._begin()
            call.timeout = self.timeout
            return next(self._rest, b"")
        except ConnectionBroken:
            self.was_cut = True
            return b""

    def _begin(self) -> bytes:
        """Have the call answered, and return what is there at once: the head, or all of it."""
        if not self.is_complete:
            raise TimedOut
        call = self._call = self._endpoint.call(self._parser, self.timeout)
        if self._is_closed:
            call.close()
        call.start()
        begun = head(f"HTTP/1.1 {call.status} {call.reason}", call.headers)
        body = call.take()
        if body is not None:
            return begun + body
        self._rest = _pieces(call)
        return begun

    def close(self) -> None:
        """Take note that the client reads no more. Any thread may call it."""
        self._is_closed = True
        if self._call is not None:
            self._call.close()


def _pieces(call: Call) -> Iterator[bytes]:
    """Return the pieces of a body as they are sent."""
    is_chunked = call.length is None
    while piece := call.read():
        yield chunk(piece) if is_chunked else piece
    if is_chunked:
        yield chunk(b"")
