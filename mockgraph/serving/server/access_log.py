"""The access log: one line for each request, written by a thread of its own.

Why it is no ``logging.handlers.QueueListener`` is told in ``docs/architecture.md``, with figures.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TextIO
from urllib.parse import quote

import orjson

from mockgraph.redaction import masked_url
from mockgraph.wsgi import Environ, StartResponse, WSGIApp

_INTERVAL = 0.05  # seconds in which lines are collected before they are written
_CLOSE_TIMEOUT = 1.0  # seconds that close() waits for the last lines to be written
_MAX_WAITING = 100_000  # lines; of more, the oldest are dropped
_MAX_URL = 2000  # characters of a line: no client fills the disk, or what waits for it
_logger = logging.getLogger("mockgraph.access")


class AccessLog:
    """A WSGI app around another that logs each request: method, URL, status, milliseconds.

    Lines go to a stream, the time of day in front, or as JSON where the writer is for that;
    without one, which costs more, they go to the log ``mockgraph.access``. None is lost where
    :meth:`close` is called at the end.
    """

    def __init__(self, app: WSGIApp, to: LineWriter | TextIO | None = None):
        self._app = app
        self._is_timed = to is not None
        self._writer = to if isinstance(to, LineWriter) else LineWriter(to)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        began = time.perf_counter()
        status = ""

        def start(given: str, *rest: Any) -> Any:
            nonlocal status
            status = given
            return start_response(given, *rest)

        body = self._app(environ, start)
        took = (time.perf_counter() - began) * 1000
        if self._writer.as_json:
            self._writer.add(_json_line(environ, status, took))
            return body
        at = f"{_time_of_day(int(time.time()))} " if self._is_timed else ""
        self._writer.add(
            f"{at}{environ['REQUEST_METHOD']} {_url(environ)} {status[:3]} {took:.1f} ms"
        )
        return body

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()


class LineWriter:
    """Writes lines to a stream, or, without one, to a log; :meth:`add` never waits for that.

    ``as_json`` says that each line is an object. A thread of its own writes many lines at a time.
    None is lost where the stream takes them and :meth:`close` is called at the end. Where the
    stream is a full pipe that nobody reads, ``is_stuck`` is true after :meth:`close`: the thread
    still waits for the pipe.
    """

    def __init__(self, stream: TextIO | None = None, *, as_json: bool = False):
        self.as_json = as_json
        self.is_stuck = False
        self._stream = stream
        self._lines: deque[str] = deque(maxlen=_MAX_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._roused = threading.Event()
        self._closing = threading.Event()

    def add(self, line: str) -> None:
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
                lines.append(self._lines.popleft())
        if self._stream is None:
            for line in lines:
                _logger.info("%s", line)
        elif lines:
            with suppress(OSError, ValueError):  # the stream is closed at its other end
                self._stream.write("".join(f"{line}\n" for line in lines))
                self._stream.flush()


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


def logged(app: WSGIApp, stream: TextIO | None = None) -> WSGIApp:
    """Return the app with an access log on a stream, or in the log ``mockgraph.access``."""
    return AccessLog(app, stream)


def _json_line(environ: Environ, status: str, took: float) -> str:
    told = {
        "time": datetime.now(UTC).isoformat(),
        "method": environ["REQUEST_METHOD"],
        "url": _url(environ),
        "status": int(status[:3] or 0),
        "ms": round(took, 1),
    }
    return orjson.dumps(told).decode()


def _url(environ: Environ) -> str:
    """Return the URL as it was sent, with secrets masked, without line breaks, a long one cut."""
    sent: str | None = environ.get("REQUEST_URI")
    if sent is None:
        query = environ.get("QUERY_STRING")
        sent = quote(environ["PATH_INFO"], encoding="latin-1")
        sent += f"?{quote(query, safe='%&=$,;:/?@')}" if query else ""
    url = masked_url(sent)
    return url if len(url) <= _MAX_URL else f"{url[:_MAX_URL]}..."


@lru_cache(maxsize=1)
def _time_of_day(second: int) -> str:
    return time.strftime("%H:%M:%S", time.localtime(second))
