"""A WSGI app that answers prepared bytes, whatever is asked: what is left is the server's own.

They are read from ``answer.json`` in the directory that it is started in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

_ANSWER = Path("answer.json").read_bytes()
_HEADERS = [("Content-Type", "application/json"), ("Content-Length", str(len(_ANSWER)))]


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:  # noqa: ARG001
    start_response("200 OK", _HEADERS)
    return [_ANSWER]
