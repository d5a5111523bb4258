"""Responses that are held until what they tell of is safe, and what they must not do to others."""

from __future__ import annotations

import http.client
import io
import socket
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from wire import TIMEOUT, ask

from mockgraph.serving.server import Server
from mockgraph.serving.server.access_log import LineWriter
from mockgraph.serving.server.connection import Connection
from mockgraph.serving.server.event_loop import Watchdog
from mockgraph.wsgi import Environ, StartResponse, WSGIApp

CONNECTIONS = 6


class Holding:
    """An app whose responses to POST are held; GET is answered at once, and says what is settled.

    ``/refused`` is answered otherwise in the end, ``/broken`` fails as it is settled.
    """

    def __init__(self) -> None:
        self.may_settle, self.is_settling = threading.Event(), threading.Event()
        self.may_settle.set()
        self.settled: list[str] = []

    def __call__(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] == "POST":
            environ["mockgraph.hold"](lambda: self._settle(path), lambda: self._conclude(path))
        start("200 OK", [("Content-Type", "text/plain")])
        return [path.encode()]

    def _settle(self, path: str) -> None:
        self.is_settling.set()
        assert self.may_settle.wait(TIMEOUT)
        if path == "/broken":
            raise OSError("It cannot be settled.")
        self.settled.append(path)

    def _conclude(self, path: str) -> WSGIApp | None:
        return refuse if path == "/refused" else None


def refuse(_: Environ, start: StartResponse) -> Iterable[bytes]:
    start("507 Insufficient Storage", [])
    return [b"it was not kept"]


@pytest.fixture
def app() -> Holding:
    return Holding()


@pytest.fixture
def server(app: Holding) -> Iterator[Server]:
    server = Server(app, max_body=1024)
    server.start()
    try:
        yield server
    finally:
        app.may_settle.set()
        server.stop()


def origin(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}"


def test_a_response_is_sent_once_it_is_settled(app: Holding, server: Server) -> None:
    app.may_settle.clear()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        names = [f"/{number}" for number in range(CONNECTIONS)]
        answers = [pool.submit(ask, origin(server), "POST", name) for name in names]
        assert app.is_settling.wait(TIMEOUT)
        assert ask(origin(server), "GET", "/other").status == 200
        assert not any(answer.done() for answer in answers)
        app.may_settle.set()
        assert [answer.result().body.decode() for answer in answers] == names
    assert sorted(app.settled) == names


@pytest.mark.parametrize("requests", [1, 5])
def test_a_connection_goes_on_after_each(app: Holding, server: Server, requests: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT)
    for number in range(requests):
        for method, path, status in (
            ("POST", f"/{number}", 200),
            ("POST", "/refused", 507),
            ("GET", "/read", 200),
        ):
            connection.request(method, path)
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == status
            assert body == (path.encode() if status == 200 else b"it was not kept")
    connection.close()
    assert app.settled.count("/refused") == requests


def test_who_has_settled_a_response_leaves_it_to_others_at_the_end(
    app: Holding, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may answer the next request of its connection at once, which is another one to watch."""
    given_early = []
    finish = Watchdog.finish

    def noticed(watchdog: Watchdog, connection: Connection) -> bool:
        given_early.append(connection in server._loop._unsent)
        return finish(watchdog, connection)

    monkeypatch.setattr(Watchdog, "finish", noticed)
    for name in ("/1", "/2"):
        assert ask(origin(server), "POST", name).status == 200
    assert app.settled == ["/1", "/2"]
    assert not any(given_early)


def test_pipelined_requests_are_answered_in_turn(app: Holding, server: Server) -> None:
    app.may_settle.clear()
    with socket.create_connection(("127.0.0.1", server.port), TIMEOUT) as client:
        client.sendall(message("POST", "/first"))
        assert app.is_settling.wait(TIMEOUT)
        client.sendall(message("GET", "/second") + message("POST", "/third"))
        client.shutdown(socket.SHUT_WR)
        assert app.settled == []
        app.may_settle.set()
        received = b"".join(iter(lambda: client.recv(4096), b""))
    assert [received.count(name) for name in (b"/first", b"/second", b"/third")] == [1, 1, 1]
    assert received.index(b"/first") < received.index(b"/second") < received.index(b"/third")


@pytest.mark.parametrize("methods", [["POST"], ["POST", "GET", "GET"]])
def test_those_that_were_pipelined_together_are_all_answered(
    app: Holding, server: Server, methods: list[str]
) -> None:
    """However quickly each is settled: nothing that comes later has to wake the loop."""
    asked = [(method, f"/{number}.") for number in range(20) for method in methods]
    with socket.create_connection(("127.0.0.1", server.port), TIMEOUT) as client:
        client.sendall(b"".join(message(*each) for each in asked))
        received = b""
        while received.count(b" 200 OK") < len(asked) or not received.endswith(b"/19."):
            received += client.recv(65536)
    assert app.settled == [path for method, path in asked if method == "POST"]


def test_what_cannot_be_settled_is_cut_and_others_go_on(
    app: Holding, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        with pytest.raises((http.client.HTTPException, OSError)):
            ask(origin(server), "POST", "/broken")
        assert ask(origin(server), "POST", "/whole").status == 200
    assert app.settled == ["/whole"] * 3
    assert [each.message for each in caplog.records] == ["A response was not settled"] * 3


def test_a_client_that_leaves_holds_up_nobody(app: Holding, server: Server) -> None:
    app.may_settle.clear()
    with socket.create_connection(("127.0.0.1", server.port), TIMEOUT) as client:
        client.sendall(message("POST", "/left"))
        assert app.is_settling.wait(TIMEOUT)
    assert ask(origin(server), "GET", "/other").status == 200
    app.may_settle.set()
    assert ask(origin(server), "POST", "/next").status == 200
    assert app.settled == ["/left", "/next"]


def test_a_stop_waits_for_what_is_held(app: Holding, server: Server) -> None:
    app.may_settle.clear()
    with ThreadPoolExecutor(2) as pool:
        answer = pool.submit(ask, origin(server), "POST", "/last")
        assert app.is_settling.wait(TIMEOUT)
        stopped = pool.submit(server.stop)
        app.may_settle.set()
        assert answer.result().status == 200
        stopped.result()


def message(method: str, path: str) -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n".encode()


def test_the_access_log_tells_what_was_sent(app: Holding) -> None:
    """Of a response that gave way to another one, the status of that."""
    lines = io.StringIO()
    server = Server(app, log=LineWriter(lines))
    server.start()
    for method, path in (("POST", "/kept"), ("POST", "/refused"), ("GET", "/refused")):
        ask(origin(server), method, path)
    server.stop()
    assert [line.split()[1:4] for line in lines.getvalue().splitlines()] == [
        ["POST", "/kept", "200"],
        ["POST", "/refused", "507"],
        ["GET", "/refused", "200"],
    ]
