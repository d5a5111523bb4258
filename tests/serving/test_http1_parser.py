"""The parser of requests: every way to cut them into pieces gives the same."""

from __future__ import annotations

import errno
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from state.stores import failing

from mockgraph.serving import http1_parser
from mockgraph.serving.http1_parser import MAX_HEAD, SMALL, RequestParser, base_environ
from mockgraph.wsgi import SPOOLED

BASE = base_environ("http", "127.0.0.1", 8365)
HOST = b"Host: x\r\n"
LIMIT = 1000
# What stands in an environ that no client sent.
OWN = {*BASE, "wsgi.input", "SERVER_PROTOCOL", "REQUEST_METHOD", "PATH_INFO", "QUERY_STRING"}

Read = tuple[str, str, str, dict[str, str], bytes, bool]


def requests_in(*pieces: bytes) -> tuple[list[Read], int | None]:
    """The parser in what was sent, and the status that the rest was refused with."""
    parser = RequestParser(BASE, LIMIT)
    read: list[Read] = []
    for piece in pieces:
        if not parser.ended:
            parser.feed(piece)
        while parser.ready:
            environ, keep = parser.ready.popleft()
            read.append(as_read(environ, keep))
    return read, parser.refusal.status if parser.refusal else None


def as_read(environ: dict[str, Any], keep: bool) -> Read:
    headers = {name: value for name, value in environ.items() if name not in OWN}
    return (
        environ["REQUEST_METHOD"],
        environ["PATH_INFO"],
        environ["QUERY_STRING"],
        {name: value for name, value in headers.items() if name not in ("HTTP_HOST",)},
        environ["wsgi.input"].read(LIMIT * 2) if environ["wsgi.input"] else b"",
        keep,
    )


def head(line: bytes, *fields: bytes) -> bytes:
    return b"\r\n".join([line + b" HTTP/1.1", b"Host: x", *fields, b"", b""])


def uri(target: str, **headers: str) -> dict[str, str]:
    return {"REQUEST_URI": target, **headers}


H2C = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk")
UPGRADING = {
    "HTTP_CONNECTION": "Upgrade, HTTP2-Settings",
    "HTTP_UPGRADE": "h2c",
    "HTTP_HTTP2_SETTINGS": "AAMAAABk",
}
NEXT = head(b"GET /next")
THEN: Read = ("GET", "/next", "", uri("/next"), b"", True)

READ: dict[str, tuple[bytes, list[Read]]] = {
    "a path and a query": (
        head(b"GET /a?b=c%20d"),
        [("GET", "/a", "b=c%20d", uri("/a?b=c%20d"), b"", True)],
    ),
    "an encoded path": (
        head(b"GET /a%2Fb%C3%A4?%24top=1"),
        [("GET", "/a/b\xc3\xa4", "%24top=1", uri("/a%2Fb%C3%A4?%24top=1"), b"", True)],
    ),
    "a body": (
        head(b"PATCH /a", b"Content-Type: application/json", b"Content-Length: 2") + b"{}" + NEXT,
        [
            (
                "PATCH",
                "/a",
                "",
                uri("/a", CONTENT_TYPE="application/json", CONTENT_LENGTH="2"),
                b"{}",
                True,
            ),
            THEN,
        ],
    ),
    "chunks, with a trailer that is no header": (
        head(b"PATCH /a", b"Transfer-Encoding: chunked")
        + b"1;x=y\r\n{\r\n1\r\n}\r\n0\r\nAuthorization: evil\r\n\r\n"
        + NEXT,
        [("PATCH", "/a", "", uri("/a", HTTP_TRANSFER_ENCODING="chunked"), b"{}", True), THEN],
    ),
    "the same field twice": (
        head(b"GET /", b"Prefer: a", b"prefer: b"),
        [("GET", "/", "", uri("/", HTTP_PREFER="a,b"), b"", True)],
    ),
    "blanks around a value": (
        head(b"GET /", b"Prefer: \t a b \t "),
        [("GET", "/", "", uri("/", HTTP_PREFER="a b"), b"", True)],
    ),
    "names that would stand for others": (
        head(b"GET /", b"X_Id: 1", b"Content_Length: 5", b"X-Id: 2"),
        [("GET", "/", "", uri("/", HTTP_X_ID="2"), b"", True)],
    ),
    "another protocol offered": (
        head(b"GET /a", *H2C) + NEXT,
        [("GET", "/a", "", uri("/a", **UPGRADING), b"", True), THEN],
    ),
    "another protocol offered with a body": (
        head(b"PATCH /a", *H2C, b"Content-Length: 2") + b"{}" + NEXT,
        [
            ("PATCH", "/a", "", uri("/a", CONTENT_LENGTH="2", **UPGRADING), b"{}", True),
            THEN,
        ],
    ),
    "another protocol offered with chunks": (
        head(b"PATCH /a", *H2C, b"Transfer-Encoding: chunked") + b"2\r\n{}\r\n0\r\n\r\n" + NEXT,
        [
            (
                "PATCH",
                "/a",
                "",
                uri("/a", HTTP_TRANSFER_ENCODING="chunked", **UPGRADING),
                b"{}",
                True,
            ),
            THEN,
        ],
    ),
    "as to a proxy": (
        head(b"GET http://graph.microsoft.com/v1.0/security?a"),
        [
            (
                "GET",
                "/v1.0/security",
                "a",
                uri("http://graph.microsoft.com/v1.0/security?a"),
                b"",
                True,
            )
        ],
    ),
    "as to a proxy, without a path": (
        head(b"GET http://graph.microsoft.com"),
        [("GET", "/", "", uri("http://graph.microsoft.com"), b"", True)],
    ),
    "the last": (
        head(b"GET /a", b"Connection: close") + NEXT,
        [("GET", "/a", "", uri("/a", HTTP_CONNECTION="close"), b"", False)],
    ),
    "a tunnel": (
        head(b"CONNECT graph.microsoft.com:443") + b"\x16\x03\x01",
        [("CONNECT", "graph.microsoft.com:443", "", uri("graph.microsoft.com:443"), b"", False)],
    ),
    "HTTP/1.0": (b"GET /a HTTP/1.0\r\n\r\n", [("GET", "/a", "", uri("/a"), b"", False)]),
    "HTTP/1.0, kept": (
        b"GET /a HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
        [("GET", "/a", "", uri("/a", HTTP_CONNECTION="Keep-Alive"), b"", True)],
    ),
    "HTTP/1.0 with chunks, to be kept": (
        b"PATCH /a HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"2\r\n{}\r\n0\r\n\r\n",
        [
            (
                "PATCH",
                "/a",
                "",
                uri("/a", HTTP_CONNECTION="keep-alive", HTTP_TRANSFER_ENCODING="chunked"),
                b"{}",
                False,
            )
        ],
    ),
    "empty lines before": (b"\r\n\r\n" + NEXT, [THEN]),
}


