"""Discovery: provider metadata, instances, realms of users, user info."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from werkzeug.test import Client

from mockgraph.entra.signing_keys import SigningKey

from . import (
    CONTOSO,
    PERSONAL,
    Caller,
    claims_of,
    granted,
    opened,
    refused,
    wsgi,
)


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
def test_issuers_of_version_1(key: SigningKey, host: str) -> None:
    client = Client(wsgi(opened(key)))
    url = f"/{CONTOSO}/.well-known/openid-configuration"
    document = client.get(url, base_url=f"https://{host}").json
    assert document is not None
    entra = host.startswith("login.microsoft")
    assert document["issuer"] == f"https://{'sts.windows.net' if entra else host}/{CONTOSO}/"


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
