"""What a token is asked for: a resource, and permissions on it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from mockgraph.entra.catalogue import Catalogue
from mockgraph.entra.directory import App, Directory, User
from mockgraph.entra.scope_errors import (
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
# What an API of one's own is asked for where nobody says what it has.
_ANY_PERMISSION = ("user_impersonation",)

# What this machine calls itself.
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_MICROSOFT = re.compile(
    r"https://([a-z0-9-]+\.)*(azure\.com|azure\.net|microsoft\.com|windows\.net|office\.com)/*"
)
_RESOURCE = re.compile(r"[A-Za-z0-9][^\s\"'<>\\]{0,500}")
_LONGEST_SCOPE = 10_000


class Asked(NamedTuple):
    """What was asked for.

    ``resource`` is the audience as it was written: Graph, or ``api``, an app of the directory,
    or something else. ``names`` are permissions, None for ``.default``; ``openid`` are the
    scopes of OpenID Connect; ``prefix`` is what stood before each permission.
    """

    resource: str
    is_graph: bool
    api: App | None = None
    names: tuple[str, ...] | None = None
    openid: tuple[str, ...] = ()
    prefix: str = ""

    def with_openid(self, more: Iterable[str]) -> Asked:
        """The same, with more scopes of OpenID Connect."""
        return self._replace(openid=tuple(each for each in OPENID if each in {*self.openid, *more}))


class Scopes:
    """Reads scopes and resources, and says which permissions they come to."""

    def __init__(self, directory: Directory, catalogue: Catalogue):
        self._directory = directory
        self._catalogue = catalogue

    def read(self, scope: str, tenant: str, host: str) -> Asked:
        """A ``scope`` of version 2. Raises EntraError where it makes no sense."""
        items = scope.split()
        if not items or len(scope) > _LONGEST_SCOPE:
            raise InvalidScope(scope)
        openid = tuple(each for each in OPENID if each in items)
        pairs = [_split(each) for each in items if each not in OPENID]
        prefixes = {prefix for prefix, _ in pairs}
        if len(prefixes) > 1:
            raise SeveralResources(scope)
        names = tuple(dict.fromkeys(name for _, name in pairs))
        if _DEFAULT in names and len(names) > 1:
            raise InvalidScope(scope)
        prefix = prefixes.pop() if prefixes else ""
        asked = self._asked(prefix[:-1] or GRAPH_ID, tenant, host)
        return asked._replace(
            names=None if _DEFAULT in names else names, openid=openid, prefix=prefix
        )

    def read_resource(self, resource: str, scope: str, tenant: str, host: str) -> Asked:
        """A ``resource`` of version 1: all that the app may do there."""
        openid = tuple(each for each in OPENID if each in scope.split())
        return self._asked(resource, tenant, host)._replace(openid=openid)

    def for_app(self, asked: Asked, app: App) -> tuple[str, ...]:
        """The permissions (``roles``) of an app that signs in by itself."""
        if asked.names is not None:
            raise AppScopeNotDefault(" ".join([*asked.openid, *_written(asked, asked.names)]))
        return tuple(sorted(self._held(app))) if asked.is_graph else ()

    def for_user(self, asked: Asked, app: App, user: User) -> tuple[str, ...]:
        """The permissions (``scp``) of an app in the name of a user: what both may do."""
        if not asked.is_graph:
            return _ANY_PERMISSION if asked.names is None else asked.names
        consented = self._held(app)
        granted = sorted(consented)
        if asked.names is not None:
            granted = [self._known(name, app) for name in asked.names]
            if app.permissions is not None and not consented.issuperset(granted):
                raise NoConsent(app.app_id, app.name)
        held = user.permissions
        return tuple(each for each in granted if held is None or each in held)

    def _asked(self, resource: str, tenant: str, host: str) -> Asked:
        if not _RESOURCE.fullmatch(resource):
            raise ResourceNotFound(resource, tenant)
        api = self._directory.api(resource)
        if api is not None:
            return Asked(resource, False, api)
        if names_graph(resource, host):
            return Asked(resource, True)
        if self._directory.apps is not None and not _MICROSOFT.fullmatch(resource):
            raise ResourceNotFound(resource, tenant)
        return Asked(resource, False)

    def _held(self, app: App) -> frozenset[str]:
        return self._catalogue.declared if app.permissions is None else app.permissions

    def _known(self, name: str, app: App) -> str:
        known = self._catalogue.canonical(name)
        if known is None:
            raise ScopeNotFound(app.name, name, GRAPH_ID)
        return known


def granted_scope(asked: Asked, permissions: Sequence[str]) -> str:
    """The scope of an answer: what was granted, written as it was asked for."""
    default = [_DEFAULT] if asked.names is None else []
    return " ".join([*asked.openid, *_written(asked, [*permissions, *default])])


def names_graph(resource: str, host: str) -> bool:
    """Whether a resource is Graph, asked for at this host: by Graph's own names, or by those
    of this server, whichever port and path."""
    if resource.rstrip("/").lower() in _GRAPH:
        return True
    asked = _place(resource)
    return asked is not None and (asked[0] in LOOPBACK or asked[0] == _host(host)[0])


def meant_for(audience: str, host: str) -> bool:
    """Whether a token for this audience is good at this host: as ``names_graph``, but that a
    port which the audience gives is the host's."""
    if not names_graph(audience, host):
        return False
    asked = _place(audience)
    if asked is None or audience.rstrip("/").lower() in _GRAPH:
        return True
    name, port = _host(host)
    both_here = asked[0] in LOOPBACK and name in LOOPBACK
    return (asked[0] == name or both_here) and asked[1] in (None, port)


def _split(scope: str) -> tuple[str, str]:
    """What stands before a permission, with its slash, and the permission."""
    prefix, slash, name = scope.rpartition("/")
    if not name or (slash and (not prefix or prefix.endswith(":/"))):
        raise InvalidScope(scope)
    return prefix + slash, name


def _written(asked: Asked, names: Sequence[str]) -> list[str]:
    return [asked.prefix + name for name in names]


def _place(url: str) -> tuple[str, int | None] | None:
    """The host and the port of an http URL."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return None
        return parts.hostname, parts.port
    except ValueError:
        return None


def _host(host: str) -> tuple[str, int | None]:
    """The name and the port of a Host header."""
    return _place(f"http://{host}") or ("", None)
