"""Scopes: the resources that they name, and the permissions that they grant."""

from __future__ import annotations

import pytest

from mockgraph.entra.scopes import meant_for

from . import (
    DEFAULT,
    GRAPH,
    GRAPH_ID,
    HOST,
    READ,
    READER,
    Caller,
    Make,
    claims_of,
    granted,
    refused,
)

# -- resources -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "audience"),
    [
        (DEFAULT, GRAPH),
        (f"{GRAPH}//.default", f"{GRAPH}/"),
        (f"{GRAPH_ID}/.default", GRAPH_ID),
        (".default", GRAPH_ID),
        ("http://127.0.0.1/.default", "http://127.0.0.1"),
        ("http://127.0.0.1:8365/.default", "http://127.0.0.1:8365"),
        ("https://localhost:8443/.default", "https://localhost:8443"),
        ("http://[::1]:8365/.default", "http://[::1]:8365"),
        ("https://login.test:9/.default", "https://login.test:9"),
        (f"openid {DEFAULT} offline_access", GRAPH),
    ],
)
def test_graph_by_each_of_its_names(strict: Caller, scope: str, audience: str) -> None:
    body = granted(strict.app_token(scope, "s3cret", client_id=READER))
    claims = claims_of(body["access_token"])
    assert claims["aud"] == audience
    assert claims["roles"] == ["SecurityEvents.Read.All"]


def test_what_is_not_graph_gets_no_roles_of_graph(caller: Caller) -> None:
    for scope in ("https://vault.azure.net/.default", "api://my-api/.default"):
        claims = claims_of(granted(caller.app_token(scope))["access_token"])
        assert claims["aud"] == scope.removesuffix("/.default")
        assert "roles" not in claims


@pytest.mark.parametrize(
    ("scope", "audience", "version"),
    [
        ("api://api-app/.default", "api-app", "2.0"),
        ("API-app/.default", "api-app", "2.0"),
        ("https://api.example//.default", "api-app", "2.0"),
        ("https://api.example/.default", "api-app", "2.0"),
        ("api://reader-app/.default", "api://reader-app", "2.0"),
        ("https://vault.azure.net/.default", "https://vault.azure.net", "2.0"),
    ],
)
def test_apis_of_the_directory(strict: Caller, scope: str, audience: str, version: str) -> None:
    body = granted(strict.app_token(scope, "s3cret", client_id=READER))
    claims = claims_of(body["access_token"])
    assert (claims["aud"], claims["ver"]) == (audience, version)


@pytest.mark.parametrize(
    ("audience", "host", "good"),
    [
        (GRAPH, HOST, True),
        (f"{GRAPH}/", HOST, True),
        (GRAPH_ID, HOST, True),
        (GRAPH, "graph.microsoft.com", True),
        (GRAPH, "anything:1", True),
        ("http://localhost:8365", HOST, True),
        ("https://localhost:8365", HOST, True),
        ("http://localhost", HOST, True),
        ("http://127.0.0.1", HOST, True),
        ("http://127.0.0.1:8365", HOST, True),
        ("http://[::1]:8365", HOST, True),
        ("http://localhost:8365", "[::1]:8365", True),
        ("http://localhost:8365/localtest", HOST, True),
        ("http://graph:8365", "graph:8365", True),
        ("http://graph", "graph:8365", True),
        ("http://GRAPH", "graph:8365", True),
        ("http://localhost:8366", HOST, False),
        ("http://localhost:8365", "graph:8365", False),
        ("http://graph:8365", HOST, False),
        ("https://graph.microsoft.com.evil.example", HOST, False),
        ("https://graph.microsoft.de", HOST, False),
        ("api://localhost:8365", HOST, False),
        ("localhost:8365", HOST, False),
        ("", HOST, False),
        ("http://[", HOST, False),
        ("http://localhost:x", HOST, False),
    ],
)
def test_audiences(audience: str, host: str, good: bool) -> None:
    assert meant_for(audience, host) is good


