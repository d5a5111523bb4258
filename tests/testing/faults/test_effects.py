"""Answers that come badly: cut off, in pieces, or as what no client can read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import create_environ, run_wsgi_app

from mockgraph.app import create_app
from mockgraph.clock import Clock
from mockgraph.http import Response
from mockgraph.testing.faults import Faults

from ..line import ALERT, answer, make_request, refusal, sent, work


@pytest.fixture
def faults() -> Faults:
    return Faults(Clock())


class Connection:
    """A connection that notes what happens to it, in order."""

    def __init__(self, faults: Faults, method: str = "GET"):
        self.events: list[Any] = []
        self._faults = faults
        self.request = make_request(
            method,
            mockgraph_cut=lambda: self.events.append("cut"),
            mockgraph_sleep=lambda seconds: self.events.append(seconds),
        )

    def ask(self, work: Callable[[Any], Response] = work) -> list[Any]:
        def worked(request: Any) -> Response:
            self.events.append("work")
            return work(request)

        response = answer(self.request, self._faults, work=worked)
        self.events.append("answer")
        pieces = response.send(self.request.method, lambda *_: None)
        self.events.extend(pieces)
        return self.events


HALF = ALERT[: len(ALERT) // 2]


@pytest.mark.parametrize(
    ("at", "events"),
    [
        ("before", ["answer", "cut"]),
        ("unanswered", ["work", "answer", "cut"]),
        ("during", ["work", "answer", HALF, "cut"]),
        ("after", ["work", "answer", ALERT, "cut"]),
    ],
)
def test_when_a_connection_is_cut(faults: Faults, at: Any, events: list[Any]) -> None:
    rule = faults.cut(at)
    connection = Connection(faults)
    assert connection.ask() == events
    assert rule.struck == 1
    assert Connection(faults).ask() == ["work", "answer", ALERT]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("at", ["before", "unanswered", "during", "after"])
def test_whoever_goes_on_after_a_cut_finds_the_request_in_the_journal(at: Any, method: str) -> None:
    app = create_app()
    tenant = app.extensions["mockgraph"].default
    tenant.faults.cut(at)
    found: list[int] = []
    environ = create_environ("/v1.0/security/alerts_v2", method=method)
    environ["HTTP_AUTHORIZATION"] = "Bearer x"
    environ["mockgraph.cut"] = lambda: found.append(len(tenant.requests()))
    run_wsgi_app(app, environ, buffered=True)
    assert found == [1]


@pytest.mark.parametrize("at", ["before", "unanswered"])
def test_a_fault_answered_where_nothing_was_sent(faults: Faults, at: Any) -> None:
    faults.cut(at)
    connection = Connection(faults)
    connection.ask()
    assert connection.request.answered_by == "fault"


@pytest.mark.parametrize("at", ["during", "after"])
@pytest.mark.parametrize(
    ("method", "response"), [("HEAD", work(make_request())), ("PATCH", Response(204))]
)
def test_an_answer_without_content_is_cut_too(
    faults: Faults, at: Any, method: str, response: Response
) -> None:
    faults.cut(at)
    connection = Connection(faults, method)
    assert connection.ask(lambda _: response) == ["work", "answer", "cut"]


def test_no_empty_piece_is_sent(faults: Faults) -> None:
    faults.cut("during")  # a WSGI server may take an empty piece for the end of a chunked body
    assert Connection(faults).ask(lambda _: Response(200, b"a")) == ["work", "answer", "cut"]


def test_the_length_promised_is_that_of_the_whole(faults: Faults) -> None:
    faults.cut("during")
    request = make_request(mockgraph_cut=lambda: None)
    _, headers, pieces = sent(request, answer(request, faults))
    assert ("Content-Length", str(len(ALERT))) in headers
    assert pieces == [HALF]


@pytest.mark.parametrize("at", ["before", "unanswered", "during", "after"])
def test_where_there_is_no_connection_nothing_is_done(faults: Faults, at: Any) -> None:
    def never(_: Any) -> Response:
        raise AssertionError("The request was carried out.")

    faults.cut(at)
    error = refusal(lambda: answer(make_request(), faults, work=never))
    assert (error.status, error.code) == (501, "notImplemented")


def test_an_answer_of_the_faults_own_is_cut(faults: Faults) -> None:
    faults.add(status=503, body="0123456789", cut="during")
    assert Connection(faults).ask() == ["answer", b"01234", "cut"]


def test_a_slow_body(faults: Faults) -> None:
    faults.slow_body(4, 250)
    events = Connection(faults).ask(lambda _: Response(200, b"0123456789"))
    assert events == ["work", "answer", b"012", 0.25, b"345", 0.25, b"678", 0.25, b"9"]


@pytest.mark.parametrize(
    ("data", "pieces"), [(b"", []), (b"a", [b"a"]), (b"abc", [b"a", b"b", b"c"])]
)
def test_a_slow_body_of_few_bytes(faults: Faults, data: bytes, pieces: list[bytes]) -> None:
    faults.slow_body(10, 0)
    request = make_request(mockgraph_sleep=lambda _: None)
    response = answer(request, faults, work=lambda _: Response(200, data))
    assert sent(request, response)[2] == pieces


def test_a_slow_body_that_is_cut_at_its_end(faults: Faults) -> None:
    faults.slow_body(2, 1000)
    faults.cut("after")
    events = Connection(faults).ask(lambda _: Response(200, b"0123"))
    assert events == ["work", "answer", b"01", 1.0, b"23", "cut"]


def test_a_slow_body_that_is_cut_in_its_middle(faults: Faults) -> None:
    faults.slow_body(4, 1000)
    faults.cut("during")
    events = Connection(faults).ask(lambda _: Response(200, b"0123456789"))
    assert events == ["work", "answer", b"012", 1.0, b"34", "cut"]


def test_a_cut_that_comes_slowly(faults: Faults) -> None:
    faults.cut("during")
    faults.slow_body(4, 1000)
    events = Connection(faults).ask(lambda _: Response(200, b"01234567"))
    assert events == ["work", "answer", b"01", 1.0, b"23", "cut"]


@pytest.mark.parametrize(
    ("kind", "status", "content_type", "data"),
    [
        ("truncated", 200, "application/json", HALF),
        ("empty", 200, "application/json", b""),
        ("mislabelled", 200, "application/octet-stream", ALERT),
    ],
)
def test_what_no_client_can_read(
    faults: Faults, kind: Any, status: int, content_type: str, data: bytes
) -> None:
    faults.malformed(kind)
    request = make_request()
    response = answer(request, faults)
    assert (response.status, response.get("Content-Type")) == (status, content_type)
    _, headers, pieces = sent(request, response)
    assert b"".join(pieces) == data
    assert ("Content-Length", str(len(data))) in headers


def test_truncated_json_is_none(faults: Faults) -> None:
    faults.malformed()
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer(make_request(), faults).body)


@pytest.mark.parametrize("status", [200, 204, 201])
def test_a_page_of_some_gateway(faults: Faults, status: int) -> None:
    faults.malformed("html")
    response = answer(make_request(), faults, work=lambda _: Response(status))
    assert response.get("Content-Type") == "text/html"
    assert response.body.startswith(b"<!DOCTYPE html>")
    assert response.status == {204: 200}.get(status, status)


def test_a_body_in_chunks_is_marred_as_a_whole(faults: Faults) -> None:
    faults.malformed()

    def chunked(_: Any) -> Response:
        response = Response(200, headers=[("Content-Length", "4")])
        response.chunks = iter([b"01", b"23"])
        return response

    request = make_request()
    _, headers, pieces = sent(request, answer(request, faults, work=chunked))
    assert b"".join(pieces) == b"01"
    assert headers == [("Content-Length", "2")]


def test_chunks_come_slowly(faults: Faults) -> None:
    faults.slow_body(2, 0)

    def chunked(_: Any) -> Response:
        response = Response(200)
        response.chunks = iter([b"0", b"123"])
        return response

    request = make_request(mockgraph_sleep=lambda _: None)
    _, headers, pieces = sent(request, answer(request, faults, work=chunked))
    assert (headers, pieces) == ([], [b"01", b"23"])


def test_outdated_etags(faults: Faults) -> None:
    faults.outdated_etag()
    response = answer(make_request(), faults)
    assert response.get("ETag") == 'W/"0"'
    before, after = json.loads(ALERT), json.loads(response.body)
    assert after.pop("@odata.etag") == 'W/"0"'
    assert before.pop("@odata.etag") == 'W/"7"'
    assert after == before  # a text that looks like one stays


def test_an_answer_without_an_etag_gets_none(faults: Faults) -> None:
    faults.outdated_etag()
    response = answer(make_request(), faults, work=lambda _: Response(200, b"{}"))
    assert (response.headers, response.body) == ([], b"{}")


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda f: f.cut("later"), "at"),
        (lambda f: f.slow_body(1), "pieces"),
        (lambda f: f.slow_body(2, -1), "pause_ms"),
        (lambda f: f.slow_body(2, 1e12), "pause_ms"),
        (lambda f: f.malformed("odd"), "kind"),
        (lambda f: f.latency(-1), "ms"),
    ],
)
def test_what_cannot_be(faults: Faults, make: Callable[[Any], Any], name: str) -> None:
    error = refusal(lambda: make(faults))
    assert error.status == 400
    assert error.message.startswith(f"{name}: ")
