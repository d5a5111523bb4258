"""The token endpoint: each type of grant, and the tokens that it gives."""

from __future__ import annotations

import base64
import json
import threading

import pytest
from werkzeug.test import TestResponse

from mockgraph.errors import NotFound

from . import (
    CHALLENGE,
    CONTOSO,
    FABRIKAM,
    GRAPH,
    GRAPH_ID,
    PERSONAL,
    PKCE,
    PUBLIC,
    READ,
    READER,
    TOKEN_URL,
    VERIFIER,
    Caller,
    Make,
    claims_of,
    granted,
    pending,
    refused,
    sent_back,
)


@pytest.mark.parametrize(
    ("form", "missing"),
    [
        ({"grant_type": "password", "scope": "User.Read"}, "username"),
        ({"grant_type": "password", "scope": "User.Read", "username": "a@b.example"}, "password"),
        ({"grant_type": "refresh_token"}, "refresh_token"),
        ({"grant_type": "authorization_code"}, "code"),
        ({"grant_type": "device_code"}, "code"),
    ],
)
def test_missing_parameters_of_each_grant(
    caller: Caller, form: dict[str, str], missing: str
) -> None:
    text = refused(caller.post(TOKEN_URL, {"client_id": "x", **form}), 900144, "invalid_request")
    assert f"'{missing}'" in text


@pytest.mark.parametrize("grant", ["implicit", "Client_Credentials", "x" * 10_000, "\x00", "é"])
def test_unknown_grants(caller: Caller, grant: str) -> None:
    text = refused(caller.token(grant), 70003, "unsupported_grant_type")
    assert len(text) < 600
    assert "MockGraph" not in text


def test_a_grant_that_entra_has_is_said_to_be_lacking(caller: Caller) -> None:
    for name in ("jwt-bearer", "saml2-bearer"):
        grant = f"urn:ietf:params:oauth:grant-type:{name}"
        text = refused(caller.token(grant, assertion="x"), 70003, "unsupported_grant_type")
        assert f"'{grant}'. MockGraph does not emulate it." in text


# -- client credentials --------------------------------------------------------------------


def test_version_1_takes_a_resource_and_writes_numbers_as_text(caller: Caller) -> None:
    caller.entra.clock.freeze()
    now = int(caller.entra.clock.now().timestamp())
    body = granted(caller.token("client_credentials", 1, client_secret="any", resource=f"{GRAPH}/"))
    assert body["expires_in"] == body["ext_expires_in"] == "3599"
    assert body["expires_on"] == str(now + 3599)
    assert body["not_before"] == str(now)
    assert body["resource"] == f"{GRAPH}/"
    claims = claims_of(body["access_token"])
    assert claims["iss"] == claims["idp"] == f"https://login.test/{claims['tid']}/"
    assert (claims["ver"], claims["aud"]) == ("1.0", f"{GRAPH}/")
    assert caller.entra.verify(body["access_token"], "localhost")


@pytest.mark.parametrize(("tenant", "number"), [("common", 50059), ("Organizations", 50059)])
def test_an_app_needs_a_tenant(caller: Caller, tenant: str, number: int) -> None:
    caller.tenant = tenant
    refused(caller.app_token(), number, "invalid_request")


@pytest.mark.parametrize("tenant", ["consumers", PERSONAL])
def test_an_app_is_no_person(caller: Caller, tenant: str) -> None:
    caller.tenant = tenant
    refused(caller.app_token(), 9001023, "invalid_request")


# -- passwords -----------------------------------------------------------------------------


def test_tokens_of_a_user(strict: Caller) -> None:
    scope = f"openid profile offline_access {READ}"
    body = granted(strict.user_token(scope, **PUBLIC, client_info="1"))
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
    body = granted(strict.user_token(READ, **PUBLIC))
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
    body = granted(caller.user_token(READ, name, "x", **PUBLIC))
    claims = claims_of(body["access_token"])
    assert claims["tid"] == signed_into
    assert (claims.get("idp") == "live.com") == (signed_into == PERSONAL)


# -- refresh tokens ------------------------------------------------------------------------


