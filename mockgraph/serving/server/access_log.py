"""The access log: one line for each request, written by a thread of its own.

Why it is no ``logging.handlers.QueueListener`` is told in ``docs/architecture.md``, with figures.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import TextIO

import orjson

from mockgraph.redaction import masked_url
from mockgraph.wsgi import Environ

# Seconds in which lines are collected before they are written: to make lines of more would hold up
# the requests that come meanwhile.
_INTERVAL = 0.01
_CLOSE_TIMEOUT = 1.0  # seconds that close() waits for the last lines to be written
_MAX_WAITING = 100_000  # lines; of more, the oldest are dropped
_MAX_URL = 2000  # characters of a line: no client fills the disk, or what waits for it
_logger = logging.getLogger("mockgraph.access")

# What a line tells of a request: the time, the method, the URL, the status, the seconds it took.
LogFields = tuple[float, str, str, str, float]


class LineWriter:
    """Writes lines to a stream, or, without one, to a log; who adds one never waits for that.

    The line of a request tells its method, URL, status and milliseconds, on a stream with the time
    of day in front; ``as_json`` says that each line is an object. Without a stream, which costs
    more, lines go to the log ``mockgraph.access``. A thread of its own makes lines of what is
    added, and writes many of them at a time.
    None is lost where the stream takes them and :meth:`close` is called at the end. Where the
    stream is a full pipe that nobody reads, ``is_stuck`` is true after :meth:`close`: the thread
    still waits for the pipe.
    """

    def __init__(self, stream: TextIO | None = None, *, as_json: bool = False):
        self.as_json = as_json
        self.is_stuck = False
        self._stream = stream
        self._lines: deque[str | LogFields] = deque(maxlen=_MAX_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._roused = threading.Event()
        self._closing = threading.Event()

    def add_request(self, environ: Environ, status: str, began: float) -> None:
        """Have the line of a request written that came at this ``time.perf_counter``.

        It is answered now, with this status.
        """
        took = time.perf_counter() - began
        url = environ["REQUEST_URI"]
        if len(url) > _MAX_URL:  # of those that wait to be written none is longer
            url = _shown(url)
        self.add((time.time(), environ["REQUEST_METHOD"], url, status[:3], took))

    def add(self, line: str | LogFields) -> None:
        """Have a line written soon."""
        self._lines.append(line)
        if not self._roused.is_set():
            self._rouse()

    def close(self) -> None:
        """Write what is left; lines may be added again afterwards."""
        with self._lock:
            thread, self._thread = self._thread, None
            self._closing.set()
            self._roused.set()
        if thread is not None:
            thread.join(_CLOSE_TIMEOUT)
            self.is_stuck = thread.is_alive()
        if not self.is_stuck:
            self._write()

    def _rouse(self) -> None:
        self._roused.set()
        if self._thread is None and not self.is_stuck:
            with self._lock:
                if self._thread is None:
                    self._closing.clear()
                    self._thread = threading.Thread(
                        target=self._run, name="mockgraph-log", daemon=True
                    )
                    self._thread.start()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._roused.wait()
            self._closing.wait(_INTERVAL)
            self._roused.clear()
            self._write()

    def _write(self) -> None:
        lines: list[str] = []
        with suppress(IndexError):
            while True:
                line = self._lines.popleft()
                lines.append(line if isinstance(line, str) else self._line(*line))
        if self._stream is None:
            for line in lines:
                _logger.info("%s", line)
        elif lines:
            with suppress(OSError, ValueError):  # the stream is closed at its other end
                self._stream.write("".join(f"{line}\n" for line in lines))
                self._stream.flush()

    def _line(self, at: float, method: str, url: str, status: str, took: float) -> str:
        """Return the line of a request; a log tells the time itself."""
        if self.as_json:
            told = {
                "time": datetime.fromtimestamp(at, UTC).isoformat(),
                "method": method,
                "url": _shown(url),
                "status": int(status or 0),
                "ms": round(took * 1000, 1),
            }
            return orjson.dumps(told).decode()
        time_of_day = f"{_time_of_day(int(at))} " if self._stream is not None else ""
        return f"{time_of_day}{method} {_shown(url)} {status} {took * 1000:.1f} ms"


class JsonFormatter(logging.Formatter):
    """Formats what is logged as an object a line: its time, level and message."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(told).decode()


class LineHandler(logging.Handler):
    """A logging handler that passes formatted records to a :class:`LineWriter`."""

    def __init__(self, writer: LineWriter):
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._writer.add(self.format(record))
        except Exception:
            self.handleError(record)


def _shown(url: str) -> str:
    """Return a URL with secrets masked, a long one cut."""
    url = masked_url(url)
    return url if len(url) <= _MAX_URL else f"{url[:_MAX_URL]}..."


@lru_cache(maxsize=1)
def _time_of_day(second: int) -> str:
    return time.strftime("%H:%M:%S", time.localtime(second))
