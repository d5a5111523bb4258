"""MockGraph's server by the connections that it has: how many, in TLS, kept or not."""

from __future__ import annotations

from benchmarks.bench import Bench, Bursts, Entrant
from benchmarks.candidates import Candidate, Limit, MockGraph
from benchmarks.load import Call
from benchmarks.results import Table, ratio_text
from benchmarks.running import Running, free_port

KEPT = (1, 8, 64)  # connections
USUAL = 8
_TITLE = "The server: connections, TLS, without keep-alive"


def connections(bench: Bench) -> None:
    """GET and PATCH of the singleton, beside bare Flask; in TLS, beside the same in the clear."""
    tls_port = free_port()
    rows = []
    with bench.servers() as start:
        authority = ["--ca-dir", str(bench.directory())]
        ours = start(MockGraph(0, "--tls", "--tls-port", str(tls_port), *authority))
        if ours is None:
            return
        calls = {
            "GET": ours.candidate.singleton_get(),
            "PATCH": ours.candidate.singleton_patch(),
        }
        limit = start(Limit(ours.check(calls["GET"][0])))
        for method, kept in calls.items():
            closing = [
                call._replace(headers=(*call.headers, ("Connection", "close"))) for call in kept
            ]
            for number in KEPT:
                rows.append(_row(bench, f"{method}, {number} at once", ours, limit, kept, number))
            name = f"{method}, {USUAL} at once, a connection each"
            rows.append(_row(bench, name, ours, limit, closing, USUAL))
            rows.append(_tls_row(bench, f"{method}, {USUAL} at once, in TLS", ours, kept, tls_port))
    columns = ["the singleton", Limit.name, MockGraph.name]
    bench.results.tables.append(Table(_TITLE, columns, rows))


def _row(
    bench: Bench,
    name: str,
    ours: Running,
    limit: Running | None,
    calls: list[Call],
    number: int,
) -> list[str]:
    entrants = [Entrant(MockGraph.name, ours, calls, bench.rounds)]
    if limit is not None:
        entrants.insert(0, Entrant(Limit.name, limit, calls, bench.rounds))
    found = bench.race(entrants, number, name)
    return [name, _measured(found, Limit), _measured(found, MockGraph, Limit.name)]


def _tls_row(bench: Bench, name: str, ours: Running, calls: list[Call], tls_port: int) -> list[str]:
    clear = "in the clear"
    entrants = [
        Entrant(clear, ours, calls, bench.rounds),
        Entrant(MockGraph.name, ours, calls, bench.rounds, tls_port),
    ]
    found = bench.race(entrants, USUAL, name)
    return [name, "", f"{_measured(found, MockGraph, clear)}, to what it is in the clear"]


def _measured(found: Bursts, of: type[Candidate], base: str | None = None) -> str:
    """Return a rate, its ratio to another, and the time of 99 of 100."""
    if of.name not in found:
        return ""
    ratio = f"{ratio_text(found.ratio(of.name, base))} " if base in found and base else ""
    rate = f"{found.rate(of.name):,.0f}/s"
    return f"{ratio}{f'({rate})' if ratio else rate} · {found.p99(of.name):.1f} ms"
