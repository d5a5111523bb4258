"""The tables at one moment: never edited, and sharing what did not change."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, cast

from mockgraph.state.entities import Entity
from mockgraph.state.indexes import (
    OWNER,
    Condition,
    Equality,
    Indexes,
    Narrowed,
    SearchPredicate,
    SortedIndex,
    SortedPart,
    TextIndex,
    path_key,
)
from mockgraph.state.packing import Entities, PackedEntity, Stored
from mockgraph.state.persistent_maps import Map, Ordered

if TYPE_CHECKING:
    from mockgraph.odata.orderby import Order

# Entities by key; None for those that are gone.
Delta = Mapping[str, Stored | None]

_FEW = 48  # entities of a table


class Rows(Mapping[str, Entity]):
    """The entities of one table at one moment by key, oldest first; never edited.

    Few of them are a dict, which a write copies: their order is made once somebody asks for it. Of
    many a key leads to a number, which stays, and so to a place in the order.
    """

    __slots__ = ("_by_key", "_indexes", "_order")

    def __init__(self, entities: Iterable[Stored] = ()):
        """``entities`` come in the order of their numbers."""
        self._order: Entities | None = Entities(entities)
        stored = self._order.stored()
        self._by_key: dict[str, Stored] | Map[str, int]
        if len(self._order) <= _FEW:
            self._by_key = {entity.key: entity for entity in stored}
        else:
            self._by_key = Map((entity.key, entity.number) for entity in stored)
        self._indexes = Indexes()

    @property
    def in_order(self) -> Entities:
        """The entities in the order of their numbers."""
        order = self._order
        if order is None:
            few = cast("dict[str, Stored]", self._by_key).values()
            order = self._order = Entities(sorted(few, key=attrgetter("number")))
        return order

    def find(self, key: str) -> Entity | None:
        """Return the entity with this key, if there is one."""
        by_key = self._by_key
        if isinstance(by_key, dict):
            found = by_key.get(key)
            return found.unpacked() if isinstance(found, PackedEntity) else found
        number = by_key.get(key)
        return None if number is None else self.in_order.at(number)

    def having(self, *equalities: Equality) -> Iterable[Entity]:
        """Give the entities that may have one of the values of each key: no fewer than do."""
        narrowed = self.narrowed(equalities)
        return self.in_order if narrowed is None else narrowed.after()

    def narrowed(self, conditions: Iterable[Condition]) -> Narrowed | None:
        """Return what is left of all by an index of one of several conditions, if there is any."""
        return self._indexes.narrow(self.in_order, conditions)

    def sorted_by(self, order: Order, *, now: bool = True) -> SortedIndex | None:
        """Return all in an order, if it is one to be kept, and asked often or ``now``."""
        if order.key is None:
            return None
        return self._indexes.sorted(self.in_order, order.key, order.descending, now=now)

    def sorted_part(self, order: Order, narrowed: Narrowed) -> SortedPart | None:
        """Return those of one value in an order, if it is one to be kept, and asked often."""
        if order.key is None:
            return None
        return self._indexes.part(narrowed, order.key, order.descending)

    def texts(self, search: SearchPredicate) -> TextIndex | None:
        """Return the texts of all that a search looks at, if they are wanted."""
        return self._indexes.texts(self.in_order, search)

    def want_texts(self, search: SearchPredicate) -> None:
        """Have the texts that a search looks at kept from the next one on."""
        self._indexes.want_texts(search)

    def owned_by(self, *keys: str) -> Ordered[Entity]:
        """Return the entities that those with these keys, in another table, contain."""
        narrowed, owners = self.narrowed([Equality(OWNER, keys)]), {*keys}
        candidates = self.in_order.stored() if narrowed is None else narrowed.stored()
        return Entities(each for each in candidates if each.owner in owners)

    def equal(self, name: str, values: Collection[Any]) -> Ordered[Entity]:
        """Return the entities that have one of these values for a property."""
        candidates = self.having(Equality(path_key((name,)), tuple(values)))
        return Ordered(each for each in candidates if each.get(name) in values)

    def changed(self, delta: Delta) -> Rows:
        """Return the rows with these entities put and removed."""
        by_key = self._by_key
        if isinstance(by_key, dict):
            few = {**by_key, **delta}
            return self._few({key: after for key, after in few.items() if after is not None})
        in_order = self.in_order
        for key, after in delta.items():
            before = by_key.get(key)
            if before is not None and (after is None or after.number != before):
                by_key, in_order = by_key.without(key), in_order.without(before)
            if after is not None:
                by_key, in_order = by_key.put(key, after.number), in_order.put(after)
        return self._with(by_key, in_order, self._indexes)

    def put(self, entity: Stored) -> Rows:
        """Return the rows with an entity that is new."""
        by_key = self._by_key
        if isinstance(by_key, dict):
            return self._few({**by_key, entity.key: entity})
        by_key = by_key.put(entity.key, entity.number)
        return self._with(by_key, self.in_order.put(entity), self._indexes)

    def replaced(self, entity: Stored) -> Rows:
        """Return the rows with an entity in the place of the one that has its key and number."""
        by_key = self._by_key
        if isinstance(by_key, dict):
            return self._with({**by_key, entity.key: entity}, None, self._indexes)
        return self._with(by_key, self.in_order.replaced(entity), self._indexes)

    def _few(self, by_key: dict[str, Stored]) -> Rows:
        """Return the rows with these instead, where they were few."""
        if len(by_key) > _FEW:
            return Rows(sorted(by_key.values(), key=attrgetter("number")))
        return self._with(by_key, None, self._indexes if self._by_key else Indexes())

    @staticmethod
    def _with(
        by_key: dict[str, Stored] | Map[str, int], order: Entities | None, indexes: Indexes
    ) -> Rows:
        rows: Rows = Rows.__new__(Rows)
        rows._by_key = by_key
        rows._order = order
        rows._indexes = indexes
        return rows

    def difference(self, other: Rows) -> dict[str, Stored | None]:
        """Return what makes these rows the other ones."""
        gone, come = self.in_order.differing(other.in_order)
        delta: dict[str, Stored | None] = {entity.key: None for entity in gone}
        delta.update((entity.key, entity) for entity in come)
        return delta

    def __getitem__(self, key: str) -> Entity:
        entity = self.find(key)
        if entity is None:
            raise KeyError(key)
        return entity

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._by_key.get(key) is not None

    def __iter__(self) -> Iterator[str]:
        return (entity.key for entity in self.in_order.stored())

    def __len__(self) -> int:
        by_key = self._by_key
        return len(by_key if isinstance(by_key, dict) else self.in_order)


NO_ROWS: Final = Rows()


class Snapshot:
    """All tables at one moment by name, and the last revision that was given until then.

    It is never edited; one is equal to itself alone.
    """

    __slots__ = ("__weakref__", "revision", "tables")

    def __init__(self, tables: Mapping[str, Rows], revision: int):
        self.tables = tables
        self.revision = revision

    def rows(self, table: str) -> Rows:
        """Return the entities of a table; none where it is not there."""
        return self.tables.get(table, NO_ROWS)

    def changed(self, deltas: Mapping[str, Delta], revision: int) -> Snapshot:
        """Return the tables with these entities put and removed."""
        tables = dict(self.tables)
        for name, delta in deltas.items():
            tables[name] = self.rows(name).changed(delta)
        return Snapshot(tables, revision)

    def difference(self, other: Snapshot) -> dict[str, dict[str, Stored | None]]:
        """Return what makes these tables the other ones, by table; empty where none differs."""
        names = [*self.tables, *(name for name in other.tables if name not in self.tables)]
        deltas = {
            name: self.rows(name).difference(other.rows(name))
            for name in names
            if self.tables.get(name) is not other.tables.get(name)
        }
        return {name: delta for name, delta in deltas.items() if delta}
