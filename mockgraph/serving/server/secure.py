"""A connection over TLS. The handshake is made as data come in: who stalls, stalls alone."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress

from mockgraph.errors import BadRequest
from mockgraph.serving.server.answers import refusal
from mockgraph.serving.server.connection import PIECE, Connect, Connection, Sleep
from mockgraph.serving.server.requests import Environ

_NOTHING_YET = (ssl.SSLWantReadError, ssl.SSLWantWriteError)


def secured(accepted: socket.socket, context: ssl.SSLContext) -> ssl.SSLSocket:
    """A socket in TLS from now on, whose handshake is still to be made. Raises OSError."""
    return context.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False)


def connector(context: ssl.SSLContext) -> Connect:
    """What makes secure connections of accepted sockets."""

    def connect(
        accepted: socket.socket, environ: Environ, max_body: int, sleep: Sleep
    ) -> SecureConnection:
        return SecureConnection(secured(accepted, context), environ, max_body, sleep)

    return connect


class SecureConnection(Connection):
    """A connection whose socket is an ``ssl.SSLSocket`` that waits for nothing."""

    __slots__ = ()

    def close(self) -> None:
        assert isinstance(self._socket, ssl.SSLSocket)
        if not self.is_cut:
            with suppress(OSError, ValueError):  # goodbye, as far as it can be said
                self._socket.unwrap()
        super().close()

    def _receive(self) -> bytes | None:
        try:
            return self._socket.recv(PIECE)
        except _NOTHING_YET:
            return None
        except ssl.SSLError as error:
            if error.reason == "HTTP_REQUEST":
                plain = refusal(BadRequest("This port speaks https, and was sent http."))
                with suppress(OSError):
                    socket.socket.send(self._socket, plain)
                    socket.socket.recv(self._socket, PIECE)  # left unread, it would be a reset
            raise

    def _send(self, data: bytes | memoryview) -> int:
        try:
            return self._socket.send(data)
        except _NOTHING_YET:
            return 0
