"""Effects of faults: on a request before the work, and on the response after it."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any, Literal, get_args

import orjson

from mockgraph.clock import Clock
from mockgraph.errors import (
    PHRASES,
    BadRequest,
    Conflict,
    Forbidden,
    GraphError,
    NotEmulated,
    NotFound,
    PreconditionFailed,
    Unauthenticated,
)
from mockgraph.http import Request, Response, error_body
from mockgraph.state.etags import OUTDATED
from mockgraph.state.runs import FAILED
from mockgraph.testing.canned import (
    Body,
    Pairs,
    data_of,
    put_body,
    put_data,
    put_headers,
    read_headers,
)
from mockgraph.wsgi import StartResponse

CutPoint = Literal["before", "unanswered", "during", "after"]
Malformation = Literal["truncated", "html", "empty", "mislabelled"]

# A test waits for longer than this by moving the clock.
MAX_DELAY_MS = 3_600_000

_KINDS: tuple[type[GraphError], ...] = (
    BadRequest,
    Unauthenticated,
    Forbidden,
    NotFound,
    Conflict,
    PreconditionFailed,
    GraphError,
)
# Codes and messages of the live service; the message of 429 is that of its page on throttling.
_ERRORS: dict[int, tuple[str, str]] = {
    **{kind.status: (kind.code, kind.default_message) for kind in _KINDS},
    423: ("Locked", "The resource is locked."),
    429: ("TooManyRequests", "Please retry again later."),
    502: ("BadGateway", "The service received an invalid answer from another one."),
    503: ("ServiceUnavailable", "The service is temporarily unavailable. Please retry later."),
    504: ("GatewayTimeout", "The service did not get an answer from another one in time."),
}


_MAX_PIECES = 10_000
_ETAG = re.compile(rb'("@odata\.etag"\s*:\s*)"(?:[^"\\]|\\.)*"')
_HTML = Body(
    b"<!DOCTYPE html>\n<html><head><title>Service Unavailable</title></head>"
    b"<body><h1>The gateway could not reach the service.</h1></body></html>\n",
    "text/html",
)

# From the pieces of a body, and its length in bytes, to the pieces that are sent.
BodyFilter = Callable[[Iterable[bytes], int], Iterator[bytes]]


class Effect:
    """An effect of a fault: none, of this class."""

    def before(self, request: Request, clock: Clock) -> Response | None:  # noqa: ARG002
        """Return a response in place of the work's, or None to have the work done."""
        return None

    def after(self, response: Response, request: Request, clock: Clock) -> Response:  # noqa: ARG002
        """Return the response, altered or another one."""
        return response


class Delay(Effect):
    """A wait, in milliseconds, before anything is done."""

    def __init__(self, milliseconds: float, name: str = "delay_ms"):
        self._seconds = seconds_of(milliseconds, name)

    def before(self, request: Request, clock: Clock) -> None:  # noqa: ARG002
        sleeper(request)(self._seconds)

    def __str__(self) -> str:
        return f"{self._seconds * 1000:g} ms late"


class FailedRun(Effect):
    """The work that a request sets going fails in the end."""

    def before(self, request: Request, clock: Clock) -> None:  # noqa: ARG002
        request.ending = FAILED

    def __str__(self) -> str:
        return "what it sets going fails"


class RetryAfter:
    """A ``Retry-After``, in seconds or as the date of the tenant's clock that they lead to."""

    def __init__(self, seconds: float | Callable[[Request], float], *, as_date: bool = False):
        if not callable(seconds):
            check_number(seconds, "retry_after", most=365 * 86_400)
        self._seconds = seconds
        self._as_date = as_date

    def text(self, request: Request, clock: Clock) -> str:
        """Return the value of the header."""
        seconds = self._seconds(request) if callable(self._seconds) else self._seconds
        if not self._as_date:
            return f"{seconds:.15g}"
        now = clock.now()
        # A date has whole seconds: the first one that is not too early.
        whole = math.ceil(seconds + now.microsecond / 1e6)
        try:
            moment = now.replace(microsecond=0) + timedelta(seconds=whole)
        except OverflowError:
            moment = datetime.max.replace(tzinfo=UTC)
        return format_datetime(moment, usegmt=True)

    def __str__(self) -> str:
        shown = "when it is time" if callable(self._seconds) else f"{self._seconds:g}"
        return f"Retry-After {shown}{' as a date' if self._as_date else ''}"


