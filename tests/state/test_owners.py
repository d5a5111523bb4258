"""Contained entities: their keys begin with their owner's, and they live and die with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tinydb.table import Document

from mockgraph.errors import BadRequest
from mockgraph.service import SERVICE
from mockgraph.state import EntityDB
from mockgraph.state.entities import join_key, owner_key, split_key
from mockgraph.state.storage import EntityStorage
from mockgraph.state.store import Store
from mockgraph.state.table_rules import TableRules
from state.stores import count_looks

CASES = "security/cases/ediscoveryCases"
NOTES, LINES = f"{CASES}/reviewSets", f"{CASES}/reviewSets/queries"


@pytest.fixture(params=["memory", "file"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EntityDB]:
    store = Store(tmp_path / "x.store", "process") if request.param == "file" else None
    storage = EntityStorage(store=store, rules=TableRules(SERVICE))
    yield EntityDB(storage=lambda: storage)
    storage.close()


def put(db: EntityDB, table: str, key: str) -> None:
    made: Any = Document
    db.table(table).insert(made({}, key))


def keys(db: EntityDB, table: str) -> list[str]:
    return list(db.table(table).rows)


def test_keys_are_composed_and_taken_apart() -> None:
    assert join_key("", "a") == "a"
    assert join_key(join_key("a", "b"), "c") == "a/b/c"
    assert split_key("a/b/c") == ("a/b", "c")
    assert [owner_key(each) for each in ("a", "a/b", "a/$", "$")] == ["a", "a/b", "a", ""]
    assert split_key("a") == ("", "a")


def test_an_id_is_unique_within_its_owner_alone(db: EntityDB) -> None:
    for case in ("c", "d"):
        put(db, CASES, case)
        put(db, NOTES, f"{case}/n")
    assert keys(db, NOTES) == ["c/n", "d/n"]
    assert [each["id"] for each in db.table(NOTES).all()] == ["n", "n"]
    with pytest.raises(ValueError, match="c/n already exists"):
        put(db, NOTES, "c/n")


def test_what_an_entity_contains_goes_with_it_at_every_depth(db: EntityDB) -> None:
    for case in ("c", "d", "cc"):
        put(db, CASES, case)
        for note in ("m", "n"):
            put(db, NOTES, f"{case}/{note}")
            put(db, LINES, f"{case}/{note}/l")
    kept = db.snapshot()
    notes: Any = db.table(NOTES)
    notes.remove(doc_ids=["c/m"])
    assert keys(db, LINES) == ["c/n/l", *(f"{c}/{n}/l" for c in ("d", "cc") for n in "mn")]
    db.table(CASES).discard("c")
    assert keys(db, NOTES) == ["d/m", "d/n", "cc/m", "cc/n"]
    assert keys(db, LINES) == ["d/m/l", "d/n/l", "cc/m/l", "cc/n/l"]
    db.table(CASES).truncate()
    assert keys(db, NOTES) == keys(db, LINES) == []
    db.restore(kept)
    assert len(db.table(LINES)) == 6


def test_there_is_no_entity_without_its_owner(db: EntityDB) -> None:
    put(db, CASES, "c")
    for table, key in ((NOTES, "x/n"), (NOTES, "n"), (LINES, "c/x/l"), (NOTES, "c/x/n")):
        with pytest.raises(
            BadRequest, match=f"{table}/{key}: (There is no|The key is that of an owner)"
        ):
            put(db, table, key)


def test_all_of_an_owner_are_found_by_an_index(
    db: EntityDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    with db.transaction() as inside:
        for case in range(300):
            inside.table(CASES).store(f"c{case}", {"id": f"c{case}"})
            for note in range(3):
                inside.table(NOTES).store(f"c{case}/n{note}", {"id": f"n{note}"})
    rows = db.table(NOTES).rows
    for _ in range(2):  # an index is made of what is asked again
        rows.owned_by("c7")
    looked = count_looks(monkeypatch)
    assert [each.key for each in rows.owned_by("c200")] == ["c200/n0", "c200/n1", "c200/n2"]
    assert len(looked) <= 6
