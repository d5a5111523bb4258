"""Apps that prove themselves with a certificate."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from . import (
    CONTOSO,
    DEFAULT,
    Caller,
    Certificate,
    Make,
    claims_of,
    granted,
    make_certificate,
    refused,
)

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


def sign_in(caller: Caller, assertion: str, **form: str) -> Any:
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
        granted(sign_in(registered, assertion_of(certificate, algorithm)))["access_token"]
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
    granted(sign_in(caller if open_directory else registered, assertion))


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
    answer = sign_in(caller if open_directory else registered, assertion_of(certificate, **changes))
    refused(answer, number, "invalid_client", 401)


def test_a_client_whose_clock_is_a_little_off(
    registered: Caller, caller: Caller, certificate: Certificate
) -> None:
    for off in (-60, 60):
        now = int(time.time()) + off
        for each in (registered, caller):
            granted(sign_in(each, assertion_of(certificate, nbf=now, iat=now, exp=now + 30)))


def test_a_certificate_that_is_not_registered(registered: Caller, caller: Caller) -> None:
    assertion = assertion_of(make_certificate())
    refused(sign_in(registered, assertion), 700027, "invalid_client", 401)
    granted(sign_in(caller, assertion))


def test_a_secret_does_not_do_for_an_app_with_certificates(
    registered: Caller, certificate: Certificate, strict: Caller
) -> None:
    answer = registered.app_token(client_id="cert-app", secret="any")
    refused(answer, 7000215, "invalid_client", 401)
    assertion = assertion_of(certificate, iss="reader-app", sub="reader-app")
    refused(sign_in(strict, assertion, client_id="reader-app"), 700027, "invalid_client", 401)


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
    answer = sign_in(caller if open_directory else registered, assertion)
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
        refused(sign_in(each, assertion), 50027, "invalid_client", 401)


def test_the_type_of_an_assertion(caller: Caller, certificate: Certificate) -> None:
    assertion = assertion_of(certificate)
    answer = sign_in(caller, assertion, client_assertion_type="")
    refused(answer, 900144, "invalid_request")
    answer = sign_in(caller, assertion, client_assertion_type="saml")
    refused(answer, 50027, "invalid_client", 401)


def test_a_token_of_another_identity_provider(caller: Caller, certificate: Certificate) -> None:
    assertion = assertion_of(
        certificate,
        aud="api://AzureADTokenExchange",
        iss="https://token.actions.example",
        sub="repo:contoso/app:ref:refs/heads/main",
    )
    assert claims_of(granted(sign_in(caller, assertion))["access_token"])["appidacr"] == "2"


def test_a_test_that_moves_the_clock_does_not_move_the_client(
    caller: Caller, certificate: Certificate
) -> None:
    caller.entra.clock.advance(10**8)
    granted(sign_in(caller, assertion_of(certificate)))


def test_only_certificates_of_rsa_keys_can_be_registered(make: Make) -> None:
    from mockgraph.errors import BadRequest

    elliptic = make_certificate(ec.generate_private_key(ec.SECP256R1()))
    for pem in (elliptic.pem, "PEM", "", "größe"):
        with pytest.raises(BadRequest, match=r"^Directory/apps/0/certificates/0: "):
            make(apps=[{"appId": "cert-app", "certificates": [pem]}])
