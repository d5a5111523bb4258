"""The requests to all servers, side by side: the singleton, one alert, new ones, lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks import reasons
from benchmarks.bench import Bench, Bursts, Entrant
from benchmarks.candidates import Candidate, Limit, MockGraph
from benchmarks.load import Call
from benchmarks.peers import PEERS, JsonServer, Mockoon
from benchmarks.results import Goal, ratio_text

STORED = 10_000


def singleton(bench: Bench) -> None:
    """PATCH and GET of the singleton, with the documented body."""
    operations = {"PATCH": "singleton_patch", "GET": "singleton_get"}
    rows = {f"{method} the singleton": each for method, each in operations.items()}
    peers = [peer() for peer in PEERS]
    found = _compare(bench, rows, MockGraph(), peers, (8,) if bench.quick else (1, 8))
    for method, wanted, reason in (("PATCH", 1.7, reasons.PATCH), ("GET", 1.5, reasons.GET)):
        bursts = found.get((f"{method} the singleton", 8))
        if bursts and Limit.name in bursts:
            ratio = bursts.ratio(MockGraph.name, Limit.name)
            name = f"{method} of the singleton at 8 connections, of bare Flask's rate"
            bench.results.goals.append(Goal(name, wanted, ratio, reason))
            p99, name = bursts.p99(MockGraph.name), f"p99 of {method} at 8 connections"
            bench.results.goals.append(Goal(name, 3, p99, reasons.P99, "ms", at_most=True))


def by_id(bench: Bench) -> None:
    """GET and PATCH by id with 10,000 stored."""
    rows = {"GET by id": "alert_get", "PATCH by id": "alert_patch"}
    rows = {f"{row}, of {STORED:,}": each for row, each in rows.items()}
    _compare(bench, rows, MockGraph(STORED), _stores(bench, STORED))


def post(bench: Bench) -> None:
    """POST of a whole alert."""
    found = _compare(bench, {"POST": "post"}, MockGraph(1), _stores(bench, 1))
    bursts = found.get(("POST", 8))
    if bursts and Limit.name in bursts:
        ratio = bursts.ratio(MockGraph.name, Limit.name)
        name = "POST at 8 connections, of bare Flask's rate"
        bench.results.goals.append(Goal(name, 0.9, ratio, reasons.POST))
        p99, name = bursts.p99(MockGraph.name), "p99 of POST at 8 connections"
        bench.results.goals.append(Goal(name, 5, p99, reasons.P99, "ms", at_most=True))


def lists(bench: Bench) -> None:
    """Of 10,000: those that an equality filter finds, another value each time; a page."""
    equal, page = f"filter by equality over {STORED:,}", f"100 of {STORED:,}, filtered, ordered"
    stores = _stores(bench, STORED)
    found = _compare(bench, {equal: "filter", page: "page"}, MockGraph(STORED), stores)
    bursts = found.get((equal, 8))
    if bursts and JsonServer.name in bursts:
        ratio = bursts.ratio(MockGraph.name, JsonServer.name)
        name = f"An equality filter over {STORED:,}, not cached, of json-server's rate"
        bench.results.goals.append(Goal(name, 10, ratio, reasons.FILTER))
    bursts = found.get((page, 8))
    if bursts and Limit.name in bursts:
        ratio = bursts.ratio(MockGraph.name, Limit.name)
        name = f"A page of {page}, of bare Flask's rate"
        bench.results.goals.append(Goal(name, 0.3, ratio, reasons.PAGE))


def batch(bench: Bench) -> None:
    """Twenty reads in one request, beside twenty requests."""
    ours = MockGraph(STORED)
    with bench.servers() as start:
        server = start(ours)
        if server is None:
            return
        entrants = [
            Entrant("batch", server, ours.batch(), bench.rounds),
            Entrant("single", server, ours.alert_get(), bench.rounds),
        ]
        found = bench.race(entrants, 1, "batches of 20")
    if "batch" in found and "single" in found:
        ratio = 20 * found.ratio("batch", "single")
        text = f"{ratio:.2f} of 20 requests' rate · {found.p99('batch'):.1f} ms"
        bench.results.cell("a batch of 20 reads, 1 connection", MockGraph.name, text)


def _compare(
    bench: Bench,
    rows: Mapping[str, str],
    ours: MockGraph,
    peers: Sequence[Candidate],
    connections: Sequence[int] = (8,),
) -> dict[tuple[str, int], Bursts]:
    """Operations, by their rows of the table, on MockGraph, on the limit and on the peers.

    What each row's bursts measured, by the row and the number of connections.
    """
    found: dict[tuple[str, int], Bursts] = {}
    with bench.servers() as start:
        server = start(ours)
        if server is None:
            return {}
        theirs = [running for peer in peers if (running := start(peer))]
        for row, operation in rows.items():
            calls = _calls(ours, operation)
            entrants = [Entrant(ours.name, server, calls, bench.rounds)]
            if limit := start(Limit(server.check(calls[0]))):
                entrants.insert(0, Entrant(Limit.name, limit, calls, bench.rounds))
            for peer in theirs if row == next(iter(rows)) or not bench.quick else ():
                asked = _calls(peer.candidate, operation)
                entrants.append(Entrant(peer.candidate.name, peer, asked, bench.peer_rounds))
            for number in connections:
                name = f"{row}, {number} connection{'s' if number > 1 else ''}"
                bursts = bench.race(entrants, number, row)
                _show(bench, name, bursts)
                if ours.name in bursts:
                    found[row, number] = bursts
    return found


def _stores(bench: Bench, stored: int) -> list[Candidate]:
    return [JsonServer(stored), *([] if bench.quick else [Mockoon(stored)])]


def _calls(candidate: Candidate, operation: str) -> list[Call]:
    made: Any = getattr(candidate, operation)
    calls: list[Call] = made()
    return calls


def _show(bench: Bench, row: str, found: Bursts) -> None:
    for name in found:
        ratio = ratio_text(found.ratio(name, Limit.name)) if Limit.name in found else ""
        rate = f"({found.rate(name):,.0f}/s)" if name == Limit.name or not ratio else ""
        bench.results.cell(row, name, f"{ratio} {rate} · {found.p99(name):.1f} ms")
