"""``search`` and ``find``: rows of several tables in which a term, or what a condition says, is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace

from mockgraph.service.hunting.kql import joins, nodes
from mockgraph.service.hunting.kql.context import Context, NameScope
from mockgraph.service.hunting.kql.kinds import Kind
from mockgraph.service.hunting.kql.pipeline import pick, selected
from mockgraph.service.hunting.kql.scalars import condition
from mockgraph.service.hunting.kql.sqlvalues import (
    Column,
    Rowset,
    Value,
    cast,
    dynamic,
    literal,
    quoted_sql,
)
from mockgraph.service.hunting.refusal import UnresolvedNameError

_PACKED = "pack_"  # the bag of the columns that find does not show


def search(
    context: Context, operator: nodes.SearchOperator, table: Rowset, scope: NameScope
) -> Rowset:
    """Return the rows in which a term, or what a condition says, is found."""
    rows = scope.over(table)
    return table.restricted(f"WHERE {_found(context, operator.condition, rows, operator.exact)}")


def _found(context: Context, node: nodes.ExpressionNode, rows: NameScope, exact: bool) -> str:
    """Return the condition of a search as SQL: a text by itself is a term of any column."""
    match node:
        case nodes.LiteralExpression(str() as sought, Kind.STRING):
            sign = "has_cs" if exact else "has"
            if "*" in sought:
                sought, sign = sought.strip("*"), "contains"
            term = nodes.LiteralExpression(sought, Kind.STRING)
            parts = [
                context.scalar(
                    nodes.BinaryExpression(sign, nodes.NameReference(name), term), rows
                ).sql
                for name, value in rows.columns.items()
                if value.kind in (Kind.STRING, Kind.DYNAMIC)
            ]
            return "(" + (" OR ".join(parts) or "FALSE") + ")"
        case nodes.LogicalExpression(sign, operands):
            parts = [_found(context, each, rows, exact) for each in operands]
            return "(" + f" {sign.upper()} ".join(parts) + ")"
        case nodes.StarExpression():
            return "TRUE"
    return condition(context.scalar(node, rows)).sql


def find(context: Context, node: nodes.Find, scope: NameScope) -> Rowset:
    """Return the rows of several tables for which a condition holds, each with its table.

    A column of the condition that a table has not is null there. The columns are those that the
    query names, or else those of the condition and those that all tables have, with the others in
    a bag.
    """
    parts: list[tuple[str, Rowset]] = []
    for each in node.tables or (nodes.NameReference("*"),):
        parts += joins.parts_of(context, each, scope, len(parts))
    kinds: dict[str, Kind] = {}
    for _, part in parts:
        for column in part.columns:
            kinds.setdefault(column.name, column.kind)
    used = list(dict.fromkeys(_names(node.condition)))
    if node.columns is None:
        common = [name for name in kinds if all(part.find(name) is not None for _, part in parts)]
        wanted = {name: kinds[name] for name in (*used, *common) if name in kinds}
    else:
        wanted = {}
        for name, kind in node.columns:
            if kind is None and name not in kinds:
                raise UnresolvedNameError(name, kinds)
            wanted[name] = kind or kinds[name]
    missing = {name: literal(None, kinds[name]) for name in used if name in kinds}
    names: dict[str, Rowset] = {}
    for number, (name, part) in enumerate(parts):
        rows = scope.over(part)
        every: Mapping[str, Value] = {**missing, **rows.columns}
        test = _found(context, node.condition, replace(rows, columns=every), False)
        part = part.restricted(f"WHERE {test}")
        names[f"$find{number}"] = _as_found(context, node, name, part, wanted)
    tables = tuple(nodes.NameReference(each) for each in names)
    within = replace(scope, names={**scope.names, **names})
    found = joins.union(context, nodes.Union(tables), None, within)
    if node.away:
        return pick(context, nodes.Pick("away", node.away), found, scope)
    return found


def _as_found(
    context: Context, node: nodes.Find, name: str, part: Rowset, wanted: Mapping[str, Kind]
) -> Rowset:
    """Return the rows that were found in one table with the columns that ``find`` shows."""
    source = context.fresh(node.source_column or "source_", Kind.STRING)
    values: list[tuple[Column, Value]] = [(source, literal(name, Kind.STRING))]
    for column_name, kind in wanted.items():
        own = part.find(column_name)
        value = literal("" if kind is Kind.STRING else None, kind)
        values.append((context.fresh(column_name, kind), cast(own.value, kind) if own else value))
    if node.packed:
        members = [
            f"{quoted_sql(each.name)}, "
            + (f"nullif({each.ref}, '')" if each.kind is Kind.STRING else dynamic(each.value).sql)
            for each in part.shown
            if each.name not in wanted
        ]
        bag = f"json_merge_patch('{{}}'::JSON, json_object({', '.join(members)}))"  # drops nulls
        values.append((context.fresh(_PACKED, Kind.DYNAMIC), Value(bag, Kind.DYNAMIC)))
    return selected(part, values)


def _names(node: object) -> Iterator[str]:
    """Return the names that an expression speaks of."""
    if isinstance(node, nodes.NameReference):
        yield node.name
    elif isinstance(node, tuple):
        for each in node:
            yield from _names(each)
    elif isinstance(node, nodes.ExpressionNode):
        for field in fields(node):
            yield from _names(getattr(node, field.name))
