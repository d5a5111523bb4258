"""Tokens as Entra issues them: issued, verified, revoked, and made with a flaw for tests."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import math
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from mockgraph.clock import Clock
from mockgraph.entra.directory import PERSONAL, App, Directory, User
from mockgraph.entra.scopes import RequestedScope, meant_for
from mockgraph.entra.signing_keys import Claims, SigningKey, base64url, invalid_token
from mockgraph.errors import BadRequest, Unauthenticated
from mockgraph.metadata.names import Json

# The lifetime of a token in seconds.
TOKEN_LIFETIME = 3600
# Tokens are valid from five minutes before they are made, for clocks that are late.
_EARLIER = 300
# The clock that writes the times also judges them: this is for fractions of a second.
_LEEWAY = 1
_HOUR = 3600
_LONGEST_LIFETIME = 100 * 365 * 24 * _HOUR

# The root of Entra itself; its tokens of version 1 have another issuer.
MICROSOFT = "https://login.microsoftonline.com/"
_MICROSOFT_V1 = "https://sts.windows.net/"
_NO_AUTHORITY = "An authority is a URL, such as https://localhost:8366/contoso.example."

_EVERYONE = "*"
_REVOKED = (
    "Continuous access evaluation resulted in challenge with result: InteractionRequired and "
    "code: TokenIssuedBeforeRevocationTimestamp"
)


@dataclass(frozen=True)
class Grant:
    """The permissions on a resource that an app was granted, for itself or for a user.

    ``credential`` is how the app authenticated: ``0`` not at all, ``1`` by a secret, ``2`` by a
    certificate. ``capabilities`` are the client's (``xms_cc``); ``answers_challenge`` tells
    whether the request answered a claims challenge; ``nonce`` goes into the id token.
    """

    app: App
    user: User | None
    tenant: str
    requested: RequestedScope
    permissions: tuple[str, ...]
    credential: str = "0"
    capabilities: tuple[str, ...] = ()
    answers_challenge: bool = False
    nonce: str | None = None

    @property
    def object_id(self) -> str:
        """The object id of the subject: the user, else the app's service principal."""
        return self.user.object_id if self.user else self.app.object_id

    @property
    def subjects(self) -> tuple[str, ...]:
        """The ids under which it can be revoked: the app id and the object id."""
        return (self.app.app_id, self.object_id)

    @property
    def version(self) -> int | None:
        """The version of tokens that the resource accepts; None where it leaves that open."""
        return self.requested.api.token_version if self.requested.api else None

    @property
    def audience(self) -> str:
        """The ``aud`` of its tokens; for an API that accepts version 2, the id of its app."""
        api = self.requested.api
        return api.app_id if api and api.token_version == 2 else self.requested.resource


