"""``top-nested`` and ``top-hitters``: the values that an aggregate puts first."""

from __future__ import annotations

from dataclasses import replace

from mockgraph.service.hunting.kql import nodes
from mockgraph.service.hunting.kql.aggregates import result_name
from mockgraph.service.hunting.kql.context import Context, NameScope, unique_name
from mockgraph.service.hunting.kql.pipeline import extend, sort, summarize
from mockgraph.service.hunting.kql.sqlvalues import Rowset


def top_nested(
    context: Context, operator: nodes.TopNested, table: Rowset, scope: NameScope
) -> Rowset:
    """Return, level by level, the first values of an expression within each of those above it."""
    found: Rowset | None = None
    keys: list[str] = []
    for level in operator.levels:
        item = level.value
        name = unique_name(result_name(item) or _given(item) or "Column1", keys)
        inner = item.value if isinstance(item, nodes.NamedExpression) else item
        table = extend(
            context, nodes.Extend((nodes.NamedExpression((name,), inner),)), table, scope
        )
        keys.append(name)
        ranked = _ranked(context, level, table, keys, scope)
        found = ranked if found is None else _beside(context, found, ranked, keys[:-1])
        table = _within(table, ranked, keys)
    assert found is not None
    return found


def _given(item: nodes.ExpressionNode) -> str:
    return item.names[0] if isinstance(item, nodes.NamedExpression) else ""


def _ranked(
    context: Context, level: nodes.Level, table: Rowset, keys: list[str], scope: NameScope
) -> Rowset:
    """Return the first values of a level with its aggregate, within each of the keys above."""
    by = level.by.value
    aggregate = by.value if isinstance(by, nodes.NamedExpression) else by
    shown = _given(by) or f"aggregated_{keys[-1]}"
    grouping = nodes.Summarize(
        (nodes.NamedExpression((shown,), aggregate),),
        tuple(nodes.NameReference(key) for key in keys),
    )
    grouped = summarize(context, grouping, table, scope)
    if level.number is None:
        return grouped
    number = context.count(level.number, scope, "top-nested")
    above = ", ".join(each.ref for each in grouped.columns[: len(keys) - 1])
    partition = f"PARTITION BY {above} " if above else ""
    direction = "DESC" if level.by.descending else "ASC"
    order = (
        f"{grouped.columns[-1].ref} {direction} NULLS LAST, {grouped.columns[len(keys) - 1].ref}"
    )
    return grouped.restricted(
        f"QUALIFY row_number() OVER ({partition}ORDER BY {order}) <= {number}"
    )


def _equal(one: Rowset, other: Rowset, keys: list[str]) -> str:
    """Return the condition that rows ``l`` of one table and ``r`` of another have equal keys."""
    tests = []
    for key in keys:
        left, right = one.find(key), other.find(key)
        assert left is not None
        assert right is not None
        tests.append(f"l.{left.ref} IS NOT DISTINCT FROM r.{right.ref}")
    return " AND ".join(tests)


def _within(table: Rowset, ranked: Rowset, keys: list[str]) -> Rowset:
    """Return the rows whose keys are among those that were ranked."""
    test = _equal(table, ranked, keys)
    items = ", ".join(f"l.{each.ref} AS {each.ref}" for each in table.columns)
    sql = f"SELECT {items} FROM {table.source} l SEMI JOIN {ranked.source} r ON {test}"
    return replace(table, sql=sql, ordered=False)


def _beside(context: Context, found: Rowset, ranked: Rowset, keys: list[str]) -> Rowset:
    """Return the levels above with the values of the next one."""
    added = ranked.columns[len(keys) :]
    columns = [context.fresh(each.name, each.kind) for each in (*found.columns, *added)]
    old = [f"l.{each.ref}" for each in found.columns] + [f"r.{each.ref}" for each in added]
    items = ", ".join(f"{ref} AS {column.ref}" for ref, column in zip(old, columns, strict=True))
    sql = (
        f"SELECT {items} FROM {found.source} l JOIN {ranked.source} r"
        f" ON {_equal(found, ranked, keys)}"
    )
    return Rowset(sql, tuple(columns))


def top_hitters(
    context: Context, operator: nodes.TopHitters, table: Rowset, scope: NameScope
) -> Rowset:
    """Return the values that are most often there, or have the greatest weight, with how much."""
    weight = operator.weight
    name, call = ("count", nodes.FunctionCallExpression("count", ()))
    if weight is not None:
        name, call = "sum", nodes.FunctionCallExpression("sum", (weight,))
    shown = f"approximate_{name}_{result_name(weight or operator.value) or _given(operator.value)}"
    grouping = nodes.Summarize((nodes.NamedExpression((shown,), call),), (operator.value,))
    grouped = summarize(context, grouping, table, scope)
    key = nodes.SortKey(nodes.NameReference(shown), descending=True, nulls_first=False)
    return sort(context, nodes.Sort((key,), operator.number), grouped, scope)
