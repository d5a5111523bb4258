"""A listening socket, bound before anything is served, and the connections that it accepts."""

from __future__ import annotations

import errno
import os
import socket
from typing import Any

from mockgraph.errors import MockGraphError
from mockgraph.serving.http1_parser import base_environ
from mockgraph.serving.server.connection import Connect, Connection, Loop

_BACKLOG = 1024
_SHOWN = 100  # characters of a host that cannot be had, in the message
_OF_THE_HOST = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


class Listener:
    """A listening socket for a host and port, port 0 being any free one.

    ``connect`` makes connections of accepted sockets. Raises MockGraphError where the address
    cannot be had; the message names ``option`` as the way to choose another port.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        option: str = "--port",
        scheme: str = "http",
        connect: Connect = Connection,
    ):
        self._socket = _listen(host, port, option)
        self._connect = connect
        self.host = host
        self.port: int = self._socket.getsockname()[1]
        self.scheme = scheme
        self._environ = base_environ(scheme, host, self.port)

    @property
    def origin(self) -> str:
        """The base URL, ``SCHEME://HOST:PORT``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    def fileno(self) -> int:
        return self._socket.fileno()

    def accept(self, loop: Loop) -> Connection:
        """Return the next connection. Raises OSError, BlockingIOError where none has come."""
        accepted, peer = self._socket.accept()
        accepted.setblocking(False)
        # Without it the second packet of a response waits for an ACK.
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        environ = {**self._environ, "REMOTE_ADDR": peer[0], "REMOTE_PORT": str(peer[1])}
        return self._connect(accepted, environ, loop)

    def close(self) -> None:
        """Let go of the port."""
        self._socket.close()


def _listen(host: str, port: int, option: str) -> socket.socket:
    if not 0 <= port <= 65535:
        raise MockGraphError(f"{port} is no port: ports go from 0 to 65535.")
    address, family = _resolve(host, port)
    try:
        listener = socket.create_server(address, family=family, backlog=_BACKLOG)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        if error.errno in _OF_THE_HOST:
            raise _bad_host(host, reason) from error
        raise MockGraphError(
            f"Cannot listen on {host} port {port}: {reason}. "
            f"Choose another with {option}, or {option} 0 for any free one."
        ) from error
    listener.setblocking(False)
    return listener


def _resolve(host: str, port: int) -> tuple[Any, socket.AddressFamily]:
    """Return the address of a host, which is IPv6 where it is written so, and its family."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
    except OSError as error:
        raise _bad_host(host, error.strerror or str(error)) from error
    except ValueError as error:  # a text that IDNA does not encode
        raise _bad_host(host, "it is no host name") from error
    return found[0][4], family


def _bad_host(host: str, reason: str) -> MockGraphError:
    return MockGraphError(
        f"Cannot listen on {host[:_SHOWN]!r}: {reason}. Choose an address of this machine with "
        "--host, such as 127.0.0.1 or localhost."
    )
