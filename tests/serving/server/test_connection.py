"""A connection on its socket, without a server."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from mockgraph.serving.http1_parser import base_environ
from mockgraph.serving.server.connection import Connection

from .loops import StillLoop


@pytest.fixture
def ends() -> Iterator[tuple[Connection, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    connection = Connection(ours, base_environ("http", "x", 80), StillLoop())
    yield connection, theirs
    connection.close()
    theirs.close()


def test_nothing_has_come(ends: tuple[Connection, socket.socket]) -> None:
    connection, _ = ends
    connection.receive()
    assert connection.is_idle
    assert not connection.parser.ended


def test_what_is_thrown_away(ends: tuple[Connection, socket.socket]) -> None:
    connection, client = ends
    assert not connection.drain()
    client.sendall(b"x" * 1000)
    assert not connection.drain()
    client.close()
    assert connection.drain()


def test_a_socket_that_fails(ends: tuple[Connection, socket.socket]) -> None:
    connection, _ = ends
    connection.close()
    assert connection.drain()
    connection.receive()
    assert connection.parser.ended
    connection.send(b"x")
    connection.flush()
    assert connection.is_cut
    assert connection.is_over


def test_what_a_client_does_not_take_is_kept(ends: tuple[Connection, socket.socket]) -> None:
    connection, client = ends
    sent = bytes(range(256)) * 10_000
    connection.send(sent)
    connection.flush()
    connection.send(b"last")
    connection.flush()
    assert connection.out
    assert not connection.is_idle
    received = b""
    while len(received) < len(sent) + 4:
        received += client.recv(1 << 20)
        connection.flush()
    assert received == sent + b"last"
    assert connection.is_idle


def test_nothing_is_sent_once_it_is_cut(ends: tuple[Connection, socket.socket]) -> None:
    connection, client = ends
    connection.send(b"before")
    connection.flush()
    connection.cut()
    connection.send(b"after")
    connection.flush()
    connection.pour(b"after")
    assert client.recv(100) == b"before"
    assert client.recv(100) == b""


def test_what_is_sent_waits_to_be_flushed(ends: tuple[Connection, socket.socket]) -> None:
    connection, client = ends
    client.settimeout(0)
    connection.send(b"head ")
    connection.send(b"body")
    with pytest.raises(BlockingIOError):
        client.recv(100)
    connection.flush()
    assert client.recv(100) == b"head body"
    connection.pour(b"at once")
    assert client.recv(100) == b"at once"
