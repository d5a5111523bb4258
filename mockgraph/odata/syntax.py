"""The syntax tree of an OData expression, free of any parser and of any schema."""

from __future__ import annotations

import enum
from typing import Any, NamedTuple, TypeAlias

_SHOWN = 48


class Kind(enum.Enum):
    """What an expression can yield; the value is the name that messages use."""

    STRING = "Edm.String"
    BOOLEAN = "Edm.Boolean"
    INTEGER = "Edm.Int64"
    DOUBLE = "Edm.Double"
    INSTANT = "Edm.DateTimeOffset"
    DATE = "Edm.Date"
    TIME = "Edm.TimeOfDay"
    GUID = "Edm.Guid"
    MEMBER = "an enumeration literal"
    ENUMERATION = "an enumeration"
    COMPLEX = "a complex value"
    COLLECTION = "a collection"
    NULL = "null"
    UNTYPED = "Edm.Untyped"


class Member(NamedTuple):
    """An enumeration literal, ``microsoft.graph.alertSeverity'high'``."""

    type_name: str
    text: str


class Literal(NamedTuple):
    """A constant: instants in the form of ``instants.sort_key``, dates and times as text."""

    kind: Kind
    value: Any


class Path(NamedTuple):
    """``vendorInformation/provider``, ``x/name``, ``$it/title``, ``tags/$count``."""

    names: tuple[str, ...]


class Call(NamedTuple):
    function: str
    arguments: tuple[Node, ...]


class Unary(NamedTuple):
    """``not`` or ``-``."""

    operator: str
    operand: Node


class Binary(NamedTuple):
    """A comparison, ``has``, or arithmetic."""

    operator: str
    left: Node
    right: Node


class Logical(NamedTuple):
    """``and`` or ``or`` over two operands or more: a chain is one node, however long."""

    operator: str
    operands: tuple[Node, ...]


class In(NamedTuple):
    left: Node
    options: tuple[Node, ...]


class Lambda(NamedTuple):
    """``any`` or ``all`` over a collection; ``any()`` has neither variable nor body."""

    path: Path
    quantifier: str
    variable: str | None
    body: Node | None


Node: TypeAlias = Literal | Path | Call | Unary | Binary | Logical | In | Lambda


def quoted(text: str) -> str:
    """A piece of what was sent, for a message: in quotes, and short whatever it is."""
    return f"'{text}'" if len(text) <= _SHOWN else f"'{text[:_SHOWN]}...'"
