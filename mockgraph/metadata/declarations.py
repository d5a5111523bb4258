"""The declarations that requests are resolved against: what a service serves. Nothing here acts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from mockgraph.metadata.names import Json, Properties

if TYPE_CHECKING:
    from mockgraph.metadata.structures import StructuredType
    from mockgraph.state.transactions import Transaction

# The member of a state document, beside the singleton's, that says who may sign in.
DIRECTORY = "Directory"
# The member that holds the rows of hunting's tables.
HUNTING = "Hunting"


@dataclass(frozen=True)
class Permissions:
    """The permissions that do for reading and for writing, any one of each."""

    read: tuple[str, ...]
    write: tuple[str, ...]


class ActionResult(NamedTuple):
    """What an action answers: a status, and a value or a collection of its return type.

    ``returns`` is the type of the value where it is not the one that the action declares.
    """

    status: int
    value: Json = None
    returns: type[StructuredType] | None = None


@dataclass(frozen=True, eq=False)
class Action:
    """A bound action: ``parameters`` is its body's schema, ``effect`` what it does.

    ``effect`` is given the transaction, the key of the entity it is bound to (None where it
    is bound to the collection) and the validated parameters. ``creates`` tells that these
    are entities to be made.
    """

    name: str
    effect: Callable[[Transaction, str | None, Properties], ActionResult]
    on_entity: bool = False
    creates: bool = False
    parameters: type[StructuredType] | None = None
    returns: type[StructuredType] | None = None


@dataclass(frozen=True, eq=False)
class Navigation:
    """A property that leads from an entity to those of another set that name it in ``by``."""

    name: str
    target: EntitySet
    by: str


@dataclass(frozen=True, eq=False)
class Rules:
    """What the live service demands of a set beyond its schema, on ``v1.0`` and ``beta``.

    ``max_skip`` bounds ``$skip``; ``updatable`` are the properties that a PATCH may change
    (None is all), ``update_needs`` paths that its body must hold; ``update_answers`` is how
    it is answered where the caller does not say: ``minimal`` is 204.
    """

    max_skip: int | None = None
    updatable: frozenset[str] | None = None
    update_needs: tuple[str, ...] = ()
    update_answers: str = "representation"


@dataclass(frozen=True, eq=False)
class EntitySet:
    """A collection below the singleton: its name in URLs, its type, who may use it.

    ``roots`` names the roots that serve it; None is all of them. ``appendable`` are the
    collections of complex values to which a POST adds.
    """

    name: str
    type: type[StructuredType]
    permissions: Permissions
    actions: tuple[Action, ...] = ()
    roots: frozenset[str] | None = None
    navigations: tuple[Navigation, ...] = ()
    appendable: tuple[str, ...] = ()
    rules: Rules = Rules()


@dataclass(frozen=True, eq=False)
class Singleton:
    """The one object that the service hangs on."""

    name: str
    type: type[StructuredType]
    permissions: Permissions


Resource = Singleton | EntitySet


@dataclass(frozen=True)
class Root:
    """A first path segment, one view on the state.

    ``documented`` views are those of the ``localtest`` pages: ``@odata.type`` at each level,
    and no rules beyond the schemas. ``singleton`` is how the view's URLs spell the singleton.
    """

    name: str
    singleton: str
    documented: bool = False


@dataclass(frozen=True, eq=False)
class Service:
    """All that is served: the roots, the singleton and the sets below it.

    ``tables`` are what the state keeps, by the names of TinyDB's tables: paths as URLs show
    them below the root, with the singleton in small letters, ``security/alerts``.
    """

    roots: Mapping[str, Root]
    singleton: Singleton
    sets: Mapping[str, EntitySet] = field(default_factory=dict)
    tables: Mapping[str, Resource] = field(init=False, repr=False)
    _table_names: Mapping[Resource, str] = field(init=False, repr=False)
    _sets_at: Mapping[str, Mapping[str, EntitySet]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        sets_at = {
            root.name: {
                name: each
                for name, each in self.sets.items()
                if each.roots is None or root.name in each.roots
            }
            for root in self.roots.values()
        }
        object.__setattr__(self, "_sets_at", sets_at)
        top = self.singleton.name.lower()
        tables = {top: self.singleton, **{f"{top}/{s.name}": s for s in self.sets.values()}}
        object.__setattr__(self, "tables", tables)
        object.__setattr__(self, "_table_names", {each: name for name, each in tables.items()})

    def table_of(self, resource: Resource) -> str:
        """Return the name of the table that keeps a set, or the singleton."""
        return self._table_names[resource]

    def sets_at(self, root: Root) -> Mapping[str, EntitySet]:
        """The sets that a root serves."""
        return self._sets_at[root.name]
