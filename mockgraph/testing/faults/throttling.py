"""Throttling as Graph's services do it: a 429 that tells of its quota, and warnings before.

The headers are those of the page "Microsoft Graph throttling guidance", the limits those of
"Microsoft Graph service-specific throttling limits".
"""

from __future__ import annotations

from typing import Final

from mockgraph.clock import Clock
from mockgraph.http import Request, Response
from mockgraph.service.entity_defaults import TENANT
from mockgraph.testing.faults.effects import FixedResponse, RetryAfter
from mockgraph.testing.faults.schedules import Quota
from mockgraph.testing.matching import caller_of

# Alerts, scores and the rest of Security: calls of an app in a tenant in a minute.
SECURITY_LIMIT: Final = 150
# Hunting: calls of all apps of a tenant in a minute.
HUNTING_LIMIT: Final = 45
WINDOW: Final = 60.0

_WARNED_FROM = 0.8
_OVER = "mockgraph.over_quota"
_NO_APP = "00000000-0000-0000-0000-000000000000"


class MeteredQuota(Quota):
    """A quota of which callers are warned: it strikes, too, from four fifths of it on."""

    def turn(self, request: Request) -> bool:
        is_over = super().turn(request)
        request.environ[_OVER] = is_over
        return is_over or self.share(request) >= _WARNED_FROM


class ThrottledResponse(FixedResponse):
    """A 429 with the headers that tell of the quota.

    ``scope`` is what the quota is of, ``Tenant_Application`` or ``Tenant``; ``information`` is the
    limit that was exceeded. With a ``quota`` the request is answered so where that is used up, and
    else its response says how much of it is used.
    """

    def __init__(
        self,
        message: str | None,
        retry_after: RetryAfter | None,
        *,
        scope: str = "Tenant_Application",
        information: str = "ResourceUnitLimitExceeded",
        quota: MeteredQuota | None = None,
    ):
        super().__init__(429, message=message, retry_after=retry_after)
        self._scope = scope
        self._information = information
        self._quota = quota

    def before(self, request: Request, clock: Clock) -> Response | None:
        is_over = self._quota is None or request.environ[_OVER]
        return self._response(request, clock) if is_over else None

    def after(self, response: Response, request: Request, clock: Clock) -> Response:  # noqa: ARG002
        if self._quota is not None and not request.environ[_OVER]:
            share = self._quota.share(request)
            response.set("x-ms-throttle-limit-percentage", f"{share:.2f}")
            response.set("x-ms-resource-unit", "1")
        return response

    def _response(self, request: Request, clock: Clock) -> Response:
        response = super()._response(request, clock)
        kind = "Read" if request.method in ("GET", "HEAD") else "Write"
        app = caller_of(request)
        app = app if len(app) == len(_NO_APP) else _NO_APP
        response.set("x-ms-throttle-scope", f"{self._scope}/{kind}/{app}/{TENANT}")
        response.set("x-ms-throttle-information", self._information)
        response.set("x-ms-throttle-limit-percentage", "1.00")
        response.set("x-ms-resource-unit", "1")
        return response
