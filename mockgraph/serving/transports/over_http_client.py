"""The patch of http.client, and of what is built on it: urllib.request, urllib3, requests.

The connection gets an object that it takes for its socket. All else is http.client's own work,
as over a real one: parsing, streaming, timeouts, broken connections.
"""

from __future__ import annotations

import io
import socket
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mockgraph.serving.transports.call import TimedOut
from mockgraph.serving.transports.endpoint import PORTS, Endpoint, Peer
from mockgraph.serving.transports.http1 import Conversation
from mockgraph.serving.transports.patches import Attempt

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

    from mockgraph.serving.transports.patches import Patches

__tracebackhide__ = True  # pytest shows the frames of the client, not those in between


class Socket:
    """The part of a socket that http.client needs, for one request and its response."""

    def __init__(self, endpoint: Endpoint, peer: Peer, timeout: float | None):
        self._conversation = Conversation(endpoint, peer)
        self.settimeout(timeout)

    def settimeout(self, timeout: float | None) -> None:
        self._conversation.timeout = timeout

    def sendall(self, data: ReadableBuffer) -> None:
        self._conversation.send(bytes(memoryview(data)))

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        """Return the response as a file, of what is in memory where all of it is there at once."""
        conversation = self._conversation
        try:
            begun = _received(conversation)
        except BaseException:
            conversation.close()
            raise
        if not conversation.is_over:
            return io.BufferedReader(_Received(conversation, begun))
        conversation.close()
        return io.BufferedReader(io.BytesIO(begun))

    def shutdown(self, how: int) -> None:
        """Break off a response under way, from another thread, as urllib3 offers it."""
        del how
        self._conversation.close()

    def close(self) -> None:
        """Do nothing: a response is read on, as from the file of a closed socket."""


def _received(conversation: Conversation) -> bytes:
    """Return the next bytes of a response. Raises TimeoutError, as a socket does."""
    try:
        return conversation.receive()
    except TimedOut:
        raise TimeoutError("timed out") from None


class _Received(io.RawIOBase):
    """The bytes of a response, of which the first are there, as a raw stream."""

    def __init__(self, conversation: Conversation, begun: bytes):
        self._conversation = conversation
        self._left = memoryview(begun)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        if not self._left:
            self._left = memoryview(_received(self._conversation))
        taken = memoryview(buffer).cast("B")
        size = min(len(taken), len(self._left))
        taken[:size] = self._left[:size]
        self._left = self._left[size:]
        return size

    def close(self) -> None:
        super().close()
        self._conversation.close()


def attach(connection: Any, endpoint: Endpoint, peer: Peer) -> None:
    """Connect a connection to an endpoint."""
    timeout = connection.timeout
    if timeout is not None and not isinstance(timeout, (int, float)):
        timeout = socket.getdefaulttimeout()  # http.client's object for "not given"
    connection.sock = Socket(endpoint, peer, timeout)
    # urllib3's: that no warning is due, and that an error from now on is none of a proxy.
    connection.is_verified = connection._has_connected_to_proxy = True


def detach(connection: Any) -> None:
    """Disconnect a connection whose response is under way: the next request makes a new one."""
    if is_attached(connection):
        connection.sock = None


def is_attached(connection: Any) -> bool:
    """Return whether a connection leads to an endpoint."""
    return isinstance(connection.sock, Socket)


def peer_of(connection: Any) -> Peer:
    """Return the peer that a connection is for, also where it leads to a proxy."""
    scheme = "https" if connection.default_port == PORTS["https"] else "http"
    if connection._tunnel_host:
        return Peer(scheme, connection._tunnel_host, connection._tunnel_port)
    return Peer(scheme, connection.host, connection.port)


def addressed(url: str, peer: Peer) -> Peer:
    """Return the peer that a request is for: of its URL where it is whole, as for a proxy."""
    if url.startswith("/"):
        return peer
    parts = urlsplit(url)
    if parts.hostname is None:
        return peer
    return Peer(parts.scheme, parts.hostname, parts.port or PORTS.get(parts.scheme, peer.port))


def patch_connect(owner: Any, patches: Patches) -> None:
    """Intercept a connection that is made before there is a request."""
    connect = owner.connect

    def routed_connect(connection: Any) -> None:
        peer = peer_of(connection)
        endpoint = patches.route(Attempt(peer.host, f"a call to {peer.host} port {peer.port}"))
        if endpoint is None:
            with patches.passing():
                connect(connection)
        else:
            attach(connection, endpoint, peer)

    patches.replace(owner, "connect", routed_connect)


def patch(module: ModuleType, patches: Patches) -> None:
    """Intercept calls that are made through http.client."""
    putrequest = module.HTTPConnection.putrequest
    getresponse = module.HTTPConnection.getresponse

    def routed_putrequest(
        connection: Any, method: str, url: str, *args: Any, **options: Any
    ) -> None:
        if not is_attached(connection):
            peer = addressed(url, peer_of(connection))
            endpoint = patches.route(Attempt(peer.host, f"{method} {peer.url(url)}"))
            if endpoint is not None:
                if connection.sock is not None:
                    connection.sock.close()
                attach(connection, endpoint, peer)
        putrequest(connection, method, url, *args, **options)

    def routed_getresponse(connection: Any) -> Any:
        response = getresponse(connection)
        detach(connection)
        return response

    patches.replace(module.HTTPConnection, "putrequest", routed_putrequest)
    patches.replace(module.HTTPConnection, "getresponse", routed_getresponse)
    patch_connect(module.HTTPConnection, patches)
    patch_connect(module.HTTPSConnection, patches)
