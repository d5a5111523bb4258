"""Work that nobody waits for ends: its client has left, a test reset, the server stops.

Each of these works for ever unless it is given up.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
from wire import TIMEOUT, ask, port_of

from mockgraph import MockGraph, work
from mockgraph.errors import GraphError
from mockgraph.http import Request
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
