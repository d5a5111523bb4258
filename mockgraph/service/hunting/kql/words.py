"""Words of a query: names, literals and signs, each with its place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from mockgraph.service.hunting.refusal import QuerySyntaxError


class WordKind(Enum):
    """A kind of word."""

    NAME = auto()
    STRING = auto()
    NUMBER = auto()
    TIMESPAN = auto()
    SIGN = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Word:
    """A word: ``text`` is the value of a string, and what is written of anything else."""

    kind: WordKind
    text: str
    start: int
    end: int

    def __str__(self) -> str:
        return self.text


# How many ticks of a microsecond a unit of a timespan literal has.
UNITS = {
    "d": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "s": 1_000_000,
    "ms": 1000,
    "us": 1,
    "microsecond": 1,
    "microseconds": 1,
    "tick": 0.1,
    "ticks": 0.1,
    "day": 86_400_000_000,
    "days": 86_400_000_000,
    "hr": 3_600_000_000,
    "hrs": 3_600_000_000,
    "hour": 3_600_000_000,
    "hours": 3_600_000_000,
    "min": 60_000_000,
    "minute": 60_000_000,
    "minutes": 60_000_000,
    "sec": 1_000_000,
    "second": 1_000_000,
    "seconds": 1_000_000,
    "milli": 1000,
    "millis": 1000,
    "millisecond": 1000,
    "milliseconds": 1000,
    "micro": 1,
    "micros": 1,
}

_WORD = re.compile(
    r"""
    (?P<blank>(?:[\s\ufeff\u200b]|//[^\n]*)+)
  | (?P<fence>[hH]?(?:```[\s\S]*?```|~~~[\s\S]*?~~~))
  | (?P<verbatim>[hH]?@(?:"(?:[^"]|"")*"|'(?:[^']|'')*'))
  | (?P<string>[hH]?(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
  | (?P<timespan>\d+(?:\.\d+)?(?:UNIT)\b)
  | (?P<number>(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d+(?!\.))?(?:[eE][+-]?\d+)?)(?![A-Za-z0-9_]))
  | (?P<name>\$?[A-Za-z0-9_]+)
  | (?P<negated>![A-Za-z_]+~?)
  | (?P<sign>\.\.|<>|<\||<=|>=|==|!=|=~|!~|=>|[-+*/%<>=|(){}\[\],;:.?@~])
    """.replace("UNIT", "|".join(sorted(UNITS, key=len, reverse=True))),
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|[0-7]{1,3}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def words(text: str) -> list[Word]:
    """Return the words of a query; the last one is its end."""
    found: list[Word] = []
    at = 0
    while at < len(text):
        match = _WORD.match(text, at)
        if match is None:
            problem = "a string that does not end" if text[at] in "\"'@" else "no word of KQL"
            raise QuerySyntaxError(text, at, problem)
        kind, written = match.lastgroup, match.group()
        end = match.end()
        if kind in ("fence", "verbatim", "string"):
            found.append(Word(WordKind.STRING, _value(kind, written, text, at), at, end))
        elif kind == "name" and text[end : end + 1] == "~" and written.lower() == "in":
            end += 1
            found.append(Word(WordKind.SIGN, "in~", at, end))
        elif kind == "negated":
            found.append(Word(WordKind.SIGN, written.lower(), at, end))
        elif kind != "blank":
            assert kind is not None
            found.append(Word(WordKind[kind.upper()], written, at, end))
        at = end
    found.append(Word(WordKind.END, "", len(text), len(text)))
    return found


def _value(kind: str, written: str, text: str, at: int) -> str:
    """Return the characters that a string literal stands for."""
    written = written.lstrip("hH")
    if kind == "fence":
        return written[3:-3]
    if kind == "verbatim":
        quote = written[1]
        return written[2:-1].replace(quote * 2, quote)

    def character(match: re.Match[str]) -> str:
        escape = match.group(1)
        if escape[0] in "uUx":
            if len(escape) == 1:
                raise QuerySyntaxError(text, at, f"an escape '\\{escape}' without its digits")
            code = int(escape[1:], 16)
        elif escape.isdigit():
            code = int(escape, 8) if escape.isascii() and max(escape) < "8" else 0xFFFFFF
        else:
            return _ESCAPES.get(escape, escape)
        if code > 0x10FFFF or 0xD800 <= code < 0xE000:
            raise QuerySyntaxError(text, at, f"an escape '\\{escape}' that is no character")
        return chr(code)

    return _ESCAPE.sub(character, written[1:-1])
