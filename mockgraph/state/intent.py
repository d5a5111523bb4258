"""The frozen values that travel down the line: a request becomes an :class:`Address`, then an
:class:`Intent`, then an :class:`Outcome`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from mockgraph.metadata.names import Json, Properties
from mockgraph.metadata.resources import SINGLE, ResourceKind
from mockgraph.state.entities import Entity, join_key
from mockgraph.state.etags import Preconditions

if TYPE_CHECKING:
    from mockgraph.metadata.elements import Operation, TypeRef
    from mockgraph.metadata.entries import Entry
    from mockgraph.metadata.resources import Resource, View
    from mockgraph.metadata.structures import StructuredSchema
    from mockgraph.state.query import Expansion, Query


class RequestKind(enum.Enum):
    """The kinds of requests, by what they do at their address."""

    OPTIONS = "options"
    SERVICE_DOCUMENT = "service document"
    METADATA = "metadata"
    BATCH = "batch"
    LIST = "list"
    COUNT = "count"
    LIST_REFERENCES = "list references"
    ADD_REFERENCE = "add reference"
    SET_REFERENCE = "set reference"
    REMOVE_REFERENCE = "remove reference"
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
    CALL = "call"

    __hash__ = object.__hash__  # there is one of each; an enumeration's own is several times slower


_WRITES = frozenset(
    [
        RequestKind.CREATE,
        RequestKind.UPDATE,
        RequestKind.DELETE,
        RequestKind.ADD_REFERENCE,
        RequestKind.SET_REFERENCE,
        RequestKind.REMOVE_REFERENCE,
        RequestKind.APPEND,
        RequestKind.ACT,
    ]
)


class Step(NamedTuple):
    """A part of a path: a resource, and the key of one of its entities.

    The key is None where the resource is meant as a whole, or has one entity at most.
    """

    resource: Resource
    key: str | None


def owner_of(steps: Sequence[Step]) -> str:
    """Return the key of the entity that the last of steps that have landed belongs to."""
    key = ""
    for step in steps[:-1]:
        key = key if step.key is None else join_key(key, step.key)
    return key


class OperationCall(NamedTuple):
    """An action or function that a path names: its overloads, and arguments as the URL has them.

    Of a function the overload is the one that takes the arguments; of an action the body of
    the request tells.
    """

    overloads: tuple[Operation, ...]
    arguments: Mapping[str, str]

    @property
    def name(self) -> str:
        """The qualified name."""
        return self.overloads[0].name


class Address:
    """The place that a request points to, once its path was understood; never edited.

    ``allowed`` are the methods that the address takes, for ``Allow``. ``steps`` lead from the
    root to the entities; there is none where the address is the root's own. ``cast`` is the
    qualified name of the derived type that the entities are taken for. Below an entity, ``path``
    leads to a property, by its declared names, and ``value_cast`` is a derived type of its values.

    ``resource`` is that whose entities are meant, or whose entity has the property; the root has
    none. ``key`` is the own key of the entity that is meant, None where there is none in the path;
    ``owner`` is the key of the entity that the resource belongs to, empty where that is the root,
    and ``stored_key`` the key by which the resource's own entity here is stored;
    ``call_name`` the qualified name of the action or function that is called, if one is;
    ``writes`` tells whether a request for it may change the state, ``follows`` whether a step on
    the way is one to what is only referred to. ``pattern`` is the address of another entity of
    the set from which this one differs in nothing but the key; None where there is none.
    """

    __slots__ = (
        "allowed",
        "call",
        "call_name",
        "cast",
        "follows",
        "key",
        "kind",
        "owner",
        "path",
        "pattern",
        "resource",
        "steps",
        "stored_key",
        "value_cast",
        "view",
        "writes",
    )

    def __init__(
        self,
        kind: RequestKind,
        allowed: tuple[str, ...],
        view: View,
        steps: tuple[Step, ...] = (),
        cast: str | None = None,
        path: tuple[str, ...] = (),
        value_cast: str | None = None,
        call: OperationCall | None = None,
    ):
        self.kind = kind
        self.allowed = allowed
        self.view = view
        self.steps = steps
        self.cast = cast
        self.path = path
        self.value_cast = value_cast
        self.call = call
        self.key: str | None = None
        if steps:
            self.resource, self.key = steps[-1]
            self.owner = owner_of(steps)
            self.stored_key = join_key(self.owner, SINGLE if self.key is None else self.key)
        self.pattern: Address | None = None
        self.call_name = None if call is None else call.name
        self.writes = kind in _WRITES
        way = (step.resource.kind for step in steps[:-1])
        self.follows = any(each is not ResourceKind.CONTAINED for each in way)

    def at(self, steps: tuple[Step, ...]) -> Address:
        """Return the same address with other keys on the way."""
        return Address(
            self.kind,
            self.allowed,
            self.view,
            steps,
            self.cast,
            self.path,
            self.value_cast,
            self.call,
        )

    def with_key(self, key: str) -> Address:
        """Return the address of the entity that has another key in the same set."""
        *above, (resource, _) = self.steps
        found = self.at((*above, Step(resource, key)))
        found.pattern = self
        return found

    @property
    def bound_to(self) -> Resource | None:
        """The resource that an operation here is bound to, None of an unbound one."""
        return self.steps[-1].resource if self.steps else None

    @property
    def type(self) -> type[StructuredSchema]:
        """The type of the entity at, or of those in, this address."""
        return self.view.schemas[self.cast] if self.cast else self.resource.type


class Caller(NamedTuple):
    """The caller; ``permissions`` is None where any permission is taken as given.

    ``name`` and ``id`` are what the service writes for who did something; ``is_app`` tells an app
    that calls for itself, by roles, from one that calls for a user, by scopes.
    """

    permissions: frozenset[str] | None = None
    name: str = "MockGraph"
    is_app: bool = True
    id: str | None = None


# The preference for members of enumerations that came later.
UNKNOWN_MEMBERS: Final = "include-unknown-enum-members"


class Preferences(NamedTuple):
    """The preferences of the caller (``Prefer``, ``Accept``, ``$format``).

    ``returns`` is ``minimal``, ``representation`` or None; ``max_page_size`` counts entities;
    ``metadata`` is ``none``, ``minimal`` or ``full``; ``unknown_members`` are wanted as what they
    are, not as ``unknownFutureValue``.
    """

    returns: str | None = None
    max_page_size: int | None = None
    metadata: str = "minimal"
    unknown_members: bool = False


class Target(NamedTuple):
    """A stored entity that is referred to: its table, and its key there."""

    table: str
    key: str


class Intent(NamedTuple):
    """A valid request: what it asks of the state, and how it wants to be answered.

    ``origin`` is scheme, host, port and prefix as the caller wrote them, ``path`` and
    ``options`` the rest of the URL, for the URLs in answers; ``body`` is what was sent, loaded:
    an entity to create, changes to make, items to append or an action's parameters. ``entry``
    is the entity with what came along, ``references`` are the entities to refer to, ``caller``
    is who asks, ``ending`` how the work ends that the request sets going.
    """

    address: Address
    origin: str
    path: str
    options: Sequence[tuple[str, str]]
    body: Properties
    query: Query
    preconditions: Preconditions
    preferences: Preferences
    entry: Entry | None = None
    references: Mapping[Resource, Sequence[Target]] = MappingProxyType({})
    caller: Caller = Caller()
    ending: str = "succeeded"


class Row(NamedTuple):
    """An entity in an answer, with the entities that its navigations were expanded to.

    It is not stored where it is a complex value that an action returns. ``resource`` is its own
    where that is not the address's.
    """

    entity: Entity | Properties
    expanded: Mapping[Expansion, Page | Row | None] = MappingProxyType({})
    resource: Resource | None = None

    @property
    def etag(self) -> str | None:
        """The etag of a stored entity."""
        return self.entity.etag if isinstance(self.entity, Entity) else None

    @property
    def key(self) -> str:
        """The key of a stored entity."""
        return self.entity.key if isinstance(self.entity, Entity) else ""


class Page(NamedTuple):
    """A page of a collection; ``next`` is the skip token of the following one.

    ``total`` counts the collection's entities that match, where that was asked for.
    """

    rows: Sequence[Row]
    total: int | None = None
    next: str | None = None


class Outcome(NamedTuple):
    """The result of a request: an entity, a page of them, or a value, as they stand now.

    ``status`` is given where the operation alone does not tell it; ``returned`` is the type of
    what an action or function answers; ``unchanged`` where the caller has it already;
    ``location`` is where it can be followed how what was set going ends.
    """

    row: Row | None = None
    status: int | None = None
    location: Target | str | None = None
    page: Page | None = None
    value: Json = None
    returned: TypeRef | None = None
    unchanged: bool = False
