"""The parts that a fault of a test's own is made up of."""

from __future__ import annotations

from typing import Any, TypedDict

from mockgraph.errors import BadRequest
from mockgraph.testing.answers import (
    HeaderValues,
    any_body,
    read_headers,
    read_status,
    shown_headers,
)
from mockgraph.testing.faults.bodies import Cut, Moment
from mockgraph.testing.faults.effects import Alteration, Answer, Delay, Effect, RetryAfter
from mockgraph.testing.faults.schedules import When


class Parts(TypedDict, total=False):
    """What a fault does, in parts.

    With a ``status`` the request is answered, not carried out: by Graph's error of that
    status, whose ``code`` and ``message`` may be others, or by ``body``, a text as it is and
    another value as JSON. Without, it is carried out, and ``headers`` and ``body`` take the place
    of those of its answer. ``carried_out`` has the work done though a ``status`` is given: an
    error then hides that all went well, another status comes with the true body.

    ``delay_ms`` is waited first, ``retry_after`` is said in seconds or ``as_date``, ``cut`` is
    as in :meth:`mockgraph.testing.faults.Faults.cut`.
    """

    status: int | None
    code: str | None
    message: str | None
    headers: HeaderValues | None
    body: Any
    delay_ms: float
    retry_after: float | None
    as_date: bool
    carried_out: bool
    cut: Moment | None


class Options(When, Parts, total=False):
    """What a fault does, and when."""


PARTS = Parts.__optional_keys__


def effects(parts: Parts) -> list[Effect]:
    """The effects of a fault. Raises BadRequest where a part is impossible, or none is there."""
    made: list[Effect] = []
    if parts.get("delay_ms"):
        made.append(Delay(parts["delay_ms"]))
    if (moment := parts.get("cut")) is not None:
        made.append(Cut(moment))
    if (reply := _reply(parts)) is not None:
        made.append(reply)
    if not made:
        raise BadRequest("A fault needs a status, headers, a body, delay_ms, retry_after or cut.")
    return made


def shown(parts: Parts) -> dict[str, Any]:
    """The parts as JSON."""
    told: dict[str, Any] = {name: value for name, value in parts.items() if value is not None}
    if "headers" in told:
        told["headers"] = shown_headers(read_headers(told["headers"]))
    if "body" in told:
        told["body"] = any_body(told["body"]).shown()
    return told


def _reply(parts: Parts) -> Effect | None:
    """What is answered, or done to the answer."""
    status, body = parts.get("status"), parts.get("body")
    headers = read_headers(parts.get("headers"))
    content = None if body is None else any_body(body)
    later = _later(parts)
    if status is None:
        for name in ("code", "message", "carried_out"):
            if parts.get(name):
                raise BadRequest(f"{name}: Without a status it means nothing.")
        if not (headers or content or later):
            return None
        return Alteration(headers=headers, body=content, retry_after=later)
    carried_out = parts.get("carried_out", False)
    if read_status(status) < 400 and carried_out:
        return Alteration(status=status, headers=headers, body=content, retry_after=later)
    return Answer(
        status,
        code=parts.get("code"),
        message=parts.get("message"),
        headers=headers,
        body=content,
        retry_after=later,
        carried_out=carried_out,
    )


def _later(parts: Parts) -> RetryAfter | None:
    seconds = parts.get("retry_after")
    return None if seconds is None else RetryAfter(seconds, as_date=parts.get("as_date", False))
