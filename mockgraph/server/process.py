"""What a process does that serves and nothing else."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import suppress
from typing import Any

from mockgraph.errors import MockGraphError
from mockgraph.server import Server

# What the loop may need. macOS gives no more, and 256 unless asked.
_DESCRIPTORS = 10_240


def take_descriptors() -> None:
    """Let this process have as many as the loop may need, as far as the system lets it.

    What a system gives unless asked is little, for programs that use ``select``.
    """
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_DESCRIPTORS, hard)
        if soft != resource.RLIM_INFINITY and soft < most:
            with suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


class Ending:
    """The end of a server, that SIGTERM and Ctrl+C call for: at once if they do so twice."""

    def __init__(self, server: Server):
        self._server = server
        self._told = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._tell)

    def wait(self) -> None:
        """Return when the server has ended. Raises MockGraphError where it did by itself."""
        try:
            while not self._told.wait(0.5):  # without end, it would hold up signals on Windows
                if self._server.has_ended:
                    raise MockGraphError("The server failed; see above.")
        finally:
            self._server.stop()

    def _tell(self, *_: Any) -> None:
        if self._told.is_set():
            self._server.hurry()
        self._told.set()
