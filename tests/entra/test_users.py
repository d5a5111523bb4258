"""People who sign in by a password, and the refresh tokens that they get."""

from __future__ import annotations

import base64
import json

import pytest
from werkzeug.test import TestResponse

from mockgraph.errors import NotFound

from . import (
    CONTOSO,
    DEFAULT,
    FABRIKAM,
    GRAPH,
    GRAPH_ID,
    PERSONAL,
    READER,
    Caller,
    Make,
    claims_of,
    granted,
    refused,
)

READ = "SecurityEvents.Read.All"
BOTH_ARE_IN = {"client_id": "public-app"}


def test_tokens_of_a_user(strict: Caller) -> None:
    scope = f"openid profile offline_access {READ}"
    body = granted(strict.user_token(scope, **BOTH_ARE_IN, client_info="1"))
    assert body["scope"] == f"openid profile offline_access {READ}"
    claims = claims_of(body["access_token"])
    assert claims["scp"] == f"openid profile {READ}"
    assert "roles" not in claims
    assert claims["aud"] == GRAPH_ID
    assert (claims["idtyp"], claims["appidacr"]) == ("user", "0")
    assert claims["upn"] == claims["preferred_username"] == "Ada@contoso.com"
    assert claims["name"] == "Ada Lovelace"
    assert claims["tid"] == CONTOSO
    about = claims_of(body["id_token"])
    assert about["aud"] == "public-app"
    assert (about["oid"], about["sub"]) == (claims["oid"], claims["sub"])
    info = json.loads(base64.urlsafe_b64decode(body["client_info"] + "=="))
    assert info == {"uid": claims["oid"], "utid": CONTOSO}
    assert strict.entra.verify(body["access_token"], "localhost")["scp"]


def test_only_what_was_asked_for_comes_along(strict: Caller) -> None:
    body = granted(strict.user_token(READ, **BOTH_ARE_IN))
    assert body.keys() == {"token_type", "scope", "expires_in", "ext_expires_in", "access_token"}


def test_version_1_gives_all_tokens(strict: Caller) -> None:
    body = granted(
        strict.token(
            "password",
            1,
            client_id="public-app",
            username="ada@contoso.com",
            password="enchantress",
            resource=GRAPH,
        )
    )
    assert body["refresh_token"]
    assert claims_of(body["id_token"])["ver"] == "1.0"
    assert body["scope"].split() == ["SecurityAlert.Read.All", READ, ".default"]
    renewed = strict.token(
        "refresh_token", 1, client_id="public-app", refresh_token=body["refresh_token"]
    )
    assert granted(renewed)["resource"] == GRAPH


def test_a_person_is_another_subject_to_each_app(caller: Caller) -> None:
    claims = [
        claims_of(granted(caller.user_token(READ, client_id=app))["access_token"])
        for app in ("one", "two", "one")
    ]
    assert claims[0]["sub"] == claims[2]["sub"] != claims[1]["sub"]
    assert len({each["oid"] for each in claims}) == 1


@pytest.mark.parametrize(
    ("app", "name", "scope", "granted_scope"),
    [
        ("public-app", "bob@fabrikam.com", READ, READ),
        ("public-app", "bob@fabrikam.com", f"{GRAPH}/{READ}", f"{GRAPH}/{READ}"),
        ("public-app", "bob@fabrikam.com", "securityevents.READ.all", READ),
        ("public-app", "bob@fabrikam.com", "User.Read", "User.Read"),
        ("public-app", "bob@fabrikam.com", "openid email", "openid email"),
        ("public-app", "ada@contoso.com", f"{READ} SecurityEvents.ReadWrite.All", READ),
        (
            "public-app",
            "ada@contoso.com",
            DEFAULT,
            f"{GRAPH}/SecurityAlert.Read.All {GRAPH}/{READ} {DEFAULT}",
        ),
        ("api-app", "bob@fabrikam.com", "api://api-app/act", "api://api-app/act"),
        (
            "api-app",
            "bob@fabrikam.com",
            "api://api-app/.default",
            "api://api-app/user_impersonation api://api-app/.default",
        ),
    ],
)
def test_what_the_app_and_the_user_both_may(
    make: Make, app: str, name: str, scope: str, granted_scope: str
) -> None:
    users = [
        {
            "userPrincipalName": "ada@contoso.com",
            "permissions": [READ, "SecurityAlert.Read.All"],
        },
        {"userPrincipalName": "bob@fabrikam.com"},
    ]
    caller = make(users=users)
    body = granted(caller.user_token(scope, name, "any", client_id=app))
    assert body["scope"] == granted_scope


