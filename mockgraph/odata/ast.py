"""The syntax trees of OData's query options, and their texts: no parser, no schema.

Parsing the text of a tree gives an equal tree.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Any, NamedTuple, TypeAlias

_SHOWN = 48


class ValueKind(enum.Enum):
    """The types of literals and of expressions; the value is the name that messages use."""

    STRING = "Edm.String"
    BOOLEAN = "Edm.Boolean"
    INTEGER = "Edm.Int64"
    DECIMAL = "Edm.Decimal"
    DOUBLE = "Edm.Double"
    INSTANT = "Edm.DateTimeOffset"
    DATE = "Edm.Date"
    TIME = "Edm.TimeOfDay"
    DURATION = "Edm.Duration"
    GUID = "Edm.Guid"
    BINARY = "Edm.Binary"
    GEOGRAPHY = "Edm.Geography"
    GEOMETRY = "Edm.Geometry"
    MEMBER = "an enumeration literal"
    ENUMERATION = "an enumeration"
    COMPLEX = "a complex value"
    COLLECTION = "a collection"
    NULL = "null"
    UNTYPED = "Edm.Untyped"

    __hash__ = object.__hash__  # there is one of each; an enumeration's own is several times slower


class EnumerationLiteral(NamedTuple):
    """An enumeration literal, ``microsoft.graph.alertSeverity'high'``."""

    type_name: str
    text: str


# -- expressions --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant.

    Instants are kept in the form of ``instants.sort_key``; dates, times, Guids, binary and
    geographic values as text; durations as seconds in a Decimal. An enumeration literal
    without its type is a string.
    """

    kind: ValueKind
    value: Any


@dataclass(frozen=True, slots=True)
class Path:
    """``vendorInformation/provider``, ``x/name``, ``$it/title``, ``tags/$count``.

    A segment with a dot is a cast, ``evidence/microsoft.graph.security.userEvidence``. Behind
    ``$root`` a segment may have a key: ``$root/incidents('7')/status``.
    """

    names: tuple[str, ...]

    def __str__(self) -> str:
        return "/".join(self.names)


@dataclass(frozen=True, slots=True)
class Alias:
    """A parameter alias, ``@name``, which the query string gives a value."""

    name: str


@dataclass(frozen=True, slots=True)
class List:
    """The list behind ``in``."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A function and its arguments."""

    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class TypeCall:
    """``isof`` or ``cast`` to a type, of an operand or (None) of the entity itself."""

    function: str
    operand: Node | None
    type_name: str


@dataclass(frozen=True, slots=True)
class UnaryOperation:
    """``not`` or ``-``, and in searches ``NOT``."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class BinaryOperation:
    """A comparison, ``has``, or arithmetic."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Logical:
    """``and`` or ``or`` over two operands or more, and in searches ``AND`` and ``OR``.

    A chain is one node, however long.
    """

    operator: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class In:
    """``left in (a,b)``, or ``left in collection``."""

    left: Node
    right: List | Path | Alias


@dataclass(frozen=True, slots=True)
class Lambda:
    """``any`` or ``all`` over a collection; ``any()`` has neither variable nor body."""

    path: Path
    quantifier: str
    variable: str | None
    body: Node | None


@dataclass(frozen=True, slots=True)
class SearchTerm:
    """A word or a phrase of a search."""

    text: str


# -- items of lists -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OrderItem:
    """A key of ``$orderby``."""

    key: Node
    descending: bool


@dataclass(frozen=True, slots=True)
class SelectItem:
    """A path of ``$select``, which may hold casts; ``*`` is all."""

    path: Path


@dataclass(frozen=True, slots=True)
class ExpandItem:
    """A path of ``$expand``, ``*`` for all navigation properties, and what is asked of it.

    ``suffix`` is ``$ref`` or ``$count``. ``options`` are pairs of name and text, which mean
    something for the type that is expanded only.
    """

    path: Path
    suffix: str | None
    options: tuple[tuple[str, str], ...]


Node: TypeAlias = (
    Literal
    | Path
    | Alias
    | List
    | FunctionCall
    | TypeCall
    | UnaryOperation
    | BinaryOperation
    | Logical
    | In
    | Lambda
    | SearchTerm
)
Item: TypeAlias = OrderItem | SelectItem | ExpandItem

# -- precedence (OData 4.01, part 2, 5.1.1.16) --------------------------------------------

# How tightly an operator between operands binds, and how tightly one before its operand.
PRECEDENCE = {
    "or": 1, "OR": 1,
    "and": 2, "AND": 2,
    "eq": 3, "ne": 3,
    "gt": 4, "ge": 4, "lt": 4, "le": 4,
    "add": 5, "sub": 5,
    "mul": 6, "div": 6, "divby": 6, "mod": 6,
    "in": 8, "has": 8,
}  # fmt: skip
PREFIX = 7
_PRIMARY = 9

# -- text ---------------------------------------------------------------------------------


