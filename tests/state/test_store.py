"""The store: what was answered is there after a restart, and what is not ours is left alone."""

from __future__ import annotations

import errno
import json
import logging
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import state_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from manual import blocks

from mockgraph.app import create_app
from mockgraph.errors import BadRequest, MockGraphError
from mockgraph.server_options import Settings
from mockgraph.service import SERVICE
from mockgraph.state import packing
from mockgraph.state.store import Store
from mockgraph.state.store_replay import read_contents
from state.stores import (
    ALERTS,
    HEADER,
    SECURITY,
    crc_of,
    failing_write,
    line,
    patch,
    record_of,
    region,
    serving,
)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "graph.store"


@pytest.fixture
def used(store: Path) -> Path:
    """A store with a few writes in it; the last one is the region ``three``."""
    with serving(store) as client:
        for name in ("one", "two", "three"):
            assert patch(client, name) == 200
    return store


# -- restarts -----------------------------------------------------------------------------


def test_everything_survives_a_restart(store: Path) -> None:
    with serving(store) as client:
        patch(client, "größe \u2028 \U0001f600")
        made = [client.post(ALERTS, json={"title": f"{n}", "own": [n]}).json for n in range(3)]
        ids = [each["id"] for each in made if each]
        client.delete(f"{ALERTS}/{ids[1]}")
        client.patch(f"{ALERTS}/{ids[2]}", json={"title": "changed"})
        before = state_of(client)
        etags = [client.get(path).headers["ETag"] for path in (SECURITY, f"{ALERTS}/{ids[2]}")]
    with serving(store) as client:
        assert state_of(client) == before
        assert client.get(f"{ALERTS}/{ids[1]}").status_code == 404
        assert [
            client.get(path).headers["ETag"] for path in (SECURITY, f"{ALERTS}/{ids[2]}")
        ] == etags
        patch(client, "later")
        assert client.get(SECURITY).headers["ETag"] not in etags
    with serving(store) as client:
        assert region(client) == "later"


def test_a_replaced_and_a_reset_state_survive_too(store: Path) -> None:
    with serving(store) as client:
        fresh = state_of(client)
        document = {"Security": {"id": "own", "alerts": [{"id": "a", "title": "x"}]}}
        assert client.put("/_mockgraph/state", json=document).status_code == 204
    with serving(store) as client:
        (alert,) = state_of(client)["Security"]["alerts"]
        assert (alert["id"], alert["title"]) == ("a", "x")
        assert client.post("/_mockgraph/reset").status_code == 204
    with serving(store) as client:
        assert state_of(client) == fresh


def test_seeds_are_for_a_new_store_and_for_a_reset(store: Path) -> None:
    seed = {"Security": {"providerStatus": [{"region": "seed"}]}}
    with serving(store, seed=(seed,)) as client:
        assert region(client) == "seed"
        patch(client, "written")
    with serving(store, seed=(seed,)) as client:
        assert region(client) == "written"
        client.post("/_mockgraph/reset")
        assert region(client) == "seed"


def test_a_seed_that_does_not_fit_leaves_no_lock_behind(store: Path) -> None:
    seed = {"Security": {"providerStatus": 5}}
    with pytest.raises(BadRequest, match="providerStatus"), serving(store, seed=(seed,)):
        pass
    with serving(store) as client:
        assert client.get(SECURITY).status_code == 200


@pytest.mark.parametrize("content", [b"", HEADER[:1], HEADER[:-1], HEADER])
def test_an_empty_file_and_one_hardly_begun_are_new(store: Path, content: bytes) -> None:
    store.write_bytes(content)
    with serving(store) as client:
        assert patch(client, "one") == 200
    with serving(store) as client:
        assert region(client) == "one"


# -- killed in the middle of a write ------------------------------------------------------


