"""``evaluate`` and ``make-series``: operators whose columns, or rows, depend on the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mockgraph.service.hunting.kql import nodes
from mockgraph.service.hunting.kql.aggregates import aggregate, is_aggregate, result_name
from mockgraph.service.hunting.kql.context import Context, NameScope, unique_name
from mockgraph.service.hunting.kql.kinds import Kind
from mockgraph.service.hunting.kql.pipeline import only_columns, summarize, with_columns
from mockgraph.service.hunting.kql.scalars import member
from mockgraph.service.hunting.kql.sqlvalues import (
    Column,
    Rowset,
    Value,
    cast,
    converted,
    dynamic,
    literal,
    never_null,
    quoted_sql,
    refs,
    text,
)
from mockgraph.service.hunting.refusal import (
    QueryLimitError,
    SemanticQueryError,
    UnsupportedQueryError,
)

Plugin = Callable[[Context, nodes.Evaluate, Rowset, NameScope], Rowset]

_MOST_COLUMNS = 1000
_MOST_POINTS = 100_000

_JSON_KINDS = {
    "VARCHAR": Kind.STRING,
    "BIGINT": Kind.LONG,
    "UBIGINT": Kind.LONG,
    "DOUBLE": Kind.REAL,
    "BOOLEAN": Kind.BOOL,
}


def evaluate(context: Context, operator: nodes.Evaluate, table: Rowset, scope: NameScope) -> Rowset:
    """Return what a plugin makes of a table."""
    plugin = _PLUGINS.get(operator.call.name)
    if plugin is None:
        raise UnsupportedQueryError(f"the plugin '{operator.call.name}'")
    return plugin(context, operator, table, scope)


def _bag_unpack(
    context: Context, operator: nodes.Evaluate, table: Rowset, scope: NameScope
) -> Rowset:
    """Return a table with a column for each member of the bags in one column."""
    arguments = operator.call.arguments
    if not arguments or not isinstance(arguments[0], nodes.NameReference):
        raise SemanticQueryError("bag_unpack() wants the name of a column.")
    column = table.find(arguments[0].name)
    if column is None:
        context.scalar(arguments[0], scope.over(table))
        raise SemanticQueryError("bag_unpack() wants the name of a column.")
    prefix, conflict, ignored = _bag_options(context, arguments[1:], scope)
    bag = converted(column.value, Kind.DYNAMIC)
    kept = only_columns(table, [each for each in table.columns if each is not column])
    if operator.schema is not None:
        known = {each.name for each in kept.columns}
        found = [(name, kind) for name, kind in operator.schema if name not in known]
        prefix = ""
    else:
        sql = (
            "SELECT k, string_agg(DISTINCT json_type(v), ',') FROM (SELECT k, kql_member(b, k) AS v"
            f" FROM (SELECT {bag.sql} AS b, unnest(CASE WHEN json_type({bag.sql}) = 'OBJECT'"
            f" THEN json_keys({bag.sql}) END) AS k FROM {table.source})) GROUP BY k ORDER BY k"
        )
        rows = context.probe(context.whole(sql))
        if len(rows) > _MOST_COLUMNS:
            raise QueryLimitError(f"bag_unpack makes more than {_MOST_COLUMNS} columns.")
        found = [(name, _kind_of(kinds or "")) for name, kinds in rows if name not in ignored]
    added: list[tuple[Column, Value]] = []
    taken = [each.name for each in kept.columns]
    for name, kind in found:
        new = f"{prefix}{name}"
        if new in taken and conflict == "keep_source":
            continue
        if conflict == "replace_source":
            kept = only_columns(kept, [each for each in kept.columns if each.name != new])
        else:
            new = unique_name(new, taken)
        taken.append(new)
        value = converted(member(bag, name.removeprefix(str(prefix))), kind)
        added.append((context.fresh(new, kind), value))
    whole = with_columns(table, added)
    names = [column for column, _ in added]
    return only_columns(whole, [*kept.columns, *names])


def _bag_options(
    context: Context, arguments: tuple[nodes.ExpressionNode, ...], scope: NameScope
) -> tuple[str, str, list[str]]:
    """Return the prefix of bag_unpack, what is done where two names are one, what is left out."""
    given: dict[str, Any] = {}
    names = ("OutputColumnPrefix", "columnsConflict", "ignoredProperties")
    for place, each in enumerate(arguments):
        name = each.names[0] if isinstance(each, nodes.NamedExpression) else names[min(place, 2)]
        given[name.lower()] = context.constant(each, scope, "bag_unpack")
    prefix, conflict, ignored = (given.get(name.lower()) for name in names)
    return str(prefix or ""), str(conflict or ""), ignored if isinstance(ignored, list) else []


def _kind_of(kinds: str) -> Kind:
    """Return the kind of values that have these types in JSON."""
    seen = {_JSON_KINDS.get(each, Kind.DYNAMIC) for each in kinds.split(",") if each != "NULL"}
    if len(seen) == 1:
        return seen.pop()
    return Kind.REAL if seen == {Kind.LONG, Kind.REAL} else Kind.DYNAMIC


def _pivot(context: Context, operator: nodes.Evaluate, table: Rowset, scope: NameScope) -> Rowset:
    """Return a table with a column for each value of one column, and an aggregate in it."""
    arguments = operator.call.arguments
    if not arguments or not isinstance(arguments[0], nodes.NameReference):
        raise SemanticQueryError("pivot() wants the name of a column.")
    rows = scope.over(table)
    pivot = context.scalar(arguments[0], rows)
    call = arguments[1] if len(arguments) > 1 else nodes.FunctionCallExpression("count", ())
    if not isinstance(call, nodes.FunctionCallExpression) or not is_aggregate(call.name):
        raise SemanticQueryError("pivot() wants an aggregate.")
    used = {arguments[0].name} | {
        each.name for each in call.arguments if isinstance(each, nodes.NameReference)
    }
    if len(arguments) > 2:
        keys = [each for each in arguments[2:] if isinstance(each, nodes.NameReference)]
    else:
        keys = [nodes.NameReference(each.name) for each in table.shown if each.name not in used]
    sql = f"SELECT DISTINCT {text(pivot).sql} AS v FROM {table.source} ORDER BY v"
    found = [row[0] for row in context.probe(context.whole(sql))]
    if len(found) > _MOST_COLUMNS:
        raise QueryLimitError(f"pivot makes more than {_MOST_COLUMNS} columns.")
    grouped = summarize(context, nodes.Summarize((), tuple(keys)), table, scope) if keys else None
    columns = list(grouped.columns) if grouped else []
    items = [
        f"{rows.columns[each.name].sql} AS {column.ref}"
        for each, column in zip(keys, columns, strict=True)
    ]
    group = f" GROUP BY {', '.join(str(place + 1) for place in range(len(keys)))}" if keys else ""
    taken = [each.name for each in columns]
    for name in found:
        value = _aggregate_where(context, call, rows, f"{text(pivot).sql} = {quoted_sql(name)}")
        column = context.fresh(unique_name(name, taken), value.kind)
        taken.append(column.name)
        columns.append(column)
        items.append(f"{value.sql} AS {column.ref}")
    if not items:
        raise SemanticQueryError("pivot() has no rows to make columns of.")
    return Rowset(f"SELECT {', '.join(items)} FROM {table.source}{group}", tuple(columns))


def _aggregate_where(
    context: Context, call: nodes.FunctionCallExpression, rows: NameScope, test: str
) -> Value:
    """Return an aggregate over the rows that pass a test."""
    passed = replace(rows, columns={**rows.columns, "$pivot": Value(f"({test})", Kind.BOOL)})
    arguments = list(call.arguments)
    arguments.insert(0 if call.name == "count" else 1, nodes.NameReference("$pivot"))
    name = f"{call.name}_if" if call.name.startswith(("make", "take")) else f"{call.name}if"
    if not is_aggregate(name):
        raise UnsupportedQueryError(f"the aggregate '{call.name}' within 'pivot'")
    return aggregate(context, nodes.FunctionCallExpression(name, tuple(arguments)), passed)[0][1]


def _narrow(
    context: Context, _operator: nodes.Evaluate, table: Rowset, _scope: NameScope
) -> Rowset:
    """Return a row for each cell of a table."""
    columns = (
        context.fresh("Row", Kind.LONG),
        context.fresh("Column", Kind.STRING),
        context.fresh("Value", Kind.STRING),
    )
    row = context.fresh("", Kind.LONG).ref
    numbered = f"(SELECT *, row_number() OVER () - 1 AS {row} FROM {table.source})"
    cells = [
        f"SELECT {row} AS {columns[0].ref}, {quoted_sql(each.name)} AS {columns[1].ref},"
        f" {text(each.value).sql} AS {columns[2].ref} FROM {numbered}"
        for each in table.shown
    ]
    return Rowset(" UNION ALL ".join(cells), columns)


def _address_lookup(inside: str) -> Plugin:
    """Return a plugin that puts beside each address what a table has of its network.

    ``inside`` is the macro that tells whether an address is in a network. An address that several
    networks hold is there with each of them.
    """

    def plugin(
        context: Context, operator: nodes.Evaluate, table: Rowset, scope: NameScope
    ) -> Rowset:
        name = operator.call.name
        places: list[nodes.ExpressionNode] = []
        unmatched = False
        for each in operator.call.arguments:
            if isinstance(each, nodes.NamedExpression):
                if each.names != ("return_unmatched",):
                    raise SemanticQueryError(f"{name}() has no argument '{each.names[0]}'.")
                unmatched = bool(context.constant(each.value, scope, name))
            else:
                places.append(each)
        if len(places) < 3:
            raise SemanticQueryError(f"{name}() takes a table, an address and a network.")
        other = context.table(places[0], scope.bare())
        address = text(context.scalar(places[1], scope.over(table)))
        network = text(context.scalar(places[2], scope.over(other)))
        equal = [
            f"{text(context.scalar(each, scope.over(table))).sql}"
            f" = {text(context.scalar(each, scope.over(other))).sql}"
            for each in places[3:]
        ]
        test = " AND ".join([f"{inside}({address.sql}, {network.sql})", *equal])
        taken = [each.name for each in table.columns]
        added: list[tuple[Column, Value]] = []
        for column in other.columns:
            fresh = context.fresh(unique_name(column.name, taken), column.kind)
            taken.append(fresh.name)
            added.append((fresh, never_null(column.value)))
        items = ", ".join(f"{value.sql} AS {column.ref}" for column, value in added)
        sql = (
            f"SELECT {refs(table.columns)}, {items} FROM {table.source}"
            f" {'LEFT' if unmatched else ''} JOIN {other.source} ON {test}"
        )
        return Rowset(sql, (*table.columns, *(column for column, _ in added)))

    return plugin


_PLUGINS: dict[str, Plugin] = {
    "ipv4_lookup": _address_lookup("kql_ipv4_in"),
    "ipv6_lookup": _address_lookup("kql_ipv6_in"),
    "bag_unpack": _bag_unpack,
    "pivot": _pivot,
    "narrow": _narrow,
}


def make_series(
    context: Context, operator: nodes.MakeSeries, table: Rowset, scope: NameScope
) -> Rowset:
    """Return, for each key, arrays of aggregates over the steps of an axis."""
    rows = scope.over(table)
    axis = context.scalar(operator.axis, rows)
    step = context.scalar(operator.step, scope.bare())
    axis_name = result_name(operator.axis) or "Column1"
    moments = axis.kind is Kind.DATETIME

    def number(value: Value) -> str:
        return f"epoch_us({value.sql})" if moments else value.sql

    ends = []
    for node, extreme in ((operator.start, "min"), (operator.stop, "max")):
        if node is None:
            sql = f"(SELECT {extreme}({number(axis)}) FROM {table.source})"
            if extreme == "max":
                sql = f"({sql} + {step.sql})"
            ends.append(sql)
        else:
            ends.append(number(cast(context.scalar(node, scope.bare()), axis.kind)))
    start, stop = ends
    bounds = context.probe(context.whole(f"SELECT {start}, {stop}, {step.sql}"))[0]
    if bounds[2] is None or bounds[2] <= 0:
        raise SemanticQueryError("make-series wants a step above zero.")
    if None in bounds:  # no row says where the axis begins or ends
        bounds = (0, 0, bounds[2])
    points = max(-(-(bounds[1] - bounds[0]) // bounds[2]), 0)
    if points > _MOST_POINTS:
        raise QueryLimitError(f"make-series makes more than {_MOST_POINTS} points.")
    points = int(points)
    kind = Kind.LONG if moments or axis.kind in (Kind.INT, Kind.LONG) else axis.kind
    begin, width = literal(bounds[0], kind), literal(bounds[2], kind)
    place = f"CAST(floor(({number(axis)} - {begin.sql}) / {width.sql}) AS BIGINT)"
    slot = context.fresh("$slot", Kind.LONG)
    slots = Rowset(
        f"SELECT {refs(table.columns)}, {place} AS {slot.ref} FROM {table.source}"
        f" WHERE {number(axis)} >= {begin.sql} AND {number(axis)} < {begin.sql}"
        f" + {points} * {width.sql}",
        (*table.columns, slot),
    )
    wanted = tuple(each.value for each in operator.columns)
    keys = (*operator.keys, nodes.NameReference("$slot"))
    grouped = summarize(context, nodes.Summarize(wanted, keys), slots, scope)
    kept = list(grouped.columns[: len(operator.keys)])
    place_ref = grouped.columns[len(operator.keys)].ref
    values = grouped.columns[len(keys) :]
    columns = [context.fresh(each.name, each.kind) for each in kept]
    items = [f"{old.ref} AS {new.ref}" for old, new in zip(kept, columns, strict=True)]
    for old, series in zip(values, operator.columns, strict=True):
        default = literal(None, old.kind) if old.kind is not Kind.STRING else literal("", old.kind)
        if series.default is not None:
            default = cast(context.scalar(series.default, scope.bare()), old.kind)
        elif old.kind.numeric:
            default = cast(literal(0, Kind.LONG), old.kind)
        new = context.fresh(old.name, Kind.DYNAMIC)
        columns.append(new)
        filled = f"map_from_entries(list(row({place_ref}, {dynamic(old.value).sql})))"
        each = f"coalesce(({filled})[i], {dynamic(default).sql})"
        items.append(f"to_json(list_transform(range(0, {points}), lambda i: {each})) AS {new.ref}")
    new = context.fresh(axis_name, Kind.DYNAMIC)
    columns.append(new)
    point = f"{begin.sql} + i * {width.sql}"
    label = f"to_json(kql_instant(make_timestamp({point})))" if moments else f"to_json({point})"
    items.append(f"to_json(list_transform(range(0, {points}), lambda i: {label})) AS {new.ref}")
    group = f" GROUP BY {', '.join(each.ref for each in kept)}" if kept else ""
    return Rowset(f"SELECT {', '.join(items)} FROM {grouped.source}{group}", tuple(columns))
