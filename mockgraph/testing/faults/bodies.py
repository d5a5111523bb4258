"""Faults of the answer's bytes: slow, broken off, or not what they say they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, get_args

from mockgraph.clock import Clock
from mockgraph.errors import NotEmulated
from mockgraph.http import Request, Response, StartResponse
from mockgraph.state.etags import OUTDATED
from mockgraph.testing.answers import Body, data_of, put_body, put_data
from mockgraph.testing.faults.effects import (
    Effect,
    check_choice,
    check_number,
    seconds_of,
    sleeper,
    with_content,
)

Moment = Literal["before", "unanswered", "during", "after"]
Malformation = Literal["truncated", "html", "empty", "mislabelled"]

_MAX_PIECES = 10_000
_ETAG = re.compile(rb'("@odata\.etag"\s*:\s*)"(?:[^"\\]|\\.)*"')
_HTML = Body(
    b"<!DOCTYPE html>\n<html><head><title>Service Unavailable</title></head>"
    b"<body><h1>The gateway could not reach the service.</h1></body></html>\n",
    "text/html",
)

# What becomes of the pieces of a body, whose length is told beforehand.
Pour = Callable[[Iterable[bytes], int], Iterator[bytes]]


class Poured(Response):
    """A response whose body goes out as faults have it, after headers that are true.

    An answer without content is poured, too: there are no pieces of it.
    """

    __slots__ = ("_pours",)

    def __init__(self, response: Response, pour: Pour):
        super().__init__(response.status, response.body)
        self.headers = response.headers
        self.chunks = response.chunks
        before = response._pours if isinstance(response, Poured) else ()
        self._pours: tuple[Pour, ...] = (*before, pour)

    def send(self, method: str, start_response: StartResponse) -> Iterable[bytes]:
        content = b"".join(super().send(method, start_response))
        pieces: Iterable[bytes] = [content] if content else []
        for pour in self._pours:
            pieces = pour(pieces, len(content))
        return pieces


class Cut(Effect):
    """The connection breaks; see :meth:`mockgraph.testing.faults.Faults.cut` for when."""

    def __init__(self, when: str, name: str = "cut"):
        check_choice(when, name, get_args(Moment))
        self._when = when

    def before(self, request: Request, clock: Clock) -> Response | None:  # noqa: ARG002
        cut = _scissors(request)
        return _lost(cut, request) if self._when == "before" else None

    def after(self, response: Response, request: Request, clock: Clock) -> Response:  # noqa: ARG002
        cut = _scissors(request)
        if self._when == "before":
            return response
        if self._when == "unanswered":
            return _lost(cut, request)

        def pour(pieces: Iterable[bytes], length: int) -> Iterator[bytes]:
            left = length if self._when == "after" else length // 2
            for piece in pieces:
                if left > 0:
                    yield piece[:left]
                left -= len(piece)
                if left <= 0:
                    break
            cut()

        return Poured(response, pour)

    def __str__(self) -> str:
        return {
            "before": "the connection cut before the work",
            "unanswered": "the connection cut after the work, unanswered",
            "during": "the connection cut during the answer",
            "after": "the connection cut after the answer",
        }[self._when]


class SlowBody(Effect):
    """The answer's body comes in pieces, with a pause before each but the first."""

    def __init__(self, pieces: int, pause_ms: float):
        check_number(pieces, "pieces", least=2, most=_MAX_PIECES)
        self._pieces = pieces
        self._pause = seconds_of(pause_ms, "pause_ms")

    def after(self, response: Response, request: Request, clock: Clock) -> Response:  # noqa: ARG002
        sleep = sleeper(request)

        def pour(pieces: Iterable[bytes], length: int) -> Iterator[bytes]:
            size = -(-length // self._pieces)
            begun = False
            for piece in pieces:
                for start in range(0, len(piece), size):
                    if begun:
                        sleep(self._pause)
                    begun = True
                    yield piece[start : start + size]

        return Poured(response, pour)

    def __str__(self) -> str:
        return f"a body in {self._pieces} pieces, {self._pause * 1000:g} ms between them"


class Malformed(Effect):
    """A body that a client cannot read as what the service should answer."""

    def __init__(self, kind: str):
        check_choice(kind, "kind", get_args(Malformation))
        self._kind = kind

    def after(self, response: Response, request: Request, clock: Clock) -> Response:  # noqa: ARG002
        if self._kind == "html":
            put_body(response, _HTML)
            response.status = with_content(response.status)
        elif self._kind == "mislabelled":
            response.set("Content-Type", "application/octet-stream")
        elif self._kind == "empty":
            put_data(response, b"")
        else:
            data = data_of(response)
            put_data(response, data[: len(data) // 2])
        return response

    def __str__(self) -> str:
        return {
            "truncated": "JSON that breaks off",
            "html": "an HTML page",
            "empty": "an empty body",
            "mislabelled": "a wrong Content-Type",
        }[self._kind]


class OutdatedEtag(Effect):
    """The answer carries etags of before: the next ``If-Match`` with one of them fails."""

    def after(self, response: Response, request: Request, clock: Clock) -> Response:  # noqa: ARG002
        if response.get("ETag") is not None:
            response.set("ETag", OUTDATED)
        written = b'"' + OUTDATED.replace('"', '\\"').encode() + b'"'
        put_data(response, _ETAG.sub(lambda found: found[1] + written, data_of(response)))
        return response

    def __str__(self) -> str:
        return "outdated etags in the answer"


def _scissors(request: Request) -> Callable[[], None]:
    """What cuts the connection. Raises 501 where there is none, before anything is done."""
    cut: Callable[[], None] | None = request.environ.get("mockgraph.cut")
    if cut is None:
        raise NotEmulated("a connection that is cut where the app is called without one")
    return cut


def _lost(cut: Callable[[], None], request: Request) -> Response:
    """Cut the connection. The answer is for the journal: no client sees it."""
    cut()
    request.answered_by = "fault"
    return Response(503)
