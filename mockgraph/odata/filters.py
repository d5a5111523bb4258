"""``$filter``: a predicate compiled once, and the equalities that an index can use."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from mockgraph import edm
from mockgraph.odata.comparisons import member_of
from mockgraph.odata.expressions import compile_test
from mockgraph.odata.grammar import parse
from mockgraph.odata.paths import Scope, resolve
from mockgraph.odata.syntax import Binary, Kind, Literal, Logical, Node, Path

Json = Any
Entity = Mapping[str, Json]
Equality = tuple[tuple[str, ...], Json]


class Filter(NamedTuple):
    """A compiled filter.

    ``equalities`` are pairs of a property path and a value as it is stored; an entity that
    matches has each of them. They never replace ``matches``. Instants and null are left out:
    one moment has many spellings, and null may be nothing at all.
    """

    matches: Callable[[Entity], bool]
    equalities: tuple[Equality, ...]


def compile_filter(
    text: str, schema: type[edm.StructuredType], related: Iterable[str] = ()
) -> Filter:
    """Compile a filter; raises BadRequest that says what is wrong with it.

    ``related`` are the navigation properties; raises NotEmulated where it goes through one.
    """
    node = parse(text)
    test = compile_test(node, Scope(schema, related=frozenset(related)))
    return Filter(lambda entity: test(entity) is True, tuple(_equalities(node, schema)))


def _equalities(node: Node, schema: type[edm.StructuredType]) -> Iterator[Equality]:
    match node:
        case Logical("and", operands):
            for operand in operands:
                yield from _equalities(operand, schema)
        case Binary("eq", Path() as path, Literal() as literal) | Binary(
            "eq", Literal() as literal, Path() as path
        ):
            yield from _equality(path, literal, schema)


def _equality(path: Path, literal: Literal, schema: type[edm.StructuredType]) -> Iterator[Equality]:
    names = path.names[1:] if path.names[0] == "$it" else path.names
    property_type = resolve(path, Scope(schema)).type
    if property_type.kind is Kind.ENUMERATION and literal.kind in (Kind.STRING, Kind.MEMBER):
        member = member_of(property_type.of, literal.value)
        spelt = [name for name, each in property_type.of.__members__.items() if each is member]
        if len(spelt) == 1:
            yield names, spelt[0]
    elif names[-1] != "$count" and _is_plain(literal):
        yield names, literal.value


def _is_plain(literal: Literal) -> bool:
    """Whether a value equal to the literal is stored as the literal's own value."""
    if literal.kind is Kind.DOUBLE:
        return math.isfinite(literal.value)
    return literal.kind in (Kind.STRING, Kind.BOOLEAN, Kind.INTEGER)