@pytest.mark.parametrize("name", READ)
def test_read(name: str) -> None:
    sent, expected = READ[name]
    assert requests_in(sent) == (expected, None)


@pytest.mark.parametrize("name", READ)
def test_read_byte_by_byte(name: str) -> None:
    sent, expected = READ[name]
    assert requests_in(*(bytes([byte]) for byte in sent)) == (expected, None)


@given(
    st.lists(st.sampled_from([sent for sent, expected in READ.values() if expected[-1][-1]])),
    st.lists(st.integers(0, 2000)),
)
def test_read_in_any_pieces(sent: list[bytes], cuts: list[int]) -> None:
    data = b"".join(sent)
    at = sorted({0, *(cut for cut in cuts if cut < len(data)), len(data)})
    pieces = [data[start:end] for start, end in pairwise(at)]
    whole = requests_in(data)
    assert whole[1] is None
    assert requests_in(*pieces) == whole


@given(
    st.sampled_from([sent for sent, _ in READ.values()]),
    st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=4)), max_size=4),
)
def test_whatever_comes_is_read_or_refused(sent: bytes, changes: list[tuple[int, bytes]]) -> None:
    for place, put in changes:
        sent = sent[:place] + put + sent[place + 1 :]
    read, refused = requests_in(sent)
    assert all(isinstance(environ, tuple) for environ in read)
    assert refused in (None, 400, 414, 431)


def test_the_host_of_a_proxy_request_is_that_of_its_url() -> None:
    parser = RequestParser(BASE, LIMIT)
    parser.feed(head(b"GET http://graph.microsoft.com:80?a=b"))
    environ = parser.ready[0].environ
    assert environ["HTTP_HOST"] == "graph.microsoft.com:80"


def test_the_environment_of_the_process_is_none_of_the_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_AUTHORIZATION", "Bearer leaked")
    monkeypatch.setenv("HTTP_PROXY", "http://leaked")
    ((*_, headers, _, _),), _ = requests_in(head(b"GET /"))
    assert headers == uri("/")