class Tokens:
    """Issues and verifies the tokens of one tenant of MockGraph, with one key and by one clock."""

    def __init__(self, key: SigningKey, clock: Clock, directory: Directory):
        self.revocations = Revocations(directory)
        self._key = key
        self._clock = clock
        self._secret = secrets.token_bytes(32)

    def access_token(self, grant: Grant, root: str, version: int) -> str:
        """Issue an access token. ``root`` is the URL above the tenants, with its slash."""
        if grant.answers_challenge:
            self.revocations.answer_challenge(grant.subjects)
        return self._key.sign(self._access_claims(grant, root, version))

    def id_token(self, grant: Grant, root: str, version: int) -> str:
        """Issue an id token: about the user, for the app."""
        claims = {"aud": grant.app.app_id, **self._common_claims(grant, root, version)}
        if grant.nonce is not None:
            claims["nonce"] = grant.nonce
        return self._key.sign(claims)

    def mint(self, grant: Grant, root: str, version: int, lifetime: float, flaw: str | None) -> str:
        """Issue an access token with this lifetime in seconds, and with a flaw or without.

        Raises BadRequest for a flaw that is not one of ``FLAWS``, and for more than a century.
        """
        if not -_LONGEST_LIFETIME <= lifetime <= _LONGEST_LIFETIME:
            raise BadRequest("The lifetime of a token is a century at most, in seconds.")
        if flaw is not None and flaw not in FLAWS:
            raise BadRequest(f"A token may have one of the flaws {', '.join(FLAWS)}; not '{flaw}'.")
        claims = self._access_claims(grant, root, version)
        now = self._now()
        claims["exp"] = int(now + lifetime)
        flawed_claims = _FLAWED_CLAIMS.get(flaw or "")
        if flawed_claims is not None:
            claims.update(flawed_claims(claims, now))
        sign = _FLAWED_SIGNATURES.get(flaw or "", SigningKey.sign)
        return sign(self._key, claims)

    def verify(self, token: str, host: str) -> Claims:
        """Return the claims of an access token that is valid at this host, as in ``Host``.

        Raises Unauthenticated with the reason.
        """
        claims = self._key.read(token)
        now = self._clock.now().timestamp()
        if claims["exp"] + _LEEWAY <= now:
            raise invalid_token("Lifetime validation failed, the token is expired.")
        if claims["nbf"] - _LEEWAY > now:
            raise invalid_token("Lifetime validation failed, the token is not yet valid.")
        if "appid" not in claims or not meant_for(claims["aud"], host):
            raise invalid_token("Access token validation failure. Invalid audience.")
        number = _number_of(claims["uti"])
        if claims["uti"] != self._identifier(number, claims["iss"], claims["tid"]):
            raise invalid_token("Access token validation failure. Invalid issuer.")
        if self.revocations.covers(number, (claims["appid"], claims["oid"])):
            raise _revoked(claims, now)
        return claims

    def _access_claims(self, grant: Grant, root: str, version: int) -> dict[str, Json]:
        """Return the claims of an access token. An API may accept its own version only.

        Entra's tokens for Graph are of version 1 at each endpoint; here they are of the
        endpoint's version, so that they agree with its ``openid-configuration``, and name the
        app by the claims of both versions.
        """
        claims = {
            "aud": grant.audience,
            **self._common_claims(grant, root, grant.version or version),
            "app_displayname": grant.app.name,
            "appid": grant.app.app_id,
            "appidacr": grant.credential,
            "azp": grant.app.app_id,
            "azpacr": grant.credential,
            "idtyp": "user" if grant.user else "app",
        }
        if grant.user:
            openid = [each for each in grant.requested.openid if each != "offline_access"]
            claims["scp"] = " ".join([*openid, *grant.permissions])
        elif grant.permissions:
            claims["roles"] = list(grant.permissions)
        if grant.capabilities:
            claims["xms_cc"] = list(grant.capabilities)
        return claims

    def _common_claims(self, grant: Grant, root: str, version: int) -> dict[str, Json]:
        now = self._now()
        issuer = issuer_of(root, grant.tenant, version)
        claims: dict[str, Json] = {
            "iss": issuer,
            "iat": now - _EARLIER,
            "nbf": now - _EARLIER,
            "exp": now + TOKEN_LIFETIME,
            "oid": grant.object_id,
            "sub": _subject_of(grant),
            "tid": grant.tenant,
            "uti": self._identifier(self.revocations.number(), issuer, grant.tenant),
            "ver": f"{version}.0",
        }
        if grant.user:
            name = grant.user.name
            claims.update({"name": grant.user.display_name, "email": name, "upn": name})
            claims.update({"unique_name": name, "preferred_username": name})
        if grant.tenant == PERSONAL:
            claims["idp"] = "live.com"
        elif version == 1:
            claims["idp"] = issuer
        return claims

    def _identifier(self, number: int, issuer: str, tenant: str) -> str:
        """Return the unique identifier of a token, 16 bytes (``uti``).

        They are its number and a keyed digest, by which its issuer is recognized: the server has
        any number of names, and its tenants share a key.
        """
        head = number.to_bytes(8, "big")
        digest = hmac.digest(self._secret, head + f"{issuer} {tenant}".encode(), "sha256")
        return base64url(head + digest[:8])

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


class Revocations:
    """The number of the last token, of each subject, that was revoked.

    Tokens are numbered as they are issued: times do not tell apart the tokens of one second, or
    of a frozen clock. A subject is the object id of a user, or the id of an app. A subject that
    the directory says is revoked stays so until a client answers the claims challenge. Safe
    under threads.
    """

    def __init__(self, directory: Directory):
        self._numbers = itertools.count(1)
        self._last = 0
        self._lock = threading.Lock()
        self.reset(directory)

    def reset(self, directory: Directory) -> None:
        """Revoke what the directory says, and nothing else."""
        users = (user for user in (directory.users or {}).values() if user.revoked)
        apps = (app for app in (directory.apps or {}).values() if app.revoked)
        revoked = dict.fromkeys((user.object_id for user in users), math.inf)
        revoked.update(dict.fromkeys((app.app_id for app in apps), math.inf))
        with self._lock:
            self._until: dict[str, float] = revoked

    def number(self) -> int:
        """Return the number of a new token."""
        with self._lock:
            self._last = next(self._numbers)
            return self._last

    def revoke(self, subject: str | None) -> None:
        """Revoke the tokens issued to a subject until now; None is everyone."""
        with self._lock:
            self._until[subject or _EVERYONE] = self._last

    def answer_challenge(self, subjects: tuple[str, ...]) -> None:
        """Accept the tokens that are issued from now on to subjects that the directory revokes."""
        with self._lock:
            for subject in subjects:
                if self._until.get(subject) == math.inf:
                    self._until[subject] = self._last

    def covers(self, number: int, subjects: tuple[str, ...]) -> bool:
        """Tell whether the token of this number was revoked."""
        with self._lock:
            return any(number <= self._until.get(each, 0) for each in (*subjects, _EVERYONE))


