"""``$filter``: a predicate compiled once, and the conditions that an index can use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mockgraph import instants
from mockgraph.odata.ast import (
    BinaryOperation,
    FunctionCall,
    In,
    List,
    Literal,
    Logical,
    Node,
    UnaryOperation,
    nodes,
    weight,
)
from mockgraph.odata.conditions import Condition, conditions
from mockgraph.odata.declared_names import as_declared
from mockgraph.odata.expressions import Scope, compile_test, kept_by_text, own_names
from mockgraph.odata.grammar import parse_expression
from mockgraph.odata.operators import EQUALITY, ORDER
from mockgraph.odata.restrictions import check_filter, property_paths

Entity = Mapping[str, Any]


class Filter(NamedTuple):
    """A compiled filter.

    ``conditions`` hold for each entity that matches; one that is there alone, and ``exact``, holds
    for no other. ``is_fixed`` says that it looks at nothing but the entity, at any time alike.
    ``weight`` is how many steps it takes to look at one entity, ``node`` what it was compiled from.
    ``is_for_any`` tells that it is good for any request, as it counts no steps of one.
    """

    matches: Callable[[Entity], bool]
    conditions: Sequence[Condition]
    node: Node
    weight: int = 1
    exact: bool = False
    is_fixed: bool = True
    is_for_any: bool = False

    def paths(self) -> Iterator[Sequence[str]]:
        """Give the paths of the properties that it uses."""
        return property_paths(self.node)


def compile_filter(text: str, scope: Scope) -> Filter:
    """Compile a filter; raises BadRequest that says what is wrong with it."""
    return _for_any_request(text, scope) or _compiled(_parsed(text, scope), scope)


@kept_by_text
def _for_any_request(text: str, scope: Scope) -> Filter | None:
    """Return a filter that is the same for all requests, None where it is compiled for one.

    What follows, asks for the time or counts its steps is made for one.
    """
    node = _parsed(text, scope)
    if all(_is_comparison(each, scope) for each in nodes(node)):
        return _compiled(node, scope)._replace(is_for_any=True)
    return None


def _is_comparison(node: Node, scope: Scope) -> bool:
    match node:
        case Literal() | List() | Logical() | UnaryOperation() | In(_, List()):
            return True
        case BinaryOperation(operator):
            return operator in EQUALITY or operator in ORDER
        case _:
            return own_names(node, scope) is not None


def _parsed(text: str, scope: Scope) -> Node:
    node = as_declared(parse_expression(text, scope.aliases), scope.schema, scope.resource)
    if scope.resource is not None:
        check_filter(node, scope.resource.rules.filter)
    return node


def _compiled(node: Node, scope: Scope) -> Filter:
    scope = scope._replace(now=scope.now or instants.now())
    relations = scope.relations
    followed = len(relations.resources) if relations else 0
    test = compile_test(node, scope)
    follows = relations is not None and len(relations.resources) > followed
    asks_time = any(isinstance(each, FunctionCall) and not each.arguments for each in nodes(node))
    found, whole = conditions(node, scope)
    return Filter(
        lambda entity: test(entity) is True,
        found,
        node,
        weight(node),
        exact=whole and len(found) == 1,
        is_fixed=not follows and not asks_time,
    )
