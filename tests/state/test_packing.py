"""Entities that are JSON until somebody looks at them: the same ones, whoever asks, and no more."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from typing import Any
from weakref import ref

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockgraph.state import State, packing
from mockgraph.state.entities import Entity
from mockgraph.state.indexes import Equality, Key, path_key
from mockgraph.state.packing import (
    Entities,
    PackedEntity,
    PackedProperties,
    Stored,
    pack_new,
    packed,
    unpacked,
)
from mockgraph.state.snapshots import Rows
from mockgraph.state.storage import EntityStorage
from mockgraph.state.store import Store
from mockgraph.state.tables import EntityDB
from state.stores import ALERTS, serving, state

TABLE = "security/alerts"


@pytest.fixture(autouse=True)
def _quick_collections(whole_collections: None) -> None:  # noqa: ARG001
    """The collector looks at what a test makes, and not at what all tests before it left."""
    gc.freeze()


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other tests unpacked is not counted among the last."""
    monkeypatch.setattr(packing, "_UNPACKED", packing._Unpacked())


def packed_entity(number: int, **properties: Any) -> PackedEntity:
    value = {"id": f"k{number}", "n": number % 3, **properties}
    return PackedEntity(orjson.dumps(value), f"k{number}", 100 + number, number)


def unpacked_in(rows: Rows) -> list[str]:
    """The keys of the entities of which there is an object now."""
    gc.collect()
    found = []
    for each in rows.in_order.stored():
        held = each._entity if isinstance(each, PackedEntity) else each
        if (held if isinstance(held, Entity) or held is None else held()) is not None:
            found.append(each.key)
    return found


def test_there_is_one_entity_for_as_long_as_somebody_holds_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(packing, "_MOST_KEPT", 0)
    stored = packed_entity(1)
    held = stored.unpacked()
    assert stored.unpacked() is held
    assert (held, held.key, held.revision, held.number) == ({"id": "k1", "n": 1}, "k1", 101, 1)
    held.rendered["way"] = b"kept"
    del held
    gc.collect()
    assert stored.unpacked().rendered == {}


def test_the_last_that_were_unpacked_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = Rows(packed_entity(number, text="x" * 1000) for number in range(50))
    monkeypatch.setattr(packing, "_MOST_KEPT", 10_500)
    assert unpacked_in(rows) == []
    for entity in rows.in_order:
        assert entity["text"]
    del entity
    assert unpacked_in(rows) == [f"k{number}" for number in range(40, 50)]
    rows["k3"].rendered["way"] = b"kept"
    assert rows["k3"].rendered == {"way": b"kept"}
    assert unpacked_in(rows) == ["k3", *(f"k{number}" for number in range(41, 50))]


def test_what_is_in_no_table_any_more_is_gone() -> None:
    rows = Rows(packed_entity(number) for number in range(10))
    assert [each["n"] for each in rows.in_order][:4] == [0, 1, 2, 0]
    assert len(unpacked_in(rows)) == 10
    alive = [ref(each) for each in rows.in_order.stored()]
    rows = rows.changed(dict.fromkeys(f"k{number}" for number in range(9)))
    gc.collect()
    assert [each() is not None for each in alive] == [False] * 9 + [True]


