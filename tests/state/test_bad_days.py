"""Disks that are full or cannot be written, files that others take: refused, and nothing lost."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import state_of
from flask.testing import FlaskClient
from processes import environment
from refusals import message_of

from mockgraph.errors import MockGraphError
from mockgraph.state import log
from state.stores import (
    ALERTS,
    HEADER,
    SECURITY,
    failing,
    failing_write,
    patch,
    region,
    serving,
    state,
)

if sys.platform != "win32":
    import resource


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "graph.store"


@pytest.fixture(params=["process", "disk"])
def client(request: pytest.FixtureRequest, store: Path) -> Iterator[FlaskClient]:
    with serving(store, durability=request.param) as client:
        assert patch(client, "before") == 200
        yield client


def refused(client: FlaskClient, *says: str) -> None:
    """Every way to write is refused for this reason, and changes nothing."""
    before = state_of(client)
    alert = before["Security"]["alerts"][0]["id"]
    document = {"Security": {"alerts": [{"id": "other"}]}}
    for method, path, body in [
        ("PATCH", SECURITY, {"providerStatus": []}),
        ("POST", ALERTS, {"title": "x"}),
        ("DELETE", f"{ALERTS}/{alert}", None),
        ("POST", "/_mockgraph/reset", None),
        ("PUT", "/_mockgraph/state", document),
    ]:
        answer = client.open(path, method=method, json=body)
        code, message = message_of(answer.status_code, answer.headers, answer.data)
        assert (answer.status_code, code) == (507, "InsufficientStorage"), (method, path)
        for each in says:
            assert each in message
        assert state_of(client) == before


def reopened(client: FlaskClient, store: Path) -> str:
    client.application.extensions["mockgraph"].close()
    with serving(store) as again:
        return region(again)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
@pytest.mark.parametrize("kept", [0, 60])
def test_a_disk_that_takes_no_more(
    client: FlaskClient, store: Path, monkeypatch: pytest.MonkeyPatch, number: int, kept: int
) -> None:
    content = store.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", failing_write(kept, number))
        refused(client, os.strerror(number))
    assert store.read_bytes() == content
    assert patch(client, "after") == 200
    assert reopened(client, store) == "after"


def test_a_short_write_goes_on(
    client: FlaskClient, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda file, data: really(file, data[:7]))
        assert patch(client, "in pieces") == 200
    assert reopened(client, store) == "in pieces"


def test_half_a_record_that_cannot_be_taken_back_at_once(
    client: FlaskClient, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fails in the middle of a write and then takes nothing, not even that back."""
    content = store.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(os, "ftruncate", failing(errno.EROFS))
        patched.setattr(os, "write", failing_write(30, errno.EIO))
        assert patch(client, "lost") == 507
        patched.undo()
        patched.setattr(os, "ftruncate", failing(errno.EROFS))
        assert len(store.read_bytes()) == len(content) + 30
        refused(client, os.strerror(errno.EROFS))
    assert patch(client, "after") == 200
    assert store.read_bytes().startswith(content + b'{"crc"')
    assert reopened(client, store) == "after"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limits of that kind")
def test_a_file_that_may_grow_no_more(client: FlaskClient, store: Path) -> None:
    """The kernel's own limit, which lets a write through in part."""
    size = store.stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 40, hard))
    try:
        refused(client, os.strerror(errno.EFBIG))
        assert store.stat().st_size == size
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert patch(client, "after") == 200
    assert reopened(client, store) == "after"


@pytest.mark.parametrize(
    ("happens", "says"),
    [
        ("deleted", "the file was deleted; start again"),
        ("replaced", "the file was replaced by another one; start again"),
        ("added to", "the file was changed by somebody else; start again"),
        ("cut", "the file was changed by somebody else; start again"),
        ("emptied", "the file was changed by somebody else; start again"),
    ],
)
def test_a_file_that_others_take(client: FlaskClient, store: Path, happens: str, says: str) -> None:
    content = store.read_bytes()
    if happens in ("deleted", "replaced"):
        store.unlink()
    if happens != "deleted":
        left = {"added to": content + b"own\n", "cut": content[:-9], "emptied": b""}
        store.write_bytes(left.get(happens, b"another's"))
    found = store.read_bytes() if store.exists() else None
    refused(client, says)
    assert region(client) == "before"
    assert state(client).snapshot() is not None
    client.application.extensions["mockgraph"].close()
    assert (store.read_bytes() if store.exists() else None) == found


