"""The operators: ``eq ne gt ge lt le in has`` and ``add sub mul div divby mod``, typed once.

Null semantics of OData 4.01 (part 2, 5.1.1): ``eq`` and ``ne`` take null as a value equal to
itself only; the other comparisons are false where an operand is null, arithmetic gives null. A
dynamic value of another type than its operator takes gives null.

Integers stay integers within Edm.Int64 and become doubles beyond it; ``div`` of integers cuts
off towards zero, and a division of integers by zero fails the request (5.1.1.2).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from functools import lru_cache, reduce
from typing import Any, TypeAlias

from mockgraph import metadata as edm
from mockgraph import work
from mockgraph.errors import BadRequest, NotEmulated
from mockgraph.odata import temporal
from mockgraph.odata.ast import EnumerationLiteral, ValueKind, quoted
from mockgraph.odata.types import (
    NUMERIC,
    CompiledExpression,
    Evaluate,
    Type,
    constant,
    dynamic_as,
    from_json,
    full_name,
    moment,
)

Compare: TypeAlias = Callable[[Any, Any], bool]
Number: TypeAlias = int | float

EQUALITY: dict[str, Compare] = {"eq": operator.eq, "ne": operator.ne}
ORDER: dict[str, Compare] = {
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
# What a dynamic value may be compared with.
_DYNAMIC = NUMERIC | {
    ValueKind.STRING,
    ValueKind.BOOLEAN,
    ValueKind.INSTANT,
    ValueKind.NULL,
    ValueKind.UNTYPED,
}
_WITHOUT_ORDER = frozenset({ValueKind.BINARY, ValueKind.GEOGRAPHY})
_BOOLEAN = Type(ValueKind.BOOLEAN)
# What arithmetic may be applied to.
_OPERANDS = NUMERIC | {ValueKind.NULL, ValueKind.UNTYPED}


def compile_comparison(
    name: str, left: CompiledExpression, right: CompiledExpression
) -> CompiledExpression:
    """Compile a comparison; raises BadRequest where the operands can never be compared."""
    left, right = aligned(left, right), aligned(right, left)
    _check(name, left.type, right.type)
    if ValueKind.UNTYPED in (left.kind, right.kind):
        return CompiledExpression(_BOOLEAN, _dynamic(name, left, right))
    if name in EQUALITY:
        return CompiledExpression(_BOOLEAN, _equality(EQUALITY[name], left, right))
    return CompiledExpression(_BOOLEAN, _order(ORDER[name], left, right))


def compile_among(
    left: CompiledExpression, options: Sequence[CompiledExpression]
) -> CompiledExpression:
    """Compile ``left in (options)``: equal to one of them."""
    if not all(option.constant for option in options):
        raise BadRequest("'in' takes a list of literals.")
    like_left = [aligned(option, left) for option in options]
    for option in like_left:
        _check("eq", left.type, option.type)
    if left.kind in (ValueKind.UNTYPED, ValueKind.COMPLEX, ValueKind.GEOGRAPHY):
        return CompiledExpression(
            _BOOLEAN, _any_equal([compile_comparison("eq", left, each) for each in like_left])
        )
    value, values = left.evaluate, frozenset(option.value for option in like_left)
    return CompiledExpression(_BOOLEAN, lambda scope: value(scope) in values)


def contained(left: CompiledExpression, collection: CompiledExpression) -> CompiledExpression:
    """Compile ``left in collection``: equal to an item. Raises BadRequest as ``eq`` does."""
    of = collection.type.of if collection.kind is ValueKind.COLLECTION else collection.type
    if collection.kind not in (ValueKind.COLLECTION, ValueKind.UNTYPED):
        raise BadRequest(f"'in' takes a list or a collection, not {of.name}.")
    items, convert = collection.evaluate, from_json(of)
    # The comparison is evaluated on pairs of an item and the scope around it.
    item = CompiledExpression(of, lambda pair: convert(pair[0]) if convert else pair[0])
    outer = left._replace(evaluate=lambda pair: left.evaluate(pair[1]))
    equal = compile_comparison("eq", item, outer).evaluate
    step = work.current().step

    def evaluate(scope: Any) -> bool:
        held = items(scope)
        if not isinstance(held, list):
            return False
        step(4 * len(held))
        return any(equal((each, scope)) for each in held)

    return CompiledExpression(_BOOLEAN, evaluate)


def has(left: CompiledExpression, flag: CompiledExpression) -> CompiledExpression:
    """Compile ``left has member``: the bits of the member are set (part 2, 5.1.1.1.10)."""
    flag = aligned(flag, left)
    if left.kind is not ValueKind.ENUMERATION or flag.type != left.type:
        raise BadRequest(f"'has' cannot be applied to {left.type.name} and {flag.type.name}.")
    value, bits = left.evaluate, flag.value

    def evaluate(scope: Any) -> bool | None:
        held = value(scope)
        return None if held is None else held & bits == bits

    return CompiledExpression(_BOOLEAN, evaluate)


# Programs ask for few members, again and again.
@lru_cache(maxsize=256)
def member_of(values: edm.EnumValues, literal: EnumerationLiteral | str) -> int:
    """Return the value of the member that a literal names, in any case, as the live service does.

    Of flags it may name several. Raises BadRequest where the enumeration has none of that name.
    """
    name = values.type_name
    if isinstance(literal, EnumerationLiteral):
        if full_name(literal.type_name) != name:
            raise BadRequest(f"{quoted(literal.type_name)} is not the type '{name}' expected.")
        literal = literal.text
    folded = {text.lower(): value for text, value in values.members.items()}
    parts = (
        [each.strip() for each in literal.lower().split(",")]
        if values.is_flags
        else [literal.lower()]
    )
    if all(each in folded for each in parts):
        return reduce(operator.or_, (folded[each] for each in parts))
    listed = ", ".join(values.members)
    raise BadRequest(f"{quoted(literal)} is not a member of '{name}'; its members are {listed}.")


def aligned(expression: CompiledExpression, other: CompiledExpression) -> CompiledExpression:
    """Return a literal as the type that it is compared with, as OData's rules or Graph's allow."""
    kind, value = expression.kind, expression.value
    if not expression.constant:
        return expression
    if other.kind is ValueKind.ENUMERATION and kind in (ValueKind.STRING, ValueKind.MEMBER):
        values = other.type.of
        return constant(ValueKind.ENUMERATION, member_of(values, value), values)
    if kind is ValueKind.DATE and other.kind in (ValueKind.INSTANT, ValueKind.UNTYPED):
        # Graph's own pages compare instants with bare dates: midnight in UTC.
        return constant(ValueKind.INSTANT, f"{value}T00:00:00")
    if kind is ValueKind.MEMBER and other.kind is ValueKind.UNTYPED:
        return constant(ValueKind.STRING, value.text)
    return expression


def _check(name: str, left: Type, right: Type) -> None:
    if not _comparable(name, left, right):
        hint = ""
        if {left.kind, right.kind} == {ValueKind.INSTANT, ValueKind.STRING}:
            hint = " An instant is written without quotes: 2024-05-01T12:00:00Z."
        raise BadRequest(f"'{name}' cannot compare {left.name} with {right.name}.{hint}")


def _comparable(name: str, left: Type, right: Type) -> bool:
    kinds = {left.kind, right.kind}
    if ValueKind.COLLECTION in kinds or ValueKind.MEMBER in kinds:
        return False
    if ValueKind.UNTYPED in kinds:
        return kinds <= _DYNAMIC
    if ValueKind.NULL in kinds:
        return name in EQUALITY or not kinds & {ValueKind.COMPLEX, *_WITHOUT_ORDER}
    if kinds <= NUMERIC:
        return True
    if name in ORDER and left.kind in _WITHOUT_ORDER:
        return False
    return left == right and left.kind is not ValueKind.COMPLEX


def _equality(op: Compare, left: CompiledExpression, right: CompiledExpression) -> Evaluate:
    first, second = left.evaluate, right.evaluate
    if right.constant:
        value = right.value
        if len(left.names) == 1 and (stored := _stored(value, left.type)) is not None:
            (name,) = left.names
            if op is operator.eq:
                return lambda entity: entity.get(name) == stored
            return lambda entity: entity.get(name) != stored
        return lambda scope: op(first(scope), value)
    return lambda scope: op(first(scope), second(scope))


def _stored(value: Any, type_: Type) -> Any:
    """A value as it is stored where it is, None where it may be stored in several ways."""
    if type_.kind in (ValueKind.STRING, ValueKind.INTEGER, ValueKind.BOOLEAN):
        return value
    if type_.kind is ValueKind.ENUMERATION and not type_.of.is_flags:
        names = [name for name, number in type_.of.members.items() if number == value]
        return names[0] if len(names) == 1 else None
    return None


def _order(op: Compare, left: CompiledExpression, right: CompiledExpression) -> Evaluate:
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


def _dynamic(name: str, left: CompiledExpression, right: CompiledExpression) -> Evaluate:
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


def _as_moment(expression: CompiledExpression, other: CompiledExpression) -> Evaluate:
    """A dynamic text that is compared with an instant counts as the instant that it spells."""
    value = expression.evaluate
    if expression.kind is not ValueKind.UNTYPED or other.kind is not ValueKind.INSTANT:
        return value

    def evaluate(scope: Any) -> Any:
        held = value(scope)
        # An instant is never equal to a pair.
        return None if held is None else moment(held) or (held,)

    return evaluate


def _class(value: Any) -> type:
    return float if type(value) is int else type(value)


def _any_equal(comparisons: Sequence[CompiledExpression]) -> Evaluate:
    tests = [each.evaluate for each in comparisons]
    return lambda scope: any(test(scope) for test in tests)


# -- arithmetic ---------------------------------------------------------------------------


def compile_arithmetic(
    name: str, left: CompiledExpression, right: CompiledExpression
) -> CompiledExpression:
    """Compile an arithmetic operator; raises BadRequest where an operand is of no such type."""
    left, right = aligned(left, right), aligned(right, left)
    of_time = temporal.temporal_operation(name, left.kind, right.kind)
    first, second = left.evaluate, right.evaluate
    apply: Callable[[Any, Any], Any]
    if of_time is not None:
        kind, apply = of_time
    else:
        _check_known(name, left, right)
        first, second = _number(name, left), _number(name, right)
        kind, apply = _result(name, left, right), _OPERATORS[name]

    def evaluate(scope: object) -> Any:
        a, b = first(scope), second(scope)
        return None if a is None or b is None else apply(a, b)

    return CompiledExpression(Type(kind), evaluate)


def _check_known(name: str, left: CompiledExpression, right: CompiledExpression) -> None:
    """Raise NotEmulated for what the standard has beyond what is emulated here."""
    kinds = {left.kind, right.kind}
    scaled = name in ("mul", "div", "divby") and kinds <= {ValueKind.DURATION, *NUMERIC}
    dynamic = name in ("add", "sub") and ValueKind.UNTYPED in kinds
    if kinds & temporal.TEMPORAL and (scaled or dynamic):
        raise NotEmulated(f"'{name}' of {left.type.name} and {right.type.name}")


def negate(operand: CompiledExpression) -> CompiledExpression:
    """Compile the negation of a number or duration. Raises BadRequest for any other operand."""
    is_duration = operand.kind is ValueKind.DURATION
    value = operand.evaluate if is_duration else _number("-", operand)

    def evaluate(scope: object) -> Any:
        number = value(scope)
        return None if number is None else _within_int64(-number)

    kind = ValueKind.DURATION if is_duration else _result("-", operand)
    return CompiledExpression(Type(kind), evaluate)


def _result(name: str, *operands: CompiledExpression) -> ValueKind:
    kinds = {operand.kind for operand in operands}
    if ValueKind.UNTYPED in kinds:
        return ValueKind.UNTYPED
    return (
        ValueKind.INTEGER if kinds == {ValueKind.INTEGER} and name != "divby" else ValueKind.DOUBLE
    )


def _number(name: str, operand: CompiledExpression) -> Evaluate:
    if operand.kind not in _OPERANDS:
        raise BadRequest(f"'{name}' cannot be applied to {operand.type.name}.")
    if operand.kind is not ValueKind.UNTYPED:
        return operand.evaluate
    value, checked = operand.evaluate, dynamic_as(ValueKind.DOUBLE)
    return lambda scope: checked(value(scope))


def _within_int64(number: Number) -> Number:
    return number if type(number) is not int or -(2**63) <= number < 2**63 else float(number)


def _widening(op: Callable[[Number, Number], Number]) -> Callable[[Number, Number], Number]:
    return lambda a, b: _within_int64(op(a, b))


def _div(a: Number, b: Number) -> Number:
    if type(a) is not int or type(b) is not int:
        return _divby(a, b)
    if b == 0:
        raise BadRequest("The query divides an integer by zero.")
    quotient = abs(a) // abs(b)
    return _within_int64(quotient if (a < 0) == (b < 0) else -quotient)


def _divby(a: Number, b: Number) -> float:
    if b == 0:
        return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a)
    return a / b


def _mod(a: Number, b: Number) -> Number:
    """The remainder with the sign of the dividend."""
    if b == 0:
        raise BadRequest("The query takes a remainder of a division by zero.")
    if type(a) is int and type(b) is int:
        remainder = abs(a) % abs(b)
        return -remainder if a < 0 else remainder
    return math.nan if math.isinf(a) else math.fmod(a, b)


_OPERATORS: dict[str, Callable[[Number, Number], Number]] = {
    "add": _widening(operator.add),
    "sub": _widening(operator.sub),
    "mul": _widening(operator.mul),
    "div": _div,
    "divby": _divby,
    "mod": _mod,
}
