"""Query options, compiled. This is light to load: most requests have none to be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from mockgraph import metadata as edm

if TYPE_CHECKING:
    from mockgraph.odata.filter import Filter
    from mockgraph.odata.orderby import Order
    from mockgraph.odata.select import Select

Entity = Mapping[str, Any]
E = TypeVar("E", bound=Entity)
E_co = TypeVar("E_co", bound=Entity, covariant=True)
Schema = type[edm.StructuredType]

MAX_INT32: Final = 2**31 - 1

ALL: Final = frozenset(
    {"filter", "orderby", "select", "expand", "top", "skip", "count", "search", "format"}
    | {"skiptoken"}
)


class Counted(Protocol[E_co]):
    """Entities whose number is known."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[E_co]: ...


@dataclass(frozen=True)
class Query:
    """The options of a query; None where an option was not given.

    ``format`` is the level of metadata (``none``, ``minimal``, ``full``); ``skiptoken`` is
    carried as it came.
    """

    filter: Filter | None = None
    orderby: Order | None = None
    select: Select | None = None
    expand: tuple[Expansion, ...] = ()
    top: int | None = None
    skip: int | None = None
    count: bool = False
    search: Callable[[Entity], bool] | None = None
    format: str | None = None
    skiptoken: str | None = None

    def matching(self, entities: Iterable[E]) -> Iterator[E]:
        """Give the entities that match, as they come, each looked at when it is asked for."""
        if self.filter is not None:
            entities = filter(self.filter.matches, entities)
        if self.search is not None:
            entities = filter(self.search, entities)
        return iter(entities)

    def find(self, entities: Iterable[E], first: int | None = None) -> list[E]:
        """Return the entities that match, in order; with ``first`` only so many, which is quicker.

        ``top`` and ``skip`` are left to the caller, who pages.
        """
        found = self.matching(entities)
        if self.orderby is not None:
            return self.orderby.sort(found, first)
        return list(islice(found, first))

    def number(self, entities: Counted[E]) -> int:
        """Return how many of the entities match."""
        if self.filter is None and self.search is None:
            return len(entities)
        return sum(1 for _ in self.matching(entities))

    def selection(self) -> str:
        """Return what the context URL says in parentheses: ``title,alerts(id)``, or nothing."""
        parts = [self.select.text] if self.select is not None else []
        parts += [f"{each.name}({each.query.selection()})" for each in self.expand]
        return ",".join(parts)


@dataclass(frozen=True)
class Expansion:
    """A navigation property to expand, the type of its entities, and the query on them."""

    name: str
    schema: Schema
    query: Query
