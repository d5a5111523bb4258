"""The operations of OData on the tables: what a request asks for is read or written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, cast

from mockgraph import metadata as edm
from mockgraph.errors import BadRequest, NotEmulated, NotFound, UnknownKey, WrongResult
from mockgraph.metadata.elements import ReturnType, TypeRef
from mockgraph.metadata.names import Json
from mockgraph.metadata.resources import SINGLE, Resource, ResourceKind
from mockgraph.state.behaviours import Behaviour, Effect, Invocation, Result, behaviour_at
from mockgraph.state.entities import Entity, join_key, owner_key
from mockgraph.state.intent import Address, Intent, Outcome, Page, RequestKind, Row, Target
from mockgraph.state.paging import Pager
from mockgraph.state.reader import Reader
from mockgraph.state.table_rules import table_of_owners
from mockgraph.state.transactions import Transaction

PAGE_SIZE = 100
MAX_PAGE_SIZE = 1000

Behaviours = Mapping[str, Behaviour]
_AUTHOR = "createdByDisplayName"


def _held_at(address: Address, outcome: Outcome) -> Outcome:
    """An outcome whose entities tell where they are held: their URLs are no longer the request's.

    It is that of an address which has landed elsewhere than it pointed to.
    """
    if not address.steps or address.call is not None:
        return outcome
    held = address.resource

    def row(found: Row) -> Row:
        return found if found.resource is not None else found._replace(resource=held)

    if outcome.row is not None:
        return outcome._replace(row=row(outcome.row))
    if outcome.page is not None:
        rows = [row(each) for each in outcome.page.rows]
        return outcome._replace(page=outcome.page._replace(rows=rows))
    return outcome


# -- reading ------------------------------------------------------------------------------


def read(reader: Reader, intent: Intent, pager: Pager) -> Outcome:
    """Answer a request that writes nothing. Raise 400, 404 and 412."""
    reader.bind(intent.query)
    address = reader.landed(intent.address)
    if address is intent.address:
        return _READS[address.kind](reader, intent, pager)
    return _held_at(address, _READS[address.kind](reader, intent._replace(address=address), pager))


def _nothing(_: Reader, __: Intent, ___: Pager) -> Outcome:
    return Outcome()


def _list(reader: Reader, intent: Intent, pager: Pager) -> Outcome:
    address = intent.address
    listing = reader.listing(address, intent.query)
    find: Callable[[str], Entity | None] = reader.rows(address.resource.home.path).find
    if address.resource.kind is ResourceKind.REFERENCE:
        find = {each.key: each for each in listing.entities}.get
    cut = pager.page(listing, _page_size(intent), find, partial(_walk, intent))
    rows = reader.page(cut.entities, intent.query, address.resource)
    return Outcome(page=Page(rows, cut.total, cut.next))


def _count(reader: Reader, intent: Intent, _: Pager) -> Outcome:
    return Outcome(value=reader.listing(intent.address, intent.query).count())


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
    transaction.bind(intent.query)
    address = intent.address
    if not address.follows:
        return _WRITES[address.kind](transaction, intent, behaviours)
    landed = transaction.landed(address)
    references = {
        landed.resource if resource is address.resource else resource: targets
        for resource, targets in intent.references.items()
    }
    intent = intent._replace(address=landed, references=references)
    return _held_at(landed, _WRITES[address.kind](transaction, intent, behaviours))


def _create(transaction: Transaction, intent: Intent, behaviours: Behaviours) -> Outcome:
    resource = intent.address.resource
    owner = transaction.check_owner(intent.address)
    body, held = intent.body, resource.home
    if resource.kind is ResourceKind.CONTAINED:
        made = transaction.make(resource.path, body, owner, intent.entry)
    else:
        if resource.kind is ResourceKind.RELATED:
            body = {**body, **_constraint(transaction, resource, owner)}
        made = transaction.make(held.path, body, _shared_owner(resource, owner), intent.entry)
    if resource.kind is ResourceKind.REFERENCE:
        transaction.refer(resource, owner, [Target(held.path, made.key)])
    return _written(transaction, intent, behaviours, held, made, status=201)


def _written(
    transaction: Transaction,
    intent: Intent,
    behaviours: Behaviours,
    held: Resource,
    entity: Entity,
    before: Entity | None = None,
    status: int | None = None,
) -> Outcome:
    """Do what comes with, or follows, the write of an entity; it is the outcome as that leaves it.

    ``held`` is the resource that holds it; the behaviour of its type may give another status.
    """
    location = None
    for child, targets in intent.references.items():
        resource = transaction.below(held.path, entity, child)
        transaction.refer(resource, owner_key(entity.key), targets)
    own = edm.own_type(held.type, entity).type_name
    if own in behaviours and (behaviour := behaviour_at(behaviours, own, held)) is not None:
        effect = cast("Effect", behaviour.effect)  # what follows a write is part of it
        call = Invocation(own, intent.body, held, entity.key, before)
        result = effect(transaction, call)
        entity = transaction.get(held.path, entity.key) or entity
        if isinstance(result, Result):
            status, location = result.status or status, result.location
    row = transaction.row(entity, intent.query, intent.address.resource)
    return Outcome(row, status, location)


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


def _constraint(transaction: Transaction, resource: Resource, owner: str) -> dict[str, Json]:
    assert resource.owner is not None
    assert resource.navigation is not None
    holder = transaction.rows(resource.owner.home.path)[owner]
    return {each.referenced: holder.get(each.property) for each in resource.navigation.constraints}


def _update(transaction: Transaction, intent: Intent, behaviours: Behaviours) -> Outcome:
    before = _writable(transaction, intent)
    held = transaction.held(before, intent.address.resource).home
    after = transaction.change(held.path, before, intent.body, intent.entry)
    return _written(transaction, intent, behaviours, held, after, before)


def _delete(transaction: Transaction, intent: Intent, _: Behaviours) -> Outcome:
    entity = _writable(transaction, intent)
    transaction.delete(transaction.held(entity, intent.address.resource).home.path, entity.key)
    return Outcome(status=204)


def _add_reference(transaction: Transaction, intent: Intent, _: Behaviours) -> Outcome:
    owner = transaction.check_owner(intent.address)
    for resource, targets in intent.references.items():
        transaction.refer(resource, owner, targets)
    return Outcome(status=204)


def _remove_reference(transaction: Transaction, intent: Intent, _: Behaviours) -> Outcome:
    address = intent.address
    owner = transaction.check_owner(address)
    targets: Iterable[Target] = intent.references.get(address.resource, ())
    if address.key is not None or not address.resource.is_collection:
        entity = transaction.entity(address)
        links = transaction.rows(address.resource.links).owned_by(owner)
        targets = [
            Target(each["table"], each["key"]) for each in links if each["key"] == entity.key
        ]
    for target in targets:
        transaction.unrefer(address.resource, owner, target)
    return Outcome(status=204)


def _append(transaction: Transaction, intent: Intent, _: Behaviours) -> Outcome:
    """Add items to a collection of complex values; the server writes their time and author."""
    (path,) = intent.address.path
    entity = _writable(transaction, intent)
    table = transaction.held(entity, intent.address.resource).home.path
    for sent in intent.body["value"]:
        item = {**sent}
        if "createdDateTime" in item:
            item["createdDateTime"] = transaction.now()
        if item.get(_AUTHOR, "") is None:
            item[_AUTHOR] = transaction.caller
        entity = transaction.add(table, entity, path, item)
    return Outcome(value=entity[path], status=200)


# -- operations -----------------------------------------------------------------------------


def _invoke(transaction: Transaction, intent: Intent, behaviours: Behaviours) -> Outcome:
    return invoke(transaction, transaction, intent, behaviours)


def invoke(subject: Any, reader: Reader, intent: Intent, behaviours: Behaviours) -> Outcome:
    """Run the behaviour of an action or function. Raise 501 where it has none.

    The behaviour is given the subject: the transaction, or the state where it runs apart.
    """
    address, call = intent.address, intent.address.call
    assert call is not None
    behaviour = behaviour_at(behaviours, call.name, address.bound_to)
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
    declared = call.overloads[0].returns
    returned = _returned(reader, result, intent, declared, is_checked=not behaviour.apart)
    return returned if result.location is None else returned._replace(location=result.location)


def _returned(
    reader: Reader,
    result: Result,
    intent: Intent,
    declared: ReturnType | None,
    *,
    is_checked: bool,
) -> Outcome:
    """An outcome of what a behaviour gave, once that is of the type that the operation returns.

    Raise WrongResult where it is not. What runs apart is the service's own, and gives so much that
    checking it would take longer than finding it.
    """
    value, call = result.value, intent.address.call
    assert call is not None
    if value is None:
        if declared is None or result.status is not None:
            return Outcome(status=result.status)
        if declared.type.collection or not declared.nullable:
            raise WrongResult(call.name, f"it returned nothing, and not '{declared.type}'.")
        return Outcome(status=result.status)
    returned: TypeRef | None = None if declared is None else declared.type
    if result.returns is not None:
        returned = TypeRef(result.returns, isinstance(value, list))
    if returned is None:
        raise WrongResult(call.name, "it returned a value, and the operation returns none.")
    if isinstance(value, bytes) and returned.name == "Edm.Stream":
        return Outcome(value=value, status=result.status, returned=returned)
    resource = intent.address.resource if intent.address.steps else None
    field = reader.field_of(returned)

    def row(item: Any) -> Row:
        if isinstance(item, Entity) and resource is not None:
            # What is stored, as the whole action left it.
            stored = reader.rows(resource.home.path).find(item.key) or item
            return reader.row(stored, intent.query, resource)._replace(resource=resource)
        return Row(item)

    if is_checked:
        try:
            value = reader.returned(field, value, "value")
        except BadRequest as error:
            raise WrongResult(call.name, error.message) from None
    if isinstance(field, edm.Complex):
        return Outcome(row=row(value), status=result.status, returned=returned)
    if isinstance(field, edm.Collection) and isinstance(field.item, edm.Complex):
        page = Page([row(each) for each in value])
        return Outcome(page=page, status=result.status, returned=returned)
    return Outcome(value=value, status=result.status, returned=returned)


def _writable(transaction: Transaction, intent: Intent) -> Entity:
    """Return the entity to be written. Raise 404 and 412."""
    try:
        entity = transaction.entity(intent.address)
    except NotFound:
        entity = _revived(transaction, intent)
    if any(intent.preconditions):
        intent.preconditions.check_write(entity.etag)
    return entity


def _revived(transaction: Transaction, intent: Intent) -> Entity:
    """The one entity of a single-valued resource that was deleted, as an update finds it."""
    address = intent.address
    resource = address.resource
    if address.kind is RequestKind.UPDATE and resource.kind is ResourceKind.CONTAINED:
        key = join_key(transaction.check_owner(address), SINGLE)
        entity = transaction.implicit(resource, key, intent.body)
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


_WRITES: Mapping[RequestKind, Callable[[Transaction, Intent, Behaviours], Outcome]] = {
    RequestKind.CREATE: _create,
    RequestKind.UPDATE: _update,
    RequestKind.DELETE: _delete,
    RequestKind.ADD_REFERENCE: _add_reference,
    RequestKind.SET_REFERENCE: _add_reference,
    RequestKind.REMOVE_REFERENCE: _remove_reference,
    RequestKind.APPEND: _append,
    RequestKind.ACT: _invoke,
    RequestKind.CALL: _invoke,
}
