"""The operators that pick, add, order and count rows and columns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain

from mockgraph.service.hunting.kql import nodes
from mockgraph.service.hunting.kql.aggregates import aggregate, is_aggregate, result_name
from mockgraph.service.hunting.kql.context import Context, NameScope, unique_name
from mockgraph.service.hunting.kql.kinds import Kind
from mockgraph.service.hunting.kql.row_functions import with_runs
from mockgraph.service.hunting.kql.scalars import condition
from mockgraph.service.hunting.kql.sqlvalues import (
    ORDER,
    Column,
    Rowset,
    Value,
    converted,
    quoted_sql,
    refs,
    text,
)
from mockgraph.service.hunting.refusal import SemanticQueryError, UnresolvedNameError


def where(context: Context, operator: nodes.Where, table: Rowset, scope: NameScope) -> Rowset:
    """Return the rows for which a condition holds."""
    test = condition(context.scalar(operator.condition, scope.over(table))).sql
    clause = "QUALIFY" if " OVER (" in test else "WHERE"
    return table.restricted(f"{clause} {test}")


def selected(table: Rowset, values: list[tuple[Column, Value]]) -> Rowset:
    """Return a table of values over the rows of another."""
    items = ", ".join(f"{value.sql} AS {column.ref}" for column, value in values)
    columns = tuple(column for column, _ in values)
    sql = f"SELECT {items}{table.order} FROM {table.source}"
    return Rowset(sql, columns, table.ordered)


def _named(
    context: Context, item: nodes.ExpressionNode, scope: NameScope
) -> list[tuple[str | None, Value]]:
    """Return the values that an item of ``project`` or ``extend`` makes, with their names."""
    inner = item.value if isinstance(item, nodes.NamedExpression) else item
    return _as_named(item, context.scalar(inner, scope))


def _as_named(item: nodes.ExpressionNode, value: Value) -> list[tuple[str | None, Value]]:
    names = item.names if isinstance(item, nodes.NamedExpression) else ()
    if value.members:
        return _members(
            item.value if isinstance(item, nodes.NamedExpression) else item, value, names
        )
    if not names:
        return [(result_name(item) or None, value)]
    if len(names) == 1:
        return [(names[0], value)]
    return [
        (name, Value(f"kql_at({value.sql}, {place})", Kind.DYNAMIC))
        for place, name in enumerate(names)
    ]


def _values(
    context: Context, items: Iterable[nodes.ExpressionNode], table: Rowset, scope: NameScope
) -> tuple[Rowset, list[list[tuple[str | None, Value]]]]:
    """Return a table, and over its rows what each item makes.

    The array of a function that makes several columns is a hidden column of the table, so that it
    is worked out once.
    """
    rows = scope.over(table)
    found: list[list[tuple[str | None, Value]]] = []
    for item in items:
        if isinstance(item, nodes.StarExpression):
            found.append([(column.name, column.value) for column in table.shown])
            continue
        value = context.scalar(
            item.value if isinstance(item, nodes.NamedExpression) else item, rows
        )
        if value.members:
            parts = replace(context.fresh("", Kind.DYNAMIC), hidden=True)
            table = selected(table, [*((c, c.value) for c in table.columns), (parts, value)])
            value = replace(value, sql=parts.ref)
        found.append(_as_named(item, value))
    return table, found


def _members(
    call: nodes.ExpressionNode, value: Value, names: tuple[str, ...]
) -> list[tuple[str | None, Value]]:
    """Return the columns of a function that makes several: by the names given, or its own."""
    assert isinstance(call, nodes.FunctionCallExpression)
    prefix = f"{call.name}_{result_name(call.arguments[0])}"
    found: list[tuple[str | None, Value]] = []
    for place, (member, kind) in enumerate(value.members):
        name = names[place] if place < len(names) else f"{prefix}_{member}"
        part = Value(f"kql_at({value.sql}, {place})", Kind.DYNAMIC)
        found.append((name, converted(part, kind)))
    return found


def project(context: Context, operator: nodes.Project, table: Rowset, scope: NameScope) -> Rowset:
    """Return a table of the items alone."""
    table, found = _values(context, operator.items, table, scope)
    values: list[tuple[Column, Value]] = []
    names: list[str] = []
    for name, value in chain(*found):
        name = unique_name(name or "Column1", names)
        names.append(name)
        values.append((context.fresh(name, value.kind), value))
    return selected(table, values)


def extend(context: Context, operator: nodes.Extend, table: Rowset, scope: NameScope) -> Rowset:
    """Return a table with the items besides its columns, or in the place of those so named."""
    columns = table.columns
    taken = {each.name for each in columns}
    items, table = with_runs(context, operator.items, table, scope)
    table, found = _values(context, items, table, scope)
    added: list[tuple[Column, Value]] = []
    for name, value in chain(*found):
        if name is None:
            name = unique_name("Column1", taken)
        taken.add(name)
        added = [(column, old) for column, old in added if column.name != name]
        added.append((context.fresh(name, value.kind), value))
    return selected(table, beside(replace(table, columns=columns), added))


def with_columns(table: Rowset, added: list[tuple[Column, Value]]) -> Rowset:
    """Return a table with more columns; one that has the name of another takes its place."""
    return selected(table, beside(table, added))


def beside(table: Rowset, added: list[tuple[Column, Value]]) -> list[tuple[Column, Value]]:
    """Return the columns of a table and those added, each in the place of the one of its name."""
    new = {column.name: (column, value) for column, value in added}
    values = [new.pop(each.name, (each, each.value)) for each in table.columns]
    return values + list(new.values())


def pick(_context: Context, operator: nodes.Pick, table: Rowset, _scope: NameScope) -> Rowset:
    """Return a table without, with only, or with first the columns that match patterns."""
    chosen: list[Column] = []
    for pattern, order in operator.patterns:
        found = [each for each in table.columns if matches(pattern, each.name)]
        if not found and "*" not in pattern:
            raise UnresolvedNameError(pattern, [each.name for each in table.columns])
        if "*" not in pattern:
            found = [replace(each, hidden=False) for each in found]
        if order:
            found.sort(key=_granny if "granny" in order else _plain)
            if order.endswith("desc"):
                found.reverse()
        chosen += [each for each in found if each not in chosen]
    picked = {each.ref: each for each in chosen}
    others = [each for each in table.columns if each.ref not in picked]
    if operator.how == "away":
        kept = others
    elif operator.how == "keep":
        kept = [picked[each.ref] for each in table.columns if each.ref in picked]
    else:
        kept = [*picked.values(), *others]
    if not kept:
        raise SemanticQueryError("no column is left.")
    return only_columns(table, kept)


def _plain(column: Column) -> str:
    return column.name


def _granny(column: Column) -> list[tuple[bool, int, str]]:
    """Return a key that puts Name9 before Name10."""
    parts = re.findall(r"\d+|\D+", column.name)
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]


def only_columns(table: Rowset, columns: list[Column]) -> Rowset:
    """Return a table with some of its columns."""
    sql = f"SELECT {refs(columns)}{table.order} FROM {table.source}"
    return Rowset(sql, tuple(columns), table.ordered)


def matches(pattern: str, name: str) -> bool:
    """Tell whether a name matches a pattern, in which ``*`` is anything."""
    if "*" not in pattern:
        return pattern == name
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name) is not None


def rename(_context: Context, operator: nodes.Rename, table: Rowset, _scope: NameScope) -> Rowset:
    """Return a table whose columns have other names."""
    names = {each.name: each.name for each in table.columns}
    for new, old in operator.pairs:
        if old not in names:
            raise UnresolvedNameError(old, names)
        names[old] = new
    if len(set(names.values())) < len(names):
        raise SemanticQueryError("two columns would have one name.")
    columns = tuple(
        each
        if names[each.name] == each.name
        else replace(each, name=names[each.name], hidden=False)
        for each in table.columns
    )
    return replace(table, columns=columns)


def distinct(context: Context, operator: nodes.Distinct, table: Rowset, scope: NameScope) -> Rowset:
    """Return the rows that differ in the items, each once."""
    table = project(context, nodes.Project(operator.items), table, scope)
    keys = ", ".join(
        f"CAST({each.ref} AS VARCHAR) AS {each.ref}" if each.kind is Kind.DYNAMIC else each.ref
        for each in table.columns
    )
    inner = f"SELECT DISTINCT {keys} FROM {table.source}"
    outer = ", ".join(
        f"CAST({each.ref} AS JSON) AS {each.ref}" if each.kind is Kind.DYNAMIC else each.ref
        for each in table.columns
    )
    return Rowset(f"SELECT {outer} FROM ({inner})", table.columns)


def count(context: Context, _operator: nodes.Count, table: Rowset, _scope: NameScope) -> Rowset:
    """Return one row: how many there are."""
    column = context.fresh("Count", Kind.LONG)
    return Rowset(f"SELECT count(*) AS {column.ref} FROM {table.source}", (column,))


def take(context: Context, operator: nodes.Take, table: Rowset, scope: NameScope) -> Rowset:
    """Return some rows, the first ones where they have an order."""
    number = context.count(operator.number, scope, "take")
    return table.restricted(f"{table.order_by} LIMIT {number}")


def sort(context: Context, operator: nodes.Sort, table: Rowset, scope: NameScope) -> Rowset:
    """Return the rows in the order of keys, all of them or the first ones."""
    keys = []
    for key in operator.keys:
        item = key.value.value if isinstance(key.value, nodes.NamedExpression) else key.value
        value = context.scalar(item, scope.over(table))
        if value.kind is Kind.DYNAMIC:
            value = text(value)
        direction = "DESC" if key.descending else "ASC"
        nulls = "FIRST" if key.nulls_first else "LAST"
        keys.append(f"{value.sql} {direction} NULLS {nulls}")
    order = ", ".join(keys)
    limit = ""
    if operator.number is not None:
        number = context.count(operator.number, scope, "top")
        limit = f" ORDER BY {ORDER} LIMIT {number}"
    sql = (
        f"SELECT {refs(table.columns)}, row_number() OVER (ORDER BY {order}) AS {ORDER}"
        f" FROM {table.source}{limit}"
    )
    return Rowset(sql, table.columns, ordered=True)


def in_order(table: Rowset) -> Rowset:
    """Return a table whose rows have an order, the one they come in if they had none."""
    if table.ordered:
        return table
    sql = f"SELECT {refs(table.columns)}, row_number() OVER () AS {ORDER} FROM {table.source}"
    return Rowset(sql, table.columns, ordered=True)


def serialize(
    context: Context, operator: nodes.Serialize, table: Rowset, scope: NameScope
) -> Rowset:
    """Return the rows in the order in which they come."""
    table = in_order(table)
    if not operator.items:
        return table
    return extend(context, nodes.Extend(operator.items), table, scope)


def summarize(
    context: Context, operator: nodes.Summarize, table: Rowset, scope: NameScope
) -> Rowset:
    """Return a row for each key, with aggregates over its rows."""
    rows = scope.over(table)
    keys: list[tuple[Column, Value]] = []
    taken: list[str] = []
    for item in operator.keys:
        for name, value in _named(context, item, rows):
            if value.kind is Kind.DYNAMIC:
                shown = name or "the key"
                raise SemanticQueryError(
                    f"Summarize group key '{shown}' is of a 'dynamic' type. Please use an"
                    " explicit cast (for example, 'summarize ... by tostring(key)')."
                )
            name = unique_name(name or "Column1", taken)
            taken.append(name)
            keys.append((context.fresh(name, value.kind), value))
    grouped = {column.name: Value(value.sql, value.kind) for column, value in keys}
    groups = replace(rows, columns=grouped, rows=rows)
    aggregates: list[tuple[Column, Value]] = []
    for item in operator.aggregates:
        for name, value in _aggregated(context, item, groups, set(taken)):
            name = unique_name(name, taken)
            taken.append(name)
            aggregates.append((context.fresh(name, value.kind), value))
    if not keys and not aggregates:
        raise SemanticQueryError("summarize wants an aggregate or a key.")
    values = keys + aggregates
    items = ", ".join(f"{value.sql} AS {column.ref}" for column, value in values)
    sql = f"SELECT {items} FROM {table.source}"
    if keys:
        sql += " GROUP BY " + ", ".join(str(place + 1) for place in range(len(keys)))
    return Rowset(sql, tuple(column for column, _ in values))


def _aggregated(
    context: Context, item: nodes.ExpressionNode, groups: NameScope, keys: set[str]
) -> list[tuple[str, Value]]:
    names: tuple[str, ...] = ()
    if isinstance(item, nodes.NamedExpression):
        names, item = item.names, item.value
    assert groups.rows is not None
    if isinstance(item, nodes.FunctionCallExpression) and is_aggregate(item.name):
        found = aggregate(context, item, groups.rows)
        every = any(isinstance(each, nodes.StarExpression) for each in item.arguments)
        if every:  # of all columns, the keys are there already
            found = [found[0], *(each for each in found[1:] if each[0] not in keys)]
            if isinstance(item.arguments[0], nodes.StarExpression):
                found = [each for each in found if each[0] not in keys]
        renamed = [*names, *(name for name, _ in found[len(names) :])]
        return [(name, value) for name, (_, value) in zip(renamed, found, strict=False)]
    value = context.scalar(item, groups)
    return [(names[0] if names else result_name(item) or "Column1", value)]


def sample_distinct(
    context: Context, operator: nodes.SampleDistinct, table: Rowset, scope: NameScope
) -> Rowset:
    """Return some of the different values of an expression."""
    found = distinct(context, nodes.Distinct((operator.value,)), table, scope)
    return found.restricted(f"LIMIT {context.count(operator.number, scope, 'sample-distinct')}")


def get_schema(
    context: Context, _operator: nodes.GetSchema, table: Rowset, _scope: NameScope
) -> Rowset:
    """Return a row for each column."""
    columns = (
        context.fresh("ColumnName", Kind.STRING),
        context.fresh("ColumnOrdinal", Kind.INT),
        context.fresh("DataType", Kind.STRING),
        context.fresh("ColumnType", Kind.STRING),
    )
    rows = ", ".join(
        f"({quoted_sql(each.name)}, {place}, 'System.{each.kind.graph}', '{each.kind.kql}')"
        for place, each in enumerate(table.shown)
    )
    return Rowset(f"SELECT * FROM (VALUES {rows}) t({refs(columns)})", columns)
