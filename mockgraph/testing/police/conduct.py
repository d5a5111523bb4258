"""The rules of Graph's guidance for clients, and judging one request after another.

The facts are those of the pages on throttling, paging and errors: wait as long as
``Retry-After`` says, longer each time without it; do not repeat what cannot succeed; follow
``@odata.nextLink`` as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import copy
from datetime import UTC
from email.utils import parsedate_to_datetime

from mockgraph.errors import MockGraphError
from mockgraph.testing.exchange import Exchange, Misdeed

# Statuses that do not change however often the same request is sent.
_FINAL = frozenset({400, 403, 404, 405, 406, 410, 411, 412, 413, 414, 415, 422, 501})
_CONFLICT = 409  # may pass by itself: the page on errors allows another try after a while
BUSY = frozenset({429, 503, 504})
_TRANSIENT = BUSY | {500, 502}
_OPEN = frozenset({500, 502, 504})  # whether it was carried out is not known

_BACKOFF = 0.1  # seconds that are no pause at all
EARLY = 0.05  # seconds by which a timer may be early
_ONE_ATTEMPT = 600.0  # seconds after which the same request is a new attempt
_FOR_EVER = 10**9

# Headers that differ from one try to the next although the request is the same.
_VOLATILE = frozenset(
    [
        "authorization",
        "baggage",
        "client-request-id",
        "connection",
        "cookie",
        "date",
        "request-id",
        "retry-attempt",
        "traceparent",
        "tracestate",
        "x-ms-client-request-id",
        "x-request-id",
    ]
)

HINTS = {
    "retry-after-ignored": "Wait as many seconds as Retry-After says before the next try.",
    "no-backoff": "Wait before each try, longer each time, with a random part; the first retry "
    "of urllib3's Retry does not wait.",
    "retried-in-vain": "Take this status as the answer; retry 429, 503 and 504 alone.",
    "retried-with-a-refused-token": "Get a new token before the next try, with the claims of "
    "the challenge if it has some; a credential that always gives the same token does not do.",
    "blind-retry-of-a-create": "Look whether it was made before making it again.",
    "body-changed-on-retry": "Send the same bytes with each try; a stream has to be rewound.",
    "client-request-id-dropped": "Send the client-request-id of the first try with the others.",
    "paging-by-hand": "Request the URL in @odata.nextLink as it is, until there is none.",
}
RULES = tuple(HINTS)


def rules(names: Iterable[str]) -> frozenset[str]:
    """Return the rules of these names, one or several. Raises MockGraphError for others."""
    given = frozenset([names] if isinstance(names, str) else names)
    for name in given.difference(RULES):
        raise MockGraphError(f"There is no misdeed {name!r}; there are {', '.join(RULES)}.")
    return given


def misdeed(rule: str, says: str, exchange: Exchange, earlier: Exchange) -> Misdeed:
    """Return a misdeed, with the hint of its rule."""
    return Misdeed(rule, says, HINTS[rule], exchange, earlier)


def without_bodies(exchange: Exchange) -> Exchange:
    """Return a copy without bodies, to be kept for long: they may be large."""
    kept = copy(exchange)
    kept.drop_bodies()
    for name in ("json", "response"):  # what was parsed already
        vars(kept).pop(name, None)
    return kept


def to_wait(exchange: Exchange) -> float | None:
    """Return the seconds that ``Retry-After`` of an answer asks to wait, given so or as a date.

    None where there is none that can be read.
    """
    given = exchange.response_headers.get("Retry-After", "").strip()
    if given.isascii() and given.isdigit():
        return float(given) if len(given) < 10 else float(_FOR_EVER)
    try:
        moment = parsedate_to_datetime(given)
    except (ValueError, TypeError, OverflowError):
        return None
    if moment.tzinfo is None:  # the offset -0000 of RFC 5322: UTC, from nobody knows where
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - exchange.at).total_seconds())


def is_told_to_wait(exchange: Exchange) -> bool:
    """Return whether the answer names the time of the next try."""
    return exchange.status in BUSY and to_wait(exchange) is not None


def too_early(before: Exchange, exchange: Exchange) -> float:
    """Return how many seconds of the tenant's clock a request came too early; 0 if it did not."""
    wait = to_wait(before) or 0.0
    if wait - waited(before, exchange) <= EARLY:
        return 0.0
    return wait - (exchange.at - before.at).total_seconds()


def waited(before: Exchange, exchange: Exchange) -> float:
    """Return the seconds between an answer and a request, by the tenant's clock.

    A wait in real time is one, too, whatever a test did to the clock.
    """
    return max((exchange.at - before.at).total_seconds(), exchange.began - before.ended)


def tells_of(before: Exchange, exchange: Exchange) -> bool:
    """Return whether a request shows that its sender had the answer before: by its thread or
    task, by the header of the SDKs' retry handlers, or by the id."""
    if "Retry-Attempt" in exchange.headers:
        return True
    if exchange.sender == before.sender and exchange.is_sender_certain:
        return True
    sent = before.headers.get("client-request-id")
    return sent is not None and exchange.headers.get("client-request-id") == sent


