"""Measure, print the report and, after a whole run, write it to ``benchmarks/results.md``."""

from __future__ import annotations

import argparse
import compileall
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import (
    connections,
    first_server,
    growth,
    report,
    scenarios,
    servers,
    starting,
    suites,
)
from benchmarks.bench import Bench
from benchmarks.installed import ROOT
from benchmarks.load import LoadFailed
from benchmarks.running import CandidateFailed

SCENARIOS = {
    "singleton": scenarios.singleton,
    "by-id": scenarios.by_id,
    "post": scenarios.post,
    "lists": scenarios.lists,
    "batch": scenarios.batch,
    "start": starting.start,
    "connections": connections.connections,
    "servers": servers.servers,
    "reset": growth.reset,
    "tenant": growth.tenant,
    "growth": growth.growth,
    "durable": growth.durable,
    "tests": suites.tests,
    "first-server": first_server.first_server,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller states")
    parser.add_argument(
        "--only", action="append", choices=list(SCENARIOS), help="this scenario; may be repeated"
    )
    parser.add_argument("--output", type=Path, help="where to write the report")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, _end)  # so that servers are ended then, too

    compileall.compile_dir(ROOT / "mockgraph", quiet=1)  # as those of the others are
    scratch = ROOT / ".bench"
    scratch.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch, prefix="run-") as work:
        bench = Bench(Path(work), asked.quick)
        for name in asked.only or SCENARIOS:
            _measure(bench, name)
    text = report.written(bench.results)
    print(text)
    whole = not asked.quick and not asked.only
    if output := asked.output or (ROOT / "benchmarks" / "results.md" if whole else None):
        output.write_text(text, encoding="utf-8")


def _measure(bench: Bench, name: str) -> None:
    bench.say(name)
    began = time.perf_counter()
    try:
        SCENARIOS[name](bench)
    except (CandidateFailed, LoadFailed) as error:
        bench.results.note(f"{name} is left out: {error}.")
    bench.say(f"  {time.perf_counter() - began:.0f} s")


def _end(*_: Any) -> None:
    sys.exit(143)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
