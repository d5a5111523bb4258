"""Permissions: a token without them is refused everywhere, and nothing happens."""

from __future__ import annotations

import re
from typing import Any

import pytest
from conftest import state_of
from flask.testing import FlaskClient

from mockgraph.entra.authorization import authorize
from mockgraph.errors import Forbidden
from mockgraph.odata.addressing import resolve
from mockgraph.service import SERVICE
from mockgraph.state.intent import Caller

from . import SETS, at, create, may, on_documented_roots, on_every_root, on_every_set, refused

FORBIDDEN = {"Authorization": "Bearer forbidden"}
MESSAGE = "Insufficient privileges to complete the operation."
MISSING = r"Missing application roles\. API required roles: [\w.,]+, application roles: \."

BELOW_A_SET = [
    ("GET", ()),
    ("HEAD", ()),
    ("POST", ()),
    ("GET", ("$count",)),
    ("GET", ("$ref",)),
    ("POST", ("$ref",)),
    ("GET", ("a",)),
    ("PATCH", ("a",)),
    ("DELETE", ("a",)),
    ("GET", ("a", "$ref")),
    ("GET", ("a", "id")),
    ("GET", ("a", "id", "$value")),
    ("GET", ("gone",)),
    ("DELETE", ("gone",)),
]
ACTIONS = [
    ("alerts", "updateAlerts"),
    ("tiIndicators", "submitTiIndicators"),
    ("tiIndicators", "updateTiIndicators"),
    ("tiIndicators", "deleteTiIndicators"),
    ("tiIndicators", "deleteTiIndicatorsByExternalId"),
    ("securityActions", "a/cancelSecurityAction"),
]


