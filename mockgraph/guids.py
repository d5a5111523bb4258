"""New GUIDs, for whatever the service names itself: entities, requests, sessions."""

from __future__ import annotations

import os
from collections import deque

# GUIDs that are made at a time, and those that nobody has taken yet; a process that is forked
# makes its own.
_AT_A_TIME = 64
_made: deque[str] = deque()
if hasattr(os, "register_at_fork"):  # there are systems without forks
    os.register_at_fork(after_in_child=_made.clear)


def new_guid() -> str:
    """Return a random GUID as text (RFC 9562, version 4).

    It has the digits of ``uuid.uuid4()``, which takes ten times as long; each entity that is made
    and each request that is answered needs one.
    """
    try:
        return _made.pop()
    except IndexError:
        digits = os.urandom(16 * _AT_A_TIME).hex()
        _made.extend(_guid(digits[at : at + 32]) for at in range(0, len(digits), 32))
        return new_guid()


def new_number(below: int) -> int:
    """Return a random whole number, from 0 on, to serve as a key where keys are numbers."""
    return int.from_bytes(os.urandom(16)) % below


def _guid(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
