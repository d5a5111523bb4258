"""The operations of OData on the tables: what a request asks for is read or written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mockgraph.errors import NotFound
from mockgraph.metadata.declarations import EntitySet, Resource, Service
from mockgraph.metadata.names import Json
from mockgraph.state.entities import Entity
from mockgraph.state.intent import Address, Intent, Operation, Outcome, Page, Row
from mockgraph.state.paging import Pager
from mockgraph.state.persistent import Ordered
from mockgraph.state.query import Expansion, Query
from mockgraph.state.snapshots import Rows
from mockgraph.state.tables import EntityDB
from mockgraph.state.transactions import Transaction, unknown_key

PAGE_SIZE = 100
MAX_PAGE_SIZE = 1000


class Reader:
    """Reads tables that nobody else writes to: a view of the state, or a transaction's."""

    __slots__ = ("_database", "_service")

    def __init__(self, database: EntityDB, service: Service):
        self._database = database
        self._service = service

    def rows(self, resource: Resource) -> Rows:
        """Return the stored entities of a set, or the singleton, by key."""
        return self._database.table(self._service.table_of(resource)).rows

    def entity(self, address: Address) -> Entity:
        """Return the singleton or the entity at, or above, an address. Raise 404."""
        if address.key is None:
            return self.rows(self._service.singleton).in_order.first()
        entity = self.rows(address.resource).find(address.key)
        if entity is None:
            raise unknown_key(address.key)
        return entity

    def reached(self, address: Address, query: Query) -> Ordered[Entity]:
        """Return the entities of a set, or those that an entity's navigation leads to.

        Some of those that the query's filter does not match are left out. Raise 404.
        """
        if address.within is None:
            return self._candidates(address.resource, query)
        return self._related(address.within.target, address.within.by, self.entity(address))

    def value(self, entity: Entity, path: Sequence[str]) -> Json:
        """Return the value at a property path; a null on the way is null. Raise 404."""
        value: Any = entity
        for name in path:
            if value is None:
                return None
            if not isinstance(value, Mapping) or name not in value:
                raise NotFound(f"The property '{name}' has no value here.")
            value = value[name]
        return value

    def row(self, entity: Entity, query: Query, resource: Resource) -> Row:
        """Return an entity for an answer, its navigations expanded as the query asks."""
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
        return self.rows(resource).having(query.filter.equalities if query.filter else ())

    def _related(self, target: EntitySet, by: str, owner: Entity) -> Ordered[Entity]:
        candidates = self.rows(target).having([((by,), (owner.key,))])
        return Ordered(each for each in candidates if each[by] == owner.key)


# -- reading ------------------------------------------------------------------------------


def read(reader: Reader, intent: Intent, pager: Pager) -> Outcome:
    """Answer a request that writes nothing. Raise 400, 404 and 412."""
    return _READS[intent.address.operation](reader, intent, pager)


def _nothing(_: Reader, __: Intent, ___: Pager) -> Outcome:
    return Outcome()


def _list(reader: Reader, intent: Intent, pager: Pager) -> Outcome:
    address, query = intent.address, intent.query
    target = address.within.target if address.within else address.resource
    cut = pager.page(
        reader.reached(address, query),
        query,
        _page_size(intent),
        reader.rows(target).find,
        _walk(intent),
    )
    rows = [reader.row(entity, query, target) for entity in cut.entities]
    return Outcome(page=Page(rows, cut.total, cut.next))


def _count(reader: Reader, intent: Intent, _: Pager) -> Outcome:
    return Outcome(value=intent.query.number(reader.reached(intent.address, intent.query)))


def _read(reader: Reader, intent: Intent, _: Pager) -> Outcome:
    entity = reader.entity(intent.address)
    row = reader.row(entity, intent.query, intent.address.resource)
    return Outcome(row=row, unchanged=intent.preconditions.is_known(entity.etag))


def _read_property(reader: Reader, intent: Intent, _: Pager) -> Outcome:
    entity = reader.entity(intent.address)
    value = reader.value(entity, intent.address.path)
    known = intent.preconditions.is_known(entity.etag)
    return Outcome(Row(entity, entity.etag), value=value, unchanged=known)


