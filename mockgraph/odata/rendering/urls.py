"""The URLs in answers: what they are about, where an entity is, where a collection goes on."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from mockgraph.metadata.declarations import EntitySet, Resource
from mockgraph.state.intent import Intent, Operation, Row


class Urls:
    """The URLs of the answer to one intent, as its caller would write them."""

    def __init__(self, intent: Intent):
        root = intent.address.root
        self._intent = intent
        self.metadata = f"{intent.origin}/{root.name}/$metadata"
        self._singleton = f"{intent.origin}/{root.name}/{root.singleton}"

    def context(self) -> str:
        """The context URL: what in the metadata the answer is (OData JSON format, 10)."""
        address = self._intent.address
        fragment = address.root.singleton
        if isinstance(address.resource, EntitySet):
            fragment += f"/{address.resource.name}"
        if address.path:
            key = f"('{_quoted(address.key)}')" if address.key is not None else ""
            return f"{self.metadata}#{fragment}{key}/{'/'.join(address.path)}"
        if address.within is not None:
            fragment += f"('{_quoted(address.key)}')/{address.within.name}"
        selection = self._intent.query.selection()
        if selection:
            fragment += f"({selection})"
        is_entity = (
            isinstance(address.resource, EntitySet) and address.operation is not Operation.LIST
        )
        return f"{self.metadata}#{fragment}{'/$entity' if is_entity else ''}"

    def entity(self, resource: Resource, row: Row) -> str:
        """Where an entity, or the singleton, is read."""
        if not isinstance(resource, EntitySet):
            return self._singleton
        return f"{self._singleton}/{resource.name}/{quote(row.entity['id'], safe='')}"

    def next_page(self, token: str) -> str:
        """The request's own URL with the options kept, but for ``$skip``: the token has it."""
        options = [
            (name, value)
            for name, value in self._intent.options
            if name.lower().removeprefix("$") not in ("skip", "skiptoken")
        ]
        query = urlencode([*options, ("$skiptoken", token)], quote_via=quote, safe="$,'()/:")
        return f"{self._intent.origin}{quote(self._intent.path)}?{query}"


def _quoted(key: str | None) -> str:
    return quote((key or "").replace("'", "''"), safe="'")
