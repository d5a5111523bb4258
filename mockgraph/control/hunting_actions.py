"""Actions on hunting: rows of its tables, and answers to queries."""

from __future__ import annotations

from typing import Annotated, Any

from mockgraph.control.actions import ActionContext, Actions
from mockgraph.control.answers import HuntAnswer
from mockgraph.errors import BadRequest
from mockgraph.server_options import MAX_ROWS

ACTIONS = Actions()


@ACTIONS.post("/hunting/run", only_reads=True, command="hunting run")
def run_hunt(
    context: ActionContext,
    query: Annotated[str, "The query, in the Kusto Query Language."],
    timespan: Annotated[
        str | None, "The time to look back on, in ISO 8601, by default P30D."
    ] = None,
) -> Annotated[Any, HuntAnswer]:
    """Return what a hunting query finds, and the types of the columns; the journal is not told."""
    found = context.tenant.hunts.hunt(query, timespan)
    return {"schema": found.schema, "results": found.results}


@ACTIONS.post("/hunting/rows", status=204, max_body=MAX_ROWS, command="hunting add-rows")
def add_hunting_rows(
    context: ActionContext,
    table: Annotated[str, "The table that the rows are put into, DeviceEvents."],
    rows: Annotated[Any, "The rows, as objects with values by column."],
) -> None:
    """Put rows into one of hunting's tables."""
    _check_rows(rows)
    context.tenant.hunts.add(table, *rows)


@ACTIONS.post("/hunting/answers", status=204, command="hunting answer")
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
