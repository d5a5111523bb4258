"""Calls of the scalar functions of KQL: those of the table, and those that take more."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from mockgraph.service.hunting.kql import nodes
from mockgraph.service.hunting.kql.bag_functions import BAG_FUNCTIONS
from mockgraph.service.hunting.kql.call_arguments import Special, values_of
from mockgraph.service.hunting.kql.context import Context, NameScope
from mockgraph.service.hunting.kql.kinds import Kind
from mockgraph.service.hunting.kql.network_functions import NETWORK_FUNCTIONS
from mockgraph.service.hunting.kql.row_functions import ROW_FUNCTIONS
from mockgraph.service.hunting.kql.scalars import condition
from mockgraph.service.hunting.kql.series_functions import SERIES_FUNCTIONS
from mockgraph.service.hunting.kql.signatures import signatures
from mockgraph.service.hunting.kql.sqlvalues import (
    Value,
    converted,
    literal,
    same_kind,
)
from mockgraph.service.hunting.kql.text_functions import TEXT_FUNCTIONS
from mockgraph.service.hunting.kql.time_functions import TIME_FUNCTIONS
from mockgraph.service.hunting.refusal import (
    SemanticQueryError,
    UnresolvedNameError,
    UnsupportedQueryError,
)

_CASTS = {
    "tostring": Kind.STRING,
    "toint": Kind.INT,
    "tolong": Kind.LONG,
    "toreal": Kind.REAL,
    "todouble": Kind.REAL,
    "tofloat": Kind.REAL,
    "todecimal": Kind.DECIMAL,
    "tobool": Kind.BOOL,
    "toboolean": Kind.BOOL,
    "todatetime": Kind.DATETIME,
    "totimespan": Kind.TIMESPAN,
    "toguid": Kind.GUID,
    "parse_json": Kind.DYNAMIC,
    "parsejson": Kind.DYNAMIC,
    "todynamic": Kind.DYNAMIC,
    "toobject": Kind.DYNAMIC,
}
# Functions that KQL has and that need more than a table of rows, or a model of the world.
LACKING = frozenset(
    [
        "series_decompose_forecast",
        "series_fit_2lines",
        "series_fit_poly",
        "series_iir",
        "series_mv_ee_anomalies_fl",
        "series_periods_validate",
        "series_seasonal",
        "tdigest",
        "tdigest_merge",
        "percentile_tdigest",
        "rank_tdigest",
        "parse_xml",
        "DeviceFromIP",
        "parse_user_agent",
        "geo_point_to_geohash",
        "geo_geohash_to_central_point",
        "row_rank_dense",
        "row_rank_min",
        "row_window_session",
        "current_cluster_endpoint",
        "current_database",
        "current_principal",
        "current_principal_details",
        "extent_id",
        "extent_tags",
        "cursor_after",
        "cursor_before_or_at",
        "gzip_compress_to_base64_string",
        "gzip_decompress_from_base64_string",
        "zlib_decompress_from_base64_string",
        "rows_near",
        "estimate_data_size",
    ]
)


def call(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    """Return a call of a built-in scalar function."""
    name = node.name
    if kind := _CASTS.get(name):
        arguments = values_of(context, node, scope, 1, 2)
        return converted(arguments[0], kind)
    if special := SPECIAL.get(name):
        return special(context, node, scope)
    lines = signatures().get(name)
    if lines is None:
        if name in LACKING:
            raise UnsupportedQueryError(f"the function '{name}'")
        raise UnresolvedNameError(name, known_functions(), "function")
    signature = lines.get(len(node.arguments))
    if signature is None:
        counts = " or ".join(str(each) for each in sorted(lines))
        raise SemanticQueryError(
            f"{name}() takes {counts} arguments, and has {len(node.arguments)}."
        )
    sqls = []
    for argument, kind, constant in zip(
        node.arguments, signature.takes, signature.constants, strict=True
    ):
        value = context.scalar(argument, scope)
        if constant and not value.is_constant:
            raise SemanticQueryError(f"{name}() wants a constant here.")
        sqls.append((converted(value, kind) if kind else value).sql)
    sql = re.sub(r"\{(\d)\}", lambda match: sqls[int(match[1])], signature.sql)
    if signature.gives is Kind.STRING:
        return Value(f"coalesce({sql}, '')", Kind.STRING)
    if signature.gives in (Kind.LONG, Kind.INT, Kind.TIMESPAN):
        return Value(f"CAST({sql} AS {signature.gives.duckdb})", signature.gives)
    return Value(f"({sql})", signature.gives)


def known_functions() -> set[str]:
    """Return the names of the scalar functions that MockGraph runs."""
    return set(signatures()) | set(SPECIAL) | set(_CASTS)


def _iff(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    test, *branches = values_of(context, node, scope, 3, 3)
    (yes, no), kind = same_kind(branches, node.name + "()")
    return Value(f"CASE WHEN {condition(test).sql} THEN {yes.sql} ELSE {no.sql} END", kind)


def _case(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    values = values_of(context, node, scope, 3)
    if len(values) % 2 == 0:
        raise SemanticQueryError("case() ends with the value for all other cases.")
    tests = values[0:-1:2]
    branches, kind = same_kind([*values[1:-1:2], values[-1]], "case()")
    cases = " ".join(
        f"WHEN {condition(test).sql} THEN {branch.sql}"
        for test, branch in zip(tests, branches[:-1], strict=True)
    )
    return Value(f"CASE {cases} ELSE {branches[-1].sql} END", kind)


def _coalesce(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    values, kind = same_kind(values_of(context, node, scope, 1), "coalesce()")
    if kind is Kind.STRING:
        nonempty = ", ".join(f"nullif({each.sql}, '')" for each in values)
        return Value(f"coalesce({nonempty}, '')", kind)
    if kind is Kind.DYNAMIC:
        present = ", ".join(
            f"CASE WHEN kql_is_null({each.sql}) THEN NULL ELSE {each.sql} END" for each in values
        )
        return Value(f"coalesce({present})", kind)
    return Value(f"coalesce({', '.join(each.sql for each in values)})", kind)


def _extreme(sql: str) -> Special:
    def special(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
        values, kind = same_kind(values_of(context, node, scope, 1), f"{node.name}()")
        return Value(f"{sql}({', '.join(each.sql for each in values)})", kind)

    return special


def _is_null(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    (value,) = values_of(context, node, scope, 1, 1)
    if value.kind is Kind.STRING:
        sql = "FALSE"
    elif value.kind is Kind.DYNAMIC:
        sql = f"(kql_is_null({value.sql}))"
    else:
        sql = f"({value.sql} IS NULL)"
    return Value(sql if node.name == "isnull" else f"(NOT {sql})", Kind.BOOL)


def _abs(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    (value,) = values_of(context, node, scope, 1, 1)
    if value.kind is Kind.DYNAMIC:
        value = converted(value, Kind.REAL)
    if not (value.kind.numeric or value.kind is Kind.TIMESPAN):
        raise SemanticQueryError(f"abs() has no meaning for a {value.kind.kql}.")
    return Value(f"abs({value.sql})", value.kind)


def _column_if_exists(
    context: Context, node: nodes.FunctionCallExpression, scope: NameScope
) -> Value:
    if len(node.arguments) != 2:
        raise SemanticQueryError(f"{node.name}() takes a name and a default.")
    name = context.constant(node.arguments[0], scope, node.name)
    default = context.scalar(node.arguments[1], scope)
    rows = scope if scope.rows is None else scope.rows
    return rows.columns.get(name, default)


# What toscalar() knows before the query runs; DuckDB takes no subquery within a TRY().
_FETCHED = (Kind.BOOL, Kind.INT, Kind.LONG, Kind.REAL, Kind.STRING, Kind.DATETIME, Kind.TIMESPAN)


def _to_scalar(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    if len(node.arguments) != 1:
        raise SemanticQueryError("toscalar() takes a table.")
    found = context.evaluate(node.arguments[0], scope.bare())
    if isinstance(found, Value):
        return found
    table = context.table(node.arguments[0], scope.bare())
    first = table.columns[0]
    sql = f"(SELECT {first.ref} FROM {table.source} t{table.order_by} LIMIT 1)"
    if first.kind is Kind.STRING:
        sql = f"coalesce({sql}, '')"
    if first.kind not in _FETCHED:
        return Value(sql, first.kind)
    ((value,),) = context.probe(context.whole(f"SELECT {sql}"))
    if isinstance(value, datetime):
        value = value.replace(tzinfo=UTC)
    return literal(value, first.kind)


SPECIAL: dict[str, Special] = {
    "iff": _iff,
    "iif": _iff,
    "case": _case,
    "coalesce": _coalesce,
    "max_of": _extreme("greatest"),
    "min_of": _extreme("least"),
    "isnull": _is_null,
    "isnotnull": _is_null,
    "notnull": _is_null,
    "abs": _abs,
    "column_ifexists": _column_if_exists,
    "columnifexists": _column_if_exists,
    "toscalar": _to_scalar,
    **ROW_FUNCTIONS,
    **NETWORK_FUNCTIONS,
    **SERIES_FUNCTIONS,
    **TEXT_FUNCTIONS,
    **TIME_FUNCTIONS,
    **BAG_FUNCTIONS,
}
