"""``$orderby``: nulls first ascending and last descending, enumerations by their value.

(OData 4.01, part 1, 11.2.6.2.) The sort is stable: equal entities keep the order they had.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple, TypeVar

from mockgraph.errors import BadRequest
from mockgraph.odata.ast import Node, OrderItem, Path, ValueKind, weight
from mockgraph.odata.declared_names import as_declared
from mockgraph.odata.expressions import Scope, compile_expression
from mockgraph.odata.grammar import parse_orderby
from mockgraph.odata.restrictions import check_orderby, property_paths
from mockgraph.odata.types import CompiledExpression, Evaluate

Entity = Mapping[str, Any]
E = TypeVar("E", bound=Entity)

# A key costs a pass over all entities.
MAX_KEYS = 16

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

    ``name`` is equal where orders are, and told of those alone that look at nothing but an
    entity's own properties, all in one direction: the state may keep what is in such an order.
    ``weight`` is how many steps it takes to make the keys of one entity and to compare them.
    """

    runs: tuple[tuple[Callable[[Entity], Any], bool], ...]
    items: tuple[OrderItem, ...]
    name: Hashable | None = None
    weight: int = 1

    def paths(self) -> Iterator[Sequence[str]]:
        """Give the paths of the properties that it uses."""
        return (path for item in self.items for path in property_paths(item.key))

    def sort(self, entities: Iterable[E], first: int | None = None) -> list[E]:
        """The entities in order; with ``first`` only so many of them, which is quicker."""
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
    items = as_declared(parse_orderby(text, scope.aliases), scope.schema, scope.resource)
    if len(items) > MAX_KEYS:
        raise BadRequest(f"more than {MAX_KEYS} keys.")
    if scope.resource is not None:
        check_orderby(items, scope.resource.rules.sort)
    keys = [(_key(item, scope), item.descending) for item in items]
    runs = []
    for descending, run in groupby(keys, key=lambda key: key[1]):
        runs.append((_combined([key for key, _ in run]), descending))
    is_own = len(runs) == 1 and all(_is_own(item.key, scope) for item in items)
    steps = sum(4 + weight(item.key) for item in items)
    name = (scope.schema, tuple(items)) if is_own else None
    return Order(tuple(runs), tuple(items), name, steps)


def _is_own(node: Node, scope: Scope) -> bool:
    """Whether a key is at a path of the entity's own properties."""
    if not isinstance(node, Path) or node.names[-1] == "$count":
        return False
    if scope.resource is not None and scope.resource.led_to(scope.schema.type_name, node.names):
        return False
    return not any("." in name for name in node.names)


def _key(item: OrderItem, scope: Scope) -> Evaluate:
    expression = compile_expression(item.key, scope)
    if expression.kind in _UNORDERED:
        raise BadRequest(f"{expression.type.name} cannot be ordered by.")
    return _ranked(expression)


def _ranked(expression: CompiledExpression) -> Evaluate:
    """A key that compares whatever it meets: first null, then NaN, then values."""
    value = expression.evaluate
    if expression.kind is ValueKind.UNTYPED:
        return lambda entity: _rank(value(entity))
    if expression.kind is ValueKind.DOUBLE:
        return lambda entity: (1, 0) if (v := value(entity)) != v else (2 * (v is not None), v)

    def key(entity: Any) -> Any:
        held = value(entity)
        return held is not None, held

    return key


def _rank(value: Any) -> tuple[int, Any]:
    """Dynamic values by the kind of JSON that they are, then by value."""
    if isinstance(value, bool):
        return 1, value
    if isinstance(value, int | float):
        return 2, value
    if isinstance(value, str):
        return 3, value
    return (0, None) if value is None else (4, None)


def _combined(keys: Sequence[Evaluate]) -> Callable[[Entity], Any]:
    if len(keys) == 1:
        return keys[0]
    return lambda entity: [key(entity) for key in keys]
