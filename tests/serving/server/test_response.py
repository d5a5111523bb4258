"""Answers of an app as the bytes of HTTP: framing, the end of a connection, apps that fail."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockgraph.serving.http1_parser import RequestParser, base_environ
from mockgraph.serving.http1_writer import head
from mockgraph.serving.server.response import respond

StartResponse = Callable[..., Any]
App = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class Sink:
    """Keeps what is sent to it."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.is_cut = False

    def send(self, data: bytes) -> None:
        if not self.is_cut:
            self.sent.append(data)

    pour = send

    def cut(self) -> None:
        self.is_cut = True


def answered(
    app: App, head: bytes = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", *, last: bool = False
) -> tuple[str, dict[str, str], bytes, bool]:
    """The status line, headers, and body as sent, and whether the connection is kept."""
    sink = Sink()
    parser = RequestParser(base_environ("http", "127.0.0.1", 80), 1000)
    parser.feed(head)
    _, keep = respond(app, parser.ready.popleft(), sink, lambda: last)
    sent, _, body = b"".join(sink.sent).partition(b"\r\n\r\n")
    status, *lines = sent.decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert len(headers) == len(lines)
    if sent:
        assert headers.pop("Date").endswith(" GMT")
        assert headers.pop("Server").startswith("MockGraph/")
    return status, headers, body, keep


