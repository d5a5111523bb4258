"""Whether several callers asked the same at a time and each waited, as is seen afterwards.

Workers with a connection for each request look like one client that does not wait: what tells
them apart is that, once the time has passed, as many come back as were sent away.
"""

from __future__ import annotations

from collections.abc import Iterable

from mockgraph.testing.exchange import Exchange
from mockgraph.testing.police.conduct import EARLY, is_told_to_wait, to_wait, waited

_Key = tuple[int, str, str]


class Waves:
    """The requests that there are, by who asked what."""

    def __init__(self, exchanges: Iterable[Exchange]):
        self._asked: dict[_Key, list[Exchange]] = {}
        for each in exchanges:
            if not each.in_batch:
                self._asked.setdefault(_key(each), []).append(each)

    def all_waited(self, before: Exchange) -> bool:
        """Whether, of those told to wait since an answer, each can have come back in time."""
        wait = (to_wait(before) or 0.0) - EARLY
        sent_away = came_back = 0
        for each in self._asked.get(_key(before), ()):
            if each.number < before.number:
                continue
            if waited(before, each) >= wait:
                came_back += 1
            elif is_told_to_wait(each):
                sent_away += 1
        return came_back >= sent_away > 0


def _key(exchange: Exchange) -> _Key:
    return exchange.caller, exchange.method, exchange.url
