"""What is handed out against a later return: codes and refresh tokens."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from mockgraph.clock import Clock
from mockgraph.entra.tokens import Grant

T = TypeVar("T")


class Code(NamedTuple):
    """An authorization code: what it stands for, and what it must be redeemed with.

    ``challenge`` is that of PKCE with its method, None where the app sent none.
    """

    grant: Grant
    redirect_uri: str
    challenge: tuple[str, str] | None
    redeemed: bool = False


class Refresh(NamedTuple):
    """A refresh token: what it renews, its number among all tokens, and when it was issued."""

    grant: Grant
    number: int
    issued: str


class Tickets(Generic[T]):
    """A bounded number of values, each under a text that cannot be guessed. Safe under threads.

    ``lifetime`` is in seconds. Where there are too many, the oldest is forgotten, as if it had
    never been.
    """

    def __init__(self, clock: Clock, lifetime: float, most: int):
        self.lifetime = lifetime
        self._clock = clock
        self._most = most
        self._kept: dict[str, tuple[float, T]] = {}
        self._lock = threading.Lock()

    def issue(self, value: T, ticket: str | None = None) -> str:
        """Keep a value; the ticket is what it is asked for by."""
        ticket = ticket or secrets.token_urlsafe(48)
        expires = self._clock.now().timestamp() + self.lifetime
        with self._lock:
            while len(self._kept) >= self._most:
                del self._kept[next(iter(self._kept))]
            self._kept[ticket] = (expires, value)
        return ticket

    def find(self, ticket: str) -> T | None:
        """The value of a ticket, expired or not; None where there is none."""
        with self._lock:
            kept = self._kept.get(ticket)
        return kept[1] if kept else None

    def expired(self, ticket: str) -> bool:
        """Whether the time of a ticket is over."""
        with self._lock:
            kept = self._kept.get(ticket)
        return kept is None or kept[0] <= self._clock.now().timestamp()

    def replace(self, ticket: str, change: Callable[[T], T]) -> T | None:
        """Change a value at one stroke; gives what it was before, None where there is none."""
        with self._lock:
            kept = self._kept.get(ticket)
            if kept is None:
                return None
            self._kept[ticket] = (kept[0], change(kept[1]))
            return kept[1]

    def clear(self) -> None:
        """Forget them all."""
        with self._lock:
            self._kept.clear()
