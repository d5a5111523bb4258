"""A page of a collection: its items, how many there are in all, and the nextLink."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import quote, urlencode

from mockgraph.metadata.names import Json
from mockgraph.state.intent import Intent, Page

_SAFE = "$,'()/:"


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
    options = tuple(
        pair
        for pair in intent.options
        if pair[0].lower().removeprefix("$") not in ("skip", "skiptoken")
    )
    return f"{_before_token(intent.origin, intent.path, options)}{quote(token, safe=_SAFE)}"


# All pages of a list have it in common.
@lru_cache(maxsize=256)
def _before_token(origin: str, path: str, options: tuple[tuple[str, str], ...]) -> str:
    query = urlencode([*options, ("$skiptoken", "")], quote_via=quote, safe=_SAFE)
    return f"{origin}{quote(path)}?{query}"
