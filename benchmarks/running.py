"""A server's processes: started, waited for, measured, and ended whatever happens."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.candidates import Candidate
from benchmarks.load import Call, LoadFailed, send

PATIENCE = 120.0  # seconds that a server may take to start
GRACE = 15.0  # seconds that it may take to end


class CandidateFailed(Exception):
    """A server that did not start, or does not do what it is measured for."""


class Running:
    """A server that runs, for the length of a ``with`` block.

    Its processes are a group of their own, named by the process id that was started.
    """

    def __init__(self, candidate: Candidate, work: Path):
        self.candidate = candidate
        self.port = free_port()
        self.started = 0.0  # seconds from the start of the process to the first answer
        self.is_warm = False
        self._work = work

    def __enter__(self) -> Running:
        self._work.mkdir(parents=True, exist_ok=True)
        command = self.candidate.command(self.port, self._work)
        root = str(Path(__file__).parent.parent)
        environment = {**os.environ, "PYTHONPATH": root, "NODE_ENV": "production"}
        began = time.perf_counter()
        with (self._work / "log").open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self._work,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait(began)
            self.candidate.prepare(self.port)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def group(self) -> int:
        """The id of the group of its processes."""
        return self._process.pid

    def memory(self) -> float:
        """Resident memory in MiB, of all its processes."""
        return _group_memory(self._process.pid) / 2**20

    def stop(self) -> None:
        """End it, and then whatever it leaves behind."""
        group = self._process.pid
        self._process.terminate()
        give_up = time.perf_counter() + GRACE
        # It is not waited for yet: while it is not, its id is no other process's.
        while not _has_ended(group) and time.perf_counter() < give_up:
            time.sleep(0.01)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
        self._process.wait()

    def settle(self) -> None:
        """Wait until it has done what a burst has left behind."""
        send(self.port, self.candidate.first())

    def check(self, call: Call) -> bytes:
        """The answer to a call. Raises CandidateFailed where the server refuses it."""
        status, answer = send(self.port, call)
        if not 200 <= status < 300:
            said = answer[:200].decode(errors="replace")
            raise CandidateFailed(f"{call.method} {call.path} was answered {status} {said}")
        return answer

    def _wait(self, began: float) -> None:
        first = self.candidate.first()
        while time.perf_counter() < began + PATIENCE and self._process.poll() is None:
            with contextlib.suppress(LoadFailed):
                status, _ = send(self.port, first, PATIENCE)
                if status < 300:
                    self.started = time.perf_counter() - began
                    return
            time.sleep(0.002)
        said = (self._work / "log").read_text(errors="replace").strip()[-400:]
        raise CandidateFailed(f"it did not start: {said or 'no word'}")


def free_port() -> int:
    """Return a port of the loopback that is free at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def _has_ended(pid: int) -> bool:
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def _group_memory(group: int) -> int:
    """Resident bytes of the processes of a group."""
    if sys.platform != "linux":
        listed = subprocess.run(
            ["ps", "-A", "-o", "pgid=,rss="], capture_output=True, text=True, check=True
        )
        rows = (line.split() for line in listed.stdout.splitlines())
        return sum(int(rss) * 1024 for pgid, rss in rows if int(pgid) == group)
    pages = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()  # from the state on
            if int(fields[2]) == group:
                pages += int(fields[21])
    return pages * os.sysconf("SC_PAGE_SIZE")
