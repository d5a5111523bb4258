"""TinyDB with entities for documents: tables keyed by entity id, edited in place.

TinyDB as it comes rebuilds and rewrites every table on each write and hands out the stored
dicts themselves. Here a table tells its storage what changed and nothing else, and what is
stored is never edited again: a write puts a new entity in the place of the old one, so a
reader may keep what it was given, and a snapshot shares what it has in common with today.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, NamedTuple, Protocol, cast

from tinydb import TinyDB
from tinydb.storages import Storage
from tinydb.table import Document, Table

Rows = dict[str, "Entity"]


class Entity(Document):
    """A stored entity: its properties, read only by convention, and its revision.

    A revision is the number of the write that made the entity what it is; no two different
    contents ever share one, so it serves as the etag. Its number tells its place in the table
    and stays the same for as long as the entity is there, so that paging can go by it.
    """

    __slots__ = ("number", "rendered", "revision")

    def __init__(self, properties: Mapping[str, Any], key: str, revision: int):
        super().__init__(properties, cast("int", key))
        self.revision = revision
        self.number = 0
        self.rendered: dict[object, bytes] = {}

    @property
    def key(self) -> str:
        return cast("str", self.doc_id)

    @property
    def etag(self) -> str:
        return f'W/"{self.revision:x}"'


class Snapshot(NamedTuple):
    """The tables as they were; shared with the present, so it must not be edited.

    ``revision`` and ``number`` are the last ones given until then.
    """

    tables: Mapping[str, Rows]
    revision: int
    number: int


class Written(Protocol):
    """Where a storage makes a write durable before it counts. It may refuse by raising."""

    def append(
        self, revision: int, table: str, put: Mapping[str, Mapping[str, Any]], removed: list[str]
    ) -> None: ...

    def rewrite(self, tables: Mapping[str, Rows]) -> None: ...

    def compact(self, tables: Mapping[str, Rows]) -> None: ...

    def close(self) -> None: ...


class EntityStorage(Storage):
    """The tables in memory, and behind them a record of each write where there is one.

    Not safe for two writers at once: the state's lock sees to that. Readers need none.
    """

    def __init__(self, tables: Mapping[str, Rows], revision: int, record: Written | None = None):
        self._tables: dict[str, Rows] = dict(tables)
        self._shared: set[str] = set()
        self._revision = revision
        self._number = 0
        self._count(self._tables)
        self._record = record

    def read(self) -> dict[str, dict[str, Any]]:
        return cast("dict[str, dict[str, Any]]", self._tables)

    def write(self, data: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
        self.restore(self.stamped(data))

    def close(self) -> None:
        if self._record is not None:
            self._record.close()

    def rows(self, table: str) -> Rows:
        return self._tables.get(table, {})

    def next_revision(self) -> int:
        self._revision += 1
        return self._revision

    def stamped(self, data: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Snapshot:
        """Plain documents as entities of one new revision, not yet the state."""
        revision = self.next_revision()
        tables = {
            table: {key: Entity(value, key, revision) for key, value in rows.items()}
            for table, rows in data.items()
        }
        self._count(tables)
        return Snapshot(tables, self._revision, self._number)

    def commit(self, table: str, put: Mapping[str, Mapping[str, Any]], removed: list[str]) -> None:
        """Apply one write to one table, whole, or raise and leave everything as it was."""
        revision = self.next_revision()
        if self._record is not None:
            self._record.append(revision, table, put, removed)
        rows = self._own(table)
        for key in removed:
            rows.pop(key, None)
        for key, value in put.items():
            entity = Entity(value, key, revision)
            before = rows.get(key)
            entity.number = self._next_number() if before is None else before.number
            rows[key] = entity
        if self._record is not None:
            self._record.compact(self._tables)

    def snapshot(self) -> Snapshot:
        self._shared.update(self._tables)
        return Snapshot(dict(self._tables), self._revision, self._number)

    def restore(self, snapshot: Snapshot) -> None:
        if self._record is not None:
            self._record.rewrite(snapshot.tables)
        self._shared = set(snapshot.tables)
        self._tables = dict(snapshot.tables)
        self._revision = max(self._revision, snapshot.revision)
        self._number = max(self._number, snapshot.number)

    def _count(self, tables: Mapping[str, Rows]) -> None:
        for rows in tables.values():
            for entity in rows.values():
                entity.number = self._next_number()

    def _next_number(self) -> int:
        self._number += 1
        return self._number

    def _own(self, table: str) -> Rows:
        """The rows to edit, copied first where a snapshot shares them."""
        if table in self._shared:
            self._tables[table] = dict(self._tables[table])
            self._shared.remove(table)
        return self._tables.setdefault(table, {})


class Copies(Mapping[str, Any]):
    """A table as TinyDB's readers see it: each document a copy, for whoever gets it to edit."""

    def __init__(self, rows: Rows):
        self._rows = rows

    def __getitem__(self, key: str) -> Any:
        return copy.deepcopy(dict(self._rows[key]))

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._rows))

    def __len__(self) -> int:
        return len(self._rows)


