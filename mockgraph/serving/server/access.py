"""The access log: one line a request."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, TextIO
from urllib.parse import quote

from mockgraph.redaction import masked_url
from mockgraph.serving.server.answers import StartResponse, WSGIApp
from mockgraph.serving.server.lines import Lines
from mockgraph.serving.server.requests import Environ


class AccessLog:
    """The app, with a line for each request: its method and URL, the status, the time it took.

    Lines go to a stream, the time of day in front, or, for more of the interpreter's time, to
    the log ``mockgraph.access``. None is lost where :meth:`close` is called at the end.
    """

    def __init__(self, app: WSGIApp, to: Lines | TextIO | None = None):
        self._app = app
        self._is_timed = to is not None
        self._lines = to if isinstance(to, Lines) else Lines(to)

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
        if self._is_timed:
            line = f"{_time_of_day(int(time.time()))} {line}"
        self._lines.add(line)
        return body

    def close(self) -> None:
        """Write what is left."""
        self._lines.close()


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
