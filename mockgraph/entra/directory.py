"""The directory: the tenants, apps and users that may sign in, and the document that says so.

{"Directory": {"tenants": [...], "apps": [{"appId": ..., "secrets": [...], "permissions": [...]}],
               "users": [{"userPrincipalName": ..., "password": ..., "permissions": [...]}]}}

What is left out is open: without ``apps`` any app may sign in, an app without ``secrets`` and
``certificates`` with any credential, one without ``permissions`` has them all; users are the
same. What is there is all there is.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, TypeVar

from mockgraph.errors import BadRequest
from mockgraph.metadata import Boolean, Collection, Complex, ComplexSchema, Int32, String, load
from mockgraph.metadata.names import Json, Properties
from mockgraph.state.documents import DIRECTORY

# The tenant of all personal Microsoft accounts, and the domains of such accounts.
PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"
_PERSONAL_DOMAINS = frozenset({"hotmail.com", "live.com", "msn.com", "outlook.com"})

# Path segments that stand for the home tenant of the user.
COMMON = frozenset({"common", "organizations"})
_CONSUMERS = "consumers"

_LONGEST_ID = 100
_DEFAULT_DOMAIN = "example.com"
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{1,62}")
_USER = re.compile(r"[^\s@<>\"'\x00-\x1f\x7f]{1,200}@[^\s@<>\"'\x00-\x1f\x7f]{1,200}")

APPROVALS = ("automatic", "immediate", "manual")

# Permissions of families that MockGraph serves, which no resource here takes (Microsoft Graph
# permissions reference).
_BEYOND = ("ThreatIndicators.Read.All",)

_PERMISSION = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,80}(\.[A-Za-z][A-Za-z0-9_-]{0,80}){1,4}")

T = TypeVar("T")


@dataclass(frozen=True)
class App:
    """An app registration; None stands for whatever the directory leaves open."""

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
        """Whether the directory leaves open which credentials the app has."""
        return self.secrets is None and self.certificates is None

    @property
    def may_be_public(self) -> bool:
        """Whether the app may act without a credential."""
        return self.takes_any_credential if self.public is None else self.public


@dataclass(frozen=True)
class User:
    """A user; ``password`` and ``permissions`` are None where the directory leaves them open."""

    name: str
    display_name: str = ""
    given_id: str | None = None
    password: str | None = field(default=None, repr=False)
    permissions: frozenset[str] | None = None
    enabled: bool = True
    revoked: bool = False

    @cached_property
    def object_id(self) -> str:
        """The id of the user: the given one, or one that is derived from the name."""
        return self.given_id or _id_of(f"user:{self.name.lower()}")

    @property
    def domain(self) -> str:
        """The part of the name after the ``@``, in lower case."""
        return self.name.rpartition("@")[2].lower()


@dataclass(frozen=True)
class Directory:
    """The tenants, apps and users; None where any will do.

    ``tenants`` maps the id of each tenant to its domains; all keys are in lower case.
    ``device_approval`` says when a device code is approved without a user: with the second poll
    (``automatic``), with the first (``immediate``) or never (``manual``).
    """

    tenants: Mapping[str, tuple[str, ...]] | None = None
    apps: Mapping[str, App] | None = None
    users: Mapping[str, User] | None = None
    device_approval: str = "automatic"

    @cached_property
    def home(self) -> str:
        """The id of the default tenant: the first one, or that of the first user."""
        if self.tenants:
            return next(iter(self.tenants))
        users = self.users
        return self._by_domain(next(iter(users.values())).domain if users else _DEFAULT_DOMAIN)

    @property
    def default_user(self) -> User | None:
        """The user that signs in where none is named; None where the directory has none."""
        if self.users is None:
            return User(f"user@{_DEFAULT_DOMAIN}", "User")
        return next(iter(self.users.values()), None)

    def tenant(self, named: str) -> str | None:
        """Return the id of the tenant with this id or domain; None where there is none."""
        named = named.lower()
        if named in (_CONSUMERS, PERSONAL):
            return PERSONAL
        if is_guid(named):
            return named if self.tenants is None or named in self.tenants else None
        if not _DOMAIN.fullmatch(named):
            return None
        if self.tenants is None:
            return self._by_domain(named)
        return next((each for each, domains in self.tenants.items() if named in domains), None)

    def authority(self, named: str) -> SignInAuthority | None:
        """Return the authority that a path segment names; None where there is none."""
        if named.lower() in COMMON:
            return SignInAuthority(named.lower(), None)
        tenant = self.tenant(named)
        return None if tenant is None else SignInAuthority(named, tenant)

    def tenant_of(self, user: User) -> str:
        """Return the id of the home tenant of a user."""
        if user.domain in _PERSONAL_DOMAINS:
            return PERSONAL
        return self.tenant(user.domain) or self.home

    def app(self, app_id: str) -> App | None:
        """Return the app with this id; an open directory has each one. None where there is none."""
        if self.apps is None:
            return App(app_id) if len(app_id) <= _LONGEST_ID else None
        return self.apps.get(app_id.lower())

    def named_apps(self, app_id: str | None) -> Iterable[App]:
        """Return the app with this id, if there is one; without an id all apps."""
        if app_id is None and self.apps is not None:
            return self.apps.values()
        app = self.app(app_id or "")
        return [] if app is None else [app]

    def user(self, name: str) -> User | None:
        """Return the user with this name; an open directory has each valid one."""
        if self.users is not None:
            return self.users.get(name.lower())
        return User(name, name.partition("@")[0]) if _USER.fullmatch(name) else None

    def api(self, resource: str) -> App | None:
        """Return the app that a resource names by its id, ``api://{id}`` or an identifier URI."""
        sought = resource.rstrip("/").lower()
        by_id = (self.apps or {}).get(sought.removeprefix("api://"))
        if by_id:
            return by_id
        uris = ((each, app) for app in (self.apps or {}).values() for each in app.identifier_uris)
        return next((app for each, app in uris if each.rstrip("/").lower() == sought), None)

    def managed_identity(self, app_id: str | None) -> App | None:
        """Return the managed identity with this client id; the first one without an id."""
        if self.apps is None:
            return App(app_id or _id_of("managed identity"), "MockGraph managed identity")
        ours = [app for app in self.apps.values() if app.managed_identity]
        if app_id is None:
            return ours[0] if ours else None
        return next((app for app in ours if app.app_id.lower() == app_id.lower()), None)

    @staticmethod
    def _by_domain(domain: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, domain))


