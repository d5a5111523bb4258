"""The faults of a tenant: made up of effects, or those that Graph has, by name.

The signature of a preset is its declaration: the control plane's form, and whatever else takes
a preset by name, read the parameters, their types, defaults and help from it.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, TypedDict, TypeVar, Unpack, cast

import orjson

from mockgraph.clock import Clock
from mockgraph.errors import BadRequest, Unauthenticated
from mockgraph.testing.canned import (
    HeaderValues,
    Pairs,
    any_body,
    headers_as_json,
    json_body,
    read_headers,
    read_status,
)
from mockgraph.testing.faults.effects import (
    CutPoint,
    Delay,
    Disconnect,
    Effect,
    FailedRun,
    FixedResponse,
    Malformation,
    MalformedBody,
    OutdatedEtag,
    Override,
    ProviderWarning,
    RetryAfter,
    SlowBody,
)
from mockgraph.testing.faults.rules import FaultRules, Rule
from mockgraph.testing.faults.schedules import Quota, When
from mockgraph.testing.faults.throttling import (
    HUNTING_LIMIT,
    SECURITY_LIMIT,
    WINDOW,
    MeteredQuota,
    ThrottledResponse,
)
from mockgraph.testing.matching import Matching
from mockgraph.testing.registry import check_options

P = TypeVar("P", bound=Callable[..., Rule])

# The methods of Faults that are presets, by name.
PRESETS: dict[str, Callable[..., Rule]] = {}

AsDate = Annotated[bool, "Give Retry-After as a date of the tenant's clock, not in seconds."]
CarriedOut = Annotated[bool, "Do the work all the same, and throw its response away."]

# What hunting queries are asked by.
_HUNTS: Mapping[str, Any] = {"method": "POST", "path": "/security/*runHuntingQuery"}

_REVOKED = (
    "Continuous access evaluation resulted in challenge with result: InteractionRequired and "
    "code: TokenIssuedBeforeRevocationTimestamp"
)


class EffectOptions(TypedDict, total=False):
    """The effects of a fault.

    With a ``status`` the request is answered, not carried out: by Graph's error of that
    status, whose ``code`` and ``message`` may be others, or by ``body``. Without, it is carried
    out, and ``headers`` and ``body`` take the place of those of its response. ``carried_out``
    has the work done though a ``status`` is given: an error then hides that all went well,
    another status comes with the true body.
    """

    status: Annotated[int | None, "The status of the response, 200 to 599."]
    code: Annotated[str | None, "The code of the error, with a status."]
    message: Annotated[str | None, "The message of the error, with a status."]
    headers: Annotated[HeaderValues | None, "Headers of the response, with one value or several."]
    body: Annotated[Any, "The body of the response: a text as it is, another value as JSON."]
    delay_ms: Annotated[float, "Milliseconds to wait before anything is done."]
    retry_after: Annotated[float | None, "Seconds that Retry-After asks to wait."]
    as_date: AsDate
    carried_out: CarriedOut
    cut: Annotated[CutPoint | None, "Where the connection breaks, see the preset cut."]


class FaultOptions(When, EffectOptions, total=False):
    """The effects of a fault, and which requests they strike."""


def _preset(method: P) -> P:
    PRESETS[method.__name__] = method
    return method


class Faults(FaultRules):
    """The faults of a tenant::

        graph.faults.throttle(times=2, retry_after=1, path="/security/alerts")
        with graph.faults.unavailable(method="POST", times=None) as fault:
            ...
        assert fault.struck == 3

    Each method puts a fault in force and returns its rule. All of them take the options of
    :class:`mockgraph.testing.faults.When` (``method``, ``path``, ``times``, ``after``,
    ``every``, ``probability``, ...): which requests the fault is for, and which of these it
    strikes; one, where they do not say. Raises BadRequest for what is impossible.
    """

    __slots__ = ()

    def add(self, **options: Unpack[FaultOptions]) -> Rule:
        """Put a fault in force, made up of :class:`mockgraph.testing.faults.FaultOptions`."""
        check_options("fault", options, FaultOptions.__optional_keys__)
        own = EffectOptions.__optional_keys__
        effects = cast("EffectOptions", {name: v for name, v in options.items() if name in own})
        when = cast("When", {name: v for name, v in options.items() if name not in own})
        return self.enforce(when, *_effects(effects), asked=_as_json(effects))

    # -- refusals -------------------------------------------------------------------------

    @_preset
    def throttle(
        self,
        retry_after: Annotated[
            float | None, "Seconds that Retry-After asks to wait; null leaves the header out."
        ] = 1,
        *,
        as_date: AsDate = False,
        **when: Unpack[When],
    ) -> Rule:
        """Answer 429 with ``Retry-After``, in seconds or as a date, or without it."""
        return self._refuse("throttle", 429, when, retry_after, as_date)

    @_preset
    def unavailable(
        self,
        retry_after: Annotated[float | None, "Seconds that Retry-After asks to wait."] = None,
        *,
        as_date: AsDate = False,
        **when: Unpack[When],
    ) -> Rule:
        """Answer 503, with a ``Retry-After`` where one is given."""
        return self._refuse("unavailable", 503, when, retry_after, as_date)

    @_preset
    def gateway_timeout(self, *, carried_out: CarriedOut = False, **when: Unpack[When]) -> Rule:
        """Answer 504, which leaves open whether the work was done: it was where ``carried_out``."""
        effect = FixedResponse(504, carried_out=carried_out)
        return self._enforce("gateway_timeout", when, effect, carried_out=carried_out)

    @_preset
    def server_error(self, **when: Unpack[When]) -> Rule:
        """Answer 500."""
        return self._enforce("server_error", when, FixedResponse(500))

    @_preset
    def flaky(
        self,
        probability: Annotated[float, "The share of the requests that are struck, 0 to 1."] = 0.5,
        /,
        **when: Unpack[When],
    ) -> Rule:
        """Answer 503 to a share of the requests by chance, the same ones in each run; for ever."""
        by_chance = cast("When", {"probability": probability, **when})
        return self._enforce("flaky", by_chance, FixedResponse(503))

    @_preset
    def unauthorized(self, **when: Unpack[When]) -> Rule:
        """Answer 401, as for a token that is not valid."""
        message = "Lifetime validation failed, the token is expired."
        return self._enforce("unauthorized", when, FixedResponse(401, message=message))

    @_preset
    def challenge(
        self,
        claims: Annotated[
            Mapping[str, Any] | None,
            "The claims; those for a token that was revoked if left out: issued later than now.",
        ] = None,
        **when: Unpack[When],
    ) -> Rule:
        """Answer 401 that asks for a new token with claims (continuous access evaluation).

        They travel in ``WWW-Authenticate`` as JSON in base64.
        """
        given = None if claims is None else json_body(claims, "claims").data

        def headers(clock: Clock) -> Pairs:
            text = b64encode(given or orjson.dumps(_issued_later(clock))).decode()
            return Unauthenticated(
                challenge=f'error="insufficient_claims", claims="{text}"'
            ).headers

        effect = FixedResponse(401, message=_REVOKED, headers=headers)
        return self._enforce("challenge", when, effect, claims=given and orjson.loads(given))

    @_preset
    def forbidden(self, **when: Unpack[When]) -> Rule:
        """Answer 403."""
        return self._enforce("forbidden", when, FixedResponse(403))

    @_preset
    def stale_etag(self, **when: Unpack[When]) -> Rule:
        """Answer 412 to a request with ``If-Match``, as if somebody had written in between."""
        with_etag = {"If-Match": True, **(when.get("request_headers") or {})}
        when["request_headers"] = with_etag
        return self._enforce("stale_etag", when, FixedResponse(412))

    @_preset
    def quota(
        self,
        limit: Annotated[int, "How many requests are served in a window."],
        window: Annotated[float, "How long a window is, in seconds of the tenant's clock."],
        per: Annotated[
            Literal["app", "tenant"], "Count each app for itself, or all of them together."
        ] = "app",
        *,
        as_date: AsDate = False,
        **matching: Unpack[Matching],
    ) -> Rule:
        """Answer 429 to a caller with ``limit`` requests in a window, until that has passed.

        ``Retry-After`` is the rest of the window. An app is known by the id in its token, or by
        the token.
        """
        quota = Quota(self._clock, limit, window, per)
        effect = FixedResponse(429, retry_after=RetryAfter(quota.wait, as_date=as_date))
        asked = {"preset": "quota", "limit": limit, "window": window, "per": per}
        if as_date:
            asked["as_date"] = True
        return self.enforce(cast("When", matching), effect, schedule=quota, asked=asked)

    @_preset
    def security_quota(
        self,
        limit: Annotated[
            int | None,
            "How many requests an app may make in a minute, 150 in the live service; struck at "
            "once if left out, as if they had been made.",
        ] = None,
        retry_after: Annotated[
            float | None, "Seconds that Retry-After asks to wait, in fractions as they come."
        ] = 0.249,
        *,
        as_date: AsDate = False,
        **when: Unpack[When],
    ) -> Rule:
        """Answer a request for Security with 429 and ``x-ms-throttle-*``, its quota being used up.

        With a ``limit`` so many requests of an app are served in a minute, and from four fifths of
        them on ``x-ms-throttle-limit-percentage`` warns; ``Retry-After`` is the rest of the minute.
        """
        message = f"The app has made the {limit or SECURITY_LIMIT} requests of a minute."
        where = cast("When", {"path": "/security/**", **when})
        later = _later(retry_after, as_date)
        if limit is None:
            effect = ThrottledResponse(message, later)
            given = {"retry_after": retry_after, "as_date": as_date}
            return self._enforce("security_quota", where, effect, **given)
        return self._metered("security_quota", message, where, limit, as_date, "app")

    @_preset
    def hunting_quota(
        self,
        retry_after: Annotated[float | None, "Seconds that Retry-After asks to wait."] = 60,
        *,
        limit: Annotated[
            int | None,
            "How many hunting queries a tenant may make in a minute, 45 in the live service; "
            "struck at once if left out, as if they had been made.",
        ] = None,
        as_date: AsDate = False,
        **when: Unpack[When],
    ) -> Rule:
        """Answer a hunting query with 429: the tenant has asked 45 times in the minute.

        With a ``limit`` so many queries are served in a minute, as by ``security_quota``.
        """
        message = (
            f"The tenant has made the {limit or HUNTING_LIMIT} hunting calls that it may make in a "
            "minute."
        )
        if limit is None:
            return self._refuse_hunt("hunting_quota", message, when, retry_after, as_date)
        where = cast("When", {**_HUNTS, **when})
        return self._metered("hunting_quota", message, where, limit, as_date, "tenant")

    @_preset
    def hunting_cpu(
        self,
        retry_after: Annotated[float | None, "Seconds that Retry-After asks to wait."] = 600,
        *,
        as_date: AsDate = False,
        **when: Unpack[When],
    ) -> Rule:
        """Answer a hunting query with 429: the tenant has used its share of computing time."""
        message = "The tenant has used the CPU resources that hunting queries are allocated."
        return self._refuse_hunt(
            "hunting_cpu", message, when, retry_after, as_date, "CPULimitExceeded"
        )

    # -- work that ends badly ---------------------------------------------------------------

    @_preset
    def failed_operation(self, **when: Unpack[When]) -> Rule:
        """Accept a request, and have the operation that it sets going end as ``failed``."""
        not_reading = cast("When", {"method": "POST", **when})
        return self._enforce("failed_operation", not_reading, FailedRun())

    # -- responses that come badly --------------------------------------------------------

    @_preset
    def latency(self, ms: Annotated[float, "Milliseconds to wait."], **when: Unpack[When]) -> Rule:
        """Wait before each request is done; for ever, unless ``times`` says."""
        for_ever = cast("When", {"times": None, **when})
        return self._enforce("latency", for_ever, Delay(ms, "ms"), ms=ms)

    @_preset
    def cut(
        self,
        at: Annotated[
            CutPoint,
            "before: nothing was done; unanswered: the work was done, and no byte is sent; "
            "during: half the body is sent; after: all of it.",
        ] = "before",
        **when: Unpack[When],
    ) -> Rule:
        """Break the connection.

        ``before``: nothing was done. ``unanswered``: the work was done and no byte of the
        response is sent. ``during``: it was done, and half the response's body is sent.
        ``after``: it was done and answered whole, then the connection is gone.
        """
        return self._enforce("cut", when, Disconnect(at, "at"), at=at)

    @_preset
    def slow_body(
        self,
        pieces: Annotated[int, "How many pieces there are, 2 or more."] = 10,
        pause_ms: Annotated[float, "Milliseconds between two pieces."] = 100,
        **when: Unpack[When],
    ) -> Rule:
        """Send the response's body in pieces, with a pause before each but the first."""
        effect = SlowBody(pieces, pause_ms)
        return self._enforce("slow_body", when, effect, pieces=pieces, pause_ms=pause_ms)

    @_preset
    def malformed(
        self,
        kind: Annotated[
            Malformation,
            "truncated: half the JSON; html: a page of some gateway; empty: no body; "
            "mislabelled: the right body as application/octet-stream.",
        ] = "truncated",
        **when: Unpack[When],
    ) -> Rule:
        """Do the work, but answer with a body that a client cannot read.

        ``truncated`` is half the JSON, ``html`` a page of some gateway's, ``empty`` no body,
        ``mislabelled`` the right one as ``application/octet-stream``.
        """
        return self._enforce("malformed", when, MalformedBody(kind), kind=kind)

    @_preset
    def outdated_etag(self, **when: Unpack[When]) -> Rule:
        """Answer with etags of an earlier revision: the next ``If-Match`` with one fails."""
        return self._enforce("outdated_etag", when, OutdatedEtag())

    @_preset
    def provider_warning(
        self,
        vendor: Annotated[str, "The vendor in the header."] = "Microsoft",
        provider: Annotated[str, "The provider in the header."] = "ASC",
        status: Annotated[int, "The status that the provider answered with."] = 504,
        latency: Annotated[int, "Milliseconds that the provider took."] = 10_000,
        **when: Unpack[When],
    ) -> Rule:
        """Answer 206 with the ``Warning`` header of a provider that failed.

        It is for reading alerts, unless ``method`` or ``path`` say otherwise. Several of these
        make several headers.
        """
        where = cast("When", {"method": "GET", "path": "/security/alerts/**", **when})
        effect = ProviderWarning(vendor, provider, status, latency)
        asked = {"vendor": vendor, "provider": provider, "status": status, "latency": latency}
        return self._enforce("provider_warning", where, effect, **asked)

    def _refuse(
        self, name: str, status: int, when: When, retry_after: float | None, as_date: bool
    ) -> Rule:
        effect = FixedResponse(status, retry_after=_later(retry_after, as_date))
        return self._enforce(name, when, effect, retry_after=retry_after, as_date=as_date)

    def _refuse_hunt(
        self,
        name: str,
        message: str,
        when: When,
        retry_after: float | None,
        as_date: bool,
        information: str = "ResourceUnitLimitExceeded",
    ) -> Rule:
        later = _later(retry_after, as_date)
        effect = ThrottledResponse(message, later, scope="Tenant", information=information)
        where = cast("When", {**_HUNTS, **when})
        return self._enforce(name, where, effect, retry_after=retry_after, as_date=as_date)

    def _metered(
        self, name: str, message: str, where: When, limit: int, as_date: bool, per: str
    ) -> Rule:
        """Put a quota in force of which callers are warned."""
        quota = MeteredQuota(self._clock, limit, WINDOW, per)
        later = RetryAfter(quota.wait, as_date=as_date)
        scope = "Tenant" if per == "tenant" else "Tenant_Application"
        effect = ThrottledResponse(message, later, scope=scope, quota=quota)
        asked = {"preset": name, "limit": limit, **({"as_date": True} if as_date else {})}
        return self.enforce(where, effect, schedule=quota, asked=asked)

    def _enforce(self, name: str, when: When, effect: Effect, **arguments: Any) -> Rule:
        given = {
            key: value
            for key, value in arguments.items()
            if value is not None and value is not False
        }
        return self.enforce(when, effect, asked={"preset": name, **given})


