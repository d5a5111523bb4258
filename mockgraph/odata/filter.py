"""``$filter``: a predicate compiled once, and the equalities that an index can use."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mockgraph.odata.ast import (
    BinaryOperation,
    In,
    List,
    Literal,
    Logical,
    Node,
    Path,
    ValueKind,
    weight,
)
from mockgraph.odata.declared_names import as_declared
from mockgraph.odata.expressions import Scope, compile_test, resolve_path
from mockgraph.odata.grammar import parse_expression
from mockgraph.odata.operators import member_of
from mockgraph.odata.restrictions import check_filter, property_paths
from mockgraph.odata.types import CompiledExpression, Type, of_literal

Json = Any
Entity = Mapping[str, Json]
Equality = tuple[tuple[str, ...], tuple[Json, ...]]


class Filter(NamedTuple):
    """A compiled filter.

    ``equalities`` are pairs of a property path and values as they are stored; an entity that
    matches has, for each pair, one of the values there. They never replace ``matches``.
    Instants are left out: one moment has many spellings. What is nothing at all, or no primitive
    value, may be null. ``weight`` is how many steps it takes to look at one entity, ``node`` what
    it was compiled from.
    """

    matches: Callable[[Entity], bool]
    equalities: tuple[Equality, ...]
    node: Node
    weight: int = 1

    def paths(self) -> Iterator[Sequence[str]]:
        """Give the paths of the properties that it uses."""
        return property_paths(self.node)


def compile_filter(text: str, scope: Scope) -> Filter:
    """Compile a filter; raises BadRequest that says what is wrong with it."""
    node = as_declared(parse_expression(text, scope.aliases), scope.schema, scope.resource)
    if scope.resource is not None:
        check_filter(node, scope.resource.rules.filter)
    test = compile_test(node, scope)
    equalities = tuple(_equalities(node, scope))
    return Filter(lambda entity: test(entity) is True, equalities, node, weight(node))


def _equalities(node: Node, scope: Scope) -> Iterator[Equality]:
    match node:
        case Logical("and", operands):
            for operand in operands:
                yield from _equalities(operand, scope)
        case Logical(_, operands):
            yield from _in_each([dict(_equalities(operand, scope)) for operand in operands])
        case In(Path() as path, List(options)):
            yield from _equality(path, options, scope)
        case BinaryOperation("eq", Path() as path, Literal() as literal) | BinaryOperation(
            "eq", Literal() as literal, Path() as path
        ):
            yield from _equality(path, (literal,), scope)


def _in_each(
    alternatives: Sequence[Mapping[tuple[str, ...], tuple[Json, ...]]],
) -> Iterator[Equality]:
    """The equalities of alternatives: at a path that all of them have, a value of any of them."""
    for path in alternatives[0]:
        if all(path in each for each in alternatives):
            yield path, tuple(value for each in alternatives for value in each[path])


def _equality(path: Path, literals: Sequence[Node], scope: Scope) -> Iterator[Equality]:
    names = path.names[1:] if path.names[0] == "$it" else path.names
    if scope.resource is not None and scope.resource.led_to(scope.schema.type_name, names):
        return
    property_type = resolve_path(path, scope).type
    values = [value for each in literals for value in _stored(each, property_type)]
    is_property = names[-1] != "$count" and not any("." in name for name in names)
    if is_property and len(values) == len(literals):
        yield names, tuple(values)


def _stored(node: Node, property_type: Type) -> Iterator[Json]:
    """The one value that equals a literal wherever it is stored, if there is one."""
    match node:
        case Literal(ValueKind.STRING | ValueKind.MEMBER, text) if (
            property_type.kind is ValueKind.ENUMERATION
        ):
            if property_type.of.is_flags:
                return
            value = member_of(property_type.of, text)
            spelt = [name for name, each in property_type.of.members.items() if each == value]
            if len(spelt) == 1:
                yield spelt[0]
        case Literal() if _is_plain(constant := of_literal(node)):
            yield constant.value


def _is_plain(constant: CompiledExpression) -> bool:
    """Whether a value equal to the constant is stored as the constant's own value."""
    if constant.kind is ValueKind.DOUBLE:
        return math.isfinite(constant.value)
    return constant.kind in (ValueKind.STRING, ValueKind.BOOLEAN, ValueKind.INTEGER, ValueKind.NULL)
