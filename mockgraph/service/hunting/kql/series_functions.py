"""Functions of KQL over series: arithmetic by elements, gaps filled, statistics, anomalies."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from mockgraph.service.hunting.kql import nodes
from mockgraph.service.hunting.kql.call_arguments import Special, values_of
from mockgraph.service.hunting.kql.context import Context, NameScope
from mockgraph.service.hunting.kql.kinds import Kind
from mockgraph.service.hunting.kql.sqlvalues import Value, converted
from mockgraph.service.hunting.refusal import SemanticQueryError

T = TypeVar("T")

_STATS = ("min", "min_idx", "max", "max_idx", "avg", "stdev", "variance")
_FENCES = {"ctukey": (0.1, 0.9), "tukey": (0.25, 0.75)}


def _numbers(value: Value) -> str:
    """Return a series as a list of numbers."""
    return f"kql_numbers({converted(value, Kind.DYNAMIC).sql})"


def _several(struct: str, members: dict[str, str], kinds: dict[str, Kind] | None = None) -> Value:
    """Return a function that makes several columns: their names, and the members of a struct."""
    columns = tuple((name, (kinds or {}).get(name, Kind.DYNAMIC)) for name in members)
    items = ", ".join(f"to_json(parts.{member})" for member in members.values())
    sql = f"(SELECT to_json([{items}]) FROM (SELECT {struct} AS parts))"
    return replace(Value(sql, Kind.DYNAMIC), members=columns)


def _by_elements(template: str, kind: str = "DOUBLE") -> Special:
    """Return a function of two series, or of a series and a number."""

    def special(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
        one, other = values_of(context, node, scope, 2, 2)

        def at(value: Value) -> str:
            if value.kind.numeric:
                return f"CAST({value.sql} AS DOUBLE)"
            return f"({_numbers(value)})[i]"

        series = [_numbers(each) for each in (one, other) if not each.kind.numeric]
        if not series:
            raise SemanticQueryError(f"{node.name}() wants a series.")
        length = f"greatest({', '.join(f'len({each})' for each in series)})"
        result = template.format(at(one), at(other))
        sql = f"to_json(list_transform(range(1, {length} + 1), lambda i: CAST({result} AS {kind})))"
        return Value(sql, Kind.DYNAMIC)

    return special


def _of_each(template: str) -> Special:
    """Return a function of one series that makes each element another."""

    def special(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
        (series,) = values_of(context, node, scope, 1, 1)
        changed = template.format("v")
        sql = f"to_json(list_transform({_numbers(series)}, lambda v: {changed}))"
        return Value(sql, Kind.DYNAMIC)

    return special


def _in_all(template: str) -> Special:
    """Return a function that makes one number of a series."""

    def special(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
        (series,) = values_of(context, node, scope, 1, 1)
        return Value(template.format(_numbers(series)), Kind.REAL)

    return special


def _filled(macro: str) -> Special:
    """Return a function that fills the gaps of a series, or what stands for a gap."""

    def special(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
        series, *others = values_of(context, node, scope, 1, 4)
        numbers = _numbers(series)
        constant = None
        if node.name == "series_fill_const":
            if not others:
                raise SemanticQueryError(f"{node.name}() wants a constant.")
            constant = converted(others.pop(0), Kind.REAL).sql
        if others and others[0].kind.numeric:
            gap = converted(others[0], Kind.REAL).sql
            numbers = f"list_transform({numbers}, lambda v: nullif(v, {gap}))"
        if constant is not None:
            return Value(
                f"to_json(list_transform({numbers}, lambda v: coalesce(v, {constant})))",
                Kind.DYNAMIC,
            )
        return Value(f"to_json({macro}({numbers}))", Kind.DYNAMIC)

    return special


def _stats(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    series = values_of(context, node, scope, 1, 2)[0]
    struct = f"kql_series_stats({_numbers(series)})"
    if node.name == "series_stats_dynamic":
        return Value(f"to_json({struct})", Kind.DYNAMIC)
    kinds = {name: Kind.LONG if name.endswith("idx") else Kind.REAL for name in _STATS}
    return _several(struct, {name: name for name in _STATS}, kinds)


def _fit_line(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    (series,) = values_of(context, node, scope, 1, 1)
    struct = f"kql_line({_numbers(series)})"
    members = {
        name: name for name in ("rsquare", "slope", "variance", "rvariance", "interception")
    } | {"line_fit": "line"}
    if node.name == "series_fit_line_dynamic":
        items = ", ".join(f"'{name}', parts.{member}" for name, member in members.items())
        sql = f"(SELECT json_object({items}) FROM (SELECT {struct} AS parts))"
        return Value(sql, Kind.DYNAMIC)
    return _several(struct, members, {name: Kind.REAL for name in members if name != "line_fit"})


def _decompose(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    """Return the parts of a series: (series, seasonality, trend, test points, threshold)."""
    series, *others = values_of(context, node, scope, 1, 5)
    season, trend = _season(others[0:1]), _constant(others[1:2], "avg", str, node.name)
    likeness = _constant(others[3:4], 0.6, float, node.name)
    struct = f"kql_decomposed({_numbers(series)}, {season}, '{_trend(trend)}', {likeness!r})"
    return _several(struct, {name: name for name in ("baseline", "seasonal", "trend", "residual")})


def _anomalies(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    """Return flags, scores and a baseline.

    The arguments are (series, threshold, seasonality, trend, test points, method, likeness).
    """
    series, *others = values_of(context, node, scope, 1, 7)
    threshold = _constant(others[0:1], 1.5, float, node.name)
    season, trend = _season(others[1:2]), _constant(others[2:3], "avg", str, node.name)
    low, high = _fences(_constant(others[4:5], "ctukey", str, node.name))
    likeness = _constant(others[5:6], 0.6, float, node.name)
    struct = (
        f"kql_anomalies({_numbers(series)}, {threshold!r}, {season}, '{_trend(trend)}',"
        f" {low}, {high}, {likeness!r})"
    )
    members = {"ad_flag": "flag", "ad_score": "score", "baseline": "baseline"}
    return _several(struct, members)


def _outliers(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    series, *others = values_of(context, node, scope, 1, 5)
    low, high = _fences(_constant(others[0:1], "ctukey", str, node.name))
    return Value(f"to_json(kql_outliers({_numbers(series)}, {low}, {high}))", Kind.DYNAMIC)


def _periods(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    """Return the periods of a series: (series, shortest, longest, how many)."""
    series, *others = values_of(context, node, scope, 4, 4)
    shortest, longest, most = (converted(each, Kind.REAL).sql for each in others)
    level = f"(SELECT list_transform(z, lambda v: v - m) FROM (SELECT {_numbers(series)} AS z,"
    level += f" list_avg({_numbers(series)}) AS m))"
    found = f"list_filter(kql_peaks({level}), lambda e: e.period BETWEEN {shortest} AND {longest})"
    first = f"list_slice({found}, 1, CAST({most} AS BIGINT))"
    struct = (
        f"{{'periods': list_transform({first}, lambda e: CAST(e.period AS DOUBLE)),"
        f" 'scores': list_transform({first}, lambda e: e.score)}}"
    )
    return _several(struct, {"periods": "periods", "scores": "scores"})


def _fir(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    """Return a filtered series: (series, weights, whether normalized, whether centred)."""
    series, weights, *others = values_of(context, node, scope, 2, 4)
    normalized = _constant(others[0:1], True, bool, node.name)
    centred = _constant(others[1:2], False, bool, node.name)
    factors = _numbers(weights)
    total = f"coalesce(nullif(list_sum({factors}), 0), 1)" if normalized else "1"
    ahead = f"len({factors}) // 2" if centred else "0"
    sql = f"to_json(kql_fir({_numbers(series)}, {factors}, {total}, {ahead}))"
    return Value(sql, Kind.DYNAMIC)


def _season(given: list[Value]) -> str:
    """Return the number of points of a period: of none 0, of one to be found -1."""
    return f"CAST({converted(given[0], Kind.LONG).sql} AS BIGINT)" if given else "-1"


def _constant(given: list[Value], default: T, kind: type[T], name: str) -> T:
    """Return a constant argument, or its default."""
    if not given:
        return default
    value = given[0].constant
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, kind):
        raise SemanticQueryError(f"{name}() wants constants behind the series.")
    return value


def _trend(name: str) -> str:
    if name not in ("avg", "linefit", "none"):
        raise SemanticQueryError("a trend is 'avg', 'linefit' or 'none'.")
    return name


def _fences(name: str) -> tuple[float, float]:
    if name not in _FENCES:
        raise SemanticQueryError("outliers are found by 'ctukey' or 'tukey'.")
    return _FENCES[name]


SERIES_FUNCTIONS: dict[str, Special] = {
    "series_add": _by_elements("{0} + {1}"),
    "series_subtract": _by_elements("{0} - {1}"),
    "series_multiply": _by_elements("{0} * {1}"),
    "series_divide": _by_elements("{0} / nullif({1}, 0)"),
    "series_pow": _by_elements("pow({0}, {1})"),
    "series_equals": _by_elements("{0} = {1}", "BOOLEAN"),
    "series_not_equals": _by_elements("{0} <> {1}", "BOOLEAN"),
    "series_greater": _by_elements("{0} > {1}", "BOOLEAN"),
    "series_greater_equals": _by_elements("{0} >= {1}", "BOOLEAN"),
    "series_less": _by_elements("{0} < {1}", "BOOLEAN"),
    "series_less_equals": _by_elements("{0} <= {1}", "BOOLEAN"),
    "series_abs": _of_each("abs({0})"),
    "series_ceiling": _of_each("ceil({0})"),
    "series_exp": _of_each("exp({0})"),
    "series_floor": _of_each("floor({0})"),
    "series_log": _of_each("CASE WHEN {0} > 0 THEN ln({0}) END"),
    "series_sign": _of_each("sign({0})"),
    "series_sum": _in_all("list_sum({0})"),
    "series_product": _in_all("list_product({0})"),
    "series_fill_const": _filled(""),
    "series_fill_forward": _filled("kql_filled_forward"),
    "series_fill_backward": _filled("kql_filled_backward"),
    "series_fill_linear": _filled("kql_filled_linear"),
    "series_stats": _stats,
    "series_stats_dynamic": _stats,
    "series_fit_line": _fit_line,
    "series_fit_line_dynamic": _fit_line,
    "series_decompose": _decompose,
    "series_decompose_anomalies": _anomalies,
    "series_outliers": _outliers,
    "series_periods_detect": _periods,
    "series_fir": _fir,
}
