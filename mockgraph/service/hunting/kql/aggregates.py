"""Aggregates of ``summarize``: what they make of a group's rows, and the names of their columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mockgraph.service.hunting.kql import nodes
from mockgraph.service.hunting.kql.context import Context, NameScope
from mockgraph.service.hunting.kql.kinds import Kind
from mockgraph.service.hunting.kql.scalars import condition
from mockgraph.service.hunting.kql.sqlvalues import (
    ORDER,
    Value,
    converted,
    dynamic,
    never_null,
    text,
)
from mockgraph.service.hunting.refusal import SemanticQueryError, UnsupportedQueryError

_LONGEST_LIST = 1_048_576

# Takes the arguments and the FILTER clause.
Plain = Callable[[Sequence[Value], str], Value]


def is_aggregate(name: str) -> bool:
    """Tell whether a name is that of an aggregate, run or refused."""
    return _base(name)[0] in AGGREGATES or name in LACKING


def aggregate(
    context: Context, call: nodes.FunctionCallExpression, rows: NameScope
) -> list[tuple[str, Value]]:
    """Return the columns that an aggregate makes, with the names they have where none is given."""
    name, conditional = _base(call.name)
    if call.name in LACKING:
        raise UnsupportedQueryError(f"the aggregate '{call.name}'")
    arguments = list(call.arguments)
    clause = ""
    if conditional:
        # The condition is the last argument but for a size: countif(c), make_set_if(x, c, size)
        place = 0 if name == "count" else 1
        if len(arguments) <= place:
            raise SemanticQueryError(f"{call.name}() wants a condition.")
        test = condition(context.scalar(arguments.pop(place), rows))
        clause = f" FILTER (WHERE {test.sql})"
    if name in ("arg_max", "arg_min"):
        return _argument_of_extreme(context, name, arguments, rows)
    if name in ("take_any", "any", "anyif", "take_anyif"):
        return _any(context, call.name, arguments, rows, clause)
    if name in ("percentile", "percentiles", "percentiles_array"):
        return _percentiles(context, name, arguments, rows, clause)
    values = [context.scalar(each, rows) for each in arguments]
    function, prefix, least, most = AGGREGATES[name]
    if not least <= len(values) <= most:
        raise SemanticQueryError(f"{call.name}() does not take {len(call.arguments)} arguments.")
    if name in ("make_list", "make_list_with_nulls") and rows.ordered:
        value = _list(values, clause, with_nulls=name != "make_list", order=f" ORDER BY {ORDER}")
    else:
        value = function(values, clause)
    prefix = prefix if not conditional or name.startswith("make") else call.name
    column = f"{prefix}_{result_name(call.arguments[0])}" if values else f"{prefix}_"
    if conditional and name == "count":
        column = "countif_"
    return [(column.rstrip("_") + ("_" if not values else ""), value)]


def _base(name: str) -> tuple[str, bool]:
    """Return the aggregate that a name means, and whether it takes a condition."""
    name = _ALIASES.get(name, name)
    if name in AGGREGATES:
        return name, False
    for ending in ("_if", "if"):
        if name.endswith(ending):
            base = _ALIASES.get(name.removesuffix(ending), name.removesuffix(ending))
            if base in AGGREGATES:
                return base, True
    return name, False


def result_name(node: nodes.ExpressionNode) -> str:
    """Return the name that a column takes from its expression; none where it takes none."""
    match node:
        case nodes.NameReference(name):
            return name
        case nodes.MemberExpression(target, name):
            prefix = result_name(target)
            return f"{prefix}_{name}" if prefix else name
        case nodes.ElementExpression(target, nodes.LiteralExpression(value, _)) if isinstance(
            value, str | int
        ):
            return f"{result_name(target)}_{value}"
        case nodes.FunctionCallExpression(name, arguments) if (
            name in _NAMED_BY_ARGUMENT and arguments
        ):
            return result_name(arguments[0])
        case nodes.FunctionCallExpression(
            "column_ifexists" | "columnifexists", (nodes.LiteralExpression(value, _), _)
        ):
            return str(value)
        case nodes.FunctionCallExpression(name, arguments) if (
            name in ("strlen", "array_length") and arguments
        ):
            return f"{name}_{result_name(arguments[0])}"
    return ""


_NAMED_BY_ARGUMENT = frozenset(
    [
        "bin",
        "floor",
        "bin_at",
        "tostring",
        "toint",
        "tolong",
        "toreal",
        "todouble",
        "tobool",
        "toboolean",
        "todatetime",
        "totimespan",
        "toguid",
        "todynamic",
        "parse_json",
        "parsejson",
        "split",
        "todecimal",
        "startofday",
        "startofweek",
        "startofmonth",
    ]
)


def _filtered(sql: str, clause: str, kind: Kind) -> Value:
    return never_null(Value(f"{sql}{clause}", kind))


def _count(_values: Sequence[Value], clause: str) -> Value:
    return Value(f"count(*){clause}", Kind.LONG)


def _distinct_count(values: Sequence[Value], clause: str) -> Value:
    sql = text(values[0]).sql if values[0].kind is Kind.DYNAMIC else values[0].sql
    return Value(f"count(DISTINCT {sql}){clause}", Kind.LONG)


def _number(value: Value) -> Value:
    if value.kind in (Kind.DYNAMIC, Kind.STRING):
        return converted(value, Kind.REAL)
    return converted(value, Kind.LONG) if value.kind is Kind.BOOL else value


def _sum(values: Sequence[Value], clause: str) -> Value:
    value = _number(values[0])
    kind = Kind.LONG if value.kind is Kind.INT else value.kind
    if kind in (Kind.DATETIME, Kind.GUID):
        raise SemanticQueryError(f"sum() has no meaning for a {kind.kql}.")
    return Value(f"CAST(coalesce(sum({value.sql}){clause}, 0) AS {kind.duckdb})", kind)


def _average(values: Sequence[Value], clause: str) -> Value:
    value = _number(values[0])
    if value.kind is Kind.DATETIME:
        sql = f"make_timestamp(CAST(avg(epoch_us({value.sql})){clause} AS BIGINT))"
        return Value(sql, Kind.DATETIME)
    if value.kind is Kind.TIMESPAN:
        return Value(f"CAST(avg({value.sql}){clause} AS BIGINT)", Kind.TIMESPAN)
    return Value(f"avg({value.sql}){clause}", Kind.REAL)


def _extreme(function: str) -> Plain:
    def plain(values: Sequence[Value], clause: str) -> Value:
        value = values[0]
        if value.kind is Kind.DYNAMIC:
            value = text(value)
        return _filtered(f"{function}({value.sql})", clause, value.kind)

    return plain


def _deviation(function: str) -> Plain:
    def plain(values: Sequence[Value], clause: str) -> Value:
        number = converted(_number(values[0]), Kind.REAL).sql
        return Value(f"coalesce({function}({number}){clause}, 0.0)", Kind.REAL)

    return plain


def _bits(function: str) -> Plain:
    def plain(values: Sequence[Value], clause: str) -> Value:
        return Value(f"{function}({converted(values[0], Kind.LONG).sql}){clause}", Kind.LONG)

    return plain


def _size(values: Sequence[Value]) -> int:
    if len(values) < 2:
        return _LONGEST_LIST
    size = values[1].constant
    if isinstance(size, bool) or not isinstance(size, int) or size < 0:
        raise SemanticQueryError("the size of a list or set is a constant number.")
    return min(size, _LONGEST_LIST)


def _list(values: Sequence[Value], clause: str, with_nulls: bool = False, order: str = "") -> Value:
    value = values[0]
    element = value.sql if value.kind in (Kind.STRING, Kind.LONG) else dynamic(value).sql
    if not with_nulls:
        present = f"{value.sql} IS NOT NULL"
        if value.kind is Kind.DYNAMIC:
            present = f"NOT ({_null(value)})"
        clause = f"{clause[:-1]} AND {present})" if clause else f" FILTER (WHERE {present})"
    sql = f"list_slice(list({element}{order}){clause}, 1, {_size(values)})"
    return Value(f"coalesce(to_json({sql}), '[]'::JSON)", Kind.DYNAMIC)


def _null(value: Value) -> str:
    return f"kql_is_null({value.sql})"


def _set(values: Sequence[Value], clause: str) -> Value:
    value = values[0]
    if value.kind in (Kind.STRING, Kind.LONG, Kind.INT, Kind.REAL, Kind.BOOL):
        elements = f"list(DISTINCT {value.sql} ORDER BY {value.sql}){clause}"
        elements = f"list_filter({elements}, lambda e: e IS NOT NULL)"
        sql = f"list_slice({elements}, 1, {_size(values)})"
        return Value(f"coalesce(to_json({sql}), '[]'::JSON)", Kind.DYNAMIC)
    element = f"CAST({dynamic(value).sql} AS VARCHAR)"
    if value.kind is Kind.DYNAMIC:  # the elements of an array join the set
        element = (
            f"CASE WHEN json_type({value.sql}) = 'ARRAY' THEN"
            f" list_transform(kql_elements({value.sql}), lambda e: CAST(e AS VARCHAR))"
            f" WHEN {_null(value)} THEN CAST([] AS VARCHAR[]) ELSE [{element}] END"
        )
        elements = f"flatten(list({element}){clause})"
    else:
        elements = f"list({element}){clause}"
    distinct = f"list_slice(list_sort(list_distinct({elements})), 1, {_size(values)})"
    sql = f"to_json(list_transform({distinct}, lambda e: CAST(e AS JSON)))"
    return Value(f"coalesce({sql}, '[]'::JSON)", Kind.DYNAMIC)


def _bag(values: Sequence[Value], clause: str) -> Value:
    bags = f"list({dynamic(values[0]).sql}){clause}"
    objects = f"list_filter({bags}, lambda b: coalesce(json_type(b), '') = 'OBJECT')"
    sql = (
        f"list_reduce(list_concat(['{{}}'::JSON], {objects}), lambda a, b: json_merge_patch(a, b))"
    )
    return Value(f"coalesce({sql}, '{{}}'::JSON)", Kind.DYNAMIC)


def _argument_of_extreme(
    context: Context, name: str, arguments: list[nodes.ExpressionNode], rows: NameScope
) -> list[tuple[str, Value]]:
    """Return the columns of ``arg_max``: the greatest value, and what is in its row."""
    if not arguments:
        raise SemanticQueryError(f"{name}() wants what to maximize or minimize.")
    first = context.scalar(arguments[0], rows)
    if first.kind is Kind.DYNAMIC:
        first = text(first)
    wanted: dict[str, Value] = {}
    for argument in arguments[1:]:
        if isinstance(argument, nodes.StarExpression):
            wanted |= {
                column: value
                for column, value in rows.columns.items()
                if value.sql != first.sql and column not in wanted
            }
        else:
            inner, column = argument, ""
            if isinstance(argument, nodes.NamedExpression):
                inner, column = argument.value, argument.names[0]
            column = column or result_name(inner) or f"Column{len(wanted) + 1}"
            wanted.setdefault(column, context.scalar(inner, rows))
    found = [(result_name(arguments[0]) or f"{name[4:]}_", first)]
    fields = {f"f{number}": value for number, value in enumerate([first, *wanted.values()])}
    struct = "{" + ", ".join(f"'{field}': {value.sql}" for field, value in fields.items()) + "}"
    row = f"{name}({struct}, {first.sql})"
    columns = [found[0][0], *wanted]
    return [
        (column, never_null(Value(f"struct_extract({row}, '{field}')", value.kind)))
        for column, (field, value) in zip(columns, fields.items(), strict=True)
    ]


def _any(
    context: Context, name: str, arguments: list[nodes.ExpressionNode], rows: NameScope, clause: str
) -> list[tuple[str, Value]]:
    wanted: dict[str, Value] = {}
    prefix = "" if name.startswith("take") else f"{name}_"
    for argument in arguments:
        if isinstance(argument, nodes.StarExpression):
            wanted |= rows.columns
        else:
            value = context.scalar(argument, rows)
            wanted[prefix + (result_name(argument) or f"Column{len(wanted) + 1}")] = value
    found = []
    for column, value in wanted.items():
        sql = f"nullif({value.sql}, '')" if value.kind is Kind.STRING else value.sql
        found.append((column, _filtered(f"any_value({sql})", clause, value.kind)))
    return found


def _percentiles(
    context: Context, name: str, arguments: list[nodes.ExpressionNode], rows: NameScope, clause: str
) -> list[tuple[str, Value]]:
    if len(arguments) < 2:
        raise SemanticQueryError(f"{name}() wants a value and percentages.")
    value = _number(context.scalar(arguments[0], rows))
    shares: list[float] = []
    for argument in arguments[1:]:
        share = context.constant(argument, rows, name)
        shares += [float(each) for each in (share if isinstance(share, list) else [share])]
    if not all(0 <= share <= 100 for share in shares):
        raise SemanticQueryError(f"{name}() wants percentages from 0 to 100.")
    prefix = result_name(arguments[0])
    columns = [
        (
            f"percentile_{prefix}_{f'{share:g}'.replace('.', '_')}",
            _filtered(f"quantile_disc({value.sql}, {share / 100!r})", clause, value.kind),
        )
        for share in shares
    ]
    if name == "percentiles_array":
        items = ", ".join(each.sql for _, each in columns)
        return [(f"percentiles_{prefix}", Value(f"to_json([{items}])", Kind.DYNAMIC))]
    return columns


_ALIASES = {
    "makeset": "make_set",
    "makelist": "make_list",
    "argmax": "arg_max",
    "argmin": "arg_min",
    "makebag": "make_bag",
    "variancep": "variancep",
    "make_dictionary": "make_bag",
}
# By name: the aggregate, the prefix of its column's name, and how many arguments it takes.
AGGREGATES: dict[str, tuple[Plain, str, int, int]] = {
    "count": (_count, "count", 0, 1),
    "dcount": (_distinct_count, "dcount", 1, 2),
    "count_distinct": (_distinct_count, "count_distinct", 1, 1),
    "sum": (_sum, "sum", 1, 1),
    "avg": (_average, "avg", 1, 1),
    "min": (_extreme("min"), "min", 1, 1),
    "max": (_extreme("max"), "max", 1, 1),
    "stdev": (_deviation("stddev_samp"), "stdev", 1, 1),
    "stdevp": (_deviation("stddev_pop"), "stdevp", 1, 1),
    "variance": (_deviation("var_samp"), "variance", 1, 1),
    "variancep": (_deviation("var_pop"), "variancep", 1, 1),
    "make_list": (_list, "list", 1, 2),
    "make_list_with_nulls": (lambda v, c: _list(v, c, with_nulls=True), "list", 1, 2),
    "make_set": (_set, "set", 1, 2),
    "make_bag": (_bag, "bag", 1, 2),
    # A sketch of a set is the set: what dcount_hll() counts in it is exact.
    "hll": (_set, "hll", 1, 2),
    "hll_merge": (_set, "hll_merge", 1, 1),
    "binary_all_and": (_bits("bit_and"), "binary_all_and", 1, 1),
    "binary_all_or": (_bits("bit_or"), "binary_all_or", 1, 1),
    "binary_all_xor": (_bits("bit_xor"), "binary_all_xor", 1, 1),
    # Those that make more than one column, or take more than values.
    "arg_max": (_count, "", 1, 64),
    "arg_min": (_count, "", 1, 64),
    "take_any": (_count, "", 1, 64),
    "any": (_count, "", 1, 64),
    "percentile": (_count, "", 2, 64),
    "percentiles": (_count, "", 2, 64),
    "percentiles_array": (_count, "", 2, 64),
}
LACKING = frozenset(
    [
        "tdigest",
        "tdigest_merge",
        "percentilew",
        "percentilesw",
        "percentilesw_array",
        "buildschema",
        "covariance",
        "covarianceif",
        "covariancep",
        "merge_tdigest",
    ]
)
