"""The retry police: what a client did that Graph's guidance tells clients not to do.

A client is judged by its requests alone, in their order and by the tenant's clock. Apps are
told apart by the id in their tokens, or by the tokens. What cannot be judged fairly is not: a
request counts as made after an answer only where its sender can have had that answer, and only
what was sent again at once, the same, is a retry; anything in between may be a reason for it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence

from mockgraph.errors import ClientMisbehaved
from mockgraph.http import Request
from mockgraph.testing.differences import times_of
from mockgraph.testing.exchange import Exchange
from mockgraph.testing.journal import Requests
from mockgraph.testing.police.clients import Client
from mockgraph.testing.police.concurrency import Concurrency
from mockgraph.testing.police.conduct import (
    Misdeed,
    again,
    is_told_to_wait,
    is_write,
    rules,
    tells_of,
    too_early,
)
from mockgraph.testing.police.pages import Pages
from mockgraph.testing.police.waves import Waves

__all__ = ["Misdeed", "Police", "check_well_behaved", "marked", "misdeeds", "rules"]

_MAX_CLIENTS = 100
_LISTED = 20


class Police:
    """Watches the requests of a tenant, one after another. Safe under threads.

    ``exchanges`` are those that are going to be watched, where they are known beforehand: then
    it is seen better what was asked at once. Rules that are in ``allowed`` may be broken.
    """

    def __init__(
        self, exchanges: Sequence[Exchange] = (), allowed: frozenset[str] = frozenset()
    ) -> None:
        self._allowed = allowed
        self._lock = threading.Lock()
        self._writes = 0
        self._clients: OrderedDict[int, Client] = OrderedDict()
        self._pages = Pages()
        self._concurrency = Concurrency()
        self._waves = Waves(exchanges)
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
                self._pages.remember(exchange)
        exchange.misdeeds = tuple(found)
        return found

    def refuse(self, request: Request, exchange: Exchange) -> None:
        """Raises 400 that says why, where a request is not what a well-behaved client sends.

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

    def _judge(self, exchange: Exchange, client: Client) -> Iterator[Misdeed]:
        """What is wrong with a request that comes after those that were watched."""
        earlier = self._throttle(exchange, client)
        left = 0.0 if earlier is None else too_early(earlier, exchange)
        if earlier is not None and left:
            says = f"it came {left:.3f} s before the time that Retry-After gave had passed"
            yield Misdeed("retry-after-ignored", says, exchange, earlier)
        yield from self._pages.judge(exchange)
        before = client.last
        if before is None or before.status < 400 or exchange.in_batch:
            return
        repeated = client.try_before(exchange)
        if repeated is not None and repeated.number != before.number:
            return  # it is another's, who asks at the same time
        if self._has_had(before, exchange):
            may_do_well = not exchange.status and client.writes != self._writes
            yield from again(before, exchange, may_do_well=may_do_well)

    def _throttle(self, exchange: Exchange, client: Client) -> Exchange | None:
        """The answer that told the sender of a request to wait before it."""
        repeated = client.try_before(exchange)
        if repeated is not None:
            return repeated if is_told_to_wait(repeated) else None
        told = [client.throttled.get((exchange.method, exchange.url))]
        if self._knows_all:  # before it is over, a pool that begins looks like one connection
            told.append(client.throttles(exchange))
        return next((each for each in told if each and self._ignores(each, exchange)), None)

    def _ignores(self, told: Exchange, exchange: Exchange) -> bool:
        """Whether the sender of a request can be held to know that it was told to wait."""
        if not self._has_had(told, exchange):
            return False
        certain = exchange.lane == told.lane or tells_of(told, exchange)
        return certain or not self._waves.all_waited(told)

    def _has_had(self, before: Exchange, exchange: Exchange) -> bool:
        """Whether the sender of a request can be held to know the answer to the one before."""
        if exchange.began < before.known:
            return False
        if tells_of(before, exchange):
            return True
        if self._concurrency.pools(exchange):
            return False
        return exchange.lane == before.lane or not self._concurrency.around(exchange)

    def _client(self, exchange: Exchange) -> Client:
        client = self._clients.get(exchange.caller)
        if client is None:
            client = self._clients[exchange.caller] = Client()
            if len(self._clients) > _MAX_CLIENTS:
                self._clients.popitem(last=False)
        return client


def misdeeds(exchanges: Iterable[Exchange]) -> list[Misdeed]:
    """All that clients did wrong in these exchanges, which are marked with it."""
    exchanges = sorted(exchanges, key=lambda each: each.known)
    police = Police(exchanges)
    return [misdeed for each in exchanges for misdeed in police.watch(each)]


def marked(requests: Requests) -> Requests:
    """The same requests, each marked with what its client did wrong once somebody looks."""
    review = _Review(requests)
    for each in requests:
        each.review(review)
    return requests


class _Review:
    """Finds the misdeeds in exchanges when the first of them is asked for its own.

    Safe under threads: who comes while they are being found waits for them.
    """

    def __init__(self, exchanges: Sequence[Exchange]):
        self._exchanges = exchanges
        self._lock = threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            exchanges, self._exchanges = self._exchanges, ()
            misdeeds(exchanges)


def check_well_behaved(exchanges: Iterable[Exchange], allow: Iterable[str] = ()) -> None:
    """Raises AssertionError with a list of what clients did wrong but for what is allowed.

    Raises MockGraphError where there is no such rule.
    """
    __tracebackhide__ = True
    allowed = rules(allow)
    found = [each for each in misdeeds(exchanges) if each.rule not in allowed]
    if not found:
        return
    lines = [f"The client misbehaved {times_of(len(found))}:"]
    lines += [f"    {each}, after {each.earlier!r}" for each in found[:_LISTED]]
    if len(found) > _LISTED:
        lines.append(f"    (the first {_LISTED} of them)")
    lines += [f"{rule}: {hint}" for rule, hint in {each.rule: each.hint for each in found}.items()]
    raise AssertionError("\n".join(lines))
