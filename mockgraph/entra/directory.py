"""The directory: the tenants, apps and users that may sign in, as a seed declares them.

{"Directory": {"tenants": [...], "apps": [{"appId": ..., "secrets": [...], "permissions": [...]}],
               "users": [{"userPrincipalName": ..., "password": ..., "permissions": [...]}]}}

What is left out is open: without ``apps`` any app may sign in, an app without ``secrets`` and
``certificates`` with any credential, one without ``permissions`` has them all; users are the
same. What is there is all there is.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

# The tenant of all personal Microsoft accounts, and the domains that are at home there.
PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"
_PERSONAL_DOMAINS = frozenset({"hotmail.com", "live.com", "msn.com", "outlook.com"})

# Path segments that stand for no tenant in particular: the user's own.
COMMON = frozenset({"common", "organizations"})
_CONSUMERS = "consumers"

_LONGEST_ID = 100
_DEFAULT_DOMAIN = "example.com"
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{1,62}")
_USER = re.compile(r"[^\s@<>\"'\x00-\x1f\x7f]{1,200}@[^\s@<>\"'\x00-\x1f\x7f]{1,200}")


@dataclass(frozen=True)
class App:
    """An app registration; None is what the directory leaves open."""

    app_id: str
    name: str = "MockGraph client"
    secrets: tuple[str, ...] | None = field(default=None, repr=False)
    expired_secrets: tuple[str, ...] = field(default=(), repr=False)
    certificates: tuple[str, ...] | None = field(default=None, repr=False)
    permissions: frozenset[str] | None = None
    redirect_uris: tuple[str, ...] | None = None
    identifier_uris: tuple[str, ...] = ()
    public: bool | None = None
    managed_identity: bool = False
    token_version: int | None = None
    revoked: bool = False

    @cached_property
    def object_id(self) -> str:
        """The id of the app's service principal."""
        return _id_of(f"app:{self.app_id}")

    @property
    def takes_any_credential(self) -> bool:
        return self.secrets is None and self.certificates is None

    @property
    def may_be_public(self) -> bool:
        """Whether the app may act without a credential."""
        return self.takes_any_credential if self.public is None else self.public


@dataclass(frozen=True)
class User:
    """A person; ``password`` and ``permissions`` are None where any will do."""

    name: str
    display_name: str = ""
    given_id: str | None = None
    password: str | None = field(default=None, repr=False)
    permissions: frozenset[str] | None = None
    enabled: bool = True
    revoked: bool = False

    @cached_property
    def object_id(self) -> str:
        return self.given_id or _id_of(f"user:{self.name.lower()}")

    @property
    def domain(self) -> str:
        return self.name.rpartition("@")[2].lower()


@dataclass(frozen=True)
class Directory:
    """Who there is. ``tenants`` are the domains of each tenant id; keys are in lower case.

    ``device_approval`` says how a device code is approved where no one does it: ``automatic``
    (the second poll finds it approved), ``immediate`` (the first does) or ``manual`` (never).
    """

    tenants: Mapping[str, tuple[str, ...]] | None = None
    apps: Mapping[str, App] | None = None
    users: Mapping[str, User] | None = None
    device_approval: str = "automatic"

    @cached_property
    def home(self) -> str:
        """The tenant of a caller that names none."""
        if self.tenants:
            return next(iter(self.tenants))
        users = self.users
        return self._by_domain(next(iter(users.values())).domain if users else _DEFAULT_DOMAIN)

    @property
    def default_user(self) -> User | None:
        """Who signs in where nobody is named; None where the directory has no users."""
        if self.users is None:
            return User(f"user@{_DEFAULT_DOMAIN}", "User")
        return next(iter(self.users.values()), None)

    def tenant(self, named: str) -> str | None:
        """The id of the tenant that a path segment names; None where there is no such tenant."""
        named = named.lower()
        if named in (_CONSUMERS, PERSONAL):
            return PERSONAL
        if _GUID.fullmatch(named):
            return named if self.tenants is None or named in self.tenants else None
        if not _DOMAIN.fullmatch(named):
            return None
        if self.tenants is None:
            return self._by_domain(named)
        return next((each for each, domains in self.tenants.items() if named in domains), None)

    def tenant_of(self, user: User) -> str:
        """The tenant that a user is at home in."""
        if user.domain in _PERSONAL_DOMAINS:
            return PERSONAL
        return self.tenant(user.domain) or self.home

    def app(self, app_id: str) -> App | None:
        """The app of this id; in an open directory there are all."""
        if self.apps is None:
            return App(app_id) if len(app_id) <= _LONGEST_ID else None
        return self.apps.get(app_id.lower())

    def user(self, name: str) -> User | None:
        """The user of this name; in an open directory there is each that looks like one."""
        if self.users is not None:
            return self.users.get(name.lower())
        return User(name, name.partition("@")[0]) if _USER.fullmatch(name) else None

    def api(self, resource: str) -> App | None:
        """The app whose API this resource is: by its id, ``api://{id}`` or another URI of its."""
        sought = resource.rstrip("/").lower()
        by_id = (self.apps or {}).get(sought.removeprefix("api://"))
        if by_id:
            return by_id
        uris = ((each, app) for app in (self.apps or {}).values() for each in app.identifier_uris)
        return next((app for each, app in uris if each.rstrip("/").lower() == sought), None)

    def managed_identity(self, app_id: str | None) -> App | None:
        """The managed identity of this client id, or the one that is there without one."""
        if self.apps is None:
            return App(app_id or _id_of("managed identity"), "MockGraph managed identity")
        ours = [app for app in self.apps.values() if app.managed_identity]
        if app_id is None:
            return ours[0] if ours else None
        return next((app for app in ours if app.app_id.lower() == app_id.lower()), None)

    @staticmethod
    def _by_domain(domain: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, domain))


def is_guid(text: str) -> bool:
    """Whether a text is a GUID in its usual form, in lower case."""
    return _GUID.fullmatch(text) is not None


def is_domain(text: str) -> bool:
    """Whether a text can be the domain of a tenant, in lower case."""
    return _DOMAIN.fullmatch(text) is not None


def is_user_name(text: str) -> bool:
    """Whether a text can be a user principal name."""
    return _USER.fullmatch(text) is not None


def _id_of(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"mockgraph:{name}"))
