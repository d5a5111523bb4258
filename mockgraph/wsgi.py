"""WSGI (PEP 3333): its types, and the names that header fields have in an environ."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import IO, Any

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
StartResponse = Callable[..., Any]
WSGIApp = Callable[[Environ, StartResponse], Iterable[bytes]]

# Statuses whose responses have no content, whatever an app returns (RFC 9110, 15).
WITHOUT_CONTENT = frozenset({204, 304})
# The member of an environ that has the size of a body that is in a file, all of it.
SPOOLED = "mockgraph.spooled"
# That by which an app has its response held; see :class:`mockgraph.serving.server.connection`.
HOLD = "mockgraph.hold"

_WITHOUT_PREFIX = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})


@lru_cache(maxsize=512)
def variable(field: str) -> str:
    """Return the name in an environ of a header field: ``HTTP_PREFER`` for ``Prefer``."""
    name = field.upper().replace("-", "_")
    return name if name in _WITHOUT_PREFIX else f"HTTP_{name}"


def new_file() -> IO[bytes]:
    """Return a file without a name, which is gone once it is closed. Raises OSError."""
    from tempfile import TemporaryFile  # most have no use for it

    return TemporaryFile()


def close_body(environ: Environ) -> None:
    """Close the file of a body, where it is in one."""
    if SPOOLED in environ:
        environ["wsgi.input"].close()
