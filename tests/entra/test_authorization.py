"""The caller of Graph: the modes, the literal tokens, permissions."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from flask.testing import FlaskClient
from refusals import message_of
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from mockgraph.clock import Clock
from mockgraph.entra import authorization as auth
from mockgraph.entra.directory import (
    Directory,
)
from mockgraph.entra.entra import Entra
from mockgraph.errors import Forbidden, Unauthenticated
from mockgraph.odata.addressing import resolve
from mockgraph.service import SERVICE
from mockgraph.state.intent import Caller

from . import READ

WRITE = "SecurityEvents.ReadWrite.All"
SECURITY = "/localtest/Security"


CHALLENGE = (
    'Bearer realm="", '
    'authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
    'client_id="00000003-0000-0000-c000-000000000000"'
)


def ask(client: FlaskClient, token: str | None, method: str = "GET", path: str = SECURITY) -> Any:
    headers = {} if token is None else {"Authorization": token}
    client.environ_base.pop("HTTP_AUTHORIZATION", None)
    return client.open(path, method=method, headers=headers, json={"providerStatus": []})


@pytest.mark.parametrize(
    "token",
    [
        "Bearer x",
        "bearer x",
        "BEARER x",
        "Bearer   x",
        "Bearer eyJ0eXAiOiJKV1QifQ.e30.c2ln",
        "Bearer Invalid",
        "Bearer invalid2",
        "Bearer größe",
        "Bearer " + "x" * 10_000,
    ],
)
def test_any_token_passes(client: FlaskClient, token: str) -> None:
    assert ask(client, token).status_code == 200
    assert ask(client, token, "PATCH").status_code == 200


@pytest.mark.parametrize("path", [SECURITY, "/v1.0/security", "/localtest/no/such", "/nowhere"])
@pytest.mark.parametrize("token", [None, "", "Bearer", "Bearer invalid", "Bearer expired", "x y"])
def test_a_caller_without_a_token_learns_nothing_else(
    client: FlaskClient, token: str | None, path: str
) -> None:
    answer = ask(client, token, path=path)
    code, _ = message_of(answer.status_code, answer.headers, answer.data)
    assert (answer.status_code, code) == (401, "InvalidAuthenticationToken")
    assert answer.headers["WWW-Authenticate"] == CHALLENGE


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", SECURITY),
        ("PATCH", SECURITY),
        ("GET", f"{SECURITY}/alerts"),
        ("POST", f"{SECURITY}/tiIndicators"),
        ("GET", f"{SECURITY}/alerts/no-such-key"),
        ("POST", "/beta/security/alerts/updateAlerts"),
    ],
)
def test_forbidden_is_a_caller_without_permissions(
    client: FlaskClient, method: str, path: str
) -> None:
    answer = ask(client, "Bearer forbidden", method, path)
    code, message = message_of(answer.status_code, answer.headers, answer.data)
    assert (answer.status_code, code) == (403, "Authorization_RequestDenied")
    assert message == "Insufficient privileges to complete the operation."
    assert "WWW-Authenticate" not in answer.headers


@pytest.mark.parametrize("token", [None, "", "Basic x", "Bearer invalid", "Bearer forbidden"])
def test_off_does_not_look_at_the_header(
    make_client: Callable[..., FlaskClient], token: str | None
) -> None:
    client = make_client(auth="off")
    assert ask(client, token).status_code == 200
    assert ask(client, token, "PATCH").status_code == 200


def test_the_control_plane_asks_for_no_token(client: FlaskClient) -> None:
    for path in ("/", "/_mockgraph/health", "/_mockgraph/state"):
        assert ask(client, None, path=path).status_code == 200


@pytest.mark.parametrize(
    ("held", "reads", "writes"),
    [
        (None, True, True),
        ([], False, False),
        (["Mail.Read"], False, False),
        (["SecurityEvents.Read.All"], True, False),
        (["SecurityEvents.ReadWrite.All"], True, True),
        (["Mail.Read", "SecurityEvents.Read.All"], True, False),
        (["securityevents.read.all"], False, False),
    ],
)
def test_one_permission_of_those_that_would_do(
    held: list[str] | None, reads: bool, writes: bool
) -> None:
    caller = Caller(None if held is None else frozenset(held))
    for method, passes in (("GET", reads), ("PATCH", writes)):
        address = resolve(method, SECURITY, SERVICE)
        with nullcontext() if passes else pytest.raises(Forbidden):
            auth.authorize(caller, address)


def test_a_challenge_may_say_more() -> None:
    error = Unauthenticated("Why", challenge='error="invalid_token"')
    assert error.headers == (("WWW-Authenticate", f'{CHALLENGE}, error="invalid_token"'),)


@pytest.fixture(scope="module")
def entra() -> Entra:
    return Entra(Directory(), Clock(), [READ, WRITE])


def request_with(authorization: str | None) -> Request:
    headers = [] if authorization is None else [("Authorization", authorization)]
    return Request(EnvironBuilder(SECURITY, "http://localhost:8365", headers=headers).get_environ())


def caller_of(entra: Entra, token: str) -> Caller:
    return auth.authenticate(request_with(f"Bearer {token}"), "jwt", entra)


@pytest.mark.parametrize(
    ("options", "held"),
    [
        ({}, {READ, WRITE}),
        ({"permissions": [READ]}, {READ}),
        ({"permissions": []}, set()),
        ({"user": "ada@contoso.example"}, {READ, WRITE}),
        ({"user": "ada@contoso.example", "permissions": ["User.Read", READ]}, {"User.Read", READ}),
        ({"user": "ada@contoso.example", "permissions": []}, set()),
        ({"audience": "http://127.0.0.1:8365"}, {READ, WRITE}),
        ({"version": 2}, {READ, WRITE}),
    ],
)
def test_what_a_token_permits(entra: Entra, options: dict[str, Any], held: set[str]) -> None:
    caller = caller_of(entra, entra.mint(**options))
    assert caller.permissions == frozenset(held)
    assert caller.is_app is ("user" not in options)
    assert caller.name


@pytest.mark.parametrize("token", ["x", "invalid", "expired", "forbidden", "a.b.c", "größe"])
def test_literal_tokens_mean_nothing_to_the_mode(entra: Entra, token: str) -> None:
    with pytest.raises(Unauthenticated):
        caller_of(entra, token)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer  ", "Basic eDp5"])
def test_without_a_token_there_is_no_error_in_the_challenge(
    entra: Entra, header: str | None
) -> None:
    with pytest.raises(Unauthenticated) as caught:
        auth.authenticate(request_with(header), "jwt", entra)
    assert caught.value.headers == (("WWW-Authenticate", CHALLENGE),)


def test_a_token_is_for_this_host(entra: Entra) -> None:
    token = entra.mint(audience="http://other.example")
    with pytest.raises(Unauthenticated, match="Invalid audience"):
        caller_of(entra, token)


@pytest.mark.parametrize("user", ["eve@outlook.com", "ada@contoso.example"])
def test_personal_accounts_are_not_supported(entra: Entra, user: str) -> None:
    token = entra.mint(user=user, tenant="consumers")
    with pytest.raises(Forbidden, match="personal Microsoft account is not supported"):
        caller_of(entra, token)


@pytest.mark.parametrize(
    ("held", "method", "missing", "would_do"),
    [
        ([], "GET", READ, f"{READ}, {WRITE}"),
        (["User.Read", "Mail.Read"], "GET", READ, f"{READ}, {WRITE}"),
        ([READ], "PATCH", WRITE, WRITE),
    ],
)
def test_what_is_missing_is_named(
    entra: Entra, held: list[str], method: str, missing: str, would_do: str
) -> None:
    caller = caller_of(entra, entra.mint(permissions=held))
    with pytest.raises(Forbidden) as caught:
        auth.authorize(caller, resolve(method, SECURITY, SERVICE), "jwt")
    assert caught.value.message == (
        "Insufficient privileges to complete the operation. "
        f"The permission '{missing}' is missing on the request. "
        f"API requires one of '{would_do}'. "
        f"Permissions on the request '{', '.join(sorted(held))}'."
    )


def test_a_batch_asks_for_no_permission(entra: Entra) -> None:
    caller = caller_of(entra, entra.mint(permissions=[]))
    auth.authorize(caller, resolve("POST", "/v1.0/$batch", SERVICE), "jwt")