def test_threads_are_given_the_same_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "_MOST_KEPT", 0)
    rows = Rows(packed_entity(number) for number in range(200))
    found: list[list[Entity]] = [[] for _ in range(4)]
    barrier = threading.Barrier(4)

    def read(into: list[Entity]) -> None:
        barrier.wait()
        into.extend(rows.in_order)

    threads = [threading.Thread(target=read, args=[each]) for each in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for same in zip(*found, strict=True):
        assert all(each is same[0] for each in same)


values = st.dictionaries(st.sampled_from("abcd"), st.none() | st.integers(0, 3) | st.text())
tables = st.lists(st.tuples(values, st.booleans()), max_size=40)
steps = st.lists(st.tuples(st.integers(0, 45), st.none() | values), max_size=20)


@given(table=tables, steps=steps, kept=st.sampled_from([0, 50, 10**6]))
def test_rows_are_the_same_in_either_form(table: Any, steps: Any, kept: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(packing, "_MOST_KEPT", kept)
        patched.setattr("mockgraph.state.indexes._FROM", 1)
        plain = [Entity(each, f"k{n}", n + 1, n + 1) for n, (each, _) in enumerate(table)]
        mixed = [
            PackedEntity(orjson.dumps(entity), entity.key, entity.revision, entity.number)
            if is_packed
            else entity
            for entity, (_, is_packed) in zip(plain, table, strict=True)
        ]
        expected, rows = Rows(plain), Rows(mixed)
        check_same(rows, expected)
        for number, (place, value) in enumerate(steps, 100):
            key = f"k{place}"
            after = None if value is None else Entity(value, key, number, number)
            before, was = rows, expected
            rows, expected = rows.changed({key: after}), expected.changed({key: after})
            check_same(rows, expected)
            changed = list(before.difference(rows))
            assert changed == list(was.difference(expected))


def check_same(rows: Rows, expected: Rows) -> None:
    assert list(rows) == list(expected)
    assert dict(rows) == dict(expected)
    assert [shown(each) for each in rows.in_order] == [shown(each) for each in expected.in_order]
    for key in expected:
        assert shown(rows[key]) == shown(expected[key])
    for value in (None, 1, "a"):
        asked = Equality(path_key(("a",)), (value,))
        for _ in range(3):
            assert list(rows.having(asked)) == list(expected.having(asked))
    for descending in (False, True):
        assert in_order(rows, descending) == in_order(expected, descending)
    if expected:
        assert rows.in_order.first() == expected.in_order.first()
        middle = len(expected) // 2
        found = [list(each.in_order.after(middle)) for each in (rows, expected)]
        assert found[0] == found[1]


def in_order(rows: Rows, descending: bool) -> list[Any]:
    by_key = Key("key", attrgetter("key"))
    index = rows._indexes.sorted(rows.in_order, by_key, descending, now=True)
    assert index is not None
    return [shown(each) for each in index.walk()]


def shown(entity: Entity) -> Any:
    assert type(entity) is Entity
    return entity.key, entity.number, entity.revision, entity.etag, entity.owner, dict(entity)


def test_an_index_and_an_order_keep_nothing_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "_MOST_KEPT", 0)
    rows = Rows(packed_entity(number) for number in range(300))
    for _ in range(4):
        found = len(list(rows.having(Equality(path_key(("n",)), (1,)))))
        order = rows._indexes.sorted(rows.in_order, path_key(("n",)), now=True)
        assert order is not None
        assert sum(1 for _ in order.walk()) == 300
        assert len(list(rows.owned_by("nobody"))) == 0
    assert found == 100
    assert unpacked_in(rows) == []


@given(values)
def test_properties_are_the_same_in_either_form(value: dict[str, Any]) -> None:
    found = packed(value)
    assert isinstance(found, PackedProperties)
    assert found == value
    assert value == found
    assert {**found} == value
    assert all(found[name] == value[name] for name in value)


def test_what_is_nested_too_deeply_to_be_packed_stays() -> None:
    value: Any = {}
    for _ in range(500):
        value = {"within": value}
    assert packed(value) is value
    entity = Entity(value, "k", 1, 1)
    assert pack_new(entity) is entity


def test_what_is_made_is_packed_and_the_last_of_it_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "_NEW", packing._Unpacked(lambda: 2000))
    db = EntityDB(storage=EntityStorage)
    made: list[Entity] = []
    with db.transaction() as transaction:
        for number in range(50):
            entity = transaction.store("things", f"k{number}", {"n": number, "text": "x" * 500})
            assert transaction.rows("things")[entity.key] is entity
            made.append(entity)
        changed = transaction.store("things", "k0", {"n": "changed"})
    rows, held = db.rows("things"), made[5]
    forms = [isinstance(each, PackedEntity) for each in rows.in_order.stored()]
    assert forms == [False] + [True] * 49
    made.clear()
    del entity
    assert unpacked_in(rows) == ["k0", "k5", "k47", "k48", "k49"]
    assert rows["k5"] is held
    assert rows["k0"] is changed
    assert [each["n"] for each in rows.values()] == ["changed", *range(1, 50)]


# -- who does not look ----------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with many alerts in it."""
    path = tmp_path / "graph.store"
    alerts = [{"id": f"a{n}", "title": f"{n}"} for n in range(50)]
    with serving(path, seed=({"Security": {"alerts": alerts}},)):
        pass
    return path


@pytest.fixture
def opened(store: Path) -> Iterator[State]:
    with serving(store) as client:
        yield state(client)


def test_to_open_a_store_unpacks_nothing(opened: State) -> None:
    rows = opened.db.rows(TABLE)
    assert len(rows) == 50
    assert all(isinstance(each, PackedEntity) for each in rows.in_order.stored())
    assert unpacked_in(rows) == []
    assert unpacked_in(opened._initial.rows(TABLE)) == []


def test_to_read_one_unpacks_one(store: Path) -> None:
    with serving(store) as client:
        assert client.get("/v1.0/security/alerts/a7").status_code == 200
        assert client.patch(f"{ALERTS}/a8", json={"title": "x"}).status_code < 300
        assert unpacked_in(state(client).db.rows(TABLE)) == ["a7", "a8"]


def test_neither_writing_a_seed_nor_compacting_unpacks(store: Path) -> None:
    opened = Store(store, "process")
    try:
        opened._renew()
        assert unpacked_in(opened.state.rows(TABLE)) == []
    finally:
        opened.close()


def test_a_reset_to_the_seeds_unpacks_nothing(opened: State) -> None:
    opened.reset()
    assert len(opened.db.rows(TABLE)) == 1
    assert unpacked_in(opened.db.rows(TABLE)) == []


def test_entities_as_they_are_stored_are_what_was_given() -> None:
    items: list[Stored] = [packed_entity(1), Entity({"id": "b"}, "b", 5, 2)]
    entities = Entities(items)
    assert list(entities.stored()) == items
    assert [unpacked(each) for each in items] == list(entities)


def test_what_is_changed_in_a_store_does_not_stay_unpacked(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(store) as client:
        monkeypatch.setattr(packing, "_MOST_KEPT", 3000)
        for number in range(50):
            path = f"{ALERTS}/a{number}"
            assert client.patch(path, json={"title": "changed"}).status_code < 300
        rows = state(client).db.rows(TABLE)
        assert 0 < len(unpacked_in(rows)) < 10
        assert {each["title"] for each in rows.in_order} == {"changed"}
        kept = state(client).document()
    with serving(store) as client:
        assert state(client).document() == kept
