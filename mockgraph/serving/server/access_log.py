"""The access log: one line for each request, written by a thread of its own.

Why it is no ``logging.handlers.QueueListener`` is told in ``docs/architecture.md``, with figures.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any, TextIO
from urllib.parse import quote

import orjson

from mockgraph.redaction import masked_url
from mockgraph.wsgi import HOLD, Environ, Headers, StartResponse, WSGIApp

_INTERVAL = 0.05  # seconds in which lines are collected before they are written
_CLOSE_TIMEOUT = 1.0  # seconds that close() waits for the last lines to be written
_MAX_WAITING = 100_000  # lines; of more, the oldest are dropped
_MAX_URL = 2000  # characters of a line: no client fills the disk, or what waits for it
_logger = logging.getLogger("mockgraph.access")

# What a line tells of a request: the time, the method, the URL, the status, the seconds it took.
LogFields = tuple[float, str, str, str, float]


class AccessLog:
    """A WSGI app around another that logs each request: method, URL, status, milliseconds.

    Lines go to a stream, the time of day in front, or as JSON where the writer is for that;
    without one, which costs more, they go to the log ``mockgraph.access``. None is lost where
    :meth:`close` is called at the end.
    """

    def __init__(self, app: WSGIApp, to: LineWriter | TextIO | None = None):
        self._app = app
        self._writer = to if isinstance(to, LineWriter) else LineWriter(to)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        request = _LoggedRequest(environ, start_response, self._writer)
        hold = environ.get(HOLD)
        if hold is not None:
            request.hold = hold
            environ[HOLD] = request.hold_with
        try:
            body = self._app(environ, request.start)
        finally:
            if hold is not None:  # the other would leave a circle to the collector
                environ[HOLD] = hold
        if not request.is_held:
            request.log()
        return body

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()


class _LoggedRequest:
    """A request that is answered, and logged once its status is certain.

    The response that a server holds may give way to another one; ``hold`` is the server's.
    """

    __slots__ = ("_began", "_environ", "_start_response", "_status", "_writer", "hold", "is_held")

    hold: Callable[[Callable[[], None], Callable[[], WSGIApp | None]], None]

    def __init__(self, environ: Environ, start_response: StartResponse, writer: LineWriter):
        self._began = time.perf_counter()
        self._environ = environ
        self._start_response = start_response
        self._writer = writer
        self._status = ""
        self.is_held = False

    def start(self, status: str, headers: Headers, exc_info: Any = None) -> Any:
        self._status = status
        return self._start_response(status, headers, exc_info)

    def log(self) -> None:
        environ, took = self._environ, time.perf_counter() - self._began
        url: str = environ.get("REQUEST_URI") or _path_and_query(environ)
        if len(url) > _MAX_URL:  # of those that wait to be written none is longer
            url = _shown(url)
        self._writer.add((time.time(), environ["REQUEST_METHOD"], url, self._status[:3], took))

    def hold_with(self, settle: Callable[[], None], conclude: Callable[[], WSGIApp | None]) -> None:
        self.is_held = True
        self.hold(settle, partial(self._conclude, conclude))

    def _conclude(self, conclude: Callable[[], WSGIApp | None]) -> WSGIApp | None:
        replacement = conclude()
        if replacement is not None:
            return partial(self._replace, replacement)
        self.log()
        return None

    def _replace(
        self, replacement: WSGIApp, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        self._start_response = start_response
        body = replacement(environ, self.start)
        self.log()
        return body


class LineWriter:
    """Writes lines to a stream, or, without one, to a log; :meth:`add` never waits for that.

    ``as_json`` says that each line is an object. A thread of its own makes lines of what is added,
    and writes many of them at a time.
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

    def add(self, line: str | LogFields) -> None:
        """Have a line written soon, or that of a request."""
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


def logged(app: WSGIApp, stream: TextIO | None = None) -> WSGIApp:
    """Return the app with an access log on a stream, or in the log ``mockgraph.access``."""
    return AccessLog(app, stream)


def _path_and_query(environ: Environ) -> str:
    """Return the URL under a server that does not say how it was sent."""
    query = environ.get("QUERY_STRING")
    path = quote(environ["PATH_INFO"], encoding="latin-1")
    return f"{path}?{quote(query, safe='%&=$,;:/?@')}" if query else path


def _shown(url: str) -> str:
    """Return a URL with secrets masked, a long one cut."""
    url = masked_url(url)
    return url if len(url) <= _MAX_URL else f"{url[:_MAX_URL]}..."


@lru_cache(maxsize=1)
def _time_of_day(second: int) -> str:
    return time.strftime("%H:%M:%S", time.localtime(second))
