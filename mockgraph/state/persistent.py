"""Values that are never edited: a change gives a new one, which shares nearly all of the old.

So whoever holds one may read it for as long as it likes, without a lock, and a snapshot costs
nothing. A change copies a few hundred pointers, whatever the size: that is quicker here than
the persistent maps to be had as libraries, which keep no order besides.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import chain, takewhile
from operator import attrgetter, is_
from typing import Any, Generic, Protocol, TypeVar


class Numbered(Protocol):
    """What has a number that tells it from others and gives its place among them."""

    @property
    def number(self) -> int: ...


K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
N = TypeVar("N", bound=Numbered)

_CHUNK = 256

_number: Callable[[Any], int] = attrgetter("number")


class Map(Generic[K, V]):
    """A mapping: small dicts, as the leaves of a trie over the hashes of the keys.

    It has three levels of sixteen branches each, that is four thousand leaves.
    """

    __slots__ = ("_root",)

    def __init__(self, items: Iterable[tuple[K, V]] = ()):
        leaf: dict[K, V] = {}
        twig = [leaf] * 16
        branch = [twig] * 16
        self._root = root = [branch] * 16
        for key, value in items:
            first, second, third = _place(key)
            if root[first] is branch:
                root[first] = branch.copy()
            if root[first][second] is twig:
                root[first][second] = twig.copy()
            if root[first][second][third] is leaf:
                root[first][second][third] = {}
            root[first][second][third][key] = value

    def get(self, key: K) -> V | None:
        code = hash(key)
        return self._root[code % 16][code // 16 % 16][code // 256 % 16].get(key)

    def put(self, key: K, value: V) -> Map[K, V]:
        changed, leaf = self._opened(key)
        leaf[key] = value
        return changed

    def without(self, key: K) -> Map[K, V]:
        """The map without a key that is in it."""
        changed, leaf = self._opened(key)
        del leaf[key]
        return changed

    def _opened(self, key: K) -> tuple[Map[K, V], dict[K, V]]:
        """A copy of the map, and that leaf of the copy where the key belongs, to be edited."""
        first, second, third = _place(key)
        changed: Map[K, V] = Map.__new__(Map)
        changed._root = root = self._root.copy()
        root[first] = branch = root[first].copy()
        branch[second] = twig = branch[second].copy()
        twig[third] = leaf = twig[third].copy()
        return changed, leaf


class Ordered(Generic[N]):
    """Items in the order of their numbers, in chunks of a few hundred."""

    __slots__ = ("_chunks", "_length")

    def __init__(self, items: Iterable[N] = ()):
        """``items`` come in order."""
        every = list(items)
        self._chunks = [every[at : at + _CHUNK] for at in range(0, len(every), _CHUNK)]
        self._length = len(every)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[N]:
        return chain.from_iterable(self._chunks)

    def after(self, number: int) -> Iterator[N]:
        """The items whose numbers are larger."""
        at = self._chunk_of(number)
        for chunk in self._chunks[at : at + 1]:
            yield from chunk[bisect_right(chunk, number, key=_number) :]
        for chunk in self._chunks[at + 1 :]:
            yield from chunk

    def put(self, item: N) -> Ordered[N]:
        """With the item, in the place of the one with its number if there is one."""
        at = self._chunk_of(item.number)
        chunk = self._chunks[at].copy() if self._chunks else []
        place = bisect_left(chunk, item.number, key=_number)
        if place < len(chunk) and chunk[place].number == item.number:
            chunk[place] = item
            return self._with(at, at + 1, [chunk], self._length)
        chunk.insert(place, item)
        return self._with(at, at + 1, _split(chunk, place), self._length + 1)

    def without(self, number: int) -> Ordered[N]:
        """Without the item that has this number and is there."""
        at = self._chunk_of(number)
        chunk = self._chunks[at].copy()
        del chunk[bisect_left(chunk, number, key=_number)]
        start = at
        if at and len(self._chunks[at - 1]) + len(chunk) <= _CHUNK // 2:
            start, chunk = at - 1, self._chunks[at - 1] + chunk
        return self._with(start, at + 1, [chunk] if chunk else [], self._length - 1)

    def difference(self, other: Ordered[N]) -> tuple[list[N], list[N]]:
        """The items that are here alone, and those that are in the other alone.

        It takes as long as there are chunks, and as what is different.
        """
        here, there = _unlike(self._chunks, other._chunks)
        known = {id(chunk) for chunk in here} & {id(chunk) for chunk in there}
        ours, theirs = _unlike(
            [item for chunk in here if id(chunk) not in known for item in chunk],
            [item for chunk in there if id(chunk) not in known for item in chunk],
        )
        both = {id(item) for item in ours} & {id(item) for item in theirs}
        return (
            [item for item in ours if id(item) not in both],
            [item for item in theirs if id(item) not in both],
        )

    def _with(self, start: int, stop: int, chunks: list[list[N]], length: int) -> Ordered[N]:
        changed: Ordered[N] = Ordered.__new__(Ordered)
        changed._chunks = self._chunks.copy()
        changed._chunks[start:stop] = chunks
        changed._length = length
        return changed

    def _chunk_of(self, number: int) -> int:
        """The place of the chunk that has the number, or would take it."""
        return max(bisect_right(self._chunks, number, key=_first_number) - 1, 0)


def _place(key: Hashable) -> tuple[int, int, int]:
    code = hash(key)
    return code % 16, code // 16 % 16, code // 256 % 16


def _first_number(chunk: Sequence[Numbered]) -> int:
    return chunk[0].number


def _split(chunk: list[N], place: int) -> list[list[N]]:
    """The chunk, as two if it has grown too large by what came at the place."""
    if len(chunk) <= _CHUNK:
        return [chunk]
    # New items come at the end: full chunks stay behind.
    middle = _CHUNK if place == _CHUNK else _CHUNK // 2
    return [chunk[:middle], chunk[middle:]]


def _unlike(here: Sequence[V], there: Sequence[V]) -> tuple[Sequence[V], Sequence[V]]:
    """Two sequences without the items that are the same ones at both starts and ends."""
    start = sum(takewhile(bool, map(is_, here, there)))
    here, there = here[start:], there[start:]
    end = sum(takewhile(bool, map(is_, reversed(here), reversed(there))))
    return here[: len(here) - end], there[: len(there) - end]
