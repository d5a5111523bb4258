"""TinyDB's storages: a moment of the state, a transaction on it, and the state itself."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, cast

from tinydb.storages import Storage

from mockgraph.state.entities import REMOVED, Entity, owner_key
from mockgraph.state.links import LINKS, TARGET, target_of
from mockgraph.state.packing import PackedEntity, PackedProperties, Stored, pack_changed, pack_new
from mockgraph.state.snapshots import NO_ROWS, Delta, Rows, Snapshot

if TYPE_CHECKING:
    from mockgraph.state.store import Store

Documents = Mapping[str, Mapping[str, Any]]
# Documents by table and key; None for what is to be removed.
Write = Mapping[str, Mapping[str, Mapping[str, Any] | None]]


class WriteRules(Protocol):
    """The tables that there are, and the documents that each may hold."""

    @property
    def tables(self) -> Collection[str]:
        """The names of the tables."""
        ...

    def key_of(self, name: str, document: Mapping[str, Any]) -> str | None:
        """Return the key that a new document of a table brings, None where it brings none."""
        ...

    def check_table(self, name: str) -> None:
        """Raise BadRequest where there is no such table."""
        ...

    def check(self, write: Write, now: Snapshot) -> Write:
        """Return the documents as they are to be stored, sharing nothing with those given.

        Raise BadRequest with the path of the fault where one does not fit.
        """
        ...


class NoRules:
    """Any table, any document."""

    tables: Collection[str] = ()

    def key_of(self, name: str, document: Mapping[str, Any]) -> str | None:  # noqa: ARG002
        """Return None: a new one is made."""
        return None

    def check_table(self, name: str) -> None:
        """Accept the name."""

    def check(self, write: Write, now: Snapshot) -> Write:  # noqa: ARG002
        """Return a copy."""
        return copy.deepcopy(write)


class Copies(Mapping[str, Any]):
    """A table as TinyDB's readers see it: each document a copy, for whoever gets it to edit."""

    def __init__(self, rows: Rows):
        self.rows = rows

    def __getitem__(self, key: str) -> Any:
        return copy.deepcopy(dict(self.rows[key]))

    def __contains__(self, key: object) -> bool:
        return key in self.rows

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


class StorageView(Storage):
    """The tables of one moment, ``now``, to be read."""

    def __init__(self, now: Snapshot, rules: WriteRules | None = None):
        self.now = now
        self.rules = rules or NoRules()

    def read(self) -> dict[str, dict[str, Any]]:
        """Return tables that are copied where they are read, so that any TinyDB may have them."""
        filled = (name for name, rows in self.now.tables.items() if rows)
        names = dict.fromkeys([*self.rules.tables, *filled])
        return cast(
            "dict[str, dict[str, Any]]", {each: Copies(self.now.rows(each)) for each in names}
        )

    def rows(self, name: str) -> Rows:
        """Return the stored entities of a table themselves, to be read only.

        Raise BadRequest where there is no table of this name.
        """
        found = self.now.tables.get(name)
        if found is None:
            self.rules.check_table(name)
            found = NO_ROWS
        return found

    def filled_tables(self) -> frozenset[str]:
        """Return the names of the tables that hold something."""
        return frozenset(name for name, rows in self.now.tables.items() if rows)

    def write(self, data: Mapping[str, Documents]) -> None:
        """Make these the tables; documents that are there already keep their places."""
        with self.writing() as staging:
            staging.edit(_difference(staging.now, data))

    def writing(self) -> AbstractContextManager[Staging]:
        """Return a context whose writes happen at its end, all or none."""
        raise TypeError("A view of the state cannot be written to.")


_OUTSIDE = "The transaction has ended, or has not begun: write in its block."

# Waits until what was written is as durable as asked; raises StoreFailed where it cannot be.
Settle = Callable[[], None]


