"""The view of a table that TinyDB's updaters are given: a dict, as far as they can tell."""

from __future__ import annotations

import copy
from collections.abc import Callable, MutableMapping
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mockgraph.state.entities import Entity
from mockgraph.state.snapshots import Rows, Snapshot
from mockgraph.state.storage import Copies, EntityStorage
from mockgraph.state.tables import Changes

Table = MutableMapping[str, Any]
Step = Callable[[Table], Any]

BEFORE = {"a": {"n": 1, "in": [1]}, "b": {"n": 2, "in": []}}

keys = st.sampled_from("abcd")
steps: st.SearchStrategy[Step] = st.one_of(
    st.builds(lambda key, n: lambda table: table.update({key: {"n": n}}), keys, st.integers(0, 2)),
    st.builds(lambda key: lambda table: table[key].update(n=9), keys),
    st.builds(lambda key: lambda table: table[key]["in"].append(2), keys),
    st.builds(lambda key: lambda table: table.pop(key), keys),
    st.builds(lambda key: lambda table: table.__delitem__(key), keys),
    st.builds(lambda key: lambda table: (key in table, table.get(key)), keys),
    st.just(lambda table: table.clear()),
    st.just(lambda table: (list(table), len(table), list(table.values()))),
)


def rows() -> dict[str, Entity]:
    numbered = enumerate(BEFORE.items())
    return {key: Entity(copy.deepcopy(value), key, 1, n) for n, (key, value) in numbered}


@given(st.lists(steps, max_size=8))
@example([lambda table: table.clear(), lambda table: table.update({"b": {}, "a": {}})])
def test_as_a_dict(taken: list[Step]) -> None:
    stored, plain = rows(), copy.deepcopy(BEFORE)
    changes = Changes(stored)
    for step in taken:
        results: list[Any] = []
        tables: tuple[Table, Table] = (changes, plain)
        for table in tables:
            try:
                results.append(copy.deepcopy(step(table)))
            except KeyError as error:
                results.append(error.args)
        assert results[0] == results[1]
    assert list(changes) == list(plain)
    changes.settle()
    assert stored == BEFORE
    storage = EntityStorage(Snapshot({"things": Rows(stored.values())}, 1))
    storage.put({"things": changes.write}, anew=changes.removed)
    assert storage.now.rows("things") == plain
    assert list(storage.now.rows("things")) == list(plain)


def test_only_what_changed_is_noted() -> None:
    changes = Changes(rows())
    assert changes["a"] == BEFORE["a"]
    changes["b"]["n"] = 3
    changes.settle()
    assert changes.put == {"b": {"n": 3, "in": []}}
    assert changes.removed == {}


def test_copies_are_for_reading() -> None:
    copies = Copies(Rows(rows().values()))
    assert dict(copies) == BEFORE
    assert ("a" in copies, "c" in copies, len(copies)) == (True, False, 2)
    with pytest.raises(KeyError):
        copies["c"]


def test_tinydb_may_write_whole_tables() -> None:
    storage = EntityStorage()
    storage.write({"things": BEFORE})
    assert storage.read() == {"things": BEFORE}
    first, second = storage.now.rows("things").in_order
    assert first.revision == first.number < second.revision == second.number


def test_stored_tables_stay_the_ones_they_are() -> None:
    storage = EntityStorage()
    storage.write({"things": BEFORE})
    rows = storage.now.rows("things")
    assert storage.stamped({"things": rows}).tables["things"] is rows
