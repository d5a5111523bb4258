"""Credentials of apps and users: secrets, certificates, passwords."""

from __future__ import annotations

import base64
import time
from typing import Any

import jwt
import pytest

from . import (
    API,
    CONTOSO,
    DEFAULT,
    PUBLIC,
    READ,
    READER,
    Caller,
    Certificate,
    Make,
    claims_of,
    granted,
    make_certificate,
    refused,
)

# -- secrets -------------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    "header",
    ["Basic", "Basic !", "Basic eA==", "Basic Og==", "Basic /////w==", "Bearer x", "Digest a=b"],
)
def test_broken_basic_credentials(caller: Caller, header: str) -> None:
    form = {"grant_type": "client_credentials", "scope": DEFAULT}
    answer = caller.post("/contoso.com/oauth2/v2.0/token", form, headers={"Authorization": header})
    assert answer.status_code in (400, 401)
    assert answer.json is not None
    assert answer.json["error_codes"][0] in (900144, 7000216)


def test_an_app_with_credentials_has_to_show_them(strict: Caller) -> None:
    for app in (READER, "both-app"):
        refused(strict.user_token(READ, client_id=app), 7000218, "invalid_client", 401)
        answer = strict.user_token(READ, client_id=app, client_secret="s3cret")
        assert claims_of(granted(answer)["access_token"])["appidacr"] == "1"


# -- certificates --------------------------------------------------------------------------


TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


ENDPOINT = f"https://login.test/{CONTOSO}/oauth2/v2.0/token"


def assertion_of(certificate: Certificate, algorithm: str = "RS256", **changes: Any) -> str:
    claims = {
        "aud": ENDPOINT,
        "iss": "cert-app",
        "sub": "cert-app",
        "jti": "x",
        "nbf": int(time.time()) - 10,
        "exp": int(time.time()) + 600,
        **changes,
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, certificate.key, algorithm=algorithm)


def assert_as(caller: Caller, assertion: str, **form: str) -> Any:
    return caller.token(
        "client_credentials",
        **{
            "client_id": "cert-app",
            "client_assertion": assertion,
            "client_assertion_type": TYPE,
            "scope": DEFAULT,
            **form,
        },
    )


@pytest.fixture(scope="module")
def other() -> Certificate:
    return make_certificate()


@pytest.fixture
def registered(make: Make, certificate: Certificate, other: Certificate) -> Caller:
    """A caller of an Entra where the app has this certificate, and another before it."""
    return make(apps=[{"appId": "cert-app", "certificates": [other.pem, certificate.pem]}])


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
def test_a_registered_certificate(
    registered: Caller, certificate: Certificate, algorithm: str
) -> None:
    claims = claims_of(
        granted(assert_as(registered, assertion_of(certificate, algorithm)))["access_token"]
    )
    assert (claims["appid"], claims["appidacr"]) == ("cert-app", "2")


@pytest.mark.parametrize("open_directory", [True, False])
@pytest.mark.parametrize(
    "audience",
    [
        ENDPOINT,
        [ENDPOINT, "x"],
        f"https://login.test/{CONTOSO}/oauth2/token",
        f"https://login.test/{CONTOSO}/v2.0",
        "https://login.test/contoso.com/",
        "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token",
    ],
)
def test_audiences(
    registered: Caller,
    caller: Caller,
    certificate: Certificate,
    audience: Any,
    open_directory: bool,
) -> None:
    assertion = assertion_of(certificate, aud=audience)
    granted(assert_as(caller if open_directory else registered, assertion))


@pytest.mark.parametrize("open_directory", [True, False])
@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"aud": "https://login.example/contoso.com/oauth2/v2.0/token"}, 700023),
        ({"aud": "https://login.test/"}, 700023),
        ({"aud": ["x", 5, None]}, 700023),
        ({"aud": 5}, 700023),
        ({"aud": f"{ENDPOINT}/more"}, 700023),
        ({"iss": "another"}, 700021),
        ({"sub": "another"}, 700021),
        ({"iss": "another", "sub": "another"}, 700021),
        ({"exp": int(time.time()) - 600}, 700024),
        ({"nbf": int(time.time()) + 6000}, 700024),
        ({"exp": None}, 50027),
        ({"exp": "soon"}, 50027),
        ({"aud": None}, 50027),
        ({"iss": None}, 50027),
        ({"sub": None}, 50027),
    ],
)
def test_claims_that_do_not_fit(
    registered: Caller,
    caller: Caller,
    certificate: Certificate,
    changes: dict[str, Any],
    number: int,
    open_directory: bool,
) -> None:
    answer = assert_as(
        caller if open_directory else registered, assertion_of(certificate, **changes)
    )
    refused(answer, number, "invalid_client", 401)