def _count_property(reader: Reader, intent: Intent, _: Pager) -> Outcome:
    value = reader.value(reader.entity(intent.address), intent.address.path)
    if not isinstance(value, list):
        raise NotFound(f"'{intent.address.path[-1]}' is no collection.")
    return Outcome(value=len(value))


_READS: Mapping[Operation, Callable[[Reader, Intent, Pager], Outcome]] = {
    Operation.OPTIONS: _nothing,
    Operation.SERVICE_DOCUMENT: _nothing,
    Operation.METADATA: _nothing,
    Operation.LIST: _list,
    Operation.COUNT: _count,
    Operation.LIST_REFERENCES: _list,
    Operation.READ: _read,
    Operation.READ_REFERENCE: _read,
    Operation.READ_PROPERTY: _read_property,
    Operation.READ_VALUE: _read_property,
    Operation.COUNT_PROPERTY: _count_property,
}


# -- writing ------------------------------------------------------------------------------


def write(transaction: Transaction, intent: Intent, service: Service) -> Outcome:
    """Do what a request asks, in its transaction. Raise 400, 404, 409 and 412."""
    table = service.table_of(intent.address.resource)
    reader = Reader(transaction.database, service)
    return _WRITES[intent.address.operation](transaction, table, reader, intent)


def _create(transaction: Transaction, table: str, reader: Reader, intent: Intent) -> Outcome:
    made = transaction.create(table, intent.body)
    return Outcome(row=reader.row(made, intent.query, intent.address.resource), status=201)


def _update(transaction: Transaction, table: str, reader: Reader, intent: Intent) -> Outcome:
    before = _writable(reader, intent)
    after = transaction.update(table, before.key, intent.body)
    return Outcome(row=reader.row(after, intent.query, intent.address.resource))


def _delete(transaction: Transaction, table: str, reader: Reader, intent: Intent) -> Outcome:
    transaction.delete(table, _writable(reader, intent).key)
    return Outcome(status=204)


def _append(transaction: Transaction, table: str, reader: Reader, intent: Intent) -> Outcome:
    """Add an item to a collection of complex values; the server writes its time."""
    (path,) = intent.address.path
    before = _writable(reader, intent)
    item = {**intent.body}
    if "createdDateTime" in item:
        item["createdDateTime"] = transaction.now()
    after = transaction.update(table, before.key, {path: [*before[path], item]})
    return Outcome(value=after[path], status=200)


def _act(transaction: Transaction, _: str, reader: Reader, intent: Intent) -> Outcome:
    address = intent.address
    action = address.action
    assert action is not None  # an address with this operation has one
    result = action.effect(transaction, address.key, intent.body)
    returns = result.returns or action.returns
    if result.value is None:
        return Outcome(status=result.status)
    if returns is address.resource.type:  # what is stored, as the whole action left it
        stored = reader.rows(address.resource)
        entities = [stored[each["id"]] for each in result.value]
        rows = [reader.row(each, intent.query, address.resource) for each in entities]
    else:
        rows = [Row(each) for each in result.value]
    return Outcome(page=Page(rows), status=result.status, type=returns)


_WRITES: Mapping[Operation, Callable[[Transaction, str, Reader, Intent], Outcome]] = {
    Operation.CREATE: _create,
    Operation.UPDATE: _update,
    Operation.DELETE: _delete,
    Operation.APPEND: _append,
    Operation.ACT: _act,
}


def _writable(reader: Reader, intent: Intent) -> Entity:
    """Return the entity to be written. Raise 404 and 412."""
    entity = reader.entity(intent.address)
    intent.preconditions.check_write(entity.etag)
    return entity


def _walk(intent: Intent) -> str:
    """Return what tells a list from others: what it is of, filtered and ordered by."""
    address = intent.address
    options = ((name.lower().removeprefix("$"), value) for name, value in intent.options)
    chosen = sorted(each for each in options if each[0] in ("filter", "search", "orderby"))
    within = address.within.name if address.within else None
    return repr((address.resource.name, address.key, within, chosen))


def _page_size(intent: Intent) -> int:
    """Return how many entities a page has: ``$top`` in Graph; a preference makes it smaller."""
    asked, preferred = intent.query.top, intent.preferences.max_page_size
    if asked is None:
        return min(preferred or PAGE_SIZE, MAX_PAGE_SIZE)
    return min(asked, preferred or asked)