class Staging(StorageView):
    """The tables as one writer sees them: those of the state, with its own writes.

    It is a context that lets one writer in at a time. At its end its tables become those of the
    state, as durable as asked; where an exception leaves it, they do not. ``settle_later`` takes
    what waits for the disk, where the end is not to wait for that.

    Raises StoreFailed where the store does not take the writes: they are undone. Raises
    RuntimeError where the thread is a writer already, and for a write outside the context.
    """

    _is_open = False

    def __init__(self, state: EntityStorage, settle_later: Callable[[Settle], None] | None = None):
        self.now = state.now
        self.rules = state.rules
        self._state = state
        self._settle_later = settle_later
        self._deltas: dict[str, dict[str, Stored | None]]

    def __enter__(self) -> Staging:
        state, thread = self._state, threading.get_ident()
        if state.writer == thread:
            raise RuntimeError("A transaction is open in this thread; write by it.")
        state.lock.acquire()
        state.writer = thread
        self.now = state.now
        self._deltas, self._is_edited = {}, False
        self._is_open = True
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        state, settle = self._state, None
        try:
            if kind is None:
                if self.now is not state.now:
                    state.become(self.now, self._deltas)
                if self._is_edited:
                    state.on_edit()
                if state.waits_for_disk:
                    settle = state.settling()
        finally:
            self._is_open = False
            state.writer = None
            state.lock.release()
        if settle is not None:
            if self._settle_later is None:
                settle()
            else:
                self._settle_later(settle)

    def writing(self) -> AbstractContextManager[Staging]:
        """Return a context in which nothing happens yet: it does when this one ends."""
        return nullcontext(self)

    def store(self, name: str, key: str, properties: Mapping[str, Any]) -> Entity:
        """Put one document that is good, and return it as it is stored."""
        before = self.now.rows(name).find(key)
        if before is None:
            return self.insert(name, key, properties)
        return self.replace(name, before, properties)

    def insert(self, name: str, key: str, properties: Mapping[str, Any]) -> Entity:
        """Put one document that is good where none has its key; return it as it is stored."""
        entity = self._state.entity(key, properties)
        stored = pack_new(entity)
        self._stored(name, self.now.rows(name).put(stored), stored)
        return entity

    def replace(self, name: str, before: Entity, properties: Mapping[str, Any]) -> Entity:
        """Put a document that is good in the place of one, and return it as it is stored."""
        state = self._state
        state.revision += 1
        entity = Entity(properties, before.key, state.revision, before.number)
        # A store needs the JSON.
        stored: Stored = pack_changed(entity) if state.has_store else entity
        self._stored(name, self.now.tables[name].replaced(stored), stored)
        return entity

    def _stored(self, name: str, rows: Rows, stored: Stored) -> None:
        if not self._is_open:
            raise RuntimeError(_OUTSIDE)
        self.now = Snapshot({**self.now.tables, name: rows}, self._state.revision)
        if self._state.has_store:
            self._deltas.setdefault(name, {})[stored.key] = stored

    def discard(self, name: str, key: str) -> None:
        """Remove the entity with this key, and all that it contains."""
        self.put({name: {key: None}})

    def edit(self, write: Write, anew: Collection[str] = ()) -> None:
        """Put and remove documents from outside, once they are checked; see ``put``.

        Raise BadRequest with the path of the fault where one does not fit.
        """
        self.put(self.rules.check(write, self.now), anew)
        self._is_edited = True

    def put(self, write: Write, anew: Collection[str] = ()) -> None:
        """Put and remove documents that are good.

        What has one of the keys ``anew`` comes after all others, as if it had not been there.
        """
        self.take({name: self._delta(name, each, anew) for name, each in write.items()})

    def take(self, deltas: Mapping[str, Delta]) -> None:
        """Put and remove entities of new revisions; what the removed ones contain goes, too."""
        if not self._is_open:
            raise RuntimeError(_OUTSIDE)
        self.now = self.now.changed(deltas, self._state.revision)
        for name, delta in deltas.items():
            self._deltas.setdefault(name, {}).update(delta)
        for name, delta in deltas.items():
            if None in delta.values():
                self._remove_with(name, {key for key, entity in delta.items() if entity is None})

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot, of this state or another, whole."""
        self._state.revision = max(self._state.revision, snapshot.revision)
        if self._state.has_store:
            self._deltas = self._state.now.difference(snapshot)
        self.now = snapshot

    def _delta(
        self, name: str, write: Mapping[str, Mapping[str, Any] | None], anew: Collection[str]
    ) -> dict[str, Entity | None]:
        rows, delta = self.now.rows(name), dict[str, Entity | None]()
        for key, value in write.items():
            before = None if key in anew else rows.find(key)
            number = None if before is None else before.number
            delta[key] = None if value is None else self._state.entity(key, value, number)
        return delta

    def _remove_with(self, name: str, gone: Collection[str]) -> None:
        """Remove what entities of a table contained, and what referred to them.

        What that contained goes in turn.
        """
        below, own_marks = f"{name}/", f"{name}{REMOVED}"
        owners = {owner_key(key) for key in gone}
        targets = {target_of(name, key) for key in gone}
        for table, rows in self.now.tables.items():
            lost: list[Entity] = []
            if rows and table.startswith(below) and table != own_marks:
                lost += rows.owned_by(*owners)
            if rows and table.endswith(LINKS):
                lost += rows.equal(TARGET, targets)
            if lost:
                self.put({table: dict.fromkeys(each.key for each in lost)})


class EntityStorage(StorageView):
    """The state: the tables of now, in memory and, where there is one, in a store.

    A write makes new tables, so who reads takes those of now, and no lock. Without a store they
    start from ``start``, or from nothing. ``lock`` is held by who writes, ``writer`` tells the
    thread.
    """

    def __init__(
        self,
        start: Snapshot | None = None,
        store: Store | None = None,
        rules: WriteRules | None = None,
    ):
        super().__init__(store.state if store else start or Snapshot({}, 0), rules)
        self.has_store = store is not None
        self.waits_for_disk = store is not None and store.to_disk
        # Called when documents were written from outside, by TinyDB's own methods.
        self.on_edit: Callable[[], None] = lambda: None
        self.lock = store.writing if store else threading.RLock()
        self.writer: int | None = None
        self._store = store
        # Revisions go on from the clock, so that an etag of an earlier run matches nothing.
        self.revision = max(self.now.revision, time.time_ns() // 1000)

    def close(self) -> None:
        """Let go of the store."""
        if self._store is not None:
            self._store.close()

    def writing(self) -> Staging:
        """Return a context of the next writer."""
        return Staging(self)

    def put(self, write: Write, anew: Collection[str] = ()) -> None:
        """Put and remove documents that are good, in a context of their own."""
        with self.writing() as staging:
            staging.put(write, anew)

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot, of this state or another, whole. Raise StoreFailed."""
        with self.writing() as staging:
            staging.restore(snapshot)

    def become(self, after: Snapshot, deltas: Mapping[str, Delta]) -> None:
        """Make the tables of a writer those of the state.

        Raise StoreFailed where the store does not take what is different, and leave all as it was.
        """
        if self._store is not None and any(deltas.values()):
            self._store.append(deltas, after)
        self.now = after

    def settling(self) -> Settle:
        """Return what waits until all written so far is as durable as asked."""
        assert self._store is not None
        return partial(self._store.settle, self._store.group, self._undo)

    def _undo(self, to: Snapshot) -> None:
        self.now = to

    def stamped(self, data: Mapping[str, Documents]) -> Snapshot:
        """Return documents as entities that are not the state yet; stored rows stay as they are."""
        with self.lock:
            tables = {
                name: documents
                if isinstance(documents, Rows)
                else Rows(self._stamped(key, value) for key, value in documents.items())
                for name, documents in data.items()
            }
            return Snapshot(tables, self.revision)

    def _stamped(self, key: str, properties: Mapping[str, Any]) -> Stored:
        if isinstance(properties, PackedProperties):
            self.revision += 1
            return PackedEntity(properties.json, key, self.revision, self.revision)
        return self.entity(key, properties)

    def entity(self, key: str, properties: Mapping[str, Any], number: int | None = None) -> Entity:
        """Return an entity of a new revision, which is its number where none is given."""
        self.revision += 1
        return Entity(properties, key, self.revision, self.revision if number is None else number)


def _difference(now: Snapshot, data: Mapping[str, Documents]) -> Write:
    """Return what makes the tables those given, which may be copies of them."""
    write: dict[str, Mapping[str, Mapping[str, Any] | None]] = {}
    for name in [*now.tables, *(name for name in data if name not in now.tables)]:
        rows, documents = now.rows(name), data.get(name, {})
        if isinstance(documents, Copies) and documents.rows is rows:
            continue
        delta: dict[str, Mapping[str, Any] | None] = {}
        delta.update((key, None) for key in rows if key not in documents)
        delta.update((key, each) for key, each in documents.items() if differ(rows.find(key), each))
        if delta:
            write[name] = delta
    return write


def differ(one: Mapping[str, Any] | None, other: Mapping[str, Any]) -> bool:
    """Return whether documents differ, be it by 1 and true, or 1 and 1.0, which are equal."""
    return one != other or repr(one) != repr(other)
