"""Types of expressions, and how stored JSON becomes values that compare.

A value in an expression is: a str, a bool, an int or a float as in JSON (the words INF, -INF
and NaN as floats); an instant in the form of ``instants.sort_key``; a duration as a Decimal of
seconds; dates, times, Guids and bytes as text of one spelling; a member of an enumeration as its
value in the metadata; whatever JSON a dynamic property holds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from mockgraph import instants
from mockgraph import metadata as edm
from mockgraph.errors import BadRequest, NotEmulated
from mockgraph.metadata.elements import INTEGERS
from mockgraph.metadata.resources import Resource
from mockgraph.odata.ast import Literal, ValueKind, quoted
from mockgraph.odata.lexer import seconds

Evaluate = Callable[[Any], Any]

_WITHOUT_VALUES = frozenset({ValueKind.GEOGRAPHY, ValueKind.GEOMETRY})
NUMERIC = frozenset({ValueKind.INTEGER, ValueKind.DOUBLE})
_KINDS = {
    "Edm.String": ValueKind.STRING,
    "Edm.Boolean": ValueKind.BOOLEAN,
    **dict.fromkeys(INTEGERS, ValueKind.INTEGER),
    **dict.fromkeys(("Edm.Decimal", "Edm.Double", "Edm.Single"), ValueKind.DOUBLE),
    "Edm.DateTimeOffset": ValueKind.INSTANT,
    "Edm.Date": ValueKind.DATE,
    "Edm.TimeOfDay": ValueKind.TIME,
    "Edm.Duration": ValueKind.DURATION,
    "Edm.Guid": ValueKind.GUID,
    "Edm.Binary": ValueKind.BINARY,
    "Edm.Untyped": ValueKind.UNTYPED,
}


class Type(NamedTuple):
    """``of`` is an enumeration's members, a complex value's schema, a collection's item.

    ``resource`` is that of the entities that a navigation property leads to.
    """

    kind: ValueKind
    of: Any = None
    resource: Resource | None = None

    @property
    def name(self) -> str:
        if self.kind is ValueKind.COLLECTION:
            return f"Collection({self.of.name})"
        if self.kind in (ValueKind.ENUMERATION, ValueKind.COMPLEX):
            return str(self.of.type_name)
        return str(self.kind.value)


class CompiledExpression(NamedTuple):
    """A compiled expression: its type, and its value in a scope.

    A scope is the entity itself or, within a lambda, the pair of the item and the scope
    around it. A constant has its ``value`` here too; what reads a value of the entity itself has
    the ``names`` on the way to it.
    """

    type: Type
    evaluate: Evaluate
    constant: bool = False
    value: Any = None
    names: tuple[str, ...] = ()

    @property
    def kind(self) -> ValueKind:
        return self.type.kind


def constant(kind: ValueKind, value: Any, of: Any = None) -> CompiledExpression:
    """Return a value as an expression that gives it, whatever the entity."""
    return CompiledExpression(Type(kind, of), lambda _: value, True, value)


def of_literal(literal: Literal) -> CompiledExpression:
    """Return a literal as an expression. Raises NotEmulated for types that no property has."""
    kind, value = literal.kind, literal.value
    if kind in _WITHOUT_VALUES:
        raise NotEmulated(f"literals of the type {kind.value} in expressions")
    if kind is ValueKind.DECIMAL:
        return constant(ValueKind.DOUBLE, float(value))
    convert = _FROM_JSON.get(kind) if kind in (ValueKind.TIME, ValueKind.BINARY) else None
    return constant(kind, convert(value) if convert else value)


def of_property(declared: edm.PropertyField) -> Type:
    """Return the type of a declared property."""
    if isinstance(declared, edm.Enum):
        return Type(ValueKind.ENUMERATION, declared.values)
    if isinstance(declared, edm.Complex):
        return Type(ValueKind.COMPLEX, declared.schema)
    if isinstance(declared, edm.Collection):
        return Type(ValueKind.COLLECTION, of_property(declared.item))
    return Type(_KINDS.get(declared.edm, ValueKind.GEOGRAPHY))


def from_json(type_: Type) -> Evaluate | None:
    """Return how a stored value that is not null becomes one that compares; None if it is one."""
    if type_.kind is ValueKind.INSTANT:
        return instants.sort_key
    if type_.kind is ValueKind.DOUBLE:
        return _double
    if type_.kind is ValueKind.ENUMERATION:
        values: edm.EnumValues = type_.of
        return values.value if values.is_flags else values.members.get
    return _FROM_JSON.get(type_.kind)


def narrowed(type_: Type, name: str) -> tuple[Type, Callable[[Any], bool]]:
    """Return the type of a cast, and how a value, or an item, is told to be of it.

    Raises BadRequest where no type of that name derives from the declared one; what is dynamic may
    be of any.
    """
    declared = type_.of if type_.kind is ValueKind.COLLECTION else type_
    derived = full_name(name)
    if declared.kind is ValueKind.UNTYPED:
        spelt = (f"#{derived}", derived)
        return type_, lambda value: isinstance(value, dict) and value.get("@odata.type") in spelt
    if declared.kind is not ValueKind.COMPLEX:
        raise BadRequest(f"{quoted(name)} is asked of a value of type {declared.name}.")
    base: type[edm.StructuredSchema] = declared.of
    schema = base if derived == base.type_name else base.schemas(derived)
    if schema is None or not issubclass(schema, base):
        raise BadRequest(
            f"The property {quoted(derived)} does not exist on type '{declared.name}', "
            "nor does a type of that name derive from it."
        )

    def test(value: Any) -> bool:
        if not isinstance(value, dict):
            return False
        stated = str(value.get("@odata.type", base.type_name)).removeprefix("#")
        own = base if stated == base.type_name else base.schemas(stated)
        return own is not None and issubclass(own, schema)

    narrow = Type(ValueKind.COMPLEX, schema, declared.resource)
    return Type(
        ValueKind.COLLECTION, narrow
    ) if type_.kind is ValueKind.COLLECTION else narrow, test


def of_related(resource: Resource) -> Type:
    """Return the type of what a navigation property leads to, an entity or a collection."""
    entity = Type(ValueKind.COMPLEX, resource.type, resource)
    return Type(ValueKind.COLLECTION, entity) if resource.is_collection else entity


def full_name(type_name: str) -> str:
    """Return the qualified name of a type; ``graph`` is the alias of Graph's namespace."""
    return f"microsoft.{type_name}" if type_name.startswith("graph.") else type_name


