"""The tokens of OData expressions, and the values of those that are literals."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from itertools import islice
from typing import NamedTuple

from mockgraph import instants
from mockgraph.errors import BadRequest, NotEmulated
from mockgraph.odata.ast import EnumerationLiteral, Literal, ValueKind, quoted

MAX_TOKENS = 2000
_MAX_NUMBER = 64

# A token each, with the blanks before it: possessive, so that no input is read twice.
_TOKENS = re.compile(
    r"""\s*+(?:
      (?P<end>\Z)
    | (?P<mark>[(),/:])
    | (?P<prefixed>[^\W\d][\w.]*'(?:[^']|'')*+')
    | (?P<string>'(?:[^']|'')*+')
    | (?P<guid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?!\w))
    | (?P<name>[^\W\d][\w.]*|\$(?:it|root|count)\b)
    | (?P<instant>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(?:Z|[+-][0-9]{2}:[0-9]{2})?)
    | (?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})
    | (?P<time>[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,7})?)?)
    | (?P<number>[+-]?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)
    | (?P<minus>-)
    | (?P<alias>@[^\W\d]\w*+(?!\.))
    | (?P<unknown>.)
    )""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_DURATION = re.compile(
    r"[+-]?P(?=.)(?:(?P<days>\d{1,12})D)?"
    r"(?:T(?=.)(?:(?P<hours>\d{1,12})H)?(?:(?P<minutes>\d{1,12})M)?"
    r"(?:(?P<seconds>\d{1,12}(?:\.\d{1,12})?)S)?)?",
    re.ASCII,
)

_WORDS = {
    "null": Literal(ValueKind.NULL, None),
    "true": Literal(ValueKind.BOOLEAN, True),
    "false": Literal(ValueKind.BOOLEAN, False),
}
_SPECIAL_NUMBERS = {
    "INF": Literal(ValueKind.DOUBLE, math.inf),
    "NaN": Literal(ValueKind.DOUBLE, math.nan),
}
# More than any that a property holds, and few enough digits for Decimal to be exact.
_MAX_SECONDS = 10**14
_SHOWN = {
    "instant": "instant with an offset, such as 2024-05-01T12:00:00Z",
    "prefixed": "literal",
}


class Token(NamedTuple):
    """A piece of an expression: ``kind`` is the name of its group, ``end`` for the last."""

    kind: str
    text: str
    offset: int

    def __str__(self) -> str:
        """Its place, for a message."""
        text = _unquoted(self.text) if self.kind == "string" else self.text
        return f"at {quoted(text)}, position {self.offset + 1}"


def tokenize(text: str) -> list[Token]:
    """Return the tokens of an expression; raises BadRequest where the text has none."""
    tokens = []
    for match in islice(_TOKENS.finditer(text), MAX_TOKENS + 1):
        kind = match.lastgroup or ""
        position = match.start(kind)
        if kind == "unknown":
            what = "a quote is not closed" if match[kind] == "'" else "not understood"
            raise BadRequest(f"{what} {Token('', text[position : position + 20], position)}.")
        tokens.append(Token(kind, match[kind], position))
    if tokens[-1].kind != "end":
        raise BadRequest(f"more than {MAX_TOKENS} words and signs.")
    return tokens


def without_literals(text: str) -> tuple[str, list[Token]] | None:
    """Return an expression with aliases in the place of its literals, ``@_0`` first, and these.

    None where it has aliases of its own, or is no expression.
    """
    words: list[str] = []
    literals: list[Token] = []
    for match in _TOKENS.finditer(text):
        kind = match.lastgroup or ""
        if kind in _READERS:
            words.append(f"@_{len(literals)}")
            literals.append(Token(kind, match[kind], 0))
        elif kind in ("alias", "unknown"):
            return None
        else:
            words.append(match[kind])
    return " ".join(words), literals


def constant_named(name: str) -> Literal | None:
    """Return the literal that a word stands for: ``null``, ``true``, ``INF``, ``P1D``."""
    if name[0] == "P" and _DURATION.fullmatch(name):
        return literal_of(Token("duration", name, 0))
    return _WORDS.get(name.lower()) or _SPECIAL_NUMBERS.get(name)


def literal_of(token: Token) -> Literal:
    """Return the literal that a token spells; raises BadRequest where its value is none."""
    kind, text = token.kind, token.text
    try:
        return _READERS[kind](text)
    except ValueError:
        shown = _SHOWN.get(kind, kind)
        raise BadRequest(f"{quoted(text)} is not a valid {shown}.") from None


def _unquoted(text: str) -> str:
    return text[1:-1].replace("''", "'")


def _prefixed(text: str) -> Literal:
    prefix, _, rest = text.partition("'")
    value = _unquoted(f"'{rest}")
    if "." in prefix:
        return Literal(ValueKind.MEMBER, EnumerationLiteral(prefix, value))
    match prefix.lower():
        case "duration":
            return Literal(ValueKind.DURATION, seconds(value))
        case "binary" | "geography" | "geometry" as known:
            return Literal(ValueKind[known.upper()], value)
        case _:
            raise NotEmulated(f"literals of the form {prefix[:32]}'...' in expressions")


def seconds(text: str) -> Decimal:
    """Return how many seconds an Edm.Duration is; years and months are none of it.

    Raises ValueError.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError("no duration")
    days, hours, minutes, rest = (Decimal(group or 0) for group in match.groups())
    total = ((days * 24 + hours) * 60 + minutes) * 60 + rest
    if total >= _MAX_SECONDS:
        raise ValueError("out of range")
    return -total if text[0] == "-" else total


def _number(text: str) -> Literal:
    """Digits alone are an integer, with a point a decimal, with an exponent a double."""
    if len(text) > _MAX_NUMBER:
        raise ValueError("too long")
    if "e" in text or "E" in text:
        value = float(text)
        if math.isinf(value):
            raise ValueError("out of range")
        return Literal(ValueKind.DOUBLE, value)
    if "." not in text and -(2**63) <= int(text) < 2**63:
        return Literal(ValueKind.INTEGER, int(text))
    return Literal(ValueKind.DECIMAL, Decimal(text))


def _time(text: str) -> Literal:
    """A time of day that compares as text: with seconds, without trailing zeros."""
    text = text if len(text) > 5 else f"{text}:00"
    time.fromisoformat(text)
    return Literal(ValueKind.TIME, text.rstrip("0").rstrip(".") if "." in text else text)


_READERS: dict[str, Callable[[str], Literal]] = {
    "string": lambda text: Literal(ValueKind.STRING, _unquoted(text)),
    "prefixed": _prefixed,
    "guid": lambda text: Literal(ValueKind.GUID, text.lower()),
    "instant": lambda text: Literal(
        ValueKind.INSTANT, instants.sort_key(instants.to_utc(text.upper()))
    ),
    "date": lambda text: Literal(ValueKind.DATE, date.fromisoformat(text).isoformat()),
    "time": _time,
    "duration": lambda text: Literal(ValueKind.DURATION, seconds(text)),
    "number": _number,
}
