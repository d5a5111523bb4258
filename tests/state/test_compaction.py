"""Compaction: the history goes, the state stays, whenever it is cut off, and nobody waits."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import state_of
from flask.testing import FlaskClient

from mockgraph.state import compaction, log, packing
from mockgraph.state import store as stores
from mockgraph.state.compaction import Compaction
from mockgraph.state.store import Store
from mockgraph.state.store_format import record_in
from state.stores import (
    ALERTS,
    SECURITY,
    await_compaction,
    crc_of,
    failing,
    kept_in,
    line,
    patch,
    region,
    serving,
    shown,
    state,
)

FROM = 12_000


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compactions of small files, in many pieces."""
    monkeypatch.setattr(stores, "_COMPACT_FROM", FROM)
    monkeypatch.setattr(packing, "_PIECE", 500)
    monkeypatch.setattr(compaction, "_BEHIND", 500)
    monkeypatch.setattr(compaction, "_SYNCED_AT_ONCE", 2000)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "graph.store"


@pytest.fixture(params=["process", "disk"])
def client(request: pytest.FixtureRequest, store: Path) -> Iterator[FlaskClient]:
    with serving(store, durability=request.param) as client:
        yield client


def write_until(client: FlaskClient, done: Callable[[], bool]) -> int:
    """Write to one entity until it is; how often that was."""
    for n in range(5000):
        if done():
            return n
        assert patch(client, f"{n}") == 200
    raise AssertionError("it never came")


def compact(client: FlaskClient, store: Path) -> None:
    """Write until another file is in the place of this one."""
    inode = store.stat().st_ino

    def is_replaced() -> bool:
        await_compaction(client)  # it would not keep up with us
        return store.stat().st_ino != inode

    write_until(client, is_replaced)


