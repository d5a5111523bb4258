"""Query options, compiled. This is light to load: most requests have none to be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from mockgraph import metadata as edm
from mockgraph import work

if TYPE_CHECKING:
    from mockgraph.metadata.resources import Resource
    from mockgraph.odata.filter import Filter
    from mockgraph.odata.orderby import Order
    from mockgraph.odata.select import Select
    from mockgraph.state.indexes import SearchPredicate

Entity = Mapping[str, Any]
E = TypeVar("E", bound=Entity)
E_co = TypeVar("E_co", bound=Entity, covariant=True)
Schema = type[edm.StructuredSchema]

MAX_INT32: Final = 2**31 - 1

ALL: Final = frozenset(
    {"filter", "orderby", "select", "expand", "top", "skip", "count", "search", "format"}
    | {"skiptoken"}
)


class Relations:
    """A reader of the entities that navigation properties lead to, given when a query is run.

    ``follow`` takes an entity and the resource that a navigation property of it leads to, and
    gives a list of entities, one, or None. ``resources`` are all that the query follows to.
    """

    __slots__ = ("follow", "resources")

    def __init__(self) -> None:
        self.resources: list[Resource] = []
        self.follow: Callable[[Any, Resource], Any] = lambda _, __: None


class FindsNothing:
    """A search that finds nothing, whatever is there."""

    name = None

    def __call__(self, _: Entity) -> bool:
        return False

    def text_of(self, _: Entity) -> str:
        """Return what is looked through of an entity: nothing."""
        return ""

    def finds(self, _: str) -> bool:
        """Return whether it finds a text: never."""
        return False

    def steps(self, _: int) -> int:
        """Return the steps that it takes to look through a text."""
        return 0


class Counted(Protocol[E_co]):
    """Entities whose number is known."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[E_co]: ...


@dataclass(frozen=True)
class Query:
    """The options of a query; None where an option was not given.

    ``format`` is the level of metadata (``none``, ``minimal``, ``full``); ``skiptoken`` is
    carried as it came. ``relations`` are there where it follows navigation properties.
    """

    filter: Filter | None = None
    orderby: Order | None = None
    select: Select | None = None
    expand: tuple[Expansion, ...] = ()
    top: int | None = None
    skip: int | None = None
    count: bool = False
    search: SearchPredicate | None = None
    format: str | None = None
    skiptoken: str | None = None
    relations: Relations | None = field(default=None, compare=False)

    def matching(self, entities: Iterable[E]) -> Iterator[E]:
        """Give the entities that match, as they come, each looked at when it is asked for."""
        return self.searched(self.filtered(entities))

    def filtered(self, entities: Iterable[E]) -> Iterator[E]:
        """Give the entities that the filter matches, as they come."""
        if self.filter is None:
            return iter(entities)
        return filter(self.filter.matches, work.current().on_each(entities, self.filter.weight))

    def searched(self, entities: Iterable[E]) -> Iterator[E]:
        """Give the entities that the search finds, as they come."""
        return iter(entities) if self.search is None else filter(self.search, entities)

    def sorted(self, entities: Iterable[E], first: int | None = None) -> list[E]:
        """Return entities in the order that is asked for; with ``first`` only so many of them."""
        if self.orderby is None:
            return list(islice(entities, first))
        return self.orderby.sort(work.current().on_each(entities, self.orderby.weight), first)

    def find(self, entities: Iterable[E], first: int | None = None) -> list[E]:
        """Return the entities that match, in order; with ``first`` only so many, which is quicker.

        ``top`` and ``skip`` are left to the caller, who pages.
        """
        return self.sorted(self.matching(entities), first)

    def number(self, entities: Counted[E]) -> int:
        """Return how many of the entities match."""
        if self.filter is None and self.search is None:
            return len(entities)
        return sum(1 for _ in self.matching(entities))

    def reached(self) -> Iterator[Resource]:
        """Give the resources that are read beside that of the entities: followed or expanded."""
        if self.relations is not None:
            yield from self.relations.resources
        for each in self.expand:
            yield each.resource
            yield from each.query.reached()

    def selection(self) -> str:
        """Return what the context URL says in parentheses: ``title,alerts(id)``, or nothing."""
        if self.select is None and not self.expand:
            return ""
        parts = [self.select.text] if self.select is not None else []
        parts += [f"{each.name}({each.query.selection()})" for each in self.expand]
        return ",".join(parts)


# The query of a request without options.
NO_OPTIONS: Final = Query()


@dataclass(frozen=True, eq=False)
class Expansion:
    """A navigation property to expand, what it leads to, and the query on that.

    ``only`` is ``$ref`` or ``$count`` where no more than that is asked for; ``levels`` is how often
    the property is followed; ``of_type`` is the derived type of which the entities must be.
    """

    name: str
    resource: Resource
    query: Query
    only: str | None = None
    levels: int = 1
    of_type: Schema | None = None

    @cached_property
    def followed(self) -> Query:
        """The query on what it leads to, which follows the property on where levels are left."""
        if self.levels == 1:
            return self.query
        resource = self.resource.children()[self.name.lower()]
        below = replace(self, resource=resource, levels=self.levels - 1, of_type=None)
        others = (each for each in self.query.expand if each.name != self.name)
        return replace(self.query, expand=(*others, below))
