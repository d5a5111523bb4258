"""Requests in a file, to be sent by a check: a JSON object a line."""

from __future__ import annotations

import os
from pathlib import Path

import orjson

from mockgraph.errors import MockGraphError
from mockgraph.pages.contract_check import Asked

_MEMBERS = frozenset({"method", "path", "headers", "body"})


def read_requests(path: str | os.PathLike[str]) -> list[Asked]:
    """Return the requests in a file; blank lines are passed over.

    Each is ``{"method": "GET", "path": "security/alerts_v2?$top=5", "headers": {}, "body": {}}``,
    of which the path alone must be there. Raises MockGraphError with the line that is none.
    """
    try:
        lines = Path(path).read_bytes().splitlines()
    except OSError as error:
        raise MockGraphError(f"{path} cannot be read: {error.strerror}.") from None
    return [_read(line, f"{path}, line {n}") for n, line in enumerate(lines, 1) if line.strip()]


def _read(line: bytes, where: str) -> Asked:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict) or not value.keys() <= _MEMBERS:
        raise MockGraphError(f"{where}: an object with method, path, headers and body is expected.")
    method, path, headers = value.get("method", "GET"), value.get("path"), value.get("headers", {})
    given = headers.values() if isinstance(headers, dict) else [None]
    if not isinstance(path, str) or not all(map(_is_line, (method, path, *given))):
        raise MockGraphError(f"{where}: method, path and headers are texts; a path must be there.")
    if any(name.lower() == "authorization" for name in headers):
        raise MockGraphError(f"{where}: a token does not belong into a file; see --token-from.")
    return Asked(method.upper(), path, headers, value.get("body"))


def _is_line(value: object) -> bool:
    return isinstance(value, str) and value.isprintable()
