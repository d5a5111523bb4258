"""Expectations of a test on its journal, with an explanation where they do not hold."""

from __future__ import annotations

import reprlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Annotated, Any, TypedDict

from mockgraph.errors import BadRequest
from mockgraph.testing.exchange import Exchange
from mockgraph.testing.journal import Requests
from mockgraph.testing.matching import PathPattern, name_of
from mockgraph.testing.migration import RETIRED_ON
from mockgraph.testing.police import misdeeds, rules

_SHOWN = 10  # requests that an explanation lists
_MISSES = 3
_FAR = 0.5  # paths that are less alike are no near misses
_DIFFERENCES = 6  # of one near miss
_LINE = 700  # characters of a difference
_MISDEEDS = 20  # that an explanation lists


def _brief() -> reprlib.Repr:
    brief = reprlib.Repr()
    brief.maxlevel, brief.maxstring, brief.maxother = 5, 120, 120
    brief.maxlist = brief.maxdict = brief.maxtuple = 10
    return brief


_BRIEF = _brief()


class _Nothing:
    """The absence of a value."""

    def __repr__(self) -> str:
        return "nothing"


_NOTHING = _Nothing()


class ExpectedValues(TypedDict, total=False):
    """The properties of a request that JSON can say as well."""

    json: Annotated[Any, "The body; members that are not named may have any value."]
    exact: Annotated[bool, "The body has no members but those of json."]
    status: Annotated[int | None, "The status of the response."]
    in_batch: Annotated[bool | None, "True for items of a batch, false for other requests."]


class Expected(ExpectedValues, total=False):
    """The properties of a request that are expected.

    In ``json``, ``query`` and ``headers`` a member that is not named may have any value, and a
    value may be a function that accepts or refuses one, or any object that is equal to those
    accepted (``unittest.mock.ANY``, ``pytest.approx``). Query options may be named with their
    ``$`` or without; None for an option or a header is its absence.
    """

    query: Annotated[Mapping[str, Any] | None, "Query options; None for one that is not there."]
    headers: Annotated[Mapping[str, Any] | None, "Headers; None for one that is not there."]
    where: Annotated[Callable[[Exchange], bool] | None, "A function of the exchange."]


