"""The phases of a turn: what was sent is received, answered and answered for together."""

from __future__ import annotations

import http.client
import select
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import Any

import pytest
from wire import TIMEOUT

from mockgraph.serving.server import Server, event_loop, keep_alive
from mockgraph.serving.server.connection import Connection
from mockgraph.wsgi import Environ, StartResponse

CLIENTS = 5


class Turn:
    """An app that has many requests come in one turn, and ``happened``, what is done for them.

    ``/gate`` is answered once it is opened; of the requests after that, those from the ``slow``-th
    on do as ``wait`` does, and are let through later.
    """

    def __init__(self) -> None:
        self.at_gate, self.gate = threading.Event(), threading.Event()
        self.at_slow, self.let_through = threading.Event(), threading.Event()
        self.happened: list[str] = []
        self.slow = CLIENTS + 1
        self.wait: Callable[[Environ], None] = lambda _: None

    def __call__(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        if path == "/gate":
            self.at_gate.set()
            assert self.gate.wait(TIMEOUT)
        elif self.gate.is_set():
            self.happened.append("answer")
            if self.happened.count("answer") >= self.slow:
                self.at_slow.set()
                self.wait(environ)
        if environ["REQUEST_METHOD"] == "POST":
            environ["mockgraph.hold"](lambda: self.happened.append("settle"), lambda: None)
        start("200 OK", [])
        return [path.encode()]

    def open(self) -> None:
        """Open the gate."""
        self.happened.clear()
        self.gate.set()

    def block(self, _: Environ) -> None:
        assert self.let_through.wait(TIMEOUT)

    def sleep(self, environ: Environ) -> None:
        """Block, the first time beside the server's thread."""
        if self.happened.count("answer") == self.slow:
            environ["mockgraph.sleep"](0)
        self.block(environ)


@pytest.fixture
def turn() -> Turn:
    return Turn()


@pytest.fixture
def server(turn: Turn) -> Iterator[Server]:
    server = Server(turn)
    server.start()
    try:
        yield server
    finally:
        turn.gate.set()
        turn.let_through.set()
        server.stop()


@pytest.fixture
def unwatched(monkeypatch: pytest.MonkeyPatch) -> None:
    """No request is found to be slow."""
    monkeypatch.setattr(event_loop.Watchdog, "_watch", lambda _: None)


@pytest.fixture
def watched_later(turn: Turn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slow requests are found once the gate is open."""
    watch = event_loop.Watchdog._watch

    def later(watchdog: event_loop.Watchdog) -> None:
        assert turn.gate.wait(TIMEOUT)
        watch(watchdog)

    monkeypatch.setattr(event_loop.Watchdog, "_watch", later)


@pytest.fixture
def unbounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Responses wait for each other, however many and large they are and how long it takes."""
    monkeypatch.setattr(event_loop, "_SENT_WITHIN", TIMEOUT)
    monkeypatch.setattr(event_loop, "_MOST_UNSENT", 1000)
    monkeypatch.setattr(event_loop, "_LARGE", 1 << 30)


@pytest.fixture
def clients(server: Server, turn: Turn) -> Iterator[list[socket.socket]]:
    """Clients whose connections are open, and a gate that keeps the server's thread from them."""
    clients = [connect(server) for _ in range(CLIENTS)]
    for client in clients:
        client.sendall(message("GET", "/first"))
        assert answer_on(client) == b"/first"
    with connect(server) as gate:
        gate.sendall(message("GET", "/gate"))
        assert turn.at_gate.wait(TIMEOUT)
        yield clients
        turn.gate.set()
        turn.let_through.set()
        assert answer_on(gate) == b"/gate"
    for client in clients:
        client.close()


def connect(server: Server) -> socket.socket:
    return socket.create_connection((server.host, server.port), timeout=TIMEOUT)


def message(method: str, path: str) -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode()


def answer_on(connection: socket.socket) -> bytes:
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response.read()


def all_ask(clients: list[socket.socket], method: str = "GET") -> None:
    for number, client in enumerate(clients):
        client.sendall(message(method, f"/{number}"))


def assert_answered(clients: list[socket.socket]) -> None:
    assert [answer_on(client) for client in clients] == [
        f"/{number}".encode() for number in range(len(clients))
    ]


def noting(monkeypatch: pytest.MonkeyPatch, turn: Turn) -> None:
    """Note what is received and sent."""

    def noted(name: str, what: str) -> None:
        done = getattr(Connection, name)

        def note(*arguments: Any) -> Any:
            turn.happened.append(what)
            return done(*arguments)

        monkeypatch.setattr(Connection, name, note)

    noted("receive", "receive")
    noted("_send", "send")


def phases(turn: Turn) -> list[tuple[str, int]]:
    """What happened, and how many times in a row."""
    return [(what, len(list(times))) for what, times in groupby(turn.happened)]


@pytest.mark.usefixtures("unwatched", "unbounded")
def test_a_turn_receives_then_answers_then_sends(
    turn: Turn,
    clients: list[socket.socket],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noting(monkeypatch, turn)
    all_ask(clients)
    turn.open()
    assert_answered(clients)
    of_the_gate = ("send", 1)
    assert phases(turn) == [
        of_the_gate,
        ("receive", CLIENTS),
        ("answer", CLIENTS),
        ("send", CLIENTS),
    ]


@pytest.mark.usefixtures("unwatched", "unbounded")
def test_held_responses_of_a_turn_are_settled_together(
    turn: Turn,
    server: Server,
    clients: list[socket.socket],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those that are not held do not wait for that."""
    server._loop._settling_took = 0.0
    noting(monkeypatch, turn)
    all_ask(clients[:-1], "POST")
    clients[-1].sendall(message("GET", f"/{CLIENTS - 1}"))
    turn.open()
    assert_answered(clients)
    assert phases(turn)[2:] == [
        ("answer", CLIENTS),
        ("send", 1),
        ("settle", CLIENTS - 1),
        ("send", CLIENTS - 1),
    ]


@pytest.mark.usefixtures("unwatched", "unbounded")
@pytest.mark.parametrize("bound", [None, ("_SENT_WITHIN", -1.0), ("_MOST_UNSENT", CLIENTS - 1)])
def test_held_responses_wait_for_those_that_come_meanwhile(
    turn: Turn,
    server: Server,
    clients: list[socket.socket],
    monkeypatch: pytest.MonkeyPatch,
    bound: tuple[str, float] | None,
) -> None:
    """Within bounds: who writes on and on holds up nobody."""

    def ask_late(_: Environ) -> None:
        if turn.happened.count("answer") == turn.slow:
            clients[-1].sendall(message("POST", f"/{CLIENTS - 1}"))

    server._loop._settling_took = 0.0
    if bound is not None:
        monkeypatch.setattr(event_loop, *bound)
    turn.slow, turn.wait = 2, ask_late
    all_ask(clients[:-1], "POST")
    turn.open()
    assert_answered(clients)
    together = [("answer", CLIENTS), ("settle", CLIENTS)]
    apart = [("answer", CLIENTS - 1), ("settle", CLIENTS - 1), ("answer", 1), ("settle", 1)]
    assert phases(turn) == (together if bound is None else apart)


@pytest.mark.parametrize(
    ("bound", "least"), [("_SENT_WITHIN", -1.0), ("_MOST_UNSENT", 3), ("_LARGE", 10)]
)
@pytest.mark.usefixtures("unwatched", "unbounded")
def test_responses_wait_within_bounds(
    turn: Turn,
    clients: list[socket.socket],
    monkeypatch: pytest.MonkeyPatch,
    bound: str,
    least: float,
) -> None:
    monkeypatch.setattr(event_loop, bound, least)
    turn.slow, turn.wait = 4, turn.block
    all_ask(clients)
    turn.open()
    assert_answered_so_far(turn, clients, 3)
    turn.let_through.set()
    assert_answered(clients)


@pytest.mark.usefixtures("watched_later", "unbounded")
def test_responses_wait_for_no_slow_request(turn: Turn, clients: list[socket.socket]) -> None:
    turn.slow, turn.wait = 3, turn.block
    all_ask(clients)
    turn.open()
    assert_answered_so_far(turn, clients, 2)
    turn.let_through.set()
    assert_answered(clients)


@pytest.mark.usefixtures("unwatched", "unbounded")
def test_responses_wait_for_no_request_that_sleeps(
    turn: Turn, clients: list[socket.socket]
) -> None:
    """The thread that goes on with the loop sends first."""
    turn.slow, turn.wait = 3, turn.sleep
    all_ask(clients)
    turn.open()
    assert_answered_so_far(turn, clients, 2)
    turn.let_through.set()
    assert_answered(clients)


def assert_answered_so_far(turn: Turn, clients: list[socket.socket], many: int) -> None:
    """Wait until as many of them have something to read, while others are slow."""
    assert turn.at_slow.wait(TIMEOUT)
    until = time.monotonic() + TIMEOUT
    while len(readable := select.select(clients, [], [], TIMEOUT)[0]) < many:
        assert time.monotonic() < until
        time.sleep(0.001)
    assert len(readable) == many


@pytest.mark.parametrize("phase", ["receive", "flush", "conclude"])
@pytest.mark.usefixtures("unwatched", "unbounded")
def test_a_failure_in_a_phase_ends_one_connection(
    turn: Turn,
    clients: list[socket.socket],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    phase: str,
) -> None:
    done = getattr(Connection, phase)
    failing = str(clients[2].getsockname()[1])

    def fails(connection: Connection, *arguments: Any) -> Any:
        if connection.parser._base.get("REMOTE_PORT") == failing:
            raise ZeroDivisionError
        return done(connection, *arguments)

    monkeypatch.setattr(Connection, phase, fails)
    all_ask(clients)
    turn.open()
    for number, client in enumerate(clients):
        if number != 2:
            assert answer_on(client) == f"/{number}".encode()
    rest = b"".join(iter(lambda: clients[2].recv(4096), b""))
    assert rest.endswith(b"/2") == (phase == "conclude")
    assert [record.getMessage() for record in caplog.records] == ["A connection failed"]


@pytest.mark.usefixtures("unwatched")
def test_a_client_that_leaves_in_a_turn_hurts_no_other(
    turn: Turn, clients: list[socket.socket]
) -> None:
    all_ask(clients)
    clients.pop().close()
    turn.open()
    assert_answered(clients)


@pytest.mark.usefixtures("unwatched", "unbounded")
def test_a_stop_in_a_turn_answers_all_of_it(
    turn: Turn, server: Server, clients: list[socket.socket]
) -> None:
    all_ask(clients)
    with ThreadPoolExecutor(1) as pool:
        stopped = pool.submit(server.stop)
        assert server._loop._stopping.wait(TIMEOUT)
        turn.open()
        assert_answered(clients)
        assert [client.recv(1) for client in clients] == [b""] * CLIENTS
        stopped.result(TIMEOUT)


@pytest.mark.usefixtures("unwatched")
def test_who_asks_in_a_turn_makes_no_room_for_others(
    turn: Turn,
    server: Server,
    clients: list[socket.socket],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A connection that was idle for long may have brought a request by now."""
    monkeypatch.setattr(keep_alive, "MAX_CONNECTIONS", 1)
    monkeypatch.setattr(keep_alive, "IDLE", -1.0)
    all_ask(clients)
    with connect(server):
        turn.open()
        assert_answered(clients)
