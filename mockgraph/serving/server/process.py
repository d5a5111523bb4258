"""A process that does nothing but serve: its descriptors, its log, its end by signals."""

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
from mockgraph.serving.server.access_log import JsonFormatter, LineHandler, LineWriter

# As many as the loop may need. macOS gives no more, and 256 unless asked.
_DESCRIPTORS = 10_240


def take_descriptors() -> None:
    """Raise the limit of open descriptors to what the loop may need, as far as is allowed.

    The default is low on most systems, for the sake of programs that use ``select``.
    """
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_DESCRIPTORS, hard)
        if soft != resource.RLIM_INFINITY and soft < most:
            with suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


@contextmanager
def logging_to(stream: TextIO, *, as_json: bool = False) -> Iterator[LineWriter]:
    """Write what is logged within the block to a stream, by a thread of its own.

    With ``as_json`` each line is an object.

    Where the stream is a full pipe that nobody reads, the process exits at the end of the
    block: an exit in order would take the lock of the stream, which the stuck thread holds.
    """
    writer = LineWriter(stream, as_json=as_json)
    handler = LineHandler(writer)
    text = logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S")
    handler.setFormatter(JsonFormatter() if as_json else text)
    logger = logging.getLogger("mockgraph")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield writer
    finally:
        logger.removeHandler(handler)
        writer.close()
        if writer.is_stuck:
            os._exit(1 if sys.exc_info()[1] else 0)


class Shutdown:
    """The end of a server by SIGTERM or Ctrl+C; a second signal ends it at once."""

    def __init__(self, server: Server):
        self._server = server
        self._signalled = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def wait(self) -> None:
        """Stop the server after a signal. Raises MockGraphError where it ended by itself."""
        try:
            while not self._signalled.wait(0.5):  # without end, it would hold up signals on Windows
                if self._server.has_ended:
                    raise MockGraphError("The server failed; see above.")
        finally:
            self._server.stop()

    def _on_signal(self, *_: Any) -> None:
        if self._signalled.is_set():
            self._server.hurry()
        self._signalled.set()
