"""Whether a caller had several requests under way at about a time.

Who asks several things at once cannot know the answer to the first when it asks the second.
From behind the server that is not seen for certain: a client with one connection, or with a
new one for each request, pauses between an answer and what it asks next; one that has several
connections does not, or comes back to one of them. Where it comes back to several, they are a
pool's, and what goes over one of them may be of any of its callers.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict, deque

from mockgraph.testing.exchange import Exchange

# No client that waited for an answer comes back on another connection so soon; over the
# loopback, connecting alone takes longer.
_PAUSE = 0.0002
_ABOUT = 0.05  # seconds around a time
_LATELY = 10.0  # the same for a pool, whose callers may all be waiting for some seconds
_MAX_CALLERS = 100
_MAX_LANES = 100
_MAX_TIMES = 1000


class Concurrency:
    """What is known of how callers ask, from the exchanges that were added in their order."""

    def __init__(self) -> None:
        self._callers: OrderedDict[int, _Caller] = OrderedDict()

    def add(self, exchange: Exchange) -> None:
        """Take note of an exchange. Items of a batch tell nothing: they share its connection."""
        if exchange.in_batch:
            return
        caller = self._callers.get(exchange.caller)
        if caller is None:
            caller = self._callers[exchange.caller] = _Caller()
            if len(self._callers) > _MAX_CALLERS:
                self._callers.popitem(last=False)
        caller.add(exchange)

    def around(self, exchange: Exchange) -> bool:
        """Whether the caller was seen to ask several things at once when it asked this."""
        caller = self._callers.get(exchange.caller)
        return caller is not None and caller.is_busy(exchange.began)

    def pools(self, exchange: Exchange) -> bool:
        """Whether the caller was seen to have a pool of connections when it asked this."""
        caller = self._callers.get(exchange.caller)
        return caller is not None and caller.has_pool(exchange.began)


class _Caller:
    """The connections of one caller, and the times at which it used several."""

    def __init__(self) -> None:
        self._lanes: OrderedDict[str, None] = OrderedDict()
        self._last: tuple[str, float] | None = None
        self._times: list[float] = []
        self._returns: deque[tuple[float, str]] = deque(maxlen=_MAX_TIMES)

    def add(self, exchange: Exchange) -> None:
        lane, last = exchange.lane, self._last
        if last is not None and lane != last[0]:
            at_once = exchange.began - last[1] < _PAUSE
            if at_once or lane in self._lanes:
                # Recorded when they ended, they may have begun in another order.
                self._times.append(max([exchange.began, *self._times[-1:]]))
                del self._times[:-_MAX_TIMES]
            if lane in self._lanes:
                self._returns.append((exchange.began, lane))
        self._last = lane, exchange.known
        self._lanes[lane] = None
        if len(self._lanes) > _MAX_LANES:
            self._lanes.popitem(last=False)

    def is_busy(self, began: float) -> bool:
        index = bisect_right(self._times, began)
        near = self._times[max(index - 1, 0) : index + 1]
        return any(abs(each - began) < _ABOUT for each in near)

    def has_pool(self, began: float) -> bool:
        # One that is come back to is a client's, between requests that the test makes itself.
        returned = {lane for at, lane in self._returns if abs(at - began) < _LATELY}
        return len(returned) > 1
