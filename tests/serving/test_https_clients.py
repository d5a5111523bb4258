"""Clients as they come, over https, against the whole server: sign in, call Graph, be refused."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import msal
import pytest
import requests

from mockgraph import MockGraph

READ = "SecurityEvents.Read.All"
DEFAULT = "https://graph.microsoft.com/.default"
SEED = {
    "Security": {"alerts": [{"id": "a", "title": "Seeded"}]},
    "Directory": {
        "tenants": [
            {"id": "aaaaaaaa-0000-4000-8000-000000000001", "domains": ["contoso.com"]},
        ],
        "apps": [
            {"appId": "reader", "secrets": ["s3cret"], "permissions": [READ]},
            {"appId": "public", "publicClient": True},
        ],
        "users": [{"userPrincipalName": "ada@contoso.com", "permissions": [READ]}],
    },
}


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockGraph]:
    ca_dir = tmp_path_factory.mktemp("ca")
    with (
        pytest.MonkeyPatch.context() as patch,
        MockGraph(seed=SEED, auth="jwt", tls=True, ca_dir=ca_dir) as graph,
    ):
        patch.setenv("REQUESTS_CA_BUNDLE", graph.ca)  # where it is set, it overrides `verify`
        patch.setenv("NO_PROXY", "localhost,127.0.0.1")
        yield graph


@pytest.fixture(scope="module")
def origin(graph: MockGraph) -> str:
    return graph.tls_origin.replace("127.0.0.1", "localhost")


def alerts(origin: str, token: str, method: str = "GET") -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    body = {"title": "x"} if method == "POST" else None
    url = f"{origin}/v1.0/security/alerts"
    return requests.request(method, url, json=body, headers=headers, timeout=20)


def confidential(origin: str, secret: str) -> msal.ConfidentialClientApplication:
    authority = f"{origin}/contoso.com"
    return msal.ConfidentialClientApplication(
        "reader", client_credential=secret, authority=authority, instance_discovery=False
    )


def test_msal_for_an_app(origin: str) -> None:
    answer = confidential(origin, "s3cret").acquire_token_for_client([DEFAULT])
    token = answer["access_token"]
    (alert,) = alerts(origin, token).json()["value"]
    assert alert["title"] == "Seeded"
    refused = alerts(origin, token, "POST")
    assert refused.status_code == 403
    message = refused.json()["error"]["message"]
    assert "The permission 'SecurityEvents.ReadWrite.All' is missing" in message


def test_msal_with_a_wrong_secret(origin: str) -> None:
    answer = confidential(origin, "wrong").acquire_token_for_client([DEFAULT])
    assert (answer["error"], answer["error_codes"]) == ("invalid_client", [7000215])


def test_msal_is_throttled(graph: MockGraph, origin: str) -> None:
    with graph.faults.throttle(path="/oauth2/v2.0/token", retry_after=1):
        answer = confidential(origin, "s3cret").acquire_token_for_client([DEFAULT])
    assert (answer["error"], answer["error_codes"]) == ("temporarily_unavailable", [90055])


def test_msal_on_a_device(graph: MockGraph, origin: str) -> None:
    app = msal.PublicClientApplication(
        "public", authority=f"{origin}/contoso.com", instance_discovery=False
    )
    flow = app.initiate_device_flow([READ])
    requests.post(
        f"{graph.origin}/_mockgraph/devices/{flow['user_code']}/approve", json={}, timeout=20
    ).raise_for_status()
    answer = app.acquire_token_by_device_flow(flow)
    assert alerts(origin, answer["access_token"]).status_code == 200
    (account,) = app.get_accounts()
    renewed = app.acquire_token_silent([READ], account, force_refresh=True)
    assert renewed is not None
    assert alerts(origin, renewed["access_token"]).status_code == 200


@pytest.mark.parametrize("version", ["", "/v2.0"])
def test_a_resource_server_by_the_keys_it_looks_up(
    graph: MockGraph, origin: str, version: str
) -> None:
    form = {"grant_type": "client_credentials", "client_id": "reader", "client_secret": "s3cret"}
    form |= {"scope": DEFAULT} if version else {"resource": "https://graph.microsoft.com"}
    trusting = ssl.create_default_context(cafile=graph.ca)
    with httpx.Client(verify=trusting, base_url=f"{origin}/contoso.com") as http:
        known = http.get(f"{version}/.well-known/openid-configuration").raise_for_status().json()
        token = http.post(known["token_endpoint"], data=form).raise_for_status().json()
    keys = jwt.PyJWKClient(known["jwks_uri"], ssl_context=trusting)

    def read(token: str) -> dict[str, Any]:
        key = keys.get_signing_key_from_jwt(token)
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience="https://graph.microsoft.com",
            issuer=known["issuer"],
        )
        return claims

    assert read(token["access_token"])["roles"] == [READ]
    number = 2 if version else 1
    for flaw, error in (
        ("key", jwt.PyJWKClientError),
        ("tampered", jwt.InvalidSignatureError),
        ("expired", jwt.ExpiredSignatureError),
        ("audience", jwt.InvalidAudienceError),
    ):
        with pytest.raises(error):
            read(graph.token(app="reader", authority=origin, version=number, flaw=flaw))


def test_a_client_that_does_not_trust_the_authority(
    origin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.pem"
    with MockGraph(tls=True, ca_dir=tmp_path / "ca") as another:
        other.write_bytes(Path(another.ca).read_bytes())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(origin, timeout=20)
