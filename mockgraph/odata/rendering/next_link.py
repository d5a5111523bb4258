"""The nextLink of a page: where its collection goes on."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from mockgraph.state.intent import Intent


def next_link(intent: Intent, token: str) -> str:
    """Return the request's own URL with its options, but for ``$skip``, which the token has."""
    options = [
        (name, value)
        for name, value in intent.options
        if name.lower().removeprefix("$") not in ("skip", "skiptoken")
    ]
    query = urlencode([*options, ("$skiptoken", token)], quote_via=quote, safe="$,'()/:")
    return f"{intent.origin}{quote(intent.path)}?{query}"
