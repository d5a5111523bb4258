"""The cost of MockGraph's own state: more of it, a file behind it, resets, tenants."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable

from benchmarks import reasons
from benchmarks.bench import Bench, Bursts, Entrant
from benchmarks.candidates import MockGraph, Store
from benchmarks.load import Call, Client, LoadFailed
from benchmarks.peers import JsonServer
from benchmarks.results import Goal, Table, ratio_text
from benchmarks.running import Running

MOST = 100_000
SIZES = (1, 10_000, MOST)
STORED_IN = "--store FILE"
STORED = 10_000

DISK = "--durability disk"
_PIECE = 600  # bytes: about what one PATCH of the singleton is in a store


def growth(bench: Bench) -> None:
    """GET and PATCH by id with 1, 10,000 and 100,000 stored, in memory and in a file."""
    sizes = SIZES[:2] if bench.quick else SIZES
    rows = []
    for name in ("memory", STORED_IN, *([] if bench.quick else [JsonServer.name])):
        rows += _grown(bench, name, sizes)
    columns = ["", *(f"{size:,}" for size in sizes)]
    columns += [f"MiB with {sizes[-1]:,}", f"start with {sizes[-1]:,}"]
    title = "By id as the state grows: the rate with one, then parts of it; 8 connections"
    bench.results.tables.append(Table(title, columns, rows))


def _grown(bench: Bench, name: str, sizes: tuple[int, ...]) -> list[list[str]]:
    rows = []
    with bench.servers() as start:
        servers = {}
        for size in sizes:
            candidate = _candidate(bench, name, size)
            if name == STORED_IN:
                with bench.servers() as fill:  # so that what is measured is opening it
                    fill(candidate)
            if server := start(candidate):
                servers[size] = candidate, server
        if sizes[0] not in servers:
            return []
        largest = servers[max(servers)][1]
        costs = [f"{largest.memory():.0f}", f"{largest.started:.2f} s"]
        if name != JsonServer.name and max(servers) == MOST:
            _judge_size(bench, name, largest)
        for method, rounds in (("GET", min(bench.rounds, 2)), ("PATCH", bench.rounds)):
            entrants = [
                Entrant(
                    str(size),
                    server,
                    candidate.alert_get() if method == "GET" else candidate.alert_patch(),
                    rounds if isinstance(candidate, MockGraph) else 1,
                )
                for size, (candidate, server) in servers.items()
            ]
            found = bench.race(entrants, 8, f"{method} by id, {name}")
            if "1" in found:
                rows.append([f"{name}, {method}", *_parts(found, sizes), *costs])
                _judge(bench, name, method, found, sizes[-1])
    return rows


def _judge_size(bench: Bench, name: str, server: Running) -> None:
    what, goals = f"{MOST:,} alerts ({name})", bench.results.goals
    memory = server.memory()
    goals.append(Goal(f"Memory with {what}", 350, memory, reasons.STATE, "MiB", at_most=True))
    if name == STORED_IN:
        milliseconds = server.started * 1e3
        goals.append(Goal(f"Start with {what}", 1000, milliseconds, reasons.OPEN, "ms", True))


def _candidate(bench: Bench, name: str, size: int) -> Store:
    if name == JsonServer.name:
        return JsonServer(size)
    store = bench.directory() / "state.store" if name == STORED_IN else None
    return MockGraph(size, store=store)


def _parts(found: Bursts, sizes: tuple[int, ...]) -> list[str]:
    parts = [ratio_text(found.ratio(str(n), "1")) if str(n) in found else "" for n in sizes[1:]]
    return [f"{found.rate('1'):,.0f}/s", *parts]


def _judge(bench: Bench, name: str, method: str, found: Bursts, most: int) -> None:
    if method == "PATCH" and name != JsonServer.name and str(most) in found:
        what = f"PATCH by id with {most:,} stored ({name}), of the rate with one"
        bench.results.goals.append(Goal(what, 0.9, found.ratio(str(most), "1"), reasons.BY_ID))


def durable(bench: Bench) -> None:
    """PATCH with a store behind it, beside memory."""
    before = _disk(bench)
    modes: dict[str, tuple[str, ...]] = {"memory": (), STORED_IN: ()}
    if "--durability" in MockGraph.options():
        modes[DISK] = ("--durability", "disk")
    with bench.servers() as start:
        entrants = []
        for name, options in modes.items():
            store = None if name == "memory" else bench.directory() / "state.store"
            candidate = MockGraph(1, *options, store=store)
            if server := start(candidate):
                calls = candidate.singleton_patch()
                entrants.append(Entrant(name, server, calls, bench.rounds))
        rows = []
        for connections in (8,) if bench.quick else (1, 8):
            found = bench.race(entrants, connections, "PATCH the singleton, durably")
            if "memory" not in found:
                continue
            cells = [
                f"{ratio_text(found.ratio(name, 'memory'))} · {found.p99(name):.1f} ms"
                if name in found
                else ""
                for name in modes
            ]
            rows.append([f"PATCH the singleton, {connections} connections", *cells])
            for name, reason in ((STORED_IN, reasons.PROCESS), (DISK, reasons.DISK)):
                if connections == 8 and name in found:
                    what = f"PATCH with {name}, of memory's rate"
                    goal = Goal(what, 0.5, found.ratio(name, "memory"), reason)
                    bench.results.goals.append(goal)
    disk = f"{before}; then {_disk(bench)}"
    rows.append([f"The disk's own: {_PIECE} bytes written and synced", "", "", disk])
    bench.results.tables.append(Table("Durable beside memory", ["", *modes], rows))


def _disk(bench: Bench) -> str:
    """Measure the syncs of the disk that answered writes wait for, one after another."""
    took = []
    with open(bench.directory() / "file", "wb", buffering=0) as file:
        for _ in range(200):
            began = time.perf_counter()
            file.write(b"x" * _PIECE)
            os.fsync(file.fileno())
            took.append(time.perf_counter() - began)
    median = statistics.median(took)
    return f"{1 / median:,.0f}/s · {median * 1e3:.2f} ms"


def reset(bench: Bench) -> None:
    """Back to the seeds, and to a snapshot, with 10,000 alerts."""
    with bench.servers() as start:
        candidate = MockGraph(STORED)
        server = start(candidate)
        if server is None:
            return
        write = candidate.alert_patch()[0]
        back = candidate.call("POST", "/_mockgraph/reset")
        with Client(server.port) as client:
            took = _median(lambda: _timed(client, write, back), 20 if bench.quick else 100)
            _time_row(bench, f"reset to {STORED:,} seeded", took)
            bench.results.goals.append(
                Goal(f"Reset to {STORED:,}", 10, took, reasons.RESET, "ms", at_most=True)
            )
            kept = candidate.call("POST", "/_mockgraph/snapshots/bench")
            if client.send(kept)[0] < 300:
                back = candidate.call("POST", "/_mockgraph/snapshots/bench/restore")
                took = _median(lambda: _timed(client, write, back), 20 if bench.quick else 100)
                _time_row(bench, f"restore a snapshot of {STORED:,}", took)


def tenant(bench: Bench) -> None:
    """A tenant made by its first request, with 10,000 seeded: what that takes longer."""
    with bench.servers() as start:
        candidate = MockGraph(STORED)
        server = start(candidate)
        if server is None:
            return

        def of(name: str, call: Call) -> Call:
            return call._replace(headers=(*call.headers, ("x-mockgraph-tenant", name)))

        read, write = candidate.alert_get()[0], candidate.alert_patch()[0]
        with Client(server.port) as client:
            before = client.send(read)[1]
            client.send(of("probe", write))
            if client.send(read)[1] != before:
                bench.results.note("Tenants are left out: this MockGraph has none.")
                return
            count = 50 if bench.quick else 300
            first = [_timed(client, None, of(f"t{n}", write)) for n in range(count)]
            later = [_timed(client, None, of(f"t{n}", write)) for n in range(count)]
    took = statistics.median(first) - statistics.median(later)
    _time_row(bench, f"a tenant made, of {STORED:,} seeded", took)
    name = f"A tenant made, with {STORED:,} seeded"
    bench.results.goals.append(Goal(name, 1, took, reasons.TENANT, "ms", at_most=True))


def _time_row(bench: Bench, row: str, milliseconds: float) -> None:
    bench.results.cell(row, MockGraph.name, f"{milliseconds:.2f} ms")


def _median(measure: Callable[[], float], count: int) -> float:
    return statistics.median(measure() for _ in range(count))


def _timed(client: Client, first: Call | None, then: Call) -> float:
    """Milliseconds that the second call takes."""
    if first is not None:
        client.send(first)
    began = time.perf_counter()
    status, answer = client.send(then)
    took = (time.perf_counter() - began) * 1e3
    if status >= 300:
        raise LoadFailed(f"{then.method} {then.path} was answered {status} {answer[:200]!r}")
    return took