def test_an_app_gets_no_more_than_it_declares(strict: Caller) -> None:
    form = {"client_id": READER, "client_secret": "s3cret"}
    body = granted(strict.user_token(".default", **form))
    assert body["scope"] == f"{READ} .default"
    refusal = strict.user_token(f"{READ} SecurityAlert.Read.All", **form)
    text = refused(refusal, 65001, "invalid_grant")
    assert "'reader-app' named 'The reader'" in text
    assert refusal.json is not None
    assert refusal.json["suberror"] == "consent_required"


@pytest.mark.parametrize(
    ("scope", "unknown"),
    [
        ("SecurityEvents.Raed.All", "SecurityEvents.Raed.All"),
        ("ThreatIndicators.Read", "ThreatIndicators.Read"),
        ("nonsense", "nonsense"),
        ("Mail.", "Mail."),
        (f"{GRAPH}/offline_access", "offline_access"),
    ],
)
def test_scopes_that_do_not_exist(caller: Caller, scope: str, unknown: str) -> None:
    text = refused(caller.user_token(f"openid {scope}"), 650053, "invalid_scope")
    assert f"asked for scope '{unknown}' that doesn't exist on the resource" in text


@pytest.mark.parametrize(
    ("name", "password", "number"),
    [
        ("ada@contoso.com", "wrong", 50126),
        ("ada@contoso.com", "Enchantress", 50126),
        ("bob@fabrikam.com", "wrong", 50126),
        ("nobody@contoso.com", "x", 50034),
        ("gone@contoso.com", "x", 50057),
        ("ada", "x", 50034),
    ],
)
def test_users_who_cannot_sign_in(strict: Caller, name: str, password: str, number: int) -> None:
    text = refused(strict.user_token(READ, name, password, **BOTH_ARE_IN), number, "invalid_grant")
    assert password not in text.split()


def test_in_an_open_directory_anyone_may_but_with_one_password(caller: Caller) -> None:
    granted(caller.user_token(READ, "who@ever.example", "x"))
    refused(caller.user_token(READ, "who@ever.example", "wrong"), 50126, "invalid_grant")
    refused(caller.user_token(READ, "no name", "x"), 50034, "invalid_grant")


@pytest.mark.parametrize("tenant", ["common", "consumers", PERSONAL])
def test_a_password_needs_a_tenant(caller: Caller, tenant: str) -> None:
    caller.tenant = tenant
    refused(caller.user_token(READ), 9001023, "invalid_request")


@pytest.mark.parametrize(
    ("tenant", "name", "signed_into"),
    [
        ("organizations", "bob@fabrikam.com", FABRIKAM),
        ("organizations", "ada@contoso.com", CONTOSO),
        ("organizations", "eve@outlook.com", PERSONAL),
        ("contoso.com", "bob@fabrikam.com", CONTOSO),
    ],
)
def test_which_tenant_a_user_is_signed_in_to(
    make: Make, tenant: str, name: str, signed_into: str
) -> None:
    users = [
        {"userPrincipalName": each}
        for each in ("bob@fabrikam.com", "ada@contoso.com", "eve@outlook.com")
    ]
    caller = make(users=users)
    caller.tenant = tenant
    body = granted(caller.user_token(READ, name, "x", **BOTH_ARE_IN))
    claims = claims_of(body["access_token"])
    assert claims["tid"] == signed_into
    assert (claims.get("idp") == "live.com") == (signed_into == PERSONAL)


