"""Bad input that no HTTP client would send, over a raw socket, to the server that serves."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from refusals import message_of
from wire import JSON, ask, exchange, port_of

from mockgraph import MockGraph

PATH = b"/localtest/Security"
HOST = b"Host: graph\r\n"
HEADERS = b"".join(f"{name}: {value}\r\n".encode() for name, value in JSON.items())
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def graph() -> Iterator[MockGraph]:
    with MockGraph() as graph:
        yield graph


@pytest.fixture
def before(graph: MockGraph) -> Iterator[Any]:
    """The state before, which the state afterwards is held against."""
    before = graph.state
    yield before
    assert graph.state == before
    assert ask(graph.origin, "GET", "/localtest/Security").status == 200


def head(method: bytes = b"PATCH", path: bytes = PATH, *, host: bytes = HOST) -> bytes:
    return method + b" " + path + b" HTTP/1.1\r\n" + host + HEADERS


def chunked(*chunks: bytes) -> bytes:
    framed = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return head() + b"Transfer-Encoding: chunked\r\n\r\n" + framed


HUGE = b" " * (64 * MIB)
REFUSED = {
    "64 MiB": (head() + b"Content-Length: %d\r\n\r\n" % len(HUGE) + HUGE, 413, "larger than"),
    "64 MiB, chunked": (chunked(*[HUGE[:MIB]] * 64, b""), 413, "larger than"),
    "64 MiB, chunked, after an object": (chunked(b"{}", *[HUGE[:MIB]] * 64, b""), 413, "larger"),
    "64 MiB announced": (head() + b"Content-Length: 67108864\r\n\r\n", 413, "larger than"),
    "no body": (head() + b"\r\n", 400, "Empty Payload."),
    "an empty chunked body": (chunked(b""), 400, "Empty Payload."),
    "a chunk size that is none": (chunked() + b"zz\r\n{}\r\n0\r\n\r\n", 400, ""),
    "a chunk longer than it says": (chunked() + b"1\r\n{}\r\n0\r\n\r\n", 400, ""),
    "no Host": (head(b"GET", host=b"") + b"\r\n", 400, "Host header"),
    "a Host that is none": (head(b"GET", host=b"Host: a b<>\r\n") + b"\r\n", 400, "Host header"),
    "climbing": (head(b"GET", b"/localtest/Security/../../../etc/passwd") + b"\r\n", 400, "'..'"),
    "climbing to a root": (head(b"GET", b"/localtest/../v1.0/security") + b"\r\n", 400, "'..'"),
    "climbing, encoded": (head(b"GET", b"/localtest/%2e%2e/Security") + b"\r\n", 400, "'..'"),
    "climbing to the control plane": (
        head(b"GET", b"/../_mockgraph/state") + b"\r\n",
        400,
        "Invalid version: ..",
    ),
    "a NUL": (head(b"GET", b"/localtest/Security%00") + b"\r\n", 400, "control characters"),
    "no UTF-8": (head(b"GET", b"/%ff") + b"\r\n", 400, "UTF-8"),
    "an asterisk": (head(b"OPTIONS", b"*") + b"\r\n", 400, "Invalid version: *"),
    "a tunnel": (head(b"CONNECT", b"graph.example:443") + b"\r\n", 400, "Invalid version"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.usefixtures("before")
def test_refused_by_the_app(graph: MockGraph, name: str) -> None:
    data, status, says = REFUSED[name]
    answer = exchange(graph.origin, data)
    _, message = message_of(answer.status, answer.headers, answer.body)
    assert answer.status == status
    assert says in message


CUT_SHORT = {
    "within an object": (b"Content-Length: 50\r\n\r\n", b'{"providerStatus":['),
    "after an object": (b"Content-Length: 50\r\n\r\n", b'{"providerStatus":[]}'),
    "within a chunk": (b"Transfer-Encoding: chunked\r\n\r\n", b'20\r\n{"providerStatus":['),
}


@pytest.mark.parametrize("name", CUT_SHORT)
@pytest.mark.usefixtures("before")
def test_a_body_that_is_cut_short_changes_nothing(graph: MockGraph, name: str) -> None:
    framing, body = CUT_SHORT[name]
    answer = exchange(graph.origin, head() + framing + body, half_close=True)
    assert answer.status == 400
    assert message_of(400, answer.headers, answer.body)[0] == "BadRequest"


# What is no HTTP is refused before it is a request, in Graph's shape all the same.
NO_HTTP = {
    "garbage": (b"GARBAGE\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
    "a blank in the path": (head(b"GET", b"/localtest/Secu rity") + b"\r\n", 400),
    "bytes in the path": (head(b"GET", b"/\xff") + b"\r\n", 400),
    "bytes in the query": (head(b"GET", PATH + b"?$select=\xff") + b"\r\n", 400),
    "two lengths": (head() + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
    "a negative length": (head() + b"Content-Length: -2\r\n\r\n{}", 400),
    "a length that is none": (head() + b"Content-Length: two\r\n\r\n{}", 400),
    "a header without a colon": (head(b"GET") + b"nonsense\r\n\r\n", 400),
    "a header of blanks": (head(b"GET") + b" folded\r\n\r\n", 400),
    "a NUL in a header": (head(b"GET") + b"X: a\0b\r\n\r\n", 400),
    "both framings": (
        head() + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "lines without CR": (b"GET / HTTP/1.1\nHost: x\n\n", 400),
    "HTTP of before headers": (b"GET /localtest/Security\r\n\r\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "HTTP/2.0 in plain": (head(b"GET").replace(b"/1.1", b"/2.0") + b"\r\n", 400),
    "no Host at all": (b"GET / HTTP/1.1\r\nAccept: */*\r\n\r\n", 400),
    "an endless header": (head(b"GET") + b"X: " + b"y" * MIB + b"\r\n\r\n", 431),
    "an endless line": (b"x" * MIB, 400),
    "too many headers": (head(b"GET") + b"X: y\r\n" * 1_000 + b"\r\n", 431),
    "too long a path": (head(b"GET", b"/" + b"x" * 100_000) + b"\r\n", 414),
}


@pytest.mark.parametrize("name", NO_HTTP)
@pytest.mark.usefixtures("before")
def test_refused_by_the_server(graph: MockGraph, name: str) -> None:
    data, status = NO_HTTP[name]
    answer = exchange(graph.origin, data)
    assert answer.status == status
    message_of(status, answer.headers, answer.body)
    assert answer.headers["Connection"] == "close"


def test_bytes_in_a_header_come_back(graph: MockGraph) -> None:
    sent = head(b"GET") + b"client-request-id: \xe4\xff\r\n\r\n"
    answer = exchange(graph.origin, sent)
    assert (answer.status, answer.headers["client-request-id"]) == (200, "\xe4\xff")


@pytest.mark.usefixtures("before")
def test_no_path_is_answered_with_a_redirect(graph: MockGraph) -> None:
    for path in (b"graph.example", b"/_mockgraph/health/", b"//"):
        answer = exchange(graph.origin, head(b"GET", path) + b"\r\n")
        assert not 300 <= answer.status < 400
        assert "html" not in answer.headers["Content-Type"]


@pytest.mark.usefixtures("before")
def test_a_connection_that_says_nothing_holds_nobody_up(graph: MockGraph) -> None:
    address = ("127.0.0.1", port_of(graph.origin))
    silent = [socket.create_connection(address) for _ in range(20)]
    try:
        silent[0].sendall(b"PATCH /localtest")
        assert ask(graph.origin, "GET", "/localtest/Security").status == 200
    finally:
        for each in silent:
            each.close()
