"""Indexes: the entities of a table by their value at a property path.

An index belongs to one version of the table. Versions share most of their entities, so an
index of one is made that of another by what is different between them. That is done when an
index is asked, so it holds whatever was written, restored or forked meanwhile, and writes pay
nothing for it. The version that was asked last is kept for that.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from itertools import chain
from operator import attrgetter
from typing import Any

from mockgraph.state.entities import Entity
from mockgraph.state.persistent_maps import Map, Ordered

Path = tuple[str, ...]
Entities = Ordered[Entity]
Equality = tuple[Path, Iterable[Any]]

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
        by_value: dict[Any, list[Entity]] = {}
        for entity in entities:
            by_value.setdefault(_value(path, entity), []).append(entity)
        lists = ((value, Ordered(equal)) for value, equal in by_value.items())
        return cls(path, entities, Map(lists))

    def over(self, entities: Entities) -> Index:
        """Return the index of another version of the table."""
        if entities is self._entities:
            return self
        gone, come = self._entities.difference(entities)
        if len(gone) + len(come) > len(entities) // 4:
            return Index.of(self._path, entities)
        by_value = self._by_value
        for entity in gone:
            value = _value(self._path, entity)
            rest = (by_value.get(value) or Ordered()).without(entity.number)
            by_value = by_value.put(value, rest) if rest else by_value.without(value)
        for entity in come:
            value = _value(self._path, entity)
            by_value = by_value.put(value, (by_value.get(value) or Ordered()).put(entity))
        return Index(self._path, entities, by_value)

    def having(self, values: Iterable[Any]) -> list[Entities]:
        """Return, for each of the values that some have, the entities that have it."""
        found = (self._by_value.get(key) for key in {(value,) for value in values})
        return [entities for entities in found if entities is not None]


class Indexes:
    """The indexes of a table, shared by all of its versions; made of what is asked often.

    Safe under threads: an index is never edited, and which version's is kept does not matter.
    """

    __slots__ = ("_asked", "_made", "_making")

    def __init__(self) -> None:
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
    return Ordered(sorted(chain.from_iterable(lists), key=attrgetter("number")))


def _value(path: Path, entity: Entity) -> tuple[Any]:
    """Return the value at a path as a key: a tuple, whose hash is spread over all bits.

    That of a number is not.
    """
    if path == OWNER:
        return (entity.owner,)
    value: Any = entity
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return (None if isinstance(value, (dict, list)) else value,)
