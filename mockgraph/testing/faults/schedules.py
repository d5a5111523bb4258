"""Schedules of faults: by count, by chance, or by a quota."""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta
from typing import Annotated, Literal, Protocol

from mockgraph.clock import Clock
from mockgraph.http import Request
from mockgraph.testing.faults.effects import check_choice, check_number
from mockgraph.testing.matching import Matching, caller_of

_MAX_CALLERS = 10_000


class When(Matching, total=False):
    """The requests that a fault is for, and which of these it strikes.

    Of the requests that match, the first ``after`` are spared; of those that follow each
    ``every``-th is struck, and of these each one with a ``probability``.
    """

    times: Annotated[
        int | Literal["always"] | None,
        "How often it strikes, null for ever; once if left out, for ever with every or "
        "probability.",
    ]
    after: Annotated[int, "How many matching requests are spared first; 2 is the third call."]
    every: Annotated[int, "Of the requests that follow, 3 strikes the third, the sixth and so on."]
    probability: Annotated[float, "The share of the requests that are struck by chance, 0 to 1."]
    seed: Annotated[int, "The seed of the chance: the same requests are struck in each run."]


class Schedule(Protocol):
    """The turns of one matching request after another. Called by one thread at a time."""

    def turn(self, request: Request) -> bool:
        """Return whether the request is to be struck."""

    @property
    def spent(self) -> bool:
        """Whether no request will be struck any more."""

    @property
    def times(self) -> int | None:
        """The number of requests that are struck altogether, None for any number."""


class CountSchedule:
    """A turn by count and by chance. Raises BadRequest for numbers out of range."""

    def __init__(self, when: When):
        recurs = "every" in when or "probability" in when
        times = when.get("times", None if recurs else 1)
        self.times = None if times == "always" else times
        self._after = when.get("after", 0)
        self._every = when.get("every", 1)
        self._probability = when.get("probability", 1.0)
        if self.times is not None:
            check_number(self.times, "times", least=1)
        check_number(self._after, "after")
        check_number(self._every, "every", least=1)
        check_number(self._probability, "probability", most=1)
        self._random = random.Random(when.get("seed", 0))
        self._seen = 0
        self._struck = 0

    def turn(self, request: Request) -> bool:  # noqa: ARG002
        if self.spent:
            return False
        self._seen += 1
        if self._seen <= self._after or (self._seen - self._after) % self._every:
            return False
        if self._probability < 1 and self._random.random() >= self._probability:
            return False
        self._struck += 1
        return True

    @property
    def spent(self) -> bool:
        return self._struck == self.times


class Quota:
    """A turn when so many requests were made in a window of time, until that has passed.

    The window of a caller begins with its first request and lasts ``window`` seconds of the
    clock. ``per`` is ``app``, a window for each caller, or ``tenant``, one for all of them.
    """

    times = None
    spent = False

    def __init__(self, clock: Clock, limit: int, window: float, per: str):
        check_number(limit, "limit", least=1)
        check_number(window, "window", most=365 * 86_400, above=True)
        check_choice(per, "per", ("app", "tenant"))
        self._clock = clock
        self._limit = limit
        self._window = timedelta(seconds=window)
        self._per_app = per == "app"
        self._used: dict[str, tuple[datetime, int]] = {}

    def turn(self, request: Request) -> bool:
        caller, now = self._caller(request), self._clock.now()
        began, used = self._used.get(caller, (now, 0))
        if not timedelta() <= now - began < self._window:  # passed, or the clock was put back
            began, used = now, 0
        if used >= self._limit:
            return True
        if caller not in self._used and len(self._used) >= _MAX_CALLERS:
            del self._used[next(iter(self._used))]
        self._used[caller] = (began, used + 1)
        return False

    def share(self, request: Request) -> float:
        """Return the share of its quota that a caller has used in this window, 0 to 1."""
        _, used = self._used.get(self._caller(request), (None, 0))
        return used / self._limit

    def wait(self, request: Request) -> float:
        """Return the whole seconds until a caller's window has passed."""
        now = self._clock.now()
        began, _ = self._used.get(self._caller(request), (now, 0))
        return max(1, math.ceil((self._window - (now - began)).total_seconds()))

    def _caller(self, request: Request) -> str:
        return caller_of(request) if self._per_app else ""
