"""The state: what was written is read back. The only stage that keeps anything.

TinyDB holds one table a set, keyed by the entity's id, and one for the singleton. Its tables
are never edited: a write makes new ones, which share what did not change. So each request
reads one state throughout and waits for nobody, and a snapshot is what the tables were. Writes
go one after another, each read-modify-write whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from mockgraph.clock import Clock
from mockgraph.errors import MockGraphError, NotFound, StoreFailed
from mockgraph.metadata.declarations import HUNTING, Service
from mockgraph.metadata.names import Json, Properties
from mockgraph.state.documents import directory_in, read_document, write_document
from mockgraph.state.entities import Entity
from mockgraph.state.intent import Intent, Operation, Outcome, Page, Row
from mockgraph.state.opening import lacking, open_store, tables_in
from mockgraph.state.paging import Pager
from mockgraph.state.preconditions import check, unchanged
from mockgraph.state.reading import Reader
from mockgraph.state.rows import Snapshot
from mockgraph.state.storage import EntityStorage
from mockgraph.state.tables import EntityDB
from mockgraph.state.work import Work

__all__ = ["Snapshot", "State"]

PAGE_SIZE = 100
MAX_PAGE_SIZE = 1000
_LONGEST_BLOCK = 100  # rows for hunting that came one by one and are kept together


class State:
    """The state of one app, in memory or behind a file.

    ``initial`` is the state document that a new state starts from and a reset goes back to;
    a store that already holds something goes on from there. Raises MockGraphError where the
    store cannot be opened, BadRequest where the document does not fit. ``durability`` says
    what an answered write in a store survives: ``process``, a kill, or ``disk``, a power cut.
    ``goes_on`` tells whether it went on from what a store held.
    """

    def __init__(
        self,
        service: Service,
        initial: Json,
        store: str | os.PathLike[str] | None = None,
        durability: str = "process",
    ):
        opened = open_store(store, durability) if store else None
        self.goes_on = opened is not None and not opened.is_new
        storage = EntityStorage(store=opened)
        try:
            first = storage.stamped(read_document(initial, service))
            start, missing = first, {}
            if opened is not None and self.goes_on:
                start = tables_in(opened, service, first)
                missing = lacking(start, service)
            with storage.writing():
                storage.restore(start)
                storage.commit(missing)
        except StoreFailed as error:
            storage.close()
            raise MockGraphError(f"{store}: {error.message}") from error
        except BaseException:
            storage.close()
            raise
        self._begin(service, storage, first)

    def _begin(self, service: Service, storage: EntityStorage, initial: Snapshot) -> None:
        self.clock = Clock()
        self._service = service
        self._first = self._initial = initial
        self._pager = Pager()
        self._db = EntityDB(storage=lambda: storage)
        self._entities = storage

    def fork(self) -> State:
        """A new state of the same service with the same initial state, in memory.

        It has a clock of its own, and shares the initial entities with this one.
        """
        fork = object.__new__(State)
        fork.goes_on = False
        fork._begin(self._service, EntityStorage(self._initial), self._initial)
        return fork

    @property
    def waits_for_disk(self) -> bool:
        """Whether a write is answered when it is on the disk, with those of others if it can."""
        return self._entities.waits_for_disk

    def apply(self, intent: Intent) -> Outcome:
        """Do what was asked. Raises 404, 409, 412 and 507, and then nothing has changed."""
        operation = self._operations[intent.address.operation]
        if not intent.address.writes:
            return operation(self, intent)
        with self._entities.writing():
            return operation(self, intent)

    def snapshot(self) -> Snapshot:
        """The state as it is now, to go back to; the clock is no part of it."""
        return self._entities.now

    def restore(self, snapshot: Snapshot) -> None:
        """Back to a snapshot, this state's own or a fork's. Raises StoreFailed."""
        with self._entities.writing():
            self._entities.restore(snapshot)
        self._pager.forget()

    def start_from(self, snapshot: Snapshot | None) -> None:
        """Make a snapshot the initial state, for resets and forks; None is the first again."""
        self._initial = snapshot or self._first

    def reset(self) -> None:
        """Back to the initial state, and the clock to real time. Raises StoreFailed."""
        self.restore(self._initial)
        self.clock.reset()

    @property
    def directory(self) -> Properties | None:
        """Who may sign in, as the last document had it that said so; None where none did.

        It is the same object until another does.
        """
        return directory_in(self._entities.now)

    def document(self, snapshot: Snapshot | None = None) -> dict[str, Json]:
        """The state, now or of a snapshot, as the document that seeds are written in; read it
        only."""
        return write_document(snapshot or self._entities.now, self._service)

    def read(self, document: Json) -> Snapshot:
        """What a document says, not yet the state. Raises BadRequest where it does not fit."""
        return self._entities.stamped(read_document(document, self._service, self._entities.now))

    def replace(self, document: Json) -> None:
        """Make the document the state. Raises BadRequest where it does not fit."""
        self.restore(self.read(document))

    def append_rows(self, table: str, rows: list[Json]) -> None:
        """Put rows behind those of one of hunting's tables. Raises StoreFailed."""
        with self._entities.writing():
            blocks = self._entities.now.rows(HUNTING)
            number = len(blocks)
            last = blocks.find(str(number))
            before = last["rows"] if last is not None and last["table"] == table else []
            if not before or len(before) + len(rows) > _LONGEST_BLOCK:
                number, before = number + 1, []
            block = {"table": table, "rows": [*before, *rows]}
            self._entities.commit({HUNTING: {str(number): block}})

    def close(self) -> None:
        """Let go of the store; what was answered is in it."""
        self._db.close()

    # -- reading --------------------------------------------------------------------------

    def _nothing(self, _: Intent) -> Outcome:
        return Outcome()

    def _list(self, intent: Intent) -> Outcome:
        reader, address, query = self._reader, intent.address, intent.query
        target = address.within.target if address.within else address.resource
        cut = self._pager.page(
            reader.reached(address, query),
            query,
            _page_size(intent),
            reader.rows(target.name).find,
            _walk(intent),
        )
        rows = [reader.row(entity, query, target) for entity in cut.entities]
        return Outcome(page=Page(rows, cut.total, cut.next))

    def _count(self, intent: Intent) -> Outcome:
        query = intent.query
        return Outcome(value=query.number(self._reader.reached(intent.address, query)))

    def _read(self, intent: Intent) -> Outcome:
        reader = self._reader
        entity = reader.entity(intent.address)
        row = reader.row(entity, intent.query, intent.address.resource)
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

    # -- writing, one at a time -------------------------------------------------------------

    def _create(self, intent: Intent) -> Outcome:
        name = intent.address.resource.name
        work = self._work(intent)
        key = work.create(name, intent.body)["id"]
        made = work.commit()[name][key]
        return Outcome(row=self._row(made, intent), status=201)

    def _update(self, intent: Intent) -> Outcome:
        name = intent.address.resource.name
        before = self._writable(intent)
        work = self._work(intent)
        work.update(name, before.key, intent.body)
        after = work.commit()[name][before.key]
        return Outcome(row=self._row(after, intent))

    def _delete(self, intent: Intent) -> Outcome:
        before = self._writable(intent)
        work = self._work(intent)
        work.delete(intent.address.resource.name, before.key)
        work.commit()
        return Outcome(status=204)

    def _append(self, intent: Intent) -> Outcome:
        """Add an item to a collection of complex values; the server writes its time."""
        name, (path,) = intent.address.resource.name, intent.address.path
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
        work = self._work(intent)
        result = action.effect(work, address.key, intent.body)
        work.commit()
        returns = result.returns or action.returns
        if result.value is None:
            return Outcome(status=result.status)
        stored = returns is address.resource.type
        known = self._reader.rows(address.resource.name).find
        rows = [
            self._row(known(each["id"]), intent) if stored else Row(each) for each in result.value
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

    @property
    def _reader(self) -> Reader:
        """What reads the state as it is now."""
        return Reader(self._entities.now, self._service)

    def _work(self, intent: Intent) -> Work:
        return Work(self._entities, self._service, self.clock, intent.address.root)

    def _row(self, stored: Entity | None, intent: Intent) -> Row:
        """What was just written, for the answer."""
        assert stored is not None  # it was not deleted
        return self._reader.row(stored, intent.query, intent.address.resource)

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


def _page_size(intent: Intent) -> int:
    """``$top`` is a page's size, as in Graph; a preference can only make pages smaller."""
    asked, preferred = intent.query.top, intent.preferences.max_page_size
    if asked is None:
        return min(preferred or PAGE_SIZE, MAX_PAGE_SIZE)
    return min(asked, preferred or asked)
