"""Indexes: the entities of a table by the value of a key, in the order of one, and their texts.

An index belongs to one version of the table. Versions share most of their entities, so an
index of one is made that of another by what is different between them. That is done when an
index is asked, so it holds whatever was written, restored or forked meanwhile, and writes pay
nothing for it. The version that was asked last is kept for that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from functools import partial
from heapq import merge
from itertools import chain, islice, takewhile
from math import inf
from operator import attrgetter, itemgetter
from typing import Any, Final, NamedTuple, Protocol, Self, TypeVar, cast

from mockgraph import work
from mockgraph.state.entities import Entity
from mockgraph.state.packing import Entities, Stored, unpacked
from mockgraph.state.persistent_maps import Map, Ordered

Path = tuple[str, ...]

# A smaller table is searched as quickly, fewer entities of one value are sorted as quickly.
_FROM = _PART_FROM = 200
# How many indexes of a kind a table has at most, and how many keys are counted to choose them by.
_MOST = {"equal": 8, "sorted": 4, "part": 8, "texts": 2}
_MOST_COUNTED = 256
# How often a key is asked until it gets an index: making one costs a few searches.
_ASKED = 2
# So many questions later the counts are halved: an index that nobody asks any more is dropped.
_AGED = 1024
# The characters of texts that an index holds at most; those of other entities are made each time.
_MOST_CHARACTERS = 2**26
# The steps that it takes to gather the texts of an entity.
STEPS_OF_TEXTS: Final = 40


class Key(NamedTuple):
    """The value of an entity that an index goes by, ``of`` it; equal names mean equal values."""

    name: Hashable
    of: Callable[[Entity], Any]


def path_key(path: Path) -> Key:
    """Return the key of what is stored at a path: null where that is no primitive value."""
    return Key(path, partial(_held, path))


OWNER: Final = Key("/", attrgetter("owner"))  # of the entity that contains this one


class Equality(NamedTuple):
    """A key has one of some values in all entities that a filter matches.

    Values that are equal in Python are one, 1 and true among them.
    """

    key: Key
    values: tuple[Any, ...]


class KeyRange(NamedTuple):
    """A key, whose values compare, lies between two in just the entities that a filter matches.

    ``low`` and ``high`` are bounds as :func:`below` and :func:`above` make them.
    """

    key: Key
    low: tuple[Any, ...]
    high: tuple[Any, ...]

    def within(self, other: KeyRange) -> KeyRange:
        """Return what lies in this range and another of the same key."""
        return KeyRange(self.key, max(self.low, other.low), min(self.high, other.high))


Condition = Equality | KeyRange


def below(value: Any) -> tuple[Any, ...]:
    """Return the bound just below a value of a key."""
    return (value,)


def above(value: Any) -> tuple[Any, ...]:
    """Return the bound just above a value of a key."""
    return value, inf


class Index:
    """The entities that have a value of a key, by the value; never edited."""

    __slots__ = ("_by_value", "_entities", "_key")

    def __init__(self, key: Key, entities: Entities, by_value: Map[Any, Entities]):
        self._key = key
        self._entities = entities
        self._by_value = by_value

    @classmethod
    def of(cls, key: Key, entities: Entities) -> Self:
        by_value: dict[Any, list[Stored]] = {}
        for entity in entities.stored():
            by_value.setdefault(_hashed(key, entity), []).append(entity)
        lists = ((value, Entities(equal)) for value, equal in by_value.items())
        return cls(key, entities, Map(lists))

    def over(self, entities: Entities) -> Self:
        """Return the index of another version of the table."""
        if entities is self._entities:
            return self
        gone, come = self._entities.differing(entities)
        if len(gone) + len(come) > len(entities) // 4:
            return self.of(self._key, entities)
        by_value = self._by_value
        for entity in gone:
            value = _hashed(self._key, entity)
            rest = (by_value.get(value) or Entities()).without(entity.number)
            by_value = by_value.put(value, rest) if rest else by_value.without(value)
        for entity in come:
            value = _hashed(self._key, entity)
            by_value = by_value.put(value, (by_value.get(value) or Entities()).put(entity))
        return type(self)(self._key, entities, by_value)

    def having(self, values: Iterable[Any]) -> list[Entities]:
        """Return, for each of the values that some have, the entities that have it."""
        keys, get = {(value,) for value in values}, self._by_value.get
        return [entities for key in keys if (entities := get(key)) is not None]


class Placed(NamedTuple):
    """An entity in an order; its ``number`` is its place there."""

    number: tuple[Any, int]
    entity: Stored


class SortedIndex:
    """The entities of a table in the order of a key; never edited.

    Those of which it is equal are in the order of the table.
    """

    __slots__ = ("_descending", "_entities", "_key", "_placed")

    def __init__(self, key: Key, descending: bool, entities: Entities, placed: Ordered[Placed]):
        self._key = key
        self._descending = descending
        self._entities = entities
        self._placed = placed

    @classmethod
    def of(cls, key: Key, descending: bool, entities: Entities) -> Self:
        index = cls(key, descending, entities, Ordered())
        placed = [Placed(index._place(entity), entity) for entity in entities.stored()]
        index._placed = Ordered(sorted(placed, key=itemgetter(0)))
        return index

    def over(self, entities: Entities) -> Self:
        """Return the index of another version of the table."""
        if entities is self._entities:
            return self
        gone, come = self._entities.differing(entities)
        if len(gone) + len(come) > len(entities) // 8:
            return self.of(self._key, self._descending, entities)
        placed = self._placed
        for entity in gone:
            placed = placed.without(self._place(entity))
        for entity in come:
            placed = placed.put(Placed(self._place(entity), entity))
        return type(self)(self._key, self._descending, entities, placed)

    def _place(self, entity: Stored) -> tuple[Any, int]:
        # What is in descending order is kept backwards, and yet the oldest of equals comes first.
        number = -entity.number if self._descending else entity.number
        return self._key.of(unpacked(entity)), number

    def __len__(self) -> int:
        return len(self._placed)

    def walk(
        self, within: KeyRange | None = None, after: Entity | None = None, skip: int = 0
    ) -> Iterator[Entity]:
        """Give the entities in order: those in a range, those that come after one of them.

        Those that are to be skipped at the start are not looked at.
        """
        low, high = (within.low, within.high) if within else (None, None)
        placed: Iterable[Placed] = self._placed
        if self._descending:
            high = high if after is None else self._place(after)
            placed = self._placed.before(high) if high else reversed(self._placed)
            if low is not None:
                placed = takewhile(lambda each: each.number > low, placed)
        else:
            start = low if after is None else self._place(after)
            placed = self._placed.after(start) if start else self._placed
            if high is not None:
                placed = takewhile(lambda each: each.number < high, placed)
        return map(unpacked, map(itemgetter(1), islice(placed, skip, None)))

    def count(self, within: KeyRange) -> int:
        """Return how many entities are in a range."""
        return self._placed.count(within.low, within.high)

    def is_of(self, entities: Ordered[Entity]) -> bool:
        """Return whether these are its entities, in this version of the table."""
        return self._entities is entities

    def find(self, number: int) -> Entity | None:
        """Return the entity that has a number, None where there is none."""
        found = next(self._entities.after(number - 1), None)
        return found if found is not None and found.number == number else None


class SortedPart(SortedIndex):
    """The entities of a table that have one value of a key, in the order of another."""

    __slots__ = ()


class Narrowed(NamedTuple):
    """The rest of a table, by its indexes: so many entities, in lists or a range of an order.

    ``equal`` names the key of which all have one value, and the value; None where they have not.
    """

    size: int
    lists: Sequence[Entities] = ()
    order: SortedIndex | None = None
    within: KeyRange | None = None
    equal: tuple[Hashable, Any] | None = None

    def stored(self) -> Iterator[Stored]:
        """Give the entities of the lists as they are stored, in the order of the table."""
        return merge(*(each.stored() for each in self.lists), key=attrgetter("number"))

    def all(self) -> Iterator[Entity]:
        """Give the entities in any order."""
        if self.order is not None:
            return self.order.walk(self.within)
        return chain.from_iterable(self.lists)

    def after(self, number: float = -inf) -> Iterator[Entity]:
        """Give the entities with larger numbers in the order of the table."""
        if self.order is not None:
            later = [each for each in self.order.walk(self.within) if each.number > number]
            return iter(sorted(later, key=attrgetter("number")))
        lists = [iter(each) if number == -inf else each.after(number) for each in self.lists]
        return lists[0] if len(lists) == 1 else merge(*lists, key=attrgetter("number"))


class SearchPredicate(Protocol):
    """A predicate on the texts of an entity; equal names mean that the texts are the same."""

    @property
    def name(self) -> Hashable: ...
    @property
    def text_of(self) -> Callable[[Any], str]:
        """The function that makes of an entity the text that is looked through."""
        ...

    @property
    def finds(self) -> Callable[[str], bool]:
        """Whether it is found in a text."""
        ...

    def __call__(self, entity: Any, /) -> bool: ...
    def steps(self, length: int, /) -> int:
        """Return the steps that it takes to look through a text."""
        ...


class Searched(NamedTuple):
    """An entity with its text to search in, None where that is made each time."""

    number: int
    entity: Stored
    text: str | None


class TextIndex:
    """The texts of a table's entities; never edited."""

    __slots__ = ("_entities", "_size", "_text_of", "_texts")

    def __init__(self, text_of: Callable[[Entity], str], entities: Entities):
        self._text_of = text_of
        self._entities = entities
        self._size = 0
        counted = work.current().on_each(entities.stored(), STEPS_OF_TEXTS)
        self._texts = Ordered([self._searched(entity) for entity in counted])

    def over(self, entities: Entities) -> TextIndex:
        """Return the index of another version of the table."""
        if entities is self._entities:
            return self
        gone, come = self._entities.differing(entities)
        if len(gone) + len(come) > len(entities) // 2:
            return TextIndex(self._text_of, entities)
        index = TextIndex(self._text_of, Entities())
        index._entities, index._size, texts = entities, self._size, self._texts
        for entity in gone:
            before = next(texts.after(entity.number - 1))
            index._size -= len(before.text or "")
            texts = texts.without(entity.number)
        for entity in come:
            texts = texts.put(index._searched(entity))
        index._texts = texts
        return index

    def _searched(self, entity: Stored) -> Searched:
        if self._size > _MOST_CHARACTERS:
            return Searched(entity.number, entity, None)
        text = self._text_of(unpacked(entity))
        self._size += len(text)
        return Searched(entity.number, entity, text)

    def finding(self, search: SearchPredicate, after: float = -inf) -> Iterator[Entity]:
        """Give the entities that a search finds of those whose numbers are larger."""
        mean = self._size // (len(self._texts) or 1)
        finds, text_of = search.finds, self._text_of
        for each in work.current().on_each(self._texts.after(after), search.steps(mean)):
            text = text_of(unpacked(each.entity)) if each.text is None else each.text
            if finds(text):
                yield unpacked(each.entity)


