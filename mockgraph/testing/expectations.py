"""What a test expects of the journal, and an explanation where it is not so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, TypedDict

from mockgraph.errors import BadRequest
from mockgraph.testing.differences import NOTHING, cut, differ, short, times_of, verdict
from mockgraph.testing.exchange import Exchange
from mockgraph.testing.journal import Requests
from mockgraph.testing.matching import ROOTS, PathPattern

_SHOWN = 10  # requests that an explanation lists
_MISSES = 3
_FAR = 0.5  # paths that are less alike are no near misses
_DIFFERENCES = 6  # of one near miss
_LINE = 700  # characters of a difference


class Expected(TypedDict, total=False):
    """What a request has to be like.

    In ``json``, ``query`` and ``headers`` a member that is not named may be anything, and a
    value may be a function that tells whether it will do, or any object that is equal to what
    will do (``unittest.mock.ANY``, ``pytest.approx``). With ``exact`` the body has to be
    ``json`` and nothing more. Query options may be named with their ``$`` or without; None for
    an option or a header means that there is none.
    """

    json: Any
    exact: bool
    query: Mapping[str, Any] | None
    headers: Mapping[str, Any] | None
    status: int | None
    in_batch: bool | None
    where: Callable[[Exchange], bool] | None


class Expectation:
    """Requests of a method for a path, that are as expected; None is any method."""

    def __init__(self, method: str | None, path: str, expected: Expected):
        known = Expected.__optional_keys__
        if unknown := expected.keys() - known:
            raise TypeError(
                f"There is no '{min(unknown)}' to be expected of a request; there are "
                f"{', '.join(sorted(known))}."
            )
        self._method = None if method in (None, "*") else str(method).upper()
        self._path = path
        self._pattern = PathPattern(path, ROOTS)
        self._expected = expected

    def matching(self, requests: Requests) -> list[Exchange]:
        """Those that are as expected."""
        return [each for each in requests if not any(self.differences(each))]

    def differences(self, exchange: Exchange) -> Iterator[str]:
        """What is not as expected in an exchange, a line each; most telling first."""
        yield from self._elsewhere(exchange)
        yield from self._otherwise(exchange)

    def explain(self, requests: Requests, found: Sequence[Exchange], wanted: str, few: bool) -> str:
        """Why the expectation does not hold: what was expected, the near misses, the rest."""
        made = f"made {times_of(len(found))}" if found else "never made"
        lines = [f"{self} was expected {wanted}, but it was {made}."]
        for miss, differences in self._near_misses(requests) if few else ():
            lines += [f"Near miss {miss!r}:", *(f"    {each}" for each in differences)]
        which = ", with * those meant" if found else ""
        total = f"All of them, {len(requests)}{which}:"
        lines.append(total if requests else "None was made at all.")
        meant = {id(each) for each in found}
        lines += [f"  {'*' if id(each) in meant else ' '} {each!r}" for each in requests[-_SHOWN:]]
        if len(requests) > _SHOWN:
            lines.append(f"    (the last {_SHOWN} of them)")
        if requests.dropped:
            lines.append(f"    (the journal has no room for {requests.dropped} earlier ones)")
        return "\n".join(lines)

    def _elsewhere(self, exchange: Exchange) -> Iterator[str]:
        if self._method is not None and exchange.method != self._method:
            yield f"method: {self._method} expected, {exchange.method} sent"
        if self._pattern.match(exchange.path) is None:
            yield f"path: {self._path} expected, {cut(exchange.path)} sent"

    def _otherwise(self, exchange: Exchange) -> Iterator[str]:
        expected = self._expected
        if "json" in expected:
            exact = expected.get("exact", False)
            yield from differ("json", expected["json"], exchange.json, exact)
        if options := expected.get("query"):
            sent = {_option(name): value for name, value in exchange.query.items()}
            for name, value in options.items():
                given = sent.get(_option(name), NOTHING)
                yield from differ(f"query {name}", _as_text(value), given, True)
        for name, value in (expected.get("headers") or {}).items():
            given = exchange.headers.get(name, NOTHING)
            yield from differ(f"header {name}", _as_text(value), given, True)
        for name in ("status", "in_batch"):
            wanted = expected.get(name)
            if wanted is not None and getattr(exchange, name) != wanted:
                yield f"{name}: {wanted!r} expected, {getattr(exchange, name)!r} found"
        where = expected.get("where")
        if where is not None and (said := verdict(where, exchange)):
            yield f"where: {said}"

    def _near_misses(self, requests: Requests) -> list[tuple[Exchange, list[str]]]:
        """What is nearest to the expected: first what was asked in the right place."""
        ranked: dict[tuple[str, ...], tuple[tuple[float, ...], Exchange]] = {}
        for exchange in requests:
            elsewhere = list(self._elsewhere(exchange))
            if len(elsewhere) == 2:
                continue
            differences = [*elsewhere, *self._otherwise(exchange)]
            unlike = self._unlike(exchange) if elsewhere else 0.0
            if differences and unlike < _FAR:
                shown = _some(differences)
                key = (exchange.method, exchange.url, *shown)
                ranked.setdefault(key, ((len(elsewhere), unlike, len(differences)), exchange))
        nearest = sorted(ranked.items(), key=lambda item: item[1][0])[:_MISSES]
        return [(exchange, list(key[2:])) for key, (_, exchange) in nearest]

    def _unlike(self, exchange: Exchange) -> float:
        """How far the path is from the expected one, 0 to 1."""
        if self._pattern.match(exchange.path) is not None:
            return 0.0
        paths = self._path.lower()[:300], exchange.below.lower()[:300]
        return 1.0 - SequenceMatcher(None, *paths, autojunk=False).quick_ratio()

    def __str__(self) -> str:
        named = [
            f"{name}={short(value)}"
            for name, value in self._expected.items()
            if name == "json" or (value is not None and name != "exact")
        ]
        exactly = ["exactly"] if self._expected.get("exact") else []
        return " ".join([self._method or "Any method", self._path, *named, *exactly])


def check_called(
    requests: Requests,
    expectation: Expectation,
    times: int | None = None,
    at_least: int = 1,
    at_most: int | None = None,
) -> list[Exchange]:
    """The requests that were made as expected, so many times. Raises AssertionError.

    ``times`` is exactly; without it, ``at_least`` and ``at_most`` are the bounds. Raises
    BadRequest where no number of requests could be right.
    """
    __tracebackhide__ = True
    for name, number in (("times", times), ("at_least", at_least), ("at_most", at_most)):
        if number is not None and number < 0:
            raise BadRequest(f"{name}: A number of requests is 0 or more.")
    if times is None and at_most is not None and at_most < at_least:
        raise BadRequest(f"at_most: {at_most} at most cannot be {at_least} at least.")
    found = expectation.matching(requests)
    if times is not None:
        held, wanted = len(found) == times, "never" if times == 0 else f"{times_of(times)} exactly"
    else:
        held = len(found) >= at_least and (at_most is None or len(found) <= at_most)
        wanted = f"at least {times_of(at_least)}"
        wanted += "" if at_most is None else f" and at most {times_of(at_most)}"
    if not held:
        few = len(found) < (at_least if times is None else times)
        raise AssertionError(expectation.explain(requests, found, wanted, few))
    return found


def check_emulated(requests: Requests) -> None:
    """Raises AssertionError where something was asked for that is not emulated, nor stubbed."""
    __tracebackhide__ = True
    lacking = requests.unemulated
    if lacking:
        asked = Counter((each.method, each.url, each.error_message) for each in lacking)
        lines = [
            f"MockGraph does not emulate what was asked for, {times_of(len(lacking))}; stub it "
            "or leave it out:"
        ]
        for (method, url, message), count in list(asked.items())[:_SHOWN]:
            often = f", {times_of(count)}" if count > 1 else ""
            lines.append(f"    {method} {cut(url)}{often}: {message}")
        if len(asked) > _SHOWN:
            lines.append(f"    and {len(asked) - _SHOWN} more")
        raise AssertionError("\n".join(lines))


def _as_text(value: Any) -> Any:
    """What is expected of an option or a header: numbers are written as such, None is nothing."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, float)) else value


def _option(name: str) -> str:
    return name.lower().removeprefix("$")


def _some(differences: Sequence[str]) -> list[str]:
    """The first of them, in lines that are not too long."""
    left = len(differences) - _DIFFERENCES
    first = [cut(each, _LINE) for each in differences[:_DIFFERENCES]]
    return [*first, *([f"and {left} more"] if left > 0 else [])]
