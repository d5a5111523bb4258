"""Apps with a store, for the tests of what is in it."""

from __future__ import annotations

import errno
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

from mockgraph.app import create_app
from mockgraph.server_options import Settings
from mockgraph.state import Snapshot, State
from mockgraph.state.persistent_maps import Ordered
from mockgraph.state.store import Store

SECURITY = "/localtest/Security"
ALERTS = f"{SECURITY}/alerts"
HEADER = b'{"mockgraph":"store","version":4}\n'


def line(record: bytes, crc: int = zlib.crc32(HEADER)) -> bytes:
    """The line of a record that comes after the line with this checksum."""
    return b'{"crc":"%08x",%b\n' % (zlib.crc32(record, crc), record)


def crc_of(written: bytes) -> int:
    """The checksum in a line."""
    return int(written[8:16], 16)


def record_of(table: str, key: str, revision: int, entity: Any, more: bool = False) -> bytes:
    """The record of an entity that was put, or removed where it is None."""
    put = {} if entity is None else {"revision": revision, "number": revision}
    record = {"table": table, "key": key, **put, "entity": entity}
    return orjson.dumps({**({"more": True} if more else {}), **record})[1:]


@contextmanager
def serving(store: Path | None, **settings: Any) -> Iterator[FlaskClient]:
    """A client of an app with this store, or none, which is closed afterwards."""
    app = create_app(Settings(store=str(store) if store else None, auth="off", **settings))
    try:
        yield app.test_client()
    finally:
        app.extensions["mockgraph"].close()


def state(client: FlaskClient) -> State:
    """The state of the client's app."""
    found: State = client.application.extensions["mockgraph"].default.state
    return found


def patch(client: FlaskClient, region: str) -> int:
    """The status of an answer to a change of the singleton."""
    return client.patch(SECURITY, json={"providerStatus": [{"region": region}]}).status_code


def region(client: FlaskClient) -> str:
    """Return the value that ``patch`` changed."""
    body = client.get(SECURITY).json
    assert body is not None
    return str(body["providerStatus"][0]["region"])


def failing(number: int) -> Callable[..., Any]:
    """A function that fails with this number of an error, whatever it is given."""

    def fail(*_: Any) -> Any:
        raise OSError(number, os.strerror(number))

    return fail


def failing_write(kept: int, number: int = errno.ENOSPC) -> Callable[[int, Any], int]:
    """``os.write`` to a disk with room for so many bytes more."""
    room, really = kept, os.write

    def write(file: int, data: Any) -> int:
        nonlocal room
        if room <= 0:
            raise OSError(number, os.strerror(number))
        written = really(file, data[:room])
        room -= written
        return written

    return write


def await_compaction(client: FlaskClient) -> None:
    """Return when no compaction is under way."""
    store: Any = state(client)._storage._store
    with store.writing:
        thread = store._thread
    if thread.ident is not None:
        thread.join()


def shown(snapshot: Snapshot) -> Any:
    """All that a store keeps of a state, in its order."""
    return {
        name: [(each.key, each.number, each.revision, dict(each)) for each in rows.in_order]
        for name, rows in snapshot.tables.items()
        if rows
    }


def kept_in(path: Path) -> Any:
    """Return the state in a store file, once it was opened."""
    opened = Store(path, "process")
    opened.close()
    return shown(opened.state)


def count_looks(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the rows that are looked at one after another from now on, as they come."""
    looked: list[Any] = []
    really = Ordered.__iter__

    def look(every: Any) -> Iterator[Any]:
        for each in really(every):
            looked.append(each)
            yield each

    monkeypatch.setattr(Ordered, "__iter__", look)
    return looked
