"""What a request sees of the state: entities, what navigations lead to, property values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mockgraph.errors import NotFound
from mockgraph.metadata.declarations import EntitySet, Resource, Service
from mockgraph.metadata.names import Json
from mockgraph.state.entities import Entity
from mockgraph.state.intent import Address, Page, Row
from mockgraph.state.persistent import Ordered
from mockgraph.state.query import Expansion, Query
from mockgraph.state.rows import Rows, Snapshot
from mockgraph.state.work import not_found


class Reader:
    """Reads the tables of one service as they were at one moment."""

    def __init__(self, snapshot: Snapshot, service: Service):
        self._snapshot = snapshot
        self._service = service

    def rows(self, name: str) -> Rows:
        return self._snapshot.rows(name)

    def singleton(self) -> Entity:
        return self.rows(self._service.singleton.name).in_order.first()

    def known(self, name: str, key: str) -> Entity:
        """The entity with this key. Raises 404."""
        entity = self.rows(name).find(key)
        if entity is None:
            raise not_found(key)
        return entity

    def entity(self, address: Address) -> Entity:
        """The singleton or the entity at, or above, an address. Raises 404."""
        if address.key is None:
            return self.singleton()
        return self.known(address.resource.name, address.key)

    def reached(self, address: Address, query: Query) -> Ordered[Entity]:
        """The entities of a set, or those that an entity's navigation leads to. Raises 404.

        Some of those that the query's filter does not match are left out.
        """
        if address.within is None:
            return self._candidates(address.resource, query)
        return self._related(address.within.target, address.within.by, self.entity(address))

    def value(self, entity: Entity, path: Sequence[str]) -> Json:
        """The value at a property path; a null on the way is null. Raises 404."""
        value: Any = entity
        for name in path:
            if value is None:
                return None
            if not isinstance(value, Mapping) or name not in value:
                raise NotFound(f"The property '{name}' has no value here.")
            value = value[name]
        return value

    def row(self, entity: Entity, query: Query, resource: Resource) -> Row:
        """An entity for an answer, its navigations expanded as the query asks."""
        if not query.expand:
            return Row(entity, entity.etag, rendered=entity.rendered)
        expanded = {each.name: self._expand(entity, each, resource) for each in query.expand}
        return Row(entity, entity.etag, expanded)

    def _expand(self, entity: Entity, expansion: Expansion, resource: Resource) -> Page:
        query = expansion.query
        if isinstance(resource, EntitySet):
            navigation = next(n for n in resource.navigations if n.name == expansion.name)
            target = navigation.target
            entities = self._related(target, navigation.by, entity)
        else:
            target = self._service.sets[expansion.name.lower()]
            entities = self._candidates(target, query)
        skip = query.skip or 0
        first = None if query.top is None else skip + query.top
        rows = [self.row(each, query, target) for each in query.find(entities, first)[skip:]]
        return Page(rows, query.number(entities) if query.count else None)

    def _candidates(self, resource: Resource, query: Query) -> Ordered[Entity]:
        return self.rows(resource.name).having(query.filter.equalities if query.filter else ())

    def _related(self, target: EntitySet, by: str, owner: Entity) -> Ordered[Entity]:
        candidates = self.rows(target.name).having([((by,), (owner.key,))])
        return Ordered(each for each in candidates if each[by] == owner.key)
