"""The police: judges the requests of a tenant, one after another."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence

from mockgraph.errors import ClientMisbehaved
from mockgraph.http import Request
from mockgraph.testing.exchange import Exchange, Misdeed
from mockgraph.testing.journal import Requests
from mockgraph.testing.police.concurrency import Concurrency, SimultaneousCallers
from mockgraph.testing.police.conduct import (
    again,
    is_told_to_wait,
    is_write,
    misdeed,
    tells_of,
    too_early,
)
from mockgraph.testing.police.history import ClientHistory
from mockgraph.testing.police.next_links import NextLinks

_MAX_CLIENTS = 100


class Police:
    """A watch over the requests of a tenant, one after another. Safe under threads.

    ``exchanges`` are those that are going to be watched, where they are known beforehand: then
    it is seen better which were made at once. Rules that are in ``allowed`` may be broken.
    """

    def __init__(
        self, exchanges: Sequence[Exchange] = (), allowed: frozenset[str] = frozenset()
    ) -> None:
        self._allowed = allowed
        self._lock = threading.Lock()
        self._writes = 0
        self._clients: OrderedDict[int, ClientHistory] = OrderedDict()
        self._links = NextLinks()
        self._concurrency = Concurrency()
        self._callers = SimultaneousCallers(exchanges)
        for each in exchanges:
            self._concurrency.add(each)
        self._knows_all = bool(exchanges)

    def watch(self, exchange: Exchange) -> list[Misdeed]:
        """Judge one more request by those before it, mark it, then remember it."""
        if exchange.answered_by == "sign-in":
            return []
        with self._lock:
            if not self._knows_all:
                self._concurrency.add(exchange)
            client = self._client(exchange)
            found = list(self._judge(exchange, client))
            if exchange.answered_by != "police":
                self._writes += is_write(exchange)
                client.remember(exchange, self._writes)
                self._links.remember(exchange)
        exchange.misdeeds = tuple(found)
        return found

    def refuse(self, request: Request, exchange: Exchange) -> None:
        """Raise 400 that says why, where a request is a misdeed.

        The exchange is the request's, not answered yet.
        """
        with self._lock:
            self._concurrency.add(exchange)
            found = self._judge(exchange, self._client(exchange))
            first = next((each for each in found if each.rule not in self._allowed), None)
        if first is not None:
            request.answered_by = "police"
            earlier = f"request {first.earlier.number}"
            raise ClientMisbehaved(f"{first.rule}: {first.says}; see {earlier}. {first.hint}")

    def _judge(self, exchange: Exchange, client: ClientHistory) -> Iterator[Misdeed]:
        """Yield the misdeeds of a request that comes after those that were watched."""
        earlier = self._throttling(exchange, client)
        left = 0.0 if earlier is None else too_early(earlier, exchange)
        if earlier is not None and left:
            says = f"it came {left:.3f} s before the time that Retry-After gave had passed"
            yield misdeed("retry-after-ignored", says, exchange, earlier)
        yield from self._links.judge(exchange)
        before = client.last
        if before is None or before.status < 400 or exchange.in_batch:
            return
        repeated = client.try_before(exchange)
        if repeated is not None and repeated.number != before.number:
            return  # it is another's, who asks at the same time
        if self._has_had(before, exchange):
            may_succeed = not exchange.status and client.writes != self._writes
            yield from again(before, exchange, may_succeed=may_succeed)

    def _throttling(self, exchange: Exchange, client: ClientHistory) -> Exchange | None:
        """Return the answer that told the sender of a request to wait before it."""
        repeated = client.try_before(exchange)
        if repeated is not None:
            return repeated if is_told_to_wait(repeated) else None
        answers = [client.throttled.get((exchange.method, exchange.url))]
        if self._knows_all:  # before it is over, a pool that begins looks like one connection
            answers.append(client.throttles(exchange))
        return next((each for each in answers if each and self._ignores(each, exchange)), None)

    def _ignores(self, before: Exchange, exchange: Exchange) -> bool:
        """Return whether the sender of a request must have known that it was to wait."""
        if not self._has_had(before, exchange):
            return False
        certain = exchange.sender == before.sender or tells_of(before, exchange)
        return certain or not self._callers.all_waited(before)

    def _has_had(self, before: Exchange, exchange: Exchange) -> bool:
        """Return whether the sender of a request must have known the answer to the one before."""
        if exchange.began < before.ended:
            return False
        if tells_of(before, exchange):
            return True
        if self._concurrency.pools(exchange):
            return False
        return exchange.sender == before.sender or not self._concurrency.around(exchange)

    def _client(self, exchange: Exchange) -> ClientHistory:
        client = self._clients.get(exchange.caller)
        if client is None:
            client = self._clients[exchange.caller] = ClientHistory()
            if len(self._clients) > _MAX_CLIENTS:
                self._clients.popitem(last=False)
        return client


def misdeeds(exchanges: Iterable[Exchange]) -> list[Misdeed]:
    """Return all misdeeds in these exchanges, which are marked with them."""
    exchanges = sorted(exchanges, key=lambda each: each.ended)
    police = Police(exchanges)
    return [misdeed for each in exchanges for misdeed in police.watch(each)]


def with_misdeeds(requests: Requests) -> Requests:
    """Return the same requests; the misdeeds of each are found when they are asked for."""
    review = _Review(requests)
    for each in requests:
        each.review(review)
    return requests


class _Review:
    """A review of exchanges that is made when the first of them is asked for its misdeeds.

    Safe under threads: others wait for a review that is being made.
    """

    def __init__(self, exchanges: Sequence[Exchange]):
        self._exchanges = exchanges
        self._lock = threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            exchanges, self._exchanges = self._exchanges, ()
            misdeeds(exchanges)
