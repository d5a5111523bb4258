"""The arguments of a call, as the built-in functions take them."""

from __future__ import annotations

from collections.abc import Callable

from mockgraph.service.hunting.kql import nodes
from mockgraph.service.hunting.kql.context import Context, NameScope
from mockgraph.service.hunting.kql.sqlvalues import Value
from mockgraph.service.hunting.refusal import SemanticQueryError

Special = Callable[[Context, nodes.FunctionCallExpression, NameScope], Value]


def values_of(
    context: Context,
    node: nodes.FunctionCallExpression,
    scope: NameScope,
    least: int,
    most: int = 64,
) -> list[Value]:
    """Return the arguments of a call that takes so many."""
    if not least <= len(node.arguments) <= most:
        counts = str(least) if least == most else f"{least} to {most}"
        raise SemanticQueryError(
            f"{node.name}() takes {counts} arguments, and has {len(node.arguments)}."
        )
    return [context.scalar(each, scope) for each in node.arguments]