def below(root: str, name: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return what callers may ask of a set."""
    return [
        (method, segments) for method, segments in BELOW_A_SET if may(method, root, name, *segments)
    ]


def assert_forbidden(response: Any, method: str = "GET") -> None:
    assert response.status_code == 403
    if method != "HEAD":
        message, code = refused(response, 403), response.json["error"]["code"]
        if code == "Forbidden":
            assert re.fullmatch(MISSING, message)
        else:
            assert (message, code) == (MESSAGE, "Authorization_RequestDenied")


@pytest.fixture
def filled(graph: FlaskClient) -> FlaskClient:
    for name in SETS:
        create(graph, name, id="a")
    return graph


@on_every_set
def test_without_permission(filled: FlaskClient, root: str, name: str) -> None:
    before = state_of(filled)
    for method, segments in below(root, name):
        body: Any = {} if method in ("POST", "PATCH") else None
        response = filled.open(
            at(root, name, *segments), method=method, json=body, headers=FORBIDDEN
        )
        assert_forbidden(response, method)
    assert state_of(filled) == before


@pytest.mark.parametrize(("name", "action"), ACTIONS)
@on_documented_roots
def test_actions_without_permission(filled: FlaskClient, root: str, name: str, action: str) -> None:
    before = state_of(filled)
    url = f"{at(root, name)}/{action}"
    assert_forbidden(filled.post(url, json={"value": []}, headers=FORBIDDEN))
    assert state_of(filled) == before


@on_every_root
def test_the_singleton_without_permission(filled: FlaskClient, root: str) -> None:
    before = state_of(filled)
    assert_forbidden(filled.get(at(root), headers=FORBIDDEN))
    assert_forbidden(filled.get(at(root, "providerStatus"), headers=FORBIDDEN))
    assert_forbidden(filled.patch(at(root), json={"providerStatus": []}, headers=FORBIDDEN))
    assert state_of(filled) == before


@pytest.mark.parametrize("root", ["v1.0", "beta"])
def test_what_is_reached_by_navigation(filled: FlaskClient, root: str) -> None:
    for segments in (("incidents", "a", "alerts"), ("incidents", "a", "alerts", "$count")):
        assert_forbidden(filled.get(at(root, *segments), headers=FORBIDDEN))
    for name in ("alerts_v2", "incidents"):
        url = at(root, name, "a", "comments")
        assert_forbidden(filled.post(url, json={"comment": "x"}, headers=FORBIDDEN))


@on_every_root
def test_a_bad_body_is_not_told_to_a_caller_who_may_not(filled: FlaskClient, root: str) -> None:
    assert_forbidden(filled.post(at(root, "alerts"), json={"title": 5}, headers=FORBIDDEN))
    assert_forbidden(filled.get(f"{at(root, 'alerts')}?$filter=nope", headers=FORBIDDEN))


@pytest.mark.parametrize(
    "token", [None, "Bearer", "Bearer invalid", "Bearer expired", "Basic eDp5"]
)
@on_every_set
def test_without_a_token_that_counts(
    graph: FlaskClient, root: str, name: str, token: str | None
) -> None:
    headers = {"Authorization": token or ""}
    for response in (
        graph.get(at(root, name), headers=headers),
        graph.post(at(root, name), json={}, headers=headers),
        graph.get(at(root, name, "nope", "nope", "nope"), headers=headers),
    ):
        refused(response, 401)
        assert response.get_json()["error"]["code"] == "InvalidAuthenticationToken"
        assert response.headers["WWW-Authenticate"].startswith("Bearer realm=")
    assert graph.get(at(root, name, "$count")).text == "0"


# -- which permissions do -----------------------------------------------------------------

# By set, as Microsoft's permissions reference has them; all other sets are SecurityEvents'.
READING = {
    "tiIndicators": {"ThreatIndicators.ReadWrite.OwnedBy"},
    "securityActions": {"SecurityActions.Read.All", "SecurityActions.ReadWrite.All"},
    "alerts_v2": {"SecurityAlert.Read.All", "SecurityAlert.ReadWrite.All"},
    "incidents": {"SecurityIncident.Read.All", "SecurityIncident.ReadWrite.All"},
    "subjectRightsRequests": {
        "SubjectRightsRequest.Read.All",
        "SubjectRightsRequest.ReadWrite.All",
    },
}
EVENTS = {"SecurityEvents.Read.All", "SecurityEvents.ReadWrite.All"}
EVERYTHING = EVENTS.union(*READING.values())


def suffices(permission: str, method: str, path: str) -> bool:
    try:
        authorize(Caller(frozenset({permission})), resolve(method, path, SERVICE))
    except Forbidden:
        return False
    return True


@on_every_set
def test_which_permissions_do(root: str, name: str) -> None:
    reading = READING.get(name, EVENTS)
    writing = {each for each in reading if "ReadWrite" in each}
    for method, segments in below(root, name):
        would_do = {
            each for each in EVERYTHING if suffices(each, method, at(root, name, *segments))
        }
        assert would_do == (reading if method in ("GET", "HEAD") else writing)


@pytest.mark.parametrize(("name", "action"), ACTIONS)
@on_documented_roots
def test_which_permissions_do_for_actions(root: str, name: str, action: str) -> None:
    would_do = {each for each in EVERYTHING if suffices(each, "POST", f"{at(root, name)}/{action}")}
    assert would_do == {each for each in READING.get(name, EVENTS) if "ReadWrite" in each}


# -- the words of the newer services ------------------------------------------------------------

NEWER_PATHS = {
    "alerts_v2": "SecurityAlert.Read.All,SecurityAlert.ReadWrite.All",
    "alerts_v2/$count": "SecurityAlert.Read.All,SecurityAlert.ReadWrite.All",
    "incidents": "SecurityIncident.Read.All,SecurityIncident.ReadWrite.All",
    "incidents/a/alerts": "SecurityIncident.Read.All,SecurityIncident.ReadWrite.All",
    "auditLog/queries": "AuditLogsQuery.Read.All",
    "cases/ediscoveryCases": "eDiscovery.Read.All,eDiscovery.ReadWrite.All",
    "identities/sensors": (
        "SecurityIdentitiesSensors.Read.All,SecurityIdentitiesSensors.ReadWrite.All"
    ),
    "identities/healthIssues": (
        "SecurityIdentitiesHealth.Read.All,SecurityIdentitiesHealth.ReadWrite.All"
    ),
    "labels/retentionLabels": "RecordsManagement.Read.All,RecordsManagement.ReadWrite.All",
    "triggers/retentionEvents": "RecordsManagement.Read.All,RecordsManagement.ReadWrite.All",
    "threatIntelligence/articles": "ThreatIntelligence.Read.All",
    "rules/detectionRules": "CustomDetection.Read.All,CustomDetection.ReadWrite.All",
}


@pytest.mark.parametrize("path", NEWER_PATHS)
def test_which_roles_a_newer_service_misses(filled: FlaskClient, path: str) -> None:
    answer = filled.get(f"{at('beta')}/{path}", headers=FORBIDDEN)
    assert refused(answer, 403) == (
        f"Missing application roles. API required roles: {NEWER_PATHS[path]}, application roles: ."
    )
    assert answer.get_json()["error"]["code"] == "Forbidden"


def test_which_scopes_it_misses() -> None:
    caller = Caller(frozenset({"User.Read", "Mail.Read"}), "Ada", is_app=False)
    with pytest.raises(Forbidden) as raised:
        authorize(caller, resolve("POST", "/v1.0/security/runHuntingQuery", SERVICE), "jwt")
    assert raised.value.message == (
        "Missing user scopes. API required scopes: ThreatHunting.Read.All, "
        "user scopes: Mail.Read,User.Read."
    )


@pytest.mark.parametrize("name", ["alerts", "secureScores", "tiIndicators", "securityActions"])
def test_the_older_ones_have_graphs_words(filled: FlaskClient, name: str) -> None:
    assert refused(filled.get(at("beta", name), headers=FORBIDDEN), 403) == MESSAGE
