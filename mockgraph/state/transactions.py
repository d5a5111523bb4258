"""A request's transaction: what operations and the effects of actions read and write by."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence

from mockgraph import metadata as edm
from mockgraph.clock import Clock
from mockgraph.errors import BadRequest, Conflict, NotFound
from mockgraph.metadata.declarations import EntitySet, Resource, Root, Service
from mockgraph.metadata.names import Json, Properties
from mockgraph.state.entities import Entity
from mockgraph.state.schemas import check_id
from mockgraph.state.tables import EntityDB, EntityTable

# Computed properties that tell when an entity was made, and when it last changed.
_MADE = frozenset({"createdDateTime"})
_CHANGED = frozenset({"lastModifiedDateTime", "lastUpdateDateTime"})


class Transaction:
    """The state with what a request has written so far; others see that when all is done.

    Tables are named by the path of their set, ``security/alerts``. What the server writes by
    itself is made here: ids, times, and all that was left unset. ``root`` is the root that the
    request came by, whose rules hold; ``database`` are the tables to write to.
    """

    __slots__ = ("_clock", "_root", "_service", "database")

    def __init__(self, database: EntityDB, service: Service, clock: Clock, root: Root):
        self.database = database
        self._service = service
        self._clock = clock
        self._root = root

    def now(self) -> str:
        """Return the time of the tenant's clock, as Graph writes it."""
        return self._clock.text()

    def table(self, name: str) -> EntityTable:
        """Return the TinyDB table, to search and to write to; its own writes are checked."""
        return self.database.table(name)

    def get(self, table: str, key: str) -> Entity | None:
        """Return an entity, to be read only; None where no entity has the key."""
        return self.table(table).rows.find(key)

    def having(self, table: str, name: str, values: Collection[Json]) -> Sequence[Entity]:
        """Return the entities that have one of these values for a property, by an index."""
        candidates = self.table(table).rows.having([((name,), values)])
        return [entity for entity in candidates if entity[name] in values]

    def create(self, table: str, properties: Properties) -> Entity:
        """Make an entity, with the id that it brings if that is free. Raise 400 and 409."""
        key = properties.get("id") or str(uuid.uuid4())
        resource = self._service.tables[table]
        check_id(key, resource)
        if self.get(table, key) is not None:
            set_name = table.rpartition("/")[2]
            raise Conflict(f"An entity with the id '{key}' exists already in '{set_name}'.")
        times = self._times(resource, _MADE | _CHANGED)
        made = edm.whole(resource.type, {**properties, **times, "id": key})
        return self.table(table).store(key, made)

    def update(self, table: str, key: str, changes: Properties) -> Entity:
        """Merge changes into an entity; what is computed stays the server's.

        Raise 404, and 400 where the request's root does not let it change so.
        """
        before = self.get(table, key)
        if before is None:
            raise unknown_key(key)
        resource = self._service.tables[table]
        declared = resource.type.properties()
        sent = {
            name: value
            for name, value in _allowed_changes(self._root, resource, changes, before).items()
            if name not in declared or not declared[name].computed
        }
        times = self._times(resource, _CHANGED)
        return self.table(table).store(key, edm.merge(resource.type, before, {**sent, **times}))

    def delete(self, table: str, key: str) -> None:
        """Remove an entity, and all that it contains. Raise 404."""
        if self.get(table, key) is None:
            raise unknown_key(key)
        self.table(table).discard(key)

    def _times(self, resource: Resource, names: frozenset[str]) -> Mapping[str, Json]:
        declared = resource.type.properties()
        made = [name for name in names if name in declared and declared[name].computed]
        return dict.fromkeys(made, self.now()) if made else {}


def unknown_key(key: str) -> NotFound:
    """Return the refusal of a key that no entity has."""
    return NotFound(f"Resource '{key}' does not exist.")


def _allowed_changes(
    root: Root, resource: Resource, body: Properties, before: Properties
) -> Properties:
    """Return what of a PATCH may take effect. Raise 400 where it would change what it must not.

    What the live service lets nobody change may be sent back as it was; what it needs to see
    in each update, to know whose the entity is, changes nothing either.
    """
    _check_nulls(resource, body, before)
    if root.documented or not isinstance(resource, EntitySet) or resource.rules.updatable is None:
        return body
    updatable, declared = resource.rules.updatable, resource.type.properties()
    needed = {path.split("/")[0] for path in resource.rules.update_needs}
    fixed = {
        name: value
        for name, value in body.items()
        if name not in updatable
        and name not in needed
        and not (name in declared and declared[name].computed)
    }
    after = edm.merge(resource.type, before, fixed)
    for name in fixed:
        if name not in before or after[name] != before[name]:
            raise BadRequest(f"{name}: The property cannot be updated.")
    return {name: value for name, value in body.items() if name in updatable}


def _check_nulls(resource: Resource, body: Properties, before: Properties) -> None:
    declared = resource.type.properties()
    for name, value in body.items():
        if value is not None or name not in declared:
            continue
        fixed = not declared[name].nullable and not declared[name].computed
        if fixed and before.get(name) is not None:
            raise BadRequest(f"{name}: The property is not nullable.")
