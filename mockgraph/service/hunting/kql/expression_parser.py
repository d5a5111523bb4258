"""Expressions of KQL, read by the precedence of their operators."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NoReturn, TypeVar

from mockgraph.service.hunting.kql import nodes
from mockgraph.service.hunting.kql.kinds import BY_NAME, Kind
from mockgraph.service.hunting.kql.moments import read_datetime, read_timespan
from mockgraph.service.hunting.kql.words import UNITS, Word, WordKind, words
from mockgraph.service.hunting.refusal import QueryLimitError, QuerySyntaxError

T = TypeVar("T")

_DEEPEST = 100  # brackets within brackets

_EQUALITIES = ("==", "!=", "<>", "=~", "!~")
_RELATIONS = ("<", ">", "<=", ">=")
_LISTS = ("in", "in~", "!in", "!in~", "has_any", "has_all", "!has_any", "!has_all")
_TEXTS = (
    "has",
    "has_cs",
    "hasprefix",
    "hasprefix_cs",
    "hassuffix",
    "hassuffix_cs",
    "contains",
    "contains_cs",
    "startswith",
    "startswith_cs",
    "endswith",
    "endswith_cs",
    "like",
    "likecs",
)
_TEXT_SIGNS = frozenset(_TEXTS) | {f"!{each}" for each in _TEXTS} | {"notcontains", "notlike"}


class ExpressionParser:
    """A reader of expressions: it holds the words of a query, and the place of the next one."""

    def __init__(self, text: str):
        self.text = text
        self._words = words(text)
        self._next = 0
        self._depth = 0
        self._searching = False

    # Words

    @property
    def word(self) -> Word:
        return self._words[self._next]

    def ahead(self, number: int = 1) -> Word:
        return self._words[min(self._next + number, len(self._words) - 1)]

    def ended(self) -> bool:
        """Tell whether the whole text is read."""
        return self.word.kind is WordKind.END

    def advance(self) -> Word:
        word = self.word
        if word.kind is not WordKind.END:
            self._next += 1
        return word

    def is_sign(self, *signs: str) -> bool:
        return self.word.kind is WordKind.SIGN and self.word.text in signs

    def is_name(self, *names: str) -> bool:
        return self.word.kind is WordKind.NAME and self.word.text in names

    def accept(self, sign: str) -> bool:
        """Pass over a sign or a name, if it is the next word."""
        if self.word.kind in (WordKind.SIGN, WordKind.NAME) and self.word.text == sign:
            self.advance()
            return True
        return False

    def expect(self, sign: str) -> Word:
        word = self.word
        if not self.accept(sign):
            self.fail(f"'{sign}' is due here")
        return word

    def fail(self, problem: str, word: Word | None = None) -> NoReturn:
        raise QuerySyntaxError(self.text, (word or self.word).start, problem)

    def listed(self, item: Callable[[], T], end: str | None = None) -> tuple[T, ...]:
        """Read items with commas between them, up to a sign that is passed over."""
        found: list[T] = []
        if end is not None and self.accept(end):
            return ()
        while True:
            found.append(item())
            if not self.accept(","):
                break
            if end is not None and self.is_sign(end):
                break
        if end is not None:
            self.expect(end)
        return tuple(found)

    def identifier(self) -> str:
        """Read a name, plain or as ``['a name']``."""
        if self.is_sign("[") and self.ahead().kind is WordKind.STRING:
            self.advance()
            name = self.advance().text
            self.expect("]")
            return name
        if self.word.kind is not WordKind.NAME:
            self.fail("a name is due here")
        return self.advance().text

    def kind(self) -> Kind:
        """Read the name of a scalar type."""
        word = self.word
        kind = BY_NAME.get(self.identifier().lower())
        if kind is None:
            self.fail("no scalar type", word)
        return kind

    # Expressions

    def named(self) -> nodes.ExpressionNode:
        """Read an expression that may have a name: ``name = value`` or ``(a, b) = value``."""
        at = self.word.start
        if self.word.kind is WordKind.NAME and self.ahead().text == "=":
            name = self.advance().text
            self.advance()
            return nodes.NamedExpression((name,), self.expression(), at=at)
        if self.is_sign("[") and self.ahead().kind is WordKind.STRING and self._equals_at(3):
            name = self.identifier()
            self.advance()
            return nodes.NamedExpression((name,), self.expression(), at=at)
        if self.is_sign("(") and self._names_before_equals():
            self.advance()
            names = self.listed(self.identifier, ")")
            self.expect("=")
            return nodes.NamedExpression(names, self.expression(), at=at)
        return self.expression()

    def _equals_at(self, number: int) -> bool:
        word = self.ahead(number)
        return word.kind is WordKind.SIGN and word.text == "="

    def _names_before_equals(self) -> bool:
        number = 1
        while self.ahead(number).kind is WordKind.NAME and self.ahead(number + 1).text == ",":
            number += 2
        return (
            self.ahead(number).kind is WordKind.NAME
            and self.ahead(number + 1).text == ")"
            and self._equals_at(number + 2)
        )

    def expression(self) -> nodes.ExpressionNode:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise QueryLimitError(f"brackets are nested more than {_DEEPEST} deep.")
        found = self._logical("or", lambda: self._logical("and", self._equality))
        self._depth -= 1
        return found

    def sought(self) -> nodes.ExpressionNode:
        """Read the condition of a search, in which ``name:text`` is ``name has text``."""
        self._searching = True
        found = self.expression()
        self._searching = False
        return found

    def _logical(
        self, sign: str, operand: Callable[[], nodes.ExpressionNode]
    ) -> nodes.ExpressionNode:
        at = self.word.start
        operands = [operand()]
        while self.is_name(sign):
            self.advance()
            operands.append(operand())
        return (
            nodes.LogicalExpression(sign, tuple(operands), at=at) if operands[1:] else operands[0]
        )

    def _equality(self) -> nodes.ExpressionNode:
        left = self._relation()
        while True:
            word = self.word
            sign = word.text
            if word.kind is WordKind.SIGN and sign in _EQUALITIES:
                self.advance()
                right = self._relation()
                sign = "!=" if sign == "<>" else sign
                left = nodes.BinaryExpression(sign, left, right, at=word.start)
            elif word.kind in (WordKind.SIGN, WordKind.NAME) and sign in _LISTS:
                self.advance()
                left = nodes.InExpression(sign, left, self._items(), at=word.start)
            elif word.kind in (WordKind.SIGN, WordKind.NAME) and sign in ("between", "!between"):
                self.advance()
                self.expect("(")
                low = self.expression()
                self.expect("..")
                high = self.expression()
                self.expect(")")
                left = nodes.BetweenExpression(sign[0] == "!", left, low, high, at=word.start)
            elif word.kind is WordKind.NAME and sign == "matches":
                self.advance()
                self.expect("regex")
                left = nodes.BinaryExpression(
                    "matches regex", left, self._relation(), at=word.start
                )
            elif sign == ":" and word.kind is WordKind.SIGN and self._searching:
                self.advance()
                left = nodes.BinaryExpression("has", left, self._relation(), at=word.start)
            elif word.kind in (WordKind.SIGN, WordKind.NAME) and sign in _TEXT_SIGNS:
                self.advance()
                left = nodes.BinaryExpression(sign, left, self._relation(), at=word.start)
            else:
                return left

    def _items(self) -> tuple[nodes.ExpressionNode, ...]:
        """Read what ``in`` looks into: items in brackets, or one name."""
        if not self.is_sign("("):
            return (self._postfix(),)
        self.advance()
        return self.listed(self.subquery, ")")

    def _relation(self) -> nodes.ExpressionNode:
        return self._binary(_RELATIONS, self._sum)

    def _sum(self) -> nodes.ExpressionNode:
        return self._binary(("+", "-"), self._product)

    def _product(self) -> nodes.ExpressionNode:
        return self._binary(("*", "/", "%"), self._unary)

    def _binary(
        self, signs: tuple[str, ...], operand: Callable[[], nodes.ExpressionNode]
    ) -> nodes.ExpressionNode:
        left = operand()
        while self.is_sign(*signs):
            word = self.advance()
            left = nodes.BinaryExpression(word.text, left, operand(), at=word.start)
        return left

    def _unary(self) -> nodes.ExpressionNode:
        signs = []
        while self.is_sign("-", "+"):
            signs.append(self.advance())
        found = self._postfix()
        for word in reversed(signs):
            if word.text == "-":
                found = nodes.UnaryExpression("-", found, at=word.start)
        return found

    def _postfix(self) -> nodes.ExpressionNode:
        found = self._primary()
        while True:
            at = self.word.start
            if self.is_sign(".") and self.ahead().kind is WordKind.NAME:
                self.advance()
                found = nodes.MemberExpression(found, self.advance().text, at=at)
            elif self.is_sign(".") and self.ahead().text == "[":
                self.advance()
            elif self.is_sign("["):
                self.advance()
                found = nodes.ElementExpression(found, self.expression(), at=at)
                self.expect("]")
            else:
                return found

    def _primary(self) -> nodes.ExpressionNode:
        word = self.word
        at = word.start
        if word.kind is WordKind.STRING:
            return self._string()
        if word.kind is WordKind.NUMBER:
            self.advance()
            return self._number(word)
        if word.kind is WordKind.TIMESPAN:
            self.advance()
            return nodes.LiteralExpression(ticks(word.text), Kind.TIMESPAN, at=at)
        if self.accept("("):
            found = self.subquery()
            self.expect(")")
            return found
        if self.is_sign("*"):
            self.advance()
            return nodes.StarExpression(at=at)
        if self.is_sign("[") and self.ahead().kind is WordKind.STRING:
            return nodes.NameReference(self.identifier(), at=at)
        if word.kind is not WordKind.NAME:
            self.fail("an expression is due here")
        return self._word()

    def subquery(self) -> nodes.ExpressionNode:
        """Read what stands in brackets; a reader of queries knows pipes as well."""
        return self.expression()

    def _string(self) -> nodes.ExpressionNode:
        at = self.word.start
        texts = []
        while self.word.kind is WordKind.STRING:
            texts.append(self.advance().text)
        return nodes.LiteralExpression("".join(texts), Kind.STRING, at=at)

    def _number(self, word: Word) -> nodes.ExpressionNode:
        text = word.text
        if text[:2] in ("0x", "0X"):
            value = int(text, 16)
        elif text.isdigit():
            if len(text) > 20:
                self.fail("a number too large for a long", word)
            value = int(text)
        else:
            return nodes.LiteralExpression(float(text), Kind.REAL, at=word.start)
        if value > 2**63 - 1:
            self.fail("a number too large for a long", word)
        return nodes.LiteralExpression(value, Kind.LONG, at=word.start)

    def _word(self) -> nodes.ExpressionNode:
        word = self.word
        at, name = word.start, word.text
        if name in ("true", "True", "TRUE", "false", "False", "FALSE"):
            self.advance()
            return nodes.LiteralExpression(name.lower() == "true", Kind.BOOL, at=at)
        if self.ahead().text != "(" or self.ahead().kind is not WordKind.SIGN:
            self.advance()
            return nodes.NameReference(name, at=at)
        if name == "dynamic":
            self.advance()
            self.expect("(")
            value = self._dynamic()
            self.expect(")")
            return nodes.LiteralExpression(value, Kind.DYNAMIC, at=at)
        if name == "typeof":
            self.advance()
            self.expect("(")
            kind = self.kind()
            self.expect(")")
            return nodes.TypeOfExpression(kind, at=at)
        if name in BY_NAME:
            return self._typed(BY_NAME[name])
        self.advance()
        self.expect("(")
        return nodes.FunctionCallExpression(name, self.listed(self.argument, ")"), at=at)

    def argument(self) -> nodes.ExpressionNode:
        """Read an argument of a call, which may be named."""
        return self.named()

    def _typed(self, kind: Kind) -> nodes.ExpressionNode:
        """Read ``kind(text)``, a literal whose text is no expression: ``datetime(2024-01-01)``."""
        word = self.advance()
        opening = self.expect("(")
        if kind is Kind.STRING or (self.word.kind is WordKind.STRING and kind is not Kind.BOOL):
            if self.word.kind is not WordKind.STRING:
                self.expect("null")
                self.expect(")")
                return nodes.LiteralExpression("", Kind.STRING, at=word.start)
            text = self.advance().text
        else:
            depth, closing = 1, opening
            while depth:
                closing = self.advance()
                if closing.kind is WordKind.END:
                    self.fail("')' is due here", closing)
                depth += {"(": 1, ")": -1}.get(closing.text, 0)
            text = self.text[opening.end : closing.start].strip()
            try:
                return nodes.LiteralExpression(_constant(text, kind), kind, at=word.start)
            except (ValueError, OverflowError):
                self.fail(f"no {kind.kql} literal", self._words[self._next - 1])
        self.expect(")")
        try:
            return nodes.LiteralExpression(_constant(text, kind), kind, at=word.start)
        except (ValueError, OverflowError):
            self.fail(f"no {kind.kql} literal", word)

    def _dynamic(self) -> Any:
        """Read a dynamic literal: JSON, whose scalars may be literals of KQL."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise QueryLimitError(f"brackets are nested more than {_DEEPEST} deep.")
        try:
            if self.accept("["):
                return list(self.listed(self._dynamic, "]"))
            if self.accept("{"):
                return dict(self.listed(self._pair, "}"))
        finally:
            self._depth -= 1
        if self.accept("null"):
            return None
        word = self.word
        value = self._unary_constant()
        if not isinstance(value, nodes.LiteralExpression):
            self.fail("a constant is due here", word)
        return jsonable(value)

    def _unary_constant(self) -> nodes.ExpressionNode:
        if self.accept("-"):
            value = self._primary()
            if isinstance(value, nodes.LiteralExpression) and value.kind.numeric:
                return nodes.LiteralExpression(-value.value, value.kind)
            self.fail("a number is due here")
        return self._primary()

    def _pair(self) -> tuple[str, Any]:
        if self.word.kind is not WordKind.STRING:
            self.fail("the name of a property, in quotes, is due here")
        name = self.advance().text
        self.expect(":")
        return name, self._dynamic()


