"""The clock of a state: the time that it writes and judges by, which tests may set and move."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import orjson

from mockgraph.errors import BadRequest
from mockgraph.instants import to_utc


class ClockSetting(NamedTuple):
    """The setting of a clock: the moment at which it stands, or how far it goes ahead."""

    frozen: datetime | None
    ahead: timedelta

    def shown(self, real: datetime) -> datetime:
        """Return the moment that a clock shows which is so set, at a moment of real time."""
        return self.frozen or real + self.ahead


_REAL = ClockSetting(None, timedelta())


class Clock:
    """Real time, until it is frozen at a moment or moved ahead. Safe under threads.

    ``setting`` is how it is set at present; it becomes another where the clock is set anew.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()  # held while it is set; to read it takes none
        self.setting: ClockSetting = _REAL

    def now(self) -> datetime:
        """Return the present moment, in UTC."""
        now, setting = datetime.now(UTC), self.setting
        return now if setting is _REAL else setting.shown(now)

    @property
    def is_real(self) -> bool:
        """Whether it shows real time."""
        return self.setting is _REAL

    def text(self) -> str:
        """Return the present moment as Graph writes it, to the microsecond."""
        if self.setting is not _REAL:
            return instant_text(self.now())
        now = str(time.time_ns() // 1000)
        return f"{_second_text(now[:-6])}.{now[-6:]}Z"

    def freeze(self, at: datetime | str | None = None) -> None:
        """Stand still, at this moment or at the present one. A naive moment is UTC.

        It may be a text, ``2026-01-01T00:00:00Z``. Raises BadRequest for one that is no instant.
        """
        moment = _instant(at) if isinstance(at, str) else at or self.now()
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        with self._lock:
            self.setting = ClockSetting(moment.astimezone(UTC), self.setting.ahead)

    def advance(self, seconds: float | timedelta) -> None:
        """Move ahead (back where negative), frozen or not. Raises BadRequest out of range."""
        try:
            step = seconds if isinstance(seconds, timedelta) else timedelta(seconds=seconds)
            with self._lock:
                frozen, ahead = self.setting
                if frozen is not None:
                    self.setting = ClockSetting(frozen + step, ahead)
                else:
                    datetime.now(UTC) + ahead + step
                    self.setting = ClockSetting(None, ahead + step) if ahead + step else _REAL
        except (OverflowError, ValueError):
            raise BadRequest("The clock cannot go there: years go from 1 to 9999.") from None

    def __repr__(self) -> str:
        frozen, ahead = self.setting
        how = "frozen" if frozen else f"off by {ahead}" if ahead else "real"
        return f"<Clock {self.text()}, {how}>"

    def reset(self) -> None:
        """Back to real time."""
        with self._lock:
            self.setting = _REAL


def instant_text(moment: datetime) -> str:
    """Return a moment of UTC as Graph writes it, to the microsecond."""
    seconds = orjson.dumps(moment, option=orjson.OPT_OMIT_MICROSECONDS)[1:20].decode()
    return f"{seconds}.{moment.microsecond:06}Z"


@lru_cache(maxsize=4)
def _second_text(second: str) -> str:
    """Return a second since 1970 as Graph writes it, without the fraction and the ``Z``."""
    return datetime.fromtimestamp(int(second), UTC).isoformat()[:19]


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(to_utc(text))
    except ValueError:
        raise BadRequest(f"freeze: {text[:100]!r} is no instant.") from None
