"""What a fault does to a request: before the work, and to the answer after it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any

import orjson

from mockgraph.clock import Clock
from mockgraph.errors import (
    PHRASES,
    BadRequest,
    Conflict,
    Forbidden,
    GraphError,
    NotFound,
    PreconditionFailed,
    Unauthenticated,
)
from mockgraph.http import Request, Response, error_body
from mockgraph.testing.answers import Body, Pairs, put_body, put_headers, read_headers

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
# What the live service says; the message of 429 is that of its page on throttling.
_SAID: dict[int, tuple[str, str]] = {
    **{kind.status: (kind.code, kind.default_message) for kind in _KINDS},
    423: ("Locked", "The resource is locked."),
    429: ("TooManyRequests", "Please retry again later."),
    502: ("BadGateway", "The service received an invalid answer from another one."),
    503: ("ServiceUnavailable", "The service is temporarily unavailable. Please retry later."),
    504: ("GatewayTimeout", "The service did not get an answer from another one in time."),
}


class Effect:
    """One thing that a fault does. This one does nothing."""

    def before(self, request: Request, clock: Clock) -> Response | None:  # noqa: ARG002
        """Called instead of the work where it returns an answer, else before it."""
        return None

    def after(self, response: Response, request: Request, clock: Clock) -> Response:  # noqa: ARG002
        """What becomes of the answer."""
        return response


class Delay(Effect):
    """The request waits, in milliseconds, before anything is done."""

    def __init__(self, milliseconds: float, name: str = "delay_ms"):
        self._seconds = seconds_of(milliseconds, name)

    def before(self, request: Request, clock: Clock) -> None:  # noqa: ARG002
        sleeper(request)(self._seconds)

    def __str__(self) -> str:
        return f"{self._seconds * 1000:g} ms late"


class RetryAfter:
    """A ``Retry-After``, in seconds or as the date of the tenant's clock that they lead to."""

    def __init__(self, seconds: float | Callable[[Request], float], *, as_date: bool = False):
        if not callable(seconds):
            check_number(seconds, "retry_after", most=365 * 86_400)
        self._seconds = seconds
        self._as_date = as_date

    def text(self, request: Request, clock: Clock) -> str:
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


class Answer(Effect):
    """An answer of the fault's own: a status, with Graph's error where no body is given.

    ``carried_out`` has the request's work done all the same, and its answer thrown away.
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
        said, says = _SAID.get(status, (_phrase(status), f"{_phrase(status)}."))
        self._code = code or said
        self._message = message or says
        challenge = Unauthenticated().headers if status == HTTPStatus.UNAUTHORIZED else ()
        self._headers = headers or challenge
        self._body = body
        self._retry_after = retry_after
        self._carried_out = carried_out

    def before(self, request: Request, clock: Clock) -> Response | None:
        return None if self._carried_out else self._answer(request, clock)

    def after(self, response: Response, request: Request, clock: Clock) -> Response:
        if not self._carried_out:
            return response
        request.answered_by = "fault"
        return self._answer(request, clock)

    def _answer(self, request: Request, clock: Clock) -> Response:
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
        """Graph's error; where a client is to come later, as the page on throttling has it."""
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


class Alteration(Effect):
    """Another status, headers or body for the answer, which is the true one otherwise."""

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


def sleeper(request: Request) -> Callable[[float], None]:
    """What sleeps, given seconds: the server's own, so that it may be stopped meanwhile."""
    sleep: Callable[[float], None] = request.environ.get("mockgraph.sleep", time.sleep)
    return sleep


def seconds_of(milliseconds: float, name: str) -> float:
    """Milliseconds in seconds. Raises BadRequest out of range."""
    check_number(milliseconds, name, most=MAX_DELAY_MS)
    return milliseconds / 1000


def check_number(
    value: float, name: str, *, least: float = 0, most: float = math.inf, above: bool = False
) -> None:
    """Raises BadRequest for what is not in the range; ``above`` leaves the least out of it."""
    if math.isfinite(value) and least <= value <= most and not (above and value == least):
        return
    start = f"above {least:.15g}" if above else f"{least:.15g} or more"
    end = f", {most:.15g} at most" if most < math.inf else ""
    raise BadRequest(f"{name}: The number has to be {start}{end}.")


def check_choice(value: str, name: str, choices: Sequence[str]) -> None:
    """Raises BadRequest for what is none of the choices."""
    if value not in choices:
        raise BadRequest(f"{name}: The choices are {', '.join(choices)}.")


def with_content(status: int) -> int:
    """The status, or 200 where it is one without content."""
    without = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
    return int(HTTPStatus.OK) if status in without else status


def _phrase(status: int) -> str:
    """The reason phrase as Graph has it for a code: in one word."""
    return PHRASES.get(status, "UnknownError").replace(" ", "").replace("-", "")