def test_an_app_with_credentials_has_to_show_them(strict: Caller) -> None:
    for app in (READER, "both-app"):
        refused(strict.user_token(READ, client_id=app), 7000218, "invalid_client", 401)
        answer = strict.user_token(READ, client_id=app, client_secret="s3cret")
        assert claims_of(granted(answer)["access_token"])["appidacr"] == "1"


# -- refresh tokens ------------------------------------------------------------------------


def first(caller: Caller, scope: str = f"openid offline_access {READ}") -> str:
    token: str = granted(caller.user_token(scope, **BOTH_ARE_IN))["refresh_token"]
    return token


def renew(caller: Caller, token: str, **form: str | None) -> TestResponse:
    return caller.token("refresh_token", refresh_token=token, **{**BOTH_ARE_IN, **form})


def test_a_refresh_token_gives_another_and_stays_good(strict: Caller) -> None:
    token = first(strict)
    seen = {token}
    for _ in range(3):
        body = granted(renew(strict, token))
        assert body["scope"] == f"openid offline_access {READ}"
        assert claims_of(body["access_token"])["upn"] == "Ada@contoso.com"
        assert claims_of(body["id_token"])["aud"] == "public-app"
        seen.add(body["refresh_token"])
    assert len(seen) == 4
    for each in seen:
        granted(renew(strict, each))


def test_a_refresh_token_is_good_for_other_resources(strict: Caller) -> None:
    body = granted(renew(strict, first(strict), scope="api://api-app/act"))
    assert claims_of(body["access_token"])["aud"] == "api-app"
    assert body["scope"] == "api://api-app/act"
    assert body["refresh_token"]
    assert "id_token" not in body


def test_a_refresh_token_is_good_for_ninety_days(strict: Caller) -> None:
    token = first(strict)
    strict.entra.clock.advance(90 * 86400 - 10)
    renewed = granted(renew(strict, token))["refresh_token"]
    strict.entra.clock.advance(10)
    refused(renew(strict, token), 700082, "invalid_grant")
    granted(renew(strict, renewed))


@pytest.mark.parametrize("token", ["x", "größe", "a.b.c", "0" * 60_000])
def test_what_is_no_refresh_token(strict: Caller, token: str) -> None:
    refused(renew(strict, token), 9002313, "invalid_grant")


def test_a_refresh_token_is_its_apps(strict: Caller) -> None:
    refused(renew(strict, first(strict), client_id="api-app"), 70000, "invalid_grant")


def test_revoked_sessions(strict: Caller) -> None:
    entra = strict.entra
    entra.clock.freeze()
    before = first(strict)
    entra.revoke(user="bob@fabrikam.com")
    granted(renew(strict, before))
    entra.revoke(user="ADA@contoso.com")
    refused(renew(strict, before), 50173, "invalid_grant")
    after = first(strict)
    granted(renew(strict, after))
    entra.revoke(app="public-app")
    refused(renew(strict, after), 50173, "invalid_grant")
    last = first(strict)
    entra.revoke()
    refused(renew(strict, last), 50173, "invalid_grant")
    with pytest.raises(NotFound):
        entra.revoke(user="nobody@contoso.com")


def test_a_reset_forgets_refresh_tokens(strict: Caller) -> None:
    token = first(strict)
    strict.entra.reset()
    refused(renew(strict, token), 9002313, "invalid_grant")


def test_a_user_who_has_left(strict: Caller, make: Make) -> None:
    token = first(strict)
    strict.entra.directory = make(users=[]).entra.directory
    refused(renew(strict, token), 50034, "invalid_grant")


def test_no_access_token_is_a_refresh_token(strict: Caller) -> None:
    token = granted(strict.user_token(READ, **BOTH_ARE_IN))["access_token"]
    refused(renew(strict, token), 9002313, "invalid_grant")
