"""Indexes: the entities of a table by their value at a property path, and in an order.

An index belongs to one version of the table. Versions share most of their entities, so an
index of one is made that of another by what is different between them. That is done when an
index is asked, so it holds whatever was written, restored or forked meanwhile, and writes pay
nothing for it. The version that was asked last is kept for that.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import chain
from operator import attrgetter, itemgetter
from typing import Any, overload

from mockgraph.state.entities import Entity
from mockgraph.state.packing import Entities, Stored, unpacked
from mockgraph.state.persistent_maps import Map

Path = tuple[str, ...]
Equality = tuple[Path, Iterable[Any]]
# What compares with that of any other entity of a table.
Rank = Callable[[Entity], Any]
Ranked = tuple[Any, int, str]

# Stands for the key of the owner, which is no property: no name has a slash.
OWNER: Path = ("/",)

# A smaller table is searched as quickly.
_FROM = 200
# How many indexes a table has at most, and how many paths are counted to choose them by.
_MOST = 8
_MOST_COUNTED = 256
# The share of a table, one in so many, beyond which a search is as good as merging several lists.
_MERGED = 16
# How often a path is asked until it gets one: making one costs a few searches.
_ASKED = 2
# How many orders of a table are kept at most.
_MOST_ORDERS = 4


class Index:
    """The entities that have a value at a path, by the value; never edited.

    What is equal in Python falls together, 1 and true among it: an index only tells what may
    match. What is no primitive value falls together with null.
    """

    __slots__ = ("_by_value", "_entities", "_path")

    def __init__(self, path: Path, entities: Entities, by_value: Map[Any, Entities]):
        self._path = path
        self._entities = entities
        self._by_value = by_value

    @classmethod
    def of(cls, path: Path, entities: Entities) -> Index:
        by_value: dict[Any, list[Stored]] = {}
        for entity in entities.stored():
            by_value.setdefault(_value(path, entity), []).append(entity)
        lists = ((value, Entities(equal)) for value, equal in by_value.items())
        return cls(path, entities, Map(lists))

    def over(self, entities: Entities) -> Index:
        """Return the index of another version of the table."""
        if entities is self._entities:
            return self
        gone, come = self._entities.differing(entities)
        if len(gone) + len(come) > len(entities) // 4:
            return Index.of(self._path, entities)
        by_value = self._by_value
        for entity in gone:
            value = _value(self._path, entity)
            rest = (by_value.get(value) or Entities()).without(entity.number)
            by_value = by_value.put(value, rest) if rest else by_value.without(value)
        for entity in come:
            value = _value(self._path, entity)
            by_value = by_value.put(value, (by_value.get(value) or Entities()).with_stored(entity))
        return Index(self._path, entities, by_value)

    def having(self, values: Iterable[Any]) -> list[Entities]:
        """Return, for each of the values that some have, the entities that have it."""
        found = (self._by_value.get(key) for key in {(value,) for value in values})
        return [entities for entities in found if entities is not None]


class SortedKeys(Sequence[str]):
    """The keys of a table's entities in an order of their own; never edited.

    Where the order leaves it open they are in that of the table.
    """

    __slots__ = ("_descending", "_entities", "_rank", "_ranked")

    def __init__(self, rank: Rank, descending: bool, entities: Entities, ranked: list[Ranked]):
        self._rank = rank
        self._descending = descending
        self._entities = entities
        self._ranked = ranked

    @classmethod
    def of(cls, rank: Rank, descending: bool, entities: Entities) -> SortedKeys:
        keys = cls(rank, descending, entities, [])
        places = [keys._place(entity) for entity in entities.stored()]
        if descending:
            places.reverse()
        # Equals are in order already: that of what comes first decides.
        keys._ranked = sorted(places, key=itemgetter(0))
        return keys

    def over(self, entities: Entities) -> SortedKeys:
        """Return those of another version of the table."""
        if entities is self._entities:
            return self
        gone, come = self._entities.differing(entities)
        if len(gone) + len(come) > len(entities) // 16:
            return SortedKeys.of(self._rank, self._descending, entities)
        ranked = self._ranked.copy()
        for entity in gone:
            del ranked[bisect_left(ranked, self._place(entity))]
        for entity in come:
            insort(ranked, self._place(entity))
        return SortedKeys(self._rank, self._descending, entities, ranked)

    def _place(self, entity: Stored) -> Ranked:
        # What is in descending order is kept backwards, and yet the oldest of equals comes first.
        number = -entity.number if self._descending else entity.number
        return self._rank(unpacked(entity)), number, entity.key

    def __len__(self) -> int:
        return len(self._ranked)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        return self._ranked[-1 - index if self._descending else index][2]


class Indexes:
    """The indexes of a table, shared by all of its versions; made of what is asked often.

    Safe under threads: an index is never edited, and which version's is kept does not matter.
    """

    __slots__ = ("_asked", "_made", "_making", "_sorted")

    def __init__(self) -> None:
        self._sorted: dict[Hashable, SortedKeys] = {}
        self._made: dict[Path, Index] = {}
        self._asked: dict[Path, int] = {}
        self._making = threading.Lock()

    def narrow(self, entities: Entities, equalities: Iterable[Equality]) -> Entities:
        """Return the entities of a version that may have one of the values at each path.

        No fewer than do.
        """
        narrowest = [entities]
        if len(entities) >= _FROM:
            for path, values in equalities:
                index = self._index(path, entities)
                found = index.having(values) if index else [entities]
                if len(found) == 1 or _size(found) * _MERGED <= len(entities):
                    narrowest = min(narrowest, found, key=_size)
        return narrowest[0] if len(narrowest) == 1 else _merged(narrowest)

    def in_order(
        self, entities: Entities, order: Hashable, rank: Rank, descending: bool
    ) -> SortedKeys:
        """Return the keys of a version in an order, by the rank that it gives to an entity."""
        known = self._sorted.get(order)
        if known is None and len(self._sorted) >= _MOST_ORDERS:
            self._sorted = {}
        keys = SortedKeys.of(rank, descending, entities) if known is None else known.over(entities)
        self._sorted[order] = keys
        return keys

    def _index(self, path: Path, entities: Entities) -> Index | None:
        asked = self._count(path)
        known = self._made.get(path)
        if known is not None:
            index = self._made[path] = known.over(entities)
            return index
        # Making one takes long: whoever asks meanwhile searches.
        if asked < _ASKED or not self._making.acquire(blocking=False):
            return None
        try:
            return self._make(path, entities, asked)
        finally:
            self._making.release()

    def _count(self, path: Path) -> int:
        """Count how often a path was asked; when there are many, forget those without an index."""
        if path not in self._asked and len(self._asked) >= _MOST_COUNTED:
            asked = self._asked
            self._asked = {each: asked.get(each, 0) for each in list(self._made)}
        count = self._asked[path] = self._asked.get(path, 0) + 1
        return count

    def _make(self, path: Path, entities: Entities, asked: int) -> Index | None:
        """Make an index, where there is room or one that is asked far less often to replace."""
        if len(self._made) >= _MOST:
            counts = {each: self._asked.get(each, 0) for each in list(self._made)}
            least = min(counts, key=lambda each: counts[each])
            if asked < 2 * counts[least]:
                return None
            self._made.pop(least, None)
        index = self._made[path] = Index.of(path, entities)
        return index


def _size(lists: Iterable[Entities]) -> int:
    return sum(map(len, lists))


def _merged(lists: Iterable[Entities]) -> Entities:
    """Return the entities of several lists, none of which is in two, in order."""
    stored = chain.from_iterable(each.stored() for each in lists)
    return Entities(sorted(stored, key=attrgetter("number")))


def _value(path: Path, entity: Stored) -> tuple[Any]:
    """Return the value at a path as a key: a tuple, whose hash is spread over all bits.

    That of a number is not.
    """
    if path == OWNER:
        return (entity.owner,)
    value: Any = unpacked(entity)
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return (None if isinstance(value, (dict, list)) else value,)
