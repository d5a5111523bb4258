"""The state: what was written is read back. The only stage that keeps anything.

TinyDB holds one table a set, keyed by the entity's id, and one for the singleton. Writes go
one after another under a lock, each read-modify-write whole; readers take no lock, since
stored entities are never edited (see :mod:`mockgraph.state.tables`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from mockgraph.clock import Clock
from mockgraph.errors import MockGraphError, NotFound
from mockgraph.model import Intent, Json, Operation, Outcome, Page, Row, Service
from mockgraph.state.documents import read_document, write_document
from mockgraph.state.log import StoreLog
from mockgraph.state.paging import Pager
from mockgraph.state.preconditions import check, unchanged
from mockgraph.state.reading import Reader
from mockgraph.state.tables import Entity, EntityDB, EntityStorage, Snapshot
from mockgraph.state.work import Work

__all__ = ["Snapshot", "State"]

PAGE_SIZE = 100
MAX_PAGE_SIZE = 1000


class State:
    """The state of one app, in memory or behind a file.

    ``initial`` is the state document that a new state starts from and a reset goes back to;
    a store that already holds something goes on from there. Raises MockGraphError where the
    store cannot be opened, BadRequest where the document does not fit. ``durability`` says
    what an answered write in a store survives: ``process``, a kill, or ``disk``, a power cut.
    """

    def __init__(
        self,
        service: Service,
        initial: Json,
        store: str | None = None,
        durability: str = "process",  # noqa: ARG002
    ):
        log = StoreLog(Path(store)) if store else None
        # Revisions go on from the clock, so that an etag of an earlier run matches nothing.
        first = max(log.revision if log else 0, int(time.time() * 1000))
        storage = EntityStorage(log.tables if log else {}, first, log)
        try:
            first_state = storage.stamped(read_document(initial, service, None))
            if log is None or log.is_new:
                storage.restore(first_state)
            else:
                _check_tables(log, service)
        except BaseException:
            storage.close()
            raise
        self._begin(service, storage, first_state)

    def _begin(self, service: Service, storage: EntityStorage, initial: Snapshot) -> None:
        self.clock = Clock()
        self._service = service
        self._initial = initial
        self._lock = threading.RLock()
        self._pager = Pager()
        self._db = EntityDB(storage=lambda: storage)
        self._reader = Reader(self._db, service)

    def fork(self) -> State:
        """A new state of the same service with the same initial state, in memory.

        It has a clock of its own, and shares the initial entities with this one.
        """
        storage = EntityStorage({}, 0)
        storage.restore(self._initial)
        fork = object.__new__(State)
        fork._begin(self._service, storage, self._initial)
        return fork

    def snapshot(self) -> Snapshot:
        """The state as it is now, to go back to; the clock is no part of it."""
        with self._lock:
            return self._db.entities.snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        """Back to a snapshot, this state's own or a fork's. Raises StoreFailed."""
        with self._lock:
            self._db.entities.restore(snapshot)
            self._pager.forget()

    def apply(self, intent: Intent) -> Outcome:
        """Do what was asked. Raises 404, 409 and 412, and then nothing has changed."""
        return self._operations[intent.address.operation](self, intent)

    def reset(self) -> None:
        """Back to the initial state, and the clock to real time."""
        with self._lock:
            self._db.entities.restore(self._initial)
            self._pager.forget()
            self.clock.reset()

    def document(self) -> dict[str, Json]:
        """The whole state as the document that seeds are written in; read it only."""
        with self._lock:
            return write_document(self._db, self._service)

    def replace(self, document: Json) -> None:
        """Make the document the state. Raises BadRequest where it does not fit."""
        with self._lock:
            current = self._reader.singleton().key
            tables = read_document(document, self._service, current)
            self._db.entities.restore(self._db.entities.stamped(tables))
            self._pager.forget()

    def close(self) -> None:
        """Let go of the store; what was answered is in it."""
        with self._lock:
            self._db.close()

    # -- reading --------------------------------------------------------------------------

    def _nothing(self, _: Intent) -> Outcome:
        return Outcome()

    def _list(self, intent: Intent) -> Outcome:
        with self._lock:
            address, query = intent.address, intent.query
            target = address.within.target if address.within else address.resource
            cut = self._pager.page(
                self._reader.reached(address),
                query,
                _page_size(intent),
                self._reader.table(target.name).entity,
                _walk(intent),
            )
            rows = [self._reader.row(entity, query, target) for entity in cut.entities]
        return Outcome(page=Page(rows, cut.total, cut.next))

    def _count(self, intent: Intent) -> Outcome:
        return Outcome(value=len(intent.query.find(self._reader.reached(intent.address))))

    def _read(self, intent: Intent) -> Outcome:
        with self._lock:
            entity = self._reader.entity(intent.address)
            row = self._row(entity, intent)
        return Outcome(row=row, unchanged=unchanged(intent.preconditions, entity))

    def _read_property(self, intent: Intent) -> Outcome:
        entity = self._reader.entity(intent.address)
        value = self._reader.value(entity, intent.address.path)
        known = unchanged(intent.preconditions, entity)
        return Outcome(Row(entity, entity.etag), value=value, unchanged=known)

    def _count_property(self, intent: Intent) -> Outcome:
        entity = self._reader.entity(intent.address)
        value = self._reader.value(entity, intent.address.path)
        if not isinstance(value, list):
            raise NotFound(f"'{intent.address.path[-1]}' is no collection.")
        return Outcome(value=len(value))

    # -- writing --------------------------------------------------------------------------

    def _create(self, intent: Intent) -> Outcome:
        name = intent.address.resource.name
        with self._lock:
            work = self._work(intent)
            key = work.create(name, intent.body)["id"]
            work.commit()
            return Outcome(row=self._row(self._reader.known(name, key), intent), status=201)

    def _update(self, intent: Intent) -> Outcome:
        name = intent.address.resource.name
        with self._lock:
            before = self._writable(intent)
            work = self._work(intent)
            work.update(name, before.key, intent.body)
            work.commit()
            return Outcome(row=self._row(self._reader.known(name, before.key), intent))

    def _delete(self, intent: Intent) -> Outcome:
        with self._lock:
            before = self._writable(intent)
            work = self._work(intent)
            work.delete(intent.address.resource.name, before.key)
            work.commit()
        return Outcome(status=204)

    def _append(self, intent: Intent) -> Outcome:
        """Add an item to a collection of complex values; the server writes its time."""
        name, (path,) = intent.address.resource.name, intent.address.path
        with self._lock:
            before = self._writable(intent)
            item = {**intent.body}
            if "createdDateTime" in item:
                item["createdDateTime"] = self.clock.text()
            work = self._work(intent)
            after = work.update(name, before.key, {path: [*before[path], item]})
            work.commit()
        return Outcome(value=after[path], status=200)

    def _act(self, intent: Intent) -> Outcome:
        address = intent.address
        action = address.action
        assert action is not None  # an address with this operation has one
        with self._lock:
            work = self._work(intent)
            result = action.effect(work, address.key, intent.body)
            work.commit()
            returns = result.returns or action.returns
            if result.value is None:
                return Outcome(status=result.status)
            stored = returns is address.resource.type
            rows = [
                self._row(self._reader.known(address.resource.name, each["id"]), intent)
                if stored
                else Row(each)
                for each in result.value
            ]
        return Outcome(page=Page(rows), status=result.status, type=returns)

    _operations: Mapping[Operation, Callable[[State, Intent], Outcome]] = {
        Operation.OPTIONS: _nothing,
        Operation.SERVICE_DOCUMENT: _nothing,
        Operation.METADATA: _nothing,
        Operation.LIST: _list,
        Operation.COUNT: _count,
        Operation.LIST_REFERENCES: _list,
        Operation.CREATE: _create,
        Operation.READ: _read,
        Operation.READ_REFERENCE: _read,
        Operation.UPDATE: _update,
        Operation.DELETE: _delete,
        Operation.READ_PROPERTY: _read_property,
        Operation.READ_VALUE: _read_property,
        Operation.COUNT_PROPERTY: _count_property,
        Operation.APPEND: _append,
        Operation.ACT: _act,
    }

    def _work(self, intent: Intent) -> Work:
        return Work(self._db, self._service, self.clock, intent.address.root)

    def _row(self, entity: Entity, intent: Intent) -> Row:
        return self._reader.row(entity, intent.query, intent.address.resource)

    def _writable(self, intent: Intent) -> Entity:
        """The entity to be written. Raises 404 and 412."""
        entity = self._reader.entity(intent.address)
        check(intent.preconditions, entity)
        return entity


def _walk(intent: Intent) -> str:
    """What a list is of, and what it is filtered and ordered by, as its pages have it."""
    address = intent.address
    options = ((name.lower().removeprefix("$"), value) for name, value in intent.options)
    chosen = sorted(each for each in options if each[0] in ("filter", "search", "orderby"))
    within = address.within.name if address.within else None
    return repr((address.resource.name, address.key, within, chosen))


def _check_tables(log: StoreLog, service: Service) -> None:
    """Raises MockGraphError where whole lines do not make a whole state."""
    singleton, names = service.singleton.name, {each.name for each in service.sets.values()}
    unknown = sorted(log.tables.keys() - names - {singleton})
    if unknown or len(log.tables.get(singleton, {})) != 1:
        fault = f"it has '{unknown[0]}'" if unknown else f"it does not have one '{singleton}'"
        raise MockGraphError(f"The store {log.path} is damaged: {fault}; it was left as it is.")


def _page_size(intent: Intent) -> int:
    """``$top`` is a page's size, as in Graph; a preference can only make pages smaller."""
    asked, preferred = intent.query.top, intent.preferences.max_page_size
    if asked is None:
        return min(preferred or PAGE_SIZE, MAX_PAGE_SIZE)
    return min(asked, preferred or asked)
