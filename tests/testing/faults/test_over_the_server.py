"""Faults as a client meets them over a socket."""

from __future__ import annotations

import json
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from mockgraph import MockGraph

ALERTS = {"Security": {"alerts": [{"id": "a", "title": "before"}]}}


LOST = requests.ConnectionError


@pytest.fixture(scope="module")
def server() -> Iterator[MockGraph]:
    with MockGraph(seed=ALERTS) as graph:
        yield graph


@pytest.fixture
def graph(server: MockGraph) -> MockGraph:
    server.renew()
    server.clock.freeze("2024-05-01T12:00:00.5Z")
    return server


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.headers["Authorization"] = "Bearer one"
        yield session


def patched(graph: MockGraph, session: requests.Session, **headers: str) -> requests.Response:
    """Return the answer to a change."""
    url = f"{graph.url}/Security/alerts/a"
    return session.patch(url, json={"title": "after"}, headers=headers, timeout=20)


def get(graph: MockGraph, path: str = "/Security") -> requests.Response:
    headers = {"Authorization": "Bearer one"}
    return requests.get(f"{graph.url}{path}", headers=headers, timeout=20)


def title(graph: MockGraph) -> str:
    found: str = graph.state["Security"]["alerts"][0]["title"]
    return found


Check = Callable[[requests.Response], bool]

# The preset, its options, the status, a check of the response, whether the work was done.
ANSWERED: list[tuple[str, dict[str, Any], int, Check, bool]] = [
    ("throttle", {"retry_after": 7}, 429, lambda a: a.headers["Retry-After"] == "7", False),
    ("gateway_timeout", {"carried_out": True}, 504, lambda a: "error" in a.json(), True),
    ("latency", {"ms": 1}, 200, lambda a: a.json()["title"] == "after", True),
    ("slow_body", {"pieces": 3, "pause_ms": 1}, 200, lambda a: a.json()["title"] == "after", True),
    ("malformed", {"kind": "html"}, 200, lambda a: a.text.startswith("<!DOCTYPE"), True),
    ("malformed", {"kind": "empty"}, 200, lambda a: a.content == b"", True),
    ("cut", {"at": "after"}, 200, lambda a: a.json()["title"] == "after", True),
]


@pytest.mark.parametrize(("preset", "options", "status", "holds", "done"), ANSWERED)
def test_what_is_answered(
    graph: MockGraph,
    session: requests.Session,
    preset: str,
    options: dict[str, Any],
    status: int,
    holds: Check,
    done: bool,
) -> None:
    answer = requests.post(
        f"{graph.origin}/_mockgraph/faults", json={"preset": preset, **options}, timeout=20
    )
    assert answer.status_code == 201
    struck = patched(graph, session, **{"If-Match": "*"})
    assert struck.status_code == status
    assert holds(struck)
    assert title(graph) == ("after" if done else "before")
    (recorded,) = graph.requests
    assert recorded.effects
    graph.faults.reset()
    # On a connection of its own: that of the session may have been cut.
    with requests.Session() as another:
        assert patched(graph, another, Authorization="Bearer one").status_code == 200


@pytest.mark.parametrize(
    ("at", "done"), [("before", False), ("unanswered", True), ("during", True)]
)
def test_what_is_cut(graph: MockGraph, session: requests.Session, at: Any, done: bool) -> None:
    graph.faults.cut(at)
    with pytest.raises((LOST, requests.exceptions.ChunkedEncodingError)):
        patched(graph, session)
    assert title(graph) == ("after" if done else "before")
    assert patched(graph, session).status_code == 200


def test_a_quota_of_each_app(graph: MockGraph, session: requests.Session) -> None:
    graph.faults.quota(limit=1, window=60)
    other = {"Authorization": "Bearer other"}
    answers = [patched(graph, session) for _ in "ab"] + [patched(graph, session, **other)]
    assert [each.status_code for each in answers] == [200, 429, 200]
    assert answers[1].headers["Retry-After"] == "60"
    graph.clock.advance(60)
    assert patched(graph, session).status_code == 200
    graph.assert_well_behaved(allow=["retry-after-ignored"])


def test_one_item_of_a_batch(graph: MockGraph, session: requests.Session) -> None:
    graph.faults.throttle(retry_after=9, in_batch=True, path="/alerts")
    items = [
        {"id": path, "method": "GET", "url": path} for path in ("/security", "/security/alerts")
    ]
    batch = session.post(f"{graph.origin}/v1.0/$batch", json={"requests": items}, timeout=20)
    assert batch.status_code == 200
    found = {each["id"]: each for each in batch.json()["responses"]}
    assert [found[each["id"]]["status"] for each in items] == [200, 429]
    assert found["/security/alerts"]["headers"]["Retry-After"] == "9"


def is_date(answer: requests.Response) -> bool:
    later = parsedate_to_datetime(answer.headers["Retry-After"])
    return later.isoformat() == "2024-05-01T12:00:31+00:00"  # the first second not too early


def demands(answer: requests.Response) -> bool:
    _, _, rest = answer.headers["WWW-Authenticate"].partition('claims="')
    claims = json.loads(b64decode(rest.partition('"')[0]))
    return "nbf" in claims["access_token"]


def test_a_quota_passes_with_the_clock(graph: MockGraph) -> None:
    graph.clock.freeze(datetime(2024, 5, 1, 12, 0, tzinfo=UTC))
    graph.faults.quota(2, 60)
    assert [get(graph).status_code for _ in range(3)] == [200, 200, 429]
    graph.clock.advance(60)
    assert get(graph).status_code == 200
    assert graph.clock.text() == "2024-05-01T12:01:00.000000Z"


def test_a_body_that_comes_slowly(graph: MockGraph) -> None:
    whole = get(graph).content
    graph.faults.slow_body(5, 20)
    response = get(graph)
    assert response.content == whole
    assert response.headers["Content-Length"] == str(len(whole))


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
    with MockGraph(seed=EMPTY, auth="off") as served:

        def reset(_: Any) -> bool:
            served.tenant("other").reset()
            return True

        served.faults.latency(0, predicate=reset)
        assert requests.get(served.url + "/Security", timeout=20).status_code == 200
        assert len(served.requests) == 1
