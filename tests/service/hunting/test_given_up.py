"""Hunts that nobody waits for end wherever they are: counted in looks, as no test counts time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread, enumerate
from typing import Any

import pyarrow
import pytest
from wire import TIMEOUT

from mockgraph import work
from mockgraph.service.hunting import engine, telemetry
from mockgraph.service.hunting.engine import run_query
from mockgraph.service.hunting.schema import Columns, schema
from mockgraph.service.hunting.telemetry import Block, Tables, block, packed, unpacked, view
from mockgraph.service.hunting.tenant_tables import TenantTables
from mockgraph.work import Abandoned, Work

from .hunts import NOW, hunted

TABLE = "DeviceProcessEvents"
ROWS = [{"FileName": "a.exe", "Timestamp": "2026-11-01T00:00:00Z"}] * 20_000


def give_up() -> None:
    raise Abandoned


@contextmanager
def request_given_up() -> Iterator[None]:
    """A request whose client has left before it begins to work."""
    with work.counted_by(Work(give_up)):
        yield


class Rows:
    """Entities of a set that are counted as somebody takes them."""

    def __init__(self, entity: Mapping[str, Any], count: int):
        self._entity, self._count = entity, count
        self.taken = 0

    @property
    def in_order(self) -> Iterator[Mapping[str, Any]]:
        for _ in range(self._count):
            self.taken += 1
            yield self._entity


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: block(TABLE, ROWS), id="checked"),
        pytest.param(lambda: view(TABLE, lambda: ROWS).arrow(), id="fitted"),
    ],
)
def test_rows_are_made_into_a_table_by_few_between_two_looks(make: Callable[[], object]) -> None:
    looks: list[None] = []
    with work.counted_by(Work(lambda: looks.append(None))):
        make()
    assert len(looks) >= len(ROWS) // 4000
    with request_given_up(), pytest.raises(Abandoned):
        make()


def test_arrays_are_made_by_few_rows_between_two_looks() -> None:
    held = block(TABLE, ROWS)
    with request_given_up(), pytest.raises(Abandoned):
        held.arrow()
    assert held.arrow().num_rows == len(ROWS)


def test_packed_rows_are_read_by_few_between_two_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "_PACKED_BATCH", 3000)
    whole = block(TABLE, ROWS).arrow()
    text = packed(whole)[telemetry.PACKED]
    looks: list[None] = []
    with work.counted_by(Work(lambda: looks.append(None))):
        assert unpacked(TABLE, text).equals(whole)
    assert looks


@pytest.mark.parametrize("table", ["AlertInfo", "AlertEvidence", "IdentityInfo", "DeviceInfo"])
def test_a_view_of_many_entities_is_given_up(table: str) -> None:
    alerts, users = Rows({"id": "a", "evidence": []}, 100_000), Rows({"id": "u"}, 0)
    tables = TenantTables(Rows({}, 0), {"alerts_v2": alerts, "userSecurityProfiles": users}, NOW)
    with request_given_up(), pytest.raises(Abandoned):
        tables.arrow(table)
    assert alerts.taken < 1000


def test_telemetry_of_the_demo_tenant_is_given_up() -> None:
    alerts = Rows({"createdDateTime": "2026-11-01T00:00:00Z", "evidence": []}, 1000)
    hunting = Rows({"table": "generated", "rows": ["demo"]}, 1)
    sets = {"alerts_v2": alerts, "userSecurityProfiles": Rows({}, 0)}
    with request_given_up(), pytest.raises(Abandoned):
        TenantTables(hunting, sets, NOW + timedelta(days=77)).arrow(TABLE)
    assert alerts.taken < 1000


def test_only_the_tables_that_a_query_names_are_made() -> None:
    broken = Rows({"table": TABLE, "rows": [{"Wrong": 1}]}, 1)
    nothing = Rows({}, 0)
    sets = {"alerts_v2": nothing, "userSecurityProfiles": nothing}
    answer = run_query("DeviceInfo | count", TenantTables(broken, sets, NOW), NOW)
    assert answer.results == [{"Count": 0}]


def test_rows_are_fetched_by_few_between_two_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[None] = []
    monkeypatch.setattr(engine._Hunt, "_check_time", lambda _: looks.append(None))
    answer = hunted("range a from 1 to 20000 step 1")
    assert len(answer.results) == 20_000
    assert len(looks) >= 20


class Endless:
    """Tables one of which is never whole; its work is counted as that of others."""

    columns: Mapping[str, Columns] = schema()

    def __init__(self) -> None:
        self.began = Event()

    def arrow(self, _: str) -> pyarrow.Table:
        self.began.set()
        while True:
            work.current().step(1000)


def hunts_of_now() -> list[Thread]:
    return [each for each in enumerate() if each.name == engine.THREAD]


def test_a_hunt_is_given_up_while_its_tables_are_made() -> None:
    tables = Endless()

    def leave() -> None:
        if tables.began.is_set():
            raise Abandoned

    with work.counted_by(Work(leave)), pytest.raises(Abandoned):
        run_query(TABLE, tables, NOW)
    assert not hunts_of_now()


def test_a_hunt_is_given_up_while_another_makes_its_table() -> None:
    began, ended = Event(), Event()

    def make() -> pyarrow.Table:
        began.set()
        assert ended.wait(TIMEOUT)
        return block(TABLE, []).arrow()

    shared = Block(schema()[TABLE], make)
    other = Thread(target=shared.arrow)
    other.start()
    try:
        assert began.wait(TIMEOUT)
        with request_given_up(), pytest.raises(Abandoned):
            shared.arrow()
    finally:
        ended.set()
        other.join()
    assert shared.arrow().num_rows == 0


def test_a_hunt_is_given_up_while_the_engine_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = Event()
    found = engine.import_duckdb()

    def imports() -> Any:
        assert ended.wait(TIMEOUT)
        return found

    monkeypatch.setattr(engine, "import_duckdb", imports)
    monkeypatch.setattr(engine, "_locked_database", lambda _: pytest.fail("it went on"))
    with request_given_up(), pytest.raises(Abandoned):
        run_query("print 1", Tables({}), NOW)
    (hunt,) = hunts_of_now()
    ended.set()
    hunt.join(TIMEOUT)
    assert not hunts_of_now()
