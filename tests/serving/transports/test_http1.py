"""HTTP/1.1 as bytes: a request in pieces, and answers to what is none."""

from __future__ import annotations

import gc
import weakref

import pytest

from mockgraph.serving.transports.call import TimedOut
from mockgraph.serving.transports.endpoint import Endpoint, Peer
from mockgraph.serving.transports.http1 import Conversation

from .echo import Environ, StartResponse, echo, late


def received(talk: Conversation) -> bytes:
    return b"".join(iter(talk.receive, b""))


def test_an_answer_that_nobody_waits_for_is_not_slept_for() -> None:
    talk = Conversation(Endpoint(late), Peer("http", "h", 80))
    talk.send(b"GET /?3600 HTTP/1.1\r\nHost: h\r\n\r\n")
    talk.close()
    assert received(talk).startswith(b"HTTP/1.1 200 OK\r\n")


def test_nothing_is_sent_after_a_refusal() -> None:
    talk = Conversation(Endpoint(echo), Peer("http", "h", 80))
    talk.send(b"nothing like HTTP\r\n\r\n")
    with pytest.raises(BrokenPipeError):
        talk.send(b"more")
    assert received(talk).startswith(b"HTTP/1.1 400 ")


def test_a_head_and_its_body_may_come_apart() -> None:
    head = b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n"
    bodies = []

    def app(environ: Environ, start: StartResponse) -> list[bytes]:
        bodies.append(environ["wsgi.input"].read())
        start("200 OK", [])
        return [b"whole"]

    def talked(*pieces: bytes) -> bytes:
        talk = Conversation(Endpoint(app), Peer("http", "h", 80))
        for piece in pieces:
            assert not talk.is_over
            talk.send(piece)
        answered = received(talk)
        assert talk.is_over
        return answered.partition(b"Date: ")[0]

    pieces = [
        (head, b"body"),
        (head + b"body",),
        (head, b"bo", b"dy"),
        (head[:9], head[9:], b"body"),
    ]
    assert len({talked(*each) for each in pieces * 3}) == 1  # known from the third on
    assert set(bodies) == {b"body"}
    talk = Conversation(Endpoint(app), Peer("http", "h", 80))
    talk.send(head.replace(b"4", b"0"))
    assert talk.is_complete
    talk = Conversation(Endpoint(app), Peer("http", "h", 80))
    talk.send(head)
    with pytest.raises(TimedOut):
        talk.receive()


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_request_in_pieces_of_any_size(size: int) -> None:
    request = (
        b"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n"
    )
    seen = []

    def app(environ: Environ, start: StartResponse) -> list[bytes]:
        seen.append(environ["wsgi.input"].read())
        start("204 No Content", [])
        return []

    talk = Conversation(Endpoint(app), Peer("http", "h", 80))
    for at in range(0, len(request), size):
        assert not talk.is_complete
        talk.send(request[at : at + size])
    assert talk.is_complete
    assert received(talk).startswith(b"HTTP/1.1 204 No Content\r\n")
    assert seen == [b"abc0123456789"]


def test_a_call_is_gone_with_the_last_reference_to_it() -> None:
    calls = []

    def app(environ: Environ, start: StartResponse) -> list[bytes]:
        calls.append(weakref.ref(environ["mockgraph.cut"].__self__))
        start("200 OK", [])
        return [b"whole"]

    gc.disable()
    try:
        talk = Conversation(Endpoint(app), Peer("http", "h", 80))
        talk.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert received(talk).endswith(b"\r\n\r\nwhole")
        talk.close()
        del talk
        assert [call() for call in calls] == [None]
    finally:
        gc.enable()
