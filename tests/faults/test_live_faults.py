"""Faults and stubs as a test has them in hand, against a live server."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from mockgraph import MockGraph

AUTH = {"Authorization": "Bearer anything"}


@pytest.fixture(scope="module")
def server() -> Iterator[MockGraph]:
    with MockGraph() as graph:
        yield graph


@pytest.fixture
def graph(server: MockGraph) -> MockGraph:
    server.reset()
    return server


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


def test_a_quota_passes_with_the_clock(graph: MockGraph) -> None:
    graph.clock.freeze(datetime(2024, 5, 1, 12, 0, tzinfo=UTC))
    graph.faults.quota(2, 60)
    for _ in range(3):
        assert retrying(graph).status_code == 200
    assert graph.clock.text() == "2024-05-01T12:01:00.000000Z"


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


def test_a_body_that_comes_slowly(graph: MockGraph) -> None:
    whole = get(graph).content
    graph.faults.slow_body(5, 20)
    began = time.monotonic()
    response = get(graph)
    assert response.content == whole
    assert response.headers["Content-Length"] == str(len(whole))
    assert time.monotonic() - began >= 0.08  # the pauses are slept, whatever else takes time


def test_an_html_page(graph: MockGraph) -> None:
    graph.faults.malformed("html")
    response = get(graph)
    assert response.headers["Content-Type"] == "text/html"
    with pytest.raises(requests.exceptions.JSONDecodeError):
        response.json()


def test_a_slow_request_holds_up_no_other(graph: MockGraph) -> None:
    asked, others_are_done = threading.Event(), threading.Event()

    def wait(_: Any) -> bool:
        asked.set()
        return others_are_done.wait(20)

    graph.faults.unavailable(path="/alerts", predicate=wait)
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(get, graph, "/Security/alerts")
        assert asked.wait(20)
        assert get(graph).status_code == 200
        others_are_done.set()
        assert slow.result(20).status_code == 503


def test_exactly_two_of_many_at_once(graph: MockGraph) -> None:
    fault = graph.faults.throttle(times=2)
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: get(graph).status_code, range(64)))
    assert (answers.count(429), answers.count(200), fault.struck) == (2, 62, 2)


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
