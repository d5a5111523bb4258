"""Legacy alerts on v1.0 and beta: deprecated, and retired as Microsoft announced it.

From 15 October 2026 on ``/security/alerts`` "stops returning data" (page "Migrate from the
legacy alerts API"): lists are empty, and no alert is found. The pages of ``localtest`` document
alerts of their own, which are not touched by that.
"""

from __future__ import annotations

from dataclasses import replace

from mockgraph.errors import NotFound
from mockgraph.http import Response
from mockgraph.state.intent import Address, Intent, Outcome, Page, RequestKind
from mockgraph.state.query import FindsNothing, Query

_PATH = "security/alerts"
_MARKS = ("Deprecation", "Sunset", "Link")


def is_legacy(address: Address) -> bool:
    """Return whether an address is of the legacy alerts of a root of the live service."""
    steps = address.steps
    return len(steps) > 1 and steps[1].resource.path == _PATH and not address.view.documented


def unmark(response: Response) -> None:
    """Take away the headers by which an answer says that the legacy alerts are deprecated."""
    response.headers = [pair for pair in response.headers if pair[0] not in _MARKS]


def retired(intent: Intent) -> Outcome:
    """Return the answer of the service once it returns no data. Raise 404 for one alert."""
    kind = intent.address.kind
    if kind in (RequestKind.LIST, RequestKind.LIST_REFERENCES):
        return Outcome(page=Page((), 0 if intent.query.count else None))
    if kind is RequestKind.COUNT:
        return Outcome(value=0)
    if kind is RequestKind.OPTIONS:
        return Outcome()
    raise NotFound("The legacy alerts were retired and return no data: use alerts_v2.")


def unexpanded(query: Query) -> Query:
    """Return a query whose expansions find no legacy alerts, as the service has none to return."""
    return replace(
        query,
        expand=tuple(
            replace(
                each,
                query=replace(each.query, search=FindsNothing())
                if each.resource.path == _PATH
                else unexpanded(each.query),
            )
            for each in query.expand
        ),
    )
