"""WSGI (PEP 3333): its types, and the names that header fields have in an environ."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
StartResponse = Callable[..., Any]
WSGIApp = Callable[[Environ, StartResponse], Iterable[bytes]]

# Statuses whose responses have no content, whatever an app returns (RFC 9110, 15).
WITHOUT_CONTENT = frozenset({204, 304})

_WITHOUT_PREFIX = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})


@lru_cache(maxsize=512)
def variable(field: str) -> str:
    """Return the name in an environ of a header field: ``HTTP_PREFER`` for ``Prefer``."""
    name = field.upper().replace("-", "_")
    return name if name in _WITHOUT_PREFIX else f"HTTP_{name}"
