"""New GUIDs, for whatever the service names itself: entities, requests, sessions."""

from __future__ import annotations

import os


def new_guid() -> str:
    """Return a random GUID as text (RFC 9562, version 4).

    It has the digits of ``uuid.uuid4()``, which takes three times as long; each entity that
    is made and each request that is answered needs one.
    """
    digits = os.urandom(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def new_number(below: int) -> int:
    """Return a random whole number, from 0 on, to serve as a key where keys are numbers."""
    return int.from_bytes(os.urandom(16)) % below
