"""The frozen values that travel down the line, and the declarations they are resolved against.

A :class:`Service` says what is served; a request becomes an :class:`Address` in it, then an
:class:`Intent`, then an :class:`Outcome`. Nothing here acts.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from mockgraph.edm import StructuredType
    from mockgraph.odata.query import Query

Json = Any
Properties = Mapping[str, Json]

# The member of a state document, beside the singleton's, that says who may sign in.
DIRECTORY = "Directory"


@dataclass(frozen=True)
class Permissions:
    """The permissions that do for reading and for writing, any one of each."""

    read: tuple[str, ...]
    write: tuple[str, ...]


class Transaction(Protocol):
    """The state as an action sees it: what it does here happens whole or not at all."""

    def now(self) -> str: ...
    def get(self, set_name: str, key: str) -> Properties | None: ...
    def having(
        self, set_name: str, name: str, values: Collection[Json]
    ) -> Iterable[Properties]: ...
    def create(self, set_name: str, properties: Properties) -> Properties: ...
    def update(self, set_name: str, key: str, changes: Properties) -> Properties: ...
    def delete(self, set_name: str, key: str) -> None: ...


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
    """All that is served: the roots, the singleton and the sets below it."""

    roots: Mapping[str, Root]
    singleton: Singleton
    sets: Mapping[str, EntitySet] = field(default_factory=dict)
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

    def sets_at(self, root: Root) -> Mapping[str, EntitySet]:
        """The sets that a root serves."""
        return self._sets_at[root.name]


class Operation(enum.Enum):
    """What a request wants done at its address."""

    OPTIONS = "options"
    SERVICE_DOCUMENT = "service document"
    METADATA = "metadata"
    BATCH = "batch"
    LIST = "list"
    COUNT = "count"
    LIST_REFERENCES = "list references"
    CREATE = "create"
    READ = "read"
    READ_REFERENCE = "read reference"
    UPDATE = "update"
    DELETE = "delete"
    READ_PROPERTY = "read property"
    READ_VALUE = "read value"
    COUNT_PROPERTY = "count property"
    APPEND = "append"
    ACT = "act"


_WRITES = frozenset(
    [Operation.CREATE, Operation.UPDATE, Operation.DELETE, Operation.APPEND, Operation.ACT]
)


class Address(NamedTuple):
    """Where a request points to, once its path was understood.

    ``allowed`` are the methods that the address takes, for ``Allow``. Below the singleton or
    an entity, ``path`` leads to a property, by its declared names; ``within`` is the
    navigation, and ``key`` the entity, that a collection is reached through.
    """

    operation: Operation
    allowed: tuple[str, ...]
    root: Root
    resource: Resource
    key: str | None = None
    path: tuple[str, ...] = ()
    action: Action | None = None
    within: Navigation | None = None

    @property
    def type(self) -> type[StructuredType]:
        """The type of the entity at, or of those in, this address."""
        return self.within.target.type if self.within else self.resource.type

    @property
    def writes(self) -> bool:
        return self.operation in _WRITES


class Caller(NamedTuple):
    """Who asks; ``permissions`` is None where any permission is taken as given."""

    permissions: frozenset[str] | None = None


class Preconditions(NamedTuple):
    """``If-Match`` and ``If-None-Match`` as opaque tags without ``W/``; ``("*",)`` is any."""

    match: tuple[str, ...] = ()
    none_match: tuple[str, ...] = ()


class Preferences(NamedTuple):
    """What the caller would like (``Prefer``, ``Accept``, ``$format``).

    ``returns`` is ``minimal``, ``representation`` or None; ``max_page_size`` counts entities;
    ``metadata`` is ``none``, ``minimal`` or ``full``.
    """

    returns: str | None = None
    max_page_size: int | None = None
    metadata: str = "minimal"


class Intent(NamedTuple):
    """What a valid request asks of the state, and how it wants to be answered.

    ``origin`` is scheme, host, port and prefix as the caller wrote them, ``path`` and
    ``options`` the rest of the URL, for the URLs in answers; ``body`` is what was sent, loaded:
    an entity to create, changes to make, an item to append or an action's parameters.
    """

    address: Address
    origin: str
    path: str
    options: Sequence[tuple[str, str]]
    body: Properties
    query: Query
    preconditions: Preconditions
    preferences: Preferences


class Row(NamedTuple):
    """An entity in an answer, with the entities that its navigations were expanded to.

    ``etag`` is None where the value is not stored: a complex value that an action returns.
    ``rendered`` keeps the JSON of a stored entity, by how it was rendered, for the next time.
    """

    entity: Properties
    etag: str | None = None
    expanded: Mapping[str, Page] = MappingProxyType({})
    rendered: dict[Any, bytes] | None = None


class Page(NamedTuple):
    """A page of a collection; ``next`` is the skip token of the following one.

    ``total`` counts the collection's entities that match, where that was asked for.
    """

    rows: Sequence[Row]
    total: int | None = None
    next: str | None = None


class Outcome(NamedTuple):
    """What came of it: an entity, a page of them, or a value, as they stand now.

    ``status`` is given where the operation alone does not tell it; ``type`` where the answer
    is of another type than the address; ``unchanged`` where the caller has it already.
    """

    row: Row | None = None
    page: Page | None = None
    value: Json = None
    status: int | None = None
    type: type[StructuredType] | None = None
    unchanged: bool = False