class Held:
    """A compaction that waits before it begins to copy what was written meanwhile."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.really = Compaction.write
        monkeypatch.setattr(Compaction, "write", lambda made: self.write(made))

    def write(self, made: Compaction) -> None:
        self.begun.set()
        assert self.may_end.wait(30)
        self.really(made)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    held = Held(monkeypatch)
    yield held
    held.may_end.set()


def test_history_is_dropped_and_the_state_is_not(client: FlaskClient, store: Path) -> None:
    client.post(ALERTS, json={"id": "kept", "title": "x"})
    largest = 0
    for n in range(300):
        assert patch(client, f"{n}") == 200
        largest = max(largest, store.stat().st_size)
        await_compaction(client)
    before, etag = state_of(client), client.get(SECURITY).headers["ETag"]
    client.application.extensions["mockgraph"].close()
    assert largest < 2 * FROM
    assert [each.name for each in store.parent.iterdir() if each.suffix == ".new"] == []
    with serving(store) as reopened:
        assert state_of(reopened) == before
        assert region(reopened) == "299"
        assert reopened.get(SECURITY).headers["ETag"] == etag
        assert reopened.get(f"{ALERTS}/kept").status_code == 200


def test_what_comes_and_goes_leaves_nothing_in_the_file(client: FlaskClient, store: Path) -> None:
    largest = 0
    for n in range(200):
        assert client.post(ALERTS, json={"id": f"a{n}"}).status_code == 201
        assert client.delete(f"{ALERTS}/a{n}").status_code == 204
        largest = max(largest, store.stat().st_size)
        await_compaction(client)
    assert largest < 2 * FROM
    compact(client, store)
    assert b'"a1"' not in store.read_bytes()


def test_a_compacted_store_has_a_line_for_each_entity(
    client: FlaskClient, store: Path, held: Held
) -> None:
    write_until(client, held.begun.is_set)
    patch(client, "meanwhile")
    lines = store.read_bytes().splitlines()
    held.may_end.set()
    await_compaction(client)
    _, *compacted = store.read_bytes().splitlines()
    entities = sum(len(rows) for rows in state(client).snapshot().tables.values())
    assert [each.count(b'"entity":') for each in compacted] == [1] * len(compacted)
    assert entities + 1 <= len(compacted) < len(lines)
    assert record_in(compacted[-1] + b"\n") == record_in(lines[-1] + b"\n")


def test_nobody_waits_for_a_compaction(client: FlaskClient, store: Path, held: Held) -> None:
    write_until(client, held.begun.is_set)
    inode = store.stat().st_ino
    for n in range(50):
        assert patch(client, f"meanwhile {n}") == 200
        assert region(client) == f"meanwhile {n}"
        assert client.post(ALERTS, json={"id": f"new{n}"}).status_code == 201
    client.delete(f"{ALERTS}/new7")
    assert store.stat().st_ino == inode
    before = state_of(client)
    held.may_end.set()
    await_compaction(client)
    assert store.stat().st_ino != inode
    assert state_of(client) == before
    assert patch(client, "after") == 200
    client.application.extensions["mockgraph"].close()
    with serving(store) as reopened:
        assert region(reopened) == "after"
        assert {f"new{n}" for n in range(50) if n != 7} <= {
            each["id"] for each in state_of(reopened)["Security"]["alerts"]
        }


def test_a_compaction_under_way_is_given_up_at_the_end(
    store: Path, held: Held, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(store) as client:
        write_until(client, held.begun.is_set)
        patch(client, "last")
        opened: Any = state(client)._storage._store
        abandon = opened._compaction.abandon

        def abandon_and_go_on() -> None:
            abandon()
            held.may_end.set()

        opened._compaction.abandon = abandon_and_go_on
    assert sorted(each.name for each in store.parent.iterdir()) == [
        "graph.store",
        "graph.store.lock",
    ]
    assert caplog.records == []
    with serving(store) as client:
        assert region(client) == "last"


STEPS: list[tuple[str, Any, str]] = [
    ("create", compaction, "create_like"),
    ("write", compaction, "write_all"),
    ("sync", compaction, "sync"),
    ("replace", os, "replace"),
]


@pytest.mark.parametrize(("where", "name"), [step[1:] for step in STEPS], ids=[s[0] for s in STEPS])
def test_a_compaction_that_fails_waits_and_loses_nothing(
    client: FlaskClient,
    store: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    where: Any,
    name: str,
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(where, name, failing(errno.ENOSPC))

        def was_told() -> bool:
            await_compaction(client)
            return bool(caplog.records)

        write_until(client, was_told)
        assert patch(client, "after all") == 200
    (record,) = caplog.records
    assert f"The store {store} was not compacted: {os.strerror(errno.ENOSPC)}" in record.message
    assert [each.name for each in store.parent.iterdir() if each.suffix == ".new"] == []
    killed = Path(shutil.copy(store, store.with_name("killed")))
    compact(client, store)
    with serving(killed) as reopened:
        assert region(reopened) == "after all"


def test_a_sync_that_fails_after_the_swap_is_tried_again(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new name must be on the disk before anyone is told that a write is."""
    folders: list[bool] = []
    really, fails = log.sync, threading.Event()

    def sync(file: int) -> None:
        if stat.S_ISDIR(os.fstat(file).st_mode):
            folders.append(not fails.is_set())
            if fails.is_set():
                failing(errno.EIO)()
        really(file)

    monkeypatch.setattr(log, "sync", sync)
    with serving(store, durability="disk") as client:
        fails.set()
        inode = store.stat().st_ino
        statuses = []
        while store.stat().st_ino == inode:
            statuses.append(patch(client, "x"))
            await_compaction(client)
        assert set(statuses) == {200}
        assert folders.count(False) >= 1
        before = region(client)
        assert patch(client, "not safe") == 507
        assert region(client) == before
        fails.clear()
        assert patch(client, "safe") == 200
        assert folders[-1]
    with serving(store) as client:
        assert region(client) == "safe"