class SignInAuthority(NamedTuple):
    """The tenant that a caller signs in to, as the first segment of a path names it.

    ``id`` is None for ``common`` and ``organizations``: the user's home tenant.
    """

    named: str
    id: str | None

    @property
    def is_personal(self) -> bool:
        """Whether it is the tenant of personal Microsoft accounts."""
        return self.id == PERSONAL

    def tenant_of(self, user: User, directory: Directory) -> str:
        """Return the id of the tenant that the user is signed in to."""
        return self.id or directory.tenant_of(user)


class Catalogue:
    """The permissions that resources declare, and those of the rest of Graph by their form.

    Graph has hundreds that no resource here declares (``User.Read``): any name of that form is
    accepted. Of a family that is declared here (``SecurityEvents``), only the declared ones are.
    """

    def __init__(self, declared: Iterable[str]):
        self.declared = frozenset(declared)
        known = [*self.declared, *_BEYOND]
        self._known = {name.lower(): name for name in known}
        self._families = {_family(name) for name in known}

    def canonical(self, name: str) -> str | None:
        """Return a permission as Graph spells it, in any letter case; None where there is none."""
        known = self._known.get(name.lower())
        if known or not _PERMISSION.fullmatch(name) or _family(name) in self._families:
            return known
        return name


# -- the document -------------------------------------------------------------------------


class TenantEntry(ComplexSchema):
    """A tenant in a document: its id, a GUID, and its domains."""

    id = String()
    domains = Collection(String())


class AppEntry(ComplexSchema):
    """An app registration in a document; ``certificates`` are PEM texts."""

    appId = String()
    displayName = String()
    secrets = Collection(String())
    expiredSecrets = Collection(String())
    certificates = Collection(String())
    permissions = Collection(String())
    redirectUris = Collection(String())
    identifierUris = Collection(String())
    publicClient = Boolean()
    managedIdentity = Boolean()
    accessTokenVersion = Int32()
    revoked = Boolean()


class UserEntry(ComplexSchema):
    """A user in a document."""

    userPrincipalName = String()
    displayName = String()
    id = String()
    password = String()
    permissions = Collection(String())
    accountEnabled = Boolean()
    revoked = Boolean()


class DirectoryEntry(ComplexSchema):
    """The member ``Directory`` of a state document."""

    tenants = Collection(Complex(TenantEntry), partial=True)
    apps = Collection(Complex(AppEntry), partial=True)
    users = Collection(Complex(UserEntry), partial=True)
    deviceApproval = String()


def read_directory(document: Json, catalogue: Catalogue) -> Directory:
    """Read a directory from the value of ``Directory`` in a state document.

    Raises BadRequest with the path of the fault, ``Directory/apps/0/appId: ...``.
    """
    given = _present(load(DirectoryEntry, document, partial=True, root=DIRECTORY))
    approval = given.get("deviceApproval", APPROVALS[0])
    if approval not in APPROVALS:
        raise _fault("deviceApproval", f"It is one of {', '.join(APPROVALS)}.")
    return Directory(
        tenants=_tenants(given["tenants"]) if "tenants" in given else None,
        apps=_apps(given["apps"], catalogue) if "apps" in given else None,
        users=_users(given["users"], catalogue) if "users" in given else None,
        device_approval=approval,
    )