class Changes(MutableMapping[str, Any]):
    """A table as TinyDB's updaters see it, which notes what they do to it."""

    def __init__(self, rows: Rows):
        self._rows = rows
        self._lent: dict[str, dict[str, Any]] = {}
        self.put: dict[str, Mapping[str, Any]] = {}
        self.removed: dict[str, None] = {}

    def settle(self) -> None:
        """Take note of documents that an updater edited in place."""
        for key, value in self._lent.items():
            if key not in self.removed and key not in self.put and value != self._rows[key]:
                self.put[key] = value

    def __getitem__(self, key: str) -> Any:
        if key in self.put:
            return self.put[key]
        if key in self.removed:
            raise KeyError(key)
        if key not in self._lent:
            # A copy: the stored entity is shared with readers and snapshots.
            self._lent[key] = copy.deepcopy(dict(self._rows[key]))
        return self._lent[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.put[key] = value

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        self.put.pop(key, None)
        if key in self._rows:
            self.removed[key] = None

    def __contains__(self, key: object) -> bool:
        return key in self.put or (key in self._rows and key not in self.removed)

    def __iter__(self) -> Iterator[str]:
        for key in self._rows:
            if key not in self.removed:
                yield key
        for key in self.put:
            if key not in self._rows or key in self.removed:
                yield key

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def clear(self) -> None:
        self.put.clear()
        self.removed = dict.fromkeys(self._rows)


class EntityTable(Table):
    """TinyDB's table, keyed by text, whose writes cost what they change.

    ``_read_table``, ``_update_table`` and ``_get_next_id`` are private names of TinyDB 4;
    a property test holds this class against the stock one.
    """

    document_id_class = str  # type: ignore[assignment]  # TinyDB's annotation says int
    default_query_cache_capacity = 0

    @property
    def _entities(self) -> EntityStorage:
        return cast("EntityStorage", self._storage)

    def entity(self, key: str) -> Entity | None:
        """The stored entity itself, not a copy."""
        return self._entities.rows(self.name).get(key)

    def entities(self) -> list[Entity]:
        """All entities as they are at one moment, oldest first."""
        return list(self._entities.rows(self.name).values())

    def _read_table(self) -> dict[str, Mapping[str, Any]]:
        return cast("dict[str, Mapping[str, Any]]", Copies(self._entities.rows(self.name)))

    def _update_table(self, updater: Callable[[Any], None]) -> None:
        changes = Changes(self._entities.rows(self.name))
        updater(changes)
        changes.settle()
        if changes.put or changes.removed:
            self._entities.commit(self.name, copy.deepcopy(changes.put), list(changes.removed))
        self.clear_cache()

    def _get_next_id(self) -> Any:
        return str(uuid.uuid4())


class EntityDB(TinyDB):
    """TinyDB over entity tables."""

    table_class = EntityTable

    def entity_table(self, name: str) -> EntityTable:
        return cast("EntityTable", self.table(name))

    @property
    def entities(self) -> EntityStorage:
        return cast("EntityStorage", self.storage)
