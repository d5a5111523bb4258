"""A tenant as a test has it in hand, against a live server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import ANY

import pytest
import requests

from mockgraph import MockGraph
from mockgraph.errors import BadRequest, NotFound
from mockgraph.testing.journal import Requests

AUTH = {"Authorization": "Bearer anything"}


ALERTS = "/v1.0/security/alerts"


ALERT: dict[str, Any] = {"title": "one", "vendorInformation": {"provider": "P", "vendor": "V"}}


def get(graph: MockGraph, path: str = "/Security", **headers: str) -> requests.Response:
    return requests.get(f"{graph.url}{path}", headers={**AUTH, **headers}, timeout=20)


def retrying(graph: MockGraph) -> requests.Response:
    """The code under test of the README: it comes again when it is told to."""
    while True:
        response = get(graph)
        if response.status_code != 429:
            return response
        graph.clock.advance(float(response.headers["Retry-After"]))


def test_code_that_retries(graph: MockGraph) -> None:
    throttled = graph.faults.throttle(times=2, retry_after=30)
    assert retrying(graph).status_code == 200
    assert throttled.struck == 2


def test_a_fault_for_the_length_of_a_block(graph: MockGraph) -> None:
    with graph.fault(path="/security", status=503, times=None) as fault:
        assert [get(graph).status_code for _ in range(2)] == [503, 503]
    assert get(graph).status_code == 200
    assert fault.struck == 2


def test_by_any_predicate(graph: MockGraph) -> None:
    graph.faults.forbidden(predicate=lambda request: b"Ada" in request.content)
    url = f"{graph.url}/Security/alerts"
    sent: list[dict[str, Any]] = [{"assignedTo": "Bob"}, {"assignedTo": "Ada"}]
    found = [requests.post(url, json=body, headers=AUTH, timeout=20).status_code for body in sent]
    assert found == [201, 403]


def test_a_stub_decorates_a_function(graph: MockGraph) -> None:
    @graph.stub("GET", "/users/{id}")
    def user(_: Any, id: str) -> Any:
        return {"id": id, "displayName": "Ada"}

    response = requests.get(f"{graph.origin}/v1.0/users/7", timeout=20)
    assert response.json() == {"id": "7", "displayName": "Ada"}


def test_a_stub_may_give_a_response(graph: MockGraph) -> None:
    graph.stubs.add("POST", "/users", status=201, json={"id": "8"}, headers={"Location": "/8"})
    response = requests.post(f"{graph.origin}/beta/users", json={}, timeout=20)
    assert (response.status_code, response.json()) == (201, {"id": "8"})
    assert response.headers["Location"] == "/8"


def test_a_reset_takes_all_of_it_away(graph: MockGraph) -> None:
    graph.faults.server_error(times=None)
    graph.stubs.add("GET", "/Security", json={})
    graph.reset()
    assert (len(graph.faults), len(graph.stubs)) == (0, 0)
    assert get(graph).json()["providerStatus"]


def test_a_stub_by_decorator_and_a_fault_by_its_parts() -> None:
    with MockGraph() as graph:

        @graph.stub("GET", "/users/{id}")
        def user(request: object, id: str) -> object:  # noqa: ARG001
            return {"id": id}

        rule = graph.fault(method="GET", path="/users", status=503)
        url = f"{graph.origin}/v1.0/users/ada"
        assert requests.get(url, timeout=9).status_code == 503
        assert rule.struck == 1
        assert requests.get(url, timeout=9).json() == {"id": "ada"}


def test_requests_in_python() -> None:
    with MockGraph(auth="off") as graph:
        url = f"{graph.origin}{ALERTS}"
        assert len(graph.requests) == 0
        requests.get(url, params={"$top": "1"}, timeout=9)
        requests.post(url, json=ALERT, timeout=9)
        requests.get(f"{graph.url}/none", timeout=9)
        assert len(graph.requests) == 3
        assert [each.status for each in graph.requests] == [200, 201, 400]
        assert graph.requests[0].query == {"$top": "1"}
        assert graph.requests[-1] is not None
        assert isinstance(graph.requests[1:], Requests)
        assert [each.method for each in graph.requests.filter("get")] == ["GET", "GET"]
        assert len(graph.requests.filter(path="/security/alerts")) == 2
        assert len(graph.requests.filter(status=201)) == 1
        last = graph.requests.last
        assert last is not None
        assert last.path == "/localtest/none"
        shown = repr(graph.requests)
        assert shown.startswith("<3 requests")
        assert f"GET {ALERTS}?%24top=1 -> 200" in shown
        graph.reset()
        assert len(graph.requests) == 0
        assert repr(graph.requests) == "<0 requests>"


def test_tenants_in_python() -> None:
    with MockGraph() as graph:
        one = graph.tenant("one")
        assert one.url == f"{graph.origin}/t/one/localtest"
        before = graph.state
        made = requests.post(f"{one.origin}{ALERTS}", json=ALERT, headers=AUTH, timeout=9)
        assert made.status_code == 201
        assert graph.state == before
        assert one.state != before
        one.snapshot("here")
        one.reset()
        assert one.state == before
        one.restore("here")
        assert one.state != before
        with pytest.raises(NotFound):
            one.restore("there")
        one.faults.throttle()
        assert requests.get(one.url, headers=AUTH, timeout=9).status_code == 429
        assert requests.get(graph.url, headers=AUTH, timeout=9).status_code == 200
        graph.clear_tenants()
        assert graph.tenant("one").state == before


def test_what_a_block_writes_is_taken_back() -> None:
    with MockGraph() as graph:
        before = graph.state
        with graph.unchanged():
            graph.state = {"Security": {"providerStatus": []}}
            assert graph.state != before
        assert graph.state == before


def seed(*titles: str) -> dict[str, Any]:
    return {"Security": {"alerts": [{"id": each, "title": each} for each in titles]}}


def ids(document: Any) -> list[str]:
    return [each["id"] for each in document["Security"]["alerts"]]


def test_snapshots_in_python() -> None:
    with MockGraph(seed=seed("a")) as graph:
        graph.snapshot("first")
        graph.snapshot("given", seed("b", "c"))
        assert graph.snapshots == ["first", "given"]
        document = graph.document("given")
        assert ids(document) == ["b", "c"]
        document["Security"]["alerts"].clear()  # a copy
        graph.restore("given")
        assert ids(graph.state) == ["b", "c"]
        assert ids(graph.document("first")) == ["a"]
        with pytest.raises(NotFound, match="no snapshot 'none'"):
            graph.document("none")
        with pytest.raises(BadRequest):
            graph.snapshot("bad", {"alerts": []})
        assert graph.snapshots == ["first", "given"]


PATCHED: dict[str, Any] = {
    "providerStatus": [{"enabled": True, "provider": "P", "vendor": "V"}],
    "note": {"count": 1, "tags": ["a", "b"]},
}


@pytest.fixture(scope="module")
def asked() -> Iterator[MockGraph]:
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
    asked: MockGraph, method: str | None, path: str, expected: dict[str, Any]
) -> None:
    found = asked.assert_called(method, path, **expected)
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
    asked: MockGraph, method: str, path: str, expected: dict[str, Any], says: str
) -> None:
    with pytest.raises(AssertionError) as failed:
        asked.assert_called(method, path, **expected)
    message = str(failed.value)
    assert says in message
    assert "DELETE /v1.0/security/alerts/a b -> 404" in message
    assert len(message) < 5000


def test_the_nearest_miss_comes_first(asked: MockGraph) -> None:
    with pytest.raises(AssertionError) as failed:
        asked.assert_called("PATCH", "/security", status=204)
    misses = [line for line in str(failed.value).splitlines() if line.startswith("Near miss")]
    assert "PATCH /localtest/Security" in misses[0]


def test_what_is_far_off_is_no_near_miss(asked: MockGraph) -> None:
    with pytest.raises(AssertionError) as failed:
        asked.assert_called("GET", "/me")
    assert "Near miss" not in str(failed.value)
    with pytest.raises(AssertionError, match=r"Near miss <2: GET .*\n.*path: /security/alert "):
        asked.assert_called("GET", "/security/alert")


def test_not_called(asked: MockGraph) -> None:
    asked.assert_not_called("POST", "/security/alerts")
    with pytest.raises(AssertionError, match="was expected never, but it was made 3 times"):
        asked.assert_not_called("GET", "/security/alerts")


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