def ticks(text: str) -> int:
    """Return the microseconds of a literal like ``1.5h``."""
    match = re.match(r"([\d.]+)(\w+)", text)
    assert match is not None
    count = round(float(match[1]) * UNITS[match[2]])
    if count > 2**62:
        raise QueryLimitError(f"the timespan {text} is too long.")
    return count


def jsonable(literal: nodes.LiteralExpression) -> Any:
    """Return the value of a constant as JSON has it."""
    if literal.kind is Kind.DATETIME and literal.value is not None:
        moment: datetime = literal.value
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
    if literal.kind is Kind.GUID and literal.value is not None:
        return str(literal.value)
    return literal.value


def _constant(text: str, kind: Kind) -> Any:
    """Return the value of ``kind(text)``."""
    if text.lower() in ("null", ""):
        return "" if kind is Kind.STRING else None
    match kind:
        case Kind.STRING:
            return text
        case Kind.BOOL:
            return {"true": True, "false": False, "1": True, "0": False}.get(
                text.strip("\"'").lower()
            )
        case Kind.INT | Kind.LONG:
            number = int(text, 16) if text.lower().startswith("0x") else int(text)
            if abs(number) >= 2 ** (31 if kind is Kind.INT else 63):
                raise OverflowError
            return number
        case Kind.REAL | Kind.DECIMAL:
            return float(text)
        case Kind.DATETIME:
            return read_datetime(text)
        case Kind.TIMESPAN:
            return ticks(text) if re.fullmatch(r"\d+(\.\d+)?[a-z]+", text) else read_timespan(text)
        case Kind.GUID:
            return uuid.UUID(text)
    raise ValueError(text)
