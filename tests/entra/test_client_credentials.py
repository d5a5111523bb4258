"""Apps that sign in by themselves: what they get, and what they are refused."""

from __future__ import annotations

import base64
import uuid

import pytest

from . import (
    API,
    CONTOSO,
    DEFAULT,
    GRAPH,
    GRAPH_ID,
    PERMISSIONS,
    PERSONAL,
    READER,
    Caller,
    Make,
    claims_of,
    granted,
    refused,
)


def test_a_token_as_entra_issues_it(caller: Caller) -> None:
    caller.entra.clock.freeze()
    now = int(caller.entra.clock.now().timestamp())
    body = granted(caller.app_token(client_id="my-app"))
    assert body.keys() == {"token_type", "expires_in", "ext_expires_in", "access_token"}
    assert body["expires_in"] == body["ext_expires_in"] == 3599
    claims = claims_of(body["access_token"])
    tid = claims["tid"]
    assert str(uuid.UUID(tid)) == tid
    assert claims["aud"] == GRAPH
    assert claims["iss"] == f"https://login.test/{tid}/v2.0"
    assert claims["iat"] == claims["nbf"] == now - 300
    assert claims["exp"] == now + 3600
    assert claims["appid"] == claims["azp"] == "my-app"
    assert claims["appidacr"] == claims["azpacr"] == "1"
    assert claims["idtyp"] == "app"
    assert claims["oid"] == claims["sub"]
    assert claims["roles"] == sorted(PERMISSIONS)
    assert claims["ver"] == "2.0"
    assert not claims.keys() & {"scp", "upn", "xms_cc", "nonce"}
    assert caller.entra.verify(body["access_token"], "localhost")["appid"] == "my-app"


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


def test_each_token_is_another(caller: Caller) -> None:
    tokens = [claims_of(granted(caller.app_token())["access_token"]) for _ in range(3)]
    assert len({each["uti"] for each in tokens}) == 3
    assert len({each["oid"] for each in tokens}) == 1


@pytest.mark.parametrize(
    "tenant", ["contoso.com", "CONTOSO.com", "contoso.example", CONTOSO, CONTOSO.upper()]
)
def test_a_tenant_by_its_id_or_by_a_domain(strict: Caller, tenant: str) -> None:
    strict.tenant = tenant
    body = granted(strict.app_token(client_id=READER, secret="s3cret"))
    assert claims_of(body["access_token"])["tid"] == CONTOSO


@pytest.mark.parametrize(
    "tenant",
    [
        "foo",
        "localhost",
        "a..com",
        "-a.com",
        "nobody.example",
        "0" * 36,
        "x" * 300,
        "a b.com",
        "é.fr",
    ],
)
def test_what_can_be_no_tenant(strict: Caller, tenant: str) -> None:
    strict.tenant = tenant
    refused(strict.app_token(), 90002, "invalid_tenant")
    refused(strict.get(f"/{tenant}/v2.0/.well-known/openid-configuration"), 90002, "invalid_tenant")


@pytest.mark.parametrize(("tenant", "number"), [("common", 50059), ("Organizations", 50059)])
def test_an_app_needs_a_tenant(caller: Caller, tenant: str, number: int) -> None:
    caller.tenant = tenant
    refused(caller.app_token(), number, "invalid_request")


@pytest.mark.parametrize("tenant", ["consumers", PERSONAL])
def test_an_app_is_no_person(caller: Caller, tenant: str) -> None:
    caller.tenant = tenant
    refused(caller.app_token(), 9001023, "invalid_request")


@pytest.mark.parametrize(
    ("scope", "audience"),
    [
        (DEFAULT, GRAPH),
        (f"{GRAPH}//.default", f"{GRAPH}/"),
        (f"{GRAPH_ID}/.default", GRAPH_ID),
        (".default", GRAPH_ID),
        ("http://127.0.0.1/.default", "http://127.0.0.1"),
        ("http://127.0.0.1:8365/.default", "http://127.0.0.1:8365"),
        ("https://localhost:8443/.default", "https://localhost:8443"),
        ("http://[::1]:8365/.default", "http://[::1]:8365"),
        ("https://login.test:9/.default", "https://login.test:9"),
        (f"openid {DEFAULT} offline_access", GRAPH),
    ],
)
def test_graph_by_each_of_its_names(strict: Caller, scope: str, audience: str) -> None:
    body = granted(strict.app_token(scope, "s3cret", client_id=READER))
    claims = claims_of(body["access_token"])
    assert claims["aud"] == audience
    assert claims["roles"] == ["SecurityEvents.Read.All"]


def test_what_is_not_graph_gets_no_roles_of_graph(caller: Caller) -> None:
    for scope in ("https://vault.azure.net/.default", "api://my-api/.default"):
        claims = claims_of(granted(caller.app_token(scope))["access_token"])
        assert claims["aud"] == scope.removesuffix("/.default")
        assert "roles" not in claims