def test_a_torn_last_record_is_dropped_with_a_warning(
    used: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = used.read_bytes()
    start = whole.rstrip(b"\n").rfind(b"\n") + 1
    last = len(whole) - start
    for kept in (1, 2, last // 2, last - 2):
        used.write_bytes(whole[: start + kept])
        caplog.clear()
        with serving(used) as client:
            assert region(client) == "two"
            assert used.read_bytes() == whole[:start]
            assert patch(client, "again") == 200
        (record,) = caplog.records
        assert record.levelno == logging.WARNING
        assert f"its last {kept} bytes were dropped" in record.message
        assert str(used) in record.message
        with serving(used) as client:
            assert region(client) == "again"


def test_a_power_cut_may_leave_zeros_behind_what_was_written(used: Path) -> None:
    whole = used.read_bytes()
    start = whole.rstrip(b"\n").rfind(b"\n") + 1
    for kept in (0, 1, 30):
        used.write_bytes(whole[: start + kept] + b"\0" * 5000)
        with serving(used) as client:
            assert region(client) == "two"
        assert used.read_bytes() == whole[:start]


@pytest.mark.parametrize("ends_in", [b"", b"\0", b"\0" * 5000])
def test_a_whole_last_record_without_a_line_end_is_kept(
    used: Path, caplog: pytest.LogCaptureFixture, ends_in: bytes
) -> None:
    """An editor may have saved it like that, and it was answered."""
    whole = used.read_bytes()
    used.write_bytes(whole[:-1] + ends_in)
    with serving(used) as client:
        assert region(client) == "three"
        assert used.read_bytes() == whole
        (record,) = caplog.records
        assert "had no end to its last line; it was added" in record.message
        assert patch(client, "again") == 200
    with serving(used) as client:
        assert region(client) == "again"


# -- writes of several lines --------------------------------------------------------------


def seeded(store: Path, count: int) -> None:
    """Make a store whose first write puts so many alerts."""
    alerts = [{"id": f"a{n}", "title": f"{n}"} for n in range(count)]
    with serving(store, seed=({"Security": {"alerts": alerts}},)):
        pass


def test_no_line_is_longer_than_an_entity_takes(store: Path) -> None:
    seeded(store, 200)
    with serving(store) as client:
        document = state_of(client)
        assert client.put("/_mockgraph/state", json=document).status_code == 204
        assert client.post("/_mockgraph/reset").status_code == 204
        lines = store.read_bytes().splitlines()
    assert len(lines) > 600
    assert max(map(len, lines)) < len(json.dumps(document)) / 20
    assert all(each.count(b'"entity":') == 1 for each in lines[1:])


def test_a_write_of_several_lines_that_was_cut_off_is_dropped_whole(store: Path) -> None:
    seeded(store, 5)
    with serving(store) as client:
        before = state_of(client)
        size = store.stat().st_size
        alerts = [{"id": f"b{n}"} for n in range(5)]
        document = {"Security": {**before["Security"], "alerts": alerts}}
        assert client.put("/_mockgraph/state", json=document).status_code == 204
        after = state_of(client)
    whole = store.read_bytes()
    ends = [at + 1 for at in range(size, len(whole)) if whole[at] == ord("\n")]
    assert len(ends) >= 10
    for kept in sorted({*ends, *(end - 1 for end in ends), *(end + 3 for end in ends), size + 1}):
        if kept <= len(whole):
            store.write_bytes(whole[:kept])
            with serving(store) as client:
                is_whole = kept >= len(whole) - 1
                assert state_of(client) == (after if is_whole else before)
                assert store.read_bytes() == (whole if is_whole else whole[:size])


def test_a_write_of_several_lines_is_undone_where_the_disk_is_full(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "_PIECE", 1000)
    seeded(store, 3)
    with serving(store) as client:
        before, whole = state_of(client), store.read_bytes()
        document = {"Security": {"alerts": [{"id": f"b{n}"} for n in range(50)]}}
        for room in (0, 1, 999, 20_000):
            with monkeypatch.context() as patched:
                patched.setattr(os, "write", failing_write(room))
                assert client.put("/_mockgraph/state", json=document).status_code == 507
            assert state_of(client) == before
            assert store.read_bytes() == whole
        assert client.put("/_mockgraph/state", json=document).status_code == 204
        after = state_of(client)
    with serving(store) as client:
        assert state_of(client) == after


def test_the_revision_of_what_was_removed_is_not_given_again(store: Path) -> None:
    removed = record_of("security/alerts", "a", 0, None)
    store.write_bytes(written(RECORD, removed))
    contents = read_contents(store)
    assert (contents.revision, len(contents.tables["security/alerts"])) == (5, 0)


# -- the file itself ----------------------------------------------------------------------


def test_the_file_is_lines_of_json_that_a_person_can_read(store: Path) -> None:
    with serving(store) as client:
        made = client.post(ALERTS, json={"id": "a", "title": "größe \u2028"}).json
        client.patch(f"{ALERTS}/a", json={"title": "two"})
        client.delete(f"{ALERTS}/a")
    header, *written = (json.loads(each) for each in store.read_text("utf-8").split("\n") if each)
    assert header == {"mockgraph": "store", "version": 4}
    created, changed, deleted = written[-3:]
    assert {(each["table"], each["key"]) for each in written[-3:]} == {("security/alerts", "a")}
    assert made is not None
    shown = {name: value for name, value in made.items() if "@" not in name}
    assert {name: created["entity"][name] for name in shown} == shown
    declared = SERVICE.stored.schemas["microsoft.graph.alert"].properties()
    assert created["entity"].keys() == declared.keys() > shown.keys()
    assert created["number"] == created["revision"] == changed["number"] < changed["revision"]
    assert changed["entity"]["title"] == "two"
    assert deleted["entity"] is None


def test_the_file_that_the_manual_shows(store: Path) -> None:
    (block,) = blocks("jsonl", "")
    content = block.encode()
    store.write_bytes(content)
    with serving(store) as client:
        (alert,) = state_of(client)["Security"]["alerts"]
        assert (alert["id"], alert["title"]) == ("a", "second")
        assert store.read_bytes().startswith(content)


def test_what_an_older_version_did_not_know_is_unset(store: Path) -> None:
    tables = {
        "security": ["$"],
        "security/alerts_v2": ["v", "w"],
        "security/incidents": ["i"],
        "security/tiIndicators": ["t"],
    }
    content = written(
        *(
            record_of(name, key, number, {"id": key, "own": key})
            for name, keys in tables.items()
            for number, key in enumerate(keys, 5)
        )
    )
    store.write_bytes(content)
    delete, none = f"{SECURITY}/tiIndicators/deleteTiIndicatorsByExternalId", {"value": ["none"]}
    with serving(store) as client:
        state = client.application.extensions["mockgraph"].default.state
        made = {**state.create("security/alerts_v2", {"id": "new"}), "@odata.etag": ""}
        listed: Any = client.get("/v1.0/security/alerts_v2").json
        assert [each["id"] for each in listed["value"]] == ["new", "v", "w"]
        assert {*listed["value"][1]} == {*made, "own"}
        assert state_of(client)["Security"]["alerts_v2"][0]["own"] == "v"
        related: Any = client.get("/v1.0/security/incidents/i/alerts").json
        assert related["value"] == []
        assert client.get("/v1.0/security/incidents/i?$expand=alerts").status_code == 200
        assert client.post(delete, json=none).status_code == 206
        before = state_of(client)
    size = store.stat().st_size
    with serving(store) as client:
        assert state_of(client) == before
        assert store.stat().st_size == size


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_found_wherever_it_is(used: Path, data: st.DataObject) -> None:
    whole = used.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    became = (whole[at] + data.draw(st.integers(1, 255))) % 256
    if at == len(whole) - 1 and became == 0:
        became = 1  # a last line end that is a zero is one that is missing
    check_damage(used, whole, at, became, lambda store: Store(store, "process"))


def test_damage_of_a_single_bit_is_found_wherever_it_is(store: Path) -> None:
    whole = written(RECORD, RECORD)
    store.write_bytes(whole)
    for at, byte in enumerate(whole):
        for bit in range(8):
            check_damage(store, whole, at, byte ^ 1 << bit, read_contents)
    assert read_contents(store).tables["security/alerts"].keys() == {"a"}


def check_damage(
    store: Path, whole: bytes, at: int, became: int, open_store: Callable[[Path], Any]
) -> None:
    """A store with this byte instead is refused, with the place, and stays as it is."""
    damaged = whole[:at] + bytes([became]) + whole[at + 1 :]
    put(store, at, became)
    # A line that lost its end runs on into the next one; one that gained an end stops there.
    lines = [0, *(place + 1 for place, byte in enumerate(damaged[:-1]) if byte == ord("\n"))]
    begin = max(start for start in lines if start <= at)
    # A first line that names an older version is good by itself: those after it are not.
    says = (
        "is not a MockGraph store|version|is damaged"
        if begin == 0
        else f"is damaged at byte {begin};"
    )
    with pytest.raises(MockGraphError, match=says):
        open_store(store)
    assert store.read_bytes() == damaged
    put(store, at, whole[at])


def put(store: Path, at: int, byte: int) -> None:
    """Put one byte into a file; to write it anew takes far longer."""
    with store.open("r+b") as file:
        file.seek(at)
        file.write(bytes([byte]))


# -- what is not a store ------------------------------------------------------------------


def refused(store: Path, *says: str) -> None:
    """The store is refused for this reason, twice, and its file and folder are as before."""
    before = store.read_bytes() if store.is_file() else None
    for _ in range(2):
        with pytest.raises(MockGraphError) as raised, serving(store):
            pass
        for each in (*says, str(store)):
            assert each in str(raised.value)
    assert (store.read_bytes() if store.is_file() else None) == before


def written(*records: bytes) -> bytes:
    """The content of a store with these records."""
    content, crc = HEADER, zlib.crc32(HEADER)
    for each in records:
        content += line(each, crc)
        crc = zlib.crc32(each, crc)
    return content


RECORD = record_of("security/alerts", "a", 5, {"id": "a"})
CUT = [
    b"not JSON\n",
    b"\n",
    b"\x00" * 50 + b"\n",
    b"[]\n",
    b"null\n",
    b"{}\n",
]
# Of a good line, what is made of it.
SPOILT: list[Callable[[bytes], bytes]] = [
    lambda good: good[:-1] + good,
    lambda good: good.replace(b"alerts", b"al\xffrts"),
    lambda good: good.replace(b"alerts", b"alarts"),
    lambda good: good.replace(b'"crc":"', b'"crc":"0'),
    lambda good: good[:-2] + b" }\n",
]
MEANINGLESS = [
    b"[]",
    b"null}",
    b"}",
    b'"table":"security/alerts"}',
    b'"table":"security/alerts","key":"a"}',
    RECORD.replace(b"alerts", b"al\xffrts"),
    RECORD.replace(b'"a"', b'"\xff"'),
    RECORD.replace(b'"a"', b"null"),
    RECORD.replace(b'"table"', b'"more":false,"table"'),
    RECORD.replace(b'"revision":5,"number":5,', b""),
    RECORD.replace(b'"revision":5', b'"revision":"5"'),
    RECORD.replace(b'"number":5', b'"number":3.5'),
    RECORD.replace(b'"number":5,', b""),
    RECORD.replace(b'"revision":5', b'"revision":%d' % 10**30),
    RECORD.replace(b'{"id":"a"}', b"[]"),
    RECORD.replace(b'{"id":"a"}', b"null"),
    RECORD.replace(b'{"id":"a"}', b'{"id":"a"'),
    RECORD.replace(b'{"id":"a"}', b'{"id":"a"},"entity":{}'),
    RECORD[:-1],
    RECORD + b"}",
]
DAMAGED: list[Callable[[int], bytes]] = [
    *(lambda _, cut=cut: cut for cut in CUT),
    *(lambda crc, spoil=spoil: spoil(line(RECORD, crc)) for spoil in SPOILT),
    *(lambda crc, record=record: line(record, crc) for record in MEANINGLESS),
]


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_store_is_refused_with_the_place(
    used: Path, damage: Callable[[int], bytes]
) -> None:
    whole = used.read_bytes()
    at = whole.index(b"\n", len(whole) // 2) + 1
    before = whole[:at].splitlines()[-1]
    used.write_bytes(whole[:at] + damage(crc_of(before)) + whole[at:])
    refused(used, f"is damaged at byte {at}", "left as it is")


@pytest.mark.parametrize("edit", ["removed", "doubled", "exchanged"])
def test_lines_that_were_moved_are_found(used: Path, edit: str) -> None:
    with serving(used) as client:
        for n in range(4):
            patch(client, f"r{n}")
    lines = used.read_bytes().splitlines(keepends=True)
    for at in range(1, len(lines) - 1):
        here, there = lines[at : at + 2]
        moved = {"removed": [there], "doubled": [here, here, there], "exchanged": [there, here]}
        used.write_bytes(b"".join([*lines[:at], *moved[edit], *lines[at + 2 :]]))
        refused(used, "is damaged at byte", "left as it is")


@pytest.mark.parametrize(
    "content",
    [
        b"hello\n",
        b"{}",
        b'{"Security": {}}\n',
        b'{"_default": {"1": {"a": 1}}}',
        b"SQLite format 3\x00" + b"\x00" * 200,
        b"\n" + HEADER,
        HEADER.replace(b"4", b"x") + line(RECORD),
        b"x" * 200_000,
        b"\x00" * 200,
        HEADER[:-1] + b" \n",
    ],
)
def test_a_file_that_is_not_ours_is_left_alone(store: Path, content: bytes) -> None:
    store.write_bytes(content)
    refused(store, "is not a MockGraph store of version 4")


@pytest.mark.parametrize("version", [b"1", b"5", b"10"])
def test_a_store_of_another_version_is_left_alone(store: Path, version: bytes) -> None:
    store.write_bytes(HEADER.replace(b"4", version) + line(RECORD))
    refused(store, f"has version {version.decode()} of the format", "reads versions 2, 3 and 4")


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    with serving(tmp_path / "not" / "yet" / "graph.store") as client:
        assert patch(client, "one") == 200


def test_places_that_take_no_store(tmp_path: Path) -> None:
    refused(tmp_path, "cannot be opened")
    (tmp_path / "file").touch()
    refused(tmp_path / "file" / "x.store", "cannot be opened")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may do all")
def test_a_file_that_may_not_be_written(used: Path) -> None:
    used.chmod(0o444)
    refused(used, "Permission denied")


def test_a_file_that_may_not_be_opened(used: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really = os.open

    def opened(path: Any, *rest: Any) -> int:
        if str(path) == str(used):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return really(path, *rest)

    monkeypatch.setattr(os, "open", opened)
    refused(used, "cannot be opened: Permission denied.")


def test_a_store_in_use_is_refused(used: Path) -> None:
    with serving(used) as client:
        refused(used, "is in use by another process")
        assert patch(client, "still") == 200
    with serving(used) as client:
        assert region(client) == "still"


@pytest.mark.parametrize(
    "content",
    [
        b'{"revision":1,"table":"Security","put":{"a":{}},"remove":[]}\nnot a record',
        b'{"revision":1,"table":"alerts","put":{},"remove":[]}\n',
        b'{"revision":1,"table":"nope","put":{"a":{}},"remove":[]}\n',
    ],
    ids=["foreign-tail", "no-singleton", "unknown-table"],
)
def test_a_store_of_whole_lines_that_is_no_state_is_left_alone(
    tmp_path: Path, content: bytes
) -> None:
    store = tmp_path / "state.store"
    store.write_bytes(HEADER + content)
    with pytest.raises(MockGraphError, match=r"state\.store is damaged"):
        create_app(Settings(store=str(store)))
    assert store.read_bytes() == HEADER + content


# -- who may read it ----------------------------------------------------------------------


def test_a_name_that_is_empty_is_no_store() -> None:
    with pytest.raises(MockGraphError, match="is empty"):
        create_app(Settings(store=""))


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no modes")
def test_a_store_is_its_owners_alone(store: Path) -> None:
    with serving(store):
        beside = [each.stat().st_mode & 0o777 for each in store.parent.iterdir()]
    assert set(beside) == {0o600}


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no modes")
def test_a_store_that_others_could_read_is_its_owners_from_now_on(store: Path) -> None:
    with serving(store) as client:
        assert patch(client, "new") == 200
    store.chmod(0o644)
    with serving(store):
        assert store.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.name == "nt", reason="Windows lets few make links")
@pytest.mark.parametrize("name", ["graph.store", "graph.store.lock"])
def test_links_are_not_followed(tmp_path: Path, name: str) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"somebody's")
    (tmp_path / name).symlink_to(target)
    with (
        pytest.raises(MockGraphError, match=f"{name} is a link"),
        serving(tmp_path / "graph.store"),
    ):
        pass
    assert target.read_bytes() == b"somebody's"
