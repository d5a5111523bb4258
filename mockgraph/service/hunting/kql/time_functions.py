"""Functions of KQL over instants and spans of time, and those that round to steps."""

from __future__ import annotations

import re

from mockgraph.service.hunting.kql import nodes
from mockgraph.service.hunting.kql.call_arguments import Special, values_of
from mockgraph.service.hunting.kql.context import Context, NameScope
from mockgraph.service.hunting.kql.kinds import Kind
from mockgraph.service.hunting.kql.scalars import arithmetic
from mockgraph.service.hunting.kql.sqlvalues import (
    Value,
    converted,
    literal,
    quoted_sql,
    same_kind,
)
from mockgraph.service.hunting.refusal import SemanticQueryError

_PARTS = {
    "year": "year",
    "quarter": "quarter",
    "month": "month",
    "week": "week",
    "weekofyear": "week",
    "week_of_year": "week",
    "day": "day",
    "hour": "hour",
    "minute": "minute",
    "second": "second",
    "millisecond": "millisecond",
    "microsecond": "microsecond",
    "dayofyear": "dayofyear",
}


def _now(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    spans = values_of(context, node, scope, 0, 1)
    moment = literal(context.now, Kind.DATETIME)
    if node.name == "ago":
        if not spans:
            raise SemanticQueryError("ago() takes a timespan.")
        return arithmetic("-", moment, spans[0])
    return arithmetic("+", moment, spans[0]) if spans else moment


def _datetime_part(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> str:
    part = str(context.constant(node.arguments[0], scope, node.name)).lower()
    if part not in _PARTS:
        raise SemanticQueryError(f"{node.name}() knows no part '{part}'.")
    return _PARTS[part]


def _datetime_diff(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    values = values_of(context, node, scope, 3, 3)
    part = _datetime_part(context, node, scope)
    one, other = (converted(each, Kind.DATETIME) for each in values[1:])
    if part == "week":  # weeks begin on Sundays; 1970-01-04 was one
        weeks = [
            f"((epoch_us({each.sql}) - 259200000000) // 604800000000)" for each in (one, other)
        ]
        return Value(f"({weeks[0]} - {weeks[1]})", Kind.LONG)
    return Value(f"date_diff('{part}', {other.sql}, {one.sql})", Kind.LONG)


def _datetime_add(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    values = values_of(context, node, scope, 3, 3)
    part = _datetime_part(context, node, scope)
    number = converted(values[1], Kind.LONG).sql
    moment = converted(values[2], Kind.DATETIME).sql
    unit = {"quarter": "months", "week": "weeks"}.get(part, f"{part}s")
    if part == "quarter":
        number = f"3 * {number}"
    return Value(f"({moment} + to_{unit}(CAST({number} AS INTEGER)))", Kind.DATETIME)


def _get_part(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    values = values_of(context, node, scope, 2, 2)
    part = _datetime_part(context, node, scope)
    sql = f"date_part('{part}', {converted(values[1], Kind.DATETIME).sql})"
    if part in ("millisecond", "microsecond"):
        sql = f"({sql} % {1000 if part == 'millisecond' else 1_000_000})"
    return Value(f"CAST({sql} AS BIGINT)", Kind.LONG)


_FORMATS = (
    ("yyyy", "%Y"),
    ("yy", "%y"),
    ("MM", "%m"),
    ("dd", "%d"),
    ("HH", "%H"),
    ("hh", "%I"),
    ("mm", "%M"),
    ("ss", "%S"),
    ("fffffff", "%f0"),
    ("ffffff", "%f"),
    ("fff", "%g"),
    ("tt", "%p"),
    ("M", "%-m"),
    ("d", "%-d"),
    ("H", "%-H"),
    ("h", "%-I"),
    ("m", "%-M"),
    ("s", "%-S"),
)


def _format_datetime(
    context: Context, node: nodes.FunctionCallExpression, scope: NameScope
) -> Value:
    moment, pattern = values_of(context, node, scope, 2, 2)
    if not pattern.is_constant or not isinstance(pattern.constant, str):
        raise SemanticQueryError("format_datetime() wants a constant pattern.")
    written, wanted = "", pattern.constant
    while wanted:
        for ours, theirs in _FORMATS:
            if wanted.startswith(ours):
                written += theirs
                wanted = wanted[len(ours) :]
                break
        else:
            if wanted[0].isalpha():
                raise SemanticQueryError(f"format_datetime() knows no '{wanted[0]}'.")
            written += "%%" if wanted[0] == "%" else wanted[0]
            wanted = wanted[1:]
    sql = f"coalesce(strftime({converted(moment, Kind.DATETIME).sql}, {quoted_sql(written)}), '')"
    return Value(sql, Kind.STRING)


def _format_timespan(
    context: Context, node: nodes.FunctionCallExpression, scope: NameScope
) -> Value:
    span, pattern = values_of(context, node, scope, 2, 2)
    if not pattern.is_constant or not isinstance(pattern.constant, str):
        raise SemanticQueryError("format_timespan() wants a constant pattern.")
    sql = f"abs({converted(span, Kind.TIMESPAN).sql})"
    parts = []
    for run in re.findall(r"d+|h+|H+|m+|s+|f+|[^dhHmsf]+", pattern.constant):
        unit = {
            "d": f"({sql} // 86400000000)",
            "h": f"({sql} // 3600000000 % 24)",
            "H": f"({sql} // 3600000000 % 24)",
            "m": f"({sql} // 60000000 % 60)",
            "s": f"({sql} // 1000000 % 60)",
        }.get(run[0])
        if unit:
            parts.append(f"printf('%0{len(run)}d', {unit})")
        elif run[0] == "f":
            parts.append(f"substr(printf('%06d0', {sql} % 1000000), 1, {min(len(run), 7)})")
        else:
            parts.append(quoted_sql(run))
    return Value(f"coalesce({' || '.join(parts) or quoted_sql('')}, '')", Kind.STRING)


def _bin(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    if node.name == "floor" and len(node.arguments) == 1:
        (value,) = values_of(context, node, scope, 1, 1)
        return Value(f"floor({converted(value, Kind.REAL).sql})", Kind.REAL)
    value, size = values_of(context, node, scope, 2, 2)
    if value.kind is Kind.DYNAMIC:
        value = converted(value, Kind.REAL)
    if value.kind is Kind.DATETIME and size.kind is Kind.TIMESPAN:
        return Value(f"kql_time_bin({value.sql}, {size.sql})", Kind.DATETIME)
    if value.kind is Kind.TIMESPAN and size.kind is Kind.TIMESPAN:
        return Value(f"CAST(kql_bin({value.sql}, {size.sql}) AS BIGINT)", Kind.TIMESPAN)
    if value.kind.numeric and size.kind.numeric:
        (one, other), kind = same_kind([value, size], "bin()")
        return Value(f"CAST(kql_bin({one.sql}, {other.sql}) AS {kind.duckdb})", kind)
    raise SemanticQueryError(f"bin() cannot put a {value.kind.kql} into a {size.kind.kql}.")


def _bin_at(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    value, size, fixed = values_of(context, node, scope, 3, 3)
    if value.kind is Kind.DATETIME:
        moment, origin = f"epoch_us({value.sql})", f"epoch_us({fixed.sql})"
        sql = f"make_timestamp(CAST({origin} + kql_bin({moment} - {origin}, {size.sql}) AS BIGINT))"
        return Value(sql, Kind.DATETIME)
    (one, other, start), kind = same_kind([value, size, fixed], "bin_at()")
    sql = f"({start.sql} + kql_bin({one.sql} - {start.sql}, {other.sql}))"
    return Value(f"CAST({sql} AS {kind.duckdb})", kind)


def _ingestion_time(
    context: Context, node: nodes.FunctionCallExpression, scope: NameScope
) -> Value:
    values_of(context, node, scope, 0, 0)
    found = scope.columns.get("Timestamp")
    if found is None or found.kind is not Kind.DATETIME:
        return literal(None, Kind.DATETIME)
    return found


TIME_FUNCTIONS: dict[str, Special] = {
    "now": _now,
    "ago": _now,
    "datetime_diff": _datetime_diff,
    "datetime_add": _datetime_add,
    "datetime_part": _get_part,
    "datepart": _get_part,
    "format_datetime": _format_datetime,
    "format_timespan": _format_timespan,
    "bin": _bin,
    "floor": _bin,
    "bin_at": _bin_at,
    "ingestion_time": _ingestion_time,
}
