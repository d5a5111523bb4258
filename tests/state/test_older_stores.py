"""Store files of older versions: read, and brought up to date by the first write."""

from __future__ import annotations

import errno
import json
import os
import zlib
from pathlib import Path
from typing import Any

import pytest
from conftest import state_of

from mockgraph.errors import MockGraphError
from state.stores import HEADER, failing, patch, serving

FIRST = b'{"mockgraph":"store","version":%d}\n'
WRITES: dict[int, list[Any]] = {}


def old_entity(key: str, number: int, **properties: Any) -> Any:
    return {"revision": number, "number": number, "entity": {"id": key, **properties}}


WRITES[2] = [
    {"Security": {"s": old_entity("s", 1)}},
    {"alerts": {"a": old_entity("a", 2, title='kept "so"')}},
    {"alerts": {"b": old_entity("b", 3)}, "incidents": {"i": old_entity("i", 4)}},
    {"alerts": {"b": None}},
    {"Directory": {"Directory": {"revision": 5, "number": 5, "entity": {"users": []}}}},
]
WRITES[3] = [
    {"security": {"$": old_entity("s", 1)}},
    {"security/alerts": {"a": old_entity("a", 2, title='kept "so"')}},
    {"security/alerts": {"b": old_entity("b", 3), "c": old_entity("c", 6)}},
    {"security/incidents": {"i": old_entity("i", 4)}},
    {"security/alerts": {"b": None, "c": None}},
    {"_mockgraph/directory": {"Directory": {**old_entity("", 5), "entity": {"users": []}}}},
]


def content_of(version: int) -> bytes:
    """A store of a version with these writes."""
    content = FIRST % version
    crc = zlib.crc32(content) if version == 3 else 0
    for write in WRITES[version]:
        body = json.dumps(write, separators=(",", ":")).encode()
        checksum = zlib.crc32(body, crc)
        content += b'{"crc":"%08x","write":%b}\n' % (checksum, body)
        crc = checksum if version == 3 else 0
    return content


@pytest.fixture(params=[2, 3])
def old(request: pytest.FixtureRequest) -> bytes:
    return content_of(request.param)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "graph.store"


@pytest.mark.parametrize("torn", [b"", b'{"crc":"12', b"\0" * 20])
def test_it_is_read_and_brought_up_to_date(store: Path, old: bytes, torn: bytes) -> None:
    store.write_bytes(old + torn)
    with serving(store) as client:
        assert patch(client, "new") == 200
        assert store.read_bytes().startswith(HEADER)
        kept = state_of(client)
    with serving(store) as client:
        assert state_of(client) == kept
    assert kept["Directory"] == {"users": []}
    security = kept["Security"]
    assert security["id"] == "s"
    assert [(each["id"], each["title"]) for each in security["alerts"]] == [("a", 'kept "so"')]
    assert [each["id"] for each in security["incidents"]] == ["i"]


def test_one_that_lacks_its_last_line_end_is_read(store: Path, old: bytes) -> None:
    store.write_bytes(old[:-1])
    with serving(store) as client:
        assert state_of(client)["Directory"] == {"users": []}


def test_a_damaged_one_is_left_alone(store: Path, old: bytes) -> None:
    for at in range(len(FIRST % 2), len(old), 7):
        damaged = old[:at] + bytes([old[at] ^ 4]) + old[at + 1 :]
        store.write_bytes(damaged)
        with pytest.raises(MockGraphError, match=r"is damaged at byte \d+; it was left as it is"):
            serving(store).__enter__()
        assert store.read_bytes() == damaged


@pytest.mark.parametrize(
    "record",
    [
        b"[]",
        b'{"security":[]}',
        b'{"security":{"$":5}}',
        b'{"security":{"$":{}}}',
        b'{"security":{"$":{"revision":"5","number":1,"entity":{}}}}',
        b'{"security":{"$":{"revision":5,"number":1.5,"entity":{}}}}',
        b'{"security":{"$":{"revision":5,"number":1,"entity":[]}}}',
    ],
)
def test_lines_that_say_nothing_are_damage(store: Path, record: bytes) -> None:
    first = FIRST % 3
    line = b'{"crc":"%08x","write":%b}\n' % (zlib.crc32(record, zlib.crc32(first)), record)
    store.write_bytes(first + line)
    with pytest.raises(MockGraphError, match=f"is damaged at byte {len(first)};"):
        serving(store).__enter__()


def test_it_stays_whole_where_it_cannot_be_replaced(
    store: Path, old: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write_bytes(old)
    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", failing(errno.ENOSPC))
        with pytest.raises(MockGraphError, match="brought up to date"), serving(store):
            pass
    assert store.read_bytes() == old
    with serving(store) as client:
        assert patch(client, "new") == 200
