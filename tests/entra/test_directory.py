"""Directory documents: read strictly, and what is left out is open."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from manual import MANUAL

from mockgraph.entra.directory import (
    APPROVALS,
    AppEntry,
    Catalogue,
    Directory,
    DirectoryEntry,
    TenantEntry,
    UserEntry,
    read_directory,
)
from mockgraph.errors import BadRequest

from . import (
    CONTOSO,
    PERMISSIONS,
    SEED,
    Make,
    make_certificate,
)

CATALOGUE = Catalogue(PERMISSIONS)


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        (None, "Directory: Cannot convert null"),
        ([], "Directory: Cannot convert"),
        ({"people": []}, "Directory/people: The property 'people' does not exist"),
        (
            {"user": []},
            "Directory/user: The property 'user' does not exist here. Did you mean users?",
        ),
        ({"apps": None}, "Directory/apps: A collection cannot be null"),
        ({"apps": {}}, "Directory/apps: Cannot convert"),
        ({"apps": [None]}, "Directory/apps/0: An item of a collection cannot be null."),
        ({"apps": [{}]}, "Directory/apps/0/appId: It must be given."),
        ({"apps": [{"appId": " "}]}, "Directory/apps/0/appId: It must be given."),
        ({"apps": [{"appId": 5}]}, "Directory/apps/0/appId: Cannot convert 5"),
        ({"apps": [{"appId": "a"}, {"appId": "A"}]}, "Directory/apps/1/appId: 'a' is given twice."),
        ({"apps": [{"appId": "a", "secret": "x"}]}, "Directory/apps/0/secret: The property"),
        ({"apps": [{"appId": "a", "secrets": "x"}]}, "Directory/apps/0/secrets: Cannot convert"),
        ({"apps": [{"appId": "a", "secrets": [5]}]}, "Directory/apps/0/secrets/0: Cannot convert"),
        ({"apps": [{"appId": "a", "publicClient": 1}]}, "Directory/apps/0/publicClient: Cannot"),
        (
            {"apps": [{"appId": "a", "accessTokenVersion": 3}]},
            "Directory/apps/0/accessTokenVersion: The version of a token is 1 or 2.",
        ),
        (
            {"apps": [{"appId": "a", "permissions": ["User.Read", "SecurityEvents.Raed.All"]}]},
            "Directory/apps/0/permissions/1: There is no permission 'SecurityEvents.Raed.All'.",
        ),
        (
            {"apps": [{"appId": "a", "certificates": ["x"]}]},
            "Directory/apps/0/certificates/0: This is not a certificate in PEM.",
        ),
        ({"users": [{"password": "x"}]}, "Directory/users/0/userPrincipalName: It must be given."),
        (
            {"users": [{"userPrincipalName": "ada"}]},
            "Directory/users/0/userPrincipalName: The name of a user is name@domain.",
        ),
        (
            {"users": [{"userPrincipalName": "a@b.c"}, {"userPrincipalName": "A@b.c"}]},
            "Directory/users/1/userPrincipalName: 'a@b.c' is given twice.",
        ),
        (
            {"users": [{"userPrincipalName": "a@b.c", "permissions": ["x"]}]},
            "Directory/users/0/permissions/0: There is no permission 'x'.",
        ),
        ({"tenants": []}, "Directory/tenants: There is at least one"),
        ({"tenants": [{}]}, "Directory/tenants/0/id: It must be given."),
        ({"tenants": [{"id": "contoso"}]}, "Directory/tenants/0/id: The id of a tenant is a GUID."),
        (
            {"tenants": [{"id": CONTOSO, "domains": ["contoso.com", "x"]}]},
            "Directory/tenants/0/domains/1: This cannot be the name of a domain.",
        ),
        (
            {"tenants": [{"id": CONTOSO}, {"id": CONTOSO.upper()}]},
            f"Directory/tenants/1/id: '{CONTOSO}' is given twice.",
        ),
        ({"deviceApproval": "maybe"}, "Directory/deviceApproval: It is one of automatic"),
    ],
)
def test_faults_are_told_with_their_path(document: Any, fault: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_directory(document, CATALOGUE)
    assert caught.value.message.startswith(fault)


def test_an_empty_document_is_an_open_directory() -> None:
    for document in ({}, {"deviceApproval": None}):
        read = read_directory(document, CATALOGUE)
        assert (read.tenants, read.apps, read.users) == (None, None, None)
        assert read.device_approval == "automatic"


def test_null_is_as_good_as_left_out() -> None:
    document = {
        "apps": [{"appId": "a", "displayName": None, "publicClient": None, "revoked": None}],
        "users": [{"userPrincipalName": "a@b.c", "password": None, "accountEnabled": None}],
    }
    read = read_directory(document, CATALOGUE)
    app, user = read.app("A"), read.user("A@B.C")
    assert app is not None
    assert user is not None
    assert (app.name, app.may_be_public, app.revoked) == ("a", True, False)
    assert (user.display_name, user.password, user.enabled) == ("a", None, True)


def test_what_is_read_is_not_shared_with_the_document() -> None:
    document = copy.deepcopy(SEED)
    read = read_directory(document, CATALOGUE)
    document["apps"].clear()
    assert read == read_directory(SEED, CATALOGUE)


def test_the_manual_names_every_member_and_choice() -> None:
    (_, told) = MANUAL.split("| Member of `Directory` |")
    told = told.partition("\n\n")[0]
    for entry in (DirectoryEntry, AppEntry, UserEntry, TenantEntry):
        for member in entry.properties():
            assert f"`{member}`" in told
    for choice in APPROVALS:
        assert f"`{choice}`" in told


def test_secrets_do_not_show() -> None:
    shown = repr(read_directory(SEED, CATALOGUE))
    for secret in ("s3cret", "a+b%41~c", "stale", "enchantress"):
        assert secret not in shown


@pytest.mark.parametrize(
    ("named", "canonical"),
    [
        ("SecurityEvents.Read.All", "SecurityEvents.Read.All"),
        ("securityevents.read.all", "SecurityEvents.Read.All"),
        ("ThreatIndicators.Read.All", "ThreatIndicators.Read.All"),
        ("User.Read", "User.Read"),
        ("Mail.ReadWrite.Shared", "Mail.ReadWrite.Shared"),
        ("SecurityEvents.Read", None),
        ("SecurityEvents.Raed.All", None),
        ("User", None),
        ("", None),
        (".", None),
        ("User.Read\n", None),
        ("User Read.All", None),
        ("a." * 10, None),
    ],
)
def test_which_permissions_there_are(named: str, canonical: str | None) -> None:
    assert CATALOGUE.canonical(named) == canonical


def test_the_home_of_a_caller_that_names_no_tenant() -> None:
    assert read_directory(SEED, CATALOGUE).home == CONTOSO
    users = [{"userPrincipalName": "a@contoso.com"}]
    by_user = read_directory({"users": users}, CATALOGUE)
    assert by_user.home == by_user.tenant("contoso.com")
    assert Directory().home == Directory().tenant("EXAMPLE.com")
    assert Directory(users={}).home == Directory().home


def test_only_certificates_of_rsa_keys_can_be_registered(make: Make) -> None:
    elliptic = make_certificate(ec.generate_private_key(ec.SECP256R1()))
    for pem in (elliptic.pem, "PEM", "", "größe"):
        with pytest.raises(BadRequest, match=r"^Directory/apps/0/certificates/0: "):
            make(apps=[{"appId": "cert-app", "certificates": [pem]}])
