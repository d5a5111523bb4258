"""The faults of a tenant, with those that Graph has by name."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Literal, Unpack, cast

import orjson

from mockgraph.clock import Clock
from mockgraph.errors import Unauthenticated
from mockgraph.testing.answers import Pairs, json_body
from mockgraph.testing.faults.bodies import (
    Cut,
    Malformation,
    Malformed,
    Moment,
    OutdatedEtag,
    SlowBody,
)
from mockgraph.testing.faults.effects import Answer, Delay, Effect, ProviderWarning, RetryAfter
from mockgraph.testing.faults.parts import PARTS, Options, Parts, effects, shown
from mockgraph.testing.faults.rules import Rule, Rules
from mockgraph.testing.faults.schedules import Quota, When
from mockgraph.testing.matching import Matching

_REVOKED = (
    "Continuous access evaluation resulted in challenge with result: InteractionRequired and "
    "code: TokenIssuedBeforeRevocationTimestamp"
)


class Faults(Rules):
    """What is to go wrong with requests to a tenant::

        graph.faults.throttle(times=2, retry_after=1, path="/security/alerts")
        with graph.faults.unavailable(method="POST", times=None) as fault:
            ...
        assert fault.struck == 3

    Each method puts a fault in force and returns its rule. What a fault is for, and when, is
    said by the options of :class:`mockgraph.testing.faults.When` (``method``, ``path``, ``times``,
    ``after``, ``every``, ``probability``, ...), which all of them take; a fault strikes once where
    they do not say. Raises BadRequest for what is impossible.
    """

    __slots__ = ()

    def add(self, **options: Unpack[Options]) -> Rule:
        """A fault made up of its parts, see :class:`mockgraph.testing.faults.Parts`."""
        known = Options.__optional_keys__
        if unknown := options.keys() - known:
            raise TypeError(
                f"A fault has no option {', '.join(sorted(unknown))}; it has "
                f"{', '.join(sorted(known))}."
            )
        parts = cast("Parts", {name: each for name, each in options.items() if name in PARTS})
        when = cast("When", {name: each for name, each in options.items() if name not in PARTS})
        return self.enforce(when, *effects(parts), shown=shown(parts))

    # -- refusals -------------------------------------------------------------------------

    def throttle(
        self, retry_after: float | None = 1, *, as_date: bool = False, **when: Unpack[When]
    ) -> Rule:
        """429 with ``Retry-After``, in seconds or as a date; None leaves it out."""
        return self._refuse("throttle", 429, when, retry_after, as_date)

    def unavailable(
        self, retry_after: float | None = None, *, as_date: bool = False, **when: Unpack[When]
    ) -> Rule:
        """503, with a ``Retry-After`` where one is given."""
        return self._refuse("unavailable", 503, when, retry_after, as_date)

    def gateway_timeout(self, *, carried_out: bool = False, **when: Unpack[When]) -> Rule:
        """504, which leaves open whether the work was done: it was where ``carried_out``."""
        effect = Answer(504, carried_out=carried_out)
        return self._preset("gateway_timeout", when, effect, carried_out=carried_out)

    def server_error(self, **when: Unpack[When]) -> Rule:
        """500."""
        return self._preset("server_error", when, Answer(500))

    def flaky(self, probability: float = 0.5, /, **when: Unpack[When]) -> Rule:
        """503 for so many of the requests by chance, the same ones in each run; for ever."""
        by_chance = cast("When", {"probability": probability, **when})
        return self._preset("flaky", by_chance, Answer(503))

    def unauthorized(self, **when: Unpack[When]) -> Rule:
        """401, as for a token that is not valid."""
        message = "Lifetime validation failed, the token is expired."
        return self._preset("unauthorized", when, Answer(401, message=message))

    def challenge(self, claims: Mapping[str, Any] | None = None, **when: Unpack[When]) -> Rule:
        """401 that asks for a new token with these claims (continuous access evaluation).

        They travel in ``WWW-Authenticate`` as JSON in base64; if left out, they are those of
        a token that was revoked: it has to be issued later than now.
        """
        given = None if claims is None else json_body(claims, "claims").data

        def headers(clock: Clock) -> Pairs:
            demanded = given or orjson.dumps(_issued_later(clock))
            text = b64encode(demanded).decode()
            return Unauthenticated(
                challenge=f'error="insufficient_claims", claims="{text}"'
            ).headers

        effect = Answer(401, message=_REVOKED, headers=headers)
        return self._preset("challenge", when, effect, claims=given and orjson.loads(given))

    def forbidden(self, **when: Unpack[When]) -> Rule:
        """403."""
        return self._preset("forbidden", when, Answer(403))

    def stale_etag(self, **when: Unpack[When]) -> Rule:
        """412 for a request with ``If-Match``, as if somebody had written in between."""
        with_etag = {"If-Match": True, **(when.get("request_headers") or {})}
        when["request_headers"] = with_etag
        return self._preset("stale_etag", when, Answer(412))

    def quota(
        self,
        limit: int,
        window: float,
        per: Literal["app", "tenant"] = "app",
        *,
        as_date: bool = False,
        **matching: Unpack[Matching],
    ) -> Rule:
        """429 for whoever made ``limit`` requests in ``window`` seconds, until those are over.

        ``Retry-After`` tells the time that is left by the tenant's clock. An app is told by the
        id in its token, or by the token; ``per="tenant"`` counts all of them together.
        """
        quota = Quota(self._clock, limit, window, per)
        effect = Answer(429, retry_after=RetryAfter(quota.wait, as_date=as_date))
        told = {"preset": "quota", "limit": limit, "window": window, "per": per}
        if as_date:
            told["as_date"] = True
        return self.enforce(cast("When", matching), effect, schedule=quota, shown=told)

    # -- answers that come badly ----------------------------------------------------------

    def latency(self, ms: float, **when: Unpack[When]) -> Rule:
        """So many milliseconds before each request is done; for ever, unless ``times`` says."""
        for_ever = cast("When", {"times": None, **when})
        return self._preset("latency", for_ever, Delay(ms, "ms"), ms=ms)

    def cut(self, at: Moment = "before", **when: Unpack[When]) -> Rule:
        """The connection breaks.

        ``before``: nothing was done. ``unanswered``: the work was done and no byte of the
        answer is sent. ``during``: it was done, and half the answer's body is sent. ``after``:
        it was done and answered whole, then the connection is gone.
        """
        return self._preset("cut", when, Cut(at, "at"), at=at)

    def slow_body(self, pieces: int = 10, pause_ms: float = 100, **when: Unpack[When]) -> Rule:
        """The answer's body comes in pieces, with a pause before each but the first."""
        effect = SlowBody(pieces, pause_ms)
        return self._preset("slow_body", when, effect, pieces=pieces, pause_ms=pause_ms)

    def malformed(self, kind: Malformation = "truncated", **when: Unpack[When]) -> Rule:
        """The work is done, but the answer's body is not what a client can read.

        ``truncated`` is half the JSON, ``html`` a page of some gateway's, ``empty`` no body,
        ``mislabelled`` the right one as ``application/octet-stream``.
        """
        return self._preset("malformed", when, Malformed(kind), kind=kind)

    def outdated_etag(self, **when: Unpack[When]) -> Rule:
        """The etags in the answer are of before: the next ``If-Match`` with one fails."""
        return self._preset("outdated_etag", when, OutdatedEtag())

    def provider_warning(
        self,
        vendor: str = "Microsoft",
        provider: str = "ASC",
        status: int = 504,
        latency: int = 10_000,
        **when: Unpack[When],
    ) -> Rule:
        """206 with the ``Warning`` header of a provider that failed, in so many milliseconds.

        It is for reading alerts, unless ``method`` or ``path`` say otherwise. Several of these
        make several headers.
        """
        where = cast("When", {"method": "GET", "path": "/security/alerts/**", **when})
        return self._preset(
            "provider_warning",
            where,
            ProviderWarning(vendor, provider, status, latency),
            vendor=vendor,
            provider=provider,
            status=status,
            latency=latency,
        )

    def _refuse(
        self, name: str, status: int, when: When, retry_after: float | None, as_date: bool
    ) -> Rule:
        later = None if retry_after is None else RetryAfter(retry_after, as_date=as_date)
        effect = Answer(status, retry_after=later)
        return self._preset(name, when, effect, retry_after=retry_after, as_date=as_date)

    def _preset(self, name: str, when: When, effect: Effect, **arguments: Any) -> Rule:
        given = {
            key: value
            for key, value in arguments.items()
            if value is not None and value is not False
        }
        return self.enforce(when, effect, shown={"preset": name, **given})


def _issued_later(clock: Clock) -> dict[str, Any]:
    """The claims that the live service asks for when a token was revoked."""
    now = str(int(clock.now().timestamp()))
    return {"access_token": {"nbf": {"essential": True, "value": now}}}
