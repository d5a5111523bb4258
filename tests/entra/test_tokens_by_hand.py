"""Tokens without a sign-in: by the command line and by the control plane."""

from __future__ import annotations

import jwt
import pytest
import requests
from click.testing import CliRunner
from flask.testing import FlaskClient

from mockgraph import MockGraph
from mockgraph.cli import main

from . import bearer

TENANT = "11111111-2222-3333-4444-555555555555"
API = "11111111-0000-0000-0000-000000000006"
ALERTS = "/v1.0/security/alerts"


def test_a_token_by_the_command_line() -> None:
    with MockGraph(auth="jwt") as graph:
        run = CliRunner().invoke(
            main, ["token", "--url", graph.origin, "--scope", "SecurityEvents.Read.All"]
        )
        assert run.exit_code == 0, run.output
        headers = bearer(run.output.strip())
        assert requests.get(f"{graph.origin}{ALERTS}", headers=headers, timeout=9).ok
        assert requests.get(
            f"{graph.origin}{ALERTS}", headers=bearer(graph.token(user=None)), timeout=9
        ).ok
        for scope, held in (
            ("https://graph.microsoft.com/SecurityEvents.Read.All User.Read", 2),
            ("https://graph.microsoft.com/.default", 9),
        ):
            run = CliRunner().invoke(main, ["token", "--url", graph.origin, "--scope", scope])
            claims = jwt.decode(run.output.strip(), options={"verify_signature": False})
            assert len(claims["roles"]) >= held
            assert "SecurityEvents.Read.All" in claims["roles"]
        refused = CliRunner().invoke(main, ["token", "--url", graph.origin, "--user", "nobody"])
        assert refused.exit_code == 1
        assert "There is no user 'nobody'" in refused.output
    gone = CliRunner().invoke(main, ["token", "--url", "http://127.0.0.1:9"])
    assert gone.exit_code == 1
    assert "cannot be asked" in gone.output


@pytest.mark.parametrize(
    ("scopes", "audience", "roles"),
    [
        (["api://my-api/.default"], API, None),
        (["api://my-api/read", "api://my-api/write"], API, ["read", "write"]),
        ([f"{API}/.default"], API, None),
        (["api://another/.default"], "api://another", None),
        (["https://graph.microsoft.com/.default"], "https://graph.microsoft.com", ["User.Read"]),
        (["User.Read"], "https://graph.microsoft.com", ["User.Read"]),
    ],
)
def test_a_token_by_the_command_line_is_for_what_stands_before_the_scope(
    scopes: list[str], audience: str, roles: list[str] | None
) -> None:
    api = {"appId": API, "identifierUris": ["api://my-api"], "accessTokenVersion": 2}
    apps = [{"appId": "mine", "permissions": ["User.Read"]}, api]
    with MockGraph(seed={"Directory": {"apps": apps}}) as graph:
        arguments = ["token", "--url", graph.origin, "--app", "mine"]
        run = CliRunner().invoke(
            main, [*arguments, *(part for scope in scopes for part in ("--scope", scope))]
        )
        assert run.exit_code == 0, run.output
        claims = jwt.decode(run.output.strip(), options={"verify_signature": False})
        assert (claims["aud"], claims.get("roles")) == (audience, roles)
    two = CliRunner().invoke(main, [*arguments, "--scope", "api://my-api/a api://other/b"])
    assert two.exit_code == 2
    assert "one resource: api://my-api, api://other" in two.output


@pytest.mark.parametrize("authority", ["/contoso.example", "/t/mine/contoso.example/"])
def test_a_resource_server_takes_a_token_by_the_command_line(authority: str) -> None:
    api = {"appId": API, "identifierUris": ["api://my-api"], "accessTokenVersion": 2}
    with MockGraph(seed={"Directory": {"apps": [api]}}) as graph:
        url = graph.origin + authority
        asked = ["--scope", "api://my-api/read", "--authority", url]
        run = CliRunner().invoke(main, ["token", "--url", graph.origin, *asked])
        assert run.exit_code == 0, run.output
        token = run.output.strip()
        found = requests.get(
            f"{url.rstrip('/')}/v2.0/.well-known/openid-configuration", timeout=9
        ).json()
        key = jwt.PyJWKClient(found["jwks_uri"]).get_signing_key_from_jwt(token).key
        claims = jwt.decode(token, key, algorithms=["RS256"], audience=API, issuer=found["issuer"])
        assert claims["roles"] == ["read"]


def test_the_tenant_of_a_minted_token(jwt_client: FlaskClient) -> None:
    def issuer(**asked: str) -> str:
        minted = (jwt_client.post("/_mockgraph/tokens", json=asked).json or {})["access_token"]
        found: str = jwt.decode(minted, options={"verify_signature": False})["iss"]
        return found

    assert issuer(tenant=TENANT) == f"https://sts.windows.net/{TENANT}/"
    assert issuer(tenant=TENANT, authority="https://a.test") == f"https://a.test/{TENANT}/"
    assert (
        issuer(tenant="x.test", authority=f"https://a.test/{TENANT}") == f"https://a.test/{TENANT}/"
    )


@pytest.mark.parametrize("url", ["localhost:8366", "https:///x", "ftp://a/b", "https://a:b", "//["])
def test_what_is_no_authority(jwt_client: FlaskClient, url: str) -> None:
    assert jwt_client.post("/_mockgraph/tokens", json={"authority": url}).status_code == 400