TOO_LARGE = {
    "announced": head(b"PATCH /", b"Content-Length: %d" % (LIMIT + 1)),
    "in chunks": head(b"PATCH /", b"Transfer-Encoding: chunked") + b"400\r\n" + b" " * 1024,
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_a_body_that_is_too_large_is_not_waited_for(name: str) -> None:
    parser = RequestParser(BASE, LIMIT)
    parser.feed(TOO_LARGE[name])
    environ, keep = parser.ready.popleft()
    body = environ["wsgi.input"]
    assert (keep, parser.ended, parser.abandoned) == (False, True, True)
    assert int(environ.get("CONTENT_LENGTH", 0)) > LIMIT or len(body.read(LIMIT + 1)) > LIMIT
    assert body.read(0) == b""
    with pytest.raises(OSError, match="larger than"):
        body.read()


@pytest.mark.parametrize("framing", ["announced", "chunked"])
@pytest.mark.parametrize(("size", "asked"), [(SMALL, 0), (SMALL + 1, 1), (SMALL * 9, 1)])
def test_how_much_of_a_large_body_is_worth_reading(framing: str, size: int, asked: int) -> None:
    heads: list[tuple[str, str]] = []

    def body_limit(environ: dict[str, Any]) -> int:
        heads.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        return SMALL * 10

    parser = RequestParser(BASE, LIMIT, body_limit)
    if framing == "announced":
        parser.feed(head(b"PUT /large", b"Content-Length: %d" % size) + b" " * size)
    else:
        parser.feed(head(b"PUT /large", b"Transfer-Encoding: chunked"))
        parser.feed(b"%x\r\n%b\r\n0\r\n\r\n" % (size, b" " * size))
    environ, keep = parser.ready.popleft()
    assert (len(environ["wsgi.input"].read()), keep) == (size, True)
    assert heads == [("PUT", "/large")] * asked


def test_what_is_not_worth_reading_is_not_read() -> None:
    parser = RequestParser(BASE, LIMIT, lambda _: 0)
    parser.feed(head(b"PUT /large", b"Content-Length: %d" % (SMALL + 1)))
    assert parser.abandoned
    parser = RequestParser(BASE, LIMIT, lambda _: 0)
    parser.feed(head(b"PUT /large", b"Transfer-Encoding: chunked"))
    parser.feed(b"%x\r\n%b" % (SMALL * 9, b" " * SMALL))
    assert not parser.abandoned
    parser.feed(b" ")
    assert parser.abandoned


def test_a_body_as_large_as_may_be() -> None:
    sent = head(b"PATCH /", b"Content-Length: %d" % LIMIT) + b" " * LIMIT
    ((*_, body, keep),), refused = requests_in(sent)
    assert (len(body), keep, refused) == (LIMIT, True, None)


def test_a_client_that_waits_to_be_told_to_go_on() -> None:
    parser = RequestParser(BASE, LIMIT)
    parser.feed(head(b"PATCH /", b"Expect: 100-Continue", b"Content-Length: 2"))
    assert parser.waits
    parser.feed(b"{}")
    assert not parser.waits
    assert len(parser.ready) == 1


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HT",
        head(b"GET /")[:-2],
        head(b"PATCH /", b"Content-Length: 2") + b"{",
        head(b"PATCH /", b"Transfer-Encoding: chunked") + b"2\r\n{}\r\n",
    ],
)
def test_what_ends_too_early_is_no_request(sent: bytes) -> None:
    parser = RequestParser(BASE, LIMIT)
    parser.feed(sent)
    parser.end()
    assert not parser.ready
    assert parser.refusal is not None
    assert parser.refusal.message == "The request ended before it was complete."


def test_an_end_after_a_request_is_no_fault() -> None:
    parser = RequestParser(BASE, LIMIT)
    parser.feed(NEXT)
    parser.end()
    assert len(parser.ready) == 1
    assert (parser.refusal, parser.ended, parser.abandoned) == (None, True, False)


def test_a_head_without_end_is_not_kept() -> None:
    parser = RequestParser(BASE, LIMIT)
    line = b"X: " + b"y" * 1000 + b"\r\n"
    parser.feed(head(b"GET /")[:-2])
    fed = 0
    while not parser.ended:
        parser.feed(line)
        fed += len(line)
    assert MAX_HEAD - len(line) <= fed <= MAX_HEAD + len(line)
    assert parser.refusal is not None
    assert parser.refusal.status == 431


CHUNKED = head(b"PATCH /", b"Transfer-Encoding: chunked") + b"2\r\n{}\r\n"


@pytest.mark.parametrize(
    ("begin", "line"),
    [
        (CHUNKED + b"0\r\n", b"X: y\r\n"),
        (CHUNKED + b"0\r\n", b"X" * 1000),
        (CHUNKED + b"0\r\nX: ", b"y" * 1000),
        (CHUNKED + b"2;x=", b"y" * 1000),
    ],
)
def test_trailers_and_extensions_without_end_are_not_kept(begin: bytes, line: bytes) -> None:
    parser = RequestParser(BASE, LIMIT)
    parser.feed(begin)
    fed = 0
    while not parser.ended:
        parser.feed(line)
        fed += len(line)
    assert fed <= MAX_HEAD + len(line)
    assert not parser.ready
    assert parser.refusal is not None
    assert parser.refusal.status == 431


