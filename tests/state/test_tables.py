"""The entity table against TinyDB's own: the same answers, the same documents, less work."""

from __future__ import annotations

import copy
import errno
import itertools
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from profiles import examples
from tinydb import TinyDB, operations, where
from tinydb.queries import QueryInstance
from tinydb.storages import Storage
from tinydb.table import Document, Table

from mockgraph.errors import StoreFailed
from mockgraph.service import SERVICE
from mockgraph.state import State
from mockgraph.state.entities import Entity
from mockgraph.state.storage import EntityStorage
from mockgraph.state.store import Store
from mockgraph.state.tables import EntityDB, EntityTable

Json = Any

TABLES = ("things", "others")

tables = st.sampled_from(TABLES)
keys = st.sampled_from("abcde")
documents = st.fixed_dictionaries(
    {"n": st.integers(0, 3)},
    optional={"tags": st.lists(st.sampled_from("xyz"), max_size=2), "in": st.just({"deep": [1]})},
)
conditions = st.builds(lambda n: where("n") == n, st.integers(0, 3)) | st.builds(
    lambda tag: where("tags").any([tag]), st.sampled_from("xyz")
)
updates = documents | st.sampled_from(
    [
        operations.set("n", 2),
        operations.increment("n"),
        operations.delete("n"),
        lambda document: document.setdefault("tags", []).append("x"),
    ]
)


# What a transaction does to a table.
writes: st.SearchStrategy[Callable[[Table], Json]] = st.one_of(
    st.builds(lambda each, key: lambda table: table.insert(keyed(each, key)), documents, keys),
    st.builds(lambda each: lambda table: table.insert(copy.deepcopy(each)), documents),
    st.builds(lambda each, c: lambda table: table.update(copied(each), c), updates, conditions),
    st.builds(lambda c: lambda table: table.remove(c), conditions),
    st.just(lambda table: table.truncate()),
    st.builds(lambda c: lambda table: table.search(c), conditions),
)


class CopyingStorage(Storage):
    """Memory as it should be: nothing that goes in or out is shared."""

    def __init__(self) -> None:
        self._data = ""

    def read(self) -> Json:
        return json.loads(self._data) if self._data else None

    def write(self, data: Json) -> None:
        self._data = json.dumps({name: dict(rows) for name, rows in data.items()})


def given_key(document: Json, key: str) -> Any:
    """The document with a key, which TinyDB's annotations take for a number."""
    made: Any = Document
    return made(document, key)


def keyed(document: Json, key: str) -> Any:
    """A copy of the document with a key."""
    return given_key(copy.deepcopy(document), key)


def numbered(kind: type[Table]) -> type[Table]:
    """The table, but that the ids that it makes can be foreseen."""

    def begin(table: Any, storage: Storage, name: str, **options: Any) -> None:
        kind.__init__(table, storage, name, **options)
        table.numbers = itertools.count()

    members = {
        "document_id_class": str,
        "__init__": begin,
        "_get_next_id": lambda table: f"made-{next(table.numbers)}",
    }
    return type("Numbered", (kind,), members)


def new_storage() -> EntityStorage:
    return EntityStorage()


def opened(database: type[TinyDB], table: type[Table], storage: Storage) -> TinyDB:
    """A database whose tables are of a kind; stock ones may be had over our storage, too."""

    made = type("Database", (database,), {"table_class": numbered(table)})
    opened: TinyDB = made(storage=lambda: storage)
    return opened


class Undone(ValueError):
    """An exception that ends a transaction, which is to leave nothing."""


@contextmanager
def transaction(database: TinyDB) -> Iterator[TinyDB]:
    """A transaction, or, of TinyDB's own, which has none, what one amounts to."""
    if isinstance(database, EntityDB):
        with database.transaction() as inside:
            for name in TABLES:
                ours, theirs = [cast("Any", each.table(name)) for each in (database, inside)]
                theirs.numbers = ours.numbers
            yield inside
        return
    storage: Any = database.storage
    before = storage.now if isinstance(storage, EntityStorage) else storage.read()
    try:
        yield database
    except BaseException:
        if isinstance(storage, EntityStorage):
            storage.restore(before)
        else:
            storage.write(before or {})
        raise


