"""``mockgraph`` in processes of its own, as a person at a terminal starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
COMMAND = (sys.executable, "-m", "mockgraph")
TIMEOUT = 30
_READY = re.compile(r"MockGraph \S+ is ready: (http://\S+:\d+)/localtest/Security\n")


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class Serving:
    """A server of its own process; ``ready`` are the two lines that it says when it is."""

    def __init__(self, process: subprocess.Popen[str]):
        self.process = process
        assert process.stdout is not None
        self.ready = process.stdout.readline()
        match = _READY.fullmatch(self.ready)
        self.ready += process.stdout.readline()
        if match is None:
            assert process.stderr is not None
            raise AssertionError(f"not ready: {self.ready!r}, {process.stderr.read()}")
        self.origin = match[1]

    def stop(self, number: int = signal.SIGTERM) -> Ended:
        self.process.send_signal(number)
        return self.end()

    def end(self) -> Ended:
        out, err = self.process.communicate(timeout=TIMEOUT)
        return Ended(self.process.returncode, self.ready + out, err)


def run(*arguments: str, **variables: str) -> Ended:
    done = subprocess.run(
        [*COMMAND, *arguments],
        env=environment(variables),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@contextmanager
def serving(*arguments: str, **variables: str) -> Iterator[Serving]:
    """``mockgraph serve`` on a free port; it is killed where the block leaves it running."""
    port = () if "MOCKGRAPH_PORT" in variables else ("--port", "0")
    process = subprocess.Popen(
        [*COMMAND, "serve", *port, *arguments],
        env=environment(variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Serving(process)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def environment(variables: dict[str, str]) -> dict[str, str]:
    """Ours without what would steer the command, and with the package importable."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("MOCKGRAPH_")}
    return {**ours, "PYTHONPATH": str(ROOT), **variables}
