"""Requests to a proxy that no HTTP client would send, byte for byte."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from wire import ask, exchange

from mockgraph import MockGraph

from . import BEARER, GRAPH, LOGIN, connect, connect_head, head_of, tunnel

PATH = "/v1.0/security/alerts"
GET = f"GET {PATH} HTTP/1.1\r\nHost: {GRAPH}\r\nAuthorization: Bearer x\r\n\r\n".encode()
STRAY = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"  # of a handshake's first message


def read(connection: socket.socket) -> tuple[int, Any]:
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response.status, json.loads(response.read())


def trusting(graph: MockGraph) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=graph.ca)


@pytest.fixture(autouse=True)
def others(graph: MockGraph) -> Iterator[None]:
    """Check that others are served, by the proxy and beside it, whatever a client does."""
    yield
    assert ask(graph.origin, "GET", PATH, headers=BEARER).status == 200
    with tunnel(graph) as connection:
        connection.sendall(GET)
        assert read(connection)[0] == 200


# -- tunnels ----------------------------------------------------------------------------------


def test_the_answer_to_connect_is_a_head_alone(graph: MockGraph) -> None:
    with connect(graph) as connection:
        connection.sendall(connect_head())
        first, *fields = head_of(connection).decode().rstrip().split("\r\n")
        assert first == "HTTP/1.1 200 Connection established"
        assert [field.partition(":")[0] for field in fields] == ["Server", "Date"]


@pytest.mark.parametrize(
    "head",
    [
        b"CONNECT graph.microsoft.com:443 HTTP/1.0\r\n\r\n",
        b"CONNECT graph.microsoft.com:443 HTTP/1.1\r\nHost: else.example\r\n\r\n",
        b"CONNECT GRAPH.Microsoft.com:443 HTTP/1.1\r\nHost: x\r\nProxy-Connection: close\r\n\r\n",
        b"CONNECT graph.microsoft.com:443 HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",
        b"CONNECT graph.microsoft.com:443 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ],
)
def test_forms_of_connect(graph: MockGraph, head: bytes) -> None:
    with connect(graph) as plain:
        plain.sendall(head)
        assert head_of(plain).startswith(b"HTTP/1.1 200 ")
        with trusting(graph).wrap_socket(plain, server_hostname=GRAPH) as connection:
            for _ in range(3):
                connection.sendall(GET)
                assert read(connection)[0] == 200


def test_a_handshake_that_does_not_wait_for_the_answer(graph: MockGraph) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting(graph).wrap_bio(incoming, outgoing, server_hostname=GRAPH)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    with connect(graph) as connection:
        connection.sendall(connect_head() + outgoing.read())
        assert head_of(connection).startswith(b"HTTP/1.1 200 ")
        while client.version() is None or outgoing.pending:
            try:
                client.do_handshake()
            except ssl.SSLWantReadError:
                incoming.write(connection.recv(65536))
            connection.sendall(outgoing.read())
        client.write(GET)
        connection.sendall(outgoing.read())
        received = b""
        while b'"value":' not in received:
            incoming.write(connection.recv(65536))
            try:
                received += client.read(65536)
            except ssl.SSLWantReadError:  # tickets
                continue
        assert received.startswith(b"HTTP/1.1 200 OK\r\n")


def test_connect_byte_by_byte(graph: MockGraph) -> None:
    with connect(graph) as plain:
        for byte in connect_head():
            plain.sendall(bytes([byte]))
        assert head_of(plain).startswith(b"HTTP/1.1 200 ")
        with trusting(graph).wrap_socket(plain, server_hostname=GRAPH) as connection:
            connection.sendall(GET)
            assert read(connection)[0] == 200


def test_a_tunnel_after_requests_in_the_clear(graph: MockGraph) -> None:
    clear = f"HEAD http://{GRAPH}{PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\n\r\n"
    with connect(graph) as plain:
        plain.sendall(clear.encode() * 2 + connect_head())
        assert [head_of(plain)[:12] for _ in range(3)] == [b"HTTP/1.1 200"] * 3
        with trusting(graph).wrap_socket(plain, server_hostname=GRAPH) as connection:
            connection.sendall(GET)
            assert read(connection)[0] == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8365", LOGIN, f"{GRAPH}:80", "a b<", ""])
def test_another_host_in_a_tunnel(graph: MockGraph, host: str) -> None:
    for path in (PATH, "/_mockgraph/state"):
        with tunnel(graph) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            status, body = read(connection)
            assert (status, body["error"]["code"]) in (
                (421, "MisdirectedRequest"),
                (400, "BadRequest"),  # where it is empty
            )


def test_no_host_in_a_tunnel(graph: MockGraph) -> None:
    with tunnel(graph) as connection:
        connection.sendall(
            f"GET {PATH}?$top=1 HTTP/1.0\r\nAuthorization: Bearer x\r\n\r\n".encode()
        )
        status, page = read(connection)
        assert status == 200
        assert page["@odata.nextLink"].startswith(f"https://{GRAPH}{PATH}?")


def test_a_tunnel_in_a_tunnel(graph: MockGraph) -> None:
    with tunnel(graph) as connection:
        connection.sendall(connect_head("example.com:443"))
        status, body = read(connection)
        assert (status, body["error"]["code"]) == (421, "MisdirectedRequest")
    with tunnel(graph) as connection:
        connection.sendall(connect_head()[:-2] + b"Authorization: Bearer x\r\n\r\n")
        assert read(connection)[0] == 400


# -- who does not mean well -------------------------------------------------------------------

REFUSED = {
    "no HTTP": (b"SSH-2.0-OpenSSH\r\n\r\n", 400),
    "TLS to the proxy itself": (STRAY + bytes(500), 400),
    "SOCKS": (b"\x05\x01\x00" + bytes(50), 400),
    "a giant head": (b"GET http://x/ HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 200_000, 431),
    "a giant target": (b"CONNECT " + b"a" * 200_000 + b":443 HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    "many fields": (b"CONNECT a:443 HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "no port": (connect_head("example.com"), 403),
    "a port that is none": (connect_head(f"{GRAPH}:99999"), 403),
    "no host": (connect_head(":443"), 403),
    "a path": (connect_head("/v1.0/security"), 403),
    "a user": (connect_head(f"{GRAPH}@example.com:443"), 403),
    "a tunnel to others, at once": (connect_head("example.com:443") + STRAY * 20_000, 403),
}


@pytest.mark.parametrize(("sent", "status"), REFUSED.values(), ids=list(REFUSED))
def test_refused(graph: MockGraph, sent: bytes, status: int) -> None:
    answer = exchange(graph.proxy_url, sent)
    assert answer.status == status
    assert answer.json["error"]["message"]


def test_the_host_that_is_named_is_cut_short(graph: MockGraph) -> None:
    answer = exchange(graph.proxy_url, connect_head("a" * 10_000 + ":443"))
    assert answer.status == 403
    assert len(answer.reason) < 300
    assert len(answer.json["error"]["message"]) < 600


def test_a_client_that_does_not_trust_the_authority(graph: MockGraph) -> None:
    for _ in range(5):
        with connect(graph) as plain:
            plain.sendall(connect_head())
            head_of(plain)
            trusting_nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            with pytest.raises(ssl.SSLCertVerificationError):
                trusting_nobody.wrap_socket(plain, server_hostname=GRAPH)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"CONN",
        connect_head()[:-2],
        connect_head(),
        connect_head() + STRAY,
        connect_head() + bytes(1000),
        connect_head() + GET,
    ],
)
def test_who_stalls_stalls_alone(graph: MockGraph, sent: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(connect(graph)).sendall(sent)
        with tunnel(graph) as connection:
            connection.sendall(GET)
            assert read(connection)[0] == 200


@pytest.mark.parametrize("sent", [b"", b"CONN", connect_head(), connect_head() + STRAY])
@pytest.mark.parametrize("way", ["half", "close", "reset"])
def test_who_leaves(graph: MockGraph, sent: bytes, way: str) -> None:
    for _ in range(10):
        with connect(graph) as connection:
            connection.sendall(sent)
            if way == "half":
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):  # the server ends it, too
                    pass
            elif way == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_http_in_the_tunnel(graph: MockGraph) -> None:
    with connect(graph) as connection:
        connection.sendall(connect_head())
        head_of(connection)
        connection.sendall(GET)
        status, body = read(connection)
        assert (status, body["error"]["code"]) == (400, "BadRequest")


def test_many_at_a_time(graph: MockGraph) -> None:
    def once(_: int) -> int:
        with tunnel(graph) as connection:
            connection.sendall(GET)
            return read(connection)[0]

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(once, range(64))) == [200] * 64


def test_it_stops_with_tunnels_open(tmp_path: Any) -> None:
    with MockGraph(proxy=True, ca_dir=tmp_path) as graph, ExitStack() as stack:
        idle = stack.enter_context(tunnel(graph))
        stalled = stack.enter_context(connect(graph))
        stalled.sendall(connect_head())
        head_of(stalled)
        graph.stop()
        assert idle.recv(100) == b""
        assert stalled.recv(100) == b""
