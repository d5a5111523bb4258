"""Values that are never edited: a change gives a new one, which shares nearly all of the old.

So whoever holds one may read it for as long as it likes, without a lock, and a snapshot costs
nothing. A change copies a few hundred pointers, whatever the size: that is quicker here than
the persistent maps to be had as libraries, which keep no order besides.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import chain, islice, takewhile
from operator import is_
from typing import Any, Generic, Protocol, Self, TypeAlias, TypeVar


class Numbered(Protocol):
    """An item with a number, which tells it from others and gives its place among them.

    It may be anything that compares with those of the others.
    """

    @property
    def number(self) -> Any: ...


K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
N = TypeVar("N", bound=Numbered)

# A leaf, of numbers and their items, or a branch, of the first number of each node and the nodes.
Node: TypeAlias = tuple[list[Any], list[Any]]

_MOST = 48  # in a node


class Map(Generic[K, V]):
    """A mapping: a dict while it is small, then small dicts as the leaves of a trie.

    The trie is over the hashes of the keys; it has three levels of sixteen branches each, that
    is four thousand leaves.
    """

    __slots__ = ("_root",)

    def __init__(self, items: Iterable[tuple[K, V]] = ()):
        items = iter(items)
        small = dict(islice(items, _MOST + 1))
        self._root: Any = small if len(small) <= _MOST else _trie(chain(small.items(), items))

    def get(self, key: K) -> V | None:
        root = self._root
        if type(root) is not dict:
            code = hash(key)
            root = root[code & 15][code >> 4 & 15][code >> 8 & 15]
        value: V | None = root.get(key)
        return value

    def put(self, key: K, value: V) -> Map[K, V]:
        changed, leaf = self._opened(key)
        leaf[key] = value
        if leaf is changed._root and len(leaf) > _MOST:
            changed._root = _trie(leaf.items())
        return changed

    def without(self, key: K) -> Map[K, V]:
        """Return the map without a key that is in it."""
        changed, leaf = self._opened(key)
        del leaf[key]
        return changed

    def _opened(self, key: K) -> tuple[Map[K, V], dict[K, V]]:
        """Return a copy of the map, and its leaf where the key belongs, to be edited."""
        changed: Map[K, V] = Map.__new__(Map)
        changed._root = root = self._root.copy()
        if type(root) is dict:
            return changed, root
        code = hash(key)
        first, second, third = code & 15, code >> 4 & 15, code >> 8 & 15
        root[first] = branch = root[first].copy()
        branch[second] = twig = branch[second].copy()
        twig[third] = leaf = twig[third].copy()
        return changed, leaf


class Ordered(Generic[N]):
    """Items in the order of their numbers: a tree whose nodes have a few dozen branches each."""

    __slots__ = ("_depth", "_length", "_root")

    def __init__(self, items: Iterable[N] = ()):
        """``items`` come in order."""
        below: list[Any] = list(items)
        self._length = len(below)
        nodes = _nodes([item.number for item in below], below)
        self._depth = 0
        while len(nodes) > 1:
            nodes = _nodes(_firsts(nodes), nodes)
            self._depth += 1
        self._root = nodes[0]

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[N]:
        return chain.from_iterable(items for _, items in self._leaves())

    def __reversed__(self) -> Iterator[N]:
        leaves = _leaves_backwards([self._root], self._depth)
        return chain.from_iterable(reversed(items) for _, items in leaves)

    def first(self) -> N:
        """Return the first item, where there is one."""
        _, below = self._root
        for _ in range(self._depth):
            _, below = below[0]
        item: N = below[0]
        return item

    def at(self, number: Any) -> N:
        """Return the item that has this number, where there is one."""
        numbers, below = self._root
        for _ in range(self._depth):
            numbers, below = below[bisect_right(numbers, number) - 1]
        item: N = below[bisect_left(numbers, number)]
        return item

    def after(self, number: Any) -> Iterator[N]:
        """Give the items whose numbers are larger."""
        way, (numbers, items) = self._way(number)
        yield from items[bisect_right(numbers, number) :]
        for depth, ((_, nodes), place) in enumerate(reversed(way)):
            for _, items in _leaves(nodes[place + 1 :], depth):
                yield from items

    def before(self, number: Any) -> Iterator[N]:
        """Give the items whose numbers are smaller, the last of them first."""
        way, (numbers, items) = self._way(number)
        yield from items[: bisect_left(numbers, number)][::-1]
        for depth, ((_, nodes), place) in enumerate(reversed(way)):
            for _, items in _leaves_backwards(nodes[:place], depth):
                yield from reversed(items)

    def count(self, low: Any, high: Any) -> int:
        """Return how many numbers are larger than one and smaller than another."""
        return max(self._preceding(high, bisect_left) - self._preceding(low, bisect_right), 0)

    def _preceding(self, number: Any, bisect: Callable[[list[Any], Any], int]) -> int:
        """Return how many items come before a number, or no later, as the bisection says."""
        way, (numbers, _) = self._way(number)
        preceding = bisect(numbers, number)
        for depth, ((_, nodes), place) in enumerate(reversed(way)):
            preceding += sum(len(items) for _, items in _leaves(nodes[:place], depth))
        return preceding

    def replaced(self, item: N) -> Self:
        """Do what ``put`` does, in less time where there is one with the number of the item."""
        number = item.number
        numbers, below = self._root
        below = below.copy()
        root = numbers, below
        for _ in range(self._depth):
            place = bisect_right(numbers, number) - 1
            numbers, inner = below[place]
            inner = inner.copy()
            below[place] = numbers, inner
            below = inner
        at = bisect_left(numbers, number)
        if at == len(numbers) or numbers[at] != number:
            return self.put(item)
        below[at] = item
        return self._with(root, self._depth, self._length)

    def put(self, item: N) -> Self:
        """Return the items with this one, instead of the one with its number if there is one."""
        number = item.number
        way, leaf = self._way(number)
        numbers, items = leaf
        at = bisect_left(numbers, number)
        if at < len(numbers) and numbers[at] == number:
            return self.replaced(item)
        if at and len(items) < _MOST:
            numbers, items = numbers.copy(), items.copy()
            numbers.insert(at, number)
            items.insert(at, item)
            return self._with(_above((numbers, items), way), self._depth, self._length + 1)
        nodes = _split(_spliced(leaf, at, at, [number], [item]), at)
        for branch, place in reversed(way):
            nodes = _split(_spliced(branch, place, place + 1, _firsts(nodes), nodes), place)
        if len(nodes) == 1:
            return self._with(nodes[0], self._depth, self._length + 1)
        return self._with((_firsts(nodes), nodes), self._depth + 1, self._length + 1)

    def without(self, number: Any) -> Self:
        """Return the items without the one that has this number and is there."""
        way, leaf = self._way(number)
        at = bisect_left(leaf[0], number)
        numbers, below = _spliced(leaf, at, at + 1, [], [])
        for branch, place in reversed(way):
            start, nodes = place, branch[1]
            if place and len(nodes[place - 1][1]) + len(below) <= _MOST // 2:
                start -= 1
                left_numbers, left = nodes[start]
                numbers, below = left_numbers + numbers, left + below
            kept = [(numbers, below)] if below else []
            numbers, below = _spliced(branch, start, place + 1, _firsts(kept), kept)
        depth = self._depth
        while depth and len(below) < 2:
            (numbers, below), depth = below[0] if below else _EMPTY, depth - 1
        return self._with((numbers, below), depth, self._length - 1)

    def difference(self, other: Ordered[N]) -> tuple[list[N], list[N]]:
        """Return the items that are here alone, and those that are in the other alone.

        It takes as long as what is different, and the way there.
        """
        here, there = _unshared([self._root], [other._root])
        for level in range(max(self._depth, other._depth), -1, -1):
            if level <= self._depth:
                here = [each for _, below in here for each in below]
            if level <= other._depth:
                there = [each for _, below in there for each in below]
            here, there = _unshared(here, there)
        return here, there

    def _way(self, number: Any) -> tuple[list[tuple[Node, int]], Node]:
        """Return the way to the leaf of a number: the branches, and the places taken there."""
        way, node = [], self._root
        for _ in range(self._depth):
            numbers, below = node
            place = max(bisect_right(numbers, number) - 1, 0)
            way.append((node, place))
            node = below[place]
        return way, node

    def _leaves(self) -> Iterable[Node]:
        return _leaves([self._root], self._depth)

    def _with(self, root: Node, depth: int, length: int) -> Self:
        changed = object.__new__(type(self))
        changed._root, changed._depth, changed._length = root, depth, length
        return changed


_EMPTY: Node = ([], [])


def _place(key: Hashable) -> tuple[int, int, int]:
    code = hash(key)
    return code & 15, code >> 4 & 15, code >> 8 & 15


def _trie(items: Iterable[tuple[K, V]]) -> list[list[list[dict[K, V]]]]:
    leaf: dict[K, V] = {}
    twig = [leaf] * 16
    branch = [twig] * 16
    root = [branch] * 16
    for key, value in items:
        first, second, third = _place(key)
        if root[first] is branch:
            root[first] = branch.copy()
        if root[first][second] is twig:
            root[first][second] = twig.copy()
        if root[first][second][third] is leaf:
            root[first][second][third] = {}
        root[first][second][third][key] = value
    return root


def _nodes(numbers: list[Any], below: list[Any]) -> list[Node]:
    """Return full nodes of these, and one that is not: at least one in all."""
    starts = range(0, len(below), _MOST)
    return [(numbers[at : at + _MOST], below[at : at + _MOST]) for at in starts] or [_EMPTY]


def _spliced(node: Node, start: int, stop: int, numbers: list[Any], below: list[Any]) -> Node:
    """Return a node with others instead of those from ``start`` to ``stop``."""
    all_numbers, all_below = node[0].copy(), node[1].copy()
    all_numbers[start:stop], all_below[start:stop] = numbers, below
    return all_numbers, all_below


def _above(node: Node, way: list[tuple[Node, int]]) -> Node:
    """Return the node on top of a way, with this one at its end, whose first number is the same."""
    for (numbers, below), place in reversed(way):
        below = below.copy()
        below[place] = node
        node = numbers, below
    return node


def _firsts(nodes: Iterable[Node]) -> list[Any]:
    return [numbers[0] for numbers, _ in nodes]


def _leaves(nodes: Iterable[Node], depth: int) -> Iterable[Node]:
    """Return the leaves below nodes that are so many levels above them."""
    for _ in range(depth):
        nodes = chain.from_iterable([below for _, below in nodes])
    return nodes


def _leaves_backwards(nodes: list[Node], depth: int) -> Iterable[Node]:
    """Give the leaves below nodes that are so many levels above them, the last first."""
    if not depth:
        return reversed(nodes)
    inner = (_leaves_backwards(below, depth - 1) for _, below in reversed(nodes))
    return chain.from_iterable(inner)


def _split(node: Node, at: int) -> list[Node]:
    """Return the node, as two if it has grown too large by what came there."""
    numbers, below = node
    if len(below) <= _MOST:
        return [node]
    # New items come at the end: full nodes stay behind.
    middle = _MOST if at >= _MOST - 1 else _MOST // 2
    return [(numbers[:middle], below[:middle]), (numbers[middle:], below[middle:])]


def _unshared(here: list[Any], there: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return two lists without what is in both."""
    here, there = _unlike(here, there)
    both = {id(each) for each in here} & {id(each) for each in there}
    return (
        [each for each in here if id(each) not in both],
        [each for each in there if id(each) not in both],
    )


def _unlike(here: list[V], there: list[V]) -> tuple[list[V], list[V]]:
    """Return two lists without what is the same at both starts and ends."""
    start = sum(takewhile(bool, map(is_, here, there)))
    here, there = here[start:], there[start:]
    end = sum(takewhile(bool, map(is_, reversed(here), reversed(there))))
    return here[: len(here) - end], there[: len(there) - end]
