"""Whether the claims of a token that this server signed are good, here and now."""

from __future__ import annotations

import base64
import json

from mockgraph.clock import Clock
from mockgraph.entra.issuers import Issuers
from mockgraph.entra.keys import Claims, refused
from mockgraph.entra.revocations import Revocations
from mockgraph.entra.scopes import meant_for
from mockgraph.entra.tokens import number_of
from mockgraph.errors import Unauthenticated

# One clock writes the times and judges by them: this is for their fractions of a second.
_LEEWAY = 1

_REVOKED = (
    "Continuous access evaluation resulted in challenge with result: InteractionRequired and "
    "code: TokenIssuedBeforeRevocationTimestamp"
)


class Verification:
    """Checks claims by one clock, against the issuers and the revocations of one tenant."""

    def __init__(self, clock: Clock, issuers: Issuers, revocations: Revocations):
        self._clock = clock
        self._issuers = issuers
        self._revocations = revocations

    def check(self, claims: Claims, host: str) -> None:
        """Raises Unauthenticated where the token is not good at this host (as in ``Host``)."""
        now = self._clock.now().timestamp()
        if claims["exp"] + _LEEWAY <= now:
            raise refused("Lifetime validation failed, the token is expired.")
        if claims["nbf"] - _LEEWAY > now:
            raise refused("Lifetime validation failed, the token is not yet valid.")
        if "appid" not in claims or not meant_for(claims["aud"], host):
            raise refused("Access token validation failure. Invalid audience.")
        if not self._issuers.know(claims["iss"], claims["tid"]):
            raise refused("Access token validation failure. Invalid issuer.")
        self._check_session(claims, now)

    def _check_session(self, claims: Claims, now: float) -> None:
        app, subject = claims["appid"], claims["oid"]
        if not self._revocations.covers(number_of(claims["uti"]), (app, subject)):
            return
        if "cp1" not in (each.lower() for each in claims.get("xms_cc", ())):
            raise refused("Access token has been revoked.")
        wanted = {"access_token": {"nbf": {"essential": True, "value": str(int(now))}}}
        encoded = base64.b64encode(json.dumps(wanted).encode()).decode()
        raise Unauthenticated(
            _REVOKED,
            challenge=f'error="insufficient_claims", error_description="{_REVOKED}", '
            f'claims="{encoded}"',
        )