def is_write(exchange: Exchange) -> bool:
    """Return whether something was changed, as far as the answer tells."""
    return exchange.status < 400 and exchange.method not in ("GET", "HEAD", "OPTIONS")


def again(before: Exchange, exchange: Exchange, *, may_succeed: bool = False) -> Iterator[Misdeed]:
    """Yield the misdeeds of a request that its sender made right after the one before.

    One that is not answered yet ``may_succeed`` where others have changed something meanwhile.
    """
    if waited(before, exchange) > _ONE_ATTEMPT or not same_place(before, exchange):
        return
    if before.changes != exchange.changes:  # by a test, which gives a reason to ask again
        return
    if before.body == exchange.body:
        yield from _repeated(before, exchange, may_succeed)
    elif _lost_its_body(before, exchange):
        says = "it was sent again with another body than the first time"
        yield misdeed("body-changed-on-retry", says, exchange, before)


def _repeated(before: Exchange, exchange: Exchange, may_succeed: bool) -> Iterator[Misdeed]:
    """Yield the misdeeds of sending the same once more."""
    if before.status == 401:
        if before.token == exchange.token:
            has_one = "Authorization" in exchange.headers
            how = "with the token that was refused" if has_one else "without a token"
            says = f"it was sent again {how}"
            yield misdeed("retried-with-a-refused-token", says, exchange, before)
    elif not may_succeed and _in_vain(before, exchange):
        says = f"it was sent again although {before.status} is no answer that time changes"
        yield misdeed("retried-in-vain", says, exchange, before)
    elif _is_hasty(before, exchange):
        says = f"it was sent again at once after {before.status}: wait, longer each time"
        yield misdeed("no-backoff", says, exchange, before)
    if before.status in _TRANSIENT | {401} and _lost_its_id(before, exchange):
        sent = before.headers["client-request-id"]
        says = f"it does not carry the client-request-id of the first attempt, {sent}"
        yield misdeed("client-request-id-dropped", says, exchange, before)
    if _creates_blindly(before, exchange):
        why = "no answer" if before.is_unanswered else str(before.status)
        says = f"it may create a second time: {why} leaves open whether the first was done"
        yield misdeed("blind-retry-of-a-create", says, exchange, before)


def _in_vain(before: Exchange, exchange: Exchange) -> bool:
    """Return whether the same answer was to be expected."""
    status = before.status
    if status == _CONFLICT:
        final = waited(before, exchange) < _BACKOFF
    else:
        # What is not there yet is waited for by asking for it.
        final = status in _FINAL and not (status == 404 and before.method in ("GET", "HEAD"))
    if not final or before.token != exchange.token or _asked(before) != _asked(exchange):
        return False
    # Another answer of the emulation shows that a test changed something in between.
    both = before.answered_by == exchange.answered_by == "emulation"
    return not (both and exchange.status not in (0, status))


def _is_hasty(before: Exchange, exchange: Exchange) -> bool:
    busy = before.status in BUSY and not before.is_unanswered
    named = "Retry-After" in before.response_headers
    return busy and not named and waited(before, exchange) < _BACKOFF


def _lost_its_id(before: Exchange, exchange: Exchange) -> bool:
    sent, now = (each.headers.get("client-request-id") for each in (before, exchange))
    if sent is None or now == sent:
        return False
    # The SDKs give each call an id of its own; their retries say that they are some.
    another_call = "SdkVersion" in exchange.headers and "Retry-Attempt" not in exchange.headers
    return now is None or not another_call


def _creates_blindly(before: Exchange, exchange: Exchange) -> bool:
    is_open = before.status in _OPEN or before.is_unanswered
    # The SDKs' handlers retry a 504 whatever the method, and that is theirs to answer for.
    of_the_sdk = before.status == 504 and "Retry-Attempt" in exchange.headers
    return before.method == "POST" and is_open and not of_the_sdk and before.creates


def _lost_its_body(before: Exchange, exchange: Exchange) -> bool:
    """Return whether a retry has another body than the first try."""
    if before.status not in _TRANSIENT or before.method not in ("PATCH", "POST", "PUT"):
        return False
    length = exchange.headers.get("Content-Length", "0")
    if length == "0" and "Transfer-Encoding" not in exchange.headers:
        return True
    return bool(exchange.body) and "Retry-Attempt" in exchange.headers


def same_place(before: Exchange, exchange: Exchange) -> bool:
    """Return whether method and URL are the same."""
    return before.method == exchange.method and before.url == exchange.url


def _asked(exchange: Exchange) -> dict[str, str]:
    """Return the headers that do not differ from one try to the next."""
    named = ((name.lower(), value) for name, value in exchange.headers)
    return {name: value for name, value in named if name not in _VOLATILE}
