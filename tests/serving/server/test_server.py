"""The live server: starting, stopping, connections that stay, requests side by side."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from wire import JSON, TIMEOUT, ask

from mockgraph.errors import MockGraphError
from mockgraph.serving.server import Server

StartResponse = Callable[..., Any]
OK = "200 OK"


def echo(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
    """Answers with the method, the path and the body that it was sent."""
    body = environ["wsgi.input"].read()
    start(OK, [("Content-Type", "text/plain")])
    return [f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} ".encode() + body]


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(echo, max_body=16 * 1024 * 1024)
    server.start()
    yield server
    server.stop()


def test_a_free_port_on_the_loopback(server: Server) -> None:
    assert server.host == "127.0.0.1"
    assert server.port > 0
    assert server.origin == f"http://127.0.0.1:{server.port}"
    assert ask(server.origin, "GET", "/a%20b").body == b"GET /a b "


def test_a_port_in_use_is_named_with_a_way_out(server: Server) -> None:
    with pytest.raises(MockGraphError) as raised:
        Server(echo, port=server.port)
    assert str(raised.value).startswith(f"Cannot listen on 127.0.0.1 port {server.port}: ")
    assert "--port 0" in str(raised.value)


@pytest.mark.parametrize(
    "host",
    ["no.such.host.invalid", "192.0.2.1", "2001:db8::1", "http://localhost", "a..b", "x" * 999, ""],
)
def test_an_address_that_is_not_ours(host: str) -> None:
    with pytest.raises(MockGraphError) as raised:
        Server(echo, host)
    said = str(raised.value)
    assert said.startswith(f"Cannot listen on {host[:100]!r}: ")
    assert "--host" in said
    assert "--port" not in said


@pytest.mark.parametrize("port", [-1, 65536, 10**9])
def test_no_port(port: int) -> None:
    with pytest.raises(MockGraphError, match=f"{port} is no port"):
        Server(echo, port=port)


def has_ipv6() -> bool:
    """Whether this machine has the loopback of IPv6; containers often do not."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 on the loopback here")
def test_over_ipv6() -> None:
    server = Server(echo, "::1")
    assert server.origin == f"http://[::1]:{server.port}"
    server.start()
    server.stop()


def test_a_port_is_free_again_after_a_stop() -> None:
    server = Server(echo)
    server.start()
    assert ask(server.origin, "GET", "/").status == 200
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        ask(server.origin, "GET", "/")
    again = Server(echo, port=server.port)
    again.start()
    assert ask(again.origin, "GET", "/").status == 200
    again.stop()


def test_starting_and_stopping_leaves_no_thread_behind() -> None:
    def cycle() -> None:
        server = Server(echo)
        server.start()
        ask(server.origin, "GET", "/")
        server.stop()

    cycle()
    before = threading.active_count()
    for _ in range(5):
        cycle()
    assert threading.active_count() <= before


def test_two_servers_in_one_process() -> None:
    def named(name: bytes) -> Server:
        def app(_: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
            start(OK, [])
            return [name]

        server = Server(app)
        server.start()
        return server

    one, two = named(b"one"), named(b"two")
    assert ask(one.origin, "GET", "/").body == b"one"
    assert ask(two.origin, "GET", "/").body == b"two"
    one.stop()
    assert ask(two.origin, "GET", "/").body == b"two"
    two.stop()


def test_a_connection_stays_open(server: Server) -> None:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=TIMEOUT)
    connection.connect()
    kept = connection.sock
    for number in range(20):
        connection.request("POST", f"/{number}", b"x" * number)
        answer = connection.getresponse()
        assert answer.read() == f"POST /{number} ".encode() + b"x" * number
        assert connection.sock is kept
    connection.close()


def test_pipelined_requests_are_answered_in_order(server: Server) -> None:
    with socket.create_connection((server.host, server.port), timeout=TIMEOUT) as connection:
        requests = [f"GET /{n} HTTP/1.1\r\nHost: x\r\n\r\n" for n in range(3)]
        connection.sendall("".join(requests).encode())
        received = b""
        while b"GET /2" not in received:
            received += connection.recv(65536)
        assert received.index(b"GET /0") < received.index(b"GET /1") < received.index(b"GET /2")


@pytest.mark.parametrize("pieces", [[b"abc"], [b"a", b"b" * 100_000, b"c"], []])
def test_a_chunked_body(server: Server, pieces: list[bytes]) -> None:
    answer = ask(server.origin, "PATCH", "/", iter(pieces), JSON)
    assert answer.body == b"PATCH / " + b"".join(pieces)


def test_a_large_body_both_ways(server: Server) -> None:
    body = b"x" * (8 * 1024 * 1024)
    assert ask(server.origin, "PUT", "/", body).body == b"PUT / " + body


def test_an_answer_that_is_an_iterator() -> None:
    def app(_: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        start(OK, [("Content-Type", "text/plain")])
        return (piece for piece in (b"one ", b"two"))

    server = Server(app)
    server.start()
    assert ask(server.origin, "GET", "/").body == b"one two"
    server.stop()


class Waiting:
    """An app whose ``/slow`` waits to be let go; all else is answered at once."""

    def __init__(self) -> None:
        self.began, self.release = threading.Event(), threading.Event()

    def __call__(self, environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/slow":
            self.began.set()
            self.release.wait(TIMEOUT)
        start(OK, [])
        return [environ["PATH_INFO"].encode()]


def test_a_request_under_way_is_finished_on_stop() -> None:
    app = Waiting()
    server = Server(app)
    server.start()
    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(ask, server.origin, "GET", "/slow")
        assert app.began.wait(TIMEOUT)
        stopping = pool.submit(server.stop)
        time.sleep(0.2)
        assert not stopping.done()
        app.release.set()
        assert slow.result(TIMEOUT).body == b"/slow"
        stopping.result(TIMEOUT)
    with pytest.raises(ConnectionRefusedError):
        ask(server.origin, "GET", "/quick")


def test_a_stop_does_not_wait_for_idle_connections() -> None:
    server = Server(echo)
    server.start()
    connection = http.client.HTTPConnection(server.host, server.port, timeout=TIMEOUT)
    connection.request("GET", "/")
    connection.getresponse().read()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(server.stop).result(TIMEOUT)
    connection.close()
