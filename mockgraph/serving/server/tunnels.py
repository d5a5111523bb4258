"""A connection to a proxy: in the clear until it is granted a tunnel, in TLS within it.

Nothing is passed on to anybody: who answers in the tunnel is the app. Proxies that there are
were tried for it and left: proxy.py 2.4 makes a TLS handshake while all others wait, calls
openssl to make certificates and keeps processes of its own; mitmproxy brings 30 packages with it
and holds Flask and cryptography back to releases of years ago.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress

from mockgraph.serving.server.connection import PIECE, Connect, Connection, Sleep
from mockgraph.serving.server.requests import Environ, environ_of
from mockgraph.serving.server.secure import SecureConnection, secured


def connector(context: ssl.SSLContext) -> Connect:
    """What makes connections to a proxy of accepted sockets."""

    def connect(
        accepted: socket.socket, environ: Environ, max_body: int, sleep: Sleep
    ) -> ProxyConnection:
        return ProxyConnection(accepted, environ, max_body, sleep, context)

    return connect


class ProxyConnection(SecureConnection):
    """A connection whose client takes it for one to a proxy.

    In environ an app finds ``mockgraph.proxied``: the host that the tunnel is to, empty outside
    of one. There, ``mockgraph.tunnel`` is called with a host to grant a tunnel to it, before a
    CONNECT is answered with 200.
    """

    __slots__ = ("_context", "_environ", "_granted", "_in_tunnel", "_max_body", "_peeked")

    def __init__(
        self,
        accepted: socket.socket,
        environ: Environ,
        max_body: int,
        sleep: Sleep,
        context: ssl.SSLContext,
    ):
        self._environ = environ
        self._max_body = max_body
        self._context = context
        self._granted = ""
        self._in_tunnel = False
        self._peeked = 0
        outside = {**environ, "mockgraph.proxied": "", "mockgraph.tunnel": self.grant}
        super().__init__(accepted, outside, max_body, sleep)

    def grant(self, host: str) -> None:
        """Have the tunnel begin once the client has taken the answer to its CONNECT."""
        self._granted = host

    def receive(self) -> None:
        super().receive()
        if self._peeked:
            with suppress(OSError):  # it was reset: the next look will tell
                self._socket.recv(self._peeked - self.requests.beyond)
            self._peeked = 0

    def conclude(self) -> None:
        if self._granted and not self.out and not self.is_cut:
            self._enter(self._granted)
        else:
            super().conclude()

    def close(self) -> None:
        if self._in_tunnel:
            super().close()
        else:
            Connection.close(self)

    def _enter(self, host: str) -> None:
        self._granted = ""
        try:
            self._socket = secured(self._socket, self._context)
        except (OSError, ValueError):  # it has gone meanwhile
            self.cut()
            return
        self._in_tunnel = True
        inside = {**self._environ, **environ_of("https", host, 443), "mockgraph.proxied": host}
        self.requests = self._requests(inside, self._max_body)
        self.keep = True

    def _receive(self) -> bytes | None:
        if self._in_tunnel:
            return super()._receive()
        # What follows a CONNECT is left where it is, for TLS to read.
        try:
            data = self._socket.recv(PIECE, socket.MSG_PEEK)
        except BlockingIOError:
            return None
        self._peeked = len(data)
        return data

    def _send(self, data: bytes | memoryview) -> int:
        return super()._send(data) if self._in_tunnel else Connection._send(self, data)
