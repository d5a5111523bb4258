"""Connections in TLS: https, and the tunnels of a proxy.

A handshake is made as its data come in, so a client that stalls in it holds up no other.
Nothing that comes through a tunnel is passed on: the app answers. Existing proxies were tried
for this and left: proxy.py 2.4 makes a TLS handshake while all others wait, calls openssl to
make certificates and keeps processes of its own; mitmproxy brings 30 packages and holds Flask
and cryptography back to releases of years ago.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from typing import Any

from mockgraph.errors import BadRequest
from mockgraph.serving.http1_parser import base_environ
from mockgraph.serving.http1_writer import refusal_message
from mockgraph.serving.server.connection import RECEIVED, Connect, Connection, Loop
from mockgraph.wsgi import Environ

_NOTHING_YET = (ssl.SSLWantReadError, ssl.SSLWantWriteError)


def tls_connect(context: ssl.SSLContext) -> Connect:
    """Return what makes connections in TLS of accepted sockets."""

    def connect(accepted: socket.socket, environ: Environ, loop: Loop) -> TLSConnection:
        return TLSConnection(_wrapped(accepted, context), environ, loop)

    return connect


def proxy_connect(context: ssl.SSLContext) -> Connect:
    """Return what makes connections to a proxy of accepted sockets."""

    def connect(accepted: socket.socket, environ: Environ, loop: Loop) -> ProxyConnection:
        return ProxyConnection(accepted, environ, loop, context)

    return connect


class TLSConnection(Connection):
    """A connection whose socket is a non-blocking ``ssl.SSLSocket``."""

    __slots__ = ()

    def close(self) -> None:
        assert isinstance(self._socket, ssl.SSLSocket)
        if not self.is_cut:
            with suppress(OSError, ValueError):  # close_notify, as far as it can be sent
                self._socket.unwrap()
        super().close()

    def _receive(self) -> bytes | None:
        try:
            return self._socket.recv(RECEIVED)
        except _NOTHING_YET:
            return None
        except ssl.SSLError as error:
            if error.reason == "HTTP_REQUEST":
                plain = refusal_message(BadRequest("This port speaks https, and was sent http."))
                with suppress(OSError):
                    socket.socket.send(self._socket, plain)
                    # What is left unread would make the close a reset.
                    socket.socket.recv(self._socket, RECEIVED)
            raise

    def _send(self, data: bytes | memoryview) -> int:
        try:
            return self._socket.send(data)
        except _NOTHING_YET:
            return 0


class ProxyConnection(TLSConnection):
    """A connection to a proxy: in the clear until it is granted a tunnel, in TLS within it.

    In environ an app finds ``mockgraph.proxied``: the host that the tunnel is to, empty outside
    of one. Outside, it calls ``mockgraph.tunnel`` with a host to grant a tunnel to it, before it
    answers a CONNECT with 200.
    """

    __slots__ = ("_context", "_environ", "_granted", "_in_tunnel", "_peeked")

    def __init__(
        self,
        accepted: socket.socket,
        environ: Environ,
        loop: Loop,
        context: ssl.SSLContext,
    ):
        self._environ = environ
        self._context = context
        self._granted = ""
        self._in_tunnel = False
        self._peeked = 0
        outside = {**environ, "mockgraph.proxied": "", "mockgraph.tunnel": self.grant}
        super().__init__(accepted, outside, loop)

    def grant(self, host: str) -> None:
        """Begin a tunnel as soon as the client has taken the response to its CONNECT."""
        self._granted = host

    def receive(self) -> None:
        super().receive()
        if self._peeked:
            with suppress(OSError):  # it was reset: the next receive will tell
                self._socket.recv(self._peeked - self.parser.beyond)
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
            self._socket = _wrapped(self._socket, self._context)
        except (OSError, ValueError):  # it has gone meanwhile
            self.cut()
            return
        self._in_tunnel = True
        inside = {**self._environ, **base_environ("https", host, 443), "mockgraph.proxied": host}
        self.parser = self._new_parser(inside)
        self.keep = True

    def _receive(self) -> bytes | None:
        if self._in_tunnel:
            return super()._receive()
        # What follows a CONNECT is left where it is, for TLS to read.
        try:
            data = self._socket.recv(RECEIVED, socket.MSG_PEEK)
        except BlockingIOError:
            return None
        self._peeked = len(data)
        return data

    def _send(self, data: bytes | memoryview) -> int:
        return super()._send(data) if self._in_tunnel else Connection._send(self, data)


class _ServerSocket(ssl.SSLSocket):
    """A socket that is closed where its client left before TLS could begin; ssl leaks it."""

    def getpeername(self) -> Any:
        try:
            return super().getpeername()
        except OSError:
            self.close()
            raise


def _wrapped(accepted: socket.socket, context: ssl.SSLContext) -> ssl.SSLSocket:
    """Return a socket that speaks TLS from now on, its handshake still to come. Raises OSError."""
    context.sslsocket_class = _ServerSocket
    return context.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False)