def test_a_client_whose_clock_is_a_little_off(
    registered: Caller, caller: Caller, certificate: Certificate
) -> None:
    for off in (-60, 60):
        now = int(time.time()) + off
        for each in (registered, caller):
            granted(assert_as(each, assertion_of(certificate, nbf=now, iat=now, exp=now + 30)))


def test_a_certificate_that_is_not_registered(registered: Caller, caller: Caller) -> None:
    assertion = assertion_of(make_certificate())
    refused(assert_as(registered, assertion), 700027, "invalid_client", 401)
    granted(assert_as(caller, assertion))


def test_a_secret_does_not_do_for_an_app_with_certificates(
    registered: Caller, certificate: Certificate, strict: Caller
) -> None:
    answer = registered.app_token(client_id="cert-app", secret="any")
    refused(answer, 7000215, "invalid_client", 401)
    assertion = assertion_of(certificate, iss="reader-app", sub="reader-app")
    refused(assert_as(strict, assertion, client_id="reader-app"), 700027, "invalid_client", 401)


def _deep() -> str:
    header = jwt.utils.base64url_encode(b'{"alg":"RS256","x":' + b"[" * 20_000).decode()
    return f"{header}.e30.c2ln"


@pytest.mark.parametrize(
    "assertion",
    [
        "x",
        "x.y.z",
        "..",
        "e30.e30.e30",
        "größe.größe.größe",
        jwt.encode({"aud": ENDPOINT}, "k" * 32, algorithm="HS256"),
        jwt.encode({"aud": ENDPOINT, "iss": "cert-app", "sub": "cert-app"}, "", algorithm="none"),
        _deep(),
    ],
)
@pytest.mark.parametrize("open_directory", [True, False])
def test_what_is_no_assertion(
    registered: Caller, caller: Caller, assertion: str, open_directory: bool
) -> None:
    answer = assert_as(caller if open_directory else registered, assertion)
    refused(answer, 50027, "invalid_client", 401)


def test_an_instant_that_is_too_far(
    caller: Caller, registered: Caller, certificate: Certificate
) -> None:
    assertion = jwt.PyJWS().encode(
        f'{{"aud":"{ENDPOINT}","iss":"cert-app","sub":"cert-app","exp":1e999}}'.encode(),
        certificate.key,
        algorithm="RS256",
    )
    for each in (caller, registered):
        refused(assert_as(each, assertion), 50027, "invalid_client", 401)


def test_the_type_of_an_assertion(caller: Caller, certificate: Certificate) -> None:
    assertion = assertion_of(certificate)
    answer = assert_as(caller, assertion, client_assertion_type="")
    refused(answer, 900144, "invalid_request")
    answer = assert_as(caller, assertion, client_assertion_type="saml")
    refused(answer, 50027, "invalid_client", 401)


def test_a_token_of_another_identity_provider(caller: Caller, certificate: Certificate) -> None:
    assertion = assertion_of(
        certificate,
        aud="api://AzureADTokenExchange",
        iss="https://token.actions.example",
        sub="repo:contoso/app:ref:refs/heads/main",
    )
    assert claims_of(granted(assert_as(caller, assertion))["access_token"])["appidacr"] == "2"


def test_an_assertion_is_good_until_it_expires(
    registered: Caller, certificate: Certificate
) -> None:
    """MSAL for Node sends one for as long as it is valid, as Entra lets it."""
    assertion = assertion_of(certificate)
    for _ in range(2):
        granted(assert_as(registered, assertion))


def test_a_test_that_moves_the_clock_does_not_move_the_client(
    caller: Caller, certificate: Certificate
) -> None:
    caller.entra.clock.advance(10**8)
    granted(assert_as(caller, assertion_of(certificate)))


# -- users ---------------------------------------------------------------------------------


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
    text = refused(strict.user_token(READ, name, password, **PUBLIC), number, "invalid_grant")
    assert password not in text.split()


def test_in_an_open_directory_anyone_may_but_with_one_password(caller: Caller) -> None:
    granted(caller.user_token(READ, "who@ever.example", "x"))
    refused(caller.user_token(READ, "who@ever.example", "wrong"), 50126, "invalid_grant")
    refused(caller.user_token(READ, "no name", "x"), 50034, "invalid_grant")
