"""Connections that an app cuts: before the answer, in the middle of it, after it."""

from __future__ import annotations

import http.client
import select
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpx
import pytest
import requests
from wire import TIMEOUT, ask

from mockgraph.serving.server import Server

StartResponse = Callable[..., Any]


def cutting(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
    """Cuts where its path says."""
    cut = environ["mockgraph.cut"]
    match environ["PATH_INFO"]:
        case "/before":
            cut()
        case "/slowly":
            environ["mockgraph.sleep"](0)
            cut()
        case "/head":
            start("200 OK", [("Content-Length", "10")])
            return cut_after(cut)
        case "/middle":
            start("200 OK", [("Content-Length", "10")])
            return cut_after(cut, b"four")
        case "/chunks":
            start("200 OK", [])
            return cut_after(cut, b"four")
        case "/after":
            start("200 OK", [("Content-Length", "4")])
            return cut_after(cut, b"four")
        case "/elsewhere":
            thread = threading.Thread(target=cut)
            thread.start()
            thread.join()
    start("200 OK", [])
    return [b"whole"]


def cut_after(cut: Callable[[], None], *pieces: bytes) -> Iterator[bytes]:
    yield from pieces
    cut()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(cutting)
    server.start()
    yield server
    server.stop()


def received(server: Server, path: str) -> bytes:
    """All that comes until the connection ends."""
    with socket.create_connection((server.host, server.port), timeout=TIMEOUT) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        data = b""
        while piece := connection.recv(65536):
            data += piece
        return data


@pytest.mark.parametrize("path", ["/before", "/slowly", "/elsewhere", "/head"])
def test_before_the_answer(server: Server, path: str) -> None:
    assert received(server, path) == b""
    with pytest.raises(http.client.RemoteDisconnected):
        ask(server.origin, "GET", path)
    with pytest.raises(requests.ConnectionError):
        requests.get(server.origin + path, timeout=TIMEOUT)
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(server.origin + path, timeout=TIMEOUT)


@pytest.mark.parametrize("path", ["/middle", "/chunks"])
def test_in_the_middle(server: Server, path: str) -> None:
    head, _, body = received(server, path).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert body.removeprefix(b"4\r\n").removesuffix(b"\r\n") == b"four"
    with pytest.raises(http.client.IncompleteRead):
        ask(server.origin, "GET", path)
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        requests.get(server.origin + path, timeout=TIMEOUT)
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(server.origin + path, timeout=TIMEOUT)


def test_after_the_answer(server: Server) -> None:
    assert received(server, "/after").endswith(b"\r\n\r\nfour")
    assert requests.get(f"{server.origin}/after", timeout=TIMEOUT).text == "four"
    with httpx.Client(timeout=TIMEOUT) as client:
        answer = client.get(f"{server.origin}/after")
        assert answer.text == "four"
        # Who asks before the end has come in asks in vain, as over any stale connection.
        connection = answer.extensions["network_stream"].get_extra_info("socket")
        is_closed = connection.fileno() < 0
        assert is_closed or select.select([connection], [], [], TIMEOUT)[0]
        assert client.get(f"{server.origin}/whole").text == "whole"


@pytest.mark.parametrize("path", ["/before", "/middle", "/after", "/slowly"])
def test_other_connections_go_on(server: Server, path: str) -> None:
    other = http.client.HTTPConnection(server.host, server.port, timeout=TIMEOUT)
    other.connect()
    kept = other.sock
    for _ in range(3):
        received(server, path)
        other.request("GET", "/whole")
        assert other.getresponse().read() == b"whole"
        assert other.sock is kept
    other.close()


def test_requests_behind_are_lost(server: Server) -> None:
    with socket.create_connection((server.host, server.port), timeout=TIMEOUT) as connection:
        asked = [
            f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n" for path in ("/whole", "/before", "/whole")
        ]
        connection.sendall("".join(asked).encode())
        data = b""
        while piece := connection.recv(65536):
            data += piece
    assert data.count(b"HTTP/1.1 200 OK") == 1
