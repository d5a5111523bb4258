"""What a test expects of the journal, and an explanation where it is not so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypedDict

from mockgraph.journal import Exchange, Requests
from mockgraph.matching import ROOTS, PathPattern

_SHOWN = 10  # requests, and near misses a third of that
_WIDTH = 300  # characters of a value


class Expected(TypedDict, total=False):
    """What a request has to be like. In ``json``, ``query`` and ``headers`` a member that is not
    named may be anything; a value may be a function that tells whether it will do. With
    ``exact`` the body has to be ``json`` and nothing more."""

    json: Any
    exact: bool
    query: Mapping[str, Any]
    headers: Mapping[str, Any]
    status: int | None
    in_batch: bool | None
    where: Callable[[Exchange], bool] | None


class Expectation:
    """Requests of a method for a path, that are as expected; None is any method."""

    def __init__(self, method: str | None, path: str, expected: Expected):
        self._method = None if method in (None, "*") else str(method).upper()
        self._path = path
        self._pattern = PathPattern(path, ROOTS)
        self._expected = expected

    def matching(self, requests: Requests) -> list[Exchange]:
        """Those that are as expected."""
        return [each for each in requests if not any(self.differences(each))]

    def differences(self, exchange: Exchange) -> Iterator[str]:
        """What is not as expected in an exchange, a line each; most telling first."""
        if self._method is not None and exchange.method != self._method:
            yield f"method: {self._method} expected, {exchange.method} sent"
        if self._pattern.match(exchange.path) is None:
            yield f"path: {self._path} expected, {exchange.path} sent"
        expected = self._expected
        if "json" in expected:
            yield from _differ(
                "json", expected["json"], exchange.json, expected.get("exact", False)
            )
        for name, value in (expected.get("query") or {}).items():
            yield from _differ(f"query {name}", value, exchange.query.get(name, _ABSENT), True)
        for name, value in (expected.get("headers") or {}).items():
            sent = exchange.headers.get(name, _ABSENT)
            yield from _differ(f"header {name}", value, sent, True)
        for name in ("status", "in_batch"):
            wanted = expected.get(name)
            if wanted is not None and getattr(exchange, name) != wanted:
                yield f"{name}: {wanted!r} expected, {getattr(exchange, name)!r} found"
        where = expected.get("where")
        if where is not None and not where(exchange):
            yield "where: the function says no"

    def explain(self, requests: Requests, found: Sequence[Exchange], wanted: str, few: bool) -> str:
        """Why the expectation does not hold: what was expected, the near misses, the rest."""
        lines = [f"{self} was expected {wanted}, but it was made {_times(len(found))}."]
        misses = self._near_misses(requests) if few else []
        for miss, differences in misses:
            lines += [f"Near miss {miss!r}:", *(f"    {each}" for each in differences[:6])]
        lines.append(f"All of them, {len(requests)}:" if requests else "None was made at all.")
        lines += [f"    {each!r}" for each in requests[-_SHOWN:]]
        if len(requests) > _SHOWN:
            lines.append(f"    (the last {_SHOWN} of them)")
        return "\n".join(lines)

    def _near_misses(self, requests: Requests) -> list[tuple[Exchange, list[str]]]:
        judged = [(each, list(self.differences(each))) for each in requests]
        near = [
            (each, differences)
            for each, differences in judged
            if differences
            and (not differences[0].startswith(("method:", "path:")) or len(differences) == 1)
        ]
        near.sort(key=lambda miss: (miss[1][0].startswith(("method:", "path:")), len(miss[1])))
        return near[: _SHOWN // 3]

    def __str__(self) -> str:
        named = [
            f"{name}={_short(value)}"
            for name, value in self._expected.items()
            if value is not None and name != "exact"
        ]
        return " ".join([self._method or "Any method", self._path, *named])


def check_called(
    requests: Requests,
    expectation: Expectation,
    times: int | None = None,
    at_least: int = 1,
    at_most: int | None = None,
) -> list[Exchange]:
    """The requests that were made as expected, so many times. Raises AssertionError.

    ``times`` is exactly; without it, ``at_least`` and ``at_most`` are the bounds.
    """
    __tracebackhide__ = True
    found = expectation.matching(requests)
    if times is not None:
        held, wanted = len(found) == times, "never" if times == 0 else f"{_times(times)} exactly"
    else:
        held = len(found) >= at_least and (at_most is None or len(found) <= at_most)
        wanted = f"at least {_times(at_least)}"
        wanted += "" if at_most is None else f" and at most {_times(at_most)}"
    if not held:
        few = len(found) < (at_least if times is None else times)
        raise AssertionError(expectation.explain(requests, found, wanted, few))
    return found


def check_emulated(requests: Requests) -> None:
    """Raises AssertionError where something was asked for that is not emulated, nor stubbed."""
    __tracebackhide__ = True
    lacking = [each for each in requests if _is_lacking(each)]
    if lacking:
        listed = "".join(f"\n    {each!r}: {_message(each)}" for each in lacking[:_SHOWN])
        raise AssertionError(
            f"MockGraph does not emulate what was asked for, {len(lacking)} times; "
            f"stub it or leave it out:{listed}"
        )


def _is_lacking(exchange: Exchange) -> bool:
    unknown = ("Invalid version:", "Resource not found for the segment")
    return exchange.answered_by == "emulation" and (
        exchange.error == "notImplemented"
        or (exchange.status == 400 and _message(exchange).startswith(unknown))
    )


def _message(exchange: Exchange) -> str:
    body = exchange.response
    return str(body["error"]["message"]) if exchange.error is not None else ""


class _Absent:
    def __repr__(self) -> str:
        return "nothing"


_ABSENT = _Absent()


def _differ(at: str, expected: Any, sent: Any, exact: bool) -> Iterator[str]:
    """Where a value is not as expected, by its place."""
    if callable(expected) and not isinstance(expected, type):
        if sent is _ABSENT or not expected(sent):
            yield f"{at}: the function says no to {_short(sent)}"
    elif isinstance(expected, Mapping) and isinstance(sent, Mapping):
        for name, value in expected.items():
            yield from _differ(f"{at}/{name}", value, sent.get(name, _ABSENT), exact)
        if exact:
            for name in sent.keys() - expected.keys():
                yield f"{at}/{name}: nothing expected, {_short(sent[name])} sent"
    elif isinstance(expected, list) and isinstance(sent, list) and len(expected) == len(sent):
        for number, value in enumerate(expected):
            yield from _differ(f"{at}/{number}", value, sent[number], exact)
    elif not _equal(expected, sent):
        yield f"{at}: {_short(expected)} expected, {_short(sent)} sent"


def _equal(expected: Any, sent: Any) -> bool:
    """Whether values are equal as JSON has it: true is not 1. ``unittest.mock.ANY`` is any."""
    if isinstance(expected, (bool, int, float)) and isinstance(expected, bool) is not isinstance(
        sent, bool
    ):
        return False
    return bool(expected == sent)


def _times(count: int) -> str:
    return {0: "not once", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]}..."
