"""Authorization of requests to Graph: the caller behind the access token, and its permissions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Protocol

from werkzeug.wrappers import Request

from mockgraph.errors import Forbidden, MissingRoles, Unauthenticated
from mockgraph.metadata.capabilities import operation_permissions
from mockgraph.metadata.elements import namespace_of
from mockgraph.metadata.names import Json
from mockgraph.metadata.resources import Resource
from mockgraph.metadata.vocabulary import Permission
from mockgraph.state.intent import Address, Caller, RequestKind
from mockgraph.state.query import Query

# The literal tokens that the mode ``any`` refuses, and why.
_REFUSED = {
    "invalid": "CompactToken parsing failed: the access token is not valid.",
    "expired": "Lifetime validation failed, the token is expired.",
}


_ANYBODY = Caller()
_NEWER = "microsoft.graph.security"
_SCHEMES = ("", "bearer", "basic", "digest", "negotiate")
_WANTED = {RequestKind.CREATE: "insert", RequestKind.DELETE: "delete"}


class Verifier(Protocol):
    """Verifies access tokens: an Entra, or a tenant that has one."""

    def verify(self, token: str, host: str) -> Mapping[str, Json]:
        """Return the claims of a token that is valid at this host, as in ``Host``.

        They are ``tid``, and a user's ``scp`` or an app's ``roles``. Raises Unauthenticated.
        """


def authenticate(
    request: Request, mode: str, verifier: Verifier | None = None, *, bare: bool = False
) -> Caller:
    """Return the caller behind ``Authorization: Bearer {token}``. Raises 401.

    Where ``bare`` the token may stand alone, without its scheme, as the live service takes it.
    In the mode ``any`` every token passes but ``invalid`` and ``expired``; ``forbidden`` is a
    caller without a single permission. In the mode ``off`` the header is ignored. In the mode
    ``jwt`` the verifier has to accept the token, and a personal account is a 403.
    """
    if mode == "off":
        return _ANYBODY
    header: str = request.environ.get("HTTP_AUTHORIZATION", "")
    if mode == "any":
        return _caller_with(header, bare)
    assert verifier is not None  # the mode comes with one
    return _caller_of(verifier.verify(_token(header, bare), request.host))


@lru_cache(maxsize=256)
def _caller_with(header: str, bare: bool) -> Caller:
    """Return the caller in the mode ``any``; programs send few tokens, again and again."""
    token = _token(header, bare)
    if token in _REFUSED:
        raise Unauthenticated(_REFUSED[token])
    return Caller(frozenset()) if token == "forbidden" else _ANYBODY


def authorize(caller: Caller, address: Address, mode: str = "any") -> None:
    """Raise 403 where the caller holds none of the permissions that would do.

    The newer services of Security say so in words of their own. In the mode ``jwt`` the message
    names them, and those of the caller. A batch asks for none: each of its items is a request of
    its own.
    """
    if caller.permissions is None or address.kind is RequestKind.BATCH:
        return
    for accepted in _accepted(address):
        _check(caller, accepted, mode, is_newer=_is_newer(address))


def authorize_query(caller: Caller, query: Query, mode: str = "any") -> None:
    """Raise 403 where the caller may not read a set that a query expands or follows to."""
    if caller.permissions is None:
        return
    for resource in query.reached():
        for accepted in _of_resource(resource, "read"):
            _check(caller, accepted, mode, is_newer=namespace_of(resource.type_name) == _NEWER)


def _check(caller: Caller, accepted: tuple[str, ...], mode: str, *, is_newer: bool) -> None:
    held = caller.permissions
    if not accepted or held is None or not held.isdisjoint(accepted):
        return
    if is_newer:
        raise MissingRoles(accepted, held, is_app=caller.is_app)
    raise Forbidden(_missing(accepted, held) if mode == "jwt" else None)


def _is_newer(address: Address) -> bool:
    """Whether the address is of one of the newer services: those have a namespace of their own."""
    if address.call is not None:
        return namespace_of(address.call.name) == _NEWER
    return bool(address.steps) and namespace_of(address.resource.type_name) == _NEWER


def _accepted(address: Address) -> tuple[tuple[str, ...], ...]:
    """The permissions of which one will do, of each tuple, whatever the scheme of the token."""
    return tuple(
        tuple(scope for each in said for scope in each.scopes) for said in permissions_for(address)
    )


def permissions_for(address: Address) -> tuple[tuple[Permission, ...], ...]:
    """Return the permissions of which one will do, of each tuple, by the scheme of the token.

    They are the operation's own where something is said of it, else those of the resource and of
    the set that its entities are of; at the root those of its singleton.
    """
    model = address.view.model
    if address.call_name and (own := operation_permissions(model, address.call_name)):
        return (own,)
    first = next(iter(address.view.children.values()))
    resource = address.resource if address.steps else first
    wanted = _WANTED.get(address.kind, "update" if address.writes else "read")
    return _by_scheme(resource, wanted)


def permissions_for_query(query: Query) -> tuple[tuple[Permission, ...], ...]:
    """Return those for the sets that a query expands or follows to, in the same form."""
    return tuple(said for each in query.reached() for said in _by_scheme(each, "read"))


def _by_scheme(resource: Resource, wanted: str) -> tuple[tuple[Permission, ...], ...]:
    found = (resource, resource.home)
    return tuple(dict.fromkeys(each.permissions_by_scheme(wanted) for each in found))


def _of_resource(resource: Resource, wanted: str) -> tuple[tuple[str, ...], ...]:
    """The permissions on a resource, and on the set that its entities are of."""
    own, home = resource.permissions(wanted), resource.home.permissions(wanted)
    return (own,) if home == own else (own, home)


def bearer_token(request: Request) -> str:
    """Return the token of the ``Authorization`` header, empty where there is none (RFC 6750)."""
    return _bearer(request.environ.get("HTTP_AUTHORIZATION", ""))


def _bearer(header: str) -> str:
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _token(header: str, bare: bool) -> str:
    """Return the token of a header, which may be nothing else where it may be bare. Raises 401."""
    text = header.strip()
    is_bare = bare and " " not in text and text.lower() not in _SCHEMES
    token = text if is_bare else _bearer(header)
    if not token:
        raise Unauthenticated
    return token


def _caller_of(claims: Mapping[str, Json]) -> Caller:
    """Return the caller with a token's delegated permissions (``scp``) or its ``roles``.

    Personal accounts are refused: the reference pages say of each operation that they are not
    supported.
    """
    from mockgraph.entra.directory import PERSONAL  # loaded with the verifier, not at the start

    if claims["tid"] == PERSONAL:
        raise Forbidden("A personal Microsoft account is not supported here.")
    scopes: str | None = claims.get("scp")
    if scopes is None:
        name = claims["app_displayname"]
        return Caller(frozenset(claims.get("roles", ())), name, id=claims["oid"])
    name = claims.get("name") or claims["app_displayname"]
    return Caller(frozenset(scopes.split()), name, is_app=False, id=claims["oid"])


def _missing(accepted: tuple[str, ...], held: frozenset[str]) -> str:
    """Return Graph's message, with a first sentence that names the least permission missing."""
    return (
        f"{Forbidden.default_message} The permission '{accepted[0]}' is missing on the request. "
        f"API requires one of '{', '.join(accepted)}'. "
        f"Permissions on the request '{', '.join(sorted(held))}'."
    )
