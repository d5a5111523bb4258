"""Bursts of requests from a process of their own: ``wrk`` where there is one, else ours.

Either shares the machine with the server, so only ratios within one run mean anything.
"""

from __future__ import annotations

import http.client
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
WRK = shutil.which("wrk")


class LoadFailed(Exception):
    """A server did not do what was asked of it, or not in time."""


class Call(NamedTuple):
    """One request."""

    method: str
    path: str
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()

    def encoded(self, port: int) -> bytes:
        """The request as it stands on the wire."""
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.body is not None:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode() + (self.body or b"")


class Burst(NamedTuple):
    """The measurements of one burst: requests a second, latencies in milliseconds, how many failed,
    and the part of a core that the load generator used."""

    rate: float
    p50: float
    p99: float
    failed: int
    busy: float


def burst(
    port: int,
    calls: Sequence[Call],
    connections: int,
    seconds: int,
    begin: int = 0,
    scheme: str = "http",
) -> Burst:
    """Send the calls in turn, from number ``begin`` on, on so many connections at once."""
    with tempfile.NamedTemporaryFile(suffix=".requests") as file:
        for call in calls:
            encoded = call.encoded(port)
            file.write(b"%d\n%s" % (len(encoded), encoded))
        file.flush()
        began, used = time.perf_counter(), _children_cpu()
        command = _command(scheme, port, file.name, connections, seconds, begin % len(calls))
        found = _run(command)
        busy = (_children_cpu() - used) / (time.perf_counter() - began)
    rate = found["requests"] / found["seconds"]
    return Burst(rate, found["p50"], found["p99"], int(found["failed"]), busy)


class Client:
    """A connection that is kept."""

    def __init__(self, port: int, timeout: float = 60):
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def send(self, call: Call) -> tuple[int, bytes]:
        """The status and the body of the answer. Raises LoadFailed where there is none."""
        try:
            self._connection.request(call.method, call.path, call.body, dict(call.headers))
            answer = self._connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise LoadFailed(f"{call.method} {call.path} got no answer: {error!r}") from error


def send(port: int, call: Call, timeout: float = 60) -> tuple[int, bytes]:
    """Send one call on a connection of its own."""
    with Client(port, timeout) as client:
        return client.send(call)


def _command(
    scheme: str, port: int, requests: str, connections: int, seconds: int, begin: int
) -> list[str]:
    if WRK is None:
        program = [sys.executable, str(HERE / "sockets.py")]
        return [*program, *map(str, (scheme, port, requests, connections, seconds, begin))]
    program = [WRK, "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s"]
    script = ["-s", str(HERE / "load.lua"), f"{scheme}://127.0.0.1:{port}/"]
    return [*program, *script, "--", requests, str(begin)]


def _run(command: list[str]) -> dict[str, float]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        said = done.stderr.strip()[-300:] or done.stdout[-300:]
        raise LoadFailed(f"the load generator failed: {said}")
    found: dict[str, float] = json.loads(lines[-1])
    return found


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
