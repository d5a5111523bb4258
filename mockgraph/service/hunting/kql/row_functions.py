"""Functions of KQL over the rows before and behind a row, where rows are in an order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from mockgraph.service.hunting.kql import nodes
from mockgraph.service.hunting.kql.call_arguments import Special, values_of
from mockgraph.service.hunting.kql.context import Context, NameScope
from mockgraph.service.hunting.kql.kinds import Kind
from mockgraph.service.hunting.kql.scalars import condition
from mockgraph.service.hunting.kql.sqlvalues import ORDER, Rowset, Value, cast, converted, refs
from mockgraph.service.hunting.refusal import SemanticQueryError, UnsupportedQueryError

_RESTARTED = ("row_number", "row_cumsum")
_RUN = "$run"  # begins the names of columns that number the runs between restarts


def _window(sql: str) -> Special:
    def special(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
        _in_order(node.name, scope)
        value, *others = values_of(context, node, scope, 1, 3)
        offset = others[0].constant if others else 1
        if not isinstance(offset, int):
            raise SemanticQueryError(f"{node.name}() wants a constant distance.")
        default = cast(others[1], value.kind).sql if len(others) > 1 else value.kind.null
        over = f"OVER (ORDER BY {ORDER})"
        return Value(f"{sql}({value.sql}, {offset}, {default}) {over}", value.kind)

    return special


def _in_order(name: str, scope: NameScope) -> None:
    if not scope.ordered:
        raise SemanticQueryError(
            f"{name}() wants rows that are in an order: put 'sort' or 'serialize' before it."
        )


def _over(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> str:
    """Return the rows that a function counts over: all, or those since the last restart."""
    _in_order(node.name, scope)
    if len(node.arguments) < 2:
        return f"OVER (ORDER BY {ORDER})"
    run = node.arguments[1]
    if not isinstance(run, nodes.NameReference) or not run.name.startswith(_RUN):
        raise UnsupportedQueryError(f"{node.name}() with a restart but in 'extend'")
    return f"OVER (PARTITION BY {context.scalar(run, scope).sql} ORDER BY {ORDER})"


def _row_number(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    over = _over(context, node, scope)
    values = values_of(context, node, scope, 0, 2)
    start = converted(values[0], Kind.LONG).sql if values else "1"
    return Value(f"(row_number() {over} + {start} - 1)", Kind.LONG)


def _row_sum(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    over = _over(context, node, scope)
    value = values_of(context, node, scope, 1, 2)[0]
    return Value(f"CAST(sum({value.sql}) {over} AS {value.kind.duckdb})", value.kind)


def with_runs(
    context: Context, items: tuple[nodes.ExpressionNode, ...], table: Rowset, scope: NameScope
) -> tuple[tuple[nodes.ExpressionNode, ...], Rowset]:
    """Return items whose functions restart by a hidden column, and the table that has it.

    The column has for each row how often the condition of the restart held up to it. A window
    cannot stand in another, so that both are tables of their own.
    """

    def restarted(node: nodes.FunctionCallExpression) -> nodes.ExpressionNode:
        nonlocal table
        if node.name not in _RESTARTED or len(node.arguments) != 2:
            return node
        test = condition(context.scalar(node.arguments[1], scope.over(table))).sql
        flag = context.fresh("", Kind.LONG).ref
        run = context.fresh("", Kind.LONG)
        run = replace(run, name=f"{_RUN}{run.ref}", hidden=True)
        columns = refs(table.columns)
        sql = (
            f"SELECT {columns}, sum({flag}) OVER (ORDER BY {ORDER}) AS {run.ref}{table.order} FROM"
            f" (SELECT {columns}, CASE WHEN {test} THEN 1 ELSE 0 END AS {flag}{table.order}"
            f" FROM {table.source})"
        )
        table = replace(table, sql=sql, columns=(*table.columns, run))
        return replace(node, arguments=(node.arguments[0], nodes.NameReference(run.name)))

    if not table.ordered:
        return items, table
    return tuple(_changed(each, restarted) for each in items), table


def _changed(
    node: nodes.ExpressionNode,
    change: Callable[[nodes.FunctionCallExpression], nodes.ExpressionNode],
) -> nodes.ExpressionNode:
    """Return an expression with the calls in it changed, the inner ones first."""

    def visited(value: object) -> object:
        if isinstance(value, nodes.PipeExpression | nodes.FunctionDeclaration):
            return value
        if isinstance(value, nodes.ExpressionNode):
            return _changed(value, change)
        return tuple(visited(each) for each in value) if isinstance(value, tuple) else value

    parts: dict[str, Any] = {each.name: visited(getattr(node, each.name)) for each in fields(node)}
    found = replace(node, **parts)
    return change(found) if isinstance(found, nodes.FunctionCallExpression) else found


ROW_FUNCTIONS: dict[str, Special] = {
    "prev": _window("lag"),
    "next": _window("lead"),
    "row_number": _row_number,
    "row_cumsum": _row_sum,
}
