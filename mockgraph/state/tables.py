"""TinyDB over entities: tables keyed by entity id, whose writes cost what they change.

TinyDB as it comes rebuilds and rewrites every table on each write and hands out the stored
dicts themselves. Here a table tells its storage what changed and nothing else, and what is
stored is never edited again: a write puts a new entity in the place of the old one.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import Any, cast

from tinydb import TinyDB
from tinydb.table import Document, Table

from mockgraph.guids import new_guid
from mockgraph.state.entities import Entity
from mockgraph.state.snapshots import Rows, Snapshot
from mockgraph.state.storage import (
    Copies,
    Documents,
    EntityStorage,
    Staging,
    StorageView,
    differ,
)


class Changes(MutableMapping[str, Any]):
    """A table as TinyDB's updaters see it; it notes what they do to it."""

    def __init__(self, rows: Mapping[str, Entity]):
        self._rows = rows
        self._lent: dict[str, dict[str, Any]] = {}
        self.put: dict[str, Mapping[str, Any]] = {}
        self.removed: dict[str, None] = {}

    @property
    def write(self) -> dict[str, Mapping[str, Any] | None]:
        """The documents put, in that order, and None for those removed."""
        gone = (key for key in self.removed if key not in self.put)
        return {**dict.fromkeys(gone), **self.put}

    def settle(self) -> None:
        """Note the documents that an updater edited in place."""
        for key, value in self._lent.items():
            if key not in self.removed and key not in self.put and differ(self._rows[key], value):
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


class NoCache:
    """TinyDB's cache of queries, left out: a search takes as long as the table is short."""

    def __init__(self, capacity: int):
        """Ignore the capacity."""

    def get(self, query: object) -> None:
        """Return nothing."""

    def __setitem__(self, query: object, documents: object) -> None:
        """Keep nothing."""

    def clear(self) -> None:
        """Do nothing: there is nothing."""


