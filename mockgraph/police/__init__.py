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

from mockgraph.clock import Clock
from mockgraph.errors import ClientMisbehaved
from mockgraph.exchange import Exchange
from mockgraph.police.concurrency import Concurrency
from mockgraph.police.conduct import (
    BUSY,
    Misdeed,
    again,
    tells_of,
    to_wait,
    too_early,
    without_bodies,
)
from mockgraph.police.pages import Pages
from mockgraph.wire import Request, Response

__all__ = ["Misdeed", "Police", "check_well_behaved", "misdeeds"]

_MAX_CLIENTS = 100
_MAX_THROTTLED = 100  # requests of one client
_LISTED = 20


class Police:
    """Watches the requests of a tenant, one after another. Safe under threads.

    ``exchanges`` are those that are going to be watched, where they are known beforehand: then
    it is seen better what was asked at once.
    """

    def __init__(self, exchanges: Sequence[Exchange] = ()) -> None:
        self._lock = threading.Lock()
        self._clients: OrderedDict[int, _Client] = OrderedDict()
        self._pages = Pages()
        self._concurrency = Concurrency()
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
                client.remember(exchange)
                self._pages.remember(exchange)
        exchange.misdeeds = tuple(found)
        return found

    def refuse(self, request: Request, clock: Clock) -> None:
        """Raises 400 that says why, where a request is not what a well-behaved client sends."""
        exchange = Exchange(request, Response(0), 0, clock.now(), 0)
        with self._lock:
            self._concurrency.add(exchange)
            found = next(self._judge(exchange, self._client(exchange)), None)
        if found is not None:
            request.answered_by = "police"
            earlier = f"request {found.earlier.number}"
            raise ClientMisbehaved(f"{found.rule}: {found.says}; see {earlier}. {found.hint}")

    def _judge(self, exchange: Exchange, client: _Client) -> Iterator[Misdeed]:
        """What is wrong with a request that comes after those that were watched."""
        earlier = client.throttled.get((exchange.method, exchange.url))
        if earlier is not None and not self._has_had(earlier, exchange):
            earlier = None
        if earlier is None:
            earlier = client.throttles(exchange)
        left = 0.0 if earlier is None else too_early(earlier, exchange)
        if earlier is not None and left:
            says = f"it came {left:.3f} s before the time that Retry-After gave had passed"
            yield Misdeed("retry-after-ignored", says, exchange, earlier)
        yield from self._pages.judge(exchange)
        before = client.last
        if before is None or before.status < 400 or exchange.in_batch:
            return
        if self._has_had(before, exchange):
            yield from again(before, exchange)

    def _has_had(self, before: Exchange, exchange: Exchange) -> bool:
        """Whether the sender of a request can be held to know the answer to the one before."""
        if exchange.began < before.known:
            return False
        return tells_of(before, exchange) or not self._concurrency.around(exchange)

    def _client(self, exchange: Exchange) -> _Client:
        client = self._clients.get(exchange.caller)
        if client is None:
            client = self._clients[exchange.caller] = _Client()
            if len(self._clients) > _MAX_CLIENTS:
                self._clients.popitem(last=False)
        return client


class _Client:
    """What is remembered of one app: its last request, and what it was told to wait for.

    ``throttled`` are the answers with ``Retry-After`` that are still in force, by what was
    asked; ``_held`` those in a batch, which its client has not seen before the batch is over.
    """

    def __init__(self) -> None:
        self.last: Exchange | None = None
        self.throttled: OrderedDict[tuple[str, str], Exchange] = OrderedDict()
        self._held: list[Exchange] = []
        self._app: dict[bool, Exchange] = {}
        self._lane = ""
        self._alone_since = 0.0

    def throttles(self, exchange: Exchange) -> Exchange | None:
        """The 429 after which the app should ask nothing of the kind, reading or writing.

        That is said only of one that asks one thing after another, on one connection.
        """
        earlier = self._app.get(_reads(exchange))
        if earlier is None or exchange.in_batch or exchange.lane != earlier.lane:
            return None
        in_turn = self._alone_since <= earlier.began and earlier.known <= exchange.began
        return earlier if in_turn and exchange.lane == self._lane else None

    def remember(self, exchange: Exchange) -> None:
        """Take note of one more request."""
        if exchange.in_batch:
            if _is_told_to_wait(exchange):
                self._held.append(without_bodies(exchange))
            else:
                self.throttled.pop((exchange.method, exchange.url), None)
            return
        if exchange.lane != self._lane:
            self._lane, self._alone_since = exchange.lane, exchange.began
        self.last = exchange
        self._note_wait(exchange)
        if self._held and exchange.path[-7:].lower() == "/$batch":
            for each in self._held:
                self._throttle(each)
            self._held.clear()

    def _note_wait(self, exchange: Exchange) -> None:
        reads = _reads(exchange)
        if _is_told_to_wait(exchange):
            kept = without_bodies(exchange)
            self._throttle(kept)
            if kept.status == 429:
                self._app[reads] = kept
        elif exchange.status not in BUSY:
            self.throttled.pop((exchange.method, exchange.url), None)
            self._app.pop(reads, None)

    def _throttle(self, exchange: Exchange) -> None:
        self.throttled[exchange.method, exchange.url] = exchange
        if len(self.throttled) > _MAX_THROTTLED:
            self.throttled.popitem(last=False)


def misdeeds(exchanges: Iterable[Exchange]) -> list[Misdeed]:
    """All that clients did wrong in these exchanges, which are marked with it."""
    exchanges = sorted(exchanges, key=lambda each: each.known)
    police = Police(exchanges)
    return [misdeed for each in exchanges for misdeed in police.watch(each)]


def check_well_behaved(exchanges: Iterable[Exchange]) -> None:
    """Raises AssertionError with a list of what clients did wrong."""
    __tracebackhide__ = True
    found = misdeeds(exchanges)
    if not found:
        return
    lines = [f"The client is not well-behaved, {len(found)} times:"]
    lines += [f"    {each}, after {each.earlier!r}" for each in found[:_LISTED]]
    if len(found) > _LISTED:
        lines.append(f"    (the first {_LISTED} of them)")
    lines += [f"{rule}: {hint}" for rule, hint in {each.rule: each.hint for each in found}.items()]
    raise AssertionError("\n".join(lines))


def _is_told_to_wait(exchange: Exchange) -> bool:
    return exchange.status in BUSY and to_wait(exchange) is not None


def _reads(exchange: Exchange) -> bool:
    return exchange.method in ("GET", "HEAD")
