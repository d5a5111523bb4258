"""Tokens as Entra issues them: what access tokens and id tokens say."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass

from mockgraph.clock import Clock
from mockgraph.entra.directory import PERSONAL, App, User
from mockgraph.entra.issuers import Issuers, issuer_of
from mockgraph.entra.keys import Keys
from mockgraph.entra.revocations import Revocations
from mockgraph.entra.scopes import Asked
from mockgraph.metadata.names import Json

LIFETIME = 3600
# A token counts from five minutes before it was made, against clocks that run late.
_EARLIER = 300


@dataclass(frozen=True)
class Grant:
    """What was granted: to an app, in the name of a user or its own, permissions on a resource.

    ``credential`` is how the app proved itself: ``0`` not at all, ``1`` by a secret, ``2`` by a
    certificate. ``capabilities`` are the client's (``xms_cc``), ``answers_challenge`` tells
    that it asked as a claims challenge has it; ``nonce`` goes into the id token.
    """

    app: App
    user: User | None
    tenant: str
    asked: Asked
    permissions: tuple[str, ...]
    credential: str = "0"
    capabilities: tuple[str, ...] = ()
    answers_challenge: bool = False
    nonce: str | None = None

    @property
    def object_id(self) -> str:
        """Who the token is about."""
        return self.user.object_id if self.user else self.app.object_id

    @property
    def subjects(self) -> tuple[str, ...]:
        """Whom it can be revoked from: the app by its app id, the user by their object id."""
        return (self.app.app_id, self.object_id)

    @property
    def version(self) -> int | None:
        """The version of the tokens that the resource takes, where it says so."""
        return self.asked.api.token_version if self.asked.api else None

    @property
    def audience(self) -> str:
        """Who the token is for; an API that takes tokens of version 2 is its app's id."""
        api = self.asked.api
        return api.app_id if api and api.token_version == 2 else self.asked.resource


class Tokens:
    """Makes tokens of grants, with one key and by one clock."""

    def __init__(self, keys: Keys, clock: Clock, issuers: Issuers, revocations: Revocations):
        self._keys = keys
        self._clock = clock
        self._issuers = issuers
        self._revocations = revocations

    def access_token(self, grant: Grant, root: str, version: int) -> str:
        """A signed access token. ``root`` is the URL that the tenants hang on, with its slash."""
        if grant.answers_challenge:
            self._revocations.answered(grant.subjects)
        self._issuers.add(root)
        return self._keys.sign(self.access_claims(grant, root, version))

    def access_claims(self, grant: Grant, root: str, version: int) -> dict[str, Json]:
        """What an access token says. An API may take tokens of its own version only.

        Entra's tokens for Graph are of version 1 whatever the endpoint; here they are of the
        endpoint's, so that they stand up to its ``openid-configuration``, and name the app in
        the words of both versions.
        """
        claims = {
            "aud": grant.audience,
            **self._common(grant, root, grant.version or version),
            "app_displayname": grant.app.name,
            "appid": grant.app.app_id,
            "appidacr": grant.credential,
            "azp": grant.app.app_id,
            "azpacr": grant.credential,
            "idtyp": "user" if grant.user else "app",
        }
        if grant.user:
            openid = [each for each in grant.asked.openid if each != "offline_access"]
            claims["scp"] = " ".join([*openid, *grant.permissions])
        elif grant.permissions:
            claims["roles"] = list(grant.permissions)
        if grant.capabilities:
            claims["xms_cc"] = list(grant.capabilities)
        return claims

    def id_token(self, grant: Grant, root: str, version: int) -> str:
        """A signed token about the user, for the app."""
        claims = {"aud": grant.app.app_id, **self._common(grant, root, version)}
        if grant.nonce is not None:
            claims["nonce"] = grant.nonce
        return self._keys.sign(claims)

    def _common(self, grant: Grant, root: str, version: int) -> dict[str, Json]:
        now = int(self._clock.now().timestamp())
        claims: dict[str, Json] = {
            "iss": issuer_of(root, grant.tenant, version),
            "iat": now - _EARLIER,
            "nbf": now - _EARLIER,
            "exp": now + LIFETIME,
            "oid": grant.object_id,
            "sub": _subject(grant),
            "tid": grant.tenant,
            "uti": self._identifier(),
            "ver": f"{version}.0",
        }
        if grant.user:
            name = grant.user.name
            claims.update({"name": grant.user.display_name, "email": name, "upn": name})
            claims.update({"unique_name": name, "preferred_username": name})
        if grant.tenant == PERSONAL:
            claims["idp"] = "live.com"
        elif version == 1:
            claims["idp"] = claims["iss"]
        return claims

    def _identifier(self) -> str:
        """A unique identifier of 16 bytes, the first of them the token's number."""
        number = self._revocations.number().to_bytes(8, "big")
        return base64url(number + secrets.token_bytes(8))


def number_of(identifier: str) -> int:
    """The number in a token's unique identifier."""
    return int.from_bytes(base64.urlsafe_b64decode(f"{identifier}==")[:8], "big")


def base64url(data: bytes) -> str:
    """Bytes as JOSE has them, without padding (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _subject(grant: Grant) -> str:
    """An app is itself; a person is another subject to each app (OpenID Connect Core, 8.1)."""
    if grant.user is None:
        return grant.app.object_id
    pair = f"{grant.user.object_id}:{grant.app.app_id}"
    return base64url(hashlib.sha256(pair.encode()).digest())
