"""A run: which servers take part, and how they are loaded in turns."""

from __future__ import annotations

import itertools
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.candidates import Candidate
from benchmarks.installed import Missing
from benchmarks.load import Burst, Call, LoadFailed, burst
from benchmarks.results import Results
from benchmarks.running import CandidateFailed, Running


class Entrant(NamedTuple):
    """A server with the calls that it is sent; ``rounds`` is how often it takes part.

    Where it has a ``tls_port``, they are sent there.
    """

    name: str
    server: Running
    calls: Sequence[Call]
    rounds: int
    tls_port: int | None = None


class Bursts(dict[str, list[Burst]]):
    """The measurements of each entrant's bursts, in the order of the rounds."""

    def ratio(self, name: str, base: str) -> float:
        """The median of one's rate over another's in the same round."""
        return statistics.median(self.ratios(name, base))

    def ratios(self, name: str, base: str) -> list[float]:
        pairs = zip(self[name], self[base], strict=False)
        return [ours.rate / theirs.rate for ours, theirs in pairs if theirs.rate]

    def rate(self, name: str) -> float:
        return statistics.median(each.rate for each in self[name])

    def p99(self, name: str) -> float:
        return statistics.median(each.p99 for each in self[name])


class Bench:
    """Settings of a run, its scratch directory and its results."""

    def __init__(self, work: Path, quick: bool):
        self.quick = quick
        self.work = work
        self.results = Results()
        self.seconds = 1
        self.rounds = 1 if quick else 5
        self.peer_rounds = 1
        self._numbers = itertools.count()

    def say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def directory(self) -> Path:
        """A new one."""
        made = self.work / str(next(self._numbers))
        made.mkdir()
        return made

    @contextmanager
    def servers(self) -> Iterator[Callable[[Candidate], Running | None]]:
        """Start servers, each None where it cannot be had, and end them all afterwards."""
        with ExitStack() as stack:

            def start(candidate: Candidate) -> Running | None:
                try:
                    return stack.enter_context(Running(candidate, self.directory()))
                except (Missing, CandidateFailed, LoadFailed) as error:
                    self.results.note(f"{candidate.name} is left out: {error}.")
                    return None

            yield start

    def race(self, entrants: Sequence[Entrant], connections: int, what: str) -> Bursts:
        """Load the entrants in turns. One that answers with an error is noted, and left out."""
        self.say(f"  {what}, {connections} at once: {', '.join(each.name for each in entrants)}")
        measured = Bursts()
        left = [each for each in entrants if self._warmed(each, connections, what)]
        for turn in range(self.rounds):
            # The other way round every second time: who comes first has no advantage.
            for entrant in left[:: -1 if turn % 2 else 1]:
                if turn < entrant.rounds:
                    found = self._burst(entrant, connections, turn)
                    measured.setdefault(entrant.name, []).append(found)
        return measured

    def _warmed(self, entrant: Entrant, connections: int, what: str) -> bool:
        try:
            entrant.server.check(entrant.calls[0])
            failed = self._warm_up(entrant, connections)
        except (CandidateFailed, LoadFailed) as error:
            self.results.note(f"{entrant.name}, {what}: left out, {error}.")
            return False
        if failed:
            self.results.note(f"{entrant.name}, {what}: left out, {failed} requests failed.")
        return not failed

    def _warm_up(self, entrant: Entrant, connections: int) -> int:
        """The number of requests that failed."""
        server = entrant.server
        bursts = 1 if server.is_warm or self.quick else server.candidate.warm
        server.is_warm = True
        if bursts > 1:
            self.results.note(f"{entrant.name} is measured after {bursts} s of load.")
        return sum(self._burst(entrant, connections, self.rounds).failed for _ in range(bursts))

    def _burst(self, entrant: Entrant, connections: int, turn: int) -> Burst:
        calls, server = entrant.calls, entrant.server
        begin = turn * len(calls) // (self.rounds + 1)  # others than in the rounds before
        scheme = "https" if entrant.tls_port else "http"
        port = entrant.tls_port or server.port
        found = burst(port, calls, connections, self.seconds, begin, scheme)
        server.settle()
        self.results.busiest = max(self.results.busiest, found.busy)
        return found