def _tenants(entries: Iterable[Properties]) -> dict[str, tuple[str, ...]]:
    tenants: dict[str, tuple[str, ...]] = {}
    for number, entry in enumerate(entries):
        path = f"tenants/{number}"
        tenant = _text(entry, "id", path).lower()
        if not is_guid(tenant):
            raise _fault(f"{path}/id", "The id of a tenant is a GUID.")
        domains = tuple(each.lower() for each in entry.get("domains", ()))
        for index, domain in enumerate(domains):
            if not _DOMAIN.fullmatch(domain):
                raise _fault(f"{path}/domains/{index}", "This cannot be the name of a domain.")
        _add(tenants, tenant, domains, f"{path}/id")
    if not tenants:
        raise _fault("tenants", "There is at least one; leave it out for any tenant.")
    return tenants


def _apps(entries: Iterable[Properties], catalogue: Catalogue) -> dict[str, App]:
    apps: dict[str, App] = {}
    for number, sent in enumerate(entries):
        path, entry = f"apps/{number}", _present(sent)
        app_id = _text(entry, "appId", path)
        version = entry.get("accessTokenVersion")
        if version not in (None, 1, 2):
            raise _fault(f"{path}/accessTokenVersion", "The version of a token is 1 or 2.")
        for index, pem in enumerate(entry.get("certificates", ())):
            _check_certificate(pem, f"{path}/certificates/{index}")
        app = App(
            app_id,
            name=entry.get("displayName", app_id),
            secrets=_texts(entry, "secrets"),
            expired_secrets=tuple(entry.get("expiredSecrets", ())),
            certificates=_texts(entry, "certificates"),
            permissions=_permissions(entry, path, catalogue),
            redirect_uris=_texts(entry, "redirectUris"),
            identifier_uris=tuple(entry.get("identifierUris", ())),
            public=entry.get("publicClient"),
            managed_identity=entry.get("managedIdentity", False),
            token_version=version,
            revoked=entry.get("revoked", False),
        )
        _add(apps, app_id.lower(), app, f"{path}/appId")
    return apps


def _users(entries: Iterable[Properties], catalogue: Catalogue) -> dict[str, User]:
    users: dict[str, User] = {}
    for number, sent in enumerate(entries):
        path, entry = f"users/{number}", _present(sent)
        name = _text(entry, "userPrincipalName", path)
        if not _USER.fullmatch(name):
            raise _fault(f"{path}/userPrincipalName", "The name of a user is name@domain.")
        user = User(
            name,
            display_name=entry.get("displayName", name.partition("@")[0]),
            given_id=entry.get("id"),
            password=entry.get("password"),
            permissions=_permissions(entry, path, catalogue),
            enabled=entry.get("accountEnabled", True),
            revoked=entry.get("revoked", False),
        )
        _add(users, name.lower(), user, f"{path}/userPrincipalName")
    return users


def _permissions(entry: Properties, path: str, catalogue: Catalogue) -> frozenset[str] | None:
    if "permissions" not in entry:
        return None
    names = []
    for index, given in enumerate(entry["permissions"]):
        name = catalogue.canonical(given)
        if name is None:
            raise _fault(f"{path}/permissions/{index}", f"There is no permission {given!r}.")
        names.append(name)
    return frozenset(names)


def _check_certificate(pem: str, path: str) -> None:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.x509 import load_pem_x509_certificate

    try:
        key = load_pem_x509_certificate(pem.encode()).public_key()
    except ValueError:
        raise _fault(path, "This is not a certificate in PEM.") from None
    if not isinstance(key, RSAPublicKey):
        raise _fault(path, "This is not the certificate of an RSA key.")


def _present(entry: Properties) -> dict[str, Json]:
    """Return the members that are not null: null means left out."""
    return {name: value for name, value in entry.items() if value is not None}


def _texts(entry: Properties, name: str) -> tuple[str, ...] | None:
    return tuple(entry[name]) if name in entry else None


def _text(entry: Mapping[str, Json], name: str, path: str) -> str:
    value: str = entry.get(name) or ""
    if not value.strip():
        raise _fault(f"{path}/{name}", "It must be given.")
    return value


def _add(entries: dict[str, T], key: str, value: T, path: str) -> None:
    if key in entries:
        raise _fault(path, f"'{key}' is given twice.")
    entries[key] = value


def _fault(path: str, message: str) -> BadRequest:
    return BadRequest(f"{DIRECTORY}/{path}: {message}")


def is_guid(text: str) -> bool:
    """Tell whether a text is a GUID, in lower case."""
    return _GUID.fullmatch(text) is not None


def _family(name: str) -> str:
    return name.partition(".")[0].lower()


def _id_of(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"mockgraph:{name}"))
