"""Client assertions: JWTs that an app signs with its certificate's key (RFC 7523, 3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

from mockgraph.entra.directory import App
from mockgraph.entra.errors import (
    AssertionForAnother,
    AssertionNotSigned,
    AssertionOfAnother,
    AssertionOutOfTime,
    MalformedAssertion,
)
from mockgraph.entra.issuers import MICROSOFT

_ALGORITHMS = ("RS256", "PS256")
# Clients' clocks differ, and MSAL for Node rounds its own up to a whole second.
_LEEWAY = 300
_REQUIRED = ["aud", "exp", "iss", "sub"]
# The audience of tokens that other identity providers issue to a workload; their issuer and
# subject are not the app (workload identity federation).
_EXCHANGE = "api://AzureADTokenExchange"
# A tenant's token endpoint, of either version, or its issuer.
_ENDPOINT = re.compile(r"[^/]+/(oauth2/token|oauth2/v2\.0/token|v2\.0|)/?", re.IGNORECASE)

Claims = dict[str, Any]


def check_assertion(assertion: str, app: App, root: str) -> None:
    """Raises EntraError where the assertion is not the app's, or not for the tenants at ``root``.

    Its times are told by the real clock: the client's is not the one that a test moves. Where
    the directory leaves open which certificates the app has, the signature is taken for good.
    """
    import jwt

    try:
        claims = _unsigned(assertion) if app.takes_any_credential else _signed(assertion, app)
    except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError):
        raise AssertionOutOfTime from None
    except (jwt.PyJWTError, ValueError, OverflowError, RecursionError):
        raise MalformedAssertion from None
    audience = claims["aud"]
    audiences = audience if isinstance(audience, list) else [audience]
    if _EXCHANGE in audiences:
        return
    if not claims["iss"] == claims["sub"] == app.app_id:
        raise AssertionOfAnother
    if not any(_is_endpoint(each, root) for each in audiences):
        raise AssertionForAnother


def _unsigned(assertion: str) -> Claims:
    """The claims, but for the signature looked at as those of any other."""
    import jwt

    algorithm = jwt.get_unverified_header(assertion).get("alg")
    if algorithm not in _ALGORITHMS or assertion.endswith("."):
        raise ValueError("not signed as a certificate's key signs")
    checked = {"verify_signature": False, "verify_exp": True, "verify_nbf": True}
    options = cast("Any", {**checked, "require": _REQUIRED})
    return jwt.decode(assertion, options=options, leeway=_LEEWAY)


def _signed(assertion: str, app: App) -> Claims:
    """The claims, where one of the app's certificates is that of the signature."""
    import jwt

    for key in _public_keys(app):
        try:
            return jwt.decode(
                assertion,
                key,
                algorithms=_ALGORITHMS,
                options={"verify_aud": False, "require": _REQUIRED},
                leeway=_LEEWAY,
            )
        except jwt.InvalidSignatureError:
            continue
    raise AssertionNotSigned


def _public_keys(app: App) -> Iterator[Any]:
    from cryptography.x509 import load_pem_x509_certificate

    for pem in app.certificates or ():
        yield load_pem_x509_certificate(pem.encode()).public_key()


def _is_endpoint(audience: object, root: str) -> bool:
    if not isinstance(audience, str):
        return False
    places = [each for each in (root, MICROSOFT) if audience.startswith(each)]
    return any(_ENDPOINT.fullmatch(audience.removeprefix(each)) for each in places)