class FixedResponse(Effect):
    """A response of the fault's own: a status, with Graph's error where no body is given.

    ``carried_out`` has the work done all the same, and its response thrown away.
    """

    def __init__(
        self,
        status: int,
        *,
        code: str | None = None,
        message: str | None = None,
        headers: Pairs | Callable[[Clock], Pairs] = (),
        body: Body | None = None,
        retry_after: RetryAfter | None = None,
        carried_out: bool = False,
    ):
        self._status = status
        default = _ERRORS.get(status, (_phrase(status), f"{_phrase(status)}."))
        self._code = code or default[0]
        self._message = message or default[1]
        challenge = Unauthenticated().headers if status == HTTPStatus.UNAUTHORIZED else ()
        self._headers = headers or challenge
        self._body = body
        self._retry_after = retry_after
        self._carried_out = carried_out

    def before(self, request: Request, clock: Clock) -> Response | None:
        return None if self._carried_out else self._response(request, clock)

    def after(self, response: Response, request: Request, clock: Clock) -> Response:
        if not self._carried_out:
            return response
        request.answered_by = "fault"
        return self._response(request, clock)

    def _response(self, request: Request, clock: Clock) -> Response:
        retry_after = self._retry_after.text(request, clock) if self._retry_after else None
        response = Response(self._status)
        if self._body is not None:
            put_body(response, self._body)
        elif self._status >= 400:
            put_body(response, self._error(request, clock, retry_after))
        if retry_after:
            response.set("Retry-After", retry_after)
        put_headers(response, self._headers(clock) if callable(self._headers) else self._headers)
        return response

    def _error(self, request: Request, clock: Clock, retry_after: str | None) -> Body:
        """Return Graph's error; for a client that is to wait, as the page on throttling has it."""
        body = error_body(GraphError(self._message), request, clock.now())
        error: dict[str, Any] = body["error"]
        error["code"] = self._code
        if retry_after or self._status == HTTPStatus.TOO_MANY_REQUESTS:
            error["innerError"] |= {
                "code": str(self._status),
                "message": f"Please retry after {retry_after or ''}".rstrip(),
                "status": str(self._status),
            }
        return Body(orjson.dumps(body), "application/json")

    def __str__(self) -> str:
        words = [f"{self._status} {self._code if self._status >= 400 else ''}".rstrip()]
        words += [str(self._retry_after)] if self._retry_after else []
        words += ["though carried out"] if self._carried_out else []
        return ", ".join(words)


class Override(Effect):
    """Another status, headers or body for a response that is the service's otherwise."""

    def __init__(
        self,
        *,
        status: int | None = None,
        headers: Pairs = (),
        body: Body | None = None,
        retry_after: RetryAfter | None = None,
    ):
        self._status = status
        self._headers = headers
        self._body = body
        self._retry_after = retry_after

    def after(self, response: Response, request: Request, clock: Clock) -> Response:
        if self._body is not None:
            put_body(response, self._body)
            response.status = with_content(response.status)
        if self._status is not None:
            response.status = self._status
        if self._retry_after:
            response.set("Retry-After", self._retry_after.text(request, clock))
        put_headers(response, self._headers)
        return response

    def __str__(self) -> str:
        words = [f"the status {self._status}"] if self._status is not None else []
        words += [f"the header {name}" for name in dict(self._headers)]
        words += ["another body"] if self._body is not None else []
        words += [str(self._retry_after)] if self._retry_after else []
        return f"{' and '.join(words)} on the answer"


class ProviderWarning(Effect):
    """206 instead of 200, with what became of providers in ``Warning`` headers.

    One header each, ``199 - "{Vendor}/{Provider}/{Status}/{LatencyMs}"``, says Microsoft's page
    on errors of the security API.
    """

    def __init__(self, vendor: str, provider: str, status: int, latency: int):
        self._warning = f'199 - "{vendor}/{provider}/{status}/{latency}"'
        read_headers([("Warning", self._warning)])

    def after(self, response: Response, request: Request, clock: Clock) -> Response:  # noqa: ARG002
        if response.status in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
            response.status = int(HTTPStatus.PARTIAL_CONTENT)
            response.headers.append(("Warning", self._warning))
        return response

    def __str__(self) -> str:
        return f"206, Warning: {self._warning}"


class FilteredResponse(Response):
    """A response whose body is cut or slowed down by faults, after headers that are true.

    A response without content is filtered, too: there are no pieces of it.
    """

    __slots__ = ("_filters",)

    def __init__(self, response: Response, body_filter: BodyFilter):
        super().__init__(response.status, response.body)
        self.headers = response.headers
        self.chunks = response.chunks
        before = response._filters if isinstance(response, FilteredResponse) else ()
        self._filters: tuple[BodyFilter, ...] = (*before, body_filter)

    def send(self, method: str, start_response: StartResponse) -> Iterable[bytes]:
        content = b"".join(super().send(method, start_response))
        pieces: Iterable[bytes] = [content] if content else []
        for each in self._filters:
            pieces = each(pieces, len(content))
        return pieces


