"""Web pages of other origins: preflights without a token, and answers that they may read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

ORIGIN = "https://app.example"
PREFLIGHT = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "GET",
    "Access-Control-Request-Headers": "authorization,client-request-id",
}
PATHS = ["/v1.0/security/alerts_v2", "/beta", "/localtest/Security", "/t/a/v1.0/security/alerts"]
PATHS += ["/contoso.example/oauth2/v2.0/token", "/common/v2.0/.well-known/openid-configuration"]


@pytest.mark.parametrize("auth", ["any", "jwt"])
@pytest.mark.parametrize("path", PATHS)
def test_a_preflight_needs_no_token(
    make_client: Callable[..., FlaskClient], path: str, auth: str
) -> None:
    client = make_client(auth=auth)
    client.environ_base.pop("HTTP_AUTHORIZATION")
    client.post("/_mockgraph/faults", json={"preset": "throttle", "times": None})
    answer = client.options(path, headers=PREFLIGHT)
    assert (answer.status_code, answer.data) == (200, b"")
    headers = answer.headers
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Access-Control-Allow-Headers"] == "authorization,client-request-id"
    assert "PATCH" in headers["Access-Control-Allow-Methods"]
    assert client.get("/_mockgraph/requests").get_json()["value"] == []


def test_options_without_an_origin_are_graphs(client: FlaskClient) -> None:
    answer = client.options("/v1.0/security/alerts_v2")
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1.0/security/alerts_v2", 200),
        ("/v1.0/security/alerts_v2/none", 404),
        ("/v1.0/security/nothing", 400),
        ("/v3.0/x", 400),
        ("/t/bad name/v1.0", 400),
    ],
)
def test_answers_of_every_kind_can_be_read(client: FlaskClient, path: str, status: int) -> None:
    answer = client.get(path, headers={"Origin": ORIGIN})
    assert answer.status_code == status
    assert answer.headers.getlist("Access-Control-Allow-Origin") == ["*"]
    exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"Retry-After", "request-id", "client-request-id", "ETag", "Location"} <= {*exposed}
    assert "Access-Control-Allow-Origin" not in client.get(path).headers


def test_refusals_and_faults_can_be_read(client: FlaskClient) -> None:
    sent = {"Origin": ORIGIN}
    refused = client.get("/v1.0/security", headers={**sent, "Authorization": "Bearer expired"})
    assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (401, "*")
    client.post("/_mockgraph/faults", json={"preset": "throttle"})
    throttled = client.get("/v1.0/security", headers=sent)
    assert (throttled.status_code, throttled.headers["Access-Control-Allow-Origin"]) == (429, "*")
    headers = {"Access-Control-Allow-Origin": "https://other.example"}
    client.post("/_mockgraph/faults", json={"status": 503, "headers": headers})
    own = client.get("/v1.0/security", headers=sent)
    assert own.headers.getlist("Access-Control-Allow-Origin") == ["https://other.example"]


def test_the_sign_in_can_be_read(client: FlaskClient) -> None:
    sent = {"Origin": ORIGIN}
    found = client.get("/common/v2.0/.well-known/openid-configuration", headers=sent)
    assert found.headers.getlist("Access-Control-Allow-Origin") == ["*"]
    form = {"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"}
    form["scope"] = "https://graph.microsoft.com/.default"
    token = client.post("/contoso.example/oauth2/v2.0/token", data=form, headers=sent)
    assert (token.status_code, token.headers["Access-Control-Allow-Origin"]) == (200, "*")
    refused = client.post("/contoso.example/oauth2/v2.0/token", data={}, headers=sent)
    assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (400, "*")


class TestOfTheControlPlane:
    @pytest.fixture
    def named(self, make_client: Callable[..., FlaskClient]) -> FlaskClient:
        return make_client(allowed_origins=[ORIGIN], control_token="s3cret")

    def test_a_named_origin_may_ask(self, named: FlaskClient) -> None:
        asked = {**PREFLIGHT, "Access-Control-Request-Headers": "x-mockgraph-token"}
        preflight = named.options("/_mockgraph/state", headers=asked)
        assert preflight.status_code == 200
        assert preflight.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert preflight.headers["Access-Control-Allow-Headers"] == "x-mockgraph-token"
        sent = {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"}
        refused = named.get("/_mockgraph/state", headers=sent)
        assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (
            401,
            ORIGIN,
        )
        read = named.get("/_mockgraph/state", headers={**sent, "x-mockgraph-token": "s3cret"})
        assert (read.status_code, read.headers["Access-Control-Allow-Origin"]) == (200, ORIGIN)
        assert "Origin" in read.headers["Vary"]

    @pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:3000", "null"])
    def test_others_can_read_nothing(self, named: FlaskClient, origin: str) -> None:
        headers = {"Origin": origin, "x-mockgraph-token": "s3cret"}
        for method in ("OPTIONS", "GET"):
            answer = named.open(
                "/_mockgraph/state", method=method, headers={**PREFLIGHT, **headers}
            )
            assert "Access-Control-Allow-Origin" not in answer.headers
        console = named.get("/_mockgraph/console", headers={**headers, "Accept": "text/html"})
        assert "Access-Control-Allow-Origin" not in console.headers
