"""Client libraries, unmodified: requests, httpx, MSAL, and PyJWT as a resource server."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import jwt
import msal
import pytest
import requests
import trustme
from werkzeug.serving import make_server

from mockgraph.entra.entra import Entra
from mockgraph.entra.signing_keys import SigningKey

from . import (
    CONTOSO,
    DEFAULT,
    HOST,
    READER,
    Certificate,
    hidden_fields,
    make_certificate,
    seeded,
    wsgi,
)

READ = "SecurityEvents.Read.All"


class Live(NamedTuple):
    """Entra over TLS on the loopback, and the file of the authority that a client trusts."""

    entra: Entra
    origin: str
    ca: str

    def authority(self, tenant: str = CONTOSO) -> str:
        return f"{self.origin}/{tenant}"


@pytest.fixture(scope="module")
def registered() -> Certificate:
    return make_certificate()


@pytest.fixture(scope="module")
def live(
    key: SigningKey, registered: Certificate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Live]:
    apps = [
        {"appId": READER, "secrets": ["s3cret"], "permissions": [READ]},
        {"appId": "cert-app", "certificates": [registered.pem]},
        {"appId": "public-app", "publicClient": True, "permissions": [READ]},
    ]
    entra = seeded(key, apps=apps)
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    ca = str(tmp_path_factory.mktemp("ca") / "ca.pem")
    authority.cert_pem.write_to_path(ca)
    server = make_server("127.0.0.1", 0, wsgi(entra), threaded=True, ssl_context=context)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REQUESTS_CA_BUNDLE", ca)  # where it is set, it overrides `verify`
        patch.setenv("NO_PROXY", "localhost,127.0.0.1")
        yield Live(entra, f"https://localhost:{server.server_port}", ca)
    server.shutdown()
    thread.join()
    server.server_close()


def validated(live: Live, token: str, audience: str, version: str = "/v2.0") -> dict[str, Any]:
    """The claims of a token, verified as a resource server does, by discovery."""
    context = ssl.create_default_context(cafile=live.ca)
    with httpx.Client(verify=context) as http:
        url = f"{live.authority()}{version}/.well-known/openid-configuration"
        configuration = http.get(url).raise_for_status().json()
        keys = jwt.PyJWKSet.from_dict(http.get(configuration["jwks_uri"]).raise_for_status().json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    issuer = configuration["issuer"]
    claims: dict[str, Any] = jwt.decode(
        token, key.key, algorithms=["RS256"], audience=audience, issuer=issuer
    )
    return claims


@pytest.fixture
def session(live: Live) -> Iterator[requests.Session]:
    with requests.Session() as made:
        made.verify = live.ca
        yield made


def test_requests_and_a_resource_server(live: Live, session: requests.Session) -> None:
    form = {"grant_type": "client_credentials", "scope": DEFAULT}
    answer = session.post(
        f"{live.authority()}/oauth2/v2.0/token", data=form, auth=(READER, "s3cret")
    )
    token = answer.json()["access_token"]
    claims = validated(live, token, "https://graph.microsoft.com")
    assert claims["roles"] == [READ]
    assert live.entra.verify(token, HOST)
    with pytest.raises(jwt.InvalidAudienceError):
        validated(live, token, "https://vault.azure.net")
    with pytest.raises(jwt.InvalidSignatureError):
        validated(live, live.entra.mint(flaw="tampered"), "https://graph.microsoft.com")


def test_a_resource_server_of_version_1(live: Live, session: requests.Session) -> None:
    form = {"grant_type": "client_credentials", "resource": "https://graph.microsoft.com"}
    answer = session.post(f"{live.authority()}/oauth2/token", data=form, auth=(READER, "s3cret"))
    token = answer.json()["access_token"]
    assert validated(live, token, "https://graph.microsoft.com", version="")["ver"] == "1.0"


def test_httpx_with_an_authorization_code(live: Live) -> None:
    context = ssl.create_default_context(cafile=live.ca)
    with httpx.Client(verify=context, base_url=live.authority()) as http:
        query = {
            "client_id": "public-app",
            "response_type": "code",
            "redirect_uri": "http://localhost:1234/cb",
            "scope": f"openid {READ}",
            "prompt": "none",
            "nonce": "once",
        }
        sent = httpx.URL(http.get("/oauth2/v2.0/authorize", params=query).headers["Location"])
        assert sent.port == 1234
        form = {
            "client_id": "public-app",
            "grant_type": "authorization_code",
            "code": sent.params["code"],
            "redirect_uri": "http://localhost:1234/cb",
        }
        body = http.post("/oauth2/v2.0/token", data=form).raise_for_status().json()
    assert validated(live, body["id_token"], "public-app")["nonce"] == "once"
    assert live.entra.verify(body["access_token"], HOST)["scp"] == f"openid {READ}"


class OnThePort(requests.adapters.HTTPAdapter):
    """MSAL asks for a user's realm at port 443, whichever the authority's is."""

    def __init__(self, origin: str):
        super().__init__()
        self.origin = origin

    def send(self, request: requests.PreparedRequest, *rest: Any, **more: Any) -> Any:
        assert request.url is not None
        request.url = request.url.replace("https://localhost", self.origin)
        return super().send(request, *rest, **more)


def public_client(live: Live, **options: Any) -> msal.PublicClientApplication:
    return msal.PublicClientApplication(
        "public-app",
        authority=live.authority(),
        instance_discovery=False,
        **{"verify": live.ca, **options},
    )


def test_msal_with_a_secret(live: Live) -> None:
    app = msal.ConfidentialClientApplication(
        READER, "s3cret", authority=live.authority(), instance_discovery=False, verify=live.ca
    )
    answer = app.acquire_token_for_client([DEFAULT])
    assert live.entra.verify(answer["access_token"], HOST)["roles"] == [READ]
    assert answer["token_source"] == "identity_provider"
    assert app.acquire_token_for_client([DEFAULT])["token_source"] == "cache"


def test_msal_with_a_wrong_secret(live: Live) -> None:
    app = msal.ConfidentialClientApplication(
        READER, "no", authority=live.authority(), instance_discovery=False, verify=live.ca
    )
    answer = app.acquire_token_for_client([DEFAULT])
    assert answer["error"] == "invalid_client"
    assert answer["error_codes"] == [7000215]


@pytest.mark.parametrize("whose", ["registered", "another"])
def test_msal_with_a_certificate(live: Live, registered: Certificate, whose: str) -> None:
    certificate = registered if whose == "registered" else make_certificate()
    credential = {
        "private_key": certificate.private_pem,
        "thumbprint": certificate.thumbprint,
        "public_certificate": certificate.pem,
    }
    app = msal.ConfidentialClientApplication(
        "cert-app", credential, authority=live.authority(), instance_discovery=False, verify=live.ca
    )
    answer = app.acquire_token_for_client([DEFAULT])
    if whose == "registered":
        assert live.entra.verify(answer["access_token"], HOST)["appidacr"] == "2"
    else:
        assert answer["error_codes"] == [700027]


@pytest.mark.filterwarnings("ignore:This API has been deprecated for public client flows")
def test_msal_with_a_password_and_silently(live: Live, session: requests.Session) -> None:
    session.mount("https://localhost/", OnThePort(live.origin))
    app = public_client(live, http_client=session)
    scopes = [READ]
    answer = app.acquire_token_by_username_password("ada@contoso.com", "enchantress", scopes)
    assert live.entra.verify(answer["access_token"], HOST)["upn"] == "Ada@contoso.com"
    (account,) = app.get_accounts()
    assert account["username"] == "Ada@contoso.com"
    silent = app.acquire_token_silent(scopes, account)
    assert silent["token_source"] == "cache"
    silent = app.acquire_token_silent(scopes, account, force_refresh=True)
    assert silent["token_source"] == "identity_provider"
    assert silent["access_token"] != answer["access_token"]
    live.entra.revoke(user="ada@contoso.com")
    refusal = app.acquire_token_silent_with_error(scopes, account, force_refresh=True)
    assert refusal["error"] == "invalid_grant"
    wrong = app.acquire_token_by_username_password("ada@contoso.com", "wrong", scopes)
    assert wrong["error_codes"] == [50126]


def test_msal_on_a_device(live: Live) -> None:
    app = public_client(live)
    flow = app.initiate_device_flow([READ])
    assert flow["verification_uri"].startswith(live.origin)
    live.entra.approve_device_code(flow["user_code"], "bob@fabrikam.com")
    answer = app.acquire_token_by_device_flow(flow)
    assert answer["id_token_claims"]["preferred_username"] == "bob@fabrikam.com"


def test_msal_with_an_authorization_code(live: Live, session: requests.Session) -> None:
    app = public_client(live)
    flow = app.initiate_auth_code_flow(
        [READ],
        redirect_uri="http://localhost:4321",
        login_hint="bob@fabrikam.com",
        response_mode="form_post",
    )
    page = session.get(flow["auth_uri"], allow_redirects=False)
    assert 'action="http://localhost:4321"' in page.text
    tokens = app.acquire_token_by_auth_code_flow(flow, hidden_fields(page.text))
    assert tokens["id_token_claims"]["name"] == "bob"
    assert live.entra.verify(tokens["access_token"], HOST)["scp"].split()[-1] == READ


def test_msal_answers_a_claims_challenge(live: Live) -> None:
    app = msal.ConfidentialClientApplication(
        READER,
        "s3cret",
        authority=live.authority(),
        instance_discovery=False,
        verify=live.ca,
        client_capabilities=["CP1"],
    )
    token = app.acquire_token_for_client([DEFAULT])["access_token"]
    live.entra.revoke(app=READER)
    with pytest.raises(Exception, match="TokenIssuedBeforeRevocationTimestamp"):
        live.entra.verify(token, HOST)
    challenge = '{"access_token": {"nbf": {"essential": true, "value": "1"}}}'
    answer = app.acquire_token_for_client([DEFAULT], claims_challenge=challenge)
    assert live.entra.verify(answer["access_token"], HOST)["xms_cc"] == ["CP1"]


def test_msal_with_instance_discovery_of_ours(live: Live) -> None:
    app = msal.ConfidentialClientApplication(
        READER,
        "s3cret",
        authority=live.authority(),
        instance_discovery=f"{live.origin}/common/discovery/instance",
        verify=live.ca,
    )
    assert "access_token" in app.acquire_token_for_client([DEFAULT])