@pytest.mark.parametrize(
    ("scope", "audience", "version"),
    [
        ("api://api-app/.default", "api-app", "2.0"),
        ("API-app/.default", "api-app", "2.0"),
        ("https://api.example//.default", "api-app", "2.0"),
        ("https://api.example/.default", "api-app", "2.0"),
        ("api://reader-app/.default", "api://reader-app", "2.0"),
        ("https://vault.azure.net/.default", "https://vault.azure.net", "2.0"),
    ],
)
def test_apis_of_the_directory(strict: Caller, scope: str, audience: str, version: str) -> None:
    body = granted(strict.app_token(scope, "s3cret", client_id=READER))
    claims = claims_of(body["access_token"])
    assert (claims["aud"], claims["ver"]) == (audience, version)


def test_an_api_takes_tokens_of_its_own_version(strict: Caller) -> None:
    body = granted(
        strict.token(
            "client_credentials",
            1,
            client_id=READER,
            client_secret="s3cret",
            resource="api://api-app",
        )
    )
    claims = claims_of(body["access_token"])
    assert (claims["ver"], claims["aud"]) == ("2.0", "api-app")
    assert claims["iss"] == f"https://login.test/{CONTOSO}/v2.0"


@pytest.mark.parametrize(
    ("scope", "number", "error"),
    [
        ("https://graph.microsoft.com/SecurityEvents.Read.All", 1002012, "invalid_scope"),
        ("SecurityEvents.Read.All", 1002012, "invalid_scope"),
        ("openid", 1002012, "invalid_scope"),
        ("https://graph.microsoft.com", 70011, "invalid_scope"),
        ("https://graph.microsoft.com/", 70011, "invalid_scope"),
        ("/.default", 70011, "invalid_scope"),
        (f"{DEFAULT} {GRAPH}/User.Read", 70011, "invalid_scope"),
        (f"{DEFAULT} https://vault.azure.net/.default", 28000, "invalid_scope"),
        ("https://graph.example/.default", 500011, "invalid_resource"),
        ("api://nobody/.default", 500011, "invalid_resource"),
        ("<script>/.default", 500011, "invalid_resource"),
        (" ", 70011, "invalid_scope"),
        ("x" * 10_001, 70011, "invalid_scope"),
    ],
)
def test_scopes_that_an_app_cannot_have(
    strict: Caller, scope: str, number: int, error: str
) -> None:
    refused(strict.app_token(scope, "s3cret", client_id=READER), number, error)


@pytest.mark.parametrize("secret", ["s3cret", "a+b%41~c"])
def test_the_secrets_of_a_seeded_app(strict: Caller, secret: str) -> None:
    granted(strict.app_token(client_id=READER, secret=secret))


@pytest.mark.parametrize("sent", ["s3cret", "a+b%41~c", "a%2Bb%2541~c"])
def test_a_secret_by_http_basic(strict: Caller, sent: str) -> None:
    credentials = base64.b64encode(f"{READER}:{sent}".encode()).decode()
    form = {"grant_type": "client_credentials", "scope": DEFAULT}
    headers = {"Authorization": f"Basic {credentials}"}
    answer = strict.post("/contoso.com/oauth2/v2.0/token", form, headers=headers)
    assert claims_of(granted(answer)["access_token"])["appid"] == READER


@pytest.mark.parametrize("sent", ["s3cret2", "", "wrong"])
def test_a_wrong_secret_by_http_basic(strict: Caller, sent: str) -> None:
    credentials = base64.b64encode(f"{READER}:{sent}".encode()).decode()
    form = {"grant_type": "client_credentials", "scope": DEFAULT}
    headers = {"Authorization": f"Basic {credentials}"}
    answer = strict.post("/contoso.com/oauth2/v2.0/token", form, headers=headers)
    refused(answer, 7000215 if sent else 7000216, "invalid_client", 401)


@pytest.mark.parametrize(
    ("app", "secret", "number"),
    [
        (READER, "wrong", 7000215),
        (READER, "S3CRET", 7000215),
        (READER, "s3cret ", 7000215),
        (READER, "größe", 7000215),
        (READER, "stale", 7000222),
        (READER, None, 7000216),
        (READER, "", 7000216),
        (API, "wrong", 7000215),
        ("public-app", "x", 700025),
    ],
)
def test_wrong_credentials(strict: Caller, app: str, secret: str | None, number: int) -> None:
    answer = strict.token("client_credentials", client_id=app, client_secret=secret, scope=DEFAULT)
    text = refused(answer, number, "invalid_client", 401)
    assert not secret or f"'{secret}'" not in text


def test_in_an_open_directory_one_secret_is_wrong(caller: Caller) -> None:
    text = refused(caller.app_token(secret="wrong"), 7000215, "invalid_client", 401)
    assert "for a secret added to app 'some-app'" in text
    granted(caller.app_token(secret="Wrong"))


def test_an_app_that_is_not_there(strict: Caller, caller: Caller) -> None:
    text = refused(strict.app_token(client_id="nobody"), 700016, "unauthorized_client")
    assert "'nobody' was not found in the directory 'contoso.com'" in text
    refused(caller.app_token(client_id="x" * 101), 700016, "unauthorized_client")


def test_an_app_without_permissions_is_let_in_and_may_nothing(make: Make) -> None:
    caller = make(apps=[{"appId": "bare", "permissions": []}])
    claims = claims_of(granted(caller.app_token(client_id="bare"))["access_token"])
    assert "roles" not in claims
