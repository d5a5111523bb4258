"""The promise of ``--durability disk``: an answer only when the write is on the disk.

A power cut cannot be had in a test; that the file was synced before the answer can be seen.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from conftest import state_of
from flask.testing import FlaskClient
from wire import ask

from mockgraph import MockGraph
from mockgraph.app import create_app
from mockgraph.errors import MockGraphError
from mockgraph.server_options import Settings
from mockgraph.serving.server import Server
from mockgraph.serving.server.event_loop import Watchdog
from mockgraph.state import log
from mockgraph.state.log import StoreLog
from mockgraph.state.store import Store
from state.stores import ALERTS, SECURITY, failing, patch, region, serving, state

THREADS = 8


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "graph.store"


class Disk:
    """A recorder of syncs, which may be held up, and may fail. Safe under threads."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.sizes: list[int] = []
        self.folders: list[int] = []
        self.fails = False
        self.may_end = threading.Event()
        self.may_end.set()
        self.begun = threading.Semaphore(0)
        monkeypatch.setattr(log, "sync", self.sync)

    def sync(self, file: int) -> None:
        about = os.fstat(file)
        if stat.S_ISDIR(about.st_mode):
            self.folders.append(about.st_ino)
            return
        self.begun.release()
        assert self.may_end.wait(30)
        if self.fails:
            failing(errno.EIO)()
        self.sizes.append(about.st_size)

    def hold(self) -> None:
        """Let the next syncs wait; ``begun`` tells of the first."""
        while self.begun.acquire(blocking=False):
            pass
        self.may_end.clear()


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    disk = Disk(monkeypatch)
    yield disk
    disk.may_end.set()


