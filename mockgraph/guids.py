"""New GUIDs, for whatever the service names itself: entities, requests, sessions."""

from __future__ import annotations

import os
from collections import deque

# GUIDs that are made at a time, and those that nobody has taken yet; a process that is forked
# makes its own.
_AT_A_TIME = 64
_made: deque[str] = deque()
# A GUID of version 4, and the places of the digits that are random in it.
_FORM = b"00000000-0000-4000-a000-000000000000 "
_PLACES = [place for place, digit in enumerate(_FORM) if digit == ord("0")]
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
        _made.extend(_new_guids())
        return new_guid()


def new_number(below: int) -> int:
    """Return a random whole number, from 0 on, to serve as a key where keys are numbers."""
    return int.from_bytes(os.urandom(16)) % below


def _new_guids() -> list[str]:
    """Several at once: of all of them the first digit, then the second, and so on."""
    random = os.urandom(16 * _AT_A_TIME).hex().encode()
    made = bytearray(_FORM * _AT_A_TIME)
    for at, place in enumerate(_PLACES):
        made[place :: len(_FORM)] = random[at::32]
    return made.decode().split()
