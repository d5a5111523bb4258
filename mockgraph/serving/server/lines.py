"""Lines for a log: who has one to write waits for nobody, least of all for who reads them."""

from __future__ import annotations

import logging
import threading
from collections import deque
from contextlib import suppress
from typing import TextIO

_GATHERED = 0.05  # seconds in which lines are gathered
_PATIENCE = 1.0  # seconds in which the last lines must be taken
_MOST = 100_000  # lines that wait; of more, the oldest go
_logger = logging.getLogger("mockgraph.access")


class Lines:
    """Lines that a thread of its own writes, many at a time, to a stream or, without, to a log.

    None is lost where somebody reads them and :meth:`close` is called at the end. Where a pipe
    is full that nobody reads, ``is_stuck`` tells after ``close`` that the thread hangs in it.
    """

    def __init__(self, stream: TextIO | None = None):
        self.is_stuck = False
        self._stream = stream
        self._lines: deque[str] = deque(maxlen=_MOST)
        self._lock = threading.Lock()
        self._writer: threading.Thread | None = None
        self._roused = threading.Event()
        self._closing = threading.Event()

    def add(self, line: str) -> None:
        """Have a line written, by and by."""
        self._lines.append(line)
        if not self._roused.is_set():
            self._rouse()

    def close(self) -> None:
        """Write what is left."""
        with self._lock:
            writer, self._writer = self._writer, None
            self._closing.set()
            self._roused.set()
        if writer is not None:
            writer.join(_PATIENCE)
            self.is_stuck = writer.is_alive()
        if not self.is_stuck:
            self._write()

    def _rouse(self) -> None:
        self._roused.set()
        if self._writer is None and not self.is_stuck:
            with self._lock:
                if self._writer is None:
                    self._closing.clear()
                    self._writer = threading.Thread(
                        target=self._attend, name="mockgraph-log", daemon=True
                    )
                    self._writer.start()

    def _attend(self) -> None:
        while not self._closing.is_set():
            self._roused.wait()
            self._closing.wait(_GATHERED)
            self._roused.clear()
            self._write()

    def _write(self) -> None:
        lines: list[str] = []
        with suppress(IndexError):
            while True:
                lines.append(self._lines.popleft())
        if self._stream is None:
            for line in lines:
                _logger.info("%s", line)
        elif lines:
            with suppress(OSError, ValueError):  # nobody reads it any more
                self._stream.write("".join(f"{line}\n" for line in lines))
                self._stream.flush()


class Handler(logging.Handler):
    """What is logged, as lines."""

    def __init__(self, lines: Lines):
        super().__init__()
        self._into = lines

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._into.add(self.format(record))
        except Exception:
            self.handleError(record)
