"""Requests of all kinds on several connections at once: each gets its answers, whole, in order."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import IO, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import examples
from wire import TIMEOUT

from mockgraph.serving.server import Server
from mockgraph.serving.tls import authority
from mockgraph.wsgi import Environ, StartResponse, WSGIApp

LARGE = 200_000
KINDS = ["quick", "slow", "sleeping", "aside", "held", "slowly-held", "replaced", "large", "poured"]


def app(environ: Environ, start: StartResponse) -> Iterable[bytes]:
    """Answer with the path and the body that was sent, in the way that the path begins with."""
    kind = environ["PATH_INFO"].split("/")[1]
    body = environ["PATH_INFO"].encode() + environ["wsgi.input"].read()
    match kind:
        case "slow":
            time.sleep(0.03)
        case "sleeping":
            environ["mockgraph.sleep"](0.001)
        case "aside":
            environ["mockgraph.sleep"](0)
        case "held":
            environ["mockgraph.hold"](lambda: None, lambda: None)
        case "slowly-held":
            environ["mockgraph.hold"](lambda: time.sleep(0.01), lambda: None)
        case "replaced":
            environ["mockgraph.hold"](lambda: None, partial(saying, body))
            body = b"what is not sent"
        case "cut":
            environ["mockgraph.cut"]()
    start("200 OK", [])
    if kind == "poured":
        return iter([body, b"", bytes(LARGE)])
    return [body, bytes(LARGE)] if kind == "large" else [body]


def saying(body: bytes) -> WSGIApp:
    def replacement(_: Environ, start: StartResponse) -> Iterable[bytes]:
        start("507 Insufficient Storage", [])
        return [body]

    return replacement


class Plan(NamedTuple):
    """The requests of one client: the kinds of those that are sent together, how they are.

    ``pieces`` is how many bytes are sent at a time; with ``expects`` a last request waits to be
    told that it may send its body; with ``is_cut`` the server ends it.
    """

    over_tls: bool
    pipelined: list[list[str]]
    pieces: int
    expects: bool
    is_cut: bool


PLANS = st.builds(
    Plan,
    st.booleans(),
    st.lists(st.lists(st.sampled_from(KINDS), max_size=4), max_size=4),
    st.sampled_from([7, 50, 1000]),
    st.booleans(),
    st.booleans(),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    certificate = authority(tmp_path_factory.mktemp("authority")).issue()
    server = Server(app, tls_port=0, certificate=certificate)
    server.start()
    yield server
    server.stop()


@given(st.lists(PLANS, min_size=1, max_size=6))
@settings(max_examples=examples(40))
def test_each_connection_gets_its_answers(server: Server, plans: list[Plan]) -> None:
    with ThreadPoolExecutor(len(plans)) as pool:
        for client in [
            pool.submit(follow, server, f"{number}", plan) for number, plan in enumerate(plans)
        ]:
            client.result()


def follow(server: Server, name: str, plan: Plan) -> None:
    """Ask what a plan says, and compare the answers."""
    with connect(server, plan) as connection, connection.makefile("rb") as received:
        for number, kinds in enumerate(plan.pipelined):
            paths = [f"/{kind}/{name}/{number}/{at}" for at, kind in enumerate(kinds)]
            sent = b"".join(head(path, b"Content-Length: 4\r\n") + b"body" for path in paths)
            for begin in range(0, len(sent), plan.pieces):
                connection.sendall(sent[begin : begin + plan.pieces])
            for path, kind in zip(paths, kinds, strict=True):
                status, body = next_answer(received)
                assert status == (507 if kind == "replaced" else 200)
                is_large = kind in {"large", "poured"}
                assert body == path.encode() + b"body" + (bytes(LARGE) if is_large else b"")
        if plan.expects:
            connection.sendall(head("/quick", b"Content-Length: 4\r\nExpect: 100-continue\r\n"))
            assert received.readline() + received.readline() == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(b"body")
            assert next_answer(received) == (200, b"/quickbody")
        if plan.is_cut:
            connection.sendall(head("/quick") + head("/cut") + head("/quick"))
            assert next_answer(received) == (200, b"/quick")
            assert rest_of(received) == b""


def connect(server: Server, plan: Plan) -> socket.socket:
    origin = server.tls_origin if plan.over_tls else server.origin
    assert origin is not None
    address = ("127.0.0.1", int(origin.rpartition(":")[2]))
    connection = socket.create_connection(address, timeout=TIMEOUT)
    if not plan.over_tls:
        return connection
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(connection)


def head(path: str, fields: bytes = b"") -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\n".encode() + fields + b"\r\n"


def next_answer(received: IO[bytes]) -> tuple[int, bytes]:
    """Return the status and the body of the answer that comes next."""
    status = int(received.readline().split()[1])
    fields: dict[bytes, bytes] = {}
    while (line := received.readline().strip()) != b"":
        name, _, value = line.partition(b": ")
        fields[name] = value
    if b"Content-Length" in fields:
        return status, received.read(int(fields[b"Content-Length"]))
    body = b""
    while size := int(received.readline(), 16):
        body += received.read(size)
        received.readline()
    received.readline()
    return status, body


def rest_of(received: IO[bytes]) -> bytes:
    try:
        return received.read()
    except (ConnectionError, ssl.SSLError):
        return b""
