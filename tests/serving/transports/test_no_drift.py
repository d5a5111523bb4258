"""The same requests over a socket and in process, through each library: the same comes of it."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import examples

from mockgraph.app import create_app
from mockgraph.serving.server import Server
from mockgraph.serving.transports import Intercept

from .clients import LIBRARIES, TRANSPORTS, TRUST, Reply, Request
from .echo import LARGE, echo

HOST = "https://graph.microsoft.com"
JSON = {"Authorization": "Bearer x", "Content-Type": "application/json"}
ALERTS = "/v1.0/security/alerts"

REQUESTS: dict[str, Request] = {
    "a GET": Request("GET", "/a/b?c=d"),
    "no path": Request("GET", ""),
    "an escaped slash": Request("GET", "/a%2Fb/c%252Fd"),
    "escapes in both cases": Request("GET", "/%c3%A9%20%e2%82%ac?%24filter=a%20eq%20%27%c3%a9%27"),
    "a plus and a semicolon": Request("GET", "/a+b;c=d?e=f+g;h&i=%2B"),
    "a query of nothing": Request("GET", "/a?"),
    "a query with question marks": Request("GET", "/a?b?c=d?e"),
    "a query of options": Request("GET", "/a?$top=5&$filter=b%20eq%20'c'&$orderby=d,e"),
    "slashes upon slashes": Request("GET", "/a//b///"),
    "no escape at all": Request("GET", "/a(b='c',d=@e)/$value"),
    "headers": Request("GET", "/h", {"X-A": "1", "Accept": "x/y", "If-Match": 'W/"7"', "X-E": ""}),
    "a cookie": Request("GET", "/h", {"Cookie": "a=b; c=d"}),
    "64 KB of headers": Request("GET", "/h", {f"X-{n}": "v" * 4000 for n in range(16)}),
    "a POST": Request("POST", "/p", JSON, b'{"a": 1}'),
    "a POST of text": Request("POST", "/p", JSON, '{"a": "\u00e9\u20ac\U0001f600"}'.encode()),
    "a POST of bytes": Request("POST", "/p", {"Content-Type": "x/y"}, bytes(range(256)) * 4),
    "a POST of nothing": Request("POST", "/p", JSON, b""),
    "a PATCH": Request("PATCH", "/p", JSON, b"{}"),
    "a large PUT": Request("PUT", "/p", JSON, LARGE),
    "a DELETE": Request("DELETE", "/p"),
    "an upload in chunks": Request("POST", "/p", JSON, [b"one", b"two" * 9000, b"x"]),
    "an upload in one chunk": Request("PUT", "/p", {}, [LARGE]),
    "chunks by the header only": Request(
        "PUT", "/p", {"Transfer-Encoding": "chunked"}, b'{"a": 1}'
    ),
    "an OPTIONS": Request("OPTIONS", "/o"),
    "a HEAD": Request("HEAD", "/h?x=y"),
    "no content": Request("GET", "/status/204"),
    "not modified": Request("GET", "/status/304"),
    "not found": Request("GET", "/status/404"),
    "unavailable": Request("PATCH", "/status/503", JSON, b"{}"),
    "an odd status": Request("GET", "/status/299"),
    "a stream": Request("GET", "/stream"),
    "a stream of a known length": Request("GET", "/sized"),
    "cookies in the answer": Request("GET", "/cookies"),
    "a redirect": Request("GET", "/redirect"),
    "wide headers in the answer": Request("GET", "/wide"),
    "an empty answer": Request("GET", "/empty"),
}

GRAPH: dict[str, Request] = {
    "the singleton": Request("GET", "/localtest/Security", JSON),
    "a list": Request("GET", f"{ALERTS}?$orderby=id&$count=true", JSON),
    "an update": Request("PATCH", "/localtest/security", JSON, b'{"providerStatus": []}'),
    "a creation": Request(
        "POST",
        ALERTS,
        JSON,
        '{"title": "\u00fc", "vendorInformation": {"provider": "p", "vendor": "v"}}'.encode(),
    ),
    "malformed JSON": Request("PATCH", "/localtest/security", JSON, b"{"),
    "JSON in chunks": Request(
        "PATCH", "/localtest/security", JSON, [b'{"providerSta', b'tus": 5}']
    ),
    "an unknown id": Request("GET", f"{ALERTS}/none", JSON),
    "an unknown segment": Request("GET", "/v1.0/security/nothing%2Fmuch", JSON),
    "no token": Request("GET", ALERTS),
    "a wrong method": Request("DELETE", "/localtest/Security", JSON),
    "a HEAD": Request("HEAD", "/localtest/Security", JSON),
    "too large a body": Request("PATCH", "/localtest/security", JSON, [b" " * 1_100_000] * 4),
}

TIMES = 3  # a head is known from the third time on

# What is new with each answer.
_NEW = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|W/\\?\"[^\"]*\"|\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)?")
# What the live server says of itself, and of the connection.
_OMITTED = {"date", "server", "connection"}


@pytest.fixture(scope="module")
def live_echo() -> Iterator[str]:
    server = Server(echo)
    server.start()
    yield server.origin
    server.stop()


@pytest.fixture(scope="module")
def graph() -> Iterator[tuple[Any, str]]:
    """An app, so one state, and its origin."""
    app = create_app()
    server = Server(app)
    server.start()
    yield app, server.origin
    server.stop()
    app.extensions["mockgraph"].close()


def at(origin: str, request: Request) -> Request:
    return request._replace(url=f"{origin}{request.url}")


def told(reply: Reply, origin: str) -> tuple[int, Any, Any]:
    """Return the part of an answer that does not depend on place and time."""

    def plain(text: str) -> str:
        return _NEW.sub("new", text.replace(origin, "origin"))

    headers = [(n, plain(v)) for n, v in reply.headers if n not in _OMITTED]
    try:
        return reply.status, headers, json.loads(plain(reply.body.decode()))
    except ValueError:
        return reply.status, headers, reply.body


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("library", LIBRARIES)
def test_whatever_is_asked(library: str, name: str, live_echo: str) -> None:
    ask, request = LIBRARIES[library], at(live_echo, REQUESTS[name])
    live = told(ask(request), live_echo)
    with Intercept(echo):
        for _ in range(TIMES):
            assert told(ask(at(HOST, REQUESTS[name])), HOST) == live
    if library in TRANSPORTS:
        for _ in range(TIMES):
            assert told(TRANSPORTS[library](request, echo), live_echo) == live


@pytest.mark.parametrize("name", GRAPH)
@pytest.mark.parametrize("library", LIBRARIES)
def test_graph(library: str, name: str, graph: tuple[Any, str]) -> None:
    app, origin = graph
    ask, request = LIBRARIES[library], at(origin, GRAPH[name])
    live = told(ask(request), origin)
    with Intercept(app, hosts=["127.0.0.1"]):  # the same URL, as answers repeat it
        assert told(ask(request), origin) == live
    if library in TRANSPORTS:
        assert told(TRANSPORTS[library](request, app), origin) == live


READS = ("read", "read1", "readline", "peek", "readinto")


def read_by(answer: http.client.HTTPResponse, reads: list[tuple[str, int]]) -> bytes:
    """Read an answer in these ways, then to its end; what is peeked at comes next."""
    pieces, ahead = [], b""
    for how, size in reads:
        if how == "peek":
            ahead = answer.peek(size)
            continue
        if how == "readinto":
            buffer = bytearray(size)
            piece = bytes(buffer[: answer.readinto(buffer)])
        else:
            piece = getattr(answer, how)(size)
        assert piece.startswith(ahead[: len(piece)])
        ahead = b""
        pieces.append(piece)
    return b"".join([*pieces, answer.read()])


@pytest.mark.parametrize("path", ["/a", "/sized", "/stream", "/empty", "/status/204"])
@given(st.lists(st.tuples(st.sampled_from(READS), st.integers(1, 300)), max_size=6))
@settings(max_examples=examples(25))
def test_an_answer_is_read_in_all_ways(path: str, reads: list[tuple[str, int]]) -> None:
    bodies = []
    for ways in (reads, []):
        with Intercept(echo):
            connection = http.client.HTTPSConnection("graph.microsoft.com", context=TRUST)
            connection.request("GET", path)
            bodies.append(read_by(connection.getresponse(), ways))
    assert bodies[0] == bodies[1]
