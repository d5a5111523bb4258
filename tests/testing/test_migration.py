"""The migration from legacy alerts: what replaces a call, and the assertion that there is none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from mockgraph import MockGraph
from mockgraph.service import SERVICE
from mockgraph.testing.migration import PROPERTIES

HEADERS = {"Authorization": "Bearer x"}
VENDOR = {"provider": "p", "vendor": "v"}


@pytest.fixture(scope="module")
def server() -> Iterator[MockGraph]:
    with MockGraph(seed={"Security": {"alerts": [{"id": "a"}]}}) as graph:
        yield graph


@pytest.fixture
def graph(server: MockGraph) -> MockGraph:
    server.reset()
    return server


def ask(graph: MockGraph, method: str, path: str, json: Any = None) -> dict[str, Any] | None:
    requests.request(method, f"{graph.origin}{path}", json=json, headers=HEADERS, timeout=10)
    last = graph.requests.last
    assert last is not None
    return None if last.replacement is None else last.replacement.as_json()


@pytest.mark.parametrize(
    ("method", "path", "body", "call", "properties"),
    [
        ("GET", "/v1.0/security/alerts", None, "GET /security/alerts_v2", []),
        ("GET", "/beta/security/Alerts/a", None, "GET /security/alerts_v2/{id}", []),
        ("GET", "/v1.0/security?$expand=alerts($top=1)", None, "GET /security/alerts_v2", []),
        ("GET", "/v1.0/security/alerts/$count", None, "GET /security/alerts_v2/$count", []),
        (
            "GET",
            "/v1.0/security/alerts?$filter=eventDateTime gt 2026-01-01T00:00:00Z and "
            "title eq 'feedback'&$orderby=confidence&$select=id,fileStates",
            None,
            "GET /security/alerts_v2",
            ["eventDateTime", "confidence", "fileStates"],
        ),
        (
            "GET",
            "/v1.0/security/alerts/a/userStates",
            None,
            "GET /security/alerts_v2/{id}",
            ["userStates"],
        ),
        (
            "PATCH",
            "/v1.0/security/alerts/a",
            {"feedback": "truePositive", "status": "resolved", "vendorInformation": VENDOR},
            "PATCH /security/alerts_v2/{id}",
            ["feedback", "vendorInformation"],
        ),
        (
            "POST",
            "/beta/security/alerts/updateAlerts",
            {"value": [{"id": "a", "tags": ["x"]}]},
            "PATCH /security/alerts_v2/{id}, one by one or in a batch",
            ["tags"],
        ),
        ("POST", "/v1.0/security/alerts", {"azureTenantId": "x"}, None, ["azureTenantId"]),
        ("PATCH", "/v1.0/security/alerts/a", [5], "PATCH /security/alerts_v2/{id}", []),
    ],
)
def test_what_replaces_a_call(
    graph: MockGraph,
    method: str,
    path: str,
    body: Any,
    call: str | None,
    properties: list[str],
) -> None:
    found = ask(graph, method, path, body)
    assert found is not None
    assert found["call"] == call
    assert found["properties"] == {name: PROPERTIES[name] for name in properties}
    (permission,) = found["permissions"]
    assert permission == f"SecurityEvents.{'Read' if method == 'GET' else 'ReadWrite'}.All"
    with pytest.raises(AssertionError, match="Legacy alerts were called once"):
        graph.assert_migrated()
    url = f"{graph.origin}/_mockgraph/unmigrated"
    (listed,) = requests.get(url, timeout=10).json()["value"]
    assert listed["replacement"] == found


@pytest.mark.parametrize(
    "path",
    [
        "/localtest/Security/alerts",
        "/v1.0/security/alerts_v2",
        "/v1.0/security/incidents?$expand=alerts",
        "/v1.0/security/secureScores",
        "/v1.0/security",
        "/v1.0/security?$expand=incidents($expand=alerts($top=1)),alerts_v2",
        "/localtest/security?$expand=alerts",
        "/v1.0/security/alertz",
    ],
)
def test_other_calls(graph: MockGraph, path: str) -> None:
    assert ask(graph, "GET", path) is None
    graph.assert_migrated()


def test_members_that_have_another_name(graph: MockGraph) -> None:
    asked = ask(graph, "GET", "/v1.0/security/alerts?$filter=status eq 'newAlert'")
    changed = ask(graph, "PATCH", "/v1.0/security/alerts/a", {"status": "dismissed"})
    assert asked is not None
    assert changed is not None
    assert (asked["members"], changed["members"]) == (
        {"newAlert": "new"},
        {"dismissed": "resolved"},
    )
    with pytest.raises(AssertionError, match="'newAlert': 'new'"):
        graph.assert_migrated()


def test_calls_in_a_batch_and_calls_that_a_fault_answers(graph: MockGraph) -> None:
    item = {"id": "1", "method": "GET", "url": "/security/alerts?$top=1"}
    ask(graph, "POST", "/v1.0/$batch", {"requests": [item]})
    graph.faults.unavailable()
    ask(graph, "GET", "/v1.0/security/alerts?$top=1")
    with pytest.raises(AssertionError) as raised:
        graph.assert_migrated()
    assert "called twice" in str(raised.value)
    assert "GET /v1.0/security/alerts?$top=1, twice" in str(raised.value)


def test_long_lists_are_cut(graph: MockGraph) -> None:
    for number in range(12):
        ask(graph, "GET", f"/v1.0/security/alerts?$top={number}")
    with pytest.raises(AssertionError, match="and 2 more"):
        graph.assert_migrated()


def test_the_table_is_of_properties_that_there_are() -> None:
    v1 = SERVICE.views["v1.0"].schemas
    assert set(PROPERTIES) <= set(v1["microsoft.graph.alert"].properties())
    newer = v1["microsoft.graph.security.alert"].properties()
    for name in set(v1["microsoft.graph.alert"].properties()) - set(PROPERTIES):
        assert name in newer
