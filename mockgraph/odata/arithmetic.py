"""``add sub mul div divby mod`` and negation on numbers; null with null gives null.

Integers stay integers within Edm.Int64 and become doubles beyond it; ``div`` of integers
cuts off towards zero, and a division of integers by zero fails the request (OData 4.01,
part 2, 5.1.1.2).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import TypeAlias

from mockgraph.errors import BadRequest
from mockgraph.odata.syntax import Kind
from mockgraph.odata.types import NUMERIC, Evaluate, Expression, Type, dynamic_as

Number: TypeAlias = int | float

_OPERANDS = NUMERIC | {Kind.NULL, Kind.UNTYPED}


def arithmetic(name: str, left: Expression, right: Expression) -> Expression:
    """The result of an operator; raises BadRequest where an operand can be no number."""
    first, second = _number(name, left), _number(name, right)
    apply = _OPERATORS[name]

    def evaluate(scope: object) -> Number | None:
        a, b = first(scope), second(scope)
        return None if a is None or b is None else apply(a, b)

    return Expression(Type(_result(name, left, right)), evaluate)


def negate(operand: Expression) -> Expression:
    """The negation of a number. Raises BadRequest where the operand is none."""
    value = _number("-", operand)

    def evaluate(scope: object) -> Number | None:
        number = value(scope)
        return None if number is None else _within_int64(-number)

    return Expression(Type(_result("-", operand)), evaluate)


def _result(name: str, *operands: Expression) -> Kind:
    kinds = {operand.kind for operand in operands}
    if Kind.UNTYPED in kinds:
        return Kind.UNTYPED
    return Kind.INTEGER if kinds == {Kind.INTEGER} and name != "divby" else Kind.DOUBLE


def _number(name: str, operand: Expression) -> Evaluate:
    if operand.kind not in _OPERANDS:
        raise BadRequest(f"'{name}' cannot be applied to {operand.type.name}.")
    if operand.kind is not Kind.UNTYPED:
        return operand.evaluate
    value, checked = operand.evaluate, dynamic_as(Kind.DOUBLE)
    return lambda scope: checked(value(scope))


def _within_int64(number: Number) -> Number:
    return number if type(number) is float or -(2**63) <= number < 2**63 else float(number)


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