def test_a_compaction_that_finds_no_descriptor_leaves_the_store_as_it_was(
    client: FlaskClient, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connections may have taken them all."""
    opened: Any = state(client)._storage._store
    content = store.read_bytes()
    for where, name in [(log.StoreLog, "_open"), (os, "replace")]:
        opened._log.beside.write_bytes(HEADER)
        with monkeypatch.context() as patched:
            patched.setattr(where, name, failing(errno.EMFILE))
            with pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
                opened._log.replace(opened._log.end)
        assert store.read_bytes() == content
    assert patch(client, "after") == 200
    assert reopened(client, store) == "after"


def test_a_file_that_cannot_be_opened_again_is_written_no_more(
    client: FlaskClient, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of a closed file may be a socket's by now: it must not be written to."""
    opened: Any = state(client)._storage._store
    with monkeypatch.context() as patched:
        patched.setattr(log, "_REPLACES_OPEN_FILES", False)  # as on Windows
        patched.setattr(os, "replace", failing(errno.EBUSY))
        patched.setattr(log.StoreLog, "_open", failing(errno.EMFILE))
        with pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
            opened._log.replace(opened._log.end)
    stranger = os.open(store.with_name("stranger"), os.O_RDWR | os.O_CREAT)
    try:
        os.write(stranger, b"not the store's")
        refused(client, "the file is not open any more")
        assert os.fstat(stranger).st_size == len(b"not the store's")
    finally:
        os.close(stranger)
    assert reopened(client, store) == "before"


def test_a_file_that_must_be_closed_to_be_replaced(
    client: FlaskClient, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: Any = state(client)._storage._store
    opened._log.beside.write_bytes(store.read_bytes())
    monkeypatch.setattr(log, "_REPLACES_OPEN_FILES", False)
    opened._log.replace(opened._log.end)
    assert patch(client, "after") == 200
    assert reopened(client, store) == "after"


# -- from the start -----------------------------------------------------------------------


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_takes_nothing_from_the_start(
    store: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(log, "write_all", failing(number))
        with pytest.raises(MockGraphError) as raised, serving(store):
            pass
    assert os.strerror(number) in str(raised.value)
    assert str(store) in str(raised.value)
    with serving(store) as client:
        assert patch(client, "one") == 200


def test_seeds_that_find_no_room_leave_a_new_store(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", failing_write(100))
        with pytest.raises(MockGraphError, match=os.strerror(errno.ENOSPC)), serving(store):
            pass
    with serving(store) as client:
        assert patch(client, "one") == 200


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
@pytest.mark.parametrize("special", ["/dev/null", "/dev/full", "pipe", "folder"])
def test_what_is_no_file_takes_no_store(tmp_path: Path, special: str) -> None:
    path = tmp_path / "special.store"
    if special == "pipe":
        os.mkfifo(path)
    elif special == "folder":
        path.mkdir()
    else:
        path = Path(special)
    with pytest.raises(MockGraphError, match="it is no file"):
        log.StoreLog(path)


OPEN_ANOTHER = (
    "import sys\n"
    "from mockgraph.errors import MockGraphError\n"
    "from mockgraph.state.log import Path, StoreLog\n"
    "try: StoreLog(Path(sys.argv[1]))\n"
    "except MockGraphError as error: print(error)\n"
)


def told_to_another_process(store: Path) -> str:
    """Return the error of another process that opens the store."""
    done = subprocess.run(
        [sys.executable, "-c", OPEN_ANOTHER, store],
        env=environment({}),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_another_process_is_refused_with_a_clear_message(store: Path) -> None:
    with serving(store) as client:
        assert told_to_another_process(store) == f"The store {store} is in use by another process."
        assert patch(client, "still") == 200
    with serving(store) as client:
        assert region(client) == "still"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks and links")
@pytest.mark.parametrize("by", ["the lock is deleted", "hard link", "folder"])
@pytest.mark.parametrize("compacted", [False, True])
def test_a_store_has_one_process_by_whatever_name(store: Path, by: str, compacted: bool) -> None:
    name = store.with_name("other.store")
    with serving(store) as client:
        if compacted:
            opened: Any = state(client)._storage._store
            opened._log.beside.write_bytes(store.read_bytes())
            opened._log.replace(opened._log.end)
        if by == "the lock is deleted":
            name = store
            store.with_name("graph.store.lock").unlink()
        elif by == "hard link":
            name.hardlink_to(store)
        else:
            name.symlink_to(store.parent)
            name /= store.name
        assert "is in use by another process" in told_to_another_process(name)
        assert patch(client, "still") == 200
    with serving(name) as client:
        assert region(client) == "still"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
def test_a_forked_process_does_not_hold_a_store_that_was_closed(store: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from mockgraph.state.store import Path, Store\n"
        "store = Store(Path(sys.argv[1]), 'process')\n"
        "child = os.fork()\n"
        "if not child: signal.pause()\n"
        "try:\n"
        "    store.close()\n"
        "    Store(Path(sys.argv[1]), 'process').close()\n"
        "finally:\n"
        "    os.kill(child, signal.SIGKILL)\n"
        "    os.waitpid(child, 0)\n"
    )
    subprocess.run([sys.executable, "-c", program, store], env=environment({}), check=True)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")
def test_a_file_system_without_locks_of_that_kind(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("mockgraph.state.log.fcntl.flock", failing(errno.ENOLCK))
        nothing: Any = None
        file = log.StoreLog._open(nothing, store, os.O_CREAT)
    os.close(file)
