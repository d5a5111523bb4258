"""A connection over TLS. The handshake is made as data come in: who stalls, stalls alone."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress

from mockgraph.errors import BadRequest
from mockgraph.server.answers import refusal
from mockgraph.server.connection import PIECE, Connection

_NOTHING_YET = (ssl.SSLWantReadError, ssl.SSLWantWriteError)


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