class Siblings(RuleBasedStateMachine):
    """Several databases that get the same operations, and must give the same.

    TinyDB's own, ours in memory, ours in a store, and TinyDB's own tables over our storage.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.stores = [Path(self.folder.name, name) for name in ("ours", "stock")]
        ours, stock = (EntityStorage(store=Store(path, "process")) for path in self.stores)
        self.databases = [
            opened(TinyDB, Table, CopyingStorage()),
            opened(EntityDB, EntityTable, EntityStorage()),
            opened(EntityDB, EntityTable, ours),
            opened(TinyDB, Table, stock),
        ]

    def teardown(self) -> None:
        """Check that the writes are in the stores, where TinyDB's own reads them."""
        try:
            known = self.contents(self.databases[0])
            for database in self.databases:
                database.storage.close()
            for path in self.stores:
                again = opened(TinyDB, Table, EntityStorage(store=Store(path, "process")))
                found = self.contents(again)
                again.storage.close()
                assert found == known
        finally:
            self.folder.cleanup()

    def contents(self, database: TinyDB) -> Json:
        return {name: shown(database.table(name).all()) for name in TABLES}

    def all(self, name: str, act: Callable[[Table], Json]) -> None:
        self.all_of(lambda database: act(database.table(name)))

    def all_of(self, act: Callable[[TinyDB], Json]) -> None:
        results = []
        for database in self.databases:
            try:
                result = act(database)
            except (KeyError, ValueError) as error:
                result = type(error)
            results.append(shown(result))
        assert results == results[:1] * len(results)

    @rule(name=tables, document=documents, key=keys)
    def insert(self, name: str, document: Json, key: str) -> None:
        self.all(name, lambda table: table.insert(keyed(document, key)))

    @rule(name=tables, document=documents)
    def insert_without_an_id(self, name: str, document: Json) -> None:
        self.all(name, lambda table: table.insert(copy.deepcopy(document)))

    @rule(name=tables, some=st.lists(documents, max_size=3))
    def insert_multiple(self, name: str, some: list[Json]) -> None:
        self.all(name, lambda table: table.insert_multiple(copy.deepcopy(some)))

    @rule(name=tables, update=updates, condition=conditions)
    def update_where(self, name: str, update: Json, condition: QueryInstance) -> None:
        self.all(name, lambda table: table.update(copied(update), condition))

    @rule(name=tables, update=updates, some=st.lists(keys, max_size=2, unique=True))
    def update_by_id(self, name: str, update: Json, some: list[Json]) -> None:
        self.all(name, lambda table: table.update(copied(update), doc_ids=some))

    @rule(name=tables, update=updates)
    def update_all(self, name: str, update: Json) -> None:
        self.all(name, lambda table: table.update(copied(update)))

    @rule(name=tables, pairs=st.lists(st.tuples(updates, conditions), max_size=2))
    def update_multiple(self, name: str, pairs: list[Json]) -> None:
        self.all(name, lambda table: table.update_multiple([(copied(u), c) for u, c in pairs]))

    @rule(name=tables, document=documents, condition=conditions)
    def upsert_where(self, name: str, document: Json, condition: QueryInstance) -> None:
        self.all(name, lambda table: table.upsert(copy.deepcopy(document), condition))

    @rule(name=tables, document=documents, key=keys)
    def upsert_by_id(self, name: str, document: Json, key: str) -> None:
        self.all(name, lambda table: table.upsert(keyed(document, key)))

    @rule(name=tables, some=st.lists(keys, max_size=2))
    def remove_by_id(self, name: str, some: list[Json]) -> None:
        self.all(name, lambda table: table.remove(doc_ids=some))

    @rule(name=tables, condition=conditions)
    def remove_where(self, name: str, condition: QueryInstance) -> None:
        self.all(name, lambda table: table.remove(condition))

    @rule(name=tables)
    def truncate(self, name: str) -> None:
        self.all(name, lambda table: table.truncate())

    @rule(name=tables, key=keys, condition=conditions)
    def read(self, name: str, key: Json, condition: QueryInstance) -> None:
        self.all(name, lambda table: table.get(doc_id=key))
        self.all(name, lambda table: table.get(doc_ids=[key, "a"]))
        self.all(name, lambda table: table.get(condition))
        self.all(name, lambda table: table.search(condition))
        self.all(name, lambda table: table.count(condition))
        self.all(name, lambda table: table.contains(condition))
        self.all(name, lambda table: table.contains(doc_id=key))

    @rule(writes=st.lists(st.tuples(tables, writes), max_size=4), fails=st.booleans())
    def transaction(self, writes: list[Json], fails: bool) -> None:
        """Writes to several tables happen all, or none where the block fails."""

        def act(database: TinyDB) -> list[Json]:
            with transaction(database) as inside:
                results = [write(inside.table(name)) for name, write in writes]
                results += [inside.table(name).all() for name in TABLES]
                if fails:
                    raise Undone
            return results

        self.all_of(act)

    @rule(name=tables)
    def drop(self, name: str) -> None:
        self.all_of(lambda database: database.drop_table(name))

    @rule()
    def drop_all(self) -> None:
        self.all_of(lambda database: database.drop_tables())

    @rule(name=tables, document=documents)
    def edit_what_was_read(self, name: str, document: Json) -> None:
        """It is nobody else's."""

        def edit(table: Table) -> None:
            for each in [*table.all(), *table]:
                each.setdefault("in", {}).setdefault("deep", []).append(document)

        self.all(name, edit)

    @invariant()
    def the_same_documents(self) -> None:
        self.all_of(self.contents)
        for name in TABLES:
            self.all(name, lambda table: [list(table), len(table)])