class Disconnect(Effect):
    """The end of the connection; see :meth:`mockgraph.testing.faults.Faults.cut` for when."""

    def __init__(self, when: str, name: str = "cut"):
        check_choice(when, name, get_args(CutPoint))
        self._when = when

    def before(self, request: Request, clock: Clock) -> Response | None:  # noqa: ARG002
        cut = _cutter(request)
        return _lost(cut, request) if self._when == "before" else None

    def after(self, response: Response, request: Request, clock: Clock) -> Response:  # noqa: ARG002
        cut = _cutter(request)
        if self._when == "before":
            return response
        if self._when == "unanswered":
            return _lost(cut, request)

        def filtered(pieces: Iterable[bytes], length: int) -> Iterator[bytes]:
            left = length if self._when == "after" else length // 2
            for piece in pieces:
                if left > 0:
                    yield piece[:left]
                left -= len(piece)
                if left <= 0:
                    break
            cut()

        return FilteredResponse(response, filtered)

    def __str__(self) -> str:
        return {
            "before": "the connection cut before the work",
            "unanswered": "the connection cut after the work, unanswered",
            "during": "the connection cut during the answer",
            "after": "the connection cut after the answer",
        }[self._when]


class SlowBody(Effect):
    """A body that is sent in pieces, with a pause before each but the first."""

    def __init__(self, pieces: int, pause_ms: float):
        check_number(pieces, "pieces", least=2, most=_MAX_PIECES)
        self._pieces = pieces
        self._pause = seconds_of(pause_ms, "pause_ms")

    def after(self, response: Response, request: Request, clock: Clock) -> Response:  # noqa: ARG002
        sleep = sleeper(request)

        def filtered(pieces: Iterable[bytes], length: int) -> Iterator[bytes]:
            size = -(-length // self._pieces)
            begun = False
            for piece in pieces:
                for start in range(0, len(piece), size):
                    if begun:
                        sleep(self._pause)
                    begun = True
                    yield piece[start : start + size]

        return FilteredResponse(response, filtered)

    def __str__(self) -> str:
        return f"a body in {self._pieces} pieces, {self._pause * 1000:g} ms between them"


class MalformedBody(Effect):
    """A body that a client cannot read as the service's."""

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
    """Etags of an earlier revision: the next ``If-Match`` with one of them fails."""

    def after(self, response: Response, request: Request, clock: Clock) -> Response:  # noqa: ARG002
        if response.get("ETag") is not None:
            response.set("ETag", OUTDATED)
        written = b'"' + OUTDATED.replace('"', '\\"').encode() + b'"'
        put_data(response, _ETAG.sub(lambda found: found[1] + written, data_of(response)))
        return response

    def __str__(self) -> str:
        return "outdated etags in the answer"


def sleeper(request: Request) -> Callable[[float], None]:
    """Return a function that sleeps, in seconds: the server's own, which a stop ends."""
    sleep: Callable[[float], None] = request.environ.get("mockgraph.sleep", time.sleep)
    return sleep


def seconds_of(milliseconds: float, name: str) -> float:
    """Return milliseconds in seconds. Raises BadRequest out of range."""
    check_number(milliseconds, name, most=MAX_DELAY_MS)
    return milliseconds / 1000


def check_number(
    value: float, name: str, *, least: float = 0, most: float = math.inf, above: bool = False
) -> None:
    """Raise BadRequest for a number out of the range; ``above`` leaves the least out of it."""
    if math.isfinite(value) and least <= value <= most and not (above and value == least):
        return
    start = f"above {least:.15g}" if above else f"{least:.15g} or more"
    end = f", {most:.15g} at most" if most < math.inf else ""
    raise BadRequest(f"{name}: The number has to be {start}{end}.")


def check_choice(value: str, name: str, choices: Sequence[str]) -> None:
    """Raise BadRequest for a value that is none of the choices."""
    if value not in choices:
        raise BadRequest(f"{name}: The choices are {', '.join(choices)}.")


def with_content(status: int) -> int:
    """Return the status, or 200 where it is one without content."""
    without = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
    return int(HTTPStatus.OK) if status in without else status


def _phrase(status: int) -> str:
    """Return the reason phrase in one word, as Graph has codes of errors."""
    return PHRASES.get(status, "UnknownError").replace(" ", "").replace("-", "")


def _cutter(request: Request) -> Callable[[], None]:
    """Return a function that cuts the connection. Raises 501 where there is no connection."""
    cut: Callable[[], None] | None = request.environ.get("mockgraph.cut")
    if cut is None:
        raise NotEmulated("a connection that is cut where the app is called without one")
    return cut


def _lost(cut: Callable[[], None], request: Request) -> Response:
    """Return a response for the journal, which no client sees: the connection is cut instead.

    That is done once it is to be sent: a client that goes on finds the request in the journal.
    """

    def nothing(_: Iterable[bytes], __: int) -> Iterator[bytes]:
        cut()
        return iter(())

    request.answered_by = "fault"
    return FilteredResponse(Response(503), nothing)
