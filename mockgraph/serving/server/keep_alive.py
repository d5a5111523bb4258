"""The bounds of keep-alive: how many connections stay open, and which have to make room.

A connection stays open after its response for as long as the client likes (RFC 9112, 9.3), until
there are more than the server takes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable

from mockgraph.serving.server.connection import Connection

# Windows waits for 512 sockets at a time, of which two are the loop's own and some listen.
MAX_CONNECTIONS = 500 if sys.platform == "win32" else 10_000
# Seconds without a request after which a connection makes room for others.
IDLE = 5.0


def to_close(connections: Iterable[Connection], most: int) -> list[Connection]:
    """Return the connections to close where others wait: those idle for long, longest first."""
    until = time.monotonic() - IDLE
    idle = [each for each in connections if each.used_at < until and each.is_idle]
    return sorted(idle, key=lambda each: each.used_at)[:most]
