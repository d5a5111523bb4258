"""Concurrency of callers: whether one had several requests under way at about a time.

A caller with several requests under way cannot know the first answer at its second request.
Behind the server that is not seen for certain: a client with one connection, or with a
new one for each request, pauses between an answer and its next request; one that has several
connections does not, or comes back to one of them. Where it comes back to several, they are a
pool's, and a request over one of them may be of any of its callers.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict, deque
from collections.abc import Iterable

from mockgraph.testing.exchange import Exchange
from mockgraph.testing.police.conduct import EARLY, is_told_to_wait, to_wait, waited

# No client that waited for an answer comes back on another connection so soon; over the
# loopback, connecting alone takes longer.
_PAUSE = 0.0002
_ABOUT = 0.05  # seconds around a time
_LATELY = 10.0  # the same for a pool, whose callers may all be waiting for some seconds
_MAX_CALLERS = 100
_MAX_CONNECTIONS = 100
_MAX_TIMES = 1000

_Key = tuple[int, str, str]


class Concurrency:
    """The concurrency of callers, from the exchanges that were added in their order."""

    def __init__(self) -> None:
        self._callers: OrderedDict[int, _Caller] = OrderedDict()

    def add(self, exchange: Exchange) -> None:
        """Take note of an exchange. Items of a batch say nothing: they share its connection."""
        if exchange.in_batch:
            return
        caller = self._callers.get(exchange.caller)
        if caller is None:
            caller = self._callers[exchange.caller] = _Caller()
            if len(self._callers) > _MAX_CALLERS:
                self._callers.popitem(last=False)
        caller.add(exchange)

    def around(self, exchange: Exchange) -> bool:
        """Return whether the caller had several requests under way at this one."""
        caller = self._callers.get(exchange.caller)
        return caller is not None and caller.is_busy(exchange.began)

    def pools(self, exchange: Exchange) -> bool:
        """Return whether the caller had a pool of connections at this request."""
        caller = self._callers.get(exchange.caller)
        return caller is not None and caller.has_pool(exchange.began)


class _Caller:
    """The connections of one caller, and the times at which it used several."""

    def __init__(self) -> None:
        self._connections: OrderedDict[str, None] = OrderedDict()
        self._last: tuple[str, float] | None = None
        self._times: list[float] = []
        self._returns: deque[tuple[float, str]] = deque(maxlen=_MAX_TIMES)

    def add(self, exchange: Exchange) -> None:
        connection, last = exchange.sender, self._last
        if last is not None and connection != last[0]:
            at_once = exchange.began - last[1] < _PAUSE
            if at_once or connection in self._connections:
                # Recorded when they ended, they may have begun in another order.
                self._times.append(max([exchange.began, *self._times[-1:]]))
                del self._times[:-_MAX_TIMES]
            if connection in self._connections:
                self._returns.append((exchange.began, connection))
        self._last = connection, exchange.ended
        self._connections[connection] = None
        if len(self._connections) > _MAX_CONNECTIONS:
            self._connections.popitem(last=False)

    def is_busy(self, began: float) -> bool:
        index = bisect_right(self._times, began)
        near = self._times[max(index - 1, 0) : index + 1]
        return any(abs(each - began) < _ABOUT for each in near)

    def has_pool(self, began: float) -> bool:
        # One that is come back to is a client's, between requests that the test makes itself.
        returned = {connection for at, connection in self._returns if abs(at - began) < _LATELY}
        return len(returned) > 1


class SimultaneousCallers:
    """Requests by caller, method and URL, to see afterwards whether each of several waited.

    Workers with a connection for each request look like one client that does not wait. The
    difference is that, once the time has passed, as many come back as were sent away.
    """

    def __init__(self, exchanges: Iterable[Exchange]):
        self._asked: dict[_Key, list[Exchange]] = {}
        for each in exchanges:
            if not each.in_batch:
                self._asked.setdefault(_key(each), []).append(each)

    def all_waited(self, before: Exchange) -> bool:
        """Return whether each that was told to wait since an answer can have come back in time."""
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
