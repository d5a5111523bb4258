"""Sign-in through the whole app: tokens from its endpoint, permissions, the control plane."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from flask.testing import FlaskClient

from mockgraph.errors import GraphError, MockGraphError

from . import bearer

TENANT = "11111111-2222-3333-4444-555555555555"
ASKED = {
    "grant_type": "client_credentials",
    "client_id": "my-app",
    "client_secret": "any",
    "scope": "https://graph.microsoft.com/.default",
}
ALERTS = "/v1.0/security/alerts"


def sign_in(client: FlaskClient, prefix: str = "", **changes: str) -> Any:
    return client.post(f"{prefix}/{TENANT}/oauth2/v2.0/token", data={**ASKED, **changes})


def test_a_token_from_the_endpoint_opens_the_service(jwt_client: FlaskClient) -> None:
    assert jwt_client.get(ALERTS).status_code == 401
    answer = sign_in(jwt_client)
    assert answer.status_code == 200
    token = answer.json["access_token"]
    assert jwt_client.get(ALERTS, headers=bearer(token)).status_code == 200
    body: dict[str, Any] = {"providerStatus": []}
    assert (
        jwt_client.patch("/localtest/Security", json=body, headers=bearer(token)).status_code == 200
    )


def test_in_a_tenant_of_mockgraph_and_not_outside(jwt_client: FlaskClient) -> None:
    answer = sign_in(jwt_client, "/t/a")
    assert answer.status_code == 200
    token = answer.json["access_token"]
    assert jwt_client.get(f"/t/a{ALERTS}", headers=bearer(token)).status_code == 200
    known = jwt_client.get(f"/t/a/{TENANT}/v2.0/.well-known/openid-configuration").json
    assert known is not None
    assert known["token_endpoint"].startswith(f"http://localhost/t/a/{TENANT}/oauth2/v2.0/token")


def test_a_resource_server_validates_by_the_keys(jwt_client: FlaskClient) -> None:
    token = sign_in(jwt_client).json["access_token"]
    known = jwt_client.get(f"/{TENANT}/v2.0/.well-known/openid-configuration").json
    assert known is not None
    (key, *_) = jwt.PyJWKSet.from_dict(jwt_client.get(known["jwks_uri"]).json or {}).keys
    claims = jwt.decode(token, key, algorithms=["RS256"], options={"verify_aud": False})
    assert claims["tid"] == TENANT
    assert "SecurityEvents.ReadWrite.All" in claims["roles"]


@pytest.mark.parametrize(
    "flaw", ["expired", "future", "audience", "issuer", "key", "none", "hs256", "tampered"]
)
def test_a_flawed_token_is_refused(jwt_client: FlaskClient, flaw: str) -> None:
    minted = jwt_client.post("/_mockgraph/tokens", json={"app": "my-app", "flaw": flaw})
    assert minted.status_code == 201
    assert minted.json is not None
    refused = jwt_client.get(ALERTS, headers=bearer(minted.json["access_token"]))
    assert refused.status_code == 401
    assert "WWW-Authenticate" in refused.headers


def test_a_permission_that_is_missing_is_named(jwt_client: FlaskClient) -> None:
    minted = jwt_client.post(
        "/_mockgraph/tokens", json={"permissions": ["SecurityEvents.Read.All"]}
    ).json
    assert minted is not None
    headers = bearer(minted["access_token"])
    assert jwt_client.get(ALERTS, headers=headers).status_code == 200
    refused = jwt_client.post(ALERTS, json={"title": "x"}, headers=headers)
    assert refused.status_code == 403
    assert refused.json is not None
    assert "SecurityEvents.ReadWrite.All" in refused.json["error"]["message"]


def test_a_token_expires_by_the_clock(jwt_client: FlaskClient) -> None:
    headers = bearer(sign_in(jwt_client).json["access_token"])
    assert jwt_client.get(ALERTS, headers=headers).status_code == 200
    jwt_client.post("/_mockgraph/clock", json={"advance": 100_000})
    assert jwt_client.get(ALERTS, headers=headers).status_code == 401


def test_a_wrong_secret_is_entras_error(jwt_client: FlaskClient) -> None:
    refused = sign_in(jwt_client, client_secret="wrong")
    assert refused.status_code == 401
    assert refused.json["error"] == "invalid_client"
    assert refused.json["error_codes"] == [7000215]


def test_sign_in_is_recorded_without_what_is_secret(jwt_client: FlaskClient) -> None:
    sign_in(jwt_client, client_secret="hush-hush")
    listed = jwt_client.get("/_mockgraph/requests")
    assert listed.json is not None
    (recorded,) = listed.json["value"]
    assert recorded["answeredBy"] == "sign-in"
    assert recorded["response"] is None
    assert b"hush-hush" not in listed.data


def test_nothing_secret_of_a_sign_in_is_recorded_whoever_answers(jwt_client: FlaskClient) -> None:
    query = "client%5Fsecret=hush-hush&CODE=hush-hush&client-request-id=kept"
    path = f"/{TENANT}/oauth2/v2.0/token?{query}"
    jwt_client.post("/_mockgraph/faults", json={"path": "/token", "status": 503})
    for data in ("client%5Fsecret=hush-hush", "+password=hush-hush"):
        jwt_client.post(path, data=data, content_type="application/x-www-form-urlencoded")
    authorize = {
        "client_id": "my-app",
        "response_type": "code",
        "redirect_uri": "http://localhost/done?x=1",
        "scope": "openid",
        "login_hint": "ada@contoso.com",
        "state": "kept",
    }
    answer = jwt_client.get(f"/{TENANT}/oauth2/v2.0/authorize", query_string=authorize)
    (code,) = parse_qs(urlsplit(answer.headers["Location"]).query)["code"]
    listed = jwt_client.get("/_mockgraph/requests")
    # Of the queries, of the URLs, and of where the browser is sent.
    assert listed.data.count(b"kept") == 7
    assert b"/done?x=1&code=***&" in listed.data
    assert b"hush" not in listed.data
    assert code.encode() not in listed.data


def test_faults_and_stubs_reach_sign_in(jwt_client: FlaskClient) -> None:
    jwt_client.post("/_mockgraph/faults", json={"path": "/oauth2/v2.0/token", "status": 503})
    assert sign_in(jwt_client).status_code == 503
    assert sign_in(jwt_client).status_code == 200
    jwt_client.post("/_mockgraph/stubs", json={"path": f"/{TENANT}/oauth2/v2.0/token", "json": {}})
    assert sign_in(jwt_client).json == {}


def test_what_is_neither_root_nor_sign_in_is_unknown(jwt_client: FlaskClient) -> None:
    assert jwt_client.get("/v7/security").status_code == 401
    token = sign_in(jwt_client).json["access_token"]
    refused = jwt_client.get("/v7/security", headers=bearer(token))
    assert refused.status_code == 400
    assert refused.json is not None
    assert refused.json["error"]["message"] == "Invalid version: v7"


def test_a_seed_says_who_may_sign_in(make_client: Callable[..., FlaskClient]) -> None:
    apps = [{"appId": "known", "secrets": ["s"], "permissions": ["SecurityEvents.Read.All"]}]
    seed = {"Security": {}, "Directory": {"apps": apps}}
    client = make_client(auth="jwt", seed=(seed,))
    assert sign_in(client).status_code in (400, 401)
    token = sign_in(client, client_id="known", client_secret="s").json["access_token"]
    assert client.get(ALERTS, headers=bearer(token)).status_code == 200
    assert client.post(ALERTS, json={}, headers=bearer(token)).status_code == 403


def test_a_directory_that_does_not_fit_is_refused(
    make_client: Callable[..., FlaskClient],
) -> None:
    with pytest.raises(GraphError, match="Directory/apps/0"):
        make_client(seed=({"Security": {}, "Directory": {"apps": [{"appId": 5}]}},))
    with pytest.raises(MockGraphError, match="is no state document"):
        make_client(seed=({"Security": {}, "Directories": {}},))


def test_revoked_tokens_and_devices_by_http(jwt_client: FlaskClient) -> None:
    headers = bearer(sign_in(jwt_client).json["access_token"])
    assert jwt_client.post("/_mockgraph/revocations", json={"app": "my-app"}).status_code == 204
    assert jwt_client.get(ALERTS, headers=headers).status_code == 401
    for what in ("approve", "deny"):
        assert jwt_client.post(f"/_mockgraph/devices/NONE/{what}", json={}).status_code in (
            404,
            415,
        )
    assert jwt_client.post("/_mockgraph/tokens", json={"permissions": "all"}).status_code == 400
    assert jwt_client.post("/_mockgraph/tokens", json={"flaw": "odd"}).status_code == 400
    assert jwt_client.post("/_mockgraph/tokens", json={"audience": None}).status_code == 400


def test_what_needs_no_member_needs_no_body(jwt_client: FlaskClient) -> None:
    minted = jwt_client.post("/_mockgraph/tokens")
    assert minted.status_code == 201
    headers = bearer((minted.json or {})["access_token"])
    assert jwt_client.get(ALERTS, headers=headers).status_code == 200
    assert jwt_client.post("/_mockgraph/revocations").status_code == 204
    assert jwt_client.get(ALERTS, headers=headers).status_code == 401
    assert jwt_client.post("/_mockgraph/devices/NONE/approve").status_code == 404
    assert jwt_client.post("/_mockgraph/tokens", data="{").status_code == 400


def test_a_device_is_signed_in_by_http(make_client: Callable[..., FlaskClient]) -> None:
    client = make_client(seed=({"Security": {}, "Directory": {"deviceApproval": "manual"}},))
    begun = client.post(
        f"/{TENANT}/oauth2/v2.0/devicecode",
        data={"client_id": "my-app", "scope": "SecurityEvents.Read.All"},
    ).json
    assert begun is not None
    asked = {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "client_id": "my-app",
        "device_code": begun["device_code"],
    }
    url = f"/{TENANT}/oauth2/v2.0/token"
    pending = client.post(url, data=asked).json
    assert pending is not None
    assert pending["error"] == "authorization_pending"
    approved = client.post(f"/_mockgraph/devices/{begun['user_code']}/approve", json={})
    assert approved.status_code == 204
    client.post("/_mockgraph/clock", json={"advance": 10})
    assert "access_token" in (client.post(url, data=asked).json or {})
