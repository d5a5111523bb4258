"""The patch of aiohttp.

The connector hands out a connection whose transport leads to an endpoint; aiohttp writes to it
and parses what it gets, as over a socket.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import ModuleType
from typing import TYPE_CHECKING, Any

from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection

from mockgraph.serving.transports.call import TimedOut
from mockgraph.serving.transports.endpoint import PORTS, Peer
from mockgraph.serving.transports.http1 import Conversation
from mockgraph.serving.transports.patches import Attempt

if TYPE_CHECKING:
    from mockgraph.serving.transports.patches import Patches

__tracebackhide__ = True  # pytest shows the frames of the client, not those in between


_AT_ONCE = 1e-9  # seconds
_LOOK = 1.0  # seconds after which a thread looks whether the client's loop has ended


def patch(module: ModuleType, patches: Patches) -> None:
    """Intercept calls that are made through aiohttp's TCP connections."""
    connect: Callable[..., Awaitable[Connection]] = module.TCPConnector.connect

    async def routed(connector: Any, request: Any, traces: Any, timeout: Any) -> Connection:
        url = request.url
        peer = Peer(url.scheme, url.raw_host or "", url.port or PORTS["http"])
        shown = peer.url(url.raw_path_qs)
        endpoint = patches.route(Attempt(peer.host, f"{request.method} {shown}"))
        if endpoint is None:
            with patches.passing():
                return await connect(connector, request, traces, timeout)
        waits = [each for each in (timeout.sock_read, timeout.total) if each]
        conversation = Conversation(endpoint, peer)
        conversation.timeout = min(waits, default=None)
        loop = asyncio.get_running_loop()
        protocol = ResponseHandler(loop)
        protocol.force_close()  # the next request gets a connection of its own
        protocol.connection_made(AiohttpTransport(protocol, conversation))
        return Connection(connector, request.connection_key, protocol, loop)

    patches.replace(module.TCPConnector, "connect", routed)


class AiohttpTransport(asyncio.Transport):
    """A transport that aiohttp takes for a connection, for one request and its response.

    The app runs in a thread of its own, so that other tasks run on while it waits.
    """

    def __init__(self, protocol: ResponseHandler, conversation: Conversation):
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._protocol = protocol
        self._conversation = conversation
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._is_closing = self._is_paused = False
        self._may_go_on = threading.Event()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        with suppress(BrokenPipeError):
            self._conversation.send(bytes(data))
        if self._conversation.has_interim:
            self._loop.call_soon(self._protocol.data_received, self._conversation.receive())
        if self._conversation.is_complete and self._thread.ident is None:
            self._thread.start()

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        self._is_paused = True

    def resume_reading(self) -> None:
        self._is_paused = False
        self._may_go_on.set()

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        self._lose(None)

    def abort(self) -> None:
        self._lose(None)

    def _deliver(self, data: bytes) -> None:
        self._protocol.data_received(data)
        if not self._is_paused:
            self._may_go_on.set()

    def _lose(self, error: BaseException | None) -> None:
        if not self._is_closing:
            self._is_closing = True
            self._conversation.close()
            self._may_go_on.set()
            self._loop.call_soon(self._protocol.connection_lost, error)

    # -- in the thread --------------------------------------------------------------------

    def _answer(self) -> None:
        conversation = self._conversation
        try:
            while data := conversation.receive():
                self._may_go_on.clear()
                self._in_loop(self._deliver, data)
                self._await_reader()
            if conversation.was_cut:
                self._in_loop(self._lose, None)
        except TimedOut:
            self._in_loop(self._time_out)
        except BaseException as error:
            self._in_loop(self._lose, error)

    def _await_reader(self) -> None:
        """Wait until the client takes more, or its loop has ended."""
        while not self._may_go_on.wait(_LOOK):
            if self._loop.is_closed():
                self._conversation.close()
                return

    def _in_loop(self, function: Callable[..., object], *arguments: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits for the answer
            self._loop.call_soon_threadsafe(function, *arguments)

    def _time_out(self) -> None:
        """Have aiohttp's own timer run out."""
        self._protocol.read_timeout = _AT_ONCE
        self._protocol.start_timeout()
