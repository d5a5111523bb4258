"""Requests as server-sent events: each as it comes, and an end when the server stops."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from mockgraph import MockGraph

ALERTS = "/security/alerts_v2"
AUTH = {"Authorization": "Bearer x"}


@pytest.fixture
def graph() -> Iterator[MockGraph]:
    with MockGraph() as graph:
        yield graph


def listen(graph: MockGraph, query: str = "") -> requests.Response:
    url = f"{graph.origin}/_mockgraph/requests/events{query}"
    answer = requests.get(url, stream=True, timeout=10)
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    return answer


def events(answer: requests.Response) -> Iterator[tuple[str, Any]]:
    name = ""
    for line in answer.iter_lines(chunk_size=1):
        field, _, value = line.decode().partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)


def ask(graph: MockGraph) -> None:
    requests.get(f"{graph.v1}{ALERTS}?$top=1", headers=AUTH, timeout=10)


def test_those_after_a_number_then_those_that_come(graph: MockGraph) -> None:
    graph.faults.throttle(retry_after=30)
    ask(graph)
    ask(graph)
    with listen(graph, "?after=1") as answer:
        told = events(answer)
        name, second = next(told)
        assert (name, second["number"], second["url"]) == ("request", 2, f"/v1.0{ALERTS}?$top=1")
        assert [each["rule"] for each in second["misdeeds"]] == ["retry-after-ignored"]
        ask(graph)
        assert next(told)[1]["number"] == 3
        graph.reset()
        assert next(told) == ("cleared", {})
        ask(graph)
        assert next(told)[1]["number"] == 1


def test_a_tenant_tells_of_its_own_alone(graph: MockGraph) -> None:
    other = graph.tenant("other")
    with requests.get(
        f"{other.origin}/_mockgraph/requests/events?after=0", stream=True, timeout=10
    ) as answer:
        ask(graph)
        requests.get(f"{other.v1}{ALERTS}", headers=AUTH, timeout=10)
        assert next(events(answer))[1]["url"] == f"/v1.0{ALERTS}"


def test_it_ends_with_the_server(graph: MockGraph) -> None:
    with listen(graph) as answer:
        stopping = threading.Thread(target=graph.stop)
        stopping.start()
        assert list(events(answer)) == []
        stopping.join(10)
        assert not stopping.is_alive()


def test_others_are_served_meanwhile(graph: MockGraph) -> None:
    listening = [listen(graph) for _ in range(20)]
    ask(graph)
    assert [next(events(each))[1]["number"] for each in listening] == [1] * 20
    for each in listening:
        each.close()
