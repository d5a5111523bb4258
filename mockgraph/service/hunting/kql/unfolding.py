"""The operators that take values apart: ``mv-expand``, ``mv-apply``, ``parse``, ``parse-kv``."""

from __future__ import annotations

import re
from dataclasses import replace

from mockgraph.service.hunting.kql import nodes
from mockgraph.service.hunting.kql.aggregates import result_name
from mockgraph.service.hunting.kql.context import Context, NameScope
from mockgraph.service.hunting.kql.kinds import Kind
from mockgraph.service.hunting.kql.pipeline import beside, in_order, with_columns
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
from mockgraph.service.hunting.kql.term_search import escaped
from mockgraph.service.hunting.refusal import SemanticQueryError, UnsupportedQueryError

_MOST_ELEMENTS = 1_048_576


def mv_expand(
    context: Context, operator: nodes.MvExpand, table: Rowset, scope: NameScope
) -> Rowset:
    """Return a row for each element of an array, or each member of a bag."""
    if operator.body is not None:
        return _mv_apply(context, operator, table, scope)
    ordered = table.ordered
    found = _expanded(context, operator, in_order(table), scope, outer=True)
    if ordered:
        return found
    sql = f"SELECT {refs(found.columns)} FROM {found.source} ORDER BY {ORDER}"
    return Rowset(sql, found.columns)


def _expanded(
    context: Context, operator: nodes.MvExpand, table: Rowset, scope: NameScope, outer: bool
) -> Rowset:
    rows = scope.over(table)
    limit = _MOST_ELEMENTS
    if operator.limit is not None:
        limit = min(context.count(operator.limit, scope, "mv-expand"), limit)
    arrays: list[tuple[Column, str]] = []
    for item in operator.items:
        value = converted(context.scalar(item.value, rows), Kind.DYNAMIC)
        name = item.name or result_name(item.value) or "Column1"
        array = f"kql_expandable({value.sql})"
        arrays.append((context.fresh(name, item.kind or Kind.DYNAMIC), array))
    index = context.fresh(operator.index, Kind.LONG) if operator.index else None
    lists = [context.fresh("", Kind.DYNAMIC).ref for _ in arrays]
    place = context.fresh("", Kind.LONG).ref
    packed = ", ".join(f"{array} AS {ref}" for (_, array), ref in zip(arrays, lists, strict=True))
    inner = f"SELECT *, {packed} FROM {table.source}"
    longest = f"greatest({', '.join(f'len({ref})' for ref in lists)}{', 1' if outer else ', 0'})"
    number = context.fresh("", Kind.LONG).ref
    counted = f"SELECT *, least({longest}, {limit}) AS {number} FROM ({inner})"
    # Lists that are unnested side by side are not carried along by each of their elements.
    elements = ", ".join(f"unnest(list_resize({ref}, {number})) AS {ref}" for ref in lists)
    middle = (
        f"SELECT {refs(table.columns)}, {ORDER}, {elements},"
        f" unnest(range(0, {number})) AS {place} FROM ({counted})"
    )
    added: list[tuple[Column, Value]] = []
    for (column, _), ref in zip(arrays, lists, strict=True):
        added.append((column, converted(Value(ref, Kind.DYNAMIC), column.kind)))
    if index is not None:
        added.append((index, Value(place, Kind.LONG)))
    values = beside(table, added)
    items = ", ".join(f"{value.sql} AS {column.ref}" for column, value in values)
    # Within a row the elements keep their order, and so the rows have one that is their own.
    order = f"row_number() OVER (ORDER BY {ORDER}, {place}) AS {ORDER}"
    columns = tuple(column for column, _ in values)
    return Rowset(f"SELECT {items}, {order} FROM ({middle})", columns, ordered=True)


def _mv_apply(
    context: Context, operator: nodes.MvExpand, table: Rowset, scope: NameScope
) -> Rowset:
    """Return what a pipe makes of the elements of each row, beside the rest of the row.

    The pipe runs once over the elements of all rows, with the number of the row as one more key.
    """
    assert operator.body is not None
    table = in_order(table)
    row = context.fresh("$row", Kind.LONG)
    numbered = Rowset(
        f"SELECT {refs(table.columns)}, {ORDER} AS {row.ref}, {ORDER} FROM {table.source}",
        (*table.columns, row),
        ordered=True,
    )
    inner = _expanded(context, operator, numbered, scope, outer=False)
    for step in operator.body:
        inner = _for_each_row(context, step, inner, scope)
    key = inner.find("$row")
    assert key is not None
    fresh = [each for each in inner.columns if each.name != "$row"]
    names = {each.name for each in fresh}
    columns: list[Column] = []
    items: list[str] = []
    for each in table.columns:
        if each.name not in names:
            column = replace(context.fresh(each.name, each.kind), hidden=each.hidden)
            columns.append(column)
            items.append(f"l.{each.ref} AS {column.ref}")
    for each in fresh:
        column = replace(context.fresh(each.name, each.kind), hidden=each.hidden)
        columns.append(column)
        items.append(f"r.{each.ref} AS {column.ref}")
    numbers = f"SELECT {refs(table.columns)}, {ORDER} AS {row.ref} FROM {table.source}"
    order = f", r.{ORDER}" if inner.ordered else ""
    sql = (
        f"SELECT {', '.join(items)} FROM ({numbers}) l JOIN {inner.source} r"
        f" ON l.{row.ref} = r.{key.ref} ORDER BY l.{row.ref}{order}"
    )
    return Rowset(sql, tuple(columns))


