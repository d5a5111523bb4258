"""The URLs in answers: the context URL, and where an entity is read."""

from __future__ import annotations

from functools import cached_property, lru_cache

import orjson

from mockgraph.metadata.keys import predicate
from mockgraph.metadata.resources import Resource
from mockgraph.state.intent import Address, RequestKind, Row, Step, Target
from mockgraph.state.query import NO_OPTIONS, Query


class Urls:
    """The URLs in answers to requests of an address, as their callers would write them.

    ``origin`` is scheme, host, port and prefix; ``metadata`` the URL of the metadata document.
    """

    def __init__(self, address: Address, origin: str):
        self._address = address
        self._origin = origin
        self._root = f"{origin}/{address.view.name}"
        self.metadata = f"{self._root}/$metadata"

    def context(self, query: Query) -> str:
        """Return the context URL: what in the metadata the answer is (OData JSON format, 10)."""
        return _context(self._origin, self._address, query.selection())

    def context_json(self, query: Query) -> bytes:
        """Return the context URL as the first member of an object in JSON, which goes on behind."""
        return self._plain if query is NO_OPTIONS else _json(self.context(query))

    @cached_property
    def _plain(self) -> bytes:
        return _json(self.context(NO_OPTIONS))

    def entity(self, resource: Resource, row: Row) -> str:
        """Return where an entity is read."""
        return f"{self._root}/{resource.url(row.key)}"

    def location(self, place: Target | str) -> str:
        """Return the URL of an entity of a table; a URL is one already."""
        if isinstance(place, str):
            return place
        resource = self._address.view.resource(place.table)
        assert resource is not None  # the table is one of the root's
        return f"{self._root}/{resource.url(place.key)}"


@lru_cache(maxsize=1024)
def _context(origin: str, address: Address, selection: str) -> str:
    return f"{origin}/{address.view.name}/$metadata#{_fragment(address, selection)}"


def _json(context: str) -> bytes:
    return orjson.dumps({"@odata.context": context}).removesuffix(b"}") + b","


def _fragment(address: Address, selection: str) -> str:
    """The path of an address with keys in parentheses, but for the key of the entity itself."""
    last = address.steps[-1]
    fragment = f"{_above(address.steps[:-1])}{last.resource.name}"
    if address.path:
        return f"{fragment}{_key(last)}/{'/'.join(address.path)}"
    if address.cast:
        fragment += f"/{address.cast}"
    if selection:
        fragment += f"({selection})"
    is_entity = len(address.steps) > 1 or address.resource.is_collection
    is_entity = is_entity and address.kind is not RequestKind.LIST
    return f"{fragment}/$entity" if is_entity else fragment


@lru_cache(maxsize=1024)
def _above(steps: tuple[Step, ...]) -> str:
    return "".join(f"{step.resource.name}{_key(step)}/" for step in steps)


def _key(step: Step) -> str:
    return "" if step.key is None else predicate(step.resource.type, step.key)
