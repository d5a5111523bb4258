"""Clients that stop in the middle of a request or of an answer, and those who have to wait."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from wire import TIMEOUT, ask, port_of

from mockgraph import MockGraph
from mockgraph.serving.server import event_loop, keep_alive

HEAD = b"POST /v1.0/security/alerts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\n"
HALVES = {
    "a line": b"POST /v1.0/secur",
    "a head": HEAD,
    "a body": HEAD + b"Content-Length: 100\r\n\r\n{",
    "chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
}


@pytest.fixture
def graph() -> Iterator[MockGraph]:
    with MockGraph() as graph:
        yield graph


def connect(graph: MockGraph) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port_of(graph.origin)), timeout=TIMEOUT)


def rest_of(client: socket.socket) -> bytes:
    received = b""
    while piece := client.recv(65536):
        received += piece
    return received


@pytest.mark.parametrize("half", HALVES)
def test_a_request_half_sent_is_given_up(
    graph: MockGraph, monkeypatch: pytest.MonkeyPatch, half: str
) -> None:
    monkeypatch.setattr(keep_alive, "STALLED", 0.0)
    with connect(graph) as client:
        client.sendall(HALVES[half])
        assert rest_of(client).startswith(b"HTTP/1.1 408 ")


def test_an_answer_half_read_is_given_up(graph: MockGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    graph.stubs.add("GET", "/large", text="x" * 64_000_000)
    monkeypatch.setattr(keep_alive, "STALLED", 0.5)
    with connect(graph) as client:
        client.sendall(b"GET /v1.0/large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.recv(1) == b"H"
        assert graph._server is not None
        while graph._server._loop._connections:
            time.sleep(0.01)
        assert len(rest_of(client)) < 64_000_000


def test_what_is_held_is_bounded(graph: MockGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep_alive, "MAX_HELD", 0)
    clients = [connect(graph) for _ in range(4)]
    for client in clients:
        client.sendall(HEAD + b"Content-Length: 1000000\r\n\r\n" + b"x" * 100_000)
    for client in clients:
        assert rest_of(client).startswith(b"HTTP/1.1 408 ")
    for client in clients:
        client.close()


@pytest.mark.parametrize("half", [*HALVES, "an answer"])
def test_half_sent_requests_keep_nobody_out(
    graph: MockGraph, monkeypatch: pytest.MonkeyPatch, half: str
) -> None:
    graph.stubs.add("GET", "/large", text="x" * 16_000_000)
    monkeypatch.setattr(keep_alive, "MAX_CONNECTIONS", 8)
    monkeypatch.setattr(keep_alive, "IDLE", 0.1)
    clients = [connect(graph) for _ in range(12)]
    for client in clients:
        client.sendall(HALVES.get(half, b"GET /v1.0/large HTTP/1.1\r\nHost: localhost\r\n\r\n"))
    assert ask(graph.origin, "GET", "/_mockgraph/health").status == 200
    for client in clients:
        client.close()


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no limit of descriptors")
def test_few_descriptors_leave_some_for_files(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    monkeypatch.setattr(resource, "getrlimit", lambda _: (128, 128))
    assert keep_alive.most_connections() == 96
    monkeypatch.setattr(resource, "getrlimit", lambda _: (40, 40))
    assert keep_alive.most_connections() == 20
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY,) * 2)
    assert keep_alive.most_connections() == keep_alive.MAX_CONNECTIONS


def test_one_more_that_waits_than_there_may_be_holds_up_nobody(
    graph: MockGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_loop, "_MAX_SLOW", 1)
    graph.faults.latency(3_600_000, path="/security/alerts")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, graph.origin, "GET", "/v1.0/security/alerts")
        assert graph._server is not None
        while graph._server._loop._watchdog._slow == 0:
            time.sleep(0.01)
        refused = ask(graph.origin, "GET", "/v1.0/security/alerts")
        assert (refused.status, "wait already" in refused.body.decode()) == (503, True)
        assert ask(graph.origin, "GET", "/_mockgraph/health").status == 200
        graph.stop()
        waiting.result(TIMEOUT)
