"""TinyDB's storages: a moment of the state, a transaction on it, and the state itself."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, cast

from tinydb.storages import Storage

from mockgraph.state.entities import REMOVED, Entity, owner_key
from mockgraph.state.links import LINKS, TARGET, target_of
from mockgraph.state.packing import PackedEntity, PackedProperties, Stored, pack_changed, pack_new
from mockgraph.state.snapshots import Delta, Rows, Snapshot

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


_ALONE = nullcontext()


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

    def write(self, data: Mapping[str, Documents]) -> None:
        """Make these the tables; documents that are there already keep their places."""
        with self.writing():
            self.edit(_difference(self.now, data))

    def edit(self, write: Write, anew: Collection[str] = ()) -> None:
        """Put and remove documents from outside, once they are checked; see ``put``.

        Raise BadRequest with the path of the fault where one does not fit.
        """
        self.put(self.rules.check(write, self.now), anew)

    def put(self, write: Write, anew: Collection[str] = ()) -> Mapping[str, Delta]:
        """Put and remove documents that are good, all or none, and return what is stored now.

        What has one of the keys ``anew`` comes after all others, as if it had not been there.
        """
        del write, anew
        raise TypeError("A view of the state cannot be written to.")

    def store(self, name: str, key: str, properties: Mapping[str, Any]) -> Entity:
        """Put one document that is good, in a context of its own, and return it as it is stored."""
        return cast("Entity", self.put({name: {key: properties}})[name][key])

    def writing(self) -> AbstractContextManager[object]:
        """Return a context to write in."""
        return _ALONE


class Staging(StorageView):
    """The tables as a transaction sees them: those of the state, with its own writes."""

    def __init__(self, state: EntityStorage):
        self.now = state.now
        self.rules = state.rules
        self.deltas: dict[str, dict[str, Stored | None]] = {}
        self.is_edited = False
        self._state = state

    def edit(self, write: Write, anew: Collection[str] = ()) -> None:
        super().edit(write, anew)
        self.is_edited = True

    def store(self, name: str, key: str, properties: Mapping[str, Any]) -> Entity:
        before = self.now.rows(name).find(key)
        number = None if before is None else before.number
        entity = self._state.entity(key, properties, number)
        stored: Stored = entity
        if before is None:
            stored = pack_new(entity)
        elif self._state.has_store:  # which needs the JSON
            stored = pack_changed(entity)
        self.now = self.now.put(name, stored, self._state.revision)
        self.deltas.setdefault(name, {})[key] = stored
        return entity

    def put(self, write: Write, anew: Collection[str] = ()) -> Mapping[str, Delta]:
        deltas = {name: self._delta(name, each, anew) for name, each in write.items()}
        self.take(deltas)
        return deltas

    def take(self, deltas: Mapping[str, Delta]) -> None:
        """Put and remove entities of new revisions; what the removed ones contain goes, too."""
        self.now = self.now.changed(deltas, self._state.revision)
        for name, delta in deltas.items():
            self.deltas.setdefault(name, {}).update(delta)
        for name, delta in deltas.items():
            if None in delta.values():
                self._remove_with(name, {key for key, entity in delta.items() if entity is None})

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
    start from ``start``, or from nothing.
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
        self._store = store
        self._lock = store.writing if store else threading.RLock()
        self._writing = Writing(self._lock, store, self._undo)
        # Revisions go on from the clock, so that an etag of an earlier run matches nothing.
        self.revision = max(self.now.revision, time.time_ns() // 1000)

    def close(self) -> None:
        """Let go of the store."""
        if self._store is not None:
            self._store.close()

    def writing(self) -> Writing:
        """Return a context that lets one writer in at a time."""
        return self._writing

    def edit(self, write: Write, anew: Collection[str] = ()) -> None:
        staging = Staging(self)
        staging.edit(write, anew)
        self.commit(staging)

    def store(self, name: str, key: str, properties: Mapping[str, Any]) -> Entity:
        with self.writing():
            return super().store(name, key, properties)

    def put(self, write: Write, anew: Collection[str] = ()) -> Mapping[str, Delta]:
        staging = Staging(self)
        deltas = staging.put(write, anew)
        self.commit(staging)
        return deltas

    def commit(self, staging: Staging) -> None:
        """Make the tables of a transaction those of the state, by the writer that began it.

        Raise StoreFailed where the store does not take them, and leave all as it was.
        """
        if staging.deltas:
            self._become(staging.now, staging.deltas)
        if staging.is_edited:
            self.on_edit()

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot, whole, or raise StoreFailed; by a writer."""
        self.revision = max(self.revision, snapshot.revision)
        if self._store is None:
            self.now = snapshot
        else:
            self._become(snapshot, self.now.difference(snapshot))

    def stamped(self, data: Mapping[str, Documents]) -> Snapshot:
        """Return documents as entities that are not the state yet; stored rows stay as they are."""
        with self._lock:
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

    def _become(self, after: Snapshot, deltas: Mapping[str, Delta]) -> None:
        if self._store is not None and any(deltas.values()):
            self._store.append(deltas, after)
        self.now = after

    def _undo(self, to: Snapshot) -> None:
        self.now = to


# Waits until what was written is as durable as asked; raises StoreFailed where it cannot be.
Settle = Callable[[], None]


class Writing:
    """A context for one writer at a time, at whose end its writes are as durable as asked.

    Raises StoreFailed where they cannot be; then they are undone by ``undo``. Raises
    RuntimeError where the thread is a writer already. Who can wait later calls ``leave``.
    """

    __slots__ = ("_lock", "_store", "_undo", "_writer")

    def __init__(
        self,
        lock: AbstractContextManager[Any],
        store: Store | None,
        undo: Callable[[Snapshot], None],
    ):
        self._lock = lock
        self._store = store
        self._undo = undo
        self._writer: int | None = None

    def __enter__(self) -> None:
        thread = threading.get_ident()
        if self._writer == thread:
            raise RuntimeError("A transaction is open in this thread; write by it.")
        self._lock.__enter__()
        self._writer = thread

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _: BaseException | None,
        __: TracebackType | None,
    ) -> None:
        settle = self.leave()
        if kind is None and settle is not None:
            settle()

    def leave(self) -> Settle | None:
        """Let other writers in, and return what waits for the disk, where that is asked for."""
        store, group = self._store, None
        if store is not None and store.to_disk:
            group = store.group
        self._writer = None
        self._lock.__exit__(None, None, None)
        return None if store is None or group is None else partial(store.settle, group, self._undo)


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
