"""The time that a hunting query looks back on, as the parameter ``Timespan`` gives it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from mockgraph.service.hunting.kql.moments import read_datetime
from mockgraph.service.hunting.refusal import HuntingError

Window = tuple[datetime | None, datetime | None]

DEFAULT = timedelta(days=30)

_DURATION = re.compile(
    r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+(?:\.\d+)?)D)?"
    r"(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?"
)


def window(timespan: str | None, now: datetime) -> Window:
    """Return the first and last instant of a timespan in one of its five forms of ISO 8601.

    ``P30D`` ends now; ``start/end``, ``duration/end``, ``start/duration``; a start alone has no
    end. None is 30 days.
    """
    if timespan is None or not timespan.strip():
        return now - DEFAULT, None
    parts = [each.strip() for each in timespan.split("/")]
    try:
        if len(parts) == 1:
            if parts[0][:1] in "Pp":
                return now - _duration(parts[0]), None
            return _instant(parts[0]), None
        first, last = parts
        if first[:1] in "Pp":
            end = _instant(last)
            return end - _duration(first), end
        start = _instant(first)
        end = start + _duration(last) if last[:1] in "Pp" else _instant(last)
    except (ValueError, OverflowError):
        raise HuntingError(
            f"The timespan '{timespan[:100]}' is no duration, start or interval of ISO 8601."
        ) from None
    if end < start:
        raise HuntingError(f"The timespan '{timespan[:100]}' ends before it starts.")
    return start, end


def _instant(text: str) -> datetime:
    return read_datetime(text).astimezone(UTC)


def _duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text.upper())
    if match is None or not any(match.groups()):
        raise ValueError(text)
    years, months, weeks, days, hours, minutes, seconds = (float(n or 0) for n in match.groups())
    return timedelta(
        days=years * 365 + months * 30 + days,
        weeks=weeks,
        hours=hours,
        minutes=minutes,
        seconds=seconds,
    )
