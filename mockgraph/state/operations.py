"""The operations of OData on the tables: what a request asks for is read or written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from mockgraph import metadata as edm
from mockgraph import work
from mockgraph.errors import BadRequest, NotEmulated, NotFound, UnknownKey
from mockgraph.metadata.elements import TypeRef
from mockgraph.metadata.names import Json
from mockgraph.metadata.resources import SINGLE, Resource, ResourceKind, View
from mockgraph.state.behaviours import Behaviour, Invocation, Result
from mockgraph.state.entities import Entity, join_key, owner_key, split_key
from mockgraph.state.intent import Address, Intent, Outcome, Page, RequestKind, Row, Step, Target
from mockgraph.state.paging import Pager
from mockgraph.state.persistent_maps import Ordered
from mockgraph.state.query import Expansion, Query
from mockgraph.state.snapshots import Rows
from mockgraph.state.table_rules import is_there, table_of_owners
from mockgraph.state.tables import EntityDB
from mockgraph.state.transactions import Transaction, implicit

PAGE_SIZE = 100
MAX_PAGE_SIZE = 1000

# The steps that it takes to follow a navigation property, and to show an entity that it leads to.
_STEPS_FOLLOWED = 10
_STEPS_EXPANDED = 200

Behaviours = Mapping[str, Behaviour]
_AUTHOR = "createdByDisplayName"


class Reader:
    """Reads tables that nobody else writes to: a view of the state, or a transaction's.

    ``view`` is the root by which what is read will be shown.
    """

    __slots__ = ("_view", "database")

    def __init__(self, database: EntityDB, view: View):
        self.database = database
        self._view = view

    def rows(self, table: str) -> Rows:
        """Return the stored entities of a table by key."""
        return self.database.rows(table)

    # -- where an address leads ---------------------------------------------------------------

    def owner(self, steps: Sequence[Step]) -> str:
        """Return the key of the entity that the last step belongs to. Raise 404.

        Where every step is contained in the one before, that costs no look at the state.
        """
        key = ""
        for step in steps[:-1]:
            if step.resource.kind is ResourceKind.CONTAINED:
                key = key if step.key is None else join_key(key, step.key)
            else:
                key = owner_key(self._followed(step, key).key)
        return key

    def entity(self, address: Address) -> Entity:
        """Return the entity at, or above, an address. Raise 404."""
        step = address.steps[-1]
        entity = self._entity(step, self.owner(address.steps))
        if address.cast is not None and not self._is_of(entity, address.resource, address.cast):
            raise UnknownKey(step.key or step.resource.name)
        return entity

    def _entity(self, step: Step, owner: str) -> Entity:
        resource = step.resource
        if resource.kind is not ResourceKind.CONTAINED:
            return self._followed(step, owner)
        key = join_key(owner, SINGLE if step.key is None else step.key)
        entity = self.rows(resource.path).find(key)
        if entity is None and not resource.is_collection:
            entity = implicit(resource, self.database, key)
        if entity is None:
            raise UnknownKey(step.key or resource.name)
        return entity

    def _followed(self, step: Step, owner: str) -> Entity:
        """The entity behind a step that only refers to it. Raise 404."""
        for entity in self.related(step.resource, owner):
            if step.key is None or split_key(entity.key)[1] == step.key:
                return entity
        raise UnknownKey(step.key or step.resource.name)

    def related(
        self, resource: Resource, owner: str, query: Query | None = None
    ) -> Ordered[Entity]:
        """Return the entities of a resource that belong to an owner.

        Some of those that the query's filter does not match may be left out.
        """
        if resource.kind is ResourceKind.CONTAINED:
            if not resource.is_collection:
                key = join_key(owner, SINGLE)
                one = self.rows(resource.path).find(key) or implicit(resource, self.database, key)
                return Ordered(() if one is None else (one,))
            rows = self.rows(resource.path)
            if owner:
                return rows.owned_by(owner)
            return rows.having(query.filter.equalities if query and query.filter else ())
        if resource.kind is ResourceKind.REFERENCE:
            links = self.rows(resource.links).owned_by(owner)
            found = (self.rows(link["table"]).find(link["key"]) for link in links)
            return Ordered(each for each in found if each is not None)
        return self._constrained(resource, owner)

    def held(self, entity: Entity, resource: Resource) -> Resource:
        """Return the resource that holds an entity found at another, which may refer to it.

        What a navigation property refers to may be in several tables, ``dataSource`` as
        ``userSources``, ``siteSources`` and others.
        """
        if resource.kind is ResourceKind.REFERENCE:
            home = self.rows(resource.home.path).find(entity.key)
            for name in () if home is entity else self.database.filled_tables():
                if self.rows(name).find(entity.key) is entity:
                    return self._view.resource(name) or resource
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
            [((name,), (value,)) for name, value in wanted]
        )
        return Ordered(
            each
            for each in candidates
            if all(value is not None and each.get(name) == value for name, value in wanted)
        )

    def check_owner(self, address: Address) -> str:
        """Return the key of the owner of a collection. Raise 404 where it is not there."""
        owner = self.owner(address.steps)
        above = address.resource.owner
        if above is not None and not is_there(above, owner, self.rows):
            raise UnknownKey(split_key(owner)[1] or above.name)
        return owner

    def reached(self, address: Address, query: Query) -> Ordered[Entity]:
        """Return the entities of a collection, by its owner. Raise 404.

        Some of those that the query's filter does not match are left out.
        """
        entities = self.related(address.resource, self.check_owner(address), query)
        if address.cast is None:
            return entities
        cast, resource = address.cast, address.resource
        return Ordered(each for each in entities if self._is_of(each, resource, cast))

    def _is_of(self, entity: Entity, resource: Resource, type_name: str) -> bool:
        own = edm.own_type(resource.type, entity)
        return self._view.model.derives_from(own.type_name, type_name)

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
        mark, model = address.value_cast, self._view.model

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
        if not query.expand and resource.kind is not ResourceKind.REFERENCE:
            return [Row(entity) for entity in entities]
        return [self.row(entity, query, resource) for entity in entities]

    def _expand(self, entity: Entity, expansion: Expansion) -> Page | Row | None:
        query, resource = expansion.followed, expansion.resource
        self.bind(query)
        entities = self.related(resource, owner_key(entity.key), query)
        step = work.current().step
        step(_STEPS_EXPANDED)
        if not resource.is_collection:
            first = next(iter(entities), None)
            return None if first is None else self.row(first, query, resource)
        skip = query.skip or 0
        most = None if query.top is None else skip + query.top
        number = query.number(entities) if query.count or expansion.only == "$count" else None
        if expansion.only == "$count":
            return Page((), number)
        found = query.find(entities, most)[skip:]
        step(_STEPS_EXPANDED * len(found))
        rows = [self.row(each, query, resource) for each in found]
        return Page(rows, number)

    def bind(self, query: Query) -> None:
        """Let a query read what navigation properties lead to."""
        if query.relations is not None:
            query.relations.follow = self._follow

    def _follow(self, entity: Any, resource: Resource) -> Any:
        found = self.related(resource, owner_key(entity.key))
        work.current().step(_STEPS_FOLLOWED + len(found))
        return list(found) if resource.is_collection else next(iter(found), None)


# -- reading ------------------------------------------------------------------------------


def read(reader: Reader, intent: Intent, pager: Pager) -> Outcome:
    """Answer a request that writes nothing. Raise 400, 404 and 412."""
    reader.bind(intent.query)
    return _READS[intent.address.kind](reader, intent, pager)


def _nothing(_: Reader, __: Intent, ___: Pager) -> Outcome:
    return Outcome()


def _list(reader: Reader, intent: Intent, pager: Pager) -> Outcome:
    address, query = intent.address, intent.query
    reached = reader.reached(address, query)
    find: Callable[[str], Entity | None] = reader.rows(address.resource.home.path).find
    if address.resource.kind is ResourceKind.REFERENCE:
        find = {each.key: each for each in reached}.get
    cut = pager.page(reached, query, _page_size(intent), find, _walk(intent))
    rows = reader.page(cut.entities, query, address.resource)
    return Outcome(page=Page(rows, cut.total, cut.next))


def _count(reader: Reader, intent: Intent, _: Pager) -> Outcome:
    return Outcome(value=intent.query.number(reader.reached(intent.address, intent.query)))


def _read(reader: Reader, intent: Intent, _: Pager) -> Outcome:
    entity = reader.entity(intent.address)
    row = reader.row(entity, intent.query, intent.address.resource)
    return Outcome(row=row, unchanged=intent.preconditions.is_known(entity.etag))


def _read_property(reader: Reader, intent: Intent, _: Pager) -> Outcome:
    entity = reader.entity(intent.address)
    value = reader.value(entity, intent.address)
    known = intent.preconditions.is_known(entity.etag)
    return Outcome(Row(entity), value=value, unchanged=known)


def _count_property(reader: Reader, intent: Intent, _: Pager) -> Outcome:
    value = reader.value(reader.entity(intent.address), intent.address)
    if not isinstance(value, list):
        raise NotFound(f"'{intent.address.path[-1]}' is no collection.")
    return Outcome(value=len(value))


_READS: Mapping[RequestKind, Callable[[Reader, Intent, Pager], Outcome]] = {
    RequestKind.OPTIONS: _nothing,
    RequestKind.SERVICE_DOCUMENT: _nothing,
    RequestKind.METADATA: _nothing,
    RequestKind.LIST: _list,
    RequestKind.COUNT: _count,
    RequestKind.LIST_REFERENCES: _list,
    RequestKind.READ: _read,
    RequestKind.READ_REFERENCE: _read,
    RequestKind.READ_PROPERTY: _read_property,
    RequestKind.READ_VALUE: _read_property,
    RequestKind.COUNT_PROPERTY: _count_property,
}


# -- writing ------------------------------------------------------------------------------


def write(transaction: Transaction, intent: Intent, behaviours: Behaviours) -> Outcome:
    """Do what a request asks, in its transaction. Raise 400, 404, 409, 412 and 501."""
    reader = Reader(transaction.database, transaction.view)
    reader.bind(intent.query)
    if intent.address.kind in (RequestKind.ACT, RequestKind.CALL):
        return invoke(transaction, reader, intent, behaviours)
    return _WRITES[intent.address.kind](transaction, reader, intent)


def _create(transaction: Transaction, reader: Reader, intent: Intent) -> Outcome:
    resource = intent.address.resource
    owner = reader.check_owner(intent.address)
    body, held = dict(intent.body), resource.home
    if resource.kind is ResourceKind.CONTAINED:
        made = transaction.make(resource.path, body, owner, intent.entry)
    else:
        if resource.kind is ResourceKind.RELATED:
            body |= _constraint(reader, resource, owner)
        made = transaction.make(held.path, body, _shared_owner(resource, owner), intent.entry)
    _refer(transaction, made, intent)
    if resource.kind is ResourceKind.REFERENCE:
        transaction.refer(resource, owner, [Target(held.path, made.key)])
    return Outcome(row=reader.row(made, intent.query, resource), status=201)


def _shared_owner(resource: Resource, owner: str) -> str:
    """The owner of what is made where its own resource has it, by way of one that refers to it."""
    owners = table_of_owners(resource.home)
    if owners is None:
        return ""
    keys = owner.split("/")
    above = [each for each in resource.chain[:-1] if each.is_collection]
    for count, each in enumerate(above, 1):
        if each.home.path == owners:
            return "/".join(keys[:count])
    raise BadRequest(f"It is made at '{resource.home.path}', and then referred to by '$ref'.")


def _constraint(reader: Reader, resource: Resource, owner: str) -> dict[str, Json]:
    assert resource.owner is not None
    assert resource.navigation is not None
    holder = reader.rows(resource.owner.home.path)[owner]
    return {each.referenced: holder.get(each.property) for each in resource.navigation.constraints}


def _refer(transaction: Transaction, entity: Entity, intent: Intent) -> None:
    for resource, targets in intent.references.items():
        transaction.refer(resource, owner_key(entity.key), targets)


def _update(transaction: Transaction, reader: Reader, intent: Intent) -> Outcome:
    before = _writable(reader, intent)
    table = reader.held(before, intent.address.resource).home.path
    after = transaction.change(table, before, intent.body, intent.entry)
    _refer(transaction, after, intent)
    return Outcome(row=reader.row(after, intent.query, intent.address.resource))


def _delete(transaction: Transaction, reader: Reader, intent: Intent) -> Outcome:
    entity = _writable(reader, intent)
    transaction.delete(reader.held(entity, intent.address.resource).home.path, entity.key)
    return Outcome(status=204)


def _add_reference(transaction: Transaction, reader: Reader, intent: Intent) -> Outcome:
    owner = reader.check_owner(intent.address)
    for resource, targets in intent.references.items():
        transaction.refer(resource, owner, targets)
    return Outcome(status=204)


def _remove_reference(transaction: Transaction, reader: Reader, intent: Intent) -> Outcome:
    address = intent.address
    owner = reader.check_owner(address)
    targets: Iterable[Target] = intent.references.get(address.resource, ())
    if address.key is not None or not address.resource.is_collection:
        entity = reader.entity(address)
        links = reader.rows(address.resource.links).owned_by(owner)
        targets = [
            Target(each["table"], each["key"]) for each in links if each["key"] == entity.key
        ]
    for target in targets:
        transaction.unrefer(address.resource, owner, target)
    return Outcome(status=204)


def _append(transaction: Transaction, reader: Reader, intent: Intent) -> Outcome:
    """Add an item to a collection of complex values; the server writes its time and its author."""
    (path,) = intent.address.path
    before = _writable(reader, intent)
    item = {**intent.body}
    if "createdDateTime" in item:
        item["createdDateTime"] = transaction.now()
    if item.get(_AUTHOR, "") is None:
        item[_AUTHOR] = transaction.caller
    table = reader.held(before, intent.address.resource).home.path
    after = transaction.add(table, before, path, item)
    return Outcome(value=after[path], status=200)


_WRITES: Mapping[RequestKind, Callable[[Transaction, Reader, Intent], Outcome]] = {
    RequestKind.CREATE: _create,
    RequestKind.UPDATE: _update,
    RequestKind.DELETE: _delete,
    RequestKind.ADD_REFERENCE: _add_reference,
    RequestKind.SET_REFERENCE: _add_reference,
    RequestKind.REMOVE_REFERENCE: _remove_reference,
    RequestKind.APPEND: _append,
}


# -- operations -----------------------------------------------------------------------------


def invoke(subject: Any, reader: Reader, intent: Intent, behaviours: Behaviours) -> Outcome:
    """Run the behaviour of an action or function. Raise 501 where it has none.

    The behaviour is given the subject: the transaction, or the state where it runs apart.
    """
    address, call = intent.address, intent.address.call
    assert call is not None
    behaviour = behaviours.get(call.name)
    if behaviour is None:
        raise NotEmulated(
            f"what the operation '{call.name}' does; a test says it with "
            f'@graph.operation("{call.name}")'
        )
    resource, key = None, None
    if address.steps:
        resource = address.resource
        if address.key is None and resource.is_collection:
            key = reader.check_owner(address) or None
        else:
            key = reader.entity(address).key
    result = behaviour.effect(subject, Invocation(call.name, intent.body, resource, key))
    if not isinstance(result, Result):
        result = Result(result)
    return _returned(reader, result, intent, call.overloads[0].returns)


def _returned(reader: Reader, result: Result, intent: Intent, declared: Any) -> Outcome:
    """An outcome of what a behaviour gave, by the type that the operation returns."""
    value = result.value
    if value is None:
        return Outcome(status=result.status)
    returned: TypeRef | None = None if declared is None else declared.type
    if result.returns is not None:
        returned = TypeRef(result.returns, isinstance(value, list))
    if returned is None:
        raise TypeError(f"{intent.address.call} returns nothing, but its behaviour did")
    resource = intent.address.resource if intent.address.steps else None

    def row(item: Any) -> Row:
        if isinstance(item, Entity) and resource is not None:
            # What is stored, as the whole action left it.
            stored = reader.rows(resource.home.path).find(item.key) or item
            return reader.row(stored, intent.query, resource)._replace(resource=resource)
        return Row(item)

    if isinstance(value, list) and (not value or isinstance(value[0], Mapping)):
        return Outcome(
            page=Page([row(each) for each in value]), status=result.status, returned=returned
        )
    if isinstance(value, Mapping):
        return Outcome(row=row(value), status=result.status, returned=returned)
    return Outcome(value=value, status=result.status, returned=returned)


def _writable(reader: Reader, intent: Intent) -> Entity:
    """Return the entity to be written. Raise 404 and 412."""
    try:
        entity = reader.entity(intent.address)
    except NotFound:
        entity = _revived(reader, intent)
    if any(intent.preconditions):
        intent.preconditions.check_write(entity.etag)
    return entity


def _revived(reader: Reader, intent: Intent) -> Entity:
    """The one entity of a single-valued resource that was deleted, as an update finds it."""
    address = intent.address
    resource = address.resource
    if address.kind is RequestKind.UPDATE and resource.kind is ResourceKind.CONTAINED:
        key = join_key(reader.check_owner(address), SINGLE)
        entity = implicit(resource, reader.database, key, intent.body)
        if entity is not None:
            return entity
    raise UnknownKey(address.key or resource.name)


def _walk(intent: Intent) -> str:
    """Return what tells a list from others: what it is of, filtered and ordered by."""
    address = intent.address
    options = ((name.lower().removeprefix("$"), value) for name, value in intent.options)
    chosen = sorted(each for each in options if each[0] in ("filter", "search", "orderby"))
    steps = [(step.resource.path, step.key) for step in address.steps]
    return repr((steps, address.cast, chosen))


def _page_size(intent: Intent) -> int:
    """Return how many entities a page has: ``$top`` in Graph; a preference makes it smaller."""
    asked, preferred = intent.query.top, intent.preferences.max_page_size
    if asked is None:
        return min(preferred or PAGE_SIZE, MAX_PAGE_SIZE)
    return min(asked, preferred or asked)