def saying(*pieces: bytes, status: str = "200 OK", whole: bool = False, **headers: str) -> App:
    def app(_: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        start(status, [(name.replace("_", "-"), value) for name, value in headers.items()])
        return list(pieces) if whole else iter(pieces)

    return app


HEAD = b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"
OLD = b"GET / HTTP/1.0\r\n\r\n"
KEPT = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = {"Transfer-Encoding": "chunked"}
CLOSE = {"Connection": "close"}

FRAMED: dict[str, tuple[App, bytes, dict[str, str], bytes, bool]] = {
    "whole": (saying(b"ab", b"c", whole=True), GET, {"Content-Length": "3"}, b"abc", True),
    "nothing": (saying(whole=True), GET, {"Content-Length": "0"}, b"", True),
    "in pieces": (saying(b"ab", b"", b"c"), GET, CHUNKED, b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", True),
    "no pieces": (saying(), GET, {"Content-Length": "0"}, b"", True),
    "pieces of known length": (
        saying(b"ab", b"c", Content_Length="3"),
        GET,
        {"Content-Length": "3"},
        b"abc",
        True,
    ),
    "less than announced": (
        saying(b"ab", Content_Length="3"),
        GET,
        {"Content-Length": "3"},
        b"ab",
        False,
    ),
    "more than announced": (
        saying(b"abcd", whole=True, Content_Length="3"),
        GET,
        {"Content-Length": "3"},
        b"abcd",
        False,
    ),
    "no content": (saying(b"x", status="204 No Content"), GET, {}, b"", True),
    "not modified": (saying(status="304 Not Modified", whole=True), GET, {}, b"", True),
    "the head alone": (saying(b"abc", whole=True), HEAD, {}, b"", True),
    "the head alone, of known length": (
        saying(b"abc", Content_Length="3"),
        HEAD,
        {"Content-Length": "3"},
        b"",
        True,
    ),
    "HTTP/1.0": (
        saying(b"abc", whole=True),
        OLD,
        {"Content-Length": "3", **CLOSE},
        b"abc",
        False,
    ),
    "HTTP/1.0, kept": (
        saying(b"abc", whole=True),
        KEPT,
        {"Content-Length": "3", "Connection": "keep-alive"},
        b"abc",
        True,
    ),
    "HTTP/1.0, in pieces": (saying(b"ab", b"c"), KEPT, CLOSE, b"abc", False),
    "closed by the app": (
        saying(b"a", whole=True, connection="Close"),
        GET,
        {"Content-Length": "1", "connection": "Close"},
        b"a",
        False,
    ),
}


@pytest.mark.parametrize("name", FRAMED)
def test_framing(name: str) -> None:
    app, head, headers, body, keep = FRAMED[name]
    assert answered(app, head)[1:] == (headers, body, keep)


def test_the_last_answer_says_so() -> None:
    status, headers, _, keep = answered(saying(b"a", whole=True), last=True)
    assert (status, headers["Connection"], keep) == ("HTTP/1.1 200 OK", "close", False)


def test_what_is_written_comes_first() -> None:
    def whole(_: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        write = start("200 OK", [])
        write(b"a")
        return [b"b"]

    def pieces(_: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        start("200 OK", [("Content-Length", "2")])(b"a")
        yield b"b"

    assert answered(whole)[2] == b"ab"
    assert answered(pieces)[2] == b"ab"


class Closing:
    """An iterable that an app wants closed, and that fails where it is told to."""

    def __init__(self, *pieces: bytes, error: Exception | None = None):
        self.pieces, self.error, self.closed = pieces, error, False

    def __iter__(self) -> Iterator[bytes]:
        yield from self.pieces
        if self.error:
            raise self.error

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("head", [GET, HEAD])
def test_a_body_is_closed(head: bytes) -> None:
    body = Closing(b"a", b"b")

    def app(_: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        start("200 OK", [])
        return body

    assert answered(app, head)[3]
    assert body.closed


def failing(_: dict[str, Any], __: StartResponse) -> Iterable[bytes]:
    raise ZeroDivisionError


def leaving(_: dict[str, Any], __: StartResponse) -> Iterable[bytes]:
    sys.exit(3)


def failing_late(_: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
    start("200 OK", [])
    return Closing(error=ValueError())


def silent(_: dict[str, Any], __: StartResponse) -> Iterable[bytes]:
    return [b"a"]


def twice(_: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
    start("200 OK", [])
    start("200 OK", [])
    return []


FAILING: dict[str, App] = {
    "raises": failing,
    "exits": leaving,
    "does not start": silent,
    "starts twice": twice,
    "gives no status": saying(status="fine"),
    "gives a length that is none": saying(b"a", Content_Length="many"),
    "breaks a header": saying(b"a", whole=True, X="y\r\nSet-Cookie: z"),
    "breaks a header by half": saying(b"a", X="y\nz"),
    "gives no latin-1": saying(b"a", X="\u20ac"),
    "fails at the first piece": failing_late,
}


@pytest.mark.parametrize("name", FAILING)
def test_an_app_that_fails_is_answered_for(name: str, caplog: pytest.LogCaptureFixture) -> None:
    status, headers, body, keep = answered(FAILING[name])
    assert (status, keep) == ("HTTP/1.1 500 Internal Server Error", False)
    assert headers["Connection"] == "close"
    assert json.loads(body)["error"]["code"] == "InternalServerError"
    assert [record.getMessage() for record in caplog.records] == ["GET / failed"]


def test_an_app_that_fails_halfway_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    body = Closing(b"a", error=ValueError())

    def app(_: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        start("200 OK", [])
        return body

    status, headers, sent, keep = answered(app)
    assert (status, headers, sent, keep) == ("HTTP/1.1 200 OK", CHUNKED, b"1\r\na\r\n", False)
    assert body.closed
    assert len(caplog.records) == 1


def test_an_app_may_think_better_of_it() -> None:
    def app(_: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        start("200 OK", [("X", "1")])
        try:
            raise ValueError
        except ValueError:
            start("503 Service Unavailable", [("Y", "2")], sys.exc_info())
        return [b"a"]

    status, headers, body, _ = answered(app)
    assert (status, headers) == (
        "HTTP/1.1 503 Service Unavailable",
        {"Y": "2", "Content-Length": "1"},
    )
    assert body == b"a"


def test_an_app_may_not_think_better_of_it_too_late() -> None:
    def app(_: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        start("200 OK", [("Content-Length", "2")])
        yield b"a"
        try:
            raise ValueError
        except ValueError:
            start("503 Service Unavailable", [], sys.exc_info())
        yield b"b"

    _, _, body, keep = answered(app)
    assert (body, keep) == (b"a", False)


def test_nothing_is_asked_of_an_app_whose_client_has_gone() -> None:
    sink = Sink()
    asked: list[int] = []

    def app(_: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        start("200 OK", [])
        for number in range(10):
            asked.append(number)
            yield b"x"
            sink.cut()

    parser = RequestParser(base_environ("http", "127.0.0.1", 80), 1000)
    parser.feed(GET)
    assert respond(app, parser.ready.popleft(), sink, lambda: False) == ("200 OK", False)
    assert asked == [0, 1]


NAMES = st.sampled_from(["X", "x-a", "Content-Type", "Content-Length", "date", "X%s", "Connection"])
VALUES = st.text(st.characters(codec="latin-1"), max_size=5) | st.sampled_from(["3", "close"])


@given(
    st.sampled_from(["200 OK", "404 Not %s", "204 No Content", "101 Other", "2x"]),
    st.lists(st.tuples(NAMES, VALUES), max_size=6),
    st.sampled_from([GET, HEAD, OLD, KEPT]),
)
def test_a_head_is_as_if_written_field_by_field(
    status: str, headers: list[tuple[str, str]], asked: bytes
) -> None:
    def app(_: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        start(status, list(headers))
        return [b"abc"]

    sink = Sink()
    parser = RequestParser(base_environ("http", "127.0.0.1", 80), 1000)
    parser.feed(asked)
    told, keep = respond(app, parser.ready.popleft(), sink, lambda: False)
    try:
        expected = head(f"HTTP/1.1 {status}", headers, b"")
        lengths = [int(value) for name, value in headers if name == "Content-Length"]
    except ValueError:
        expected, lengths = b"", []
    if not expected or not status[:3].isdigit():
        assert (told, keep) == ("500", False)
        return
    assert told == status
    assert sink.sent[0].startswith(expected)
    begin, _, body = sink.sent[0].removeprefix(expected).partition(b"\r\n\r\n")
    added = [line.partition(b": ")[0] for line in begin.split(b"\r\n")]
    names = {name.lower() for name, _ in headers}
    has_content = status[:3] not in {"204", "101"} and asked is not HEAD
    assert body == (b"abc" if has_content else b"")
    assert (b"Content-Length" in added) == (has_content and "content-length" not in names)
    assert (b"Date" in added) == ("date" not in names)
    assert b"Server" in added
    closes = [value for name, value in headers if name == "Connection"][-1:] == ["close"]
    is_whole = not has_content or lengths[-1:] in ([], [3])
    assert keep == (asked is not OLD and not closes and is_whole)