class Expectation:
    """An expectation on requests of a method for a path; None is any method."""

    def __init__(self, method: str | None, path: str, expected: Expected):
        known = Expected.__optional_keys__
        if unknown := expected.keys() - known:
            raise TypeError(
                f"There is no '{min(unknown)}' to be expected of a request; there are "
                f"{', '.join(sorted(known))}."
            )
        self._method = None if method in (None, "*") else str(method).upper()
        self._path = path
        self._pattern = PathPattern(path)
        self._expected = expected

    def matching(self, requests: Requests) -> list[Exchange]:
        """Return the requests that are as expected."""
        return [each for each in requests if not any(self.differences(each))]

    def differences(self, exchange: Exchange) -> Iterator[str]:
        """Yield a line for each difference of an exchange, the most telling ones first."""
        yield from self._elsewhere(exchange)
        yield from self._otherwise(exchange)

    def explain(self, requests: Requests, found: Sequence[Exchange], wanted: str, few: bool) -> str:
        """Explain why it does not hold: the expectation, the near misses, all requests."""
        made = f"made {_times(len(found))}" if found else "never made"
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
            yield f"path: {self._path} expected, {_cut(exchange.path)} sent"

    def _otherwise(self, exchange: Exchange) -> Iterator[str]:
        expected = self._expected
        if "json" in expected:
            exact = expected.get("exact", False)
            yield from deviations("json", expected["json"], exchange.json, exact)
        if options := expected.get("query"):
            sent = {_option(name): value for name, value in exchange.query.items()}
            for name, value in options.items():
                given = sent.get(_option(name), _NOTHING)
                yield from deviations(f"query {name}", _as_text(value), given, True)
        for name, value in (expected.get("headers") or {}).items():
            given = exchange.headers.get(name, _NOTHING)
            yield from deviations(f"header {name}", _as_text(value), given, True)
        for name in ("status", "in_batch"):
            wanted = expected.get(name)
            if wanted is not None and getattr(exchange, name) != wanted:
                yield f"{name}: {wanted!r} expected, {getattr(exchange, name)!r} found"
        where = expected.get("where")
        if where is not None and (refusal := _refusal(where, exchange)):
            yield f"where: {refusal}"

    def _near_misses(self, requests: Requests) -> list[tuple[Exchange, list[str]]]:
        """Return the requests that are nearest to the expected, those to its path first."""
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
        """Return how far the path is from the expected one, 0 to 1."""
        if self._pattern.match(exchange.path) is not None:
            return 0.0
        paths = self._path.lower()[:300], exchange.below.lower()[:300]
        return 1.0 - SequenceMatcher(None, *paths, autojunk=False).quick_ratio()

    def __str__(self) -> str:
        named = [
            f"{name}={_short(value)}"
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
    """Return the requests that were made as expected, so many times. Raises AssertionError.

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
    """Raise AssertionError where requests were neither emulated nor answered by a stub."""
    __tracebackhide__ = True
    lacking = requests.unemulated
    if lacking:
        asked = Counter((each.method, each.url, _told(each)) for each in lacking)
        lines = [
            f"MockGraph does not emulate what was asked for, {_times(len(lacking))}; stub it "
            "or leave it out:"
        ]
        for (method, url, message), count in list(asked.items())[:_SHOWN]:
            often = f", {_times(count)}" if count > 1 else ""
            lines.append(f"    {method} {_cut(url)}{often}: {message}")
        if len(asked) > _SHOWN:
            lines.append(f"    and {len(asked) - _SHOWN} more")
        raise AssertionError("\n".join(lines))


def _told(exchange: Exchange) -> str:
    """Return why a request was not emulated, and what it may have meant."""
    meant = f" Did it mean {' or '.join(exchange.nearest)}?" if exchange.nearest else ""
    return f"{exchange.error_message}{meant}"


def check_migrated(requests: Requests) -> None:
    """Raise AssertionError where requests are of the legacy alerts, with what replaces each."""
    __tracebackhide__ = True
    legacy = [each for each in requests if each.replacement is not None]
    if not legacy:
        return
    asked: dict[tuple[str, str, tuple[str, ...]], int] = Counter()
    for each in legacy:
        assert each.replacement is not None
        asked[each.method, each.url, tuple(each.replacement.lines())] += 1
    lines = [
        f"Legacy alerts were called {_times(len(legacy))}; they return no data from {RETIRED_ON} "
        "on. What takes their place:"
    ]
    for (method, url, instead), count in list(asked.items())[:_SHOWN]:
        lines.append(f"    {method} {_cut(url)}, {_times(count)}")
        lines += [f"        {line}" for line in instead]
    if len(asked) > _SHOWN:
        lines.append(f"    and {len(asked) - _SHOWN} more")
    raise AssertionError("\n".join(lines))


def check_well_behaved(exchanges: Iterable[Exchange], allow: Iterable[str] = ()) -> None:
    """Raise AssertionError with a list of the misdeeds of clients, but for those allowed.

    Raises MockGraphError where there is no such rule.
    """
    __tracebackhide__ = True
    allowed = rules(allow)
    found = [each for each in misdeeds(exchanges) if each.rule not in allowed]
    if not found:
        return
    lines = [f"The client misbehaved {_times(len(found))}:"]
    lines += [f"    {each}, after {each.earlier!r}" for each in found[:_MISDEEDS]]
    if len(found) > _MISDEEDS:
        lines.append(f"    (the first {_MISDEEDS} of them)")
    lines += [f"{rule}: {hint}" for rule, hint in {each.rule: each.hint for each in found}.items()]
    raise AssertionError("\n".join(lines))


def _as_text(value: Any) -> Any:
    """Return the text that an option or a header is expected to have; None is its absence."""
    if value is None:
        return _NOTHING
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, float)) else value


def _option(name: str) -> str:
    return name.lower().removeprefix("$")


def _some(differences: Sequence[str]) -> list[str]:
    """Return the first differences, in lines that are not too long."""
    left = len(differences) - _DIFFERENCES
    first = [_cut(each, _LINE) for each in differences[:_DIFFERENCES]]
    return [*first, *([f"and {left} more"] if left > 0 else [])]


def deviations(at: str, expected: Any, sent: Any, exact: bool) -> Iterator[str]:
    """Yield a line for each difference, by its place. Values may be nested however deep."""
    waiting = [(at, expected, sent)]
    while waiting:
        at, expected, sent = waiting.pop()
        if isinstance(expected, Mapping) and isinstance(sent, Mapping):
            within = [
                (f"{at}/{name}", value, sent.get(name, _NOTHING))
                for name, value in expected.items()
            ]
            waiting += reversed(within)
            for name in sent if exact else ():
                if name not in expected:
                    yield f"{at}/{name}: nothing expected, {_short(sent[name])} sent"
        elif _are_lists(expected, sent) and len(expected) == len(sent):
            pairs = zip(expected, sent, strict=True)
            waiting += reversed([(f"{at}/{n}", *pair) for n, pair in enumerate(pairs)])
        elif difference := _difference(expected, sent):
            yield f"{at}: {difference}"


def _difference(expected: Any, sent: Any) -> str | None:
    """Return how one value differs from the expected one."""
    if callable(expected) and not isinstance(expected, type):
        if sent is _NOTHING:
            return f"{name_of(expected)} expected something, nothing sent"
        refusal = _refusal(expected, sent)
        return refusal and f"{refusal} to {_short(sent)}"
    if _equal(expected, sent):
        return None
    return f"{_short(expected)} expected, {_short(sent)} sent"


def _refusal(function: Callable[[Any], Any], value: Any) -> str | None:
    """Return why a function of the test refuses a value; one that raises refuses it, too."""
    try:
        return None if function(value) else "the function says no"
    except Exception as error:
        return f"the function, raising {type(error).__name__} ({_cut(str(error))}), says no"


def _equal(expected: Any, sent: Any) -> bool:
    """Return whether values are equal in JSON, where true is not 1."""
    if isinstance(expected, (bool, int, float)) and isinstance(sent, (bool, int, float)):
        return isinstance(expected, bool) is isinstance(sent, bool) and expected == sent
    if expected is _NOTHING or sent is _NOTHING:  # which ANY would be equal to
        return expected is sent
    return bool(expected == sent)


def _are_lists(expected: Any, sent: Any) -> bool:
    return isinstance(expected, (list, tuple)) and isinstance(sent, list)


def _short(value: Any) -> str:
    """Return a value in a few words, however large and deep it is."""
    is_function = callable(value) and not isinstance(value, type)
    return _cut(name_of(value) if is_function else _BRIEF.repr(value))


def _cut(text: str, width: int = 300) -> str:
    """Return a text of at most so many characters."""
    return text if len(text) <= width else f"{text[:width]}..."


def _times(count: int) -> str:
    """Return how often, in words."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
