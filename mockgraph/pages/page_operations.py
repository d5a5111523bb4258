"""Operations that pages alone declare, and how they are answered.

A function reads: where it gives entities of the kind that it is bound to, it gives those that are
in the state. An action that gives the entity that it is bound to gives it as it is. Any other
operation answers as its page shows. What a call changes no page says,
and nothing is changed. What a page shows of a new entity beyond what its request sends is what the
service gives it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mockgraph.errors import NotEmulated, UnknownKey
from mockgraph.metadata.elements import ReturnType
from mockgraph.metadata.names import Json
from mockgraph.metadata.resources import Resource
from mockgraph.service import is_at_home
from mockgraph.state.behaviours import Behaviour, Invocation, Result
from mockgraph.state.entities import Entity
from mockgraph.state.intent import Address, RequestKind
from mockgraph.state.transactions import Transaction


def is_of_pages(address: Address) -> bool:
    """Return whether an operation is called that no bundled metadata declares there."""
    return address.call is not None and not is_at_home(address.call.name, address.bound_to)


def gives_what_it_is_bound_to(address: Address) -> bool:
    """Return whether an operation is called that gives what it is bound to.

    A function that is bound to a collection gives its entities, or the first of them; one that is
    bound to an entity gives that. So does an action, as far as pages alone declare it.
    """
    if address.call is None or not address.steps:
        return False
    declared = address.call.overloads[0].returns
    if declared is None or not _gives(declared, address.resource, address.key):
        return False
    is_of_one = address.key is not None or not address.resource.is_collection
    return address.kind is RequestKind.CALL or (is_of_one and is_of_pages(address))


def answers_what_is_kept(address: Address) -> bool:
    """Return whether an operation of pages alone is called that gives what it is bound to."""
    return gives_what_it_is_bound_to(address) and is_of_pages(address)


def _gives(declared: ReturnType, resource: Resource, key: str | None) -> bool:
    chain = resource.view.model.chain(resource.type_name)
    is_of_all = resource.is_collection and key is None
    is_kind = any(each.name == declared.type.name for each in chain)
    return is_kind and (is_of_all or not declared.type.collection)


class ShownAnswer(NamedTuple):
    """An answer that a page shows: ``path`` and ``type_name`` are of what the call is bound to.

    ``parameters`` are what the call sends, None where it sends nothing; with ``is_kept`` the
    answer is read from the state, and ``value`` tells by being a list that all are given.
    """

    path: str
    type_name: str
    parameters: Json
    value: Json
    status: int
    is_kept: bool = False


def shown_answers(answers: Sequence[ShownAnswer]) -> Behaviour:
    """Return the behaviour of an operation that answers as pages show.

    Of several examples it is one that is bound to the same, and of those the one with the same
    parameters.
    """

    def effect(transaction: Transaction, call: Invocation) -> Any:
        path = call.resource.path if call.resource is not None else ""
        kind = call.resource.type_name if call.resource is not None else ""
        near = [each for each in answers if each.path == path]
        near = near or [each for each in answers if each.type_name == kind]
        if not near:
            raise NotEmulated(f"what the operation '{call.name}' does where no page shows it")
        same = [each for each in near if each.parameters == call.parameters]
        shown = (same or near)[0]
        if shown.is_kept:
            return _kept(transaction, call, every=isinstance(shown.value, list))
        return Result(shown.value, shown.status)

    return Behaviour(effect)


class ShownCreation(NamedTuple):
    """The body by which a page creates an entity, and what it shows of the new one beyond."""

    sent: Mapping[str, Json]
    given: Mapping[str, Json]


def given_at_creation(type_name: str, shown: Sequence[ShownCreation]) -> Behaviour:
    """Return the behaviour of a type that pages declare: a new entity has what a page shows.

    That is the example whose request is nearest to the one that came, and what this says nothing
    of; the bundled resources are left as they are.
    """

    def effect(transaction: Transaction, call: Invocation) -> None:
        made = transaction.get(call.table, call.key or "")
        if call.before is None and made is not None:
            given = max(shown, key=lambda each: _likeness(each.sent, call.parameters)).given
            unset = {name: value for name, value in given.items() if made.get(name) is None}
            transaction.compute(call.table, made.key, unset)

    return Behaviour(effect, applies=lambda resource: not is_at_home(type_name, resource))


def _likeness(mine: Mapping[str, Json], yours: Mapping[str, Json]) -> tuple[int, int]:
    """Return in how many values, and in how many names, two requests are alike."""
    both = {name for name in mine.keys() & yours.keys() if yours[name] is not None}
    return sum(mine[name] == yours[name] for name in both), len(both)


def _kept(transaction: Transaction, call: Invocation, *, every: bool) -> Json | Sequence[Entity]:
    """The entity that a function is bound to, or those of the collection, or its first one."""
    resource, key = call.resource, call.key or ""
    assert resource is not None
    if key and (entity := transaction.get(call.table, key)) is not None:
        return entity
    if resource.home is not resource:
        found = transaction.referred(resource.path, key)
    else:
        rows = transaction.rows(call.table)
        found = list(rows.owned_by(key) if key else rows.in_order)
    if every:
        return found
    if not found:
        raise UnknownKey(resource.name)
    return found[0]
