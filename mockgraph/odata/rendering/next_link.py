"""A page of a collection: its items, how many there are in all, and the nextLink."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, urlencode

from mockgraph.metadata.names import Json
from mockgraph.state.intent import Intent, Page


def page_body(intent: Intent, page: Page, context: str, items: Sequence[Json]) -> dict[str, Json]:
    """Return the body of a page (OData JSON format, 12 and 4.6).

    ``@odata.count`` is there where the request counts, ``@odata.nextLink`` on all pages but the
    last.
    """
    body: dict[str, Json] = {"@odata.context": context}
    if page.total is not None:
        body["@odata.count"] = page.total
    body["value"] = items
    if page.next is not None:
        body["@odata.nextLink"] = next_link(intent, page.next)
    return body


def next_link(intent: Intent, token: str) -> str:
    """Return the request's own URL with its options, but for ``$skip``, which the token has."""
    options = [
        (name, value)
        for name, value in intent.options
        if name.lower().removeprefix("$") not in ("skip", "skiptoken")
    ]
    query = urlencode([*options, ("$skiptoken", token)], quote_via=quote, safe="$,'()/:")
    return f"{intent.origin}{quote(intent.path)}?{query}"