def shown(result: Json) -> Json:
    """A result with the ids of its documents, in plain types."""
    if isinstance(result, list):
        return [shown(each) for each in result]
    return (result.doc_id, dict(result)) if isinstance(result, Document) else result


def copied(update: Json) -> Json:
    return copy.deepcopy(update) if isinstance(update, dict) else update


Siblings.TestCase.settings = settings(max_examples=examples(80), stateful_step_count=25)
test_as_tinydb = Siblings.TestCase


@pytest.fixture
def db() -> EntityDB:
    storage = new_storage()
    return EntityDB(storage=lambda: storage)


def entity(db: EntityDB, table: str, key: str) -> Entity | None:
    """The stored entity itself, not a copy."""
    return db.snapshot().rows(table).find(key)


def put(db: EntityDB, table: str, key: str, value: Mapping[str, Json]) -> None:
    db.table(table).upsert(given_key(value, key))


def test_a_new_entity_gets_an_id_of_text(db: EntityDB) -> None:
    made = db.table("things").insert({"n": 1})
    assert isinstance(made, str)
    assert len(made) == 36


def test_nothing_that_goes_in_is_shared(db: EntityDB) -> None:
    table, given = db.table("things"), {"in": {"deep": [1]}}
    table.insert(given)
    table.insert_multiple([given, given])
    table.upsert(given_key(given, "a"))
    table.update(given)
    given["in"]["deep"].append(2)
    assert table.all() == [{"in": {"deep": [1]}}] * 4


def test_nothing_that_comes_out_is_shared(db: EntityDB) -> None:
    put(db, "things", "a", {"in": {"deep": [1]}})
    table: Any = db.table("things")
    got = [table.get(doc_id="a"), table.get(where("in").exists()), *table.all(), *table]
    for each in [*got, *table.search(where("in").exists())]:
        each["in"]["deep"].append(2)
        each["more"] = 1
    assert entity(db, "things", "a") == {"in": {"deep": [1]}}


def test_an_updater_edits_a_copy(db: EntityDB) -> None:
    put(db, "things", "a", {"in": {"deep": [1]}})
    before = entity(db, "things", "a")
    snapshot = db.snapshot()
    db.table("things").update(lambda each: each["in"]["deep"].append(2))
    after = entity(db, "things", "a")
    assert before == {"in": {"deep": [1]}} == snapshot.tables["things"]["a"]
    assert after == {"in": {"deep": [1, 2]}}


