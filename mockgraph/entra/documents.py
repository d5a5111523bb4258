"""Directory documents, read strictly: the part of a state document beside ``Security``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from mockgraph.entra.catalogue import Catalogue
from mockgraph.entra.directory import App, Directory, User, is_domain, is_guid, is_user_name
from mockgraph.errors import BadRequest
from mockgraph.metadata import Boolean, Collection, Complex, ComplexType, Int32, String, load
from mockgraph.metadata.declarations import DIRECTORY
from mockgraph.metadata.names import Json, Properties

APPROVALS = ("automatic", "immediate", "manual")

T = TypeVar("T")


class TenantEntry(ComplexType):
    """A tenant: its id, a GUID, and the domains that name it as well."""

    id = String()
    domains = Collection(String())


class AppEntry(ComplexType):
    """An app registration; ``certificates`` are PEM texts."""

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


class UserEntry(ComplexType):
    """A person."""

    userPrincipalName = String()
    displayName = String()
    id = String()
    password = String()
    permissions = Collection(String())
    accountEnabled = Boolean()
    revoked = Boolean()


class DirectoryEntry(ComplexType):
    """The whole of it."""

    tenants = Collection(Complex(TenantEntry), partial=True)
    apps = Collection(Complex(AppEntry), partial=True)
    users = Collection(Complex(UserEntry), partial=True)
    deviceApproval = String()


def read_directory(document: Json, catalogue: Catalogue) -> Directory:
    """A directory from the value of ``Directory`` in a state document.

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
            if not is_domain(domain):
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
        if not is_user_name(name):
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
    """What was given: null is as good as left out."""
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
