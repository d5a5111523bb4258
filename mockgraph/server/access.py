"""The access log: one line a request, written many at a time by a thread of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from typing import Any, TextIO
from urllib.parse import quote

from mockgraph.redaction import masked_url
from mockgraph.server.answers import StartResponse, WSGIApp
from mockgraph.server.requests import Environ

_GATHERED = 0.05  # seconds in which lines are gathered
_logger = logging.getLogger("mockgraph.access")


class AccessLog:
    """The app, with a line for each request: its method and URL, the status, the time it took.

    Lines go to a stream, the time of day in front, or, for more of the interpreter's time, to
    the log ``mockgraph.access``. None is lost where :meth:`close` is called at the end.
    """

    def __init__(self, app: WSGIApp, stream: TextIO | None = None):
        self._app = app
        self._stream = stream
        self._lines: deque[str] = deque()
        self._lock = threading.Lock()
        self._writer: threading.Thread | None = None
        self._roused = threading.Event()
        self._closing = threading.Event()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        began = time.perf_counter()
        answered = ""

        def start(status: str, *rest: Any) -> Any:
            nonlocal answered
            answered = status
            return start_response(status, *rest)

        body = self._app(environ, start)
        took = (time.perf_counter() - began) * 1000
        line = f"{environ['REQUEST_METHOD']} {_url(environ)} {answered[:3]} {took:.1f} ms"
        if self._stream is not None:
            line = f"{_time_of_day(int(time.time()))} {line}\n"
        self._lines.append(line)
        if not self._roused.is_set():
            self._rouse()
        return body

    def close(self) -> None:
        """Write what is left."""
        with self._lock:
            writer, self._writer = self._writer, None
            self._closing.set()
            self._roused.set()
        if writer is not None:
            writer.join()
        self._write()

    def _rouse(self) -> None:
        self._roused.set()
        if self._writer is None:
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
                self._stream.write("".join(lines))
                self._stream.flush()


def logged(app: WSGIApp, stream: TextIO | None = None) -> WSGIApp:
    """The app, with one line a request on a stream, or in the log ``mockgraph.access``."""
    return AccessLog(app, stream)


def _url(environ: Environ) -> str:
    """The URL as it was sent, in which no line can break, without what is secret in it."""
    sent: str | None = environ.get("REQUEST_URI")
    if sent is not None:
        return masked_url(sent)
    query = environ.get("QUERY_STRING")
    path = quote(environ["PATH_INFO"], encoding="latin-1")
    return masked_url(f"{path}?{quote(query, safe='%&=$,;:/?@')}") if query else path


@lru_cache(maxsize=1)
def _time_of_day(second: int) -> str:
    return time.strftime("%H:%M:%S", time.localtime(second))
