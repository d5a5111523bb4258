"""Whose sessions were revoked, and with them which tokens."""

from __future__ import annotations

import itertools
import math
import threading

from mockgraph.entra.directory import Directory

_EVERYONE = "*"


class Revocations:
    """The number of the last token, of each subject, that no longer counts.

    Tokens are numbered as they are issued: within a second, or while the clock is frozen, time
    does not tell one from the next. A subject is the object id of a user, or the id of an app. A
    session that the directory says is revoked stays so until a token is asked for as the
    challenge has it. Safe under threads.
    """

    def __init__(self, directory: Directory):
        self._numbers = itertools.count(1)
        self._last = 0
        self._lock = threading.Lock()
        self.reset(directory)

    def reset(self, directory: Directory) -> None:
        """Back to what the directory says."""
        users = (user for user in (directory.users or {}).values() if user.revoked)
        apps = (app for app in (directory.apps or {}).values() if app.revoked)
        revoked = dict.fromkeys((user.object_id for user in users), math.inf)
        revoked.update(dict.fromkeys((app.app_id for app in apps), math.inf))
        with self._lock:
            self._until: dict[str, float] = revoked

    def number(self) -> int:
        """The number of a new token."""
        with self._lock:
            self._last = next(self._numbers)
            return self._last

    def revoke(self, subject: str | None) -> None:
        """Whatever was issued to a subject up to now no longer counts; None is everyone."""
        with self._lock:
            self._until[subject or _EVERYONE] = self._last

    def answered(self, subjects: tuple[str, ...]) -> None:
        """A challenge was answered: what is issued from now on counts."""
        with self._lock:
            for subject in subjects:
                if self._until.get(subject) == math.inf:
                    self._until[subject] = self._last

    def covers(self, number: int, subjects: tuple[str, ...]) -> bool:
        """Whether a token of this number no longer counts."""
        with self._lock:
            return any(number <= self._until.get(each, 0) for each in (*subjects, _EVERYONE))
