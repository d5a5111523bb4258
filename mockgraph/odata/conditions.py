"""From the tree of a filter to its test, and to the conditions of it that indexes know.

These are equalities and ranges of an entity's properties. Each holds for all that the filter
matches. Together they may say as much as it does.
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
from mockgraph.odata.expressions import Scope, compile_expression, compile_test, joined_tests
from mockgraph.odata.operators import aligned, compile_among, compile_comparison
from mockgraph.odata.types import (
    ABOVE_RANKS,
    NUMERIC,
    CompiledExpression,
    Evaluate,
    of_literal,
    rank_of,
    ranked,
)
from mockgraph.state.indexes import Equality, Key, KeyRange, above, below, path_key

Condition = Equality | KeyRange
# Some conditions, and whether a tree is true where, and only where, all of them hold.
Found = tuple[Sequence[Condition], bool]
# A tree, and the expression that it is.
Compiled = tuple[Node, CompiledExpression]

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


def compile_condition(node: Node, scope: Scope) -> tuple[Evaluate, Found]:
    """Compile the tree of a filter to a test as ``compile_test`` does, and find its conditions.

    These hold where it is true; whether it is true where all of them hold is told as well.
    """
    match node:
        case Logical(operator, operands):
            parts = [compile_condition(each, scope) for each in operands]
            test = joined_tests(operator, [test for test, _ in parts])
            found = [found for _, found in parts]
            return test, _in_all(found) if operator == "and" else _in_one_of(found)
        case In(left, List(items)):
            options = [compile_expression(each, scope) for each in items]
            held = compile_expression(left, scope)
            compiled = [*zip(items, options, strict=True)]
            return compile_among(held, options).evaluate, _equality(held, compiled)
        case BinaryOperation(operator, left, right) if operator in _MIRRORED:
            held, other = compile_expression(left, scope), compile_expression(right, scope)
            test = compile_comparison(operator, held, other).evaluate
            if not held.names:
                operator, held, other, right = _MIRRORED[operator], other, held, left
            if operator == "eq":
                return test, _equality(held, [(right, other)])
            return test, _range(operator, held, (right, other))
        case Path() if (held := compile_expression(node, scope)).kind is ValueKind.BOOLEAN:
            return held.evaluate, _equality(held, [(_TRUE, of_literal(_TRUE))])
        case _:
            return compile_test(node, scope), _NOTHING


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


def _equality(held: CompiledExpression, options: Sequence[Compiled]) -> Found:
    if not held.names:
        return _NOTHING
    constants = [_constant(each, held) for each in options]
    values = [each.value for each in constants if each is not None and _is_equal(held, each)]
    if len(values) < len(options):
        return _NOTHING
    # What is no primitive value falls together with null.
    is_whole = held.kind in _READ or (held.kind in _PLAIN and None not in values)
    key = _key(held, held.evaluate) if held.kind in _READ else path_key(held.names)
    return [Equality(key, tuple(values))], is_whole


def _range(operator: str, held: CompiledExpression, bound: Compiled) -> Found:
    if not held.names:
        return _NOTHING
    constant = _constant(bound, held)
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


def _constant(compiled: Compiled, other: CompiledExpression) -> CompiledExpression | None:
    """A tree without paths as what it gives, if that may be looked for; None if it is not."""
    node, expression = compiled
    if not expression.constant:
        if not all(isinstance(each, _CONSTANT) for each in nodes(node)):
            return None
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
