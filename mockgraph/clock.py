"""The clock of a state: the time that it writes and judges by, which tests may set and move."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import orjson

from mockgraph.errors import BadRequest
from mockgraph.instants import to_utc


class Clock:
    """Real time, until it is frozen at a moment or moved ahead. Safe under threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frozen: datetime | None = None
        self._ahead = timedelta()

    def now(self) -> datetime:
        """The present moment, in UTC."""
        with self._lock:
            return self._frozen or datetime.now(UTC) + self._ahead

    @property
    def is_real(self) -> bool:
        """Whether it shows real time."""
        return self._frozen is None and not self._ahead

    def text(self) -> str:
        """The present moment as Graph writes it, to the microsecond."""
        return instant_text(self.now())

    def freeze(self, at: datetime | str | None = None) -> None:
        """Stand still, at this moment or at the present one. A naive moment is UTC.

        It may be a text, ``2026-01-01T00:00:00Z``. Raises BadRequest for one that is no instant.
        """
        moment = _instant(at) if isinstance(at, str) else at or self.now()
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        with self._lock:
            self._frozen = moment.astimezone(UTC)

    def advance(self, seconds: float | timedelta) -> None:
        """Move ahead (back where negative), frozen or not. Raises BadRequest out of range."""
        try:
            step = seconds if isinstance(seconds, timedelta) else timedelta(seconds=seconds)
            with self._lock:
                if self._frozen is not None:
                    self._frozen += step
                else:
                    datetime.now(UTC) + self._ahead + step
                    self._ahead += step
        except (OverflowError, ValueError):
            raise BadRequest("The clock cannot go there: years go from 1 to 9999.") from None

    def __repr__(self) -> str:
        with self._lock:
            how = "frozen" if self._frozen else "real" if self.is_real else f"off by {self._ahead}"
        return f"<Clock {self.text()}, {how}>"

    def reset(self) -> None:
        """Back to real time."""
        with self._lock:
            self._frozen = None
            self._ahead = timedelta()


def instant_text(moment: datetime) -> str:
    """Return a moment of UTC as Graph writes it, to the microsecond."""
    seconds = orjson.dumps(moment, option=orjson.OPT_OMIT_MICROSECONDS)[1:20].decode()
    return f"{seconds}.{moment.microsecond:06}Z"


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(to_utc(text))
    except ValueError:
        raise BadRequest(f"freeze: {text[:100]!r} is no instant.") from None