def test_small_chunks_may_be_many_and_have_extensions() -> None:
    most = 900
    sent = [CHUNKED[:-7], *[b"1;" + b"x" * 200 + b"\r\n \r\n"] * most, b"0\r\nX: y\r\n\r\n"]
    ((*_, body, keep),), refused = requests_in(*sent)
    assert (len(body), keep, refused) == (most, True, None)


@pytest.mark.parametrize("coding", [b"gzip, chunked", b"identity, chunked"])
def test_a_coding_that_is_not_known_is_refused(coding: bytes) -> None:
    sent = head(b"PATCH /", b"Transfer-Encoding: " + coding) + b"2\r\n{}\r\n0\r\n\r\n"
    assert requests_in(sent) == ([], 400)


@pytest.mark.parametrize("offer", [H2C, (*H2C, b"Content-Length: 2")])
def test_another_protocol_may_be_offered_any_number_of_times(offer: tuple[bytes, ...]) -> None:
    body = b"{}" if len(offer) > len(H2C) else b""
    read, refused = requests_in((head(b"PATCH /a", *offer) + body) * 2000)
    assert (len(read), refused) == (2000, None)
    assert {each[4] for each in read} == {body}


@pytest.mark.parametrize("length", [b"02", b"0" * 4300 + b"2"])
def test_zeros_before_a_length_count_for_nothing(length: bytes) -> None:
    ((*_, headers, body, keep),), refused = requests_in(
        head(b"PATCH /", b"Content-Length: " + length) + b"{}"
    )
    assert (headers["CONTENT_LENGTH"], body, keep, refused) == ("2", b"{}", True, None)


def test_a_length_of_too_many_digits_is_refused() -> None:
    assert requests_in(head(b"PATCH /", b"Content-Length: " + b"9" * 4301)) == ([], 400)


def test_only_its_own_bytes_count_for_a_head() -> None:
    many = NEXT * (MAX_HEAD // len(NEXT))
    read, refused = requests_in(many + NEXT[:-2], NEXT[-2:])
    assert (len(read), refused) == (MAX_HEAD // len(NEXT) + 1, None)


def test_a_head_without_end_behind_another_request_is_not_kept() -> None:
    parser = RequestParser(BASE, LIMIT)
    parser.feed(NEXT + NEXT[:-2])
    fed = 0
    while not parser.ended:
        parser.feed(b"X: " + b"y" * 1000 + b"\r\n")
        fed += 1005
    assert fed <= MAX_HEAD + 1005
    assert parser.refusal is not None
    assert parser.refusal.status == 431


def test_a_client_of_http_1_0_waits_for_nothing() -> None:
    parser = RequestParser(BASE, LIMIT)
    parser.feed(b"PATCH / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    assert parser.under_way
    assert not parser.waits


@pytest.mark.parametrize("framing", ["announced", "chunked"])
@pytest.mark.parametrize("size", [999, 1000, 1001, 5000])
def test_a_large_body_is_kept_in_a_file(
    framing: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http1_parser, "_IN_MEMORY", 1000)
    body = bytes(number % 251 for number in range(size))
    if framing == "announced":
        sent = head(b"PUT /", b"Content-Length: %d" % size) + body
    else:
        sent = head(b"PUT /", b"Transfer-Encoding: chunked")
        sent += b"%x\r\n%b\r\n0\r\n\r\n" % (size, body)
    parser = RequestParser(BASE, 5000)
    for at in range(0, len(sent), 300):
        parser.feed(sent[at : at + 300])
    parser.feed(head(b"GET /next"))
    environ, next_one = (each.environ for each in parser.ready)
    assert environ["wsgi.input"].read() == body
    assert environ.get(SPOOLED) == (size if size > 1000 else None)
    assert next_one["PATH_INFO"] == "/next"
    assert next_one["wsgi.input"].read() == b""
    parser.forget()
    assert environ["wsgi.input"].closed is (size > 1000)


def test_a_body_in_a_file_that_grows_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http1_parser, "_IN_MEMORY", 1000)
    parser = RequestParser(BASE, 3000)
    parser.feed(head(b"PUT /", b"Transfer-Encoding: chunked"))
    parser.feed(b"7d0\r\n" + b" " * 2000 + b"\r\n")
    parser.feed(b"7d0\r\n" + b" " * 2000 + b"\r\n")
    assert parser.refusal is not None
    assert parser.refusal.status == 413
    assert not parser.ready
    parser.forget()


def test_a_body_that_no_file_takes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http1_parser, "_IN_MEMORY", 1000)
    monkeypatch.setattr(http1_parser, "new_file", failing(errno.ENOSPC))
    parser = RequestParser(BASE, 3000)
    parser.feed(head(b"PUT /", b"Content-Length: 2000") + b" " * 2000)
    assert parser.refusal is not None
    assert parser.refusal.status == 507
    parser.forget()
