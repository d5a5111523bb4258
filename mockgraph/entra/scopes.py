"""Scopes: the resource that a token is requested for, and the permissions on it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

from mockgraph.entra.directory import App, Catalogue, Directory, User
from mockgraph.entra.oauth_errors import (
    AppScopeNotDefault,
    InvalidScope,
    NoConsent,
    ResourceNotFound,
    ScopeNotFound,
    SeveralResources,
)

GRAPH_ID = "00000003-0000-0000-c000-000000000000"
GRAPH = "https://graph.microsoft.com"
_GRAPH = frozenset({GRAPH, GRAPH_ID})

OPENID = ("openid", "profile", "email", "offline_access")
_DEFAULT = ".default"
# The permission on an API of the user's own, which declares none.
_ANY_PERMISSION = ("user_impersonation",)

# The names of this machine.
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_MICROSOFT = re.compile(
    r"https://([a-z0-9-]+\.)*(azure\.com|azure\.net|microsoft\.com|windows\.net|office\.com)/*"
)
_RESOURCE = re.compile(r"[A-Za-z0-9][^\s\"'<>\\]{0,500}")
_LONGEST_SCOPE = 10_000


class RequestedScope(NamedTuple):
    """A scope as it was requested.

    ``resource`` is the audience as it was written: Graph, an API of the directory (``api`` is
    its app), or something else. ``names`` are permissions, None for ``.default``; ``openid`` are
    the scopes of OpenID Connect; ``prefix`` is the text before each permission.
    """

    resource: str
    is_graph: bool
    api: App | None = None
    names: tuple[str, ...] | None = None
    openid: tuple[str, ...] = ()
    prefix: str = ""

    def with_openid(self, more: Iterable[str]) -> RequestedScope:
        """Return the same with more scopes of OpenID Connect."""
        return self._replace(openid=tuple(each for each in OPENID if each in {*self.openid, *more}))

    def granted(self, permissions: Iterable[str]) -> str:
        """Return the ``scope`` of a token response: what was granted, written as it was requested.

        ``permissions`` are the granted ones.
        """
        default = [_DEFAULT] if self.names is None else []
        return self.written([*permissions, *default])

    def written(self, names: Iterable[str]) -> str:
        """Return these permissions as a scope, written as it was requested."""
        return " ".join([*self.openid, *(self.prefix + name for name in names)])


class Scopes:
    """Reads scopes and resources, and tells which permissions of the directory they grant."""

    def __init__(self, directory: Directory, catalogue: Catalogue):
        self._directory = directory
        self._catalogue = catalogue

    def read(self, scope: str, tenant: str, host: str) -> RequestedScope:
        """Read a ``scope`` of version 2. Raises EntraError where it is not valid."""
        items = scope.split()
        if not items or len(scope) > _LONGEST_SCOPE:
            raise InvalidScope(scope)
        openid = tuple(each for each in OPENID if each in items)
        pairs = [_split(each) for each in items if each not in OPENID]
        prefixes = {prefix for prefix, _ in pairs}
        qualified = prefixes - {""}
        if len(qualified) == 1 and names_graph(next(iter(qualified))[:-1], host):
            prefixes = qualified  # Graph's own: a bare name is one of Graph's
        if len(prefixes) > 1:
            raise SeveralResources(scope)
        names = tuple(dict.fromkeys(name for _, name in pairs))
        if _DEFAULT in names and len(names) > 1:
            raise InvalidScope(scope)
        prefix = prefixes.pop() if prefixes else ""
        requested = self._read(prefix[:-1] or GRAPH_ID, tenant, host)
        return requested._replace(
            names=None if _DEFAULT in names else names, openid=openid, prefix=prefix
        )

    def read_resource(self, resource: str, scope: str, tenant: str, host: str) -> RequestedScope:
        """Read a ``resource`` of version 1, which stands for all permissions on it."""
        openid = tuple(each for each in OPENID if each in scope.split())
        return self._read(resource, tenant, host)._replace(openid=openid)

    def for_app(self, requested: RequestedScope, app: App) -> tuple[str, ...]:
        """Return the permissions (``roles``) of an app that acts for itself. Raises EntraError."""
        if requested.names is not None:
            raise AppScopeNotDefault(requested.written(requested.names))
        return tuple(sorted(self._held(app))) if requested.is_graph else ()

    def for_user(self, requested: RequestedScope, app: App, user: User) -> tuple[str, ...]:
        """Return the permissions (``scp``) of an app that acts for a user: those that both have.

        Raises EntraError for one that does not exist or that the app does not have.
        """
        if not requested.is_graph:
            return _ANY_PERMISSION if requested.names is None else requested.names
        consented = self._held(app)
        granted = sorted(consented)
        if requested.names is not None:
            granted = [self._known(name, app) for name in requested.names]
            if app.permissions is not None and not consented.issuperset(granted):
                raise NoConsent(app.app_id, app.name)
        held = user.permissions
        return tuple(each for each in granted if held is None or each in held)

    def _read(self, resource: str, tenant: str, host: str) -> RequestedScope:
        if not _RESOURCE.fullmatch(resource):
            raise ResourceNotFound(resource, tenant)
        api = self._directory.api(resource)
        if api is not None:
            return RequestedScope(resource, False, api)
        if names_graph(resource, host):
            return RequestedScope(resource, True)
        if self._directory.apps is not None and not _MICROSOFT.fullmatch(resource):
            raise ResourceNotFound(resource, tenant)
        return RequestedScope(resource, False)

    def _held(self, app: App) -> frozenset[str]:
        return self._catalogue.declared if app.permissions is None else app.permissions

    def _known(self, name: str, app: App) -> str:
        known = self._catalogue.canonical(name)
        if known is None:
            raise ScopeNotFound(app.name, name, GRAPH_ID)
        return known


def names_graph(resource: str, host: str) -> bool:
    """Tell whether a resource is Graph, by Graph's own names or by those of this server.

    ``host`` is the host of the request; port and path do not matter.
    """
    if resource.rstrip("/").lower() in _GRAPH:
        return True
    place = _place(resource)
    return place is not None and (place[0] in LOOPBACK or place[0] == _host(host)[0])


def meant_for(audience: str, host: str) -> bool:
    """Tell whether a token for this audience is valid for Graph at this host.

    Unlike ``names_graph`` it compares the port, where the audience has one.
    """
    if not names_graph(audience, host):
        return False
    place = _place(audience)
    if place is None or audience.rstrip("/").lower() in _GRAPH:
        return True
    name, port = _host(host)
    both_here = place[0] in LOOPBACK and name in LOOPBACK
    return (place[0] == name or both_here) and place[1] in (None, port)


def _split(scope: str) -> tuple[str, str]:
    """Split a scope into the resource, with its slash, and the permission."""
    prefix, slash, name = scope.rpartition("/")
    if not name or (slash and (not prefix or prefix.endswith(":/"))):
        raise InvalidScope(scope)
    return prefix + slash, name


def _place(url: str) -> tuple[str, int | None] | None:
    """Return the host and the port of an http URL; None for any other text."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return None
        return parts.hostname, parts.port
    except ValueError:
        return None


def _host(host: str) -> tuple[str, int | None]:
    """Return the name and the port in a Host header."""
    return _place(f"http://{host}") or ("", None)
