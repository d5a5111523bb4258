"""The reads of requests: the entities at an address, and the parts of their answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mockgraph import metadata as edm
from mockgraph import work
from mockgraph.errors import BadRequest, NotFound, UnknownKey
from mockgraph.metadata.elements import TypeRef
from mockgraph.metadata.keys import SEPARATOR
from mockgraph.metadata.names import Json, Properties
from mockgraph.metadata.resources import SINGLE, Resource, ResourceKind, View
from mockgraph.state.entities import (
    IMPLICIT,
    REMOVED,
    Entity,
    join_key,
    owner_key,
    split_key,
)
from mockgraph.state.indexes import Equality, path_key
from mockgraph.state.intent import Address, Page, Row, Step, owner_of
from mockgraph.state.listing import ListedEntities
from mockgraph.state.persistent_maps import Ordered
from mockgraph.state.query import Expansion, Query
from mockgraph.state.snapshots import Rows
from mockgraph.state.storage import StorageView
from mockgraph.state.table_rules import is_there, json_copy, name_single

# Each look into an enumeration takes as long as a call.
_CONTAINED, _REFERENCE = ResourceKind.CONTAINED, ResourceKind.REFERENCE
# The steps that it takes to follow a navigation property, and to show an entity that it leads to:
# circles of references multiply these by their number with each level.
_STEPS_FOLLOWED = 10
_STEPS_EXPANDED = 200


class Reader:
    """Reads tables that nobody else writes to: a view of the state, or a transaction's.

    ``view`` is the root by which what is read will be shown; ``rows`` gives the stored entities
    of a table by key.
    """

    __slots__ = ("rows", "storage", "view")

    def __init__(self, storage: StorageView, view: View):
        self.storage = storage
        self.rows: Callable[[str], Rows] = storage.rows
        self.view = view

    # -- where an address leads ---------------------------------------------------------------

    def landed(self, address: Address) -> Address:
        """Return an address with the references on its way followed. Raise 404.

        All its steps but the last are contained in the one before, wherever what was referred to
        is held. Where they were before, that costs no look at the state.
        """
        if not address.follows:
            return address
        steps: tuple[Step, ...] = ()
        way = address.steps
        for number, step in enumerate(way):
            if steps and steps[-1].resource is not step.resource.owner:
                step = self._moved(steps, step)
            steps = (*steps, step)
            if step.resource.kind is not _CONTAINED and number < len(way) - 1:
                found = self._followed(step, owner_of(steps))
                steps = _steps_to(self.held(found, step.resource).home, found.key)
        return address.at(steps)

    def _moved(self, above: tuple[Step, ...], step: Step) -> Step:
        """A step as it goes on from an entity that is held elsewhere than at home."""
        held, own = above[-1]
        entity = self.rows(held.path)[join_key(owner_of(above), SINGLE if own is None else own)]
        return Step(_below(held, entity, step.resource), step.key)

    def entity(self, address: Address) -> Entity:
        """Return the entity at, or above, an address that has landed. Raise 404."""
        resource = address.resource
        entity: Entity | None
        if resource.kind is _CONTAINED:
            entity = self.rows(resource.path).find(address.stored_key)
            if entity is None:
                entity = self.implicit(resource, address.stored_key)
        else:
            entity = self._followed(address.steps[-1], address.owner)
        if entity is None or (
            address.cast is not None and not self._is_of(entity, resource, address.cast)
        ):
            raise UnknownKey(address.key or resource.name)
        return entity

    def implicit(
        self, resource: Resource, key: str, changes: Properties | None = None
    ) -> Entity | None:
        """Return the one entity of a single-valued resource before it is written, all of it unset.

        None where it was deleted, where what it belongs to is not there, or where its type is
        abstract. ``changes`` that are to be written to it find it there if it was deleted, too,
        and tell its type.
        """
        owner, own = split_key(key)
        if own != SINGLE or resource.is_collection:
            return None
        if changes is None and key in self.rows(f"{resource.path}{REMOVED}"):
            return None
        if not is_there(resource.owner, owner, self.rows):
            return None
        named = {name: value for name, value in (changes or {}).items() if name == "@odata.type"}
        if resource.type.is_abstract and not named:
            return None
        properties = edm.whole(resource.type, named)
        name_single(resource, properties)
        return Entity(properties, key, IMPLICIT, 0)

    def _followed(self, step: Step, owner: str) -> Entity:
        """The entity behind a step that only refers to it. Raise 404."""
        for entity in self.related(step.resource, owner):
            if step.key is None or split_key(entity.key)[1] == step.key:
                return entity
        raise UnknownKey(step.key or step.resource.name)

    def related(self, resource: Resource, owner: str) -> Ordered[Entity]:
        """Return the entities of a resource that belong to an owner."""
        if resource.kind is _CONTAINED:
            if not resource.is_collection:
                key = join_key(owner, SINGLE)
                one = self.rows(resource.path).find(key) or self.implicit(resource, key)
                return Ordered(() if one is None else (one,))
            rows = self.rows(resource.path)
            return rows.owned_by(owner) if owner else rows.in_order
        if resource.kind is _REFERENCE:
            links = self.rows(resource.links).owned_by(owner)
            found = (self.rows(link["table"]).find(link["key"]) for link in links)
            return Ordered(each for each in found if each is not None)
        return self._constrained(resource, owner)

    def held(self, entity: Entity, resource: Resource) -> Resource:
        """Return the resource that holds an entity found at another, which may refer to it.

        What a navigation property refers to may be in several tables, ``dataSource`` as
        ``userSources``, ``siteSources`` and others.
        """
        if resource.kind is _REFERENCE:
            home = self.rows(resource.home.path).find(entity.key)
            for name in () if home is entity else self.storage.filled_tables():
                if self.rows(name).find(entity.key) is entity:
                    return self.view.resource(name) or resource
        return resource

    def _constrained(self, resource: Resource, owner: str) -> Ordered[Entity]:
        """Find the entities that the referential constraints of the navigation property admit."""
        assert resource.owner is not None
        assert resource.navigation is not None
        holder = self.rows(resource.owner.home.path).find(owner)
        if holder is None:
            return Ordered(())
        wanted = [
            (each.referenced, holder.get(each.property)) for each in resource.navigation.constraints
        ]
        candidates = self.rows(resource.home.path).having(
            *(Equality(path_key((name,)), (value,)) for name, value in wanted)
        )
        return Ordered(
            each
            for each in candidates
            if all(value is not None and each.get(name) == value for name, value in wanted)
        )

    def check_owner(self, address: Address) -> str:
        """Return the key of the owner of a collection. Raise 404 where it is not there."""
        owner = address.owner
        above = address.resource.owner
        if above is not None and not is_there(above, owner, self.rows):
            raise UnknownKey(split_key(owner)[1] or above.name)
        return owner

    def listing(self, address: Address, query: Query) -> ListedEntities:
        """Return what a query lists of a collection, by its owner. Raise 404."""
        listing = self._listed(address.resource, self.check_owner(address), query)
        if address.cast is None:
            return listing
        cast, resource = address.cast, address.resource
        of_type = Ordered(each for each in listing.entities if self._is_of(each, resource, cast))
        return ListedEntities(of_type, query)

    def _listed(self, resource: Resource, owner: str, query: Query) -> ListedEntities:
        if resource.kind is _CONTAINED and resource.is_collection and not owner:
            rows = self.rows(resource.path)
            return ListedEntities(rows.in_order, query, rows)
        return ListedEntities(self.related(resource, owner), query)

    def _is_of(self, entity: Entity, resource: Resource, type_name: str) -> bool:
        own = edm.own_type(resource.type, entity)
        return self.view.model.derives_from(own.type_name, type_name)

    def value(self, entity: Entity, address: Address) -> Json:
        """Return the value at a property path; a null on the way is null. Raise 404."""
        value: Any = entity
        for name in address.path:
            if value is None:
                return None
            if not isinstance(value, Mapping) or name not in value:
                raise NotFound(f"The property '{name}' has no value here.")
            value = value[name]
        if address.value_cast is None:
            return value
        mark, model = address.value_cast, self.view.model

        def is_of(item: Json) -> bool:
            stated = item.get("@odata.type", "") if isinstance(item, Mapping) else ""
            return model.derives_from(stated.removeprefix("#"), mark)

        if isinstance(value, list):
            return [item for item in value if is_of(item)]
        if value is not None and not is_of(value):
            raise NotFound(f"The value is no '{mark}'.")
        return value

    # -- what answers are made of -------------------------------------------------------------

    def row(self, entity: Entity, query: Query, resource: Resource) -> Row:
        """Return an entity for an answer, its navigations expanded as the query asks."""
        if not query.expand and resource.kind is _CONTAINED:
            return Row(entity)
        held = self.held(entity, resource)
        if not query.expand:
            return Row(entity) if held is resource else Row(entity, resource=held)
        expanded = {
            each: self._expand(entity, each)
            for each in query.expand
            if each.of_type is None or self._is_of(entity, resource, each.of_type.type_name)
        }
        return Row(entity, expanded, held)

    def page(self, entities: Iterable[Entity], query: Query, resource: Resource) -> list[Row]:
        """Return entities for an answer, in their order."""
        if not query.expand and resource.kind is not _REFERENCE:
            return [Row(entity) for entity in entities]
        return [self.row(entity, query, resource) for entity in entities]

    def _expand(self, entity: Entity, expansion: Expansion) -> Page | Row | None:
        query, resource = expansion.followed, self._placed(expansion.resource, entity)
        self.bind(query)
        listing = self._listed(resource, owner_key(entity.key), query)
        step = work.current().step
        step(_STEPS_EXPANDED)
        if not resource.is_collection:
            first = next(iter(listing.entities), None)
            return None if first is None else self.row(first, query, resource)
        skip = query.skip or 0
        most = None if query.top is None else skip + query.top
        number = listing.count() if query.count or expansion.only == "$count" else None
        if expansion.only == "$count":
            return Page((), number)
        found = listing.first(most)[skip:]
        step(_STEPS_EXPANDED * len(found))
        return Page([self.row(each, query, resource) for each in found], number)

    def field_of(self, type_: TypeRef) -> edm.PropertyField:
        """Return the field of a type of the root's model."""
        return self.view.schemas.property(type_)

    def returned(self, declared: edm.PropertyField, value: Json, path: str) -> Json:
        """Return a value that a behaviour gave, validated. Raise BadRequest with its path.

        Of a stored entity the type alone is looked at.
        """
        if isinstance(declared, edm.Collection) and isinstance(value, list):
            each = enumerate(value)
            return [self.returned(declared.item, item, f"{path}/{index}") for index, item in each]
        if value is None:
            raise BadRequest(f"{path}: it returned null, and not '{declared.type_name}'.")
        if not isinstance(value, Entity):
            given = json_copy({"": value}, path)[""]
            if isinstance(declared, edm.Complex) and type(given) is dict:
                return self._returned_value(declared.schema, given, path)
            return edm.load_as(declared, given, path)
        expected = declared.type_name
        own = value.get("@odata.type") or self._declared_type(value)
        fits = own is None or self.view.stored.model.derives_from(own.removeprefix("#"), expected)
        if not fits or not isinstance(declared, edm.Complex):
            raise BadRequest(f"{path}: it returned an entity, '{value.key}', and no '{expected}'.")
        return value

    def _returned_value(
        self, schema: type[edm.StructuredSchema], given: dict[str, Json], path: str
    ) -> Json:
        """A structured value, with what its navigation properties lead to where it has that.

        What other roots alone have of a stored entity, whose copy it may be, is left out.
        """
        type_ = edm.own_type(schema, given)
        navigation = self.view.model.navigation(type_.type_name)
        stored = self.view.stored.schemas[type_.type_name].properties()
        others = stored.keys() - type_.properties().keys() if not type_.is_open else set()
        aside = others | navigation.keys()
        own = {name: item for name, item in given.items() if name not in aside}
        loaded = edm.load(schema, own, root=path)
        for name in given.keys() & navigation.keys():
            field = self.field_of(navigation[name].type)
            item = given[name]
            below = f"{path}/{name}"
            loaded[name] = None if item is None else self.returned(field, item, below)
        return loaded

    def _declared_type(self, entity: Entity) -> str | None:
        """Return the type of the entities of the table that has an entity, None if it is gone."""
        for name in self.storage.filled_tables():
            resource = self.view.stored.resource(name)
            if resource is not None and self.rows(name).find(entity.key) is entity:
                return resource.type_name
        return None

    def bind(self, query: Query) -> None:
        """Let a query read what navigation properties lead to."""
        if query.relations is not None:
            query.relations.follow = self._follow

    def _placed(self, resource: Resource, entity: Entity) -> Resource:
        """Return a navigation property of an entity that may be held elsewhere than at home."""
        above = resource.owner
        if above is None or entity.is_implicit:
            return resource
        if self.rows(above.home.path).find(entity.key) is entity:
            return resource
        for name in self.storage.filled_tables():
            if self.rows(name).find(entity.key) is entity:
                return _below(self.view.resource(name) or above, entity, resource)
        return resource

    def _follow(self, entity: Any, resource: Resource) -> Any:
        resource = self._placed(resource, entity)
        found = self.related(resource, owner_key(entity.key))
        work.current().step(_STEPS_FOLLOWED + len(found))
        return list(found) if resource.is_collection else next(iter(found), None)


def _steps_to(resource: Resource, key: str) -> tuple[Step, ...]:
    """Return the steps from the root to an entity, by the resource that holds it and its key."""
    keys = (each for each in key.split(SEPARATOR) if each != SINGLE)
    return tuple(
        Step(each, next(keys, None) if each.is_collection else None) for each in resource.chain
    )


def _below(held: Resource, entity: Entity, resource: Resource) -> Resource:
    """Return a navigation property by that of its name at another resource. Raise 404."""
    own = edm.own_type(held.type, entity).type_name
    found = held.children(own).get(resource.name.lower())
    if found is None:
        raise UnknownKey(resource.name)
    return found
