"""The frozen values that travel down the line: a request becomes an :class:`Address`, then an
:class:`Intent`, then an :class:`Outcome`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from mockgraph.metadata.declarations import Action, Navigation, Resource, Root
from mockgraph.metadata.names import Json, Properties
from mockgraph.state.etags import Preconditions

if TYPE_CHECKING:
    from mockgraph.metadata.structures import StructuredType
    from mockgraph.state.query import Query


class Operation(enum.Enum):
    """The operations that a request may ask for at its address."""

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
    HUNT = "hunt"


_WRITES = frozenset(
    [Operation.CREATE, Operation.UPDATE, Operation.DELETE, Operation.APPEND, Operation.ACT]
)


class Address(NamedTuple):
    """The place that a request points to, once its path was understood.

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
        """Return the type of the entity at, or of those in, this address."""
        return self.within.target.type if self.within else self.resource.type

    @property
    def writes(self) -> bool:
        return self.operation in _WRITES


class Caller(NamedTuple):
    """The caller; ``permissions`` is None where any permission is taken as given."""

    permissions: frozenset[str] | None = None


class Preferences(NamedTuple):
    """The preferences of the caller (``Prefer``, ``Accept``, ``$format``).

    ``returns`` is ``minimal``, ``representation`` or None; ``max_page_size`` counts entities;
    ``metadata`` is ``none``, ``minimal`` or ``full``.
    """

    returns: str | None = None
    max_page_size: int | None = None
    metadata: str = "minimal"


class Intent(NamedTuple):
    """A valid request: what it asks of the state, and how it wants to be answered.

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
    """The result of a request: an entity, a page of them, or a value, as they stand now.

    ``status`` is given where the operation alone does not tell it; ``type`` where the answer
    is of another type than the address; ``unchanged`` where the caller has it already.
    """

    row: Row | None = None
    page: Page | None = None
    value: Json = None
    status: int | None = None
    type: type[StructuredType] | None = None
    unchanged: bool = False
