"""Measure the store's log beside SQLite (WAL): ``python -m benchmarks.store_engines [ENTITIES]``.

Each engine keeps the same alerts as JSON, a transaction a write. SQLite holds what the log does:
the table, the key, the revision, the number and the entity of each. Opening is to have all
entities as Python objects in memory, where requests are answered from. ``process`` is to survive
a kill, ``disk`` a power cut (``synchronous=NORMAL`` and ``FULL``).
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from mockgraph.state.entities import Entity
from mockgraph.state.snapshots import Rows, Snapshot
from mockgraph.state.storage import EntityStorage
from mockgraph.state.store import Store

_TABLE = "security/alerts"
_SECONDS = 3.0
_ALERT = {
    "title": "Suspicious sign-in",
    "severity": "high",
    "description": "x" * 300,
    "tags": ["a", "b", "c"],
    "userStates": [{"userPrincipalName": f"user{n}@example.com"} for n in range(4)],
}


class Log:
    """The store as it is."""

    name = "log"

    def __init__(self, folder: Path, durability: str):
        self._storage = EntityStorage(store=Store(folder / "log", durability))

    def fill(self, count: int) -> None:
        """Put so many entities."""
        alerts = {f"a{n}": {"id": f"a{n}", **_ALERT} for n in range(count)}
        with self._storage.writing():
            self._storage.put({_TABLE: alerts})

    def write(self, key: str, turn: int) -> None:
        """Replace one entity, as durable as asked."""
        with self._storage.writing():
            self._storage.put({_TABLE: {key: {"id": key, "turn": turn, **_ALERT}}})

    def turn(self, key: str) -> int:
        """Return what was last written."""
        return _turn_in(self._storage.now, key)

    def close(self) -> None:
        """Close the file."""
        self._storage.close()


class SQLite:
    """The same over the standard library's ``sqlite3``."""

    name = "SQLite"

    def __init__(self, folder: Path, durability: str):
        self._database = sqlite3.connect(folder / "sqlite", isolation_level=None)
        level = "FULL" if durability == "disk" else "NORMAL"
        self._database.executescript(
            f"PRAGMA journal_mode=WAL; PRAGMA synchronous={level};"
            "CREATE TABLE IF NOT EXISTS entities (name TEXT, key TEXT, revision INT, number INT,"
            " entity BLOB, PRIMARY KEY (name, key)) WITHOUT ROWID"
        )
        rows = self._database.execute(
            "SELECT key, revision, number, entity FROM entities WHERE name = ? ORDER BY number",
            [_TABLE],
        )
        found = (Entity(orjson.loads(each[3]), each[0], each[1], each[2]) for each in rows)
        self._now = Snapshot({_TABLE: Rows(found)}, 0)
        self._revision = max((e.revision for e in self._now.rows(_TABLE).in_order), default=0)

    def fill(self, count: int) -> None:
        """Put so many entities."""
        self._database.execute("BEGIN")
        for n in range(count):
            self._put(f"a{n}", {"id": f"a{n}", **_ALERT})
        self._database.execute("COMMIT")

    def write(self, key: str, turn: int) -> None:
        """Replace one entity, as durable as asked."""
        self._database.execute("BEGIN IMMEDIATE")
        self._put(key, {"id": key, "turn": turn, **_ALERT})
        self._database.execute("COMMIT")

    def turn(self, key: str) -> int:
        """Return what was last written."""
        return _turn_in(self._now, key)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _put(self, key: str, properties: dict[str, Any]) -> None:
        self._revision += 1
        before = self._now.rows(_TABLE).find(key)
        number = self._revision if before is None else before.number
        entity = Entity(properties, key, self._revision, number)
        self._now = self._now.changed({_TABLE: {key: entity}}, self._revision)
        self._database.execute(
            "INSERT OR REPLACE INTO entities VALUES (?, ?, ?, ?, ?)",
            [_TABLE, key, self._revision, number, orjson.dumps(properties)],
        )


def _turn_in(now: Snapshot, key: str) -> int:
    entity = now.rows(_TABLE).find(key)
    return 0 if entity is None else int(entity["turn"])


ENGINES: dict[str, Callable[[Path, str], Log | SQLite]] = {"log": Log, "SQLite": SQLite}


def main(count: int) -> None:
    """Print a row for each engine and durability."""
    print(f"engine  durability  writes/s  open of {count:,} (s)  file (MB)  lost of 5 kills")
    for durability in ("process", "disk"):
        for name, engine in ENGINES.items():
            with tempfile.TemporaryDirectory() as place:
                folder = Path(place)
                opened = engine(folder, durability)
                opened.fill(count)
                rate = _rate(opened)
                opened.close()
                began = time.perf_counter()
                engine(folder, durability).close()
                seconds = time.perf_counter() - began
                size = sum(each.stat().st_size for each in folder.iterdir()) / 1e6
            lost = sum(_lost(name, durability) for _ in range(5))
            print(f"{name:7} {durability:10} {rate:9,.0f} {seconds:19.2f} {size:10.1f} {lost:9}")


def _rate(opened: Log | SQLite) -> float:
    """Return how many writes a second one thread gets done."""
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < _SECONDS:
        opened.write(f"a{done % 100}", done)
        done += 1
    return done / (time.perf_counter() - began)


def _lost(name: str, durability: str) -> bool:
    """Return whether a killed writer's last answered write is gone."""
    with tempfile.TemporaryDirectory() as place:
        program = [sys.executable, "-m", "benchmarks.store_engines", "--write", name, durability]
        with subprocess.Popen([*program, place], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            answered = 0
            for line in writer.stdout:
                answered = int(line)
                if answered == 200:
                    writer.send_signal(signal.SIGKILL)
        again = ENGINES[name](Path(place), durability)
        kept = again.turn("a")
        again.close()
        return kept < answered


def _write_for_ever(name: str, durability: str, place: str) -> None:
    opened, turn = ENGINES[name](Path(place), durability), 0
    while True:
        turn += 1
        opened.write("a", turn)
        os.write(1, b"%d\n" % turn)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        _write_for_ever(*sys.argv[2:])
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
