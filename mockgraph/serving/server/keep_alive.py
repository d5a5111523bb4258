"""The bounds of keep-alive: how many connections stay open, and which have to make room.

A connection stays open after its response for as long as the client likes (RFC 9112, 9.3), until
there are more than the server takes. In the middle of a request or an answer a client must go on.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping

from mockgraph.serving.server.connection import Connection

# Windows waits for 512 sockets at a time, of which two are the loop's own and some listen.
MAX_CONNECTIONS = 500 if sys.platform == "win32" else 10_000
# Descriptors that are left for files, where the system allows few.
_DESCRIPTORS_LEFT = 32
# Seconds without a byte, or a request, after which a connection makes room for others.
IDLE = 5.0
# Seconds without a byte after which a request half sent, or an answer half read, is given up.
STALLED = 30.0
# Bytes a second that a request comes with, at the least, once those seconds are over.
_LEAST_RATE = 16 * 1024
# Bytes of requests half sent and of answers half read, of all connections.
MAX_HELD = 1024 * 1024 * 1024


def most_connections() -> int:
    """Return how many connections there may be, by the descriptors that this process may have."""
    if sys.platform == "win32":
        return MAX_CONNECTIONS
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return min(MAX_CONNECTIONS, max(soft - _DESCRIPTORS_LEFT, soft // 2))


def to_close(
    connections: Iterable[Connection], unfinished: Mapping[Connection, float], most: int
) -> list[Connection]:
    """Return the connections to close where others wait, those without a byte for longest first.

    They are idle, or have stopped in the middle, or take much longer than that. ``unfinished`` says
    of those in the middle of a request or an answer since when.
    """
    now = time.monotonic()
    slow = [
        each
        for each in connections
        if each.used_at < now - IDLE or unfinished.get(each, now) < now - 2 * IDLE
    ]
    return sorted(slow, key=lambda each: each.used_at)[:most]


def to_give_up(unfinished: Mapping[Connection, float]) -> list[Connection]:
    """Return the connections that have stopped in the middle, and those that hold too much."""
    now = time.monotonic()
    stalled, held, most = [], [], MAX_HELD
    for each, began in sorted(unfinished.items(), key=lambda pair: -pair[0].used_at):
        longest = STALLED + each.parser.received / _LEAST_RATE
        if now - each.used_at > STALLED or (each.parser.is_within and now - began > longest):
            stalled.append(each)
            continue
        most -= each.parser.received + len(each.out)
        if most < 0:
            held.append(each)
    return stalled + held