class EntityTable(Table):
    """A table of the state: TinyDB's, keyed by text; documents read are copies.

    What TinyDB's methods write is checked: BadRequest, with the path of the fault, refuses what
    does not fit, and then nothing is changed. A document without a key gets its ``id`` for one,
    or a new one.

    ``_read_table``, ``_update_table`` and ``_get_next_id`` are private names of TinyDB 4;
    a property test holds this class against the stock one.
    """

    document_id_class: Any = str  # TinyDB's own is int
    query_cache_class: Any = NoCache
    _storage: StorageView

    @property
    def rows(self) -> Rows:
        """The stored entities themselves, as they are now, to be read only."""
        return self._storage.now.rows(self._name)

    def store(self, key: str, properties: Mapping[str, Any]) -> Entity:
        """Put a document that is known to be good, and return it as it is stored."""
        with self._storage.writing() as staging:
            return staging.store(self._name, key, properties)

    def discard(self, key: str) -> None:
        """Remove the entity with this key, and all that it contains."""
        with self._storage.writing() as staging:
            staging.discard(self._name, key)

    def insert(self, document: Mapping[str, Any]) -> Any:
        """Insert a document and return its key. Raise ValueError where the key is taken."""
        return super().insert(self._keyed(document))

    def insert_multiple(self, documents: Iterable[Mapping[str, Any]]) -> Any:
        """Insert documents, all or none, and return their keys. Raise as ``insert`` does."""
        return super().insert_multiple(self._keyed(each) for each in documents)

    def put(self, key: str, document: Mapping[str, Any] | None) -> None:
        """Put a document in the place of that with a key, or insert it; None takes that away.

        Raise BadRequest for what does not fit.
        """

        def become(table: Changes) -> None:
            if document is None:
                del table[key]
            else:
                table[key] = dict(document)

        self._update_table(become)

    def _keyed(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the document with its own key as TinyDB's id, where it brings one."""
        if isinstance(document, Document) or not isinstance(document, Mapping):
            return document
        key = self._storage.rules.key_of(self._name, document)
        return document if key is None else Document(document, cast("Any", key))

    def _read_table(self) -> dict[str, Mapping[str, Any]]:
        return cast("dict[str, Mapping[str, Any]]", Copies(self.rows))

    def _update_table(self, updater: Callable[[Any], None]) -> None:
        with self._storage.writing() as staging:
            changes = Changes(staging.now.rows(self._name))
            updater(changes)
            changes.settle()
            if changes.put or changes.removed:
                staging.edit({self._name: changes.write}, anew=changes.removed)

    def _get_next_id(self) -> Any:
        return new_guid()


class EntityDB(TinyDB):
    """The state as a TinyDB, the only door to it: ``db.table("security/alerts_v2")``.

    There is a table for each set, named as URLs show its path below the root, with the
    singleton's name in small letters, and one for the singleton itself, ``security``.
    """

    table_class = EntityTable
    _storage: StorageView

    def table(self, name: str, **options: Any) -> EntityTable:
        """Return a table. Raise BadRequest where there is none of this name."""
        table = self._tables.get(name)
        if table is None:
            self._storage.rules.check_table(name)
            table = super().table(name, **options)
        return cast("EntityTable", table)

    def rows(self, name: str) -> Rows:
        """Return the stored entities of a table themselves, to be read only.

        Raise BadRequest where there is no table of this name.
        """
        return self._storage.rows(name)

    def __repr__(self) -> str:
        """Return how many entities each table has; TinyDB would ask for a default table."""
        tables = self._storage.now.tables.items()
        filled = (f"{name}: {len(rows)}" for name, rows in tables if rows)
        return f"<{type(self).__name__} {', '.join(filled) or 'empty'}>"

    def filled_tables(self) -> frozenset[str]:
        """Return the names of the tables that hold something."""
        return self._storage.filled_tables()

    def view(self, snapshot: Snapshot | None = None) -> EntityDB:
        """Return the tables as they are now, or were, whatever is written meanwhile."""
        view = StorageView(snapshot or self._storage.now, self._storage.rules)
        return EntityDB(storage=lambda: view)

    def transaction(self) -> EntityTransaction:
        """Give tables to write to, whose writes happen all together at the end of the block.

        None of them happens where an exception leaves the block; others see none before. Raise
        StoreFailed where the store does not take them::

            with db.transaction() as transaction:
                transaction.table("security/incidents").insert({"id": "i"})
                transaction.table("security/alerts_v2").update({"incidentId": "i"})

        Where the store is to be on the disk, the end of the block waits for that.
        """
        transaction = EntityTransaction(self._entities.writing())
        transaction.table_class = self.table_class
        return transaction

    def snapshot(self) -> Snapshot:
        """Return the tables as they are now, to go back to."""
        return self._storage.now

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot, of this state or another. Raise StoreFailed."""
        self._entities.restore(snapshot)

    def stamped(self, tables: Mapping[str, Documents]) -> Snapshot:
        """Return documents that are known to be good as a snapshot; stored rows stay the same."""
        return self._entities.stamped(tables)

    def close(self) -> None:
        """Do nothing: the state lives on, and lets go of its store when the server stops."""

    @property
    def _entities(self) -> EntityStorage:
        if not isinstance(self._storage, EntityStorage):
            raise RuntimeError("A view or a transaction has none within it.")
        return self._storage


class EntityTransaction(EntityDB):
    """The tables to write to in a block, at whose end all the writes happen together.

    ``staging`` has them.
    """

    def __init__(self, staging: Staging):
        super().__init__(storage=lambda: staging)
        self.staging = staging

    def __enter__(self) -> EntityTransaction:
        self.staging.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.staging.__exit__(kind)

    def store(self, name: str, key: str, properties: Mapping[str, Any]) -> Entity:
        """Put a document that is known to be good, and return it as it is stored."""
        return self.staging.store(name, key, properties)
