"""Behaviours: what actions and functions do, which metadata cannot say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from mockgraph.metadata.names import Json, Properties

if TYPE_CHECKING:
    from mockgraph.metadata.resources import Resource
    from mockgraph.state import State
    from mockgraph.state.transactions import Transaction


class Invocation(NamedTuple):
    """A call of an action or function.

    ``name`` is the qualified name, ``parameters`` what the caller sent, validated. ``resource`` is
    what the operation is bound to, None of an unbound one; ``key`` is the stored key of the entity
    that it is bound to or, of a collection, that the collection belongs to.
    """

    name: str
    parameters: Properties
    resource: Resource | None = None
    key: str | None = None

    @property
    def table(self) -> str:
        """The table of the entities that the operation is bound to."""
        assert self.resource is not None
        return self.resource.home.path


class Result(NamedTuple):
    """The answer of an operation where the value alone does not say it.

    ``returns`` is the qualified name of the type of the value, or of its items, where that is
    not the one that the metadata declares.
    """

    value: Json = None
    status: int | None = None
    returns: str | None = None


Effect = Callable[["Transaction", Invocation], Any]
EffectApart = Callable[["State", Invocation], Any]


class Behaviour(NamedTuple):
    """The effect of an operation.

    ``effect`` is given the transaction and the call, and returns the value to answer, or a
    Result. ``creates`` tells that each call makes entities; with ``changes`` the items of its
    parameters are changes, of which only what was sent counts. One that runs ``apart`` may take
    minutes and is no transaction: it holds up no write, and is given the :class:`State` instead.
    """

    effect: Effect | EffectApart
    creates: bool = False
    changes: bool = False
    apart: bool = False


F = TypeVar("F", bound=Effect)

_MARK = "__mockgraph_operation__"


def operation(name: str, *, creates: bool = False, changes: bool = False) -> Callable[[F], F]:
    """Mark a function as what an operation does, by the operation's qualified name.

    A file of such functions is given to ``mockgraph serve --operations FILE``::

        @operation("microsoft.graph.security.close")
        def close(transaction, call):
            transaction.update(call.table, call.key, {"status": "closed"})
    """

    def mark(function: F) -> F:
        setattr(function, _MARK, (name, Behaviour(function, creates, changes)))
        return function

    return mark


def marked(members: Mapping[str, object]) -> dict[str, Behaviour]:
    """Return the behaviours that the functions among a module's members are marked with."""
    found = (getattr(each, _MARK, None) for each in members.values() if callable(each))
    return dict(each for each in found if each is not None)
