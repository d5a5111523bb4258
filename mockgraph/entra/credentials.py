"""Credentials: how apps and users prove who they are (RFC 6749, 2.3; RFC 7521; RFC 7523)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from hmac import compare_digest
from typing import Any, NamedTuple, cast
from urllib.parse import unquote_plus

from mockgraph.entra.access_tokens import MICROSOFT
from mockgraph.entra.directory import App, Directory, SignInAuthority, User
from mockgraph.entra.oauth_errors import (
    AppNotFound,
    AssertionForAnother,
    AssertionNotSigned,
    AssertionOfAnother,
    AssertionOutOfTime,
    ExpiredSecret,
    MalformedAssertion,
    NotPublic,
    PublicWithCredential,
    UserDisabled,
    UserNotFound,
    WrongPassword,
    WrongSecret,
)
from mockgraph.entra.oauth_messages import Parameters, TenantRequest, require
from mockgraph.metadata.names import Json

# The one secret, password or header that is refused where any other is accepted.
WRONG = "wrong"

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ALGORITHMS = ("RS256", "PS256")
# In seconds: clocks of clients differ, and MSAL for Node rounds its own up to a whole second.
_LEEWAY = 300
_REQUIRED_CLAIMS = ["aud", "exp", "iss", "sub"]
# The audience of assertions that other identity providers issue to a workload; their issuer and
# subject are not the app (workload identity federation).
_TOKEN_EXCHANGE = "api://AzureADTokenExchange"
# A tenant's token endpoint of either version, or its issuer.
_ENDPOINT = re.compile(r"[^/]+/(oauth2/token|oauth2/v2\.0/token|v2\.0|)/?", re.IGNORECASE)


class AuthenticatedClient(NamedTuple):
    """An app and how it authenticated: ``0`` not at all, ``1`` by a secret, ``2`` by a JWT."""

    app: App
    credential: str

    @property
    def is_confidential(self) -> bool:
        """Whether the app has authenticated."""
        return self.credential != "0"


# -- apps ----------------------------------------------------------------------------------


def find_app(app_id: str, directory: Directory, authority: SignInAuthority) -> App:
    """Return the app with this id. Raises EntraError where there is none."""
    app = directory.app(app_id)
    if app is None:
        raise AppNotFound(app_id, authority.named)
    return app


def identify_client(
    call: TenantRequest, form: Parameters, directory: Directory
) -> AuthenticatedClient:
    """Return the client of a token request, authenticated or not.

    A secret is sent in the form or by HTTP Basic, where it may be percent-encoded. Raises
    EntraError for an unknown app and for credentials that are not the app's.
    """
    basic = call.request.authorization
    if basic is None or basic.type != "basic":
        app_id = require(form, "client_id")
        secrets = [form["client_secret"]] if "client_secret" in form else []
    else:
        app_id = unquote_plus(basic.username or "") or require(form, "client_id")
        secrets = [basic.password, unquote_plus(basic.password)] if basic.password else []
    app = find_app(app_id, directory, call.authority)
    assertion = form.get("client_assertion")
    if app.public and (secrets or assertion):
        raise PublicWithCredential
    if assertion:
        if require(form, "client_assertion_type") != _ASSERTION_TYPE:
            raise MalformedAssertion
        _check_assertion(assertion, app, call.root)
        return AuthenticatedClient(app, "2")
    if secrets:
        _check_secret(secrets, app)
        return AuthenticatedClient(app, "1")
    return AuthenticatedClient(app, "0")


def authenticate_client(
    call: TenantRequest, form: Parameters, directory: Directory
) -> AuthenticatedClient:
    """Return the client of a token request; unless it is public, it must authenticate.

    Raises EntraError.
    """
    client = identify_client(call, form, directory)
    if not client.is_confidential and not client.app.may_be_public:
        raise NotPublic
    return client


def _check_secret(sent: list[str], app: App) -> None:
    """Raise EntraError unless one of the readings of what was sent is a secret of the app."""
    if any(_is_one_of(each, app.expired_secrets) for each in sent):
        raise ExpiredSecret(app.app_id)
    if app.takes_any_credential:
        is_right = WRONG not in sent
    else:
        is_right = any(_is_one_of(each, app.secrets or ()) for each in sent)
    if not is_right:
        raise WrongSecret(app.app_id)


def _is_one_of(sent: str, known: Iterable[str]) -> bool:
    """Compare a secret with all known ones, in a time that does not tell which one it is."""
    return True in [compare_digest(sent.encode(), each.encode()) for each in known]


# -- assertions ----------------------------------------------------------------------------


def _check_assertion(assertion: str, app: App, root: str) -> None:
    """Raise EntraError where a JWT is not the app's, or not for the tenants below ``root``.

    It may be sent again while it is valid: MSAL for Node does, with the same ``jti``. Its times
    are compared with real time: the client's clock is not the one that a test moves.
    Where the directory leaves open which certificates the app has, any signature is accepted.
    """
    import jwt

    try:
        claims = _unverified(assertion) if app.takes_any_credential else _verified(assertion, app)
    except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError):
        raise AssertionOutOfTime from None
    except (jwt.PyJWTError, ValueError, OverflowError, RecursionError):
        raise MalformedAssertion from None
    audience = claims["aud"]
    audiences = audience if isinstance(audience, list) else [audience]
    if _TOKEN_EXCHANGE in audiences:
        return
    if not claims["iss"] == claims["sub"] == app.app_id:
        raise AssertionOfAnother
    if not any(_is_endpoint(each, root) for each in audiences):
        raise AssertionForAnother


def _unverified(assertion: str) -> dict[str, Json]:
    """Return the claims, checked as others are but for the signature."""
    import jwt

    algorithm = jwt.get_unverified_header(assertion).get("alg")
    if algorithm not in _ALGORITHMS or assertion.endswith("."):
        raise ValueError("not signed as a certificate's key signs")
    checked = {"verify_signature": False, "verify_exp": True, "verify_nbf": True}
    options = cast("Any", {**checked, "require": _REQUIRED_CLAIMS})
    return jwt.decode(assertion, options=options, leeway=_LEEWAY)


def _verified(assertion: str, app: App) -> dict[str, Json]:
    """Return the claims, once one of the app's certificates fits the signature."""
    import jwt

    for key in _public_keys(app):
        try:
            return jwt.decode(
                assertion,
                key,
                algorithms=_ALGORITHMS,
                options={"verify_aud": False, "require": _REQUIRED_CLAIMS},
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


# -- users ---------------------------------------------------------------------------------


def find_user(name: str, directory: Directory, authority: SignInAuthority) -> User:
    """Return the user with this name. Raises EntraError for an unknown or disabled one."""
    user = directory.user(name)
    if user is None:
        raise UserNotFound(name, authority.named)
    if not user.enabled:
        raise UserDisabled
    return user


def authenticate_user(
    name: str, password: str, directory: Directory, authority: SignInAuthority
) -> User:
    """Return the user with this name and password. Raises EntraError.

    Where the directory leaves the password open, any but ``wrong`` is accepted.
    """
    user = find_user(name, directory, authority)
    known = user.password
    is_right = password != WRONG if known is None else _is_one_of(password, [known])
    if not is_right:
        raise WrongPassword
    return user