@pytest.fixture
def appended(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Counts the writes to a store."""
    lines, really = threading.Semaphore(0), StoreLog.append

    def append(self: StoreLog, records: Iterable[bytes]) -> None:
        really(self, records)
        lines.release()

    monkeypatch.setattr(StoreLog, "append", append)
    return lines


@pytest.fixture
def client(store: Path, disk: Disk) -> Iterator[FlaskClient]:  # noqa: ARG001
    with serving(store, durability="disk") as client:
        yield client


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(THREADS + 2) as pool:
        yield pool


WRITES: list[Callable[[FlaskClient], Any]] = [
    lambda client: client.patch(SECURITY, json={"providerStatus": []}),
    lambda client: client.post(ALERTS, json={"title": "x"}),
    lambda client: client.delete(f"{ALERTS}/{state_of(client)['Security']['alerts'][0]['id']}"),
    lambda client: client.post("/_mockgraph/reset"),
    lambda client: client.put("/_mockgraph/state", json={"Security": {"alerts": [{"id": "a"}]}}),
]


@pytest.mark.parametrize("write", WRITES)
def test_a_write_is_synced_before_it_is_answered(
    store: Path, disk: Disk, client: FlaskClient, write: Callable[[FlaskClient], Any]
) -> None:
    patch(client, "before")
    assert write(client).status_code < 300
    assert disk.sizes[-1] == store.stat().st_size
    before = len(disk.sizes)
    client.get(SECURITY)
    client.get(ALERTS)
    assert len(disk.sizes) == before


def test_a_new_store_has_its_name_on_the_disk_too(
    store: Path, disk: Disk, client: FlaskClient
) -> None:
    assert disk.folders == [store.parent.stat().st_ino]
    patch(client, "again")
    assert len(disk.folders) == 1


def test_so_have_the_folders_that_were_made_for_it(tmp_path: Path, disk: Disk) -> None:
    with serving(tmp_path / "not" / "yet" / "graph.store", durability="disk"):
        folders = [tmp_path, tmp_path / "not", tmp_path / "not" / "yet"]
        assert disk.folders == [each.stat().st_ino for each in folders]


def test_a_write_that_survives_a_kill_alone_waits_for_no_disk(store: Path, disk: Disk) -> None:
    with serving(store) as client:
        for write in WRITES:
            assert write(client).status_code < 300
    assert disk.sizes == []


def test_writers_share_a_sync(
    store: Path,
    disk: Disk,
    client: FlaskClient,
    appended: threading.Semaphore,
    pool: ThreadPoolExecutor,
) -> None:
    disk.hold()
    before = len(disk.sizes)
    answers = [pool.submit(client_of(client).post, ALERTS, json={}) for _ in range(THREADS)]
    for _ in range(THREADS):
        assert appended.acquire(timeout=30)
    assert not any(answer.done() for answer in answers)
    disk.may_end.set()
    assert [answer.result().status_code for answer in answers] == [201] * THREADS
    # Those who came while the first was synced share the second one.
    assert len(disk.sizes) - before <= 2
    assert disk.sizes[-1] == store.stat().st_size


def test_a_sync_holds_up_neither_readers_nor_other_writers(
    disk: Disk, client: FlaskClient, appended: threading.Semaphore, pool: ThreadPoolExecutor
) -> None:
    disk.hold()
    first = pool.submit(patch, client_of(client), "first")
    assert disk.begun.acquire(timeout=30)
    assert region(client) == "first"  # seen, though not yet safe
    etag = client.get(SECURITY).headers["ETag"]
    second = pool.submit(patch, client_of(client), "second")
    for _ in range(2):
        assert appended.acquire(timeout=30)
    assert client.get(SECURITY).headers["ETag"] != etag
    assert region(client) == "second"
    # A refusal needs no disk.
    refused = client.patch(SECURITY, json={}, headers={"If-Match": etag})
    assert refused.status_code == 412
    assert not first.done()
    assert not second.done()
    disk.may_end.set()
    assert (first.result(), second.result()) == (200, 200)


def test_a_server_serves_others_while_a_write_waits_for_the_disk(
    store: Path,
    disk: Disk,
    appended: threading.Semaphore,
    pool: ThreadPoolExecutor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At once where there are others, not only when somebody notices that it waits."""
    monkeypatch.setattr(Watchdog, "_watch", lambda _: None)
    with MockGraph(store=store, durability="disk") as graph, requests.Session() as other:
        assert other.get(f"{graph.origin}/").status_code == 200  # and stays connected
        while appended.acquire(blocking=False):
            pass
        disk.hold()
        before = len(disk.sizes)
        answers = [pool.submit(ask, graph.origin, "POST", ALERTS, b"{}") for _ in range(THREADS)]
        for _ in range(THREADS):
            assert appended.acquire(timeout=30)
        assert ask(graph.origin, "GET", SECURITY).status == 200
        assert not any(answer.done() for answer in answers)
        disk.may_end.set()
        assert [answer.result().status for answer in answers] == [201] * THREADS
        assert len(disk.sizes) - before <= 2


def test_a_sync_that_fails_takes_back_what_waited_for_it(
    store: Path,
    disk: Disk,
    client: FlaskClient,
    appended: threading.Semaphore,
    pool: ThreadPoolExecutor,
    caplog: pytest.LogCaptureFixture,
) -> None:
    patch(client, "safe")
    assert appended.acquire(timeout=30)
    before, content = state_of(client), store.read_bytes()
    disk.hold()
    waiting: list[Future[Any]] = [pool.submit(client_of(client).post, ALERTS, json={})]
    assert disk.begun.acquire(timeout=30)
    waiting += [pool.submit(client_of(client).post, ALERTS, json={}) for _ in range(3)]
    for _ in range(4):
        assert appended.acquire(timeout=30)
    disk.fails = True
    disk.may_end.set()
    for answer in waiting:
        assert answer.result().status_code == 507
        assert answer.result().json["error"]["code"] == "InsufficientStorage"
    assert state_of(client) == before
    assert store.read_bytes() == content
    assert client.post("/_mockgraph/reset").status_code == 507
    assert state_of(client) == before
    assert any("cannot be brought to the disk" in each.message for each in caplog.records)
    disk.fails = False
    assert patch(client, "again") == 200
    assert disk.sizes[-1] == store.stat().st_size > len(content)


def test_a_server_sends_a_refusal_in_place_of_an_answer_that_is_not_safe(
    store: Path, disk: Disk
) -> None:
    with MockGraph(store=store, durability="disk") as graph, requests.Session() as session:
        session.headers["Authorization"] = "Bearer any"
        changes = [{"assignedTo": each} for each in "abc"]
        made = session.post(f"{graph.origin}{ALERTS}", json={"assignedTo": "nobody"}).json()
        alert = f"{graph.origin}{ALERTS}/{made['id']}"
        for fails, change in zip((False, True, False), changes, strict=True):
            disk.fails = fails
            answer = session.patch(alert, json=change)
            assert answer.status_code == (507 if fails else 200)
            assert (answer.json().get("error", {}).get("code") == "InsufficientStorage") is fails
            assert session.get(alert).json()["assignedTo"] == (
                "a" if fails else change["assignedTo"]
            )
        assert [each.status for each in graph.requests if each.method == "PATCH"] == [200, 507, 200]


def test_a_write_that_goes_by_flask_is_answered_when_it_is_safe(store: Path, disk: Disk) -> None:
    """As all do while the control plane is registered, by the first request for it."""
    app = create_app(Settings(store=str(store), durability="disk", auth="off"))
    server = Server(app)
    server.start()
    try:
        for fails in (False, True):
            app.before_request_funcs[None] = [app.before_request_funcs.clear]
            disk.fails = fails
            answer = ask(server.origin, "POST", ALERTS, b"{}")
            assert answer.status == (507 if fails else 201)
        journal = app.extensions["mockgraph"].default.journal
        assert [each.status for each in journal.requests()] == [201, 507]
    finally:
        server.stop()
        disk.fails = False
        app.extensions["mockgraph"].close()


def test_a_store_that_was_not_safe_is_read_as_it_is(store: Path, disk: Disk) -> None:
    with serving(store, durability="disk") as client:
        patch(client, "safe")
        disk.fails = True
        assert patch(client, "unsafe") == 507
    disk.fails = False
    with serving(store, durability="disk") as client:
        assert region(client) == "safe"


def test_a_new_store_that_cannot_be_synced_is_refused(store: Path, disk: Disk) -> None:
    disk.fails = True
    with pytest.raises(MockGraphError, match="cannot be opened"), serving(store, durability="disk"):
        pass
    disk.fails = False
    with serving(store, durability="disk") as client:
        assert patch(client, "one") == 200


def test_durabilities_are_two(store: Path) -> None:
    with pytest.raises(MockGraphError, match="process or disk, not 'paper'"):
        Store(store, "paper")
    assert not store.exists()


def test_tinydb_itself_writes_to_the_disk(disk: Disk, client: FlaskClient, store: Path) -> None:
    database = state(client).db
    database.table("security/alerts").update({"title": "by TinyDB"})
    assert disk.sizes[-1] == store.stat().st_size
    database.drop_table("security/alerts")
    assert disk.sizes[-1] == store.stat().st_size
    assert state_of(client)["Security"]["alerts"] == []


def client_of(client: FlaskClient) -> FlaskClient:
    """Another client of the same app: one may be used by one thread alone."""
    return client.application.test_client()
