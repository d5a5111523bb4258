"""Arithmetic of instants, dates and durations (OData 4.01, part 2, 5.1.1.2.1 and 5.1.1.2.2).

An instant is text in the form of ``instants.sort_key``, a date text, a duration a Decimal of
seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeAlias

from mockgraph.errors import BadRequest
from mockgraph.odata.ast import ValueKind

Apply: TypeAlias = Callable[[Any, Any], Any]

TEMPORAL: Final = frozenset({ValueKind.INSTANT, ValueKind.DATE, ValueKind.DURATION})

_EPOCH = datetime(1, 1, 1)
_SECOND = timedelta(seconds=1)
_DAY = Decimal(86400)


def temporal_operation(
    name: str, left: ValueKind, right: ValueKind
) -> tuple[ValueKind, Apply] | None:
    """Return the result's kind, and how it comes about; None where the standard has no such."""
    return _OPERATIONS.get((name, left, right))


def _seconds(instant: str) -> Decimal:
    whole, _, fraction = instant.partition(".")
    return Decimal((datetime.fromisoformat(whole) - _EPOCH) // _SECOND) + Decimal(f"0.{fraction}0")


def _later(instant: str, by: Decimal) -> str:
    seconds = _seconds(instant) + by
    whole = seconds // 1
    moment = _moved(_EPOCH, whole) if seconds >= 0 else _out_of_range()
    fraction = f"{seconds - whole:f}".partition(".")[2].rstrip("0")
    return f"{moment.isoformat()}.{fraction}" if fraction else moment.isoformat()


def _day_later(day: str, by: Decimal) -> str:
    """A date so many whole days later: the rest of a duration is cut off."""
    return _moved(datetime.fromisoformat(day), by // _DAY * _DAY).date().isoformat()


def _moved(moment: datetime, seconds: Decimal) -> datetime:
    try:
        return moment + timedelta(seconds=int(seconds))
    except OverflowError:
        return _out_of_range()


def _out_of_range() -> datetime:
    raise BadRequest("The query computes an instant that is not within the years 1 to 9999.")


def _days_between(one: str, other: str) -> Decimal:
    return (date.fromisoformat(one) - date.fromisoformat(other)).days * _DAY


_OPERATIONS: Mapping[tuple[str, ValueKind, ValueKind], tuple[ValueKind, Apply]] = {
    ("add", ValueKind.INSTANT, ValueKind.DURATION): (ValueKind.INSTANT, _later),
    ("sub", ValueKind.INSTANT, ValueKind.DURATION): (ValueKind.INSTANT, lambda a, b: _later(a, -b)),
    ("sub", ValueKind.INSTANT, ValueKind.INSTANT): (
        ValueKind.DURATION,
        lambda a, b: _seconds(a) - _seconds(b),
    ),
    ("add", ValueKind.DATE, ValueKind.DURATION): (ValueKind.DATE, _day_later),
    ("sub", ValueKind.DATE, ValueKind.DURATION): (ValueKind.DATE, lambda a, b: _day_later(a, -b)),
    ("sub", ValueKind.DATE, ValueKind.DATE): (ValueKind.DURATION, _days_between),
    ("add", ValueKind.DURATION, ValueKind.DURATION): (ValueKind.DURATION, lambda a, b: a + b),
    ("sub", ValueKind.DURATION, ValueKind.DURATION): (ValueKind.DURATION, lambda a, b: a - b),
}
