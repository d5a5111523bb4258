"""Requests that are held up until the test that they belong to is over."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from mockgraph import MockGraph

EMPTY: dict[str, Any] = {"Security": {}}
ALERT = {"title": "late"}
BATCH = {
    "requests": [
        {"id": str(n), "method": "POST", "url": "/security/alerts", "body": ALERT}
        | {"headers": {"Content-Type": "application/json"}}
        for n in range(2)
    ]
}


@pytest.mark.parametrize("over", [MockGraph.reset, MockGraph.renew, None])
@pytest.mark.parametrize(
    ("path", "body", "statuses"),
    [("/security/alerts", ALERT, [410]), ("/$batch", BATCH, [410, 410])],
)
def test_what_is_late_is_not_found_by_the_next(
    over: Callable[[MockGraph], None] | None, path: str, body: Any, statuses: list[int]
) -> None:
    came, go_on = threading.Event(), threading.Event()

    def wait(_: Any) -> bool:
        came.set()
        return go_on.wait(20)

    with MockGraph(seed=EMPTY) as graph, ThreadPoolExecutor() as pool:
        graph.faults.latency(0, path="/security/alerts", predicate=wait)
        url = f"{graph.origin}/v1.0{path}"
        headers = {"Authorization": "Bearer x"}
        sent = pool.submit(requests.post, url, json=body, headers=headers, timeout=20)
        assert came.wait(20)
        if over is None:
            requests.post(f"{graph.origin}/_mockgraph/reset", timeout=20)
        else:
            over(graph)
        go_on.set()
        answer = sent.result()
        answers = answer.json().get("responses", [{"status": answer.status_code}])
        assert [each["status"] for each in answers] == statuses
        assert graph.state["Security"]["alerts"] == []
        assert graph.requests == []


def test_in_another_tenant_nobody_is_late() -> None:
    def reset(_: Any) -> bool:
        graph.tenant("other").reset()
        return True

    with MockGraph(seed=EMPTY, auth="off") as graph:
        graph.faults.latency(0, predicate=reset)
        assert requests.get(graph.url + "/Security", timeout=20).status_code == 200
        assert len(graph.requests) == 1