def first(caller: Caller, scope: str = f"openid offline_access {READ}") -> str:
    token: str = granted(caller.user_token(scope, **PUBLIC))["refresh_token"]
    return token


def renew(caller: Caller, token: str, **form: str | None) -> TestResponse:
    return caller.token("refresh_token", refresh_token=token, **{**PUBLIC, **form})


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
    token = granted(strict.user_token(READ, **PUBLIC))["access_token"]
    refused(renew(strict, token), 9002313, "invalid_grant")


# -- authorization codes -------------------------------------------------------------------


def test_a_code_is_good_once(strict: Caller) -> None:
    code = strict.code(**PUBLIC, nonce="n")
    body = granted(strict.redeem(code, **PUBLIC))
    assert claims_of(body["id_token"])["nonce"] == "n"
    assert claims_of(body["access_token"])["tid"] == CONTOSO
    refused(strict.redeem(code, **PUBLIC), 54005, "invalid_grant")


def test_a_code_is_good_for_ten_minutes(strict: Caller) -> None:
    in_time, late = strict.code(**PUBLIC), strict.code(**PUBLIC)
    strict.entra.clock.advance(599)
    granted(strict.redeem(in_time, **PUBLIC))
    strict.entra.clock.advance(1)
    refused(strict.redeem(late, **PUBLIC), 70008, "invalid_grant")


@pytest.mark.parametrize(
    ("challenge", "method", "verifier", "passes"),
    [
        (CHALLENGE, "S256", VERIFIER, True),
        (VERIFIER, "plain", VERIFIER, True),
        (VERIFIER, None, VERIFIER, True),
        (CHALLENGE, "S256", "w" * 43, False),
        (CHALLENGE, "S256", CHALLENGE, False),
        (CHALLENGE, "plain", VERIFIER, False),
        (CHALLENGE, "S256", "größe", False),
    ],
)
def test_proof_key(
    caller: Caller, challenge: str, method: str | None, verifier: str, passes: bool
) -> None:
    query = {"code_challenge_method": method} if method else {}
    code = caller.code(code_challenge=challenge, **query)
    answer = caller.redeem(code, code_verifier=verifier)
    if passes:
        granted(answer)
    else:
        refused(answer, 501481, "invalid_grant")


def test_a_code_with_a_challenge_needs_a_verifier_and_waits_for_it(caller: Caller) -> None:
    code = caller.code(**PKCE)
    refused(caller.redeem(code), 900144, "invalid_request")
    granted(caller.redeem(code, code_verifier=VERIFIER))


def test_a_verifier_for_a_code_whose_challenge_was_taken_out(caller: Caller) -> None:
    refused(caller.redeem(caller.code(), code_verifier=VERIFIER), 501481, "invalid_grant")


@pytest.mark.parametrize(
    ("form", "number", "error"),
    [
        ({"code": "x"}, 9002313, "invalid_grant"),
        ({"code": ""}, 900144, "invalid_request"),
        ({"redirect_uri": None}, 900144, "invalid_request"),
        ({"redirect_uri": "https://app.example/cb/"}, 500112, "invalid_grant"),
        ({"client_id": "another"}, 70000, "invalid_grant"),
        ({"scope": "nonsense"}, 650053, "invalid_scope"),
    ],
)
def test_codes_that_cannot_be_redeemed(
    caller: Caller, form: dict[str, str | None], number: int, error: str
) -> None:
    code = caller.code()
    asked = {"code": code, "redirect_uri": "https://app.example/cb", **form}
    refused(caller.token("authorization_code", **asked), number, error)
    granted(caller.redeem(code))


def test_a_confidential_app_proves_itself(strict: Caller) -> None:
    form = {"client_id": READER, "redirect_uri": "http://localhost/done"}
    code = strict.code(**form)
    refused(strict.redeem(code, **form), 7000218, "invalid_client", 401)
    refused(strict.redeem(code, **form, client_secret="x"), 7000215, "invalid_client", 401)
    body = granted(strict.redeem(code, **form, client_secret="s3cret"))
    assert claims_of(body["access_token"])["appidacr"] == "1"


