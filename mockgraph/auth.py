"""Who asks, and whether they may. Tokens are not checked but for the literal ones."""

from __future__ import annotations

from werkzeug.wrappers import Request

from mockgraph.errors import Forbidden, Unauthenticated
from mockgraph.model import Address, Caller, Operation

_REFUSED = {
    "invalid": "CompactToken parsing failed: the access token is not valid.",
    "expired": "Lifetime validation failed, the token is expired.",
}


def authenticate(request: Request, mode: str) -> Caller:
    """The caller behind ``Authorization: Bearer {token}``. Raises 401.

    In the mode ``any`` every token passes but ``invalid`` and ``expired``; ``forbidden`` is a
    caller without a single permission. In the mode ``off`` the header is not looked at.
    """
    if mode == "off":
        return Caller()
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated
    if token in _REFUSED:
        raise Unauthenticated(_REFUSED[token])
    return Caller(frozenset()) if token == "forbidden" else Caller()


def authorize(caller: Caller, address: Address) -> None:
    """Raises 403 where the caller holds none of the permissions that would do.

    A batch asks for none: each of its items is a request of its own.
    """
    if caller.permissions is None or address.operation is Operation.BATCH:
        return
    permissions = address.resource.permissions
    would_do = permissions.write if address.writes else permissions.read
    if caller.permissions.isdisjoint(would_do):
        raise Forbidden
