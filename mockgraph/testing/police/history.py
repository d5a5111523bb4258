"""The history of one app that the police remembers from request to request."""

from __future__ import annotations

from collections import OrderedDict

from mockgraph.testing.exchange import Exchange
from mockgraph.testing.police.conduct import BUSY, is_told_to_wait, same_place, without_bodies

_MAX_THROTTLED = 100  # requests of one client
_MAX_TRIES = 1000


class ClientHistory:
    """The history of one app: its last request, and the waits that it was asked for.

    ``throttled`` are the answers with ``Retry-After`` that are still in force, by what was
    asked; ``_held`` those in a batch, which its client has not seen before the batch is over;
    ``_tries`` the requests that failed, by the ``client-request-id`` that their retries carry, too.
    ``writes`` is how many the tenant had seen by then, of all apps.
    """

    def __init__(self) -> None:
        self.last: Exchange | None = None
        self.writes = 0
        self.throttled: OrderedDict[tuple[str, str], Exchange] = OrderedDict()
        self._held: list[Exchange] = []
        self._tries: OrderedDict[str, Exchange] = OrderedDict()
        self._app: dict[bool, Exchange] = {}
        self._sender = ""
        self._alone_since = 0.0

    def throttles(self, exchange: Exchange) -> Exchange | None:
        """Return the 429 after which the app should make no request, reading or writing.

        There is one only for an app that makes one request after another, on one connection.
        """
        earlier = self._app.get(_reads(exchange))
        if earlier is None or exchange.in_batch or exchange.sender != earlier.sender:
            return None
        in_turn = self._alone_since <= earlier.began and earlier.ended <= exchange.began
        return earlier if in_turn and exchange.sender == self._sender else None

    def try_before(self, exchange: Exchange) -> Exchange | None:
        """Return the failed try that a request repeats, by its id; None where there is none."""
        before = self._tries.get(exchange.headers.get("client-request-id", ""))
        return before if before is not None and same_place(before, exchange) else None

    def remember(self, exchange: Exchange, writes: int) -> None:
        """Take note of one more request, when the tenant has seen so many writes."""
        self.writes = writes
        if exchange.in_batch:
            if is_told_to_wait(exchange):
                self._held.append(without_bodies(exchange))
            else:
                self.throttled.pop((exchange.method, exchange.url), None)
            return
        if exchange.sender != self._sender:
            self._sender, self._alone_since = exchange.sender, exchange.began
        self.last = exchange
        self._note_wait(exchange)
        self._note_try(exchange)
        if self._held and exchange.path[-7:].lower() == "/$batch":
            for each in self._held:
                self._throttle(each)
            self._held.clear()

    def _note_wait(self, exchange: Exchange) -> None:
        reads = _reads(exchange)
        if is_told_to_wait(exchange):
            kept = without_bodies(exchange)
            self._throttle(kept)
            if kept.status == 429:
                self._app[reads] = kept
        elif exchange.status not in BUSY:
            self.throttled.pop((exchange.method, exchange.url), None)
            self._app.pop(reads, None)

    def _note_try(self, exchange: Exchange) -> None:
        sent = exchange.headers.get("client-request-id")
        if sent is None:
            return
        self._tries.pop(sent, None)
        if exchange.status >= 400:
            self._tries[sent] = without_bodies(exchange)
            if len(self._tries) > _MAX_TRIES:
                self._tries.popitem(last=False)

    def _throttle(self, exchange: Exchange) -> None:
        self.throttled[exchange.method, exchange.url] = exchange
        if len(self.throttled) > _MAX_THROTTLED:
            self.throttled.popitem(last=False)


def _reads(exchange: Exchange) -> bool:
    return exchange.method in ("GET", "HEAD")
