"""Heads that are known are read as if they were parsed; held to the parser."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import examples

from mockgraph.serving import http1_parser, known_heads
from mockgraph.serving.http1_parser import SMALL, RequestParser
from mockgraph.serving.known_heads import KnownHeads

from .test_http1_parser import BASE, READ

SAMPLES = [sent for sent, _ in READ.values()]
PLAIN = b"GET /a?b=%20 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer y\r\n\r\n"
CLOSE = PLAIN.replace(b"Auth", b"Connection: close\r\nAuth")
OLD = PLAIN.replace(b"1.1", b"1.0")
LAST = b"POST /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 04\r\n\r\n"


class NoneKnown(KnownHeads):
    """Every head is new."""

    def note(self, *_: Any) -> None: ...


class Counting(KnownHeads):
    """Counts what it has found."""

    def __init__(self) -> None:
        super().__init__()
        self.found = 0

    def find(self, *arguments: Any) -> Any:
        found = super().find(*arguments)
        self.found += found is not None
        return found


def read(known: KnownHeads, pieces: list[bytes], most: int = SMALL) -> list[Any]:
    """All that parsers make of pieces: one that goes on after each, and a new one where it ends."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http1_parser, "_KNOWN_HEADS", known)
        made: list[Any] = []
        parser = RequestParser(BASE, most)
        for piece in pieces:
            parser.feed(piece)
            for environ, keep in parser.ready:
                body = environ.pop("wsgi.input")
                made.append((list(environ.items()), type(body), body.getvalue(), keep))
            parser.ready.clear()
            made.append((parser.is_within, parser.received, parser.ended, parser.waits))
            if parser.ended:
                made.append((parser.refusal and parser.refusal.status, parser.abandoned))
                parser = RequestParser(BASE, most)
        parser.end()
        made.append((parser.is_within, parser.refusal and parser.refusal.status, parser.abandoned))
    return made


@given(
    st.lists(
        st.sampled_from(
            [*SAMPLES, PLAIN, CLOSE, OLD, POST + b"body", POST, b"body", b"\r\n", b"\r\n" + PLAIN]
        ),
        max_size=4,
    ),
    st.lists(st.tuples(st.integers(0, 100), st.binary(max_size=3)), max_size=2),
    st.sampled_from([3, 1000, SMALL]),
)
@settings(max_examples=examples(200))
def test_known_heads_are_read_as_the_parser_reads_them(
    sent: list[bytes], changes: list[tuple[int, bytes]], most: int
) -> None:
    for place, put in changes:
        sent = [each[:place] + put + each[place + 1 :] for each in sent]
    pieces = sent * 3
    assert read(KnownHeads(), pieces, most) == read(NoneKnown(), pieces, most)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*SAMPLES, PLAIN, CLOSE, LAST, POST + b"body", POST + b"body" + PLAIN]),
            st.none() | st.integers(0, 100),
        ),
        max_size=4,
    ),
    st.sampled_from([3, 1000, SMALL]),
)
@settings(max_examples=examples(200))
def test_so_are_those_whose_body_comes_apart_and_those_cut_elsewhere(
    sent: list[tuple[bytes, int | None]], most: int
) -> None:
    pieces = []
    for whole, at in sent:
        at = whole.find(b"\r\n\r\n") + 4 if at is None else at
        pieces += [whole[:at], whole[at:]]
    pieces = [each for each in pieces if each] * 3
    assert read(KnownHeads(), pieces, most) == read(NoneKnown(), pieces, most)


@pytest.mark.parametrize(
    ("pieces", "found"),
    [
        ([PLAIN] * 5, 3),
        ([CLOSE] * 5, 3),
        ([OLD] * 3, 1),
        ([CLOSE + PLAIN] * 3, 0),
        ([LAST, b"body"] * 3, 1),
        ([PLAIN[:4], PLAIN[4:]] * 3 + [LAST, PLAIN[:4], PLAIN[4:]], 0),
        ([CLOSE.replace(b"GET", b"CONNECT").replace(b"/a?b=%20", b"a:1")] * 3, 0),
        ([POST + b"one.", POST + b"two.", POST + b"last"], 1),
        ([PLAIN, POST + b"body"] * 3, 2),
        ([PLAIN[:20], PLAIN[20:]] * 3, 0),
        ([PLAIN * 2] * 3, 0),
        ([POST, b"body"] * 3, 1),
        ([POST, b"body", POST + b"body", POST, b"body"], 1),
        ([POST, b"bo", b"dy"] * 3, 0),
        ([POST, b"body"] * 2 + [POST, b"bo", b"dy", POST, b"body" + PLAIN, POST, b"body"], 1),
        ([PLAIN + POST, b"body"] * 3, 0),
        ([PLAIN.replace(b"y", b"%d" % number) for number in range(5)], 0),
        ([PLAIN.replace(b"y", b"y" * 5000)] * 3, 0),
        ([b"\r\n" + PLAIN] * 3, 0),
    ],
)
def test_what_came_twice_is_known(pieces: list[bytes], found: int) -> None:
    known = Counting()
    assert read(known, pieces) == read(NoneKnown(), pieces)
    assert known.found == found


def test_the_heads_that_are_known_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_heads, "_MOST_HEADS", 2)
    known = Counting()
    other, third = PLAIN.replace(b"/a", b"/b"), PLAIN.replace(b"/a", b"/c")
    read(known, [PLAIN, PLAIN, PLAIN, other, third, PLAIN, PLAIN])
    assert (known.found, len(known._heads)) == (1, 2)


def test_the_bytes_of_the_heads_that_are_known_are_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(known_heads, "_MOST_BYTES", 3 * len(PLAIN))
    known = Counting()
    others = [PLAIN.replace(b"/a", b"/%d" % number) for number in range(5)]
    read(known, [*others, *others, *others[3:], *others[3:]])
    assert known.found == 2
    assert len(known._heads) == 3