def test_an_updater_that_fails_changes_nothing(db: EntityDB) -> None:
    put(db, "things", "a", {"tags": []})
    put(db, "things", "b", {})
    with pytest.raises(KeyError):
        db.table("things").update(lambda each: each["tags"].append(1))
    assert db.table("things").all() == [{"tags": []}, {}]


def test_an_update_without_a_change_is_no_write(db: EntityDB) -> None:
    put(db, "things", "a", {"n": 1})
    before = entity(db, "things", "a")
    db.table("things").update(lambda each: each.get("n"))
    assert entity(db, "things", "a") is before


def test_a_revision_is_never_used_twice_and_a_number_stays(db: EntityDB) -> None:
    revisions, numbers = [], []
    for n in range(3):
        put(db, "things", "a", {"n": n})
        stored = entity(db, "things", "a")
        assert stored is not None
        revisions.append(stored.revision)
        numbers.append(stored.number)
        assert stored.etag == f'W/"{stored.revision:x}"'
        assert stored.key == "a"
    assert revisions == sorted(set(revisions))
    assert len(set(numbers)) == 1


def test_snapshots_hold_whatever_is_written_and_share_the_rest(db: EntityDB) -> None:
    put(db, "things", "a", {"n": 1})
    put(db, "others", "x", {"n": 9})
    first = db.snapshot()
    put(db, "things", "b", {"n": 2})
    second = db.snapshot()
    keys: Any = ["a"]
    db.table("things").remove(doc_ids=keys)
    put(db, "things", "b", {"n": 3})
    assert first.tables["things"] == {"a": {"n": 1}}
    assert second.tables["things"] == {"a": {"n": 1}, "b": {"n": 2}}
    assert first.tables["others"] is second.tables["others"] is db.snapshot().rows("others")
    for snapshot, expected in ((second, [{"n": 1}, {"n": 2}]), (first, [{"n": 1}])):
        db.restore(snapshot)
        assert db.table("things").all() == expected
        assert entity(db, "things", "a") is first.tables["things"]["a"]
        put(db, "things", "c", {"n": 4})
    assert first.tables["things"] == {"a": {"n": 1}}


def test_two_restores_of_one_snapshot_do_not_meet(db: EntityDB) -> None:
    put(db, "things", "a", {"n": 1})
    snapshot = db.snapshot()
    for _ in range(2):
        db.restore(snapshot)
        assert db.table("things").all() == [{"n": 1}]
        db.table("things").update({"n": 2})
        put(db, "things", "b", {})


@pytest.mark.parametrize("durability", ["process", "disk"])
def test_what_cannot_be_recorded_does_not_happen(
    tmp_path: Path, durability: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Json) -> int:
        raise OSError(errno.ENOSPC, "no space")

    storage = EntityStorage(store=Store(tmp_path / "store", durability))
    db = EntityDB(storage=lambda: storage)
    put(db, "things", "a", {})
    before = db.snapshot()
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(StoreFailed, match="no space"):
            put(db, "things", "b", {})
        with pytest.raises(StoreFailed, match="no space"):
            db.drop_tables()
    assert db.snapshot() is before
    storage.close()


def test_tinydb_may_drop_tables(db: EntityDB) -> None:
    put(db, "things", "a", {"n": 1})
    put(db, "others", "x", {"n": 9})
    assert db.tables() == {"things", "others"}
    db.drop_table("things")
    assert db.tables() == {"others"}
    assert db.table("others").all() == [{"n": 9}]
    db.drop_tables()
    assert db.tables() == set()
    assert isinstance(db, TinyDB)


def test_tables_are_shown_by_how_much_they_hold() -> None:
    db = State(SERVICE, {"Security": {"alerts": [{"id": "a"}, {"id": "b"}]}}).db
    assert repr(db) == "<EntityDB security: 1, security/alerts: 2>"
    with db.transaction() as transaction:
        transaction.table("security/alerts").truncate()
        assert repr(transaction) == "<EntityTransaction security: 1>"
    assert repr(EntityDB(storage=EntityStorage)) == "<EntityDB empty>"
