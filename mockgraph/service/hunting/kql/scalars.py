"""Scalar expressions of KQL as SQL: names, members, arithmetic and comparison."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from mockgraph.service.hunting.kql import nodes
from mockgraph.service.hunting.kql.context import Context, NameScope
from mockgraph.service.hunting.kql.kinds import Kind
from mockgraph.service.hunting.kql.sqlvalues import (
    Rowset,
    Value,
    converted,
    literal,
    quoted_sql,
    text,
)
from mockgraph.service.hunting.kql.term_search import any_term, text_operator
from mockgraph.service.hunting.refusal import SemanticQueryError

_EQUALITIES = ("==", "!=", "=~", "!~")
_RELATIONS = ("<", ">", "<=", ">=")
_ARITHMETIC = ("+", "-", "*", "/", "%")
_INTEGERS = (Kind.INT, Kind.LONG)
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_TRUTH = re.compile(r"true|false|0|1", re.IGNORECASE)


def member(target: Value, name: str) -> Value:
    """Return ``target.name``; a text is read as JSON first."""
    target = converted(target, Kind.DYNAMIC)
    return Value(f"kql_member({target.sql}, {quoted_sql(name)})", Kind.DYNAMIC)


def element(target: Value, index: Value) -> Value:
    """Return ``target[index]``."""
    target = converted(target, Kind.DYNAMIC)
    if index.is_constant and isinstance(index.constant, str):
        return member(target, index.constant)
    if index.kind in _INTEGERS:
        return Value(f"kql_at({target.sql}, {index.sql})", Kind.DYNAMIC)
    if index.kind is Kind.REAL:
        raise SemanticQueryError("an index is a whole number or a text.")
    return Value(f"kql_member({target.sql}, {text(index).sql})", Kind.DYNAMIC)


def negative(operand: Value) -> Value:
    """Return ``-operand``."""
    if operand.kind is Kind.DYNAMIC:
        operand = converted(operand, Kind.REAL)
    if not (operand.kind.numeric or operand.kind is Kind.TIMESPAN):
        raise SemanticQueryError(f"'-' has no meaning before a {operand.kind.kql}.")
    if operand.is_constant and operand.constant is not None:
        return literal(-operand.constant, operand.kind)
    return Value(f"(-{operand.sql})", operand.kind)


def logical(sign: str, operands: list[Value]) -> Value:
    """Return operands joined by ``and`` or ``or``."""
    parts = [condition(each).sql for each in operands]
    return Value("(" + f" {sign.upper()} ".join(parts) + ")", Kind.BOOL)


def condition(value: Value) -> Value:
    """Return a value as the condition that it is."""
    if value.kind is Kind.BOOL:
        return value
    if value.kind.numeric or value.kind is Kind.DYNAMIC:
        return converted(value, Kind.BOOL)
    raise SemanticQueryError(f"a condition is due where a {value.kind.kql} stands.")


def binary(sign: str, left: Value, right: Value) -> Value:
    """Return ``left sign right``, whatever the sign."""
    if sign in _ARITHMETIC:
        return arithmetic(sign, left, right)
    if sign in _EQUALITIES or sign in _RELATIONS:
        return comparison(sign, left, right)
    if sign == "matches regex":
        return Value(f"regexp_matches({text(left).sql}, {text(right).sql})", Kind.BOOL)
    return text_operator(sign, left, right)


def arithmetic(sign: str, left: Value, right: Value) -> Value:
    """Return ``left sign right`` of numbers, instants and spans of time."""
    left, right = _numbers(left), _numbers(right)
    kinds = (left.kind, right.kind)
    if left.kind.numeric and right.kind.numeric:
        return _numeric(sign, left, right)
    match (left.kind, sign, right.kind):
        case (Kind.DATETIME, "-", Kind.DATETIME):
            return Value(f"(epoch_us({left.sql}) - epoch_us({right.sql}))", Kind.TIMESPAN)
        case (Kind.DATETIME, "+" | "-", Kind.TIMESPAN):
            return _shifted(sign, left, right)
        case (Kind.TIMESPAN, "+", Kind.DATETIME):
            return _shifted(sign, right, left)
        case (Kind.TIMESPAN, "+" | "-" | "%", Kind.TIMESPAN):
            return Value(f"({left.sql} {sign} {right.sql})", Kind.TIMESPAN)
        case (Kind.TIMESPAN, "/", Kind.TIMESPAN):
            return Value(f"(CAST({left.sql} AS DOUBLE) / {right.sql})", Kind.REAL)
        case (Kind.TIMESPAN, "*" | "/", _) if right.kind.numeric:
            return Value(f"CAST({left.sql} {sign} {right.sql} AS BIGINT)", Kind.TIMESPAN)
        case (_, "*", Kind.TIMESPAN) if left.kind.numeric:
            return Value(f"CAST({left.sql} * {right.sql} AS BIGINT)", Kind.TIMESPAN)
    advice = " Use strcat()." if Kind.STRING in kinds and sign == "+" else ""
    raise SemanticQueryError(
        f"'{sign}' has no meaning between a {left.kind.kql} and a {right.kind.kql}.{advice}"
    )


def _numbers(value: Value) -> Value:
    """Return a value of arithmetic: of what a dynamic value holds, the number."""
    if value.kind is Kind.BOOL:
        return converted(value, Kind.LONG)
    return converted(value, Kind.REAL) if value.kind is Kind.DYNAMIC else value


def _shifted(sign: str, moment: Value, span: Value) -> Value:
    if (
        isinstance(moment.constant, datetime)
        and isinstance(span.constant, int)
        and abs(span.constant) < 2**55
    ):
        try:
            shift = timedelta(microseconds=span.constant)
            shifted = moment.constant + shift if sign == "+" else moment.constant - shift
            return literal(shifted, Kind.DATETIME)
        except OverflowError:
            return literal(None, Kind.DATETIME)
    sql = f"TRY(make_timestamp(epoch_us({moment.sql}) {sign} {span.sql}))"
    return Value(sql, Kind.DATETIME)


def _numeric(sign: str, left: Value, right: Value) -> Value:
    whole = left.kind in _INTEGERS and right.kind in _INTEGERS
    kind = Kind.LONG if whole else max(left.kind, right.kind, key=list(Kind).index)
    if whole:
        number = {
            "+": lambda a, b: a + b,
            "-": lambda a, b: a - b,
            "*": lambda a, b: a * b,
        }.get(sign)
        if number and isinstance(left.constant, int) and isinstance(right.constant, int):
            folded = number(left.constant, right.constant)
            if abs(folded) < 2**63:
                return literal(folded, kind)
        sign = "//" if sign == "/" else sign
    one, other = converted(left, kind), converted(right, kind)
    return Value(f"({one.sql} {sign} {other.sql})", kind)


def comparison(sign: str, left: Value, right: Value) -> Value:
    """Return ``left sign right`` of an equality or a relation, nulls as KQL has them."""
    if sign in ("=~", "!~"):
        equals = "=" if sign == "=~" else "<>"
        return Value(f"(lower({text(left).sql}) {equals} lower({text(right).sql}))", Kind.BOOL)
    left, right = comparable(left, right)
    if sign in _RELATIONS:
        return Value(f"({left.sql} {sign} {right.sql})", Kind.BOOL)
    if left.kind is Kind.STRING:
        return Value(f"({left.sql} {'=' if sign == '==' else '<>'} {right.sql})", Kind.BOOL)
    constants = (left.is_constant and left.constant is not None) or (
        right.is_constant and right.constant is not None
    )
    if constants:
        same = "IS NOT DISTINCT FROM" if sign == "==" else "IS DISTINCT FROM"
        return Value(f"({left.sql} {same} {right.sql})", Kind.BOOL)
    sql = f"kql_equal({left.sql}, {right.sql})"
    return Value(sql if sign == "==" else f"(NOT {sql})", Kind.BOOL)


def comparable(left: Value, right: Value) -> tuple[Value, Value]:
    """Return two values as one kind, or refuse to compare them as the service does."""
    one, other = left.kind, right.kind
    if one is other:
        return (text(left), text(right)) if one is Kind.DYNAMIC else (left, right)
    if one is Kind.DYNAMIC:
        return converted(left, other), right
    if other is Kind.DYNAMIC:
        return left, converted(right, one)
    if one.numeric and other.numeric:
        kind = max(one, other, key=list(Kind).index)
        return converted(left, kind), converted(right, kind)
    if {one, other} <= {Kind.BOOL, Kind.INT, Kind.LONG}:
        return converted(left, Kind.LONG), converted(right, Kind.LONG)
    if Kind.GUID in (one, other) and Kind.STRING in (one, other):
        return converted(left, Kind.GUID), converted(right, Kind.GUID)
    if one is Kind.STRING and (found := _as_literal(left, right)):
        return found
    if other is Kind.STRING and (found := _as_literal(right, left)):
        return found[1], found[0]
    raise SemanticQueryError(
        f"Cannot compare values of types {one.kql} and {other.kql}. Try adding explicit casts."
    )


def _as_literal(words: Value, number: Value) -> tuple[Value, Value] | None:
    """Return a text and a number or truth as the latter, if a constant may be either.

    So programs compare ``RemotePort == "3389"``, and ``ResultType == 0`` of a text.
    """
    if not (number.kind.numeric or number.kind is Kind.BOOL):
        return None
    if words.is_constant:
        written = str(words.constant).strip()
        plain = _NUMBER if number.kind.numeric else _TRUTH
        return (converted(words, number.kind), number) if plain.fullmatch(written) else None
    return (converted(words, number.kind), number) if number.is_constant else None


def between(negated: bool, operand: Value, low: Value, high: Value) -> Value:
    """Return whether a value is between two others, both included."""
    if high.kind is Kind.TIMESPAN and low.kind is Kind.DATETIME:
        high = _shifted("+", low, high)
    above = comparison(">=", operand, low).sql
    below = comparison("<=", operand, high).sql
    return Value(f"({'NOT ' if negated else ''}({above} AND {below}))", Kind.BOOL)


def among(context: Context, node: nodes.InExpression, scope: NameScope) -> Value:
    """Return ``in``, ``has_any`` or ``has_all`` over values, arrays, or a table's column."""
    operand = context.scalar(node.operand, scope)
    negated = node.sign.startswith("!")
    sign = node.sign.removeprefix("!")
    values: list[Value] = []
    others: list[str] = []
    for item in node.items:
        found = context.evaluate(item, scope)
        if isinstance(found, Rowset):
            others.append(_in_table(sign, operand, found))
        elif not isinstance(found, Value):
            raise SemanticQueryError(f"'{node.sign}' wants values.")
        elif found.is_constant and isinstance(found.constant, list):
            values += [_constant(each) for each in found.constant]
        elif found.kind is Kind.DYNAMIC and not found.is_constant:
            others.append(_in_array(sign, operand, found))
        else:
            values.append(found)
    if sign in ("in", "in~"):
        parts = [_in_values(sign, operand, values)] if values else []
        sql = " OR ".join(parts + others) or "FALSE"
    elif sign == "has_any":
        constants = [str(text(each).constant) for each in values if text(each).is_constant]
        dynamics = [
            text_operator("has", operand, each).sql for each in values if not text(each).is_constant
        ]
        parts = [any_term(operand, constants)] if constants else []
        sql = " OR ".join(parts + dynamics + others) or "FALSE"
    else:
        sql = (
            " AND ".join([text_operator("has", operand, e).sql for e in values] + others) or "TRUE"
        )
    return Value(f"(NOT coalesce({sql}, FALSE))" if negated else f"({sql})", Kind.BOOL)


