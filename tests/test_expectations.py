"""Assertions on what was asked, and how they explain themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import ANY

import pytest
import requests
from flask.testing import FlaskClient

from mockgraph import MockGraph

PATCHED = {
    "providerStatus": [{"enabled": True, "provider": "P", "vendor": "V"}],
    "note": {"count": 1, "tags": ["a", "b"]},
}


@pytest.fixture(scope="module")
def graph() -> Iterator[MockGraph]:
    with MockGraph(auth="off") as graph:
        requests.patch(
            f"{graph.url}/Security?$select=id", json=PATCHED, headers={"x-own": "1"}, timeout=9
        )
        for _ in range(3):
            requests.get(f"{graph.origin}/v1.0/security/alerts?$top=5", timeout=9)
        requests.delete(f"{graph.origin}/v1.0/security/alerts/a b", timeout=9)
        yield graph


HOLDING: list[tuple[str | None, str, dict[str, Any]]] = [
    ("PATCH", "/security", {}),
    ("patch", "/localtest/Security", {"times": 1}),
    (None, "/security", {"times": 1}),
    ("*", "/**", {"times": 5}),
    ("GET", "/security/alerts", {"times": 3}),
    ("GET", "/security/alerts", {"at_least": 2, "at_most": 3}),
    ("DELETE", "/security/alerts/{id}", {"status": 404}),
    ("DELETE", "/security/alerts/a b", {}),
    ("PATCH", "/security", {"json": {"note": {"count": 1}}}),
    ("PATCH", "/security", {"json": PATCHED, "exact": True}),
    ("PATCH", "/security", {"json": {"providerStatus": [{"vendor": "V"}]}}),
    ("PATCH", "/security", {"json": {"note": ANY, "providerStatus": [ANY]}}),
    ("PATCH", "/security", {"json": {"note": {"count": lambda count: count < 2}}}),
    ("PATCH", "/security", {"json": {"note": {"count": pytest.approx(1.0)}}}),
    ("PATCH", "/security", {"json": lambda body: len(body) == 2}),
    ("PATCH", "/security", {"query": {"$select": "id"}, "headers": {"X-Own": "1"}}),
    ("GET", "/security/alerts", {"query": {"$top": lambda top: int(top) == 5}}),
    ("PATCH", "/security", {"where": lambda each: each.status == 400, "in_batch": False}),
    ("POST", "/security", {"times": 0}),
]


@pytest.mark.parametrize(("method", "path", "expected"), HOLDING)
def test_what_holds(
    graph: MockGraph, method: str | None, path: str, expected: dict[str, Any]
) -> None:
    found = graph.assert_called(method, path, **expected)
    assert len(found) == expected.get("times", len(found))


FAILING: list[tuple[str, str, dict[str, Any], str]] = [
    ("POST", "/security", {}, "POST /security was expected at least once, but it was never made"),
    ("PATCH", "/security/alerts", {}, "path: /security/alerts expected, /localtest/Security sent"),
    ("GET", "/security/alerts", {"times": 2}, "expected twice exactly, but it was made 3 times"),
    ("GET", "/security/alerts", {"at_most": 2}, "at least once and at most twice"),
    ("GET", "/security/alerts", {"at_least": 4}, "at least 4 times"),
    ("PATCH", "/security", {"json": {"note": {"count": 2}}}, "json/note/count: 2 expected, 1 sent"),
    ("PATCH", "/security", {"json": {"note": {"count": True}}}, "True expected, 1 sent"),
    ("PATCH", "/security", {"json": {"other": 1}}, "json/other: 1 expected, nothing sent"),
    ("PATCH", "/security", {"json": {"note": {"tags": ["a"]}}}, "['a'] expected, ['a', 'b'] sent"),
    ("PATCH", "/security", {"json": {"note": ANY}, "exact": True}, "nothing expected, [{"),
    ("PATCH", "/security", {"json": {"note": {"count": lambda _: False}}}, "says no to 1"),
    ("PATCH", "/security", {"query": {"$top": "5"}}, "query $top: '5' expected, nothing sent"),
    ("PATCH", "/security", {"headers": {"x-own": "2"}}, "header x-own: '2' expected, '1' sent"),
    ("PATCH", "/security", {"status": 204}, "status: 204 expected, 400 found"),
    ("PATCH", "/security", {"where": lambda _: False}, "where: the function says no"),
    ("PATCH", "/security", {"in_batch": True}, "in_batch: True expected, False found"),
]


@pytest.mark.parametrize(("method", "path", "expected", "says"), FAILING)
def test_what_does_not_hold_says_why(
    graph: MockGraph, method: str, path: str, expected: dict[str, Any], says: str
) -> None:
    with pytest.raises(AssertionError) as failed:
        graph.assert_called(method, path, **expected)
    message = str(failed.value)
    assert says in message
    assert "DELETE /v1.0/security/alerts/a b -> 404" in message
    assert len(message) < 5000


def test_the_nearest_miss_comes_first(graph: MockGraph) -> None:
    with pytest.raises(AssertionError) as failed:
        graph.assert_called("PATCH", "/security", status=204)
    misses = [line for line in str(failed.value).splitlines() if line.startswith("Near miss")]
    assert "PATCH /localtest/Security" in misses[0]


def test_what_is_far_off_is_no_near_miss(graph: MockGraph) -> None:
    with pytest.raises(AssertionError) as failed:
        graph.assert_called("GET", "/me")
    assert "Near miss" not in str(failed.value)
    with pytest.raises(AssertionError, match=r"Near miss <2: GET .*\n.*path: /security/alert "):
        graph.assert_called("GET", "/security/alert")


def test_not_called(graph: MockGraph) -> None:
    graph.assert_not_called("POST", "/security/alerts")
    with pytest.raises(AssertionError, match="was expected never, but it was made 3 times"):
        graph.assert_not_called("GET", "/security/alerts")


def test_nothing_was_asked_at_all() -> None:
    with MockGraph() as graph, pytest.raises(AssertionError, match="None was made at all"):
        graph.assert_called("GET", "/security")


def test_what_is_not_emulated_is_listed() -> None:
    with MockGraph(auth="off") as graph:
        graph.assert_emulated()
        graph.stubs.add("GET", "/me", json={})
        for path in ("me", "users/ada", "security/alerts?$filter=isof(id,Edm.String)", "security"):
            requests.get(f"{graph.origin}/v1.0/{path}", timeout=9)
        requests.get(f"{graph.origin}/v3/me", timeout=9)
        with pytest.raises(AssertionError) as failed:
            graph.assert_emulated()
        message = str(failed.value)
        assert "3 times" in message
        assert "users/ada" in message
        assert "isof" in message
        assert "Invalid version: v3" in message
        assert "/v1.0/me " not in message


def test_verified_by_http(client: FlaskClient) -> None:
    client.patch("/localtest/Security", json={"providerStatus": []})
    asked: dict[str, Any] = {"method": "PATCH", "path": "/security", "json": {"providerStatus": []}}
    assert client.post("/_mockgraph/verify", json=asked).json == {"count": 1, "value": [1]}
    held = client.post("/_mockgraph/verify", json={**asked, "times": 1, "status": 200})
    assert held.status_code == 200
    refused = client.post("/_mockgraph/verify", json={**asked, "times": 2})
    assert refused.status_code == 417
    assert refused.json is not None
    assert refused.json["error"]["code"] == "ExpectationFailed"
    assert "expected twice exactly, but it was made once" in refused.json["error"]["message"]


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({}, "path: "),
        ({"path": 5}, "path: "),
        ({"path": "/x", "times": "1"}, "times: "),
        ({"path": "/x", "headers": {"a": 5}}, "headers/a: "),
        ({"path": "/x", "where": "1"}, "where: "),
        ([], "object"),
    ],
)
def test_a_verification_that_is_wrong(client: FlaskClient, sent: Any, says: str) -> None:
    answer = client.post("/_mockgraph/verify", json=sent)
    assert answer.status_code == 400
    assert answer.json is not None
    assert says in answer.json["error"]["message"]
