"""From the start of the process to the first answer, and the memory it has then."""

from __future__ import annotations

import statistics
import time

from benchmarks import reasons
from benchmarks.bench import Bench
from benchmarks.candidates import Candidate, Limit, MockGraph
from benchmarks.documents import security
from benchmarks.peers import PEERS
from benchmarks.results import Goal

SETTLED = 0.5  # seconds after the first answer


def start(bench: Bench) -> None:
    """Start each in turns."""
    bare = Limit(str(security()).encode())
    rounds = 2 if bench.quick else 9
    seconds: dict[str, list[float]] = {}
    memory: dict[str, list[float]] = {}
    candidates = [bare, MockGraph(), *(peer() for peer in PEERS)]
    for turn in range(rounds):
        ours = [bare, candidates[1]][:: -1 if turn % 2 else 1]
        for candidate in [*ours, *(candidates[2:] if turn < bench.peer_rounds else [])]:
            _start(bench, candidate, seconds, memory)
    for name in seconds:
        took = statistics.median(seconds[name])
        against = ""
        if Limit.name in seconds:
            ratio = took / statistics.median(seconds[Limit.name])
            against = f" · {ratio:.2f} of bare Flask's"
        bench.results.cell("first answer after start", name, f"{took:.2f} s{against}")
        size = statistics.median(memory[name])
        bench.results.cell("idle memory", name, f"{size:.0f} MiB")
    if MockGraph.name in seconds and Limit.name in seconds:
        pairs = zip(seconds[MockGraph.name], seconds[Limit.name], strict=False)
        ratio = statistics.median(ours / theirs for ours, theirs in pairs)
        what = "First answer after start, of bare Flask's time"
        bench.results.goals.append(Goal(what, 1.4, ratio, reasons.START, at_most=True))
        size = statistics.median(memory[MockGraph.name])
        bench.results.goals.append(
            Goal("Idle memory", 80, size, reasons.MEMORY, "MiB", at_most=True)
        )


def _start(
    bench: Bench,
    candidate: Candidate,
    seconds: dict[str, list[float]],
    memory: dict[str, list[float]],
) -> None:
    with bench.servers() as begin:
        if server := begin(candidate):
            time.sleep(SETTLED)
            seconds.setdefault(candidate.name, []).append(server.started)
            memory.setdefault(candidate.name, []).append(server.memory())
