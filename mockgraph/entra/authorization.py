"""Who asks, and whether they may: by any token, or by one that this server issued."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from werkzeug.wrappers import Request

from mockgraph.errors import Forbidden, Unauthenticated
from mockgraph.metadata.names import Json
from mockgraph.state.intent import Address, Caller, Operation

_REFUSED = {
    "invalid": "CompactToken parsing failed: the access token is not valid.",
    "expired": "Lifetime validation failed, the token is expired.",
}

# The tenant of all personal Microsoft accounts; the reference pages say of each operation that
# a delegated personal account is not supported.
_PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"


class Verifier(Protocol):
    """Tells whether a token is good at a host, which is as the ``Host`` header has it.

    Gives its claims: ``tid``, and ``scp`` of a user's or ``roles`` of an app's. Raises
    Unauthenticated.
    """

    def verify(self, token: str, host: str) -> Mapping[str, Json]: ...


def authenticate(request: Request, mode: str, verifier: Verifier | None = None) -> Caller:
    """The caller behind ``Authorization: Bearer {token}``. Raises 401.

    In the mode ``any`` every token passes but ``invalid`` and ``expired``; ``forbidden`` is a
    caller without a single permission. In the mode ``off`` the header is not looked at. In the
    mode ``jwt`` the verifier has to find the token good, and a personal account is a 403.
    """
    if mode == "off":
        return Caller()
    scheme, _, token = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated
    if mode == "jwt":
        assert verifier is not None  # the mode comes with one
        return _identify(verifier.verify(token, request.host))
    if token in _REFUSED:
        raise Unauthenticated(_REFUSED[token])
    return Caller(frozenset()) if token == "forbidden" else Caller()


def authorize(caller: Caller, address: Address, mode: str = "any") -> None:
    """Raises 403 where the caller holds none of the permissions that would do.

    In the mode ``jwt`` the message names them, and those of the caller. A batch asks for none:
    each of its items is a request of its own.
    """
    if caller.permissions is None or address.operation is Operation.BATCH:
        return
    permissions = address.resource.permissions
    would_do = permissions.write if address.writes else permissions.read
    if caller.permissions.isdisjoint(would_do):
        raise Forbidden(_missing(would_do, caller.permissions) if mode == "jwt" else None)


def _identify(claims: Mapping[str, Json]) -> Caller:
    """What a user's token delegates (``scp``), else what an app's own holds (``roles``)."""
    if claims["tid"] == _PERSONAL:
        raise Forbidden("A personal Microsoft account is not supported here.")
    scopes: str | None = claims.get("scp")
    return Caller(frozenset(claims.get("roles", ()) if scopes is None else scopes.split()))


def _missing(would_do: tuple[str, ...], held: frozenset[str]) -> str:
    """In Graph's words, but for the first sentence, which names the least that is missing."""
    return (
        f"{Forbidden.default_message} The permission '{would_do[0]}' is missing on the request. "
        f"API requires one of '{', '.join(would_do)}'. "
        f"Permissions on the request '{', '.join(sorted(held))}'."
    )
