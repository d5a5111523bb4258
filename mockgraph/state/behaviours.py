"""Behaviours: what actions and functions do, which metadata cannot say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from mockgraph.metadata.names import Json, Properties
from mockgraph.state.runs import Run

if TYPE_CHECKING:
    from mockgraph.metadata.resources import Resource
    from mockgraph.state import State
    from mockgraph.state.entities import Entity
    from mockgraph.state.intent import Target
    from mockgraph.state.transactions import Transaction


class Invocation(NamedTuple):
    """A call of an action or function.

    ``name`` is the qualified name, ``parameters`` what the caller sent, validated. ``resource`` is
    what the operation is bound to, None of an unbound one; ``key`` is the stored key of the entity
    that it is bound to or, of a collection, that the collection belongs to.

    Or the creation or update of an entity: ``name`` is that of its type, ``key`` its own key, and
    ``before`` is the entity as it was, None of a new one.
    """

    name: str
    parameters: Properties
    resource: Resource | None = None
    key: str | None = None
    before: Entity | None = None

    @property
    def table(self) -> str:
        """The table of the entities that the operation is bound to."""
        assert self.resource is not None
        return self.resource.home.path


class Result(NamedTuple):
    """The answer of an operation where the value alone does not say it.

    ``returns`` is the qualified name of the type of the value, or of its items, where that is
    not the one that the metadata declares. ``location`` is for the header ``Location``: table and
    key of an entity, or a URL.
    """

    value: Json = None
    status: int | None = None
    returns: str | None = None
    location: Target | str | None = None


Effect = Callable[["Transaction", Invocation], Any]
EffectApart = Callable[["State", Invocation], Any]
Progress = Callable[["Transaction", Run], object]


class Behaviour(NamedTuple):
    """The effect of an operation or, under the name of an entity type, of what is written of one.

    ``effect`` is given the transaction and the call, and returns the value to answer, or a
    Result. ``creates`` tells that each call makes entities; with ``changes`` the items of its
    parameters are changes, of which only what was sent counts. One that runs ``apart`` may take
    minutes and is no transaction: it holds up no write, and is given the :class:`State` instead.

    ``progress`` is given a transaction, at the time of the step, and a run that the effect set
    going, each time that it has come to another status; without, the entity takes that status.

    ``applies`` tells the resources that it is for, where it is not for all of them; on others it is
    ``otherwise`` that is done, or nothing.
    """

    effect: Effect | EffectApart
    creates: bool = False
    changes: bool = False
    apart: bool = False
    progress: Progress | None = None
    applies: Callable[[Resource | None], bool] | None = None
    otherwise: Behaviour | None = None


def behaviour_at(
    behaviours: Mapping[str, Behaviour], name: str, resource: Resource | None
) -> Behaviour | None:
    """Return the behaviour of a name that is for a resource; None where there is none.

    The resource is what an operation is bound to, None of an unbound one, or holds what was
    written.
    """
    found = behaviours.get(name)
    while found is not None and found.applies is not None and not found.applies(resource):
        found = found.otherwise
    return found


F = TypeVar("F", bound=Effect)


def by_type(effects: Mapping[str, Effect]) -> Effect:
    """Return the effect of an operation that does another thing for each type it is bound to."""

    def effect(transaction: Transaction, call: Invocation) -> Any:
        assert call.resource is not None
        return effects[call.resource.type_name](transaction, call)

    return effect


_MARK = "__mockgraph_operation__"


def operation(
    name: str,
    *,
    creates: bool = False,
    changes: bool = False,
    progress: Progress | None = None,
) -> Callable[[F], F]:
    """Mark a function as what an operation does, by the operation's qualified name.

    Under the name of an entity type it is done whenever one was created or updated. A file of
    such functions is given to ``mockgraph serve --operations FILE``::

        @operation("microsoft.graph.security.close")
        def close(transaction, call):
            transaction.update(call.table, call.key, {"status": "closed"})
    """

    def mark(function: F) -> F:
        setattr(function, _MARK, (name, Behaviour(function, creates, changes, progress=progress)))
        return function

    return mark


def behaviours_among(members: Mapping[str, object]) -> dict[str, Behaviour]:
    """Return the behaviours that the functions among a module's members are marked with."""
    found = (getattr(each, _MARK, None) for each in members.values() if callable(each))
    return dict(each for each in found if each is not None)
