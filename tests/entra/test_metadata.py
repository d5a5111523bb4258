"""What is looked up: documents, keys, instances, users' realms."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm
from werkzeug.test import Client

from mockgraph.entra.entra import Entra
from mockgraph.entra.signing_keys import SigningKey

from . import CONTOSO, PERSONAL, Caller, claims_of, granted, opened, refused, wsgi


@pytest.mark.parametrize(
    ("named", "shown", "issuer"),
    [
        ("contoso.com", CONTOSO, CONTOSO),
        (CONTOSO, CONTOSO, CONTOSO),
        ("common", "common", "{tenantid}"),
        ("organizations", "organizations", "{tenantid}"),
        ("consumers", PERSONAL, PERSONAL),
    ],
)
@pytest.mark.parametrize("prefix", ["", "/t/one"])
def test_the_configuration_says_where_its_own_endpoints_are(
    strict: Caller, named: str, shown: str, issuer: str, prefix: str
) -> None:
    client = Client(wsgi(strict.entra))
    base = f"https://host.test:8443{prefix}"
    for version, between in ((2, "/v2.0"), (1, "")):
        answer = client.get(f"/{named}{between}/.well-known/openid-configuration", base_url=base)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        document = answer.json
        assert document is not None
        end = "v2.0" if version == 2 else ""
        assert document["issuer"] == f"{base}/{issuer}/{end}"
        for name, path in (
            ("token_endpoint", f"oauth2{between}/token"),
            ("authorization_endpoint", f"oauth2{between}/authorize"),
            ("device_authorization_endpoint", f"oauth2{between}/devicecode"),
            ("end_session_endpoint", f"oauth2{between}/logout"),
            ("jwks_uri", f"discovery{between}/keys"),
        ):
            assert document[name] == f"{base}/{shown}/{path}"
        assert document["userinfo_endpoint"] == f"{base}/oidc/userinfo"
        for name in ("token_endpoint", "authorization_endpoint", "jwks_uri", "userinfo_endpoint"):
            path = urlsplit(document[name]).path.removeprefix(prefix)
            assert client.get(path, base_url=base).text != "none of Entra's"


@pytest.mark.parametrize("host", ["login.microsoftonline.com", "login.test"])
def test_issuers_of_version_1(keys: SigningKey, host: str) -> None:
    client = Client(wsgi(opened(keys)))
    url = f"/{CONTOSO}/.well-known/openid-configuration"
    document = client.get(url, base_url=f"https://{host}").json
    assert document is not None
    entra = host.startswith("login.microsoft")
    assert document["issuer"] == f"https://{'sts.windows.net' if entra else host}/{CONTOSO}/"


def test_the_keys_are_those_that_sign(caller: Caller) -> None:
    token = granted(caller.app_token())["access_token"]
    answers = [caller.get(f"/common/discovery{between}/keys").json for between in ("", "/v2.0")]
    assert answers[0] == answers[1]
    assert answers[0] is not None
    (key,) = answers[0]["keys"]
    assert (key["kty"], key["use"], key["e"]) == ("RSA", "sig", "AQAB")
    certificate = x509.load_der_x509_certificate(base64.b64decode(key["x5c"][0]))
    der = certificate.public_bytes(serialization.Encoding.DER)
    thumbprint = base64.urlsafe_b64encode(hashlib.sha1(der).digest()).decode().rstrip("=")
    assert key["kid"] == key["x5t"] == thumbprint
    public = RSAAlgorithm.from_jwk(key)
    own = certificate.public_key()
    assert isinstance(public, RSAPublicKey)
    assert isinstance(own, RSAPublicKey)
    assert public.public_numbers() == own.public_numbers()
    assert claims_of("." + token.split(".")[0])["kid"] == thumbprint
    assert claims_of("." + token.split(".")[0])["x5t"] == thumbprint


def test_a_key_is_made_when_it_is_needed_and_once() -> None:
    keys = SigningKey()
    entra = opened(keys)
    caller = Caller(entra)
    caller.get("/common/v2.0/.well-known/openid-configuration")
    caller.app_token(secret="wrong")
    assert keys._made is None
    key = caller.get("/common/discovery/v2.0/keys").json
    assert Caller(entra.fork(entra.clock)).get("/common/discovery/keys").json == key


@pytest.mark.parametrize(
    ("authority", "endpoint", "cloud"),
    [
        (
            "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/authorize",
            "https://login.microsoftonline.com/contoso.com/v2.0/.well-known/openid-configuration",
            "login.microsoftonline.com",
        ),
        (
            "https://login.test/common/oauth2/authorize",
            "https://login.test/common/v2.0/.well-known/openid-configuration",
            "login.test",
        ),
        (
            "https://localhost:8443/x/",
            "https://localhost:8443/x/v2.0/.well-known/openid-configuration",
            "localhost:8443",
        ),
        (
            "https://127.0.0.1",
            "https://127.0.0.1/common/v2.0/.well-known/openid-configuration",
            "127.0.0.1",
        ),
    ],
)
def test_instance_discovery(caller: Caller, authority: str, endpoint: str, cloud: str) -> None:
    answer = caller.get(
        "/common/discovery/instance",
        query_string={"api-version": "1.1", "authorization_endpoint": authority},
    )
    document = answer.json
    assert document is not None
    assert document["tenant_discovery_endpoint"] == endpoint
    assert cloud in [alias for each in document["metadata"] for alias in each["aliases"]]


@pytest.mark.parametrize("authority", ["https://login.example/x", "https://[", "x", "https://"])
def test_instances_that_are_none_of_ours(caller: Caller, authority: str) -> None:
    query = {"authorization_endpoint": authority}
    answer = caller.get("/common/discovery/instance", query_string=query)
    refused(answer, 50049, "invalid_instance")


def test_instance_discovery_needs_an_authority(caller: Caller) -> None:
    refused(caller.get("/common/discovery/instance"), 900144, "invalid_request")


def test_the_realm_of_a_user(caller: Caller) -> None:
    document = caller.get("/common/UserRealm/Ada%40contoso.com?api-version=1.0").json
    assert document is not None
    assert document["account_type"] == "Managed"
    assert document["domain_name"] == "contoso.com"


def test_user_info(strict: Caller) -> None:
    token = granted(strict.user_token("openid", client_id="public-app"))["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    document = strict.get("/oidc/userinfo", headers=headers).json
    assert document is not None
    assert document["sub"] == claims_of(token)["sub"]
    assert document["name"] == "Ada Lovelace"
    for header in ("", "Bearer", "Bearer x", f"Basic {token}"):
        answer = strict.get("/oidc/userinfo", headers={"Authorization": header})
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer realm=")
        assert answer.json is not None
        assert answer.json["error"] == "invalid_token"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/common/.well-known/openid-configuration"),
        ("POST", "/common/discovery/keys"),
        ("PUT", "/common/discovery/instance"),
        ("DELETE", "/common/userrealm/x"),
        ("GET", "/common/oauth2/v2.0/token"),
        ("HEAD", "/common/oauth2/token"),
        ("GET", "/common/oauth2/v2.0/devicecode"),
    ],
)
def test_methods(caller: Caller, method: str, path: str) -> None:
    answer = caller.http.open(path, method=method, base_url="https://login.test")
    assert answer.status_code == 400
    if method != "HEAD":
        refused(answer, 900561, "invalid_request")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/common",
        "/common/",
        "/common/oauth2",
        "/common/oauth2/v2.0/nothing",
        "/a/b/oauth2/token",
        "//oauth2/token",
        "/v1.0/security/alerts",
        "/localtest/Security",
        "/metadata/instance",
        "/oauth2/token",
    ],
)
def test_paths_of_others(caller: Caller, path: str) -> None:
    assert caller.get(path).text == "none of Entra's"


def test_paths_are_matched_without_regard_to_case_and_final_slash(caller: Caller) -> None:
    for path in ("/COMMON/OAuth2/V2.0/Token", "/common/oauth2/v2.0/token/"):
        refused(caller.post(path, {"grant_type": "x"}), 70003, "unsupported_grant_type")


def test_without_a_host(keys: SigningKey) -> None:
    answer = Client(wsgi(opened(keys))).get("/common/discovery/keys", headers={"Host": "a/b"})
    refused(answer, 9002313, "invalid_request")


def test_the_callers_own_id_comes_back(caller: Caller) -> None:
    own = "11111111-2222-4333-8444-555555555555"
    headers = {"client-request-id": own}
    for answer in (
        caller.post("/common/oauth2/v2.0/token", headers=headers),
        caller.post(f"/common/oauth2/v2.0/token?client-request-id={own}"),
    ):
        assert answer.json is not None
        assert answer.json["correlation_id"] == own
    answer = caller.post("/common/oauth2/v2.0/token", headers={"client-request-id": "<b>"})
    assert answer.json is not None
    assert answer.json["correlation_id"] != "<b>"


def test_tenants_of_one_server_share_a_key_and_nothing_else(keys: SigningKey) -> None:
    first = opened(keys)
    second: Entra = first.fork(first.clock)
    refresh = granted(Caller(first).user_token("offline_access User.Read"))["refresh_token"]
    answer = Caller(second).token("refresh_token", refresh_token=refresh)
    refused(answer, 9002313, "invalid_grant")
