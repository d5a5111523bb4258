"""Where a value that was sent is not as expected, in words that a person reads."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mockgraph.testing.matching import name_of


class _Nothing:
    def __repr__(self) -> str:
        return "nothing"


NOTHING = _Nothing()


def differ(at: str, expected: Any, sent: Any, exact: bool) -> Iterator[str]:
    """Where a value is not as expected, by its place. Values may be nested however deep."""
    waiting = [(at, expected, sent)]
    while waiting:
        at, expected, sent = waiting.pop()
        if isinstance(expected, Mapping) and isinstance(sent, Mapping):
            within = [
                (f"{at}/{name}", value, sent.get(name, NOTHING)) for name, value in expected.items()
            ]
            waiting += reversed(within)
            for name in sent if exact else ():
                if name not in expected:
                    yield f"{at}/{name}: nothing expected, {short(sent[name])} sent"
        elif _are_lists(expected, sent) and len(expected) == len(sent):
            pairs = zip(expected, sent, strict=True)
            waiting += reversed([(f"{at}/{n}", *pair) for n, pair in enumerate(pairs)])
        elif said := _judged(expected, sent):
            yield f"{at}: {said}"


def _judged(expected: Any, sent: Any) -> str | None:
    """What is wrong with one value."""
    if callable(expected) and not isinstance(expected, type):
        if sent is NOTHING:
            return f"{name_of(expected)} expected something, nothing sent"
        said = verdict(expected, sent)
        return said and f"{said} to {short(sent)}"
    if _equal(expected, sent):
        return None
    return f"{short(expected)} expected, {short(sent)} sent"


def verdict(function: Callable[[Any], Any], value: Any) -> str | None:
    """What is wrong by a function of the test's; one that raises does not accept the value."""
    try:
        return None if function(value) else "the function says no"
    except Exception as error:
        return f"the function, raising {type(error).__name__} ({cut(str(error))}), says no"


def _equal(expected: Any, sent: Any) -> bool:
    """Whether values are equal as JSON has it: true is not 1, though Python says so."""
    if isinstance(expected, (bool, int, float)) and isinstance(sent, (bool, int, float)):
        return isinstance(expected, bool) is isinstance(sent, bool) and expected == sent
    if expected is NOTHING or sent is NOTHING:  # which ANY would be equal to
        return expected is sent
    return bool(expected == sent)


def _are_lists(expected: Any, sent: Any) -> bool:
    return isinstance(expected, (list, tuple)) and isinstance(sent, list)


def short(value: Any) -> str:
    """A value in a few words, however large and deep it is."""
    is_function = callable(value) and not isinstance(value, type)
    return cut(name_of(value) if is_function else _BRIEF.repr(value))


def cut(text: str, width: int = 300) -> str:
    """A text of at most so many characters."""
    return text if len(text) <= width else f"{text[:width]}..."


def times_of(count: int) -> str:
    """How often, in words."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _brief() -> reprlib.Repr:
    brief = reprlib.Repr()
    brief.maxlevel, brief.maxstring, brief.maxother = 5, 120, 120
    brief.maxlist = brief.maxdict = brief.maxtuple = 10
    return brief


_BRIEF = _brief()
