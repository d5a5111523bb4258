"""What a process does that serves and nothing else."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from mockgraph.errors import MockGraphError
from mockgraph.serving.server import Server
from mockgraph.serving.server.lines import Handler, Lines

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


@contextmanager
def logging_to(stream: TextIO) -> Iterator[Lines]:
    """What is logged within goes to a stream, as lines, and the process ends with it.

    It ends though nobody reads them: to end in order would take the lock of the stream, which
    the thread has that hangs in a full pipe.
    """
    lines = Lines(stream)
    handler = Handler(lines)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logger = logging.getLogger("mockgraph")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        logger.removeHandler(handler)
        lines.close()
        if lines.is_stuck:
            os._exit(1 if sys.exc_info()[1] else 0)


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