def dynamic_as(kind: ValueKind) -> Evaluate:
    """Return how a dynamic value becomes one of a kind, or null where it is none.

    (OData 4.01, part 2, 5.1.1.)
    """
    return _DYNAMIC[kind]


def moment(value: Any) -> str | None:
    """Return the instant that a dynamic value spells, or None."""
    try:
        return instants.sort_key(instants.to_utc(value))
    except (TypeError, ValueError):
        return None


def ranked(expression: CompiledExpression) -> Evaluate:
    """Return what compares whatever the expression gives: first null, then NaN, then values."""
    value = expression.evaluate
    if expression.kind is ValueKind.UNTYPED:
        return lambda entity: _rank(value(entity))
    if expression.kind is ValueKind.DOUBLE:
        return lambda entity: (1, 0) if (v := value(entity)) != v else (2 * (v is not None), v)

    def rank(entity: Any) -> Any:
        held = value(entity)
        return held is not None, held

    return rank


def rank_of(kind: ValueKind, *value: Any) -> tuple[Any, ...]:
    """Return the rank of a value of a kind that is neither null nor NaN; alone, below all such."""
    return (2 if kind is ValueKind.DOUBLE else 1, *value)


# Above the rank of any value.
ABOVE_RANKS: Final = (3,)


def _rank(value: Any) -> tuple[int, Any]:
    """Dynamic values by the kind of JSON that they are, then by value."""
    if isinstance(value, bool):
        return 1, value
    if isinstance(value, int | float):
        return 2, value
    if isinstance(value, str):
        return 3, value
    return (0, None) if value is None else (4, None)


def _double(value: Any) -> Any:
    return float(value) if type(value) is str else value


def _time(text: str) -> str:
    """A time of day that compares as text: with its seconds, without trailing zeros."""
    if "." in text:
        return text.rstrip("0").rstrip(".")
    return text if len(text) > 5 else f"{text}:00"


def _bytes(text: str) -> str:
    """Bytes in one spelling of several: base64url without padding."""
    return text.rstrip("=").replace("+", "-").replace("/", "_")


_FROM_JSON: dict[ValueKind, Evaluate] = {
    ValueKind.GUID: str.lower,
    ValueKind.TIME: _time,
    ValueKind.DURATION: seconds,
    ValueKind.BINARY: _bytes,
}


_DYNAMIC: dict[ValueKind, Evaluate] = {
    ValueKind.STRING: lambda value: value if type(value) is str else None,
    ValueKind.BOOLEAN: lambda value: value if type(value) is bool else None,
    ValueKind.INTEGER: lambda value: value if type(value) is int else None,
    ValueKind.DOUBLE: lambda value: value if type(value) in (int, float) else None,
    ValueKind.INSTANT: moment,
}
