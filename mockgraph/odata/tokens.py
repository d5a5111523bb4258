"""From the text of an OData expression to tokens that the grammar can take.

The lexer of odata-query cannot be used: it takes ``allowed`` for the keyword ``all``, does
not know ``$count``, ``$it``, ``has``, ``divby`` and enumeration literals, and its grammar
breaks on lambdas over paths of three segments. So a token here is what the grammar treats
as a unit: a whole path is one, a literal is one, and lists get the comma that the grammar
wants behind a single item.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, time
from typing import Any, NamedTuple

from mockgraph import instants
from mockgraph.errors import BadRequest, NotEmulated
from mockgraph.odata.syntax import Kind, Literal, Member, Path, quoted

MAX_TOKENS = 2000
MAX_PARENTHESES = 50
_MAX_NUMBER = 64

_LEXEMES = re.compile(
    r"""
      (?P<blank>\s+)
    | (?P<prefixed>[^\W\d][\w.]*'(?:[^']|'')*+')
    | (?P<string>'(?:[^']|'')*+')
    | (?P<guid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?!\w))
    | (?P<instant>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(?:Z|[+-][0-9]{2}:[0-9]{2})?)
    | (?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})
    | (?P<time>[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,7})?)?)
    | (?P<number>[+-]?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)
    | (?P<name>[^\W\d][\w.]*|\$it\b|\$count\b)
    | (?P<mark>[(),/:-])
    """,
    re.VERBOSE | re.IGNORECASE,
)

# An operator, and the terminal of the grammar that has its place and precedence.
_OPERATORS = {
    "eq": "EQ", "ne": "NE", "gt": "GT", "ge": "GE", "lt": "LT", "le": "LE",
    "and": "AND", "or": "OR", "in": "IN", "has": "IN",
    "add": "ADD", "sub": "SUB", "mul": "MUL", "div": "DIV", "divby": "DIV", "mod": "MOD",
    "asc": "ASC", "desc": "DESC",
}  # fmt: skip
_WORDS = {
    "null": Literal(Kind.NULL, None),
    "true": Literal(Kind.BOOLEAN, True),
    "false": Literal(Kind.BOOLEAN, False),
}
_SPECIAL_NUMBERS = {"INF": float("inf"), "NaN": float("nan")}
_QUANTIFIERS = {"any": "ANY", "all": "ALL"}
_HINTS = {"instant": " with an offset, such as 2024-05-01T12:00:00Z"}


class Token(NamedTuple):
    """A terminal of the grammar: LITERAL, PATH, FUNCTION, an operator or a mark."""

    type: str
    value: Any
    offset: int


class _Lexeme(NamedTuple):
    kind: str
    text: str
    offset: int


def tokenize(text: str) -> list[Token]:
    """The tokens of an expression; raises BadRequest where the text has none."""
    return _Tokenizer(text).run()


def at(offset: int, lexeme: str) -> str:
    """Where a fault is, for a message."""
    return f"at {quoted(lexeme)}, position {offset + 1}"


class _Tokenizer:
    """Reads lexemes one after another; ``lists`` tells of each open parenthesis whether it is
    a list that has had no comma yet."""

    def __init__(self, text: str) -> None:
        self.lexemes = list(_scan(text))
        self.position = 0
        self.tokens: list[Token] = []
        self.lists: list[bool] = []

    def run(self) -> list[Token]:
        while (lexeme := self._take()) is not None:
            if lexeme.kind == "mark":
                self._mark(lexeme)
            elif lexeme.kind != "name":
                self._add("LITERAL", _literal(lexeme), lexeme)
            elif self.tokens and self.tokens[-1].type in ("LITERAL", "PATH", ")"):
                self._operator(lexeme)
            else:
                self._operand(lexeme)
        return self.tokens

    def _take(self) -> _Lexeme | None:
        lexeme = self._peek()
        self.position += 1
        return lexeme

    def _peek(self, ahead: int = 0) -> _Lexeme | None:
        position = self.position + ahead
        return self.lexemes[position] if position < len(self.lexemes) else None

    def _next_is(self, mark: str, ahead: int = 0) -> bool:
        lexeme = self._peek(ahead)
        return lexeme is not None and lexeme.text == mark

    def _add(self, type_: str, value: Any, lexeme: _Lexeme) -> None:
        self.tokens.append(Token(type_, value, lexeme.offset))

    def _mark(self, lexeme: _Lexeme, *, opens_list: bool = False) -> None:
        mark = lexeme.text
        if mark == "(":
            if self.tokens and self.tokens[-1].type in ("LITERAL", "PATH"):
                raise BadRequest(f"an operator is expected {at(lexeme.offset, mark)}.")
            if len(self.lists) == MAX_PARENTHESES:
                raise BadRequest(f"more than {MAX_PARENTHESES} parentheses inside one another.")
            self.lists.append(opens_list)
        elif mark == "," and self.lists:
            self.lists[-1] = False
        elif mark == ")" and self.tokens and self.tokens[-1].type == ",":
            raise BadRequest(f"an item is missing {at(lexeme.offset, mark)}.")
        elif mark == ")" and self.lists and self.lists.pop():
            self._add(",", ",", lexeme)
        self._add("UMINUS" if mark == "-" else mark, mark, lexeme)

    def _operator(self, lexeme: _Lexeme) -> None:
        name = lexeme.text.lower()
        if name not in _OPERATORS:
            raise BadRequest(f"an operator is expected {at(lexeme.offset, lexeme.text)}.")
        self._add(_OPERATORS[name], name, lexeme)
        if name == "in":
            opening = self._take()
            if opening is None or opening.text != "(":
                raise BadRequest("'in' takes a list in parentheses.")
            self._mark(opening, opens_list=True)
        elif name == "has":
            flag = self._take()
            if flag is None or flag.kind not in ("prefixed", "string"):
                raise BadRequest("'has' takes an enumeration literal.")
            for type_, value in ("(", "("), ("LITERAL", _literal(flag)), (",", ","), (")", ")"):
                self._add(type_, value, flag)

    def _operand(self, lexeme: _Lexeme) -> None:
        text, name = lexeme.text, lexeme.text.lower()
        if name == "not" and not self._next_is("/"):
            self._add("NOT", name, lexeme)
        elif self._next_is("("):
            self._add("FUNCTION", text, lexeme)
        elif name in _WORDS and not self._next_is("/"):
            self._add("LITERAL", _WORDS[name], lexeme)
        elif text in _SPECIAL_NUMBERS:
            self._add("LITERAL", Literal(Kind.DOUBLE, _SPECIAL_NUMBERS[text]), lexeme)
        else:
            self._path(lexeme)

    def _path(self, lexeme: _Lexeme) -> None:
        names = [lexeme.text]
        quantifier = None
        while self._next_is("/") and quantifier is None:
            segment = self._peek(1)
            if segment is None or segment.kind != "name":
                raise BadRequest(f"a name is expected behind '/' {at(lexeme.offset, names[0])}.")
            self.position += 2
            if segment.text.lower() in _QUANTIFIERS and self._next_is("("):
                quantifier = segment
            else:
                names.append(segment.text)
        self._add("PATH", Path(tuple(names)), lexeme)
        if quantifier is not None:
            self._add("/", "/", quantifier)
            name = quantifier.text.lower()
            self._add(_QUANTIFIERS[name], name, quantifier)


def _scan(text: str) -> Iterator[_Lexeme]:
    position = count = 0
    while position < len(text):
        match = _LEXEMES.match(text, position)
        if match is None:
            what = "a quote is not closed" if text[position] == "'" else "not understood"
            raise BadRequest(f"{what} {at(position, text[position : position + 20])}.")
        position = match.end()
        if match.lastgroup != "blank":
            count += 1
            if count > MAX_TOKENS:
                raise BadRequest(f"more than {MAX_TOKENS} words and signs.")
            yield _Lexeme(match.lastgroup or "", match.group(), match.start())


def _literal(lexeme: _Lexeme) -> Literal:
    kind, text = lexeme.kind, lexeme.text
    if kind == "string":
        return Literal(Kind.STRING, _unquoted(text))
    if kind == "prefixed":
        return _prefixed(text)
    if kind == "guid":
        return Literal(Kind.GUID, text.lower())
    try:
        if kind == "number":
            return _number(text)
        if kind == "instant":
            return Literal(Kind.INSTANT, instants.sort_key(instants.to_utc(text.upper())))
        if kind == "date":
            return Literal(Kind.DATE, date.fromisoformat(text).isoformat())
        return Literal(Kind.TIME, _time(text))
    except ValueError:
        raise BadRequest(f"{quoted(text)} is not a valid {kind}{_HINTS.get(kind, '')}.") from None


def _unquoted(text: str) -> str:
    return text[1:-1].replace("''", "'")


def _prefixed(text: str) -> Literal:
    prefix, _, rest = text.partition("'")
    if "." not in prefix:
        raise NotEmulated(f"literals of the form {prefix[:32]}'...' in expressions")
    return Literal(Kind.MEMBER, Member(prefix, _unquoted("'" + rest)))


def _number(text: str) -> Literal:
    if len(text) > _MAX_NUMBER:
        raise ValueError("too long")
    if text.lstrip("+-").isdecimal() and -(2**63) <= int(text) < 2**63:
        return Literal(Kind.INTEGER, int(text))
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError("out of range")
    return Literal(Kind.DOUBLE, value)


def _time(text: str) -> str:
    """A time of day that compares as text: with seconds, without trailing zeros."""
    text = text if len(text) > 5 else f"{text}:00"
    time.fromisoformat(text)
    return text.rstrip("0").rstrip(".") if "." in text else text
