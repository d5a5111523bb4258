"""The entities that a query lists, got at in the way that looks at the fewest.

Where a table has indexes for it, a filter is narrowed down by the one that leaves least, and an
order is walked until the page is full: that of all, or of those alone that have the value that is
asked for. Whatever the way, the same entities come in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from math import inf

from mockgraph.state.entities import Entity
from mockgraph.state.indexes import KeyRange, Narrowed, SortedIndex, SortedPart
from mockgraph.state.persistent_maps import Ordered
from mockgraph.state.query import Query
from mockgraph.state.snapshots import Rows

# What it takes, in tests of an entity by a filter: to have one from an index and put it in its
# place, to have one from an index and order it by a key, and to gather the texts of one.
_PLACED, _SORTED, _GATHERED = 3, 6, 30


class ListedEntities:
    """The entities that a query finds among those at an address.

    ``rows`` is the table, given where the entities are all that is in it.
    """

    __slots__ = ("_narrowed", "_rows", "_within", "entities", "query")

    def __init__(self, entities: Ordered[Entity], query: Query, rows: Rows | None = None):
        self.query = query
        self.entities = entities
        self._rows = rows
        self._narrowed: Narrowed | None = None
        self._within: KeyRange | None = None
        if rows is not None and query.filter is not None and query.filter.conditions:
            self._narrowed = rows.narrowed(query.filter.conditions)
            self._within = _range_of(query)

    def count(self) -> int:
        """Return how many there are."""
        query, narrowed = self.query, self._narrowed
        if query.filter is None and query.search is None:
            return len(self.entities)
        if narrowed is None or query.search is not None:
            return sum(1 for _ in self.after())
        return narrowed.size if self._is_exact else sum(1 for _ in query.matching(narrowed.all()))

    def after(self, number: float = -inf, most: int | None = None) -> Iterator[Entity]:
        """Give those with larger numbers in the order of the table; ``most`` may be wanted."""
        query, narrowed = self.query, self._narrowed
        searched = self._searched(number)
        if searched is not None:
            return query.filtered(searched)
        if narrowed is None or not self._is_sooner(narrowed, most):
            found = query.matching(self.entities if number == -inf else self.entities.after(number))
            return found if query.search is None else chain(found, self._looked_through())
        found = narrowed.after(number)
        return query.searched(found) if self._is_exact else query.matching(found)

    def in_order(self) -> list[Entity]:
        """Return all of them in the order that is asked for."""
        return self.query.sorted(self.after())

    def first(self, most: int | None) -> list[Entity]:
        """Return those that come first in the order that is asked for, so many or all."""
        index = None if most is None else self.index(most)
        page = None if index is None or most is None else self.page(index, 0, most)
        if page is not None:
            return page
        return self.query.sorted(self.after(most=None if self.query.orderby else most), most)

    def index(self, most: int) -> SortedIndex | None:
        """Return the index to walk in the order that is asked for; None where sorting is sooner.

        ``most`` are wanted.
        """
        order, rows, narrowed = self.query.orderby, self._rows, self._narrowed
        if order is None or order.key is None or rows is None or self.query.search is not None:
            return None
        filter_ = self.query.filter
        if filter_ is not None and not filter_.is_fixed:
            return None
        if narrowed is not None and self._may_be_sorted:
            part = rows.sorted_part(order, narrowed)
            if part is not None:
                return part
            walked = min(most * len(rows) // (narrowed.size or 1), len(rows))
            if narrowed.size * _SORTED <= walked:
                return None
        return rows.sorted_by(order, now=filter_ is None)

    def page(self, index: SortedIndex, skip: int, most: int) -> list[Entity] | None:
        """Return a page by walking an index that :meth:`index` gave, of so many at most.

        None where so many did not match on the way that sorting what the filter's own index leaves
        would have been sooner.
        """
        if self._narrowed is None or not self._may_be_sorted or isinstance(index, SortedPart):
            return list(islice(self.walk(index, skip=skip), most))
        walked = index.walk(self._within)
        looked_at = islice(walked, skip + most + self._narrowed.size)
        page = list(islice(self.query.matching(looked_at), skip, skip + most))
        return page if len(page) == most or next(walked, None) is None else None

    def walk(
        self, index: SortedIndex, after: Entity | None = None, skip: int = 0
    ) -> Iterator[Entity]:
        """Give those of an index that :meth:`index` gave, from behind one of them, in its order."""
        is_in_part = self._within is not None or isinstance(index, SortedPart)
        if self.query.filter is None or (self._is_exact and is_in_part):
            return index.walk(self._within, after, skip)
        return islice(self.query.matching(index.walk(self._within, after)), skip, None)

    def is_current(self, index: SortedIndex) -> bool:
        """Return whether an index that :meth:`index` once gave has the entities as they are now."""
        lists = () if self._narrowed is None else self._narrowed.lists
        return any(map(index.is_of, (self.entities, *lists)))

    @property
    def _may_be_sorted(self) -> bool:
        """Whether what an index leaves of the filter is not in the order that is asked for."""
        narrowed = self._narrowed
        return narrowed is not None and (
            self._within is None or narrowed.within is not self._within
        )

    @property
    def _is_exact(self) -> bool:
        """Whether what an index leaves is what the filter matches."""
        return self.query.filter is not None and self.query.filter.exact

    def _is_sooner(self, narrowed: Narrowed, most: int | None) -> bool:
        """Whether what an index leaves is in place sooner than so many are found without."""
        whole = len(self.entities)
        if narrowed.order is None and len(narrowed.lists) < 2:
            return True
        if narrowed.order is not None and most is not None:
            whole = min(most * whole // (narrowed.size or 1), whole)
        return narrowed.size * _PLACED < whole

    def _searched(self, number: float) -> Iterator[Entity] | None:
        """Give what the texts of the table find, where that is sooner than making them."""
        search, rows, narrowed = self.query.search, self._rows, self._narrowed
        if search is None or rows is None:
            return None
        if narrowed is not None and narrowed.size * _GATHERED < len(rows):
            return None
        texts = rows.texts(search)
        return None if texts is None else texts.finding(search, number)

    def _looked_through(self) -> Iterator[Entity]:
        """Give nothing, and note that a search looked at all there is: so will others."""
        if self._rows is not None and self.query.search is not None:
            self._rows.want_texts(self.query.search)
        yield from ()


def _range_of(query: Query) -> KeyRange | None:
    """Return the range of the very key that is ordered by, None where the filter has none."""
    if query.filter is None or query.orderby is None or query.orderby.key is None:
        return None
    name = query.orderby.key.name
    ranges = (each for each in query.filter.conditions if isinstance(each, KeyRange))
    return next((each for each in ranges if each.key.name == name), None)
