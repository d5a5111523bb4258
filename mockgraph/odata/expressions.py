"""From a syntax tree to closures: types are checked here, once, and never per entity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mockgraph.errors import BadRequest
from mockgraph.odata.arithmetic import arithmetic, negate
from mockgraph.odata.comparisons import EQUALITY, ORDER, among, compare, has
from mockgraph.odata.functions import call
from mockgraph.odata.paths import Scope, resolve
from mockgraph.odata.syntax import (
    Binary,
    Call,
    In,
    Kind,
    Lambda,
    Literal,
    Logical,
    Node,
    Path,
    Unary,
    quoted,
)
from mockgraph.odata.types import Evaluate, Expression, Type, constant, dynamic_as

# Each level multiplies the work by the size of a collection.
MAX_LAMBDAS = 3

_BOOLEAN = Type(Kind.BOOLEAN)


def compile_expression(node: Node, scope: Scope) -> Expression:
    """The expression that a tree stands for; raises BadRequest where it is ill-typed."""
    match node:
        case Literal(kind, value):
            return constant(kind, value)
        case Path():
            return resolve(node, scope)
        case Call(function, arguments):
            given = (compile_expression(each, scope) for each in arguments)
            return call(function, given, scope.now)
        case Unary("not", operand):
            return Expression(_BOOLEAN, _not(_boolean(operand, scope)))
        case Unary(_, operand):
            return negate(compile_expression(operand, scope))
        case Binary(operator, left, right):
            return _binary(
                operator, compile_expression(left, scope), compile_expression(right, scope)
            )
        case In(left, options):
            values = [compile_expression(option, scope) for option in options]
            return among(compile_expression(left, scope), values)
        case Logical(operator, operands):
            tests = [_boolean(each, scope) for each in operands]
            # What decides: false for "and", true for "or"; null only where nothing does.
            return Expression(_BOOLEAN, _three_valued(tests, decisive=operator == "or"))
        case Lambda():
            return Expression(_BOOLEAN, _lambda(node, scope))


def compile_test(node: Node, scope: Scope) -> Evaluate:
    """A closure whose result is true where the tree is; null may come out as false.

    That lets ``and`` and ``or`` be as quick as Python's own.
    """
    if not isinstance(node, Logical):
        return _boolean(node, scope)
    tests = [compile_test(each, scope) for each in node.operands]
    if len(tests) == 2:
        first, second = tests
        if node.operator == "and":
            return lambda scope: first(scope) and second(scope)
        return lambda scope: first(scope) or second(scope)
    if node.operator == "and":
        return lambda scope: all(test(scope) for test in tests)
    return lambda scope: any(test(scope) for test in tests)


def _binary(operator: str, left: Expression, right: Expression) -> Expression:
    if operator in EQUALITY or operator in ORDER:
        return compare(operator, left, right)
    if operator == "has":
        return has(left, right)
    return arithmetic(operator, left, right)


def _boolean(node: Node, scope: Scope) -> Evaluate:
    expression = compile_expression(node, scope)
    if expression.kind is Kind.UNTYPED:
        value, checked = expression.evaluate, dynamic_as(Kind.BOOLEAN)
        return lambda scope: checked(value(scope))
    if expression.kind not in (Kind.BOOLEAN, Kind.NULL):
        raise BadRequest(f"A condition is expected, not a value of type {expression.type.name}.")
    return expression.evaluate


def _not(test: Evaluate) -> Evaluate:
    def evaluate(scope: Any) -> bool | None:
        value: bool | None = test(scope)
        return None if value is None else not value

    return evaluate


def _three_valued(tests: Sequence[Evaluate], *, decisive: bool) -> Evaluate:
    def evaluate(scope: Any) -> bool | None:
        result: bool | None = not decisive
        for test in tests:
            value: bool | None = test(scope)
            if value is decisive:
                return decisive
            if value is None:
                result = None
        return result

    return evaluate


def _listed(value: Evaluate) -> Evaluate:
    """A dynamic value as the items of a collection: none where it is no array."""

    def evaluate(scope: Any) -> Any:
        items = value(scope)
        return items if isinstance(items, list) else ()

    return evaluate


def _lambda(node: Lambda, scope: Scope) -> Evaluate:
    collection = resolve(node.path, scope)
    items = collection.evaluate
    shown = quoted("/".join(node.path.names))
    if collection.kind is Kind.UNTYPED:
        of, items = collection.type, _listed(items)
    elif collection.kind is Kind.COLLECTION:
        of = collection.type.of
    else:
        raise BadRequest(f"'{node.quantifier}' takes a collection, which {shown} is not.")
    if node.variable is None or node.body is None:
        return lambda scope: bool(items(scope))
    if len(scope.variables) == MAX_LAMBDAS:
        raise BadRequest(f"more than {MAX_LAMBDAS} any or all inside one another.")
    if any(node.variable == name for name, _ in scope.variables):
        raise BadRequest(f"The variable {quoted(node.variable)} is named twice.")
    body = compile_test(node.body, scope.within(node.variable, of))

    # Loops, since a generator costs as much as the work in it.
    def some(scope: Any) -> bool:
        for item in items(scope) or ():  # noqa: SIM110
            if body((item, scope)):
                return True
        return False

    def every(scope: Any) -> bool:
        for item in items(scope) or ():  # noqa: SIM110
            if not body((item, scope)):
                return False
        return True

    return some if node.quantifier == "any" else every
