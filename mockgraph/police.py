"""The retry police: what a client did that Graph's guidance tells clients not to do.

A client is judged by its requests alone, in their order and by the tenant's clock; callers are
told apart by their tokens. What cannot be judged fairly is not: a request that follows a write
may have a reason that is not seen here, so only what was sent again at once, the same, counts.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from mockgraph.clock import Clock
from mockgraph.errors import ClientMisbehaved
from mockgraph.journal import Exchange
from mockgraph.wire import Request, Response

# Statuses that stay what they are however often the same request is sent.
_FINAL = frozenset({400, 403, 404, 405, 406, 409, 410, 411, 412, 413, 414, 415, 422, 501})
_BUSY = frozenset({429, 503, 504})
_BACKOFF = timedelta(milliseconds=100)


class Misdeed(NamedTuple):
    """What a client did: the rule's name, a sentence, the request and the one it goes back to."""

    rule: str
    says: str
    exchange: Exchange
    earlier: Exchange

    def as_json(self) -> dict[str, Any]:
        """The misdeed as the control plane shows it."""
        return {
            "rule": self.rule,
            "message": self.says,
            "request": self.exchange.number,
            "earlier": self.earlier.number,
            "method": self.exchange.method,
            "path": self.exchange.path,
        }

    def __str__(self) -> str:
        return f"{self.rule}: {self.exchange!r}: {self.says}"


class Police:
    """Watches the requests of a tenant, one after another. Safe under threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[int, Exchange] = {}
        self._throttled: dict[int, tuple[Exchange, datetime]] = {}
        self._tokens: set[str] = set()
        self._paged: dict[tuple[int, str], Exchange] = {}

    def watch(self, exchange: Exchange) -> list[Misdeed]:
        """Judge one more request by those before it, then remember it."""
        with self._lock:
            found = list(self._judge(exchange))
            self._remember(exchange)
        return found

    def refuse(self, request: Request, clock: Clock) -> None:
        """Raises 400 that says why, where a request is not what a well-behaved client sends."""
        exchange = Exchange(request, Response(0), 0, clock.now(), 0)
        with self._lock:
            found = next(self._judge(exchange), None)
        if found is not None:
            request.answered_by = "police"
            raise ClientMisbehaved(f"{found.rule}: {found.says}.")

    def _judge(self, exchange: Exchange) -> Iterator[Misdeed]:
        """What is wrong with a request that comes after those that were watched."""
        if exchange.answered_by == "sign-in" or exchange.in_batch:
            return
        yield from self._early(exchange)
        yield from self._paging(exchange)
        before = self._last.get(exchange.caller)
        if before is not None and _same(before, exchange):
            yield from _again(before, exchange)

    def _early(self, exchange: Exchange) -> Iterator[Misdeed]:
        """A throttled app waits, with whatever it wants next."""
        earlier, until = self._throttled.get(exchange.caller, (None, exchange.at))
        if earlier is not None and exchange.at < until:
            left = (until - exchange.at).total_seconds()
            says = f"it came {left:.3f} s before the time that Retry-After gave had passed"
            yield Misdeed("retry-after-ignored", says, exchange, earlier)

    def _paging(self, exchange: Exchange) -> Iterator[Misdeed]:
        options = {name.lower().removeprefix("$"): value for name, value in exchange.query.items()}
        page = self._paged.get((exchange.caller, exchange.path))
        if page is None or exchange.method != "GET":
            return
        token = options.get("skiptoken")
        if token is not None and token not in self._tokens:
            says = "its $skiptoken is none that a nextLink had: follow the nextLink as it is"
            yield Misdeed("paging-by-hand", says, exchange, page)
        elif token is None and options.get("skip", "0") != "0" and "skip" not in _names(page):
            says = "it pages with $skip although the page before gave a nextLink: follow that"
            yield Misdeed("paging-by-hand", says, exchange, page)

    def _remember(self, exchange: Exchange) -> None:
        if exchange.answered_by in ("sign-in", "police") or exchange.in_batch:
            return
        caller = exchange.caller
        self._last[caller] = exchange
        self._throttled.pop(caller, None)
        if exchange.status in (429, 503):
            until = _until(exchange)
            if until is not None:
                self._throttled[caller] = (exchange, until)
        if b'"@odata.nextLink"' in exchange.response_body:
            self._paged[caller, exchange.path] = exchange
            link = exchange.response.get("@odata.nextLink", "")
            self._tokens.update(
                value for name, value in parse_qsl(urlsplit(link).query) if name == "$skiptoken"
            )


def misdeeds(exchanges: Iterable[Exchange]) -> list[Misdeed]:
    """All that clients did wrong in these exchanges, in their order."""
    police = Police()
    return [misdeed for each in exchanges for misdeed in police.watch(each)]


def check_well_behaved(exchanges: Iterable[Exchange]) -> None:
    """Raises AssertionError with a list of what clients did wrong."""
    __tracebackhide__ = True
    found = misdeeds(exchanges)
    if found:
        listed = "".join(f"\n    {each}, after {each.earlier!r}" for each in found[:20])
        raise AssertionError(f"The client is not well-behaved, {len(found)} times:{listed}")


def _again(before: Exchange, exchange: Exchange) -> Iterator[Misdeed]:
    """What is wrong with sending the request before once more, at once, the same."""
    if before.status in _FINAL and (before.method, before.status) != ("GET", 404):
        says = f"it was sent again although {before.status} is no answer that time changes"
        yield Misdeed("retried-in-vain", says, exchange, before)
    elif before.status == 401:
        says = "it was sent again with the token that was refused"
        yield Misdeed("retried-with-a-refused-token", says, exchange, before)
    elif _is_hasty(before, exchange):
        says = f"it was sent again at once after {before.status}: wait, longer each time"
        yield Misdeed("no-backoff", says, exchange, before)
    if before.status in _BUSY | {500, 502} or before.status == 401:
        sent = before.headers.get("client-request-id")
        if sent is not None and exchange.headers.get("client-request-id") != sent:
            says = f"it does not carry the client-request-id of the first attempt, {sent}"
            yield Misdeed("client-request-id-dropped", says, exchange, before)
    if before.method == "POST" and before.status in (500, 502, 504) and _creates(before):
        says = (
            f"it may create a second time: {before.status} leaves open whether the first was done"
        )
        yield Misdeed("blind-retry-of-a-create", says, exchange, before)


def _is_hasty(before: Exchange, exchange: Exchange) -> bool:
    told = "Retry-After" in before.response_headers
    return before.status in _BUSY and not told and exchange.at - before.at < _BACKOFF


def _same(before: Exchange, exchange: Exchange) -> bool:
    """Whether a request is the one before once more: what is asked, on what condition."""
    return (
        before.method == exchange.method
        and before.url == exchange.url
        and before.body == exchange.body
        and before.headers.get("If-Match") == exchange.headers.get("If-Match")
    )


def _creates(exchange: Exchange) -> bool:
    return exchange.operation is None or exchange.operation.startswith("create")


def _names(exchange: Exchange) -> set[str]:
    return {name.lower().removeprefix("$") for name in exchange.query}


def _until(exchange: Exchange) -> datetime | None:
    """When the time that ``Retry-After`` gives is over; it is seconds or a date."""
    given = exchange.response_headers.get("Retry-After", "")
    if given.isdigit():
        return exchange.at + timedelta(seconds=min(int(given), 10**9))
    try:
        return parsedate_to_datetime(given)
    except ValueError:
        return None
