"""The report: goals first, then everything side by side."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from benchmarks.candidates import Candidate, Limit, MockGraph
from benchmarks.installed import Missing
from benchmarks.load import WRK
from benchmarks.peers import PEERS
from benchmarks.results import Results, Table


def written(results: Results) -> str:
    """The whole report as Markdown."""
    parts = (_head, _goals, _tables, _notes)
    return "\n".join(line for part in parts for line in part(results)) + "\n"


def _head(results: Results) -> Iterator[str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = f"{os.cpu_count()} cores, {memory:.0f} GiB of memory, {platform.system()}"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    load = "wrk" if WRK else "benchmarks/sockets.py"
    yield "# MockGraph beside the bare framework and its peers"
    yield ""
    yield f"{datetime.now(UTC):%Y-%m-%d}, {machine}, {python}. Written by `make bench`."
    yield ""
    yield (
        "A ratio is a rate over that of bare Flask on granian with one blocking thread, which "
        "parses what is sent and answers the same bytes: 1.00 is the limit. All take turns in "
        "rounds of one-second bursts; a ratio is the median of those within each round, and "
        "beside it stands the time in which 99 of 100 requests were answered. "
        f"The load comes from {load}, which shares the cores with the server and used "
        f"{results.busiest:.0%} of one at most."
    )
    yield ""


def _goals(results: Results) -> Iterator[str]:
    if results.goals:
        rows = [
            [
                goal.what,
                f"{'at most' if goal.at_most else 'at least'} {goal.shown(goal.wanted)}",
                goal.shown(goal.measured),
                goal.verdict,
            ]
            for goal in results.goals
        ]
        yield from Table("Goals", ["", "goal", "measured", "verdict"], rows).markdown()


def _tables(results: Results) -> Iterator[str]:
    everyone: Sequence[type[Candidate]] = (Limit, MockGraph, *PEERS)
    if table := results.side_by_side([each.name for each in everyone]):
        yield from table.markdown()
        shown = table.columns
        for each in everyone:
            if each.name in shown:
                yield f"- {each.name} {_version(each)}: {each.does}."
        yield ""
    for table in results.tables:
        if table.rows:
            yield from table.markdown()


def _notes(results: Results) -> Iterator[str]:
    yield "## Notes"
    yield ""
    yield (
        "- Peers that keep state hold whole alerts, as MockGraph answers them; the others answer "
        "the documented example. Filters ask for another value each time. Peers write no log of "
        "requests where they can be told so; MockGraph runs as `mockgraph serve` does by itself."
    )
    yield (
        "- Memory is resident, of all processes of a server together: granian has two. Store "
        "files are on the disk of the checkout."
    )
    for note in results.notes:
        yield f"- {note}"


def _version(each: type[Candidate]) -> str:
    try:
        return each().version()
    except (Missing, OSError):
        return ""
