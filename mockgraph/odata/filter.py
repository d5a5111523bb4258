"""``$filter``: a predicate compiled once, and the conditions that an index can use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from mockgraph import instants
from mockgraph import metadata as edm
from mockgraph.errors import GraphError
from mockgraph.metadata.resources import Resource
from mockgraph.odata.ast import (
    Alias,
    BinaryOperation,
    FunctionCall,
    In,
    List,
    Literal,
    Logical,
    Node,
    Path,
    UnaryOperation,
    nodes,
    weight,
)
from mockgraph.odata.conditions import Condition, compile_condition
from mockgraph.odata.declared_names import as_declared
from mockgraph.odata.expressions import LONGEST_KEPT, Scope, kept_by_text, own_names
from mockgraph.odata.grammar import Aliases, parse_expression
from mockgraph.odata.lexer import literal_of, without_literals
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


class _FilterTree(NamedTuple):
    """The tree of a filter, with names as they are declared, all of them allowed.

    ``is_for_any`` tells that a request has no part in compiling it, ``asks_time`` that it calls a
    function without arguments.
    """

    node: Node
    weight: int
    is_for_any: bool
    asks_time: bool


def compile_filter(text: str, scope: Scope) -> Filter:
    """Compile a filter; raises BadRequest that says what is wrong with it."""
    return _for_any_request(text, scope) or _compiled(*_read(text, scope), scope)


@kept_by_text
def _for_any_request(text: str, scope: Scope) -> Filter | None:
    """Return a filter that is the same for all requests, None where it is compiled for one.

    What follows, asks for the time or counts its steps is made for one.
    """
    tree, aliases = _read(text, scope)
    return _compiled(tree, aliases, scope) if tree.is_for_any else None


def _read(text: str, scope: Scope) -> tuple[_FilterTree, Aliases]:
    """Return the tree of a filter, and the values of the aliases in it.

    Programs send few filters with ever other literals: a tree is kept with aliases in their place.
    """
    apart = None if scope.aliases or len(text) > LONGEST_KEPT else without_literals(text)
    tree = None if apart is None else _kept_tree(apart[0], scope.schema, scope.resource)
    if apart is None or tree is None:
        return _tree(parse_expression(text, scope.aliases), scope), scope.aliases
    return tree, {f"_{number}": literal_of(each) for number, each in enumerate(apart[1])}


@lru_cache(maxsize=256)
def _kept_tree(
    text: str, schema: type[edm.StructuredSchema], resource: Resource | None
) -> _FilterTree | None:
    """Return the tree of a filter with aliases for literals, None where it needs those themselves.

    That is where it is refused, as the message shows them; where an alias may be what a literal may
    not, behind ``in`` and ``has``; and where a literal is a key in a path.
    """
    try:
        tree = _tree(parse_expression(text), Scope(schema, resource=resource))
    except GraphError:
        return None
    for each in nodes(tree.node):
        match each:
            case In(_, Alias()) | BinaryOperation("has", _, Alias()) | Path(("$root", *_)):
                return None
    return tree


def _tree(node: Node, scope: Scope) -> _FilterTree:
    node = as_declared(node, scope.schema, scope.resource)
    if scope.resource is not None:
        check_filter(node, scope.resource.rules.filter)
    every = [*nodes(node)]
    return _FilterTree(
        node,
        weight(node),
        is_for_any=all(_is_comparison(each, scope) for each in every),
        asks_time=any(isinstance(each, FunctionCall) and not each.arguments for each in every),
    )


def _is_comparison(node: Node, scope: Scope) -> bool:
    match node:
        case Literal() | Alias() | List() | Logical() | UnaryOperation() | In(_, List()):
            return True
        case BinaryOperation(operator):
            return operator in EQUALITY or operator in ORDER
        case _:
            return own_names(node, scope) is not None


def _compiled(tree: _FilterTree, aliases: Aliases, scope: Scope) -> Filter:
    node, relations = tree.node, scope.relations
    now = instants.now() if tree.asks_time and scope.now is None else scope.now
    followed = len(relations.resources) if relations else 0
    test, (found, whole) = compile_condition(
        node, Scope(scope.schema, scope.variables, scope.resource, relations, now, aliases)
    )
    follows = relations is not None and len(relations.resources) > followed
    return Filter(
        lambda entity: test(entity) is True,
        found,
        node,
        tree.weight,
        exact=whole and len(found) == 1,
        is_fixed=not follows and not tree.asks_time,
        is_for_any=tree.is_for_any,
    )
