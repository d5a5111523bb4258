"""The operators that put tables together: ``join``, ``lookup`` and ``union``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mockgraph.service.hunting.kql import nodes
from mockgraph.service.hunting.kql.context import Context, NameScope, unique_name
from mockgraph.service.hunting.kql.kinds import Kind
from mockgraph.service.hunting.kql.scalars import comparable
from mockgraph.service.hunting.kql.sqlvalues import (
    Column,
    Rowset,
    Value,
    cast,
    never_null,
    quoted_sql,
    refs,
)
from mockgraph.service.hunting.refusal import SemanticQueryError, UnresolvedNameError

_SQL = {
    "inner": "JOIN",
    "innerunique": "JOIN",
    "leftouter": "LEFT JOIN",
    "rightouter": "RIGHT JOIN",
    "fullouter": "FULL JOIN",
    "leftsemi": "SEMI JOIN",
    "leftanti": "ANTI JOIN",
}


def join(context: Context, operator: nodes.Join, table: Rowset, scope: NameScope) -> Rowset:
    """Return the rows of two tables whose keys are equal, as the kind of the join has it."""
    left, right = table, context.table(operator.right, scope.bare())
    keys = [_key(context, each, left, right, scope) for each in operator.conditions]
    pairs = [pair for found in keys for pair in found]
    flavour = operator.flavour
    if flavour in ("rightsemi", "rightanti"):
        left, right = right, left
        pairs = [(other, one) for one, other in pairs]
        flavour = f"left{flavour.removeprefix('right')}"
    if flavour == "innerunique":
        left = _one_of_each(left, [one for one, _ in pairs])
    tests = []
    for one, other in pairs:
        first, second = comparable(
            Value(f"l.{one.ref}", one.kind), Value(f"r.{other.ref}", other.kind)
        )
        tests.append(f"{first.sql} = {second.sql}")
    on = " AND ".join(tests)
    sources = f"{left.source} l {_SQL[flavour]} {right.source} r ON {on}"
    if flavour in ("leftsemi", "leftanti"):
        items = ", ".join(f"l.{each.ref} AS {each.ref}" for each in left.columns)
        return Rowset(f"SELECT {items} FROM {sources}", left.columns)
    columns: list[Column] = []
    selects: list[str] = []
    taken: list[str] = []
    dropped = {other.name for _, other in pairs} if operator.lookup else set()
    for side, of in (("l", left), ("r", right)):
        for each in of.columns:
            if side == "r" and each.name in dropped:
                continue
            name = unique_name(each.name, taken)
            taken.append(name)
            column = replace(context.fresh(name, each.kind), hidden=each.hidden)
            value = Value(f"{side}.{each.ref}", each.kind)
            if flavour in ("leftouter", "rightouter", "fullouter"):
                value = never_null(value)
            columns.append(column)
            selects.append(f"{value.sql} AS {column.ref}")
    return Rowset(f"SELECT {', '.join(selects)} FROM {sources}", tuple(columns))


def _key(
    context: Context, node: nodes.ExpressionNode, left: Rowset, right: Rowset, scope: NameScope
) -> list[tuple[Column, Column]]:
    """Return the pairs of columns that a condition of a join says are the same."""
    match node:
        case nodes.NameReference(name):
            return [(_column(left, name, "left"), _column(right, name, "right"))]
        case nodes.LogicalExpression("and", operands):
            return [pair for each in operands for pair in _key(context, each, left, right, scope)]
        case nodes.BinaryExpression(
            "==", nodes.MemberExpression(one, first), nodes.MemberExpression(other, second)
        ):
            sides = (one, other)
            if sides == (nodes.NameReference("$left"), nodes.NameReference("$right")):
                return [(_column(left, first, "left"), _column(right, second, "right"))]
            if sides == (nodes.NameReference("$right"), nodes.NameReference("$left")):
                return [(_column(left, second, "left"), _column(right, first, "right"))]
    raise SemanticQueryError(
        "a join is on names of columns, or on '$left.name == $right.name' joined by 'and'."
    )


def _column(table: Rowset, name: str, side: str) -> Column:
    found = table.find(name)
    if found is None:
        raise UnresolvedNameError(name, [each.name for each in table.columns])
    if found.kind is Kind.DYNAMIC:
        raise SemanticQueryError(
            f"join key '{name}' on the {side} is of a 'dynamic' type. Please use an explicit cast."
        )
    return found


def _one_of_each(table: Rowset, keys: Sequence[Column]) -> Rowset:
    """Return a table with the first row of each key alone."""
    names = ", ".join(dict.fromkeys(each.ref for each in keys))
    sql = (
        f"SELECT {refs(table.columns)} FROM {table.source}"
        f" QUALIFY row_number() OVER (PARTITION BY {names}) = 1"
    )
    return replace(table, sql=sql, ordered=False)


def union(
    context: Context, operator: nodes.Union, table: Rowset | None, scope: NameScope
) -> Rowset:
    """Return the rows of all tables; a column that one has not is null there."""
    parts: list[tuple[str, Rowset]] = [] if table is None else [("union_arg0", table)]
    for node in operator.tables:
        parts += parts_of(context, node, scope, len(parts), operator.fuzzy)
    if not parts:
        raise SemanticQueryError("union has no table.")
    kinds = _united(parts, operator.inner)
    columns = [context.fresh(name, kind) for (name, _), kind in kinds.items()]
    renamed = _names(kinds)
    shown = {each.name for _, part in parts for each in part.shown}
    columns = [
        replace(column, name=name, hidden=column.name not in shown)
        for column, name in zip(columns, renamed, strict=True)
    ]
    source = None
    if operator.source_column:
        source = context.fresh(operator.source_column, Kind.STRING)
    selects = []
    for name, part in parts:
        items = []
        for (wanted, kind), column in zip(kinds, columns, strict=True):
            own = part.find(wanted)
            fits = own is not None and (kind is None or own.kind is kind)
            value = cast(own.value, column.kind).sql if own and fits else column.kind.null
            items.append(f"{value} AS {column.ref}")
        if source:
            items.insert(0, f"{quoted_sql(name)} AS {source.ref}")
        selects.append(f"SELECT {', '.join(items)} FROM {part.source}")
    everything = ([source] if source else []) + columns
    return Rowset(" UNION ALL ".join(selects), tuple(everything))


def parts_of(
    context: Context, node: nodes.ExpressionNode, scope: NameScope, number: int, fuzzy: bool = False
) -> list[tuple[str, Rowset]]:
    """Return the tables that an operand of ``union`` means, by name; none where it is fuzzy."""
    if isinstance(node, nodes.NameReference) and "*" in node.name:
        return context.tables(node.name)
    try:
        table = context.table(node, scope.bare())
    except UnresolvedNameError as error:
        if fuzzy and isinstance(node, nodes.NameReference) and error.name == node.name:
            return []
        raise
    source = node
    while isinstance(source, nodes.PipeExpression):
        source = source.source
    return [
        (source.name if isinstance(source, nodes.NameReference) else f"union_arg{number}", table)
    ]


def _united(parts: list[tuple[str, Rowset]], inner: bool) -> dict[tuple[str, Kind | None], Kind]:
    """Return the columns of a union: by name, and by kind where one name has several kinds."""
    kinds: dict[str, list[Kind]] = {}
    for _, part in parts:
        for each in part.columns:
            seen = kinds.setdefault(each.name, [])
            if each.kind not in seen:
                seen.append(each.kind)
    if inner:
        everywhere = set.intersection(*({c.name for c in part.columns} for _, part in parts))
        kinds = {name: seen for name, seen in kinds.items() if name in everywhere}
    found: dict[tuple[str, Kind | None], Kind] = {}
    for name, seen in kinds.items():
        if len(seen) == 1:
            found[name, None] = seen[0]
        else:
            found |= {(name, kind): kind for kind in seen}
    return found


def _names(kinds: dict[tuple[str, Kind | None], Kind]) -> list[str]:
    return [name if kind is None else f"{name}_{kind.kql}" for name, kind in kinds]
