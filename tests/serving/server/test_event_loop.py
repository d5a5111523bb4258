"""Requests and clients that take their time, and what they must not do to others."""

from __future__ import annotations

import errno
import http.client
import logging
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from wire import TIMEOUT, Answer, ask

from mockgraph.serving import server as server_module
from mockgraph.serving.http1_parser import MAX_HEADERS, RequestParser
from mockgraph.serving.server import Server, event_loop, keep_alive
from mockgraph.serving.server.listener import Listener

StartResponse = Callable[..., Any]
Environ = dict[str, Any]
LARGE = 8 * 1024 * 1024


class App:
    """Answers at once, but for paths that stand for what an app may do to a server."""

    def __init__(self) -> None:
        self.began, self.release = threading.Event(), threading.Event()
        self.together = threading.Barrier(1)

    def __call__(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        start("200 OK", [("Content-Type", "text/plain")])
        match path:
            case "/blocks":
                self.began.set()
                self.release.wait(TIMEOUT)
            case "/computes":
                self.began.set()
                while not self.release.is_set():
                    sum(range(1000))
            case "/sleeps":
                self.began.set()
                environ["mockgraph.sleep"](TIMEOUT)
            case "/meets":
                self.together.wait(TIMEOUT)
            case "/meets-asleep":
                environ["mockgraph.sleep"](0)
                self.together.wait(TIMEOUT)
            case "/trickles":
                return self._trickle()
            case "/large":
                return [bytes(LARGE)]
            case "/pours":
                return (bytes(LARGE // 8) for _ in range(8))
            case "/reads":
                return [environ["wsgi.input"].read()]
        return [path.encode()]

    def _trickle(self) -> Iterator[bytes]:
        yield b"first "
        self.began.set()
        self.release.wait(TIMEOUT)
        yield b"last"


@contextmanager
def serving(app: App) -> Iterator[Server]:
    server = Server(app, max_body=LARGE)
    server.start()
    try:
        yield server
    finally:
        app.release.set()
        server.stop()


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def server(app: App) -> Iterator[Server]:
    with serving(app) as server:
        yield server


def connect(server: Server) -> socket.socket:
    return socket.create_connection((server.host, server.port), timeout=TIMEOUT)


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def answer_on(connection: socket.socket) -> bytes:
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response.read()


@pytest.mark.parametrize("path", ["/blocks", "/computes", "/trickles"])
def test_a_slow_request_holds_up_no_other(app: App, server: Server, path: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(ask, server.origin, "GET", path)
        assert app.began.wait(TIMEOUT)
        for _ in range(10):
            assert ask(server.origin, "GET", "/quick").body == b"/quick"
        assert not slow.done()
        app.release.set()
        assert slow.result(TIMEOUT).status == 200


@pytest.mark.parametrize(("path", "many"), [("/meets", 64), ("/meets-asleep", 300)])
def test_as_many_slow_requests_as_come(app: App, server: Server, path: str, many: int) -> None:
    app.together = threading.Barrier(many)
    with ThreadPoolExecutor(many) as pool:
        answers: list[Answer] = list(
            pool.map(lambda _: ask(server.origin, "GET", path), range(many))
        )
    assert [answer.body for answer in answers] == [path.encode()] * many


def test_a_connection_goes_on_after_a_slow_request(app: App, server: Server) -> None:
    with connect(server) as connection:
        connection.sendall(get("/blocks") + get("/after"))
        assert app.began.wait(TIMEOUT)
        assert ask(server.origin, "GET", "/quick").body == b"/quick"
        app.release.set()
        received = b""
        while b"/after" not in received:
            received += connection.recv(1000)
        assert b"/blocks" in received
        connection.sendall(get("/again"))
        assert answer_on(connection) == b"/again"


def test_a_piece_is_sent_before_the_next_is_there(app: App, server: Server) -> None:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=TIMEOUT)
    connection.request("GET", "/trickles")
    response = connection.getresponse()
    assert response.read(6) == b"first "
    app.release.set()
    assert response.read() == b"last"
    connection.close()


def test_a_request_that_comes_byte_by_byte(server: Server) -> None:
    sent = b"POST /reads HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nbytes"
    with connect(server) as slow:
        for byte in sent:
            slow.sendall(bytes([byte]))
            assert ask(server.origin, "GET", "/quick").body == b"/quick"
        assert answer_on(slow) == b"bytes"


@pytest.mark.parametrize("path", ["/large", "/pours"])
def test_a_client_that_does_not_read(server: Server, path: str) -> None:
    clients = [connect(server) for _ in range(5)]
    try:
        for client in clients:
            client.sendall(get(path))
        for _ in range(20):
            assert ask(server.origin, "GET", "/quick").body == b"/quick"
        for client in clients:
            assert answer_on(client) == bytes(LARGE)
    finally:
        for client in clients:
            client.close()


@pytest.mark.parametrize("path", ["/large", "/pours"])
def test_a_client_that_leaves_in_the_middle(server: Server, path: str) -> None:
    for _ in range(5):
        with connect(server) as client:
            client.sendall(get(path))
            client.recv(1000)
    assert ask(server.origin, "GET", "/quick").body == b"/quick"


def test_a_client_that_asks_on_without_reading(server: Server) -> None:
    with connect(server) as client:
        client.sendall(get("/large") + get("/quick") * 100)
        assert ask(server.origin, "GET", "/quick").body == b"/quick"
        received = bytearray()
        while not received.endswith(b"/quick") or received.count(b"/quick") < 100:
            received += client.recv(65536)
        assert received.count(b"\0") == LARGE


def test_a_client_is_told_to_send_its_body(server: Server) -> None:
    with connect(server) as client:
        client.sendall(
            b"POST /reads HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        )
        assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"{}")
        assert answer_on(client) == b"{}"


def test_a_client_is_told_after_the_response_before(server: Server) -> None:
    with connect(server) as client:
        client.sendall(
            get("/first")
            + b"POST /reads HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
            + b"Content-Length: 2\r\n\r\n"
        )
        received = b""
        while b" 100 " not in received:
            received += client.recv(1000)
        assert received.startswith(b"HTTP/1.1 200 OK\r\n")
        assert received.endswith(b"\r\n\r\n/firstHTTP/1.1 100 Continue\r\n\r\n")
        client.sendall(b"{}")
        assert answer_on(client) == b"{}"


def test_a_refused_client_can_read_why_while_it_sends(server: Server) -> None:
    with connect(server) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * (MAX_HEADERS + 1))
        assert b'"RequestHeaderFieldsTooLarge"' in answer_on(client)
        client.sendall(bytes(LARGE))
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""


# -- stopping -----------------------------------------------------------------------------


def test_a_stop_ends_what_sleeps(app: App) -> None:
    with serving(app) as server, ThreadPoolExecutor(1) as pool:
        sleeping = pool.submit(ask, server.origin, "GET", "/sleeps")
        assert app.began.wait(TIMEOUT)
        server.stop()
        answer = sleeping.result(TIMEOUT)
        assert (answer.body, answer.headers["Connection"]) == (b"/sleeps", "close")


@pytest.mark.parametrize("path", ["/blocks", "/trickles"])
def test_a_stop_does_not_wait_for_ever(
    app: App, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "_GRACE", 0.1)
    with serving(app) as server, connect(server) as client, connect(server) as other:
        other.sendall(b"POST /reads HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nby")
        assert ask(server.origin, "GET", "/quick").status == 200  # the other was admitted by now
        client.sendall(get(path))
        assert app.began.wait(TIMEOUT)
        server.stop()
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            answer_on(client)
        assert other.recv(1) == b""


def test_a_stop_does_not_wait_for_half_a_head(server: Server) -> None:
    with connect(server) as client:
        client.sendall(b"GET / HT")
        assert ask(server.origin, "GET", "/quick").status == 200
        server.stop()
        assert client.recv(1) == b""


def test_a_stop_ends_what_lingers(server: Server) -> None:
    with connect(server) as client:
        client.sendall(b"nonsense\r\n\r\n")
        assert b"BadRequest" in answer_on(client)
        server.stop()


def test_a_stop_before_a_start_lets_go_of_the_port() -> None:
    server = Server(App())
    server.stop()
    again = Server(App(), port=server.port)
    again.stop()
    again.stop()


def test_a_stop_from_within_a_request() -> None:
    def app(_: Environ, start: StartResponse) -> Iterable[bytes]:
        stopping.append(threading.Thread(target=server.stop))
        stopping[0].start()
        start("200 OK", [])
        return [b"stopping"]

    stopping: list[threading.Thread] = []
    server = Server(app)
    server.start()
    assert ask(server.origin, "GET", "/").body == b"stopping"
    stopping[0].join(TIMEOUT)
    with pytest.raises(ConnectionRefusedError):
        ask(server.origin, "GET", "/")


# -- what nobody asked for ----------------------------------------------------------------


def test_a_slow_request_after_a_long_silence(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_loop, "_QUIET", 1)
    dozing = threading.Event()
    sleep = event_loop.Watchdog._sleep

    def noticed(self: event_loop.Watchdog, turn: int) -> None:
        dozing.set()
        sleep(self, turn)

    monkeypatch.setattr(event_loop.Watchdog, "_sleep", noticed)
    with serving(app) as server, ThreadPoolExecutor(1) as pool:
        assert dozing.wait(TIMEOUT)
        slow = pool.submit(ask, server.origin, "GET", "/blocks")
        assert app.began.wait(TIMEOUT)
        assert ask(server.origin, "GET", "/quick").body == b"/quick"
        assert not slow.done()
        app.release.set()


def test_a_fault_of_the_server_s_own_ends_one_connection(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    feed = RequestParser.feed

    def faulty(self: RequestParser, data: bytes) -> None:
        if b"/fault" in data:
            raise ZeroDivisionError
        feed(self, data)

    monkeypatch.setattr(RequestParser, "feed", faulty)
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        ask(server.origin, "GET", "/fault")
    assert ask(server.origin, "GET", "/quick").body == b"/quick"
    assert [record.getMessage() for record in caplog.records] == ["A connection failed"]


def test_a_fault_that_ends_the_server_is_said(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(event_loop.EventLoop, "_go_on", lambda *_: 1 / 0)
    with connect(server) as client:
        client.sendall(get("/quick"))
        assert answer_on(client) == b"/quick"
        assert client.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        ask(server.origin, "GET", "/quick")
    assert [record.levelname for record in caplog.records] == ["CRITICAL"]


def test_a_refused_client_that_does_not_leave(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_loop, "_LINGER", 0.1)
    with connect(server) as client:
        client.sendall(b"nonsense\r\n\r\n")
        assert b"BadRequest" in answer_on(client)
        until_refused = iter(partial(client.send, b"x"), 0)
        with pytest.raises(ConnectionError):  # until it is closed, all is thrown away
            sum(until_refused)


# -- what the system refuses --------------------------------------------------------------


def test_when_there_is_no_descriptor_left(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    accept, refused = Listener.accept, iter(range(3))

    def full(listener: Listener, *arguments: Any) -> Any:
        if next(refused, None) is not None:
            raise OSError(errno.EMFILE, "Too many open files")
        return accept(listener, *arguments)

    monkeypatch.setattr(Listener, "accept", full)
    assert ask(server.origin, "GET", "/quick").body == b"/quick"
    assert next(refused, None) is None
    said = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert [record.getMessage() for record in said] == [
        "Connections have to wait: [Errno 24] Too many open files"
    ]


def test_when_there_are_too_many_connections(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(keep_alive, "MAX_CONNECTIONS", 3)
    clients = [connect(server) for _ in range(4)]
    for client in clients[:3]:
        client.sendall(get("/quick"))
        assert answer_on(client) == b"/quick"
    clients[3].sendall(get("/late"))
    clients[0].close()
    assert answer_on(clients[3]) == b"/late"
    for client in clients:
        client.close()
    assert [record.getMessage() for record in caplog.records] == [
        "Connections have to wait: there are 3"
    ]


def test_what_came_before_the_end_is_answered(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that nobody has looked at yet is under way for the client."""
    monkeypatch.setattr(event_loop.Watchdog, "_watch", lambda _: None)
    with serving(app) as server, ThreadPoolExecutor(2) as pool, connect(server) as client:
        client.sendall(get("/quick"))
        assert answer_on(client) == b"/quick"
        blocking = pool.submit(ask, server.origin, "GET", "/blocks")
        assert app.began.wait(TIMEOUT)
        client.sendall(get("/late"))
        stopped = pool.submit(server.stop)
        assert server._loop._stopping.wait(TIMEOUT)
        app.release.set()
        assert answer_on(client) == b"/late"
        assert client.recv(1) == b""
        assert blocking.result(TIMEOUT).body == b"/blocks"
        stopped.result(TIMEOUT)


def test_pipelined_requests_are_answered_in_turns_with_others(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_loop.Watchdog, "_watch", lambda _: None)
    asked: list[str] = []

    def noting(environ: Environ, start: StartResponse) -> Iterable[bytes]:
        asked.append(environ["PATH_INFO"])
        return app(environ, start)

    server = Server(noting)
    server.start()
    try:
        with connect(server) as many, connect(server) as other:
            other.sendall(get("/quick"))
            assert answer_on(other) == b"/quick"
            many.sendall(get("/blocks") * 50)
            assert app.began.wait(TIMEOUT)
            other.sendall(get("/other"))
            app.release.set()
            assert answer_on(other) == b"/other"
            received = b""
            while received.count(b"/blocks") < 50:
                received += many.recv(65536)
        assert asked.index("/other") < 5
    finally:
        server.stop()


def test_who_is_idle_makes_room(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that is idle for longest; not one that has begun a request."""
    monkeypatch.setattr(keep_alive, "MAX_CONNECTIONS", 3)
    clients = [connect(server) for _ in range(3)]
    for client in (clients[1], clients[2], clients[0]):
        client.sendall(get("/quick"))
        assert answer_on(client) == b"/quick"
    clients[1].sendall(b"POST /reads HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{")
    monkeypatch.setattr(event_loop, "_ACCEPTED", 1)
    monkeypatch.setattr(keep_alive, "IDLE", 0.0)
    assert ask(server.origin, "GET", "/late").body == b"/late"
    assert clients[2].recv(1) == b""
    monkeypatch.setattr(keep_alive, "IDLE", 60.0)
    clients[1].sendall(b"}")
    assert answer_on(clients[1]) == b"{}"
    clients[0].sendall(get("/quick"))
    assert answer_on(clients[0]) == b"/quick"
    for client in clients:
        client.close()


def test_one_who_is_gone_before_coming_in(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    accept, gone = Listener.accept, iter([ConnectionAbortedError()])

    def first_gone(listener: Listener, *arguments: Any) -> Any:
        for error in gone:
            raise error
        return accept(listener, *arguments)

    monkeypatch.setattr(Listener, "accept", first_gone)
    assert ask(server.origin, "GET", "/quick").body == b"/quick"


def test_when_there_is_no_thread_left(
    app: App, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = threading.Event()

    def none(thread: threading.Thread) -> None:
        if thread.name == "mockgraph-serve":
            tried.set()
            raise RuntimeError("can't start new thread")
        start(thread)

    start = threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", none)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(ask, server.origin, "GET", "/blocks")
        assert tried.wait(TIMEOUT)
        app.release.set()
        assert slow.result(TIMEOUT).body == b"/blocks"
    monkeypatch.undo()
    assert ask(server.origin, "GET", "/quick").body == b"/quick"


def test_when_as_many_are_slow_as_may_be(
    app: App, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_loop, "_MAX_SLOW", 1)
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(ask, server.origin, "GET", "/blocks")
        assert app.began.wait(TIMEOUT)
        app.began.clear()
        other = pool.submit(ask, server.origin, "GET", "/sleeps")
        app.release.set()
        assert one.result(TIMEOUT).body == b"/blocks"
        assert app.began.wait(TIMEOUT)
        server.stop()
        assert other.result(TIMEOUT).body == b"/sleeps"