def partition(
    context: Context, operator: nodes.Partition, table: Rowset, scope: NameScope
) -> Rowset:
    """Return what a pipe makes of the rows of each key."""
    key = text(context.scalar(operator.key, scope.over(table)))
    row = context.fresh("$row", Kind.LONG)
    number = f"dense_rank() OVER (ORDER BY {key.sql}) AS {row.ref}"
    found = Rowset(
        f"SELECT {refs(table.columns)}, {number}{table.order} FROM {table.source}",
        (*table.columns, row),
        table.ordered,
    )
    for step in operator.body:
        found = _for_each_row(context, step, found, scope)
    kept = tuple(each for each in found.columns if each.name != "$row")
    return Rowset(f"SELECT {refs(kept)} FROM {found.source}", kept)


def _for_each_row(
    context: Context, step: nodes.QueryOperator, table: Rowset, scope: NameScope
) -> Rowset:
    """Return what an operator within ``mv-apply`` makes of the elements of each row."""
    row = nodes.NameReference("$row")
    match step:
        case nodes.Summarize(aggregates, keys):
            step = nodes.Summarize(aggregates, (row, *keys))
        case nodes.Project(items):
            step = nodes.Project((*items, row))
        case nodes.Distinct(items):
            step = nodes.Distinct((*items, row))
        case nodes.Count():
            counted = nodes.NamedExpression(("Count",), nodes.FunctionCallExpression("count", ()))
            step = nodes.Summarize((counted,), (row,))
        case nodes.Take(number):
            return _first(table, context.count(number, scope, "take"))
        case nodes.Sort(keys=sort_keys, number=top) if top is not None:
            table = context.apply(nodes.Sort(sort_keys), table, scope)
            return _first(table, context.count(top, scope, "top"))
        case nodes.Pick("keep", patterns):
            step = nodes.Pick("keep", (*patterns, ("$row", "")))
        case (
            nodes.Where()
            | nodes.Extend()
            | nodes.Sort()
            | nodes.Pick()
            | nodes.Rename()
            | nodes.MvExpand()
            | nodes.Parse()
            | nodes.Serialize()
            | nodes.Nothing()
        ):
            pass
        case _:
            raise UnsupportedQueryError("this operator within 'mv-apply' or 'partition'")
    return context.apply(step, table, scope)


def _first(table: Rowset, number: int) -> Rowset:
    """Return the first rows of each ``$row``."""
    row = table.find("$row")
    assert row is not None
    order = f"ORDER BY {ORDER}" if table.ordered else ""
    return table.restricted(
        f"QUALIFY row_number() OVER (PARTITION BY {row.ref} {order}) <= {number}"
    )


# Parts of a pattern of ``parse`` that take a text of a kind, and no other.
_NUMBER = r"\s*[-+]?\d+\s*"
_PATTERNS = {
    Kind.LONG: _NUMBER,
    Kind.INT: _NUMBER,
    Kind.REAL: r"\s*[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?\s*",
}


def parse(context: Context, operator: nodes.Parse, table: Rowset, scope: NameScope) -> Rowset:
    """Return a table with what a pattern finds in a text; empty where it does not match."""
    value = text(context.scalar(operator.value, scope.over(table)))
    pattern, captures = _pattern(operator)
    flags = "s" + "".join(each for each in operator.flags if each in "imU")
    whole = quoted_sql(f"(?{flags})^{pattern}$")
    added: list[tuple[Column, Value]] = []
    for group, capture in enumerate(captures, 1):
        found = Value(f"coalesce(regexp_extract({value.sql}, {whole}, {group}), '')", Kind.STRING)
        added.append((context.fresh(capture.name, capture.kind), converted(found, capture.kind)))
    if operator.filters:
        table = table.restricted(f"WHERE regexp_matches({value.sql}, {whole})")
    return with_columns(table, added)


def _pattern(operator: nodes.Parse) -> tuple[str, list[nodes.ParsedColumn]]:
    """Return the regular expression of a pattern, with a group for each of its captures."""
    written = ""
    captures: list[nodes.ParsedColumn] = []
    last = len(operator.pattern) - 1
    for place, part in enumerate(operator.pattern):
        if part is None:
            written += ".*?" if place < last else ".*"
        elif isinstance(part, str):
            if operator.regex:
                # Groups of the query's own would move the numbers of the captures.
                written += re.sub(r"(?<!\\)\((?!\?)", "(?:", part)
            else:
                written += escaped(part)
        else:
            captures.append(part)
            kind = None if operator.relaxed else _PATTERNS.get(part.kind)
            written += f"({kind})" if kind else ("(.*?)" if place < last else "(.*)")
    if len({each.name for each in captures}) < len(captures):
        raise SemanticQueryError("parse fills one column twice.")
    return written, captures


def parse_kv(context: Context, operator: nodes.ParseKv, table: Rowset, scope: NameScope) -> Rowset:
    """Return a table with the values that stand behind keys in a text."""
    value = text(context.scalar(operator.value, scope.over(table)))
    options = dict(operator.options)
    several = "|".join(escaped(each) for each in options.get("pair_delimiter", ",; \t"))
    between = escaped(options.get("kv_delimiter", "="))
    quote = escaped(options.get("quote", '"')[:1])
    added = []
    for capture in operator.columns:
        key = f"(?:^|{several})\\s*{escaped(capture.name)}{between}"
        quoted_value = f"{quote}([^{quote}]*){quote}"
        whole = quoted_sql(f"(?s){key}(?:{quoted_value}|(.*?))(?:{several}|$)")
        sql = (
            f"coalesce(nullif(regexp_extract({value.sql}, {whole}, 1), ''),"
            f" regexp_extract({value.sql}, {whole}, 2), '')"
        )
        found = converted(Value(sql, Kind.STRING), capture.kind)
        added.append((context.fresh(capture.name, capture.kind), found))
    return with_columns(table, added)
