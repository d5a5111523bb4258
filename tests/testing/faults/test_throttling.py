"""Throttling as Graph's services do it: headers, quotas with warnings, items of batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from mockgraph import MockGraph

HEADERS = {"Authorization": "Bearer x"}
QUERY = {"Query": "AlertInfo | take 1"}


@pytest.fixture(scope="module")
def server() -> Iterator[MockGraph]:
    with MockGraph(seed={"Security": {}}) as graph:
        yield graph


@pytest.fixture
def graph(server: MockGraph) -> MockGraph:
    server.reset()
    server.clock.freeze("2026-11-20T12:00:00Z")
    return server


def read(graph: MockGraph, path: str = "alerts_v2", token: str = "x") -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{graph.v1}/security/{path}", headers=headers, timeout=10)


def hunt(graph: MockGraph) -> requests.Response:
    url = f"{graph.v1}/security/runHuntingQuery"
    return requests.post(url, json=QUERY, headers=HEADERS, timeout=60)


def assert_throttled(answer: requests.Response, scope: str, retry_after: str) -> None:
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == retry_after
    assert answer.headers["x-ms-throttle-scope"].startswith(f"{scope}/")
    assert answer.headers["x-ms-throttle-scope"].count("/") == 3
    assert answer.headers["x-ms-throttle-information"].endswith("LimitExceeded")
    assert float(answer.headers["x-ms-throttle-limit-percentage"]) >= 1
    assert answer.headers["x-ms-resource-unit"] == "1"
    assert answer.json()["error"]["code"] == "TooManyRequests"


def test_security_at_once(graph: MockGraph) -> None:
    fault = graph.faults.security_quota()
    assert_throttled(read(graph), "Tenant_Application", "0.249")
    assert "150 requests" in graph.requests[-1].response["error"]["message"]
    assert read(graph).status_code == 200
    assert fault.struck == 1


def test_security_by_its_limit(graph: MockGraph) -> None:
    graph.faults.security_quota(limit=5)
    shares = [read(graph).headers.get("x-ms-throttle-limit-percentage") for _ in range(5)]
    assert shares == [None, None, None, "0.80", "1.00"]
    graph.clock.advance(20)
    assert_throttled(read(graph), "Tenant_Application", "40")
    assert read(graph, token="another").status_code == 200
    graph.clock.advance(40)
    assert read(graph).status_code == 200


def test_hunting_at_once(graph: MockGraph) -> None:
    graph.faults.hunting_quota()
    assert_throttled(hunt(graph), "Tenant", "60")
    assert "45 hunting calls" in graph.requests[-1].response["error"]["message"]
    graph.faults.hunting_cpu(retry_after=0.5)
    answer = hunt(graph)
    assert_throttled(answer, "Tenant", "0.5")
    assert answer.headers["x-ms-throttle-information"] == "CPULimitExceeded"
    assert hunt(graph).status_code == 200


def test_hunting_by_its_limit(graph: MockGraph) -> None:
    graph.faults.hunting_quota(limit=2)
    assert [hunt(graph).status_code for _ in range(2)] == [200, 200]
    assert read(graph).status_code == 200
    assert_throttled(hunt(graph), "Tenant", "60")


def test_each_item_of_a_batch_has_its_own(graph: MockGraph) -> None:
    graph.faults.security_quota(limit=2)
    items = [
        {"id": str(number), "method": "GET", "url": "/security/alerts_v2"} for number in range(3)
    ]
    body: Any = {"requests": items}
    answer = requests.post(f"{graph.v1}/$batch", json=body, headers=HEADERS, timeout=10)
    assert answer.status_code == 200
    responses = {each["id"]: each for each in answer.json()["responses"]}
    assert [responses[each]["status"] for each in "012"] == [200, 200, 429]
    headers = {name.lower(): value for name, value in responses["2"]["headers"].items()}
    assert headers["retry-after"] == "60"
    assert headers["x-ms-throttle-scope"].startswith("Tenant_Application/")
