"""A store file in the hands of a script: TinyDB's own tables over ``StoreStorage``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tinydb import TinyDB, where
from tinydb.table import Document

import mockgraph
from mockgraph import MockGraph
from mockgraph.errors import BadRequest, MockGraphError
from state.stores import kept_in

TABLE = "security/alerts_v2"
SEED = {"Security": {"alerts_v2": [{"id": f"a{n}", "severity": "high"} for n in range(4)]}}


def opened(path: Path, **options: Any) -> TinyDB:
    return TinyDB(path, storage=mockgraph.StoreStorage, **options)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store that a server has written and let go of."""
    with MockGraph(seed=SEED, store=tmp_path / "graph.store"):
        pass
    return tmp_path / "graph.store"


def alerts(store: Path) -> dict[str, Any]:
    """Return the alerts that a server then reads, in its order."""
    with MockGraph(store=store) as graph:
        return {each["id"]: each for each in graph.state["Security"]["alerts_v2"]}


@pytest.mark.parametrize("durability", ["process", "disk"])
def test_a_server_reads_what_a_script_wrote(store: Path, durability: str) -> None:
    with opened(store, durability=durability) as db:
        table = db.table(TABLE)
        assert [each["id"] for each in table.search(where("severity") == "high")] == [
            *("a0", "a1", "a2", "a3")
        ]
        table.update({"status": "resolved"}, where("id") == "a1")
        table.remove(where("id") == "a2")
        number = table.insert({"id": "new", "title": "by TinyDB"})
        table.upsert({"id": "up", "title": "t"}, where("id") == "up")
        made = table.insert_multiple([{"title": "one"}, {"title": "two"}])
        found: Any = table.get(doc_id=number)
        assert found["title"] == "by TinyDB"
        assert table.get(doc_id=10**15) is None
        own = [str(each["id"]) for each in table if each.doc_id in made]
    read = alerts(store)
    assert list(read) == ["a0", "a1", "a3", "new", "up", *own]
    assert read["a1"]["status"] == "resolved"
    assert read["new"]["evidence"] == []


def test_only_what_changed_has_a_new_revision(store: Path) -> None:
    before = kept_in(store)[TABLE]
    with opened(store) as db:
        db.table(TABLE).update({"title": "x"}, where("id") == "a1")
    after = kept_in(store)[TABLE]
    assert [one == other for one, other in zip(before, after, strict=True)] == [
        *(True, False, True, True)
    ]
    assert [each[1] for each in before] == [each[1] for each in after]
    assert after[1][2] > max(each[2] for each in before)


def test_what_is_read_is_a_copy(store: Path) -> None:
    with opened(store) as db:
        db.table(TABLE).all()[0]["evidence"].append(1)
        assert db.table(TABLE).all()[0]["evidence"] == []


REFUSED: list[tuple[Callable[[TinyDB], Any], str]] = [
    (lambda db: db.table(TABLE).update({"severity": "worst"}), f"{TABLE}/a0/severity: "),
    (lambda db: db.table(TABLE).insert({"id": "n", "title": 5}), f"{TABLE}/n/title: "),
    (lambda db: db.table(TABLE).insert({"id": 5}), "An id is a text"),
    (lambda db: db.table(TABLE).insert({"id": "a0"}), f"{TABLE}/a0/id: "),
    (lambda db: db.table(TABLE).update({"id": "n"}, where("id") == "a0"), f"{TABLE}/a0/id: "),
    (lambda db: db.table(TABLE).insert(Document({"id": "a/b"}, 7)), f"{TABLE}/a/b/id: "),
    (lambda db: db.table("security").truncate(), "The singleton"),
    (lambda db: db.drop_tables(), "The singleton"),
    (lambda db: db.insert({"n": 1}), "no table '_default'"),
]


@pytest.mark.parametrize(("write", "says"), REFUSED)
def test_what_does_not_fit_is_refused_and_nothing_is_changed(
    store: Path, write: Callable[[TinyDB], Any], says: str
) -> None:
    before = kept_in(store)
    with opened(store) as db, pytest.raises(BadRequest, match=says):
        write(db)
    assert kept_in(store) == before


def test_it_is_locked_as_a_servers_is(store: Path) -> None:
    with MockGraph(store=store), pytest.raises(MockGraphError, match="is in use"):
        opened(store)
    with opened(store), pytest.raises(MockGraphError, match="is in use"), MockGraph(store=store):
        pass


def test_a_new_file_is_a_state_with_an_empty_singleton(tmp_path: Path) -> None:
    store = tmp_path / "new.store"
    with opened(store) as db:
        assert len(db.table("security")) == 1
        db.table(TABLE).insert({"id": "first"})
    assert list(alerts(store)) == ["first"]


def test_what_is_no_store_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("mine")
    with pytest.raises(MockGraphError, match="is not a MockGraph store"):
        opened(file)
    assert file.read_text() == "mine"


def test_a_table_is_dropped(store: Path) -> None:
    with opened(store) as db:
        db.drop_table(TABLE)
    assert alerts(store) == {}
