"""One request's writes: seen at once by the request itself, by everyone else when committed.

What the server writes by itself is made here: ids, times, and all that was left unset.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from mockgraph import metadata as edm
from mockgraph.clock import Clock
from mockgraph.errors import Conflict, NotFound
from mockgraph.metadata.declarations import Resource, Root, Service
from mockgraph.metadata.names import Json, Properties
from mockgraph.state.keys import check_key
from mockgraph.state.preconditions import allowed_changes
from mockgraph.state.rows import Delta, Rows
from mockgraph.state.storage import EntityStorage

# Computed properties that tell when an entity was made, and when it last changed.
_MADE = frozenset({"createdDateTime"})
_CHANGED = frozenset({"lastModifiedDateTime", "lastUpdateDateTime"})


class Work:
    """Writes to be committed whole, under the state's lock; what actions are given."""

    def __init__(self, storage: EntityStorage, service: Service, clock: Clock, root: Root):
        self._storage = storage
        self._service = service
        self._clock = clock
        self._root = root
        self._written: dict[str, dict[str, Properties | None]] = {}

    def now(self) -> str:
        return self._clock.text()

    def get(self, set_name: str, key: str) -> Properties | None:
        written = self._written.get(set_name, {})
        return written[key] if key in written else self._stored(set_name).find(key)

    def having(self, set_name: str, name: str, values: Collection[Json]) -> Iterable[Properties]:
        """The entities of a set that have one of these values for a property, by an index."""
        written = self._written.get(set_name, {})
        stored = self._stored(set_name).having([((name,), values)])
        kept = [entity for entity in stored if entity.key not in written]
        every = [*kept, *(entity for entity in written.values() if entity is not None)]
        return [entity for entity in every if entity[name] in values]

    def create(self, set_name: str, properties: Properties) -> Properties:
        """A new entity, with the id it brings if that is free. Raises 409."""
        key = properties.get("id") or str(uuid.uuid4())
        check_key(key, self._resource(set_name))
        if self.get(set_name, key) is not None:
            raise Conflict(f"An entity with the id '{key}' exists already in '{set_name}'.")
        schema = self._resource(set_name).type
        made = edm.whole(schema, {**properties, **self._times(schema, _MADE | _CHANGED), "id": key})
        return self._put(set_name, key, made)

    def update(self, set_name: str, key: str, changes: Properties) -> Properties:
        """An entity merged with the changes; what is computed stays the server's.

        Raises 404, and 400 where the root that the request came by does not let it change so.
        """
        before = self.get(set_name, key)
        if before is None:
            raise not_found(key)
        resource = self._resource(set_name)
        schema, declared = resource.type, resource.type.properties()
        sent = {
            name: value
            for name, value in allowed_changes(self._root, resource, changes, before).items()
            if name not in declared or not declared[name].computed
        }
        after = edm.merge(schema, before, {**sent, **self._times(schema, _CHANGED)})
        return self._put(set_name, key, after)

    def delete(self, set_name: str, key: str) -> None:
        """Raises 404."""
        if self.get(set_name, key) is None:
            raise not_found(key)
        self._written.setdefault(set_name, {})[key] = None

    def commit(self) -> Mapping[str, Delta]:
        """Make it the state, in one step; gives what is stored now."""
        return self._storage.commit(self._written)

    def _stored(self, set_name: str) -> Rows:
        return self._storage.now.rows(set_name)

    def _put(self, set_name: str, key: str, entity: Properties) -> Properties:
        self._written.setdefault(set_name, {})[key] = entity
        return entity

    def _times(self, schema: Any, names: frozenset[str]) -> Mapping[str, Json]:
        declared = schema.properties()
        made = [name for name in names if name in declared and declared[name].computed]
        return dict.fromkeys(made, self.now()) if made else {}

    def _resource(self, name: str) -> Resource:
        if name == self._service.singleton.name:
            return self._service.singleton
        return self._service.sets[name.lower()]


def not_found(key: str) -> NotFound:
    """The refusal of a key that nothing has."""
    return NotFound(f"Resource '{key}' does not exist.")