# -- permissions ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "number", "error"),
    [
        ("https://graph.microsoft.com/SecurityEvents.Read.All", 1002012, "invalid_scope"),
        ("SecurityEvents.Read.All", 1002012, "invalid_scope"),
        ("openid", 1002012, "invalid_scope"),
        ("https://graph.microsoft.com", 70011, "invalid_scope"),
        ("https://graph.microsoft.com/", 70011, "invalid_scope"),
        ("/.default", 70011, "invalid_scope"),
        (f"{DEFAULT} {GRAPH}/User.Read", 70011, "invalid_scope"),
        (f"{DEFAULT} https://vault.azure.net/.default", 28000, "invalid_scope"),
        ("https://graph.example/.default", 500011, "invalid_resource"),
        ("api://nobody/.default", 500011, "invalid_resource"),
        ("<script>/.default", 500011, "invalid_resource"),
        (" ", 70011, "invalid_scope"),
        ("x" * 10_001, 70011, "invalid_scope"),
    ],
)
def test_scopes_that_an_app_cannot_have(
    strict: Caller, scope: str, number: int, error: str
) -> None:
    refused(strict.app_token(scope, "s3cret", client_id=READER), number, error)


def test_an_app_without_permissions_is_let_in_and_may_nothing(make: Make) -> None:
    caller = make(apps=[{"appId": "bare", "permissions": []}])
    claims = claims_of(granted(caller.app_token(client_id="bare"))["access_token"])
    assert "roles" not in claims


@pytest.mark.parametrize(
    ("app", "name", "scope", "granted_scope"),
    [
        ("public-app", "bob@fabrikam.com", READ, READ),
        ("public-app", "bob@fabrikam.com", f"{GRAPH}/{READ}", f"{GRAPH}/{READ}"),
        ("public-app", "bob@fabrikam.com", "securityevents.READ.all", READ),
        ("public-app", "bob@fabrikam.com", "User.Read", "User.Read"),
        ("public-app", "bob@fabrikam.com", "openid email", "openid email"),
        ("public-app", "ada@contoso.com", f"{READ} SecurityEvents.ReadWrite.All", READ),
        (
            "public-app",
            "ada@contoso.com",
            DEFAULT,
            f"{GRAPH}/SecurityAlert.Read.All {GRAPH}/{READ} {DEFAULT}",
        ),
        ("api-app", "bob@fabrikam.com", "api://api-app/act", "api://api-app/act"),
        (
            "api-app",
            "bob@fabrikam.com",
            "api://api-app/.default",
            "api://api-app/user_impersonation api://api-app/.default",
        ),
    ],
)
def test_what_the_app_and_the_user_both_may(
    make: Make, app: str, name: str, scope: str, granted_scope: str
) -> None:
    users = [
        {
            "userPrincipalName": "ada@contoso.com",
            "permissions": [READ, "SecurityAlert.Read.All"],
        },
        {"userPrincipalName": "bob@fabrikam.com"},
    ]
    caller = make(users=users)
    body = granted(caller.user_token(scope, name, "any", client_id=app))
    assert body["scope"] == granted_scope


def test_an_app_gets_no_more_than_it_declares(strict: Caller) -> None:
    form = {"client_id": READER, "client_secret": "s3cret"}
    body = granted(strict.user_token(".default", **form))
    assert body["scope"] == f"{READ} .default"
    refusal = strict.user_token(f"{READ} SecurityAlert.Read.All", **form)
    text = refused(refusal, 65001, "invalid_grant")
    assert "'reader-app' named 'The reader'" in text
    assert refusal.json is not None
    assert refusal.json["suberror"] == "consent_required"


@pytest.mark.parametrize(
    ("scope", "unknown"),
    [
        ("SecurityEvents.Raed.All", "SecurityEvents.Raed.All"),
        ("ThreatIndicators.Read", "ThreatIndicators.Read"),
        ("nonsense", "nonsense"),
        ("Mail.", "Mail."),
        (f"{GRAPH}/offline_access", "offline_access"),
    ],
)
def test_scopes_that_do_not_exist(caller: Caller, scope: str, unknown: str) -> None:
    text = refused(caller.user_token(f"openid {scope}"), 650053, "invalid_scope")
    assert f"asked for scope '{unknown}' that doesn't exist on the resource" in text


@pytest.mark.parametrize(
    "scope",
    [
        f"User.Read {GRAPH}/{READ}",
        f"{GRAPH}/{READ} openid User.Read offline_access",
        f"{GRAPH_ID}/{READ} User.Read",
    ],
)
def test_bare_scopes_beside_qualified_ones_of_graph(caller: Caller, scope: str) -> None:
    held = claims_of(granted(caller.user_token(scope))["access_token"])["scp"].split()
    assert {READ, "User.Read"} <= set(held)


def test_bare_scopes_beside_those_of_another_api(caller: Caller) -> None:
    scope = "User.Read https://vault.azure.net/user_impersonation"
    refused(caller.user_token(scope), 28000, "invalid_scope")