def _later(seconds: float | None, as_date: bool) -> RetryAfter | None:
    return None if seconds is None else RetryAfter(seconds, as_date=as_date)


def _effects(options: EffectOptions) -> list[Effect]:
    """Return the effects of a fault. Raises BadRequest where one is impossible or none."""
    made: list[Effect] = []
    if options.get("delay_ms"):
        made.append(Delay(options["delay_ms"]))
    if (cut := options.get("cut")) is not None:
        made.append(Disconnect(cut))
    if (response := _response(options)) is not None:
        made.append(response)
    if not made:
        raise BadRequest("A fault needs a status, headers, a body, delay_ms, retry_after or cut.")
    return made


def _response(options: EffectOptions) -> Effect | None:
    """Return the effect that answers the request, or alters the response."""
    status, body = options.get("status"), options.get("body")
    headers = read_headers(options.get("headers"))
    content = None if body is None else any_body(body)
    seconds, as_date = options.get("retry_after"), options.get("as_date", False)
    later = None if seconds is None else RetryAfter(seconds, as_date=as_date)
    if status is None:
        for name in ("code", "message", "carried_out"):
            if options.get(name):
                raise BadRequest(f"{name}: Without a status it means nothing.")
        if not (headers or content or later):
            return None
        return Override(headers=headers, body=content, retry_after=later)
    carried_out = options.get("carried_out", False)
    if read_status(status) < 400 and carried_out:
        return Override(status=status, headers=headers, body=content, retry_after=later)
    return FixedResponse(
        status,
        code=options.get("code"),
        message=options.get("message"),
        headers=headers,
        body=content,
        retry_after=later,
        carried_out=carried_out,
    )


def _as_json(options: EffectOptions) -> dict[str, Any]:
    asked: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    if "headers" in asked:
        asked["headers"] = headers_as_json(read_headers(asked["headers"]))
    if "body" in asked:
        asked["body"] = any_body(asked["body"]).as_json()
    return asked


def _issued_later(clock: Clock) -> dict[str, Any]:
    """Return the claims that the live service asks for when a token was revoked."""
    now = str(int(clock.now().timestamp()))
    return {"access_token": {"nbf": {"essential": True, "value": now}}}
