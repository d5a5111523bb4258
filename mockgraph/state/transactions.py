"""A request's transaction: what operations and the effects of actions read and write by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

from mockgraph import metadata as edm
from mockgraph.clock import Clock
from mockgraph.errors import BadRequest, Conflict, UnknownKey
from mockgraph.guids import new_guid
from mockgraph.metadata.entries import Entry
from mockgraph.metadata.names import Json, Properties
from mockgraph.metadata.resources import SINGLE, Resource, View
from mockgraph.state.computed_properties import (
    computed_unset,
    identity_set,
    of_changed,
    of_new,
    unsettable,
)
from mockgraph.state.entities import REMOVED, Entity, join_key, owner_key, split_key
from mockgraph.state.intent import Caller, Target
from mockgraph.state.links import LINKS, link_key, link_to
from mockgraph.state.reader import Reader
from mockgraph.state.runs import LASTS, NOT_STARTED, STARTS_AFTER, SUCCEEDED, Run, later, normal
from mockgraph.state.storage import Staging
from mockgraph.state.table_rules import (
    KEPT_TABLE,
    RUNS_TABLE,
    TableRules,
    given_key,
    is_there,
    json_copy,
    new_key,
    own_key,
    table_of_owners,
)
from mockgraph.state.tables import EntityTable, EntityTransaction
from mockgraph.state.update_rules import update_plan


class Transaction(Reader):
    """The state with what a request has written so far; others see that when all is done.

    Tables are named by the paths of their resources, ``security/alerts``, and keys are those of
    the stored entities, ``case1/custodian7``. What the server writes by itself is made here:
    ids, times, and all that was left unset. ``view`` is the root that the request came by, whose
    rules hold; ``storage`` is what it writes to, ``caller`` is the name of who asked.

    ``create``, ``update``, ``compute`` and ``append`` check what they are given against the types
    of the metadata, for behaviours, and take what is computed, too; ``make``, ``change`` and
    ``add`` do the same with what was validated already, as the body of a request was, whose
    computed properties they leave aside.

    ``ending`` is how the runs end that are set going in it.
    """

    __slots__ = ("_clock", "_rules", "author", "ending")

    storage: Staging

    def __init__(
        self,
        storage: Staging,
        rules: TableRules,
        clock: Clock,
        view: View,
        caller: Caller = Caller(),  # noqa: B008  (it cannot be edited)
        ending: str = SUCCEEDED,
    ):
        super().__init__(storage, view)
        self.author = caller
        self.ending = ending
        self._rules = rules
        self._clock = clock

    @property
    def caller(self) -> str:
        """The name of who asked."""
        return self.author.name

    @property
    def identity(self) -> Properties:
        """Return who asked as an identitySet."""
        return identity_set(self.author)

    def now(self) -> str:
        """Return the time of the tenant's clock, as Graph writes it."""
        return self._clock.text()

    def table(self, name: str) -> EntityTable:
        """Return the TinyDB table, to search and to write to; its own writes are checked."""
        return EntityTransaction(self.storage).table(name)

    def get(self, table: str, key: str) -> Entity | None:
        """Return an entity, to be read only; None where no entity has the key."""
        return self.rows(table).find(key)

    def having(self, table: str, name: str, values: Collection[Json]) -> Sequence[Entity]:
        """Return the entities that have one of these values for a property, by an index."""
        return list(self.rows(table).equal(name, values))

    def create(self, table: str, properties: Properties, owner: str = "") -> Entity:
        """Make an entity, with the key that it brings if that is free.

        ``owner`` is the key of the entity that contains it, if one does. Raise 400, with the path
        of the fault below the table, and 409.
        """
        resource = self._resource(table)
        self._check_owner(resource, owner)
        valid = edm.load(resource.type, json_copy(properties, table), root=table)
        return self._insert(resource, valid, owner)

    def make(
        self,
        table: str,
        properties: Properties,
        owner: str = "",
        entry: Entry | None = None,
    ) -> Entity:
        """Make an entity of valid properties, and what comes with it; raise as ``create`` does."""
        resource = self._resource(table)
        unset = computed_unset(edm.own_type(resource.type, properties))
        return self._insert(resource, properties, owner, unset, entry)

    def _insert(
        self,
        resource: Resource,
        properties: Properties,
        owner: str,
        unset: Properties = MappingProxyType({}),
        entry: Entry | None = None,
    ) -> Entity:
        table = resource.path
        made = {**properties, **unset}
        key = join_key(owner, own_key(resource, made, new_key(resource), ""))
        if self.get(table, key) is not None:
            if given_key(resource, properties) is None:
                return self._insert(resource, properties, owner, unset, entry)  # another new key
            set_name = table.rpartition("/")[2]
            own = split_key(key)[1]
            raise Conflict(f"An entity with the id '{own}' exists already in '{set_name}'.")
        made |= of_new(edm.own_type(resource.type, made), made, self.now, self.author)
        stored = self.storage.insert(table, key, edm.whole(resource.type, made))
        if entry is not None and entry.contained:
            self._put_contained(stored, table, entry)
        return stored

    def update(self, table: str, key: str, changes: Properties) -> Entity:
        """Merge changes into an entity, what is computed among them.

        The one entity of a single-valued resource is made where there is none. Raise 404, and
        400, with the path of the fault, ``security/alerts_v2/{id}/severity: ...``, where the
        changes do not fit, or the request's root does not let the entity change so.
        """
        before = self._changeable(table, key, changes)
        valid = self._valid(table, before, changes)
        return self.change(table, before, valid, left_aside=edm.key_holders)

    def change(
        self,
        table: str,
        before: Entity,
        changes: Properties,
        entry: Entry | None = None,
        left_aside: Callable[[type[edm.StructuredSchema]], frozenset[str]] = unsettable,
    ) -> Entity:
        """Merge valid changes into an entity found in this transaction; raise as ``update``."""
        seen = self.view.resource(table) or self._resource(table)
        resource = seen.stored
        was = own = edm.own_type(resource.type, before)
        if "@odata.type" in changes:
            own, changes = _retyped(resource, was, changes)
        effective = update_plan(seen, was, own, left_aside).effective(before, changes)
        stored = self._merge(resource, own, before, effective)
        if entry is not None and entry.contained:
            self._put_contained(stored, table, entry)
        return stored

    def compute(self, table: str, key: str, changes: Properties) -> Entity:
        """Merge what the service itself makes of an entity, whatever an update may change.

        Raise 404, and 400, with the path of the fault, where the changes do not fit.
        """
        before = self._changeable(table, key, changes)
        resource = self._resource(table)
        own = edm.own_type(resource.type, before)
        valid = self._valid(table, before, changes)
        if "@odata.type" in valid:
            own, valid = _retyped(resource, own, valid)
        return self._merge(resource, own, before, valid)

    def append(self, table: str, key: str, name: str, item: Json) -> Entity:
        """Add an item to a collection of an entity, whatever an update may change.

        Raise 404, and 400, with the path of the fault, where the item does not fit.
        """
        before = self.get(table, key)
        if before is None:
            raise UnknownKey(key)
        (valid,) = self._valid(table, before, {name: [item]})[name]
        return self.add(table, before, name, valid)

    def add(self, table: str, before: Entity, name: str, item: Json) -> Entity:
        """Do what ``append`` does, with a valid item, to an entity found in this transaction."""
        resource = self._resource(table)
        own = edm.own_type(resource.type, before)
        return self._merge(resource, own, before, {name: [*before[name], item]})

    def _changeable(self, table: str, key: str, changes: Properties) -> Entity:
        """Return the entity that an update is to change. Raise 404."""
        before = self.get(table, key)
        before = before or self.implicit(self._resource(table), key, changes)
        if before is None:
            raise UnknownKey(key)
        return before

    def _valid(self, table: str, before: Entity, changes: Properties) -> Properties:
        """Return changes of an entity loaded. Raise BadRequest with the path of the fault."""
        declared, path = self._resource(table).type, f"{table}/{before.key}"
        schema = declared if "@odata.type" in changes else edm.own_type(declared, before)
        return edm.load(schema, json_copy(changes, path), partial=True, root=path)

    def _check_owner(self, resource: Resource, owner: str) -> None:
        """Raise BadRequest where there is no such entity to contain one of the resource's."""
        owners = table_of_owners(resource)
        if owners is None and owner:
            raise BadRequest(f"{resource.path}: No entity contains these, so '{owner}' does not.")
        if not is_there(resource.owner, owner, self.rows):
            where = owners or resource.path.rpartition("/")[0]
            raise BadRequest(f"{resource.path}: There is no '{owner}' in {where} to contain it.")

    def _merge(
        self,
        resource: Resource,
        own: type[edm.StructuredSchema],
        before: Entity,
        changes: Properties,
    ) -> Entity:
        """Store an entity, which is of its own type then, with changes and the time of them."""
        written = of_changed(own, before, changes, self.now, self.author)
        after = edm.merge(resource.type, before, {**changes, **written} if written else changes)
        if "@odata.type" in changes:
            after = edm.whole(resource.type, after)  # its new type may declare more
        if not before.is_implicit:
            return self.storage.replace(resource.path, before, after)
        removed = f"{resource.path}{REMOVED}"
        if before.key in self.rows(removed):
            self.storage.discard(removed, before.key)
        return self.storage.store(resource.path, before.key, after)

    def delete(self, table: str, key: str) -> None:
        """Remove an entity, all that it contains, and what refers to it. Raise 404."""
        resource = self._resource(table)
        if self.get(table, key) is None and self.implicit(resource, key) is None:
            raise UnknownKey(key)
        self.storage.discard(table, key)
        if not resource.is_collection:
            self.storage.store(f"{table}{REMOVED}", key, {})

    def run(
        self,
        name: str,
        table: str,
        key: str,
        about: Properties | None = None,
        *,
        starts: str | None = None,
        lasts: timedelta = LASTS,
    ) -> None:
        """Have work about an entity go on after the request, until the tenant's clock ends it.

        ``name`` is what the behaviour is registered under whose ``progress`` is called; ``about``
        is handed to it. It is running a second from now, or from ``starts`` on if that is later.
        """
        soon = later(self._clock.now(), STARTS_AFTER)
        begins = max(soon, normal(starts)) if starts else soon
        ends = later(datetime.fromisoformat(begins), lasts)
        author = self.author
        caller = {"name": author.name, "id": author.id, "is_app": author.is_app}
        run = Run(name, table, key, begins, ends, NOT_STARTED, self.ending, about or {}, caller)
        self.storage.store(RUNS_TABLE, new_guid(), run.document())

    def kept(self, name: str) -> Properties | None:
        """Return what a behaviour keeps beside the entities under a name, None for nothing."""
        return self.rows(KEPT_TABLE).find(name)

    def keep(self, name: str, properties: Properties) -> None:
        """Keep something beside the entities, for behaviours alone."""
        self.storage.store(KEPT_TABLE, name, json_copy(properties, name))

    def referred(self, path: str, owner: str) -> Sequence[Entity]:
        """Return the entities that the navigation property at a path refers to, of one owner."""
        links = self.rows(f"{path}{LINKS}").owned_by(owner_key(owner))
        found = (self.get(link["table"], link["key"]) for link in links)
        return [each for each in found if each is not None]

    def link(self, path: str, owner: str, table: str, key: str) -> None:
        """Refer to an entity from the navigation property at a path. Raise as ``refer`` does."""
        resource = self.view.stored.resource(path)
        if resource is None:
            raise BadRequest(f"There is no navigation property {path!r}.")
        self.refer(resource, owner_key(owner), [Target(table, key)])

    def refer(self, resource: Resource, owner: str, targets: Iterable[Target]) -> None:
        """Add references from the owner's navigation property, or put the one that it may have.

        Raise 404 for what is not there, 400 for what is of another type.
        """
        if not resource.is_collection:
            self.unrefer(resource, owner)
        for table, key in targets:
            entity = self.get(table, key)
            if entity is None:
                raise UnknownKey(split_key(key)[1])
            own = edm.own_type(self._resource(table).type, entity).type_name
            if not resource.view.stored.model.derives_from(own, resource.type_name):
                raise BadRequest(f"'{split_key(key)[1]}' is no '{resource.type_name}'.")
            link = link_key(owner, table, key)
            self.storage.store(resource.links, link, link_to(table, key))

    def unrefer(self, resource: Resource, owner: str, target: Target | None = None) -> None:
        """Remove a reference of the owner's navigation property, or all of them. Raise 404."""
        links = self.rows(resource.links)
        if target is None:
            for link in links.owned_by(owner):
                self.storage.discard(resource.links, link.key)
            return
        link_of = link_key(owner, *target)
        if link_of not in links:
            raise UnknownKey(split_key(target.key)[1])
        self.storage.discard(resource.links, link_of)

    def below(self, table: str, entity: Entity, child: Resource) -> Resource:
        """Return a navigation property of an entity as it stands below the entity's own table.

        The one given is that of the collection which mostly holds such entities.
        """
        if child.owner is None or child.owner.path == table:
            return child
        resource = self._resource(table)
        own = edm.own_type(resource.type, entity).type_name
        return resource.children(own).get(child.name.lower(), child)

    def _put_contained(self, owner: Entity, table: str, entry: Entry) -> None:
        """Create, or update where their keys are there, the entities that come with their owner."""
        for child, entries in entry.contained.items():
            resource = self.below(table, owner, child)
            if not resource.is_collection and not entries:
                self._remove_one(resource, join_key(owner_key(owner.key), SINGLE))
            counts = Counter(given_key(resource, each.properties) for each in entries)
            twice = next((key for key, count in counts.items() if key and count > 1), None)
            if twice is not None:
                raise BadRequest(f"{resource.name}: '{twice}' is given twice.")
            for each in entries:
                self._put_one(resource, owner_key(owner.key), each)

    def _remove_one(self, resource: Resource, key: str) -> None:
        """Remove the one entity of a single-valued resource, if it is there."""
        if self.get(resource.path, key) or self.implicit(resource, key):
            self.delete(resource.path, key)

    def _put_one(self, resource: Resource, owner: str, entry: Entry) -> None:
        table = resource.path
        given = given_key(resource, entry.properties)
        key = None if given is None else join_key(owner, given)
        if key is not None and (not resource.is_collection or self.get(table, key) is not None):
            before = self._changeable(table, key, entry.properties)
            stored = self.change(table, before, entry.properties, entry)
        else:
            stored = self.make(table, entry.properties, owner, entry)
        for child, urls in entry.references.items():
            self.refer(
                self.below(table, stored, child),
                owner_key(stored.key),
                [self._target(url) for url in urls],
            )

    def _target(self, url: str) -> Target:
        found = self.view.target(url)
        if found is None:
            raise BadRequest(f"The URL '{url[:200]}' leads to no entity of this service.")
        return Target(found[0].path, found[1])

    def _resource(self, table: str) -> Resource:
        resource = self._rules.resource(table)
        if resource is None:
            raise BadRequest(f"There is no table {table!r}.")
        return resource


def _retyped(
    resource: Resource, own: type[edm.StructuredSchema], changes: Properties
) -> tuple[type[edm.StructuredSchema], Properties]:
    """Return the type that an entity of a type has once it is changed, and the changes.

    They name a type that derives from the entity's, which it is of then, or one that the entity's
    derives from, which tells nothing. Raise 400 where they name another.
    """
    named = edm.own_type(resource.type, changes)
    if issubclass(named, own):
        return named, changes
    if issubclass(own, named):
        return own, {name: value for name, value in changes.items() if name != "@odata.type"}
    raise BadRequest(
        f"@odata.type: The entity is of the type '{own.type_name}', which is neither derived "
        f"from '{named.type_name}' nor a base of it."
    )


def take_status(transaction: Transaction, run: Run) -> None:
    """Give an entity the status that a run about it has come to, as most behaviours do."""
    entity = transaction.get(run.table, run.key)
    if entity is not None and "status" in entity:
        transaction.compute(run.table, run.key, {"status": run.status})
