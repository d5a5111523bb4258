"""The processor time of a request beside the line: the server around it, and the client."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.bench import Bench
from benchmarks.candidates import Candidate, Limit, MockGraph
from benchmarks.load import Call, burst
from benchmarks.running import Running
from benchmarks.servers import BARE, Own

CONNECTIONS = 8


class Used(NamedTuple):
    """The microseconds of processor time of a request, in the server and in the client."""

    server: float
    client: float


class _Constant(Own):
    """MockGraph's server around an app that answers prepared bytes."""

    name = "MockGraph's server, a constant answer"

    def started(self, port: int, work: Path) -> list[str]:  # noqa: ARG002
        return [sys.executable, "-m", "benchmarks.served", "benchmarks.constant:app", str(port)]


def around(seconds: int, rounds: int) -> dict[str, Used]:
    """Measure each in turns, at 8 connections; nothing where the system does not tell."""
    if sys.platform != "linux":
        return {}
    ours = MockGraph()
    entrants: list[tuple[str, Candidate, list[Call]]] = [
        (_Constant.name, _Constant(BARE), ours.singleton_get()),
        ("mockgraph serve, GET", ours, ours.singleton_get()),
        ("mockgraph serve, PATCH", MockGraph(), ours.singleton_patch()),
        ("bare Flask on granian", Limit(), ours.singleton_get()),
    ]
    used: dict[str, list[Used]] = {}
    with tempfile.TemporaryDirectory() as work:
        bench = Bench(Path(work), quick=True)
        with bench.servers() as start:
            running = [(name, start(candidate), calls) for name, candidate, calls in entrants]
            for turn in range(rounds + 1):
                for name, server, calls in running:
                    if server is not None:
                        found = _used(server, calls, seconds)
                        if turn:  # the first is for warming up
                            used.setdefault(name, []).append(found)
    # Others on the machine only ever add to it.
    return {name: min(each) for name, each in used.items()}


def _used(server: Running, calls: list[Call], seconds: int) -> Used:
    before = _group_seconds(server.group)
    found = burst(server.port, calls, CONNECTIONS, seconds)
    server.settle()
    requests = found.rate * seconds or 1
    took = _group_seconds(server.group) - before
    return Used(took / requests * 1e6, found.busy * seconds / requests * 1e6)


def _group_seconds(group: int) -> float:
    """The processor time that the processes of a group have used."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()  # from the state on
            if int(fields[2]) == group:
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
