"""Actions on hunting: rows of its tables, and answers to queries."""

from __future__ import annotations

from typing import Annotated, Any

from mockgraph.control.actions import ActionContext, Actions
from mockgraph.errors import BadRequest
from mockgraph.server_options import MAX_STATE

ACTIONS = Actions()


@ACTIONS.post("/hunting/rows", status=204, max_body=MAX_STATE)
def add_hunting_rows(
    context: ActionContext,
    table: Annotated[str, "The table that the rows are put into, DeviceEvents."],
    rows: Annotated[Any, "The rows, as objects with values by column."],
) -> None:
    """Put rows into one of hunting's tables."""
    _check_rows(rows)
    context.tenant.hunts.add(table, *rows)


@ACTIONS.post("/hunting/answers", status=204)
def answer_hunts(
    context: ActionContext,
    pattern: Annotated[str, "A text in the queries; blanks and case do not matter."],
    rows: Annotated[Any, "The rows that are answered, as objects with values by column."],
) -> None:
    """Give the rows that answer hunting queries in which a text is found."""
    _check_rows(rows)
    context.tenant.hunts.answer(pattern, rows)


def _check_rows(rows: Any) -> None:
    if not isinstance(rows, list) or not all(isinstance(each, dict) for each in rows):
        raise BadRequest("rows: An array of objects is expected.")
