"""Snapshots, forks and resets: what was comes back, whole and in its order, kill or no kill."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
from conftest import state_of
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockgraph.state import Snapshot, State, snapshots
from mockgraph.state.entities import Entity
from mockgraph.state.snapshots import Rows
from mockgraph.state.storage import EntityStorage
from mockgraph.state.store import Store
from state.stores import ALERTS, SECURITY, kept_in, patch, region, serving, shown, state

Json = Any
SEED = {"Security": {"alerts": [{"id": f"a{n}", "title": f"{n}"} for n in range(30)]}}


@pytest.fixture(params=["memory", "process", "disk"])
def seeded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FlaskClient]:
    """A client of an app with thirty alerts, in memory or in a store of either durability."""
    if request.param == "memory":
        settings: dict[str, Any] = {"store": None}
    else:
        settings = {"store": tmp_path / "graph.store", "durability": request.param}
    with serving(settings.pop("store"), seed=(SEED,), **settings) as client:
        yield client


def titles(client: FlaskClient) -> dict[str, str]:
    """The titles of all alerts by id, in the order in which they are listed."""
    return {each["id"]: each["title"] for each in state_of(client)["Security"]["alerts"]}


def change(client: FlaskClient) -> None:
    """A bit of everything."""
    patch(client, "changed")
    client.patch(f"{ALERTS}/a3", json={"title": "changed"})
    client.delete(f"{ALERTS}/a5")
    client.post(ALERTS, json={"id": "new", "title": "new"})


def test_back_to_a_snapshot_as_often_as_one_likes(seeded: FlaskClient) -> None:
    before, etag = state_of(seeded), seeded.get(f"{ALERTS}/a3").headers["ETag"]
    kept = state(seeded).snapshot()
    for _ in range(3):
        change(seeded)
        assert seeded.get(f"{ALERTS}/a5").status_code == 404
        assert seeded.get(f"{ALERTS}/a3").headers["ETag"] != etag
        state(seeded).restore(kept)
        assert state_of(seeded) == before
        assert list(titles(seeded)) == [f"a{n}" for n in range(30)]
        assert seeded.get(f"{ALERTS}/a3").headers["ETag"] == etag


def test_snapshots_know_nothing_of_what_comes_after(seeded: FlaskClient) -> None:
    documents, snapshots = [], []
    for n in range(5):
        snapshots.append(state(seeded).snapshot())
        documents.append(state_of(seeded))
        seeded.patch(f"{ALERTS}/a{n}", json={"title": "changed"})
        seeded.delete(f"{ALERTS}/a{n + 10}")
    for snapshot, document in [*zip(snapshots, documents, strict=True)][::-1]:
        state(seeded).restore(snapshot)
        assert state_of(seeded) == document


def test_a_clock_is_no_part_of_a_snapshot_but_of_a_reset(seeded: FlaskClient) -> None:
    clock, kept = state(seeded).clock, state(seeded).snapshot()
    clock.freeze()
    moment = clock.text()
    state(seeded).restore(kept)
    assert clock.text() == moment
    state(seeded).reset()
    assert clock.text() != moment


def test_a_page_to_come_is_where_it_was_after_a_restore(seeded: FlaskClient) -> None:
    kept = state(seeded).snapshot()
    link = (seeded.get(f"{ALERTS}?$top=10").json or {})["@odata.nextLink"]
    seeded.delete(f"{ALERTS}/a12")
    state(seeded).restore(kept)
    page = seeded.get(link).json or {}
    assert [each["id"] for each in page["value"]] == [f"a{n}" for n in range(10, 20)]


def test_a_fork_begins_at_the_seeds_and_goes_its_own_way(seeded: FlaskClient) -> None:
    change(seeded)
    after = titles(seeded)
    forks = [state(seeded).fork() for _ in range(3)]
    for fork in forks:
        assert {each["id"]: each["title"] for each in alerts(fork)} == {
            f"a{n}": f"{n}" for n in range(30)
        }
    kept = forks[0].snapshot()
    forks[0].replace({"Security": {"alerts": [{"id": "own"}]}})
    assert [len(alerts(fork)) for fork in forks] == [1, 30, 30]
    assert forks[0].clock is not forks[1].clock
    # A snapshot is good for any state of the same service.
    forks[1].restore(forks[0].snapshot())
    assert [each["id"] for each in alerts(forks[1])] == ["own"]
    forks[0].restore(kept)
    forks[1].reset()
    assert [len(alerts(fork)) for fork in forks] == [30, 30, 30]
    assert titles(seeded) == after


def alerts(of: State) -> Json:
    return of.document()["Security"]["alerts"]


def test_a_fork_shares_what_it_did_not_change(seeded: FlaskClient) -> None:
    first, second = state(seeded).fork().snapshot(), state(seeded).fork().snapshot()
    assert first.tables is second.tables


def test_revisions_go_on_from_those_that_are_restored() -> None:
    """Revisions differ between states, whatever their clocks say."""
    ahead = EntityStorage(Snapshot({}, 2**60))
    ahead.put({"things": {"a": {"n": 1}}})
    storage = EntityStorage()
    storage.restore(ahead.now)
    storage.put({"things": {"a": {"n": 2}, "b": {}}})
    revisions = [each.revision for each in storage.now.rows("things").in_order]
    assert revisions == [2**60 + 2, 2**60 + 3]
    assert storage.now.revision == 2**60 + 3


keys = st.sampled_from("abcdefgh")
deltas = st.lists(st.dictionaries(keys, st.sampled_from(["gone", "kept", "anew"]), max_size=4))


@given(few=st.sampled_from([0, 3, 48]), start=st.sets(keys), taken=deltas)
def test_rows_are_a_dict_by_number_be_they_few_or_many(
    few: int, start: set[str], taken: list[dict[str, str]]
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(snapshots, "_FEW", few)
        plain = {key: Entity({}, key, number, number) for number, key in enumerate(sorted(start))}
        rows = Rows(plain.values())
        revisions = itertools.count(100)
        for step in taken:
            delta: dict[str, Entity | None] = {}
            for key, what in step.items():
                revision, before = next(revisions), plain.pop(key, None)
                number = revision if before is None or what == "anew" else before.number
                after = None if what == "gone" else Entity({}, key, revision, number)
                delta[key] = after
                if after is not None:
                    plain[key] = after
            was, rows = rows, changed(rows, delta)
            order = sorted(plain.values(), key=attrgetter("number"))
            assert [id(each) for each in rows.in_order] == [id(each) for each in order]
            assert (list(rows), len(rows)) == ([each.key for each in order], len(order))
            assert all(rows.find(key) is plain.get(key) for key in "abcdefgh")
            assert was.difference(rows).items() <= delta.items()
            assert rows.difference(rows) == {}


def changed(rows: Rows, delta: dict[str, Entity | None]) -> Rows:
    """Do the same in the quickest way that there is for it."""
    if len(delta) == 1:
        ((key, after),) = delta.items()
        before = rows.find(key)
        if after is not None and before is None:
            return rows.put(after)
        if after is not None and before is not None and before.number == after.number:
            return rows.replaced(after)
    return rows.changed(delta)


# -- in a store ---------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "graph.store"


def test_what_was_restored_is_there_after_a_kill(store: Path, tmp_path: Path) -> None:
    with serving(store, seed=(SEED,)) as client:
        kept = state(client).snapshot()
        change(client)
        state(client).restore(kept)
        before, etag = state_of(client), client.get(f"{ALERTS}/a3").headers["ETag"]
        order = list(titles(client))
        killed = shutil.copy(store, tmp_path / "killed")
    with serving(Path(killed)) as client:
        assert state_of(client) == before
        assert list(titles(client)) == order
        assert client.get(f"{ALERTS}/a3").headers["ETag"] == etag


def test_to_go_back_writes_no_more_than_is_different(store: Path) -> None:
    with serving(store, seed=(SEED,)) as client:
        kept = state(client).snapshot()
        sizes = [store.stat().st_size]

        def grown() -> int:
            sizes.append(store.stat().st_size)
            return sizes[-1] - sizes[-2]

        ways: list[Callable[[], None]] = [lambda: state(client).restore(kept), state(client).reset]
        for back in ways:
            for _ in range(3):
                back()
                assert grown() == 0
            patch(client, "changed")
            one = grown()
            back()
            assert 0 < grown() < 2 * one
            client.delete(f"{ALERTS}/a5")
            assert grown() < 150
            back()
            assert 0 < grown() < sizes[0] // 10


def test_paging_goes_on_after_a_restart(store: Path) -> None:
    with serving(store, seed=(SEED,)) as client:
        link = (client.get(f"{ALERTS}?$top=10").json or {})["@odata.nextLink"]
        client.delete(f"{ALERTS}/a2")
        client.patch(f"{ALERTS}/a1", json={"title": "changed"})
    with serving(store) as client:
        client.post(ALERTS, json={"id": "new"})
        page = client.get(link).json or {}
        assert [each["id"] for each in page["value"]] == [f"a{n}" for n in range(10, 20)]
        assert list(titles(client))[-1] == "new"


keys = st.sampled_from("abcdef")
documents = st.fixed_dictionaries({"n": st.integers(0, 3)})
written = st.dictionaries(
    st.sampled_from(["one", "two"]), st.dictionaries(keys, st.none() | documents), max_size=2
)
steps = st.lists(written | st.sampled_from(["keep", 0, 1, 2]), max_size=12)


@given(steps=steps)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_file_tells_the_state_at_any_time(tmp_path: Path, steps: list[Json]) -> None:
    store = tmp_path / "random.store"
    store.unlink(missing_ok=True)
    storage = EntityStorage(store=Store(store, "process"))
    kept = [storage.now]
    for step in steps:
        if step == "keep":
            kept.append(storage.now)
        elif isinstance(step, int):
            storage.restore(kept[step % len(kept)])
        else:
            storage.put(step)
        killed = shutil.copy(store, tmp_path / "killed")
        assert kept_in(Path(killed)) == shown(storage.now)
    storage.close()


def test_a_reset_after_a_restart_goes_to_the_seeds_of_now(store: Path) -> None:
    with serving(store, seed=(SEED,)) as client:
        change(client)
    with serving(store, seed=({"Security": {"providerStatus": [{"region": "now"}]}},)) as client:
        assert region(client) == "changed"
        client.post("/_mockgraph/reset")
        assert region(client) == "now"
        assert "a3" not in titles(client)
    with serving(store) as client:
        assert region(client) == "now"
        assert client.get(SECURITY).status_code == 200
