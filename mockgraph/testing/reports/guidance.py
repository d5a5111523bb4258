"""Advice from Graph's guidance for clients: what works, and works better otherwise.

The rules are those of the pages on best practices, paging, throttling, versioning and batching.
Advice is no misdeed: nothing is refused for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from mockgraph.state.intent import RequestKind
from mockgraph.testing.exchange import Exchange

HINTS = {
    "deprecated-resource": "Move to what takes its place; the answer's Deprecation, Sunset and "
    "Link headers say when and to what.",
    "beta-resource": "Use v1.0 in production: beta changes without notice.",
    "no-select": "Name the properties that are used in $select: answers get smaller.",
    "no-paging": "Follow @odata.nextLink until there is none: what comes after the first page "
    "was not read.",
    "polling-without-a-filter": "Ask for what is new alone, $filter=lastUpdateDateTime gt ...",
    "same-read-twice": "Keep the answer, or ask with If-None-Match.",
    "no-client-request-id": "Send a GUID as client-request-id: support asks for it.",
    "small-top": "Ask for larger pages by $top, or leave it out.",
    "single-requests": "Put requests that do not depend on one another into a $batch of up to 20.",
}
_POLLS = 3  # reads of a list that are polling
_SMALL = 10  # entities of a page
_PAGES = 3  # pages in a row that are many
_SINGLES = 5  # entities read one by one
_TOGETHER = 5.0  # seconds between the first and the last of them


class Advice(NamedTuple):
    """A piece of advice on a request."""

    rule: str
    operation: str
    exchange: Exchange


def advice(
    exchanges: Sequence[Exchange], operation_of: Callable[[Exchange], str | None]
) -> Iterator[Advice]:
    """Yield the advice on exchanges, which come in their order."""
    found = [
        (operation, each)
        for each in exchanges
        if each.answered_by not in ("sign-in", "police") and (operation := operation_of(each))
    ]
    for operation, each in found:
        for rule in _of_one(each):
            yield Advice(rule, operation, each)
    yield from _of_pages(found)
    yield from _of_repetition(found)
    yield from _of_singles(found)


def _of_one(exchange: Exchange) -> Iterator[str]:
    address = exchange.address
    assert address is not None  # it has an operation
    if any(step.resource.deprecated for step in address.steps):
        yield "deprecated-resource"
    if address.view.name == "beta":
        yield "beta-resource"
    reads = address.kind in (RequestKind.LIST, RequestKind.READ) and exchange.status == 200
    options = _options(exchange)
    # A nextLink says what the request for its first page did.
    if reads and exchange.method == "GET" and not options.keys() & {"select", "skiptoken"}:
        yield "no-select"
    if "client-request-id" not in exchange.headers and not exchange.in_batch:
        yield "no-client-request-id"


def _of_pages(found: Sequence[tuple[str, Exchange]]) -> Iterator[Advice]:
    """Yield what is said of pages: not followed to the end, or small ones."""
    waiting: dict[str, tuple[str, Exchange, int]] = {}
    for operation, each in found:
        pages = 1
        before = waiting.pop(each.url, None)
        if before is not None:
            pages = before[2] + 1
            top = _options(each).get("top", "")
            if pages == _PAGES and top.isdigit() and int(top) <= _SMALL:
                yield Advice("small-top", operation, each)
        link = _next_link(each)
        if link:
            waiting[link] = (operation, each, pages)
    for operation, each, _ in waiting.values():
        yield Advice("no-paging", operation, each)


def _of_repetition(found: Sequence[tuple[str, Exchange]]) -> Iterator[Advice]:
    """Yield what is said of reads that were made before, with no change in between."""
    seen: dict[tuple[str, int], tuple[int, int]] = {}
    polls: dict[tuple[str, int], int] = defaultdict(int)
    writes = 0
    for operation, each in found:
        address = each.address
        assert address is not None
        if address.writes:
            writes += each.status < 400
            continue
        if each.method != "GET" or each.status != 200:
            continue
        key = (each.url, each.token)
        is_list = address.kind is RequestKind.LIST
        polls[key] += 1
        if is_list and polls[key] == _POLLS and "filter" not in _options(each):
            yield Advice("polling-without-a-filter", operation, each)
        elif seen.get(key) == (writes, each.changes):
            yield Advice("same-read-twice", operation, each)
        seen[key] = (writes, each.changes)


def _of_singles(found: Sequence[tuple[str, Exchange]]) -> Iterator[Advice]:
    """Yield what is said of entities of a set that are read one by one, in a row."""
    row: list[Exchange] = []
    of = ""
    for operation, each in found:
        address = each.address
        is_single = address is not None and address.kind is RequestKind.READ and not each.in_batch
        if not is_single or operation != of or each.began - row[0].began > _TOGETHER:
            row, of = [], operation if is_single else ""
        if is_single:
            row.append(each)
            if len(row) == _SINGLES:
                yield Advice("single-requests", operation, each)


def _options(exchange: Exchange) -> dict[str, str]:
    return {name.lower().removeprefix("$"): value for name, value in exchange.options}


def _next_link(exchange: Exchange) -> str | None:
    """Return the path and query of the nextLink in an answer, as the journal has URLs."""
    body = exchange.response if b"@odata.nextLink" in exchange.response_body else None
    link = body.get("@odata.nextLink") if isinstance(body, dict) else None
    if not isinstance(link, str):
        return None
    path, _, query = link.partition("?")
    _, _, below = path.partition("://")
    slash = below.find("/" + (exchange.path.split("/")[1]))
    return f"{below[slash:]}?{query}" if slash >= 0 else None