def issuer_of(root: str, tenant: str, version: int) -> str:
    """Return the ``iss`` of a tenant's tokens; ``root`` is the URL above it, with its slash."""
    if version == 2:
        return f"{root}{tenant}/v2.0"
    return f"{_MICROSOFT_V1 if root == MICROSOFT else root}{tenant}/"


def split_authority(url: str) -> tuple[str, str | None]:
    """Split the URL of an authority, as clients are configured, into the root and the tenant.

    The tenant of ``https://localhost:8366`` is None. Raises BadRequest.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise BadRequest(_NO_AUTHORITY) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise BadRequest(_NO_AUTHORITY)
    above, _, tenant = parts.path.rstrip("/").rpartition("/")
    return f"{parts.scheme}://{parts.netloc}{above}/", tenant or None


def _number_of(identifier: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(f"{identifier}==")[:8], "big")


def _subject_of(grant: Grant) -> str:
    """Return the ``sub``: that of a user differs by app (OpenID Connect Core, 8.1)."""
    if grant.user is None:
        return grant.app.object_id
    pair = f"{grant.user.object_id}:{grant.app.app_id}"
    return base64url(hashlib.sha256(pair.encode()).digest())


def _revoked(claims: Claims, now: float) -> Unauthenticated:
    """Return the error of a revoked token: a claims challenge for clients that handle one."""
    if "cp1" not in (each.lower() for each in claims.get("xms_cc", ())):
        return invalid_token("Access token has been revoked.")
    wanted = {"access_token": {"nbf": {"essential": True, "value": str(int(now))}}}
    encoded = base64.b64encode(json.dumps(wanted).encode()).decode()
    return Unauthenticated(
        _REVOKED,
        challenge=f'error="insufficient_claims", error_description="{_REVOKED}", '
        f'claims="{encoded}"',
    )


# -- flaws ---------------------------------------------------------------------------------

# The claims that a flaw changes.
_FLAWED_CLAIMS: Mapping[str, Callable[[Claims, int], Claims]] = {
    "expired": lambda _, now: {"exp": now - _HOUR, "nbf": now - 2 * _HOUR, "iat": now - 2 * _HOUR},
    "future": lambda _, now: {"exp": now + 2 * _HOUR, "nbf": now + _HOUR, "iat": now + _HOUR},
    "audience": lambda *_: {"aud": "https://vault.azure.net"},
    "issuer": lambda claims, _: {"iss": f"https://issuer.example/{claims['tid']}/v2.0"},
    "tenant": lambda *_: {"tid": "00000000-0000-0000-0000-000000000000"},
}


def _sign_with_another_key(_: SigningKey, claims: Claims) -> str:
    return SigningKey().sign(claims)


def _sign_not_at_all(_: SigningKey, claims: Claims) -> str:
    import jwt

    return jwt.encode(dict(claims), "", algorithm="none")


def _sign_with_the_public_key(key: SigningKey, claims: Claims) -> str:
    """Sign with the public key, which everyone has, as if it were a shared secret."""
    import jwt

    public = key.document()
    headers = {"kid": public["kid"]}
    return jwt.encode(dict(claims), public["n"], algorithm="HS256", headers=headers)


def _change_after_signing(key: SigningKey, claims: Claims) -> str:
    header, _, signature = key.sign(claims).split(".")
    changed = json.dumps({**claims, "roles": ["Directory.ReadWrite.All"]}).encode()
    return ".".join([header, base64url(changed), signature])


_FLAWED_SIGNATURES: Mapping[str, Callable[[SigningKey, Claims], str]] = {
    "key": _sign_with_another_key,
    "none": _sign_not_at_all,
    "hs256": _sign_with_the_public_key,
    "tampered": _change_after_signing,
}

FLAWS = (*_FLAWED_CLAIMS, *_FLAWED_SIGNATURES)
