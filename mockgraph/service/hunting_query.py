"""Hunting queries: what ``runHuntingQuery`` finds in the state, and the rows that it looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockgraph.errors import BadRequest
from mockgraph.metadata.names import Json
from mockgraph.state.behaviours import Behaviour, Invocation
from mockgraph.state.documents import HUNTING
from mockgraph.state.table_rules import HUNTING_TABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mockgraph.service.hunting.engine import HuntingAnswer
    from mockgraph.state import State

HUNT = "microsoft.graph.security.runHuntingQuery"


def run_hunting_query(state: State, query: str, timespan: str | None = None) -> HuntingAnswer:
    """Return what a query finds in the rows and the alerts of a state.

    Raises a HuntingError, which is a BadRequest or another error of Graph's, where it cannot run.
    """
    from mockgraph.service.hunting.engine import run_query  # most servers run none
    from mockgraph.service.hunting.entity_views import SETS
    from mockgraph.service.hunting.tenant_tables import TenantTables

    snapshot, now = state.snapshot(), state.clock.now()
    sets = {name: snapshot.rows(f"security/{name}") for name in SETS}
    tables = TenantTables(snapshot.rows(HUNTING_TABLE), sets, now)
    return run_query(query, tables, now, timespan)


def hunting(find: Callable[[State, str, str | None], HuntingAnswer]) -> Behaviour:
    """Return the behaviour that answers with what a function finds.

    It is called as :func:`run_hunting_query` is. The call has the action's ``query``, 400 where
    it is missing, and its ``timespan``.
    """

    def effect(state: State, call: Invocation) -> Json:
        query, timespan = call.parameters["query"], call.parameters["timespan"]
        if not query or query.isspace():
            raise BadRequest("The parameter 'Query' is missing.")
        found = find(state, query, timespan)
        return {"schema": found.schema, "results": found.results}

    return Behaviour(effect, apart=True)


def check_rows(document: Mapping[str, Json]) -> None:
    """Raise BadRequest where a document's rows for hunting do not fit their tables."""
    if HUNTING in document:
        from mockgraph.service.hunting.tenant_tables import check_hunting  # most have none

        check_hunting(document[HUNTING])


BEHAVIOURS = {HUNT: hunting(run_hunting_query)}
