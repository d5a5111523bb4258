"""Edm.DateTimeOffset values as text: any offset and 0 to 7 fraction digits in, UTC out.

Python's datetime keeps six fraction digits, Graph's pages print seven, so the fraction
travels beside the datetime as digits and nothing is rounded.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_PATTERN = re.compile(
    r"(\d{4}-\d\d-\d\d)T((?:[01]\d|2[0-3]):[0-5]\d)(?:(:[0-5]\d)(?:\.(\d{1,7}))?)?"
    r"(?:([Zz])|([+-])(\d\d):(\d\d))",
    re.ASCII,
)
# Most instants are written as they are kept; 29 February has to be looked at.
_AS_KEPT = re.compile(
    r"(?!0000)\d{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])"
    r"|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    r"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,7})?Z",
    re.ASCII,
)
_OFFSET = re.compile(r"[Zz]|[+-]")
_MAX_OFFSET = timedelta(hours=14)


def to_utc(text: str) -> str:
    """Return the same moment in UTC, ``YYYY-MM-DDTHH:MM:SS[.fffffff]Z``, with its digits kept.

    Raises ValueError where the text is no instant (RFC 3339 with an offset, years 0001 to
    9999, offsets up to 14 hours), as Edm.DateTimeOffset defines it.
    """
    if _AS_KEPT.fullmatch(text):
        return text
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ValueError("not an instant")
    day, clock, seconds, fraction, zulu, sign, hours, minutes = match.groups()
    moment = datetime.fromisoformat(f"{day}T{clock}{seconds or ':00'}")
    if not zulu:
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        if offset > _MAX_OFFSET or int(minutes) > 59:
            raise ValueError("not an offset")
        try:
            moment = moment - offset if sign == "+" else moment + offset
        except OverflowError:
            raise ValueError("out of range") from None
    digits = f".{fraction}" if fraction else ""
    return f"{moment.isoformat()}{digits}Z"


def to_utc_leniently(text: str) -> str:
    """Do as :func:`to_utc`, also for a day alone, a blank for the ``T``, and no offset, for UTC."""
    day, _, rest = text.strip().replace(" ", "T", 1).partition("T")
    if not rest:
        rest = "00:00:00Z"
    elif not _OFFSET.search(rest):
        rest += "Z"
    return to_utc(f"{day}T{rest}")


def sort_key(text: str) -> str:
    """Return a key by which instants that :func:`to_utc` wrote compare as moments."""
    text = text[:-1]
    return text.rstrip("0").rstrip(".") if "." in text else text


def now() -> str:
    """Return the present moment as Graph writes it, to the microsecond."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
