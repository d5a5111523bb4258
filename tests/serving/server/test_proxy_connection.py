"""A proxy's connection on its socket, without a server."""

from __future__ import annotations

import gc
import socket
import ssl
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from wire import TIMEOUT

from mockgraph.serving.http1_parser import base_environ
from mockgraph.serving.server.tls_connection import ProxyConnection

from ..proxy import GRAPH, connect_head
from .loops import StillLoop

Ends = tuple[socket.socket, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """The server's and the client's."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.settimeout(TIMEOUT)
    with ours, theirs:
        yield ours, theirs


def connection_on(ends: Ends, context: ssl.SSLContext) -> ProxyConnection:
    return ProxyConnection(ends[0], base_environ("http", "x", 80), StillLoop(), context)


def granted(ends: Ends, context: ssl.SSLContext, extra: str = "") -> ProxyConnection:
    """A connection that was granted a tunnel."""

    def app(environ: dict[str, Any], start: Any) -> list[bytes]:
        environ["mockgraph.tunnel"](GRAPH)
        start("200 OK", [("X-Extra", extra)])
        return []

    connection = connection_on(ends, context)
    ends[1].sendall(connect_head())
    connection.receive()
    assert connection.can_answer
    connection.answer(app, lambda: False)
    connection.flush()
    connection.conclude()
    return connection


class Broken(ssl.SSLContext):
    """TLS that cannot begin, for the peer has gone."""

    def wrap_socket(self, sock: socket.socket, *_: Any, **__: Any) -> ssl.SSLSocket:
        sock.close()
        raise OSError


def test_a_tunnel_that_cannot_begin(ends: Ends) -> None:
    connection = granted(ends, Broken(ssl.PROTOCOL_TLS_SERVER))
    assert connection.is_over
    connection.close()


@pytest.mark.usefixtures("whole_collections")
def test_a_client_that_leaves_before_tls_begins_leaves_no_socket() -> None:
    """A socket that is left unclosed is an error of the test that runs when it is collected."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    connection = ProxyConnection(
        accepted,
        base_environ("http", "x", 80),
        StillLoop(),
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER),
    )
    connection.grant(GRAPH)
    connection.conclude()
    assert connection.is_over
    assert connection.fileno() == -1
    connection.close()
    gc.collect()


def test_a_client_that_has_not_taken_the_answer(ends: Ends) -> None:
    connection = granted(ends, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), "x" * 5_000_000)
    before = connection.parser
    assert not connection.is_over
    while connection.out:
        assert connection.parser is before
        ends[1].recv(1 << 20)
        connection.flush()
    connection.conclude()
    assert connection.parser is not before
    assert not connection.is_over
    connection.close()


def test_a_client_that_says_nothing_and_leaves(ends: Ends) -> None:
    connection = connection_on(ends, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    connection.receive()
    assert connection.is_idle
    ends[1].close()
    connection.receive()
    connection.conclude()
    assert connection.is_over
    connection.close()
