"""The endpoints: their paths and methods, hostile requests, and errors of others restated."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import Client

from mockgraph.entra.signing_keys import SigningKey

from . import (
    CONTOSO,
    DEFAULT,
    GOOD,
    READER,
    TOKEN_URL,
    Caller,
    claims_of,
    granted,
    opened,
    refused,
    wsgi,
)

# -- paths and methods ---------------------------------------------------------------------


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


def test_without_a_host(key: SigningKey) -> None:
    answer = Client(wsgi(opened(key))).get("/common/discovery/keys", headers={"Host": "a/b"})
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


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("oauth2/v2.0/token", "POST, OPTIONS"),
        ("discovery/v2.0/keys", "GET, OPTIONS"),
        ("oauth2/v2.0/authorize", "GET, POST, OPTIONS"),
    ],
)
def test_options_tell_the_methods(caller: Caller, path: str, allowed: str) -> None:
    answer = caller.http.options(f"/contoso.com/{path}")
    assert (answer.status_code, answer.headers["Allow"], answer.data) == (200, allowed, b"")


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


# -- any request ---------------------------------------------------------------------------


NAMES = [
    "assertion",
    "claims",
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "code",
    "code_verifier",
    "device_code",
    "grant_type",
    "nonce",
    "password",
    "redirect_uri",
    "refresh_token",
    "resource",
    "scope",
    "username",
]


GRANTS = [
    "authorization_code",
    "client_credentials",
    "password",
    "refresh_token",
    "urn:ietf:params:oauth:grant-type:device_code",
]


VALUES = st.one_of(
    st.text(max_size=40),
    st.sampled_from([DEFAULT, "openid", "a@b.example", "{}", "http://[", "https://x/.default"]),
)


_CALLER = Caller(opened())


@given(st.dictionaries(st.sampled_from(NAMES), VALUES), st.sampled_from(GRANTS), st.booleans())
def test_any_form_gets_an_answer(form: dict[str, str], grant: str, old: bool) -> None:
    path = "/contoso.com/oauth2/token" if old else TOKEN_URL
    answer = _CALLER.post(path, {**form, "grant_type": grant})
    assert answer.status_code in (200, 400, 401)
    assert answer.json is not None
    assert ("access_token" in answer.json) == (answer.status_code == 200)


@given(st.dictionaries(st.sampled_from([*NAMES, "login_hint", "prompt", "state"]), VALUES))
def test_any_authorization_request_gets_an_answer(query: dict[str, str]) -> None:
    query = {"client_id": "x", "redirect_uri": "https://app.example/cb", **query}
    answer = _CALLER.get("/common/oauth2/v2.0/authorize", query_string=query)
    assert answer.status_code in (200, 302, 400)


@given(
    st.text(
        alphabet=st.characters(codec="utf-8", exclude_characters="/?#\\"), min_size=1, max_size=50
    )
)
def test_any_tenant_gets_an_answer(tenant: str) -> None:
    answer = _CALLER.get(f"/{tenant}/v2.0/.well-known/openid-configuration")
    assert answer.status_code in (200, 400, 404)


def test_no_secret_is_logged(strict: Caller, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    said = []
    for each in (
        strict.app_token(client_id="reader-app", secret="hunter-2"),
        strict.user_token("User.Read", password="hunter-2", client_id="public-app"),
        strict.token("refresh_token", client_id="public-app", refresh_token="hunter-2"),
        strict.token(
            "authorization_code", client_id="public-app", code="hunter-2", redirect_uri="x"
        ),
        strict.token("client_credentials", client_id="api-app", client_assertion="hunter-2"),
    ):
        assert each.status_code in (400, 401)
        said.append(each.text)
    assert "hunter-2" not in caplog.text + "".join(said)
    assert "hunter-2" not in repr(strict.entra.directory)


# -- errors of others ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "status", "error", "number"),
    [
        ({"preset": "throttle", "retry_after": 7}, 429, "temporarily_unavailable", 90055),
        ({"preset": "unavailable", "retry_after": 7}, 503, "temporarily_unavailable", 90006),
        ({"status": 500}, 500, "server_error", 90024),
        ({"status": 403, "message": "Not you."}, 403, "invalid_request", 90013),
        ({"status": 429, "carried_out": True}, 429, "temporarily_unavailable", 90055),
    ],
)
def test_a_fault_of_a_sign_in_has_the_shape_of_entras_errors(
    jwt_client: FlaskClient, fault: dict[str, Any], status: int, error: str, number: int
) -> None:
    made = jwt_client.post("/_mockgraph/faults", json={"path": "/oauth2/v2.0/token", **fault})
    assert made.status_code == 201, made.text
    answer = jwt_client.post(
        f"/{CONTOSO}/oauth2/v2.0/token", data=GOOD, headers={"client-request-id": CONTOSO}
    )
    assert answer.status_code == status
    assert answer.content_type == "application/json; charset=utf-8"
    body = answer.json
    assert body is not None
    assert (body["error"], body["error_codes"]) == (error, [number])
    assert body["correlation_id"] == CONTOSO
    assert body["trace_id"] == answer.headers["x-ms-request-id"]
    assert body["error_description"].startswith(f"AADSTS{number}: {fault.get('message', '')}")
    assert answer.headers.get("Retry-After") == ("7" if "retry_after" in fault else None)


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("/v7/security", {"status": 429}),
        ("/common/oauth2/v2.0/authorize", {"status": 429}),
        ("/msi/token", {"status": 429}),
        ("/common/oauth2/v2.0/token", {"status": 429, "body": {"error": {"message": "mine"}}}),
        ("/common/oauth2/v2.0/token", {"status": 429, "body": {"error": "mine"}}),
        ("/common/oauth2/v2.0/token", {"status": 429, "body": []}),
        ("/common/oauth2/v2.0/token", {"preset": "malformed", "kind": "html"}),
    ],
)
def test_other_faults_are_left_as_they_are(
    jwt_client: FlaskClient, path: str, fault: dict[str, Any]
) -> None:
    made = jwt_client.post("/_mockgraph/faults", json={"path": path, "after": 0, **fault})
    assert made.status_code == 201, made.text
    answer = jwt_client.post(path)
    assert b"AADSTS9001" not in answer.data
    assert b"AADSTS9005" not in answer.data
    if isinstance(fault.get("body"), list | dict):
        assert answer.json == fault["body"]