def test_the_new_file_is_on_the_disk_before_it_is_the_store(
    store: Path, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: dict[int, int] = {}
    sizes: list[tuple[int, int | None]] = []
    really, replace = log.sync, os.replace

    def sync(file: int) -> None:
        really(file)
        synced[os.fstat(file).st_ino] = os.fstat(file).st_size

    def replaced(source: Path, target: Path) -> None:
        sizes.append((source.stat().st_size, synced.get(source.stat().st_ino)))
        replace(source, target)

    monkeypatch.setattr(compaction, "sync", sync)
    monkeypatch.setattr(os, "replace", replaced)
    with serving(store, durability="disk") as client:
        write_until(client, held.begun.is_set)
        patch(client, "meanwhile")
        held.may_end.set()
        await_compaction(client)
    (size, on_disk), *_ = sizes
    assert size == on_disk


def test_a_compaction_without_a_thread_waits(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def none_left(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", none_left)
        write_until(client, lambda: bool(caplog.records))
    assert "was not compacted: can't start new thread" in caplog.records[0].message


@pytest.mark.parametrize("later", [False, True])
def test_what_a_failed_sync_takes_back_is_not_compacted(
    store: Path, held: Held, monkeypatch: pytest.MonkeyPatch, later: bool
) -> None:
    """The write that a compaction began with is taken back, or one that it has to copy."""
    with serving(store, durability="disk") as client:
        opened: Any = state(client)._storage._store
        really = log.sync

        def sync(file: int) -> None:
            if opened._compaction is not None:
                failing(errno.EIO)()
            really(file)

        if later:
            write_until(client, held.begun.is_set)
        with monkeypatch.context() as patched:
            patched.setattr(log, "sync", sync)
            for n in range(100):
                before = shown(state(client).snapshot())
                if client.post(ALERTS, json={"id": f"lost{n}"}).status_code == 507:
                    break
            assert opened._compaction is not None
            assert shown(state(client).snapshot()) == before
        held.may_end.set()
        await_compaction(client)
        assert kept_in(Path(shutil.copy(store, store.with_name("killed")))) == before
        assert patch(client, "after") == 200
    with serving(store) as client:
        assert region(client) == "after"
        assert client.get(f"{ALERTS}/lost{n}").status_code == 404


@pytest.mark.parametrize("fails", ["nothing", "the file", "its name"])
def test_a_write_that_waits_while_the_file_is_replaced_is_safe_or_refused(
    store: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    """Once the disk refuses the file that it is in, or once and for all the name of the new one."""
    really, settle, failed = log.sync, Store.settle, threading.Event()

    def sync(file: int) -> None:
        is_name = stat.S_ISDIR(os.fstat(file).st_mode)
        is_compaction = threading.current_thread().name == "mockgraph-compaction"
        if fails == "the file" and is_compaction and not is_name and not failed.is_set():
            failed.set()
            failing(errno.EIO)()
        if fails == "its name" and is_name:
            failed.set()
            failing(errno.EIO)()
        really(file)

    def settled(opened: Store, *given: Any) -> None:
        if opened._thread.is_alive():
            opened._thread.join(30)
        settle(opened, *given)

    with serving(store, durability="disk") as client:
        monkeypatch.setattr(log, "sync", sync)
        monkeypatch.setattr(Store, "settle", settled)
        inode = store.stat().st_ino
        for n in range(5000):
            before = region(client)
            status = patch(client, f"{n}")
            if failed.is_set() or store.stat().st_ino != inode:
                break
        assert status == (507 if fails == "the file" else 200)
        expected = before if status == 507 else f"{n}"
        assert region(client) == expected
        killed = Path(shutil.copy(store, store.with_name("killed")))
    for each in (killed, store):
        with serving(each) as reopened:
            assert region(reopened) == expected


@pytest.mark.parametrize("becomes", ["gone", "another's", "longer", "shorter"])
def test_a_file_that_is_not_ours_any_more_is_not_replaced(
    store: Path, held: Held, caplog: pytest.LogCaptureFixture, becomes: str
) -> None:
    with serving(store) as client:
        write_until(client, held.begun.is_set)
        content = store.read_bytes()
        if becomes == "gone":
            store.unlink()
        elif becomes == "another's":
            store.unlink()
            store.write_bytes(b"another's")
        else:
            store.write_bytes(content + b"more" if becomes == "longer" else content[:-300])
        left = store.read_bytes() if store.exists() else None
        held.may_end.set()
        await_compaction(client)
        assert "was not compacted" in caplog.text
        assert (store.read_bytes() if store.exists() else None) == left
        assert patch(client, "lost") == 507


def test_what_a_killed_compaction_left_is_cleared_away(store: Path) -> None:
    store.with_name("graph.store.new").write_bytes(b"half")
    with serving(store) as client:
        assert not store.with_name("graph.store.new").exists()
        assert patch(client, "one") == 200


@pytest.mark.skipif(os.name == "nt", reason="Windows lets few make links")
def test_what_somebody_put_in_its_way_is_not_written_to(store: Path, held: Held) -> None:
    """On a shared machine the folder may be everybody's."""
    others = store.with_name("others")
    others.write_text("not ours")
    held.may_end.set()
    with serving(store) as client:
        store.with_name("graph.store.new").symlink_to(others)
        compact(client, store)
    assert others.read_text() == "not ours"
    assert not store.is_symlink()
    with serving(store) as client:
        assert patch(client, "after") == 200


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no modes")
def test_a_file_keeps_the_mode_that_it_was_given(store: Path) -> None:
    store.touch()
    store.chmod(0o640)
    with serving(store) as client:
        compact(client, store)
        assert stat.S_IMODE(store.stat().st_mode) == 0o640


def test_a_store_does_not_grow_from_start_to_start(store: Path, held: Held) -> None:
    """Killed before each compaction, it is compacted as soon as it is open again."""
    held.may_end.set()
    with serving(store) as client:
        for n in range(15):
            patch(client, f"{n}")
        await_compaction(client)
    grown = store.stat().st_size
    assert grown < FROM
    last = store.read_bytes().splitlines(keepends=True)[-1]
    with store.open("ab") as file:
        for _ in range(5 * FROM // len(last)):
            last = line(record_in(last), crc_of(last))
            file.write(last)
    with serving(store) as client:
        patch(client, "once")
        await_compaction(client)
        assert store.stat().st_size < FROM


# -- a kill at any step -------------------------------------------------------------------


def test_a_kill_at_any_step_leaves_a_whole_store(
    client: FlaskClient,
    store: Path,
    tmp_path: Path,
    held: Held,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before and after each call that changes the folder, a copy of it is what a kill leaves."""
    left: list[Path] = []
    replaced = []
    inode = store.stat().st_ino

    def copied() -> None:
        copy = tmp_path / f"left{len(left)}"
        copy.mkdir()
        for each in (store, store.with_name("graph.store.new")):
            if each.exists():
                shutil.copy(each, copy)
        left.append(copy / "graph.store")
        replaced.append(store.stat().st_ino != inode)

    def recorded(really: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            copied()
            result = really(*arguments)
            copied()
            return result

        return call

    write_until(client, held.begun.is_set)
    for n in range(10):
        client.post(ALERTS, json={"id": f"meanwhile{n}"})
    before = shown(state(client).snapshot())
    with monkeypatch.context() as patched:
        for name in ("write", "replace", "fsync", "unlink", "ftruncate"):
            patched.setattr(os, name, recorded(getattr(os, name)))
        held.may_end.set()
        await_compaction(client)
    assert {False, True} <= set(replaced)
    assert len(left) > 20
    for copy in left:
        assert kept_in(copy) == before
        assert not copy.with_name("graph.store.new").exists()
