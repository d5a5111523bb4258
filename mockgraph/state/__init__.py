"""The state: what was written is read back. The only stage that keeps anything.

TinyDB holds one table a set, keyed by the entity's id, and one for the singleton; its
:class:`EntityDB` is the only door. The tables are never edited: a write makes new ones, which
share what did not change. So each request reads one state throughout and waits for nobody, and
a snapshot is what the tables were. Writes go one after another, each transaction whole.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

from mockgraph.clock import Clock
from mockgraph.errors import MockGraphError, StoreFailed
from mockgraph.metadata.names import Json, Properties
from mockgraph.metadata.resources import Service
from mockgraph.state import operations
from mockgraph.state.behaviours import Behaviour, behaviour_at
from mockgraph.state.document_writer import WrittenDocument
from mockgraph.state.documents import (
    DIRECTORY,
    SECURITY,
    directory_in,
    in_blocks,
    incomplete_in,
    open_store,
    read_document,
    tables_in,
)
from mockgraph.state.entities import Entity
from mockgraph.state.intent import Address, Caller, Intent, Outcome, RequestKind
from mockgraph.state.paging import Pager
from mockgraph.state.reader import Reader
from mockgraph.state.runs import LATEST, Run, due_runs
from mockgraph.state.snapshots import Snapshot
from mockgraph.state.storage import EntityStorage, Settle, Staging, StorageView
from mockgraph.state.table_rules import DIRECTORY_TABLE, HUNTING_TABLE, RUNS_TABLE, TableRules
from mockgraph.state.tables import EntityDB
from mockgraph.state.transactions import Transaction, take_status

if TYPE_CHECKING:
    from mockgraph.state.store_replay import Shape

__all__ = ["EntityDB", "Snapshot", "State", "Transaction"]

_logger = logging.getLogger("mockgraph")

_MOST_STEPS = 1000  # of work that sets other work going, when it is all ended at once
_EMPTY: Mapping[str, Json] = {SECURITY: {}}
_LONGEST_BLOCK = 100  # rows for hunting that came one by one and are kept together


class State:
    """The state of one app, in memory or behind a file.

    ``initial`` is the state document that a new state starts from and a reset goes back to;
    a store that already holds something goes on from there. Raises MockGraphError where the
    store cannot be opened, BadRequest where the document does not fit. ``durability`` says
    what an answered write in a store survives: ``process``, a kill, or ``disk``, a power cut.

    ``goes_on`` tells whether it went on from what a store held; ``db`` are its tables, ``clock``
    its time; ``behaviours`` says what operations do.
    """

    def __init__(
        self,
        service: Service,
        initial: Json,
        store: str | os.PathLike[str] | None = None,
        durability: str = "process",
        behaviours: Mapping[str, Behaviour] | None = None,
    ):
        opened = open_store(store, durability) if store is not None else None
        self.goes_on = opened is not None and not opened.is_new
        rules = TableRules(service)
        storage = EntityStorage(store=opened, rules=rules)
        self._own_behaviours = dict(behaviours or {})
        self.behaviours = dict(self._own_behaviours)
        self._rules = rules
        try:
            first = storage.stamped(read_document(initial, service))
            self._begin(service, storage, first)
            if opened is None or not self.goes_on:
                self.db.restore(first)
            else:
                self.db.restore(tables_in(opened, service, rules, first))
                self._complete(opened.shapes)
        except StoreFailed as error:
            storage.close()
            raise MockGraphError(f"{store}: {error.message}") from error
        except BaseException:
            storage.close()
            raise

    def _begin(self, service: Service, storage: EntityStorage, initial: Snapshot) -> None:
        self.clock = Clock()
        self.db = EntityDB(storage=lambda: storage)
        self.service = service
        self._storage = storage
        self._first = self._initial = initial
        self._pager = Pager()

    def _complete(self, shapes: Mapping[str, Collection[Shape]]) -> None:
        """Give the entities of an older MockGraph the properties that it did not know."""
        with self.db.transaction() as transaction:
            for name, key, entity in incomplete_in(transaction, self._rules, shapes):
                transaction.store(name, key, entity)

    def fork(self) -> State:
        """Return a new state of the same service with the same initial state, in memory.

        It has a clock of its own, and shares the initial entities with this one.
        """
        fork = object.__new__(State)
        fork.goes_on = False
        fork._own_behaviours = self._own_behaviours
        fork.behaviours = dict(self._own_behaviours)
        fork._rules = self._rules
        storage = EntityStorage(self._initial, rules=self._rules)
        fork._begin(self.service, storage, self._initial)
        return fork

    @property
    def waits_for_disk(self) -> bool:
        """Return whether writes are answered when they are on the disk, several by one sync."""
        return self._storage.waits_for_disk

    def runs_apart(self, address: Address) -> bool:
        """Return whether a request runs an operation apart from transactions, which takes long."""
        if address.call is None:
            return False
        behaviour = behaviour_at(self.behaviours, address.call.name, address.bound_to)
        return behaviour is not None and behaviour.apart

    def on_edit(self, call: Callable[[], None]) -> None:
        """Have a function called whenever a test has written to ``db``."""
        self._storage.on_edit = call

    def present(self) -> Snapshot:
        """Return the state as it is once what runs has gone on by the clock. Raise StoreFailed."""
        if self._storage.now.tables.get(RUNS_TABLE):
            self.advance()
        return self._storage.now

    def apply(
        self,
        intent: Intent,
        present: Snapshot | None = None,
        settle_later: Callable[[Settle], None] | None = None,
    ) -> Outcome:
        """Do what was asked; read what was asked of the present state, where that is given.

        A write that is to be on the disk is so at the end, unless ``settle_later`` takes what waits
        for that. Raises 400, 404, 409, 412 and 507, and then nothing has changed.
        """
        address = intent.address
        if not address.writes and address.kind is not RequestKind.CALL:
            storage = StorageView(present or self.present(), self._rules)
            return operations.read(Reader(storage, address.view), intent, self._pager)
        if address.call is not None and self.runs_apart(address):
            reader = Reader(StorageView(self._storage.now, self._rules), address.view)
            landed = intent._replace(address=reader.landed(address))
            return operations.invoke(self, reader, landed, self.behaviours)
        with Staging(self._storage, settle_later) as staging:
            transaction = Transaction(
                staging, self._rules, self.clock, address.view, intent.caller, intent.ending
            )
            return operations.write(transaction, intent, self.behaviours)

    def create(self, table: str, properties: Properties, owner: str = "") -> Entity:
        """Make an entity, for a test, whatever the rules of the service say.

        Raises as :meth:`mockgraph.state.transactions.Transaction.create`, and StoreFailed.
        """
        with self._storage.writing() as staging:
            transaction = Transaction(
                staging, self._rules, self.clock, self.service.stored, Caller()
            )
            return transaction.create(table, properties, owner)

    # -- what runs on ---------------------------------------------------------------------------

    @property
    def runs(self) -> list[Run]:
        """The runs that have not ended, the first that was begun first."""
        self.advance()
        return [Run(**each) for each in self.db.rows(RUNS_TABLE).in_order]

    def advance(self) -> None:
        """Let what runs go on to where it is by the clock. Raise StoreFailed."""
        while due := due_runs(self.db.rows(RUNS_TABLE), self.clock.text()):
            for key, run in due:
                self._step(key, run, run.due)

    def complete(self, ending: str | None = None) -> int:
        """End now whatever runs, as it would by itself or as is said. Return how many ended.

        What that sets going in turn ends, too. Raise StoreFailed.
        """
        self.advance()
        ended = 0
        for _ in range(_MOST_STEPS):
            running = due_runs(self.db.rows(RUNS_TABLE), LATEST)
            if not running:
                break
            for key, run in running:
                ends = run._replace(ending=ending or run.ending)
                ended += self._step(key, ends, self.clock.text())
        return ended

    def _step(self, key: str, run: Run, at: str) -> bool:
        """Take a run one step on, whole or not at all, and return whether it has ended.

        It is over, too, where what it is about is gone, or where its behaviour fails.
        """
        on = run.stepped()
        try:
            with self._storage.writing() as staging:
                kept = staging.rows(RUNS_TABLE).find(key)
                if kept is None or kept["status"] != run.status:
                    return False  # somebody else was quicker
                if self._progress(staging, on, at) and not on.is_over:
                    staging.store(RUNS_TABLE, key, on.document())
                    return False
                staging.discard(RUNS_TABLE, key)
        except StoreFailed:
            raise
        except Exception:
            _logger.exception("The run of '%s' about '%s' failed.", run.name, run.key)
            self.db.table(RUNS_TABLE).discard(key)
        return True

    def _progress(self, staging: Staging, run: Run, at: str) -> bool:
        """Do what a run does at a step. Return whether what it is about is still there."""
        clock = Clock()
        clock.freeze(at)
        caller = Caller(**run.caller)
        transaction = Transaction(staging, self._rules, clock, self.service.stored, caller)
        if transaction.get(run.table, run.key) is None:
            return False
        behaviour = self.behaviours.get(run.name)
        progress = (behaviour and behaviour.progress) or take_status
        progress(transaction, run)
        return True

    def resumes(self, walk: int) -> bool:
        """Return whether the walk of a list goes on here, and keep it for longer if it does."""
        return self._pager.resumes(walk)

    def snapshot(self) -> Snapshot:
        """Return the state as it is now, to go back to; the clock is no part of it."""
        return self.db.snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot, this state's own or a fork's. Raises StoreFailed."""
        self.db.restore(snapshot)
        self._pager.forget()

    def start_from(self, snapshot: Snapshot | None) -> None:
        """Make a snapshot the initial state, for resets and forks; None is the first again."""
        self._initial = snapshot or self._first

    def reset(self) -> None:
        """Go back to the initial state, and set the clock to real time. Raises StoreFailed."""
        self.restore(self._initial)
        self.clock.reset()
        self.behaviours = dict(self._own_behaviours)

    @property
    def directory(self) -> Properties | None:
        """Return the directory of who may sign in, as the last document had it; None without one.

        It is the same object until another does.
        """
        return directory_in(self.db)

    def document(self, snapshot: Snapshot | None = None) -> dict[str, Json]:
        """Return the state, now or of a snapshot, as the document that seeds are written in.

        It shares its values with the state: read it only.
        """
        return self.written(snapshot).value()

    def written(self, snapshot: Snapshot | None = None) -> WrittenDocument:
        """Return the state, now or of a snapshot, as a document that can be given in pieces."""
        if snapshot is None:
            self.advance()
        return WrittenDocument(self.db.view(snapshot), self.service)

    def read(self, document: Json) -> Snapshot:
        """Return the state that a document describes. Raises BadRequest where it does not fit.

        One that says who may sign in and nothing else leaves all else as it is.
        """
        if isinstance(document, dict) and document.keys() == {DIRECTORY}:
            now = self.db.snapshot()
            read = self.db.stamped(read_document({**_EMPTY, **document}, self.service))
            tables = {**now.tables, DIRECTORY_TABLE: read.rows(DIRECTORY_TABLE)}
            return Snapshot(tables, max(now.revision, read.revision))
        return self.db.stamped(read_document(document, self.service, self.db.view()))

    def replace(self, document: Json) -> None:
        """Make the document the state. Raises BadRequest where it does not fit."""
        self.restore(self.read(document))

    def append_rows(self, table: str, rows: list[Json]) -> None:
        """Put rows behind those of one of hunting's tables. Raise StoreFailed."""
        with self._storage.writing() as staging:
            blocks = staging.rows(HUNTING_TABLE)
            number = len(blocks)
            last = blocks.find(str(number))
            before = last["rows"] if last is not None and last["table"] == table else []
            if not before or len(before) + len(rows) > _LONGEST_BLOCK:
                number, before = number + 1, []
            for place, each in enumerate(in_blocks([*before, *rows]), number):
                staging.store(HUNTING_TABLE, str(place), {"table": table, "rows": each})

    def close(self) -> None:
        """Let go of the store; what was answered is in it."""
        self._storage.close()