def test_another_scope_when_the_code_is_redeemed(caller: Caller) -> None:
    body = granted(caller.redeem(caller.code(), scope="offline_access User.Read"))
    assert body["scope"] == "openid offline_access User.Read"  # openid was granted with the code
    assert body["refresh_token"]


def test_what_was_granted_with_the_code_holds_whatever_it_is_redeemed_for(caller: Caller) -> None:
    code = caller.code(scope="openid offline_access SecurityEvents.Read.All")
    body = granted(caller.redeem(code, scope="User.Read"))
    assert {"refresh_token", "id_token"} <= body.keys()
    assert claims_of(body["access_token"])["scp"] == "openid User.Read"


def test_codes_of_version_1(caller: Caller) -> None:
    for resource in ("https://graph.microsoft.com", "https://vault.azure.net"):
        code = sent_back(caller.authorize(1, login_hint="a@b.example", resource=resource))["code"]
        body = granted(caller.redeem(code, 1))
        assert body["resource"] == resource
        assert body["id_token"]
        assert body["refresh_token"]
    code = sent_back(caller.authorize(1, login_hint="a@b.example"))["code"]
    assert granted(caller.redeem(code, 1))["resource"] == "https://graph.microsoft.com"


def test_of_threads_that_redeem_one_code_one_gets_tokens(caller: Caller) -> None:
    code = caller.code()
    barrier = threading.Barrier(8)
    statuses = []

    def redeem() -> None:
        barrier.wait()
        statuses.append(caller.redeem(code).status_code)

    threads = [threading.Thread(target=redeem) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(statuses) == [200] + [400] * 7


# -- tenants -------------------------------------------------------------------------------


@pytest.mark.parametrize("tenant", ["fabrikam.com", FABRIKAM, "consumers"])
def test_a_code_is_redeemed_at_its_own_tenant(strict: Caller, tenant: str) -> None:
    code = strict.code(**PUBLIC)
    strict.tenant = tenant
    refused(strict.redeem(code, **PUBLIC), 700005, "invalid_grant")
    strict.tenant = CONTOSO
    assert claims_of(granted(strict.redeem(code, **PUBLIC))["access_token"])["tid"] == CONTOSO


def test_a_code_for_the_tenant_of_the_user(strict: Caller) -> None:
    for redeemed_at, number in (("common", None), (CONTOSO, None), (FABRIKAM, 700005)):
        strict.tenant = "common"
        code = strict.code(**PUBLIC)
        strict.tenant = redeemed_at
        answer = strict.redeem(code, **PUBLIC)
        if number is None:
            assert claims_of(granted(answer)["access_token"])["tid"] == CONTOSO
        else:
            refused(answer, number, "invalid_grant")


@pytest.mark.parametrize("tenant", ["fabrikam.com", FABRIKAM, "consumers"])
def test_a_refresh_token_is_good_at_its_own_tenant(strict: Caller, tenant: str) -> None:
    token = first(strict)
    strict.tenant = tenant
    refused(renew(strict, token), 700005, "invalid_grant")
    for tenant in (CONTOSO, "organizations"):
        strict.tenant = tenant
        renewed = granted(renew(strict, token))
        assert claims_of(renewed["access_token"])["tid"] == CONTOSO


def test_a_device_code_is_good_at_its_own_tenant(caller: Caller) -> None:
    for started_at, polled_at in (
        ("contoso.com", "fabrikam.com"),
        ("common", "fabrikam.com"),
        ("contoso.com", "consumers"),
    ):
        caller.tenant = started_at
        code = caller.device()["device_code"]
        caller.tenant = polled_at
        pending(caller.poll(code))
        refused(caller.poll(code), 700005, "invalid_grant")
    for started_at, polled_at, signed_in_to in (
        ("contoso.com", "common", "contoso.com"),
        ("common", "example.com", "example.com"),
    ):
        caller.tenant = started_at
        code = caller.device()["device_code"]
        caller.tenant = polled_at
        pending(caller.poll(code))
        tenant = claims_of(granted(caller.poll(code))["access_token"])["tid"]
        assert tenant == caller.entra.directory.tenant(signed_in_to)