def _constant(value: object) -> Value:
    """Return an element of a constant array as what it is."""
    if isinstance(value, bool):
        return literal(value, Kind.BOOL)
    if isinstance(value, int):
        return literal(value, Kind.LONG)
    if isinstance(value, float):
        return literal(value, Kind.REAL)
    if isinstance(value, str):
        return literal(value, Kind.STRING)
    return literal(value, Kind.DYNAMIC)


def _in_values(sign: str, operand: Value, values: list[Value]) -> str:
    if sign == "in~" or operand.kind in (Kind.STRING, Kind.DYNAMIC):
        subject = text(operand).sql
        sqls = [text(each).sql for each in values]
        if sign == "in~":
            subject, sqls = f"lower({subject})", [f"lower({each})" for each in sqls]
        return f"{subject} IN ({', '.join(sqls)})"
    sqls = []
    for each in values:
        if each.kind is Kind.STRING:
            each = converted(each, operand.kind)
        sqls.append(comparable(operand, each)[1].sql)
    kind = operand.kind
    return f"coalesce({converted(operand, kind).sql} IN ({', '.join(sqls)}), FALSE)"


def _in_table(sign: str, operand: Value, table: Rowset) -> str:
    first = table.columns[0].value
    if sign in ("in", "in~"):
        left, right = (text(operand), text(first)) if sign == "in~" else comparable(operand, first)
        if sign == "in~":
            return f"lower({left.sql}) IN (SELECT lower({right.sql}) FROM {table.source} t)"
        return f"coalesce({left.sql} IN (SELECT {right.sql} FROM {table.source} t), FALSE)"
    subquery = f"(SELECT list({text(first).sql}) FROM {table.source} t)"
    return _terms(sign, operand, f"coalesce({subquery}, CAST([] AS VARCHAR[]))")


def _in_array(sign: str, operand: Value, array: Value) -> str:
    # The kind of an element is known when the query runs: one that is no array stands for itself.
    texts = (
        f"CASE WHEN json_type({array.sql}) = 'ARRAY' THEN kql_texts({array.sql})"
        f" ELSE [{text(array).sql}] END"
    )
    if sign == "in":
        return f"list_contains({texts}, {text(operand).sql})"
    if sign == "in~":
        lowered = f"list_transform({texts}, lambda e: lower(e))"
        return f"list_contains({lowered}, lower({text(operand).sql}))"
    return _terms(sign, operand, texts)


def _terms(sign: str, operand: Value, texts: str) -> str:
    count = f"len(list_filter({texts}, lambda t: kql_has({text(operand).sql}, t)))"
    return f"({count} > 0)" if sign == "has_any" else f"({count} = len({texts}))"
