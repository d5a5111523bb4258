"""TinyDB's storage: the tables as they are, in memory and, where there is one, in a store."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, cast

from tinydb.storages import Storage

from mockgraph.state.copies import Copies
from mockgraph.state.entities import Entity
from mockgraph.state.rows import Delta, Rows, Snapshot

if TYPE_CHECKING:
    from mockgraph.state.store import Store

# Documents by table and key; None for what is to be removed.
Write = Mapping[str, Mapping[str, Mapping[str, Any] | None]]
Documents = Mapping[str, Mapping[str, Mapping[str, Any]]]


class EntityStorage(Storage):
    """The tables ``now``. A write makes new ones of them, so who reads takes them, and no lock.

    Without a store they start from ``start``, or from nothing.
    """

    def __init__(self, start: Snapshot | None = None, store: Store | None = None):
        self.now = store.state if store else start or Snapshot({}, 0)
        self._store = store
        self.waits_for_disk = store is not None and store.to_disk
        self._lock = store.writing if store else threading.RLock()
        # Revisions go on from the clock, so that an etag of an earlier run matches nothing.
        self._revision = max(self.now.revision, time.time_ns() // 1000)

    def read(self) -> dict[str, dict[str, Any]]:
        """Tables that are copied where they are read, so that any TinyDB may have them."""
        tables = {name: Copies(rows) for name, rows in self.now.tables.items()}
        return cast("dict[str, dict[str, Any]]", tables)

    def write(self, data: Documents) -> None:
        with self.writing():
            self.restore(self.stamped(data))

    def close(self) -> None:
        if self._store is not None:
            self._store.close()

    def writing(self) -> AbstractContextManager[object]:
        """One writer at a time; when it is done, its writes are as durable as asked.

        Not to be nested. Raises StoreFailed where they cannot be; then they are undone.
        """
        return self._lock if self._store is None else self._storing(self._store)

    @contextmanager
    def _storing(self, store: Store) -> Iterator[None]:
        with self._lock:
            yield
            group = store.group
        store.settle(group, self._undo)

    def commit(self, write: Write, anew: Collection[str] = ()) -> Mapping[str, Delta]:
        """Put and remove, all of it, or raise StoreFailed and leave everything as it was.

        What has one of the keys ``anew`` is made anew: it comes after all others. Gives what is
        stored now.
        """
        with self._lock:
            deltas = {name: self._delta(name, each, anew) for name, each in write.items()}
            self._become(self.now.changed(deltas, self._revision), deltas)
        return deltas

    def restore(self, snapshot: Snapshot) -> None:
        """Back to the tables of a snapshot, all of them, or raise StoreFailed."""
        with self._lock:
            self._revision = max(self._revision, snapshot.revision)
            if self._store is None:
                self.now = snapshot
            else:
                self._become(snapshot, self.now.difference(snapshot))

    def stamped(self, data: Documents) -> Snapshot:
        """Plain documents as entities, not yet the state; stored tables stay as they are."""
        with self._lock:
            tables = {name: self._rows(documents) for name, documents in data.items()}
            return Snapshot(tables, self._revision)

    def _become(self, after: Snapshot, deltas: Mapping[str, Delta]) -> None:
        if self._store is not None and any(deltas.values()):
            self._store.append(deltas, after)
        self.now = after

    def _undo(self, to: Snapshot) -> None:
        self.now = to

    def _delta(
        self, table: str, write: Mapping[str, Mapping[str, Any] | None], anew: Collection[str]
    ) -> dict[str, Entity | None]:
        rows = self.now.rows(table)
        return {
            key: None
            if value is None
            else self._entity(key, value, None if key in anew else rows.find(key))
            for key, value in write.items()
        }

    def _rows(self, documents: Mapping[str, Mapping[str, Any]]) -> Rows:
        if isinstance(documents, Copies):
            return documents.rows
        if isinstance(documents, Rows):
            return documents
        return Rows(self._entity(key, value) for key, value in documents.items())

    def _entity(
        self, key: str, properties: Mapping[str, Any], before: Entity | None = None
    ) -> Entity:
        self._revision += 1
        number = self._revision if before is None else before.number
        return Entity(properties, key, self._revision, number)
