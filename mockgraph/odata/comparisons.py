"""``eq ne gt ge lt le in has``: types checked once, null semantics of OData 4.01.

``eq`` and ``ne`` take null as a value equal to itself only; the others are false where an
operand is null. A dynamic value of another type than what it is compared with gives null.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from mockgraph import metadata as edm
from mockgraph.errors import BadRequest
from mockgraph.odata.syntax import Kind, Member, quoted
from mockgraph.odata.types import NUMERIC, Evaluate, Expression, Type, constant, moment

Compare = Callable[[Any, Any], bool]

EQUALITY: dict[str, Compare] = {"eq": operator.eq, "ne": operator.ne}
ORDER: dict[str, Compare] = {
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
# What a dynamic value may be compared with.
_DYNAMIC = NUMERIC | {Kind.STRING, Kind.BOOLEAN, Kind.INSTANT, Kind.NULL, Kind.UNTYPED}
_BOOLEAN = Type(Kind.BOOLEAN)


def compare(name: str, left: Expression, right: Expression) -> Expression:
    """A comparison; raises BadRequest where the operands can never be compared."""
    left, right = _aligned(left, right), _aligned(right, left)
    _check(name, left.type, right.type)
    if Kind.UNTYPED in (left.kind, right.kind):
        return Expression(_BOOLEAN, _dynamic(name, left, right))
    if name in EQUALITY:
        return Expression(_BOOLEAN, _equality(EQUALITY[name], left, right))
    return Expression(_BOOLEAN, _order(ORDER[name], left, right))


def among(left: Expression, options: Sequence[Expression]) -> Expression:
    """``left in (options)``: equal to one of them."""
    if not all(option.constant for option in options):
        raise BadRequest("'in' takes a list of literals.")
    aligned = [_aligned(option, left) for option in options]
    for option in aligned:
        _check("eq", left.type, option.type)
    if left.kind in (Kind.UNTYPED, Kind.COMPLEX):
        return Expression(_BOOLEAN, _any_equal([compare("eq", left, each) for each in aligned]))
    value, values = left.evaluate, frozenset(option.value for option in aligned)
    return Expression(_BOOLEAN, lambda scope: value(scope) in values)


def has(left: Expression, flag: Expression) -> Expression:
    """``left has member``: the bits of the member are set (OData 4.01, part 2, 5.1.1.1.10)."""
    flag = _aligned(flag, left)
    if left.kind is not Kind.ENUMERATION or flag.type != left.type:
        raise BadRequest(f"'has' cannot be applied to {left.type.name} and {flag.type.name}.")
    value, bits = left.evaluate, flag.value

    def evaluate(scope: Any) -> bool | None:
        held = value(scope)
        return None if held is None else held & bits == bits

    return Expression(_BOOLEAN, evaluate)


def member_of(members: type[edm.Enumeration], literal: Member | str) -> edm.Enumeration:
    """The member that a literal names, in any letter case as the live service takes it.

    Raises BadRequest where the enumeration has none of that name.
    """
    name = edm.qualified(members.edm_name())
    if isinstance(literal, Member):
        # "graph" is the alias of the namespace in the metadata.
        if literal.type_name not in (name, name.removeprefix("microsoft.")):
            raise BadRequest(f"{quoted(literal.type_name)} is not the type '{name}' expected.")
        literal = literal.text
    folded = literal.lower()
    for text, member in members.__members__.items():
        if folded == text.lower():
            return member
    listed = ", ".join(members.__members__)
    raise BadRequest(f"{quoted(literal)} is not a member of '{name}'; its members are {listed}.")


def _aligned(expression: Expression, other: Expression) -> Expression:
    """A literal as the type that it is compared with, where OData's rules or Graph's allow it."""
    kind, value = expression.kind, expression.value
    if not expression.constant:
        return expression
    if other.kind is Kind.ENUMERATION and kind in (Kind.STRING, Kind.MEMBER):
        members = other.type.of
        return constant(Kind.ENUMERATION, member_of(members, value).value, members)
    if kind is Kind.DATE and other.kind in (Kind.INSTANT, Kind.UNTYPED):
        # Graph's own pages compare instants with bare dates: midnight in UTC.
        return constant(Kind.INSTANT, f"{value}T00:00:00")
    if kind is Kind.MEMBER and other.kind is Kind.UNTYPED:
        return constant(Kind.STRING, value.text)
    return expression


def _check(name: str, left: Type, right: Type) -> None:
    if not _comparable(name, left, right):
        hint = ""
        if {left.kind, right.kind} == {Kind.INSTANT, Kind.STRING}:
            hint = " An instant is written without quotes: 2024-05-01T12:00:00Z."
        raise BadRequest(f"'{name}' cannot compare {left.name} with {right.name}.{hint}")


def _comparable(name: str, left: Type, right: Type) -> bool:
    kinds = {left.kind, right.kind}
    if Kind.COLLECTION in kinds or Kind.MEMBER in kinds:
        return False
    if Kind.UNTYPED in kinds:
        return kinds <= _DYNAMIC
    if Kind.NULL in kinds:
        return name in EQUALITY or Kind.COMPLEX not in kinds
    if kinds <= NUMERIC:
        return True
    return left == right and left.kind is not Kind.COMPLEX


def _equality(op: Compare, left: Expression, right: Expression) -> Evaluate:
    first, second = left.evaluate, right.evaluate
    if right.constant:
        value = right.value
        return lambda scope: op(first(scope), value)
    return lambda scope: op(first(scope), second(scope))


def _order(op: Compare, left: Expression, right: Expression) -> Evaluate:
    first, second = left.evaluate, right.evaluate

    def against_constant(scope: Any) -> bool:
        a = first(scope)
        return a is not None and op(a, value)

    def evaluate(scope: Any) -> bool:
        a, b = first(scope), second(scope)
        return a is not None and b is not None and op(a, b)

    if not right.constant:
        return evaluate
    value = right.value
    return (lambda _: False) if value is None else against_constant


def _dynamic(name: str, left: Expression, right: Expression) -> Evaluate:
    """Compares what is only known to have a type when it is there."""
    op = EQUALITY.get(name) or ORDER[name]
    first, second = _as_moment(left, right), _as_moment(right, left)

    def evaluate(scope: Any) -> bool | None:
        a, b = first(scope), second(scope)
        if a is None or b is None:
            return name in EQUALITY and op(a, b)
        same = _class(a)
        if same is not _class(b) or (name in ORDER and same not in (str, float, bool)):
            return None
        return op(a, b)

    return evaluate


def _as_moment(expression: Expression, other: Expression) -> Evaluate:
    """A dynamic text that is compared with an instant counts as the instant that it spells."""
    value = expression.evaluate
    if expression.kind is not Kind.UNTYPED or other.kind is not Kind.INSTANT:
        return value

    def evaluate(scope: Any) -> Any:
        held = value(scope)
        # An instant is never equal to a pair.
        return None if held is None else moment(held) or (held,)

    return evaluate


def _class(value: Any) -> type:
    return float if type(value) is int else type(value)


def _any_equal(comparisons: Sequence[Expression]) -> Evaluate:
    tests = [each.evaluate for each in comparisons]
    return lambda scope: any(test(scope) for test in tests)
