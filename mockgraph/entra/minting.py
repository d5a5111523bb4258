"""Tokens made to order, for scripts and tests: good ones, and a bad one of each kind."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from mockgraph.entra.keys import Keys
from mockgraph.entra.tokens import Grant, base64url
from mockgraph.errors import BadRequest
from mockgraph.metadata.names import Json

if TYPE_CHECKING:
    from mockgraph.entra.entra import Entra

Claims = dict[str, Json]

_HOUR = 3600
_LONGEST = 100 * 365 * 24 * _HOUR


def mint(
    entra: Entra, grant: Grant, root: str, version: int, lifetime: float, flaw: str | None
) -> str:
    """An access token of a grant that is good for so many seconds, with a flaw or without.

    Raises BadRequest for a flaw that is not one of ``FLAWS``, and for more than a century.
    """
    if not -_LONGEST <= lifetime <= _LONGEST:
        raise BadRequest("The lifetime of a token is a century at most, in seconds.")
    if flaw is not None and flaw not in FLAWS:
        raise BadRequest(f"A token may have one of the flaws {', '.join(FLAWS)}; not '{flaw}'.")
    entra.issuers.add(root)
    claims = entra.tokens.access_claims(grant, root, version)
    now = int(entra.clock.now().timestamp())
    claims["exp"] = int(now + lifetime)
    instead = _CLAIMS.get(flaw or "")
    if instead is not None:
        claims.update(instead(claims, now))
    sign = _SIGNATURES.get(flaw or "", Keys.sign)
    return sign(entra.keys, claims)


# What a flawed token says instead.
_CLAIMS: Mapping[str, Callable[[Claims, int], Claims]] = {
    "expired": lambda _, now: {"exp": now - _HOUR, "nbf": now - 2 * _HOUR, "iat": now - 2 * _HOUR},
    "future": lambda _, now: {"exp": now + 2 * _HOUR, "nbf": now + _HOUR, "iat": now + _HOUR},
    "audience": lambda *_: {"aud": "https://vault.azure.net"},
    "issuer": lambda claims, _: {"iss": f"https://issuer.example/{claims['tid']}/v2.0"},
    "tenant": lambda *_: {"tid": "00000000-0000-0000-0000-000000000000"},
}


def _foreign_key(_: Keys, claims: Claims) -> str:
    return Keys().sign(claims)


def _unsigned(_: Keys, claims: Claims) -> str:
    import jwt

    return jwt.encode(claims, "", algorithm="none")


def _shared_secret(keys: Keys, claims: Claims) -> str:
    """Signed with the public key, which anyone has, as if it were a secret."""
    import jwt

    public = keys.document()
    return jwt.encode(claims, public["n"], algorithm="HS256", headers={"kid": public["kid"]})


def _tampered(keys: Keys, claims: Claims) -> str:
    """Signed, and changed after that."""
    header, _, signature = keys.sign(claims).split(".")
    changed = json.dumps({**claims, "roles": ["Directory.ReadWrite.All"]}).encode()
    return ".".join([header, base64url(changed), signature])


_SIGNATURES: Mapping[str, Callable[[Keys, Claims], str]] = {
    "key": _foreign_key,
    "none": _unsigned,
    "hs256": _shared_secret,
    "tampered": _tampered,
}

FLAWS = (*_CLAIMS, *_SIGNATURES)
