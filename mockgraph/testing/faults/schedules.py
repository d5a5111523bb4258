"""When a fault's turn comes: by count, by chance, or when a quota is used up."""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta
from typing import Literal, Protocol

from mockgraph.clock import Clock
from mockgraph.http import Request
from mockgraph.testing.faults.effects import check_choice, check_number
from mockgraph.testing.matching import Matching, caller_of

_MAX_CALLERS = 10_000


class When(Matching, total=False):
    """Which requests a fault is for, and when it strikes among them.

    ``times`` is how often it strikes: once if left out; None or ``always`` is for ever, and so
    it is where ``every`` or ``probability`` is given without ``times``. The first ``after``
    matching requests are spared: ``after=2`` is the third call. Of those that follow every
    ``every``-th is struck, ``every=3`` being the third, the sixth and so on; of these each one
    with a ``probability`` (0 to 1) drawn from ``seed``, so that each run draws the same.
    """

    times: int | Literal["always"] | None
    after: int
    every: int
    probability: float
    seed: int


class Schedule(Protocol):
    """Decides for one matching request after another. Called by one thread at a time."""

    def turn(self, request: Request) -> bool:
        """Whether it is to be struck."""

    @property
    def spent(self) -> bool:
        """Whether none will be struck any more."""

    @property
    def times(self) -> int | None:
        """How many are struck altogether, None for any number."""


class Counted:
    """A turn by count and by chance. Raises BadRequest for what cannot be."""

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

    def wait(self, request: Request) -> float:
        """The whole seconds until a caller's window has passed."""
        now = self._clock.now()
        began, _ = self._used.get(self._caller(request), (now, 0))
        return max(1, math.ceil((self._window - (now - began)).total_seconds()))

    def _caller(self, request: Request) -> str:
        return caller_of(request) if self._per_app else ""
