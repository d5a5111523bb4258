"""Instants and spans of time, as KQL and ISO 8601 write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_DATETIME = re.compile(
    r"""(\d{4})-(\d{1,2})(?:-(\d{1,2}))?
    (?:[T ]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d+))?)?)?
    \s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?""",
    re.VERBOSE | re.IGNORECASE,
)
_TIMESPAN = re.compile(r"(-)?(?:(\d+)\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,7}))?)?")
_OTHERS = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y", "%Y%m%d", "%Y")


def read_datetime(text: str) -> datetime:
    """Return the instant that a text names, in UTC; a ValueError if it names none."""
    text = text.strip().strip("\"'").strip()
    match = _DATETIME.fullmatch(text)
    if match is None:
        for pattern in _OTHERS:
            try:
                return datetime.strptime(text, pattern).replace(tzinfo=UTC)
            except ValueError:
                continue
        raise ValueError(text)
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    moment = datetime(
        int(year),
        int(month),
        int(day or 1),
        int(hour or 0),
        int(minute or 0),
        int(second or 0),
        int((fraction or "0")[:6].ljust(6, "0")),
        tzinfo=UTC,
    )
    if zone and zone[0] in "+-":
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
        moment += -offset if zone[0] == "+" else offset
    return moment


def read_timespan(text: str) -> int:
    """Return the microseconds of ``[-][d.]hh:mm[:ss[.f]]`` or of a number of days."""
    text = text.strip().strip("\"'").strip()
    if re.fullmatch(r"-?\d+", text):
        return int(text) * 86_400_000_000
    match = _TIMESPAN.fullmatch(text)
    if match is None:
        raise ValueError(text)
    sign, days, hours, minutes, seconds, fraction = match.groups()
    microseconds = int((fraction or "0")[:6].ljust(6, "0"))
    whole = ((int(days or 0) * 24 + int(hours)) * 60 + int(minutes)) * 60 + int(seconds or 0)
    span = whole * 1_000_000 + microseconds
    return -span if sign else span
