"""Work that nobody waits for ends: its client has left, a test reset, the server stops.

Each of these works for ever, or for minutes, unless it is given up.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from wire import TIMEOUT, ask, port_of

from mockgraph import MockGraph, work
from mockgraph.errors import GraphError
from mockgraph.http import Request
from mockgraph.service.hunting import engine
from mockgraph.service.hunting.kql.compiler import compile_query
from mockgraph.work import Abandoned

GET = b"GET /t/a/v1.0/me HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\n\r\n"


class Endless:
    """A stub's function that works for ever, and tells why it was ended."""

    def __init__(self) -> None:
        self.began, self.ended = threading.Event(), threading.Event()
        self.reason: GraphError | None = None

    def __call__(self, _: Request) -> object:
        self.began.set()
        try:
            while True:
                work.current().step(100)
        except GraphError as error:
            self.reason = error
            raise
        finally:
            self.ended.set()


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[MockGraph, Endless]]:
    monkeypatch.setattr(work, "MAX_STEPS", float("inf"))
    with MockGraph() as graph:
        function = Endless()
        graph.tenant("a").stubs.add("GET", "/me", function)
        yield graph, function


def begun(graph: MockGraph, function: Endless) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port_of(graph.origin)), timeout=TIMEOUT)
    client.sendall(GET)
    assert function.began.wait(TIMEOUT)
    return client


def test_its_client_leaves(endless: tuple[MockGraph, Endless]) -> None:
    graph, function = endless
    begun(graph, function).close()
    assert function.ended.wait(TIMEOUT)
    assert isinstance(function.reason, Abandoned)


def test_a_test_resets(endless: tuple[MockGraph, Endless]) -> None:
    graph, function = endless
    with begun(graph, function) as client:
        assert ask(graph.origin, "POST", "/t/a/_mockgraph/reset").status == 204
        assert function.ended.wait(TIMEOUT)
        assert client.recv(100).startswith(b"HTTP/1.1 410 ")


def test_the_server_stops(endless: tuple[MockGraph, Endless]) -> None:
    graph, function = endless
    with begun(graph, function) as client:
        graph.stop()
        assert function.ended.is_set()
        assert client.recv(100).startswith(b"HTTP/1.1 503 ")


QUERY = (
    "range a from 1 to 100000000 step 1 | extend k = 1"
    " | join kind=inner (range b from 1 to 100000 step 1 | extend k = 1) on k"
    " | where a * b % 7 == 3 | summarize count()"
)
HUNTS = ["/t/a/v1.0/security/runHuntingQuery", "/t/a/_mockgraph/hunting/run"]


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set once a hunting query was compiled, and runs."""
    done = threading.Event()

    def compiles(*given: Any) -> Any:
        try:
            return compile_query(*given)
        finally:
            done.set()

    monkeypatch.setattr(engine, "compile_query", compiles)
    return done


def hunts(graph: MockGraph, path: str, compiled: threading.Event) -> socket.socket:
    body = json.dumps({"query": QUERY}).encode()
    client = socket.create_connection(("127.0.0.1", port_of(graph.origin)), timeout=TIMEOUT)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    client.sendall(head.encode() + body)
    assert compiled.wait(TIMEOUT)
    return client


def assert_no_hunt_goes_on() -> None:
    for thread in threading.enumerate():
        if thread.name == engine.THREAD:
            thread.join(TIMEOUT)
            assert not thread.is_alive()


@pytest.mark.parametrize("path", HUNTS)
def test_the_client_of_a_hunt_leaves(path: str, compiled: threading.Event) -> None:
    with MockGraph() as graph:
        graph.tenant("a")
        hunts(graph, path, compiled).close()
        assert_no_hunt_goes_on()


def test_a_test_resets_during_a_hunt(compiled: threading.Event) -> None:
    with MockGraph() as graph:
        graph.tenant("a")
        with hunts(graph, HUNTS[0], compiled) as client:
            assert ask(graph.origin, "POST", "/t/a/_mockgraph/reset").status == 204
            assert_no_hunt_goes_on()
            assert client.recv(100).startswith(b"HTTP/1.1 410 ")


@pytest.mark.parametrize("path", HUNTS)
def test_the_server_stops_during_a_hunt(path: str, compiled: threading.Event) -> None:
    with MockGraph() as graph:
        graph.tenant("a")
        with hunts(graph, path, compiled) as client:
            graph.stop()
            assert_no_hunt_goes_on()
            assert client.recv(100).startswith(b"HTTP/1.1 503 ")