def to_text(tree: Node | Item) -> str:
    """Return the text of a tree, with no parentheses but those that it needs."""
    match tree:
        case OrderItem(key, descending):
            return to_text(key) + (" desc" if descending else "")
        case SelectItem(path):
            return str(path)
        case ExpandItem(path, suffix, options):
            text = str(path) + (f"/{suffix}" if suffix else "")
            inner = ";".join(f"{name}={value}" for name, value in options)
            return f"{text}({inner})" if options else text
        case _:
            return _text(tree)


def _text(node: Node) -> str:
    match node:
        case Literal():
            return _literal(node)
        case Path():
            return str(node)
        case Alias(name):
            return f"@{name}"
        case List(items):
            return f"({_joined(items)})"
        case FunctionCall(function, arguments):
            return f"{function}({_joined(arguments)})"
        case TypeCall(function, None, type_name):
            return f"{function}({type_name})"
        case TypeCall(function, operand, type_name) if operand is not None:
            return f"{function}({_text(operand)},{type_name})"
        case UnaryOperation("-", operand):
            text = _within(operand, PREFIX)
            # Right before digits, the sign would be theirs.
            return f"- {text}" if text[0].isdigit() else f"-{text}"
        case UnaryOperation(operator, operand):
            # "NOT NOT" is no search.
            return f"{operator} {_within(operand, PREFIX + (operator == 'NOT'))}"
        case Logical(operator, operands):
            least = PRECEDENCE[operator] + 1
            return f" {operator} ".join(_within(each, least) for each in operands)
        case BinaryOperation(operator, left, right):
            level = PRECEDENCE[operator]
            return f"{_within(left, level)} {operator} {_within(right, level + 1)}"
        case In(left, right):
            return f"{_within(left, PRECEDENCE['in'])} in {_text(right)}"
        case Lambda(path, quantifier, variable, body):
            inner = "" if body is None else f"{variable}:{_text(body)}"
            return f"{path}/{quantifier}({inner})"
        case SearchTerm(text):
            return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case _:
            raise TypeError(f"no node of a tree: {node!r}")


def _joined(nodes: tuple[Node, ...]) -> str:
    return ",".join(map(_text, nodes))


def _within(node: Node, least: int) -> str:
    """The text of an operand, in parentheses where it binds less tightly than it has to."""
    match node:
        case UnaryOperation():
            level = PREFIX
        case BinaryOperation(operator, _, _) | Logical(operator, _):
            level = PRECEDENCE[operator]
        case In():
            level = PRECEDENCE["in"]
        case _:
            level = _PRIMARY
    return _text(node) if level >= least else f"({_text(node)})"


def _literal(literal: Literal) -> str:
    kind, value = literal.kind, literal.value
    match kind:
        case ValueKind.NULL:
            return "null"
        case ValueKind.BOOLEAN:
            return str(value).lower()
        case ValueKind.STRING:
            return _in_quotes(value)
        case ValueKind.INSTANT:
            return f"{value}Z"
        case ValueKind.MEMBER:
            return f"{value.type_name}{_in_quotes(value.text)}"
        case ValueKind.DECIMAL:
            return f"{value:f}"
        case ValueKind.DOUBLE:
            return _double(value)
        case ValueKind.DURATION:
            return f"duration'{'-' if value < 0 else ''}PT{abs(value):f}S'"
        case ValueKind.BINARY | ValueKind.GEOGRAPHY | ValueKind.GEOMETRY:
            return f"{kind.name.lower()}{_in_quotes(value)}"
        case _:
            return str(value)


def _double(value: float) -> str:
    """A number with an exponent, without which it would be a decimal one."""
    if value != value or value in (float("inf"), float("-inf")):
        return {"inf": "INF", "-inf": "-INF", "nan": "NaN"}[str(value)]
    text = repr(value)
    return text if "e" in text else f"{text}e0"


def _in_quotes(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def nodes(node: Any) -> Iterator[Any]:
    """Give the nodes of a tree, each before those in it."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        kind: Any = type(each)
        if kind is tuple:
            waiting += each[::-1]
        elif (names := _field_names(kind)) is not None:
            yield each
            waiting += [getattr(each, name) for name in names[::-1]]


@cache
def _field_names(kind: type) -> tuple[str, ...] | None:
    """Return the names of what nodes of a class hold, None of a class that is no node's."""
    return tuple(each.name for each in fields(kind)) if is_dataclass(kind) else None


def weight(node: Node) -> int:
    """Return how many nodes are evaluated for each entity; a lambda's body is, for each item."""
    match node:
        case FunctionCall(_, arguments):
            return 1 + sum(map(weight, arguments))
        case UnaryOperation(_, operand):
            return 1 + weight(operand)
        case BinaryOperation(_, left, right):
            return 1 + weight(left) + weight(right)
        case Logical(_, operands):
            return sum(map(weight, operands))
        case In(left, List(items)):
            return 1 + weight(left) + len(items) // 8
        case In(left, _):
            return 2 + weight(left)
        case Lambda():
            return 4
        case Literal() | Alias():
            return 0
        case _:
            return 1


def quoted(text: str) -> str:
    """Return a piece of what was sent, for a message: in quotes, and short whatever it is."""
    return f"'{text}'" if len(text) <= _SHOWN else f"'{text[:_SHOWN]}...'"
