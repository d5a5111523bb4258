"""``$orderby``: nulls first ascending and last descending, enumerations by their value.

(OData 4.01, part 1, 11.2.6.2.) The sort is stable: equal entities keep the order they had.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple, TypeVar

from mockgraph.errors import BadRequest
from mockgraph.odata.ast import OrderItem, ValueKind, weight
from mockgraph.odata.declared_names import as_declared
from mockgraph.odata.expressions import Scope, compile_expression, kept_by_text, own_names
from mockgraph.odata.grammar import parse_orderby
from mockgraph.odata.restrictions import check_orderby, property_paths
from mockgraph.odata.types import Evaluate, ranked
from mockgraph.state.indexes import Key

Entity = Mapping[str, Any]
E = TypeVar("E", bound=Entity)

# A key costs a pass over all entities.
MAX_KEYS = 16

# The bytes of UTF-8, whose order is that of the characters, backwards; and what comes after all of
# them, since a text comes behind those that begin with it.
_INVERTED = bytes(max(0xF7 - byte, 0) for byte in range(256))
_END = b"\xff"

_UNORDERED = frozenset(
    {
        ValueKind.COMPLEX,
        ValueKind.COLLECTION,
        ValueKind.MEMBER,
        ValueKind.BINARY,
        ValueKind.GEOGRAPHY,
        ValueKind.NULL,
    }
)


class Order(NamedTuple):
    """Runs of keys of one direction, the most significant first; ``items`` is their source.

    ``key`` is what an index of the state may have entities in order by, ``descending`` or not:
    there is one where the order looks at nothing but an entity's own properties. ``weight`` is how
    many steps it takes to make the keys of one entity and to compare them.
    """

    runs: tuple[tuple[Callable[[Entity], Any], bool], ...]
    items: tuple[OrderItem, ...]
    key: Key | None = None
    weight: int = 1

    @property
    def descending(self) -> bool:
        """Whether the key's order is taken backwards."""
        return self.runs[0][1]

    def paths(self) -> Iterator[Sequence[str]]:
        """Give the paths of the properties that it uses."""
        return (path for item in self.items for path in property_paths(item.key))

    def sort(self, entities: Iterable[E], first: int | None = None) -> list[E]:
        """Return the entities in order; with ``first`` only so many of them, which is quicker."""
        if len(self.runs) == 1 and first is not None:
            key, descending = self.runs[0]
            pick = heapq.nlargest if descending else heapq.nsmallest
            return pick(first, entities, key)
        ordered = list(entities)
        for key, descending in reversed(self.runs):
            ordered.sort(key=key, reverse=descending)
        return ordered if first is None else ordered[:first]


def compile_orderby(text: str, scope: Scope) -> Order:
    """Compile a list of keys; raises BadRequest that says what is wrong with it."""
    return _for_any_request(text, scope) or _compiled(_parsed(text, scope), scope)


@kept_by_text
def _for_any_request(text: str, scope: Scope) -> Order | None:
    """Return an order that is the same for all requests, None where it is compiled for one."""
    items = _parsed(text, scope)
    if all(own_names(item.key, scope) for item in items):
        return _compiled(items, scope)
    return None


def _parsed(text: str, scope: Scope) -> list[OrderItem]:
    items = as_declared(parse_orderby(text, scope.aliases), scope.schema, scope.resource)
    if len(items) > MAX_KEYS:
        raise BadRequest(f"more than {MAX_KEYS} keys.")
    if scope.resource is not None:
        check_orderby(items, scope.resource.rules.sort)
    return items


def _compiled(items: Sequence[OrderItem], scope: Scope) -> Order:
    keys = [(_key(item, scope), item.descending) for item in items]
    runs = []
    for descending, run in groupby(keys, key=lambda key: key[1]):
        runs.append((_combined([key for key, _ in run]), descending))
    steps = sum(4 + weight(item.key) for item in items)
    return Order(tuple(runs), tuple(items), _key_of(items, keys, scope), steps)


def _key_of(
    items: Sequence[OrderItem], keys: Sequence[tuple[Evaluate, bool]], scope: Scope
) -> Key | None:
    """The key of an order by an entity's own values, None where it looks at anything else.

    That of several directions is in the order of the first, the others the other way round.
    """
    names = [own_names(item.key, scope) for item in items]
    if None in names:
        return None
    first = items[0].descending
    types = [compile_expression(item.key, scope).type for item in items]
    parts = [
        (path, type_.kind, type_.of, item.descending is not first)
        for path, type_, item in zip(names, types, items, strict=True)
    ]
    if len(parts) == 1:
        return Key(parts[0][:3], keys[0][0])
    ranks = [key if descending is first else _inverse(key) for key, descending in keys]
    return Key(tuple(parts), _combined(ranks))


def _key(item: OrderItem, scope: Scope) -> Evaluate:
    expression = compile_expression(item.key, scope)
    if expression.kind in _UNORDERED:
        raise BadRequest(f"{expression.type.name} cannot be ordered by.")
    return ranked(expression)


def _inverse(key: Evaluate) -> Evaluate:
    return lambda entity: _inverted(key(entity))


def _inverted(value: Any) -> Any:
    """A key that compares with others like it the other way round."""
    match value:
        case tuple():
            return tuple(map(_inverted, value))
        case str():
            return value.encode(errors="surrogatepass").translate(_INVERTED) + _END
        case None:
            return None
        case _:
            return -value


def _combined(keys: Sequence[Evaluate]) -> Callable[[Entity], Any]:
    if len(keys) == 1:
        return keys[0]
    return lambda entity: tuple([key(entity) for key in keys])
