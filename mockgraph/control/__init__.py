"""The control plane under ``/_mockgraph``: actions of a test on the server, not on Graph.

Behind a tenant's prefix, or with its header, it is about that tenant. It is in :mod:`.plane`,
which is loaded when the first request comes that is for it.
"""

from __future__ import annotations

from functools import lru_cache

PREFIX = "/_mockgraph"
CONSOLE = f"{PREFIX}/console"
# Browsers ask for it by themselves; it is no request to Graph.
FAVICON = "/favicon.ico"


@lru_cache(maxsize=256)
def is_control(path: str) -> bool:
    """Return whether a path is the control plane's, and not Graph's."""
    return path in ("/", FAVICON) or path[: len(PREFIX)].lower() == PREFIX