class Indexed(Protocol):
    """An index of any kind."""

    def over(self, entities: Entities) -> Self:
        """Return the index of another version of the table."""
        ...


Made = TypeVar("Made", bound=Indexed)
# A kind of index, and what it is of.
_Name = tuple[Any, ...]


class Indexes:
    """The indexes of a table, shared by all of its versions; made of what is asked often.

    Safe under threads: an index is never edited, and which version's is kept does not matter.
    """

    __slots__ = ("_asked", "_made", "_making", "_questions")

    def __init__(self) -> None:
        self._made: dict[_Name, Indexed] = {}
        self._asked: dict[_Name, int] = {}
        self._questions = 0
        self._making = threading.Lock()

    def equal(self, entities: Entities, key: Key) -> Index | None:
        """Return the index of a version by the values of a key, if it is asked often."""
        if len(entities) < _FROM:
            return None
        return self._index(("equal", key.name), entities, partial(Index.of, key))

    def sorted(
        self, entities: Entities, key: Key, descending: bool = False, *, now: bool = False
    ) -> SortedIndex | None:
        """Return the index of a version in the order of a key, if it is asked often or ``now``."""
        if len(entities) < _FROM and not now:
            return None
        name = ("sorted", key.name, descending)
        return self._index(name, entities, partial(SortedIndex.of, key, descending), now)

    def part(self, narrowed: Narrowed, key: Key, descending: bool) -> SortedPart | None:
        """Return the index of those that have one value, in an order, if it is asked often."""
        if narrowed.equal is None or narrowed.size < _PART_FROM:
            return None
        name = "part", key.name, descending, narrowed.equal
        make = partial(SortedPart.of, key, descending)
        return self._index(name, narrowed.lists[0], make)

    def ranked(self, entities: Entities, key: Key) -> SortedIndex | None:
        """Return an index of a version in the order of a key, in either direction."""
        if ("sorted", key.name, True) in self._made:
            return self.sorted(entities, key, True)
        return self.sorted(entities, key)

    def texts(self, entities: Entities, search: SearchPredicate) -> TextIndex | None:
        """Return the texts of a version that a search looks at, if they are wanted."""
        name = "texts", search.name
        if len(entities) < _FROM or name not in self._asked:
            return None
        return self._index(name, entities, partial(TextIndex, search.text_of))

    def want_texts(self, search: SearchPredicate) -> None:
        """Have the texts that a search looks at kept from the next one on."""
        self._count(("texts", search.name))

    def narrow(self, entities: Entities, conditions: Iterable[Condition]) -> Narrowed | None:
        """Return what the index of one of several conditions leaves, that which leaves least.

        No fewer than all those in which all conditions hold; None where there is no index.
        """
        narrowest = None
        for each in conditions:
            found = self._narrowed(entities, each)
            if found is not None and (narrowest is None or found.size < narrowest.size):
                narrowest = found
        return narrowest

    def _narrowed(self, entities: Entities, condition: Condition) -> Narrowed | None:
        if isinstance(condition, KeyRange):
            in_order = self.ranked(entities, condition.key)
            if in_order is None:
                return None
            return Narrowed(in_order.count(condition), (), in_order, condition)
        index = self.equal(entities, condition.key)
        if index is None:
            return None
        lists = index.having(condition.values)
        equal = (condition.key.name, condition.values[0]) if len(condition.values) == 1 else None
        return Narrowed(sum(map(len, lists)), lists, equal=equal)

    def _index(
        self,
        name: _Name,
        entities: Entities,
        make: Callable[[Entities], Made],
        now: bool = False,
    ) -> Made | None:
        asked = self._count(name)
        known = self._made.get(name)
        if known is not None:
            index = self._made[name] = known.over(entities)
            return cast("Made", index)
        if now:
            return self._make(name, entities, make, now)
        # Making one takes long: whoever asks meanwhile searches.
        if asked < _ASKED or not self._making.acquire(blocking=False):
            return None
        try:
            return self._make(name, entities, make, now)
        finally:
            self._making.release()

    def _count(self, name: _Name) -> int:
        """Count how often a key was asked.

        Now and then half of it is forgotten, and what nobody asked; where there are many, those
        without an index.
        """
        self._questions += 1
        if self._questions >= _AGED:
            self._questions = 0
            halved = {each: asked // 2 for each, asked in [*self._asked.items()] if asked > 1}
            self._made = {each: made for each, made in [*self._made.items()] if each in halved}
            self._asked = halved
        if name not in self._asked and len(self._asked) >= _MOST_COUNTED:
            asked = self._asked
            self._asked = {each: asked.get(each, 0) for each in [*self._made]}
        count = self._asked[name] = self._asked.get(name, 0) + 1
        return count

    def _make(
        self, name: _Name, entities: Entities, make: Callable[[Entities], Made], now: bool
    ) -> Made | None:
        """Make an index, where there is room or one that is asked far less often to replace."""
        counts = {each: self._asked.get(each, 0) for each in [*self._made] if each[0] == name[0]}
        if len(counts) >= _MOST[name[0]]:
            least = min(counts, key=lambda each: counts[each])
            if not now and self._asked.get(name, 0) < 2 * counts[least]:
                return None
            self._made.pop(least, None)
        index = make(entities)
        self._made[name] = index
        return index


def _hashed(key: Key, entity: Stored) -> tuple[Any, ...]:
    """Return the value of a key as one of a map: a tuple, whose hash is spread over all bits.

    That of a number is not. NaN, which equals nothing, is none.
    """
    if key is OWNER:
        return (entity.owner,)
    value = key.of(unpacked(entity))
    return (value,) if value == value else ()


def _held(path: Path, entity: Entity) -> Any:
    value: Any = entity
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return None if isinstance(value, (dict, list)) else value
