"""The conditions of a filter that indexes know: equalities and ranges of an entity's properties.

Each holds for all that the filter matches. Together they may say as much as it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any, Final

from mockgraph.errors import BadRequest
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
    ValueKind,
    nodes,
)
from mockgraph.odata.expressions import Scope, compile_expression, own_value
from mockgraph.odata.operators import aligned
from mockgraph.odata.types import (
    ABOVE_RANKS,
    NUMERIC,
    CompiledExpression,
    Evaluate,
    rank_of,
    ranked,
)
from mockgraph.state.indexes import Equality, Key, KeyRange, above, below, path_key

Condition = Equality | KeyRange
# Some conditions, and whether a tree is true where, and only where, all of them hold.
Found = tuple[Sequence[Condition], bool]

_NOTHING: Final[Found] = ((), False)
# Stored as they compare.
_PLAIN = frozenset({ValueKind.STRING, ValueKind.BOOLEAN, ValueKind.INTEGER})
# Of one value with several spellings, or read by the metadata.
_READ = frozenset(
    {
        ValueKind.DOUBLE,
        ValueKind.INSTANT,
        ValueKind.ENUMERATION,
        ValueKind.DATE,
        ValueKind.TIME,
        ValueKind.DURATION,
        ValueKind.GUID,
        ValueKind.BINARY,
    }
)
_RANGED = (_PLAIN | _READ) - {ValueKind.BOOLEAN, ValueKind.BINARY}
_CONSTANT = (Literal, Alias, FunctionCall, UnaryOperation, BinaryOperation)
_TRUE = Literal(ValueKind.BOOLEAN, True)
_MIRRORED = {"eq": "eq", "gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}


def conditions(node: Node, scope: Scope) -> Found:
    """Return conditions that hold where a filter matches, and whether it does where all hold."""
    match node:
        case Logical("and", operands):
            found = [conditions(each, scope) for each in operands]
            return _in_all([*found])
        case Logical(_, operands):
            return _in_one_of([conditions(each, scope) for each in operands])
        case In(path, List(options)):
            return _equality(own_value(path, scope), options, scope)
        case Path():
            held = own_value(node, scope)
            is_condition = held is not None and held.kind is ValueKind.BOOLEAN
            return _equality(held, (_TRUE,), scope) if is_condition else _NOTHING
        case BinaryOperation(operator, left, right) if operator in _MIRRORED:
            held = own_value(left, scope)
            if held is None:
                operator, held, right = _MIRRORED[operator], own_value(right, scope), left
            if operator == "eq":
                return _equality(held, (right,), scope)
            return _range(operator, held, right, scope)
        case _:
            return _NOTHING


def _in_all(found: Sequence[Found]) -> Found:
    """The conditions of all parts; ranges of one key are one."""
    every = [each for part, _ in found for each in part]
    ranges: dict[Any, KeyRange] = {}
    for each in every:
        if isinstance(each, KeyRange):
            known = ranges.get(each.key.name)
            ranges[each.key.name] = each if known is None else known.within(each)
    equalities = [each for each in every if isinstance(each, Equality)]
    return [*equalities, *ranges.values()], all(whole for _, whole in found)


def _in_one_of(found: Sequence[Found]) -> Found:
    """The equalities of alternatives: of a key that all of them have, a value of any of them."""
    by_key = [
        {each.key.name: each for each in part if isinstance(each, Equality)} for part, _ in found
    ]
    shared = [
        reduce(_either, [each[name] for each in by_key])
        for name in by_key[0]
        if all(name in each for each in by_key)
    ]
    return shared, all(whole and len(part) == 1 == len(shared) for part, whole in found)


def _either(one: Equality, other: Equality) -> Equality:
    return Equality(one.key, one.values + other.values)


def _equality(held: CompiledExpression | None, options: Sequence[Node], scope: Scope) -> Found:
    if held is None:
        return _NOTHING
    constants = [_constant(each, held, scope) for each in options]
    values = [each.value for each in constants if each is not None and _is_equal(held, each)]
    if len(values) < len(options):
        return _NOTHING
    # What is no primitive value falls together with null.
    is_whole = held.kind in _READ or (held.kind in _PLAIN and None not in values)
    key = _key(held, held.evaluate) if held.kind in _READ else path_key(held.names)
    return [Equality(key, tuple(values))], is_whole


def _range(operator: str, held: CompiledExpression | None, bound: Node, scope: Scope) -> Found:
    if held is None:
        return _NOTHING
    constant = _constant(bound, held, scope)
    if constant is None or constant.value is None or held.kind not in _RANGED:
        return _NOTHING
    rank = rank_of(held.kind, constant.value)
    low, high = below(rank_of(held.kind)), below(ABOVE_RANKS)
    match operator:
        case "gt":
            low = above(rank)
        case "ge":
            low = below(rank)
        case "lt":
            high = below(rank)
        case _:
            high = above(rank)
    return [KeyRange(_key(held, ranked(held)), low, high)], True


def _key(held: CompiledExpression, of: Evaluate) -> Key:
    return Key((held.names, held.type.kind, held.type.of), of)


def _constant(node: Node, other: CompiledExpression, scope: Scope) -> CompiledExpression | None:
    """A tree without paths as what it gives, if that may be looked for; None if it is not."""
    is_simple = type(node) is Literal or type(node) is Alias
    if not is_simple and not all(isinstance(each, _CONSTANT) for each in nodes(node)):
        return None
    expression = compile_expression(node, scope)
    if not expression.constant:
        try:
            value = expression.evaluate(None)
        except BadRequest:
            return None  # where there is no entity nobody is told
        expression = expression._replace(evaluate=lambda _: value, constant=True, value=value)
    found = aligned(expression, other)
    return found if found.value == found.value else None


def _is_equal(held: CompiledExpression, constant: CompiledExpression) -> bool:
    """Whether what equals a constant has the constant's value as that of a key."""
    if constant.value is None:
        return held.kind is not ValueKind.COLLECTION
    if held.kind is ValueKind.UNTYPED:
        # A text may spell an instant, in many ways.
        return constant.kind in _PLAIN or constant.kind is ValueKind.DOUBLE
    return held.kind in _PLAIN | _READ and (
        held.kind is constant.kind or {held.kind, constant.kind} <= NUMERIC
    )
