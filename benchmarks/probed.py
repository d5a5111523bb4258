"""A WSGI app without a framework, for what servers must stand: see :mod:`benchmarks.servers`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

SLOW = 3.0  # seconds


def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    if path == "/cut":
        environ["mockgraph.cut"]()  # other servers offer an app nothing of the kind
    if path == "/slow":
        time.sleep(SLOW)
    if path == "/breaks":
        start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "100")])
        return _breaking()
    if environ["REQUEST_METHOD"] == "CONNECT" and "mockgraph.tunnel" in environ:
        environ["mockgraph.tunnel"]("localhost")
        start("200 Connection established", [])
        return []
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


def _breaking() -> Iterator[bytes]:
    yield b"ten bytes."
    raise RuntimeError("The app breaks off here.")
