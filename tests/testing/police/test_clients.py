"""Real clients over a socket: bad ones on purpose, and well-behaved ones."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from mockgraph import MockGraph
from mockgraph.testing.police import misdeeds

from ..exchanges import ALERT, ALERTS

TIMEOUT = 20


@pytest.fixture(scope="module")
def server() -> Iterator[MockGraph]:
    with MockGraph(auth="off") as graph:
        yield graph


@pytest.fixture
def graph(server: MockGraph) -> MockGraph:
    server.renew()
    server.clock.freeze()
    return server


def rules(graph: MockGraph) -> list[str]:
    return [each.rule for each in misdeeds(graph.requests)]


def ask(graph: MockGraph, method: str = "GET", path: str = ALERTS, **more: Any) -> Any:
    """A request on a connection of its own."""
    return requests.request(method, f"{graph.origin}{path}", timeout=TIMEOUT, **more)


def seed(graph: MockGraph) -> None:
    graph.state = {"Security": {"alerts": [{"title": str(n)} for n in range(7)]}}


def retrying(graph: MockGraph, retries: Retry) -> requests.Session:
    session = requests.Session()
    session.mount(graph.origin, HTTPAdapter(max_retries=retries))
    return session


def advancing(graph: MockGraph) -> type[Retry]:
    """urllib3's Retry, but that waiting takes no time."""

    class Advancing(Retry):
        def sleep(self, response: Any = None) -> None:
            waits = response is not None and self.respect_retry_after_header
            seconds = self.get_retry_after(response) if waits else None
            graph.clock.advance(seconds or self.get_backoff_time())

    return Advancing


# -- bad ones -----------------------------------------------------------------------------


def test_one_that_asks_again_at_once(graph: MockGraph) -> None:
    graph.faults.throttle(times=3, retry_after=10)
    while ask(graph).status_code == 429:
        pass
    assert rules(graph) == ["retry-after-ignored"] * 3
    with pytest.raises(AssertionError, match="Wait as many seconds as Retry-After says"):
        graph.assert_well_behaved()


def test_one_that_goes_on_with_the_next_thing(graph: MockGraph) -> None:
    graph.faults.throttle(times=2, retry_after=10)
    with requests.Session() as session:
        for number in range(3):
            session.patch(f"{graph.origin}{ALERTS}/{number}", json=ALERT, timeout=TIMEOUT)
    assert rules(graph) == ["retry-after-ignored"] * 2


def test_one_that_does_not_look_at_retry_after(graph: MockGraph) -> None:
    graph.faults.throttle(times=2, retry_after=10)
    retries = advancing(graph)(3, status_forcelist=[429], respect_retry_after_header=False)
    with retrying(graph, retries) as session:
        assert session.get(f"{graph.origin}{ALERTS}", timeout=TIMEOUT).status_code == 200
    assert rules(graph) == ["retry-after-ignored"] * 2


def test_one_that_cannot_read_a_date(graph: MockGraph) -> None:
    graph.faults.throttle(times=1, retry_after=10, as_date=True)
    with httpx.Client(base_url=graph.origin) as client:
        wait = client.get(ALERTS).headers["Retry-After"]
        graph.clock.advance(float(wait) if wait.isdigit() else 1)
        client.get(ALERTS)
    assert rules(graph) == ["retry-after-ignored"]


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [("POST", ALERTS, ["blind-retry-of-a-create"]), ("PATCH", f"{ALERTS}/1", [])],
)
def test_one_that_sends_again_what_was_perhaps_done(
    graph: MockGraph, method: str, path: str, found: list[str]
) -> None:
    graph.faults.cut("unanswered", times=1)
    with pytest.raises(requests.ConnectionError):
        ask(graph, method, path, json=ALERT)
    ask(graph, method, path, json=ALERT)
    assert rules(graph) == found
    assert "-> no answer by fault" in repr(graph.requests)


def test_one_that_retries_everything(graph: MockGraph) -> None:
    for _ in range(3):
        ask(graph, "POST", json={"title": 5})
    assert rules(graph) == ["retried-in-vain"] * 2


def test_one_whose_stream_is_used_up(graph: MockGraph) -> None:
    graph.faults.throttle(times=1, retry_after=1)
    with httpx.Client(base_url=graph.origin) as client:
        for content in (iter([b'{"title": "a"}']), b""):
            client.post(ALERTS, content=content, headers={"Content-Type": "application/json"})
            graph.clock.advance(1)
    assert rules(graph) == ["body-changed-on-retry"]


def test_one_that_counts_pages(graph: MockGraph) -> None:
    seed(graph)
    for skip in range(0, 7, 2):
        ask(graph, params={"$top": 2, "$skip": skip})
    assert rules(graph) == ["paging-by-hand"]


def test_one_that_takes_links_apart(graph: MockGraph) -> None:
    seed(graph)
    link = ask(graph, params={"$top": 2, "$orderby": "title"}).json()["@odata.nextLink"]
    token = httpx.URL(link).params["$skiptoken"]
    ask(graph, params={"$skiptoken": token, "$orderby": "title"})
    assert rules(graph) == ["paging-by-hand"]


# -- good ones ----------------------------------------------------------------------------


@pytest.mark.parametrize("as_date", [False, True])
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_urllib3_is_well_behaved(
    graph: MockGraph, monkeypatch: pytest.MonkeyPatch, as_date: bool, method: str
) -> None:
    # What it compares a date with: the clock of the machine stands where the tenant's does.
    monkeypatch.setattr("urllib3.util.retry.time.time", lambda: int(graph.clock.now().timestamp()))
    graph.faults.throttle(times=2, retry_after=10, as_date=as_date)
    graph.faults.unavailable(times=1, retry_after=3)
    retries = advancing(graph)(4, status_forcelist=[429, 503], allowed_methods=None)
    with retrying(graph, retries) as session:
        url = f"{graph.url}/Security"
        body: dict[str, Any] | None = {} if method == "PATCH" else None
        assert session.request(method, url, json=body, timeout=TIMEOUT).status_code == 200
    assert len(graph.requests) == 4
    graph.assert_well_behaved()


def test_a_handler_like_those_of_the_sdks_is_well_behaved(graph: MockGraph) -> None:
    graph.faults.throttle(times=1, retry_after=10)
    graph.faults.gateway_timeout(times=2)
    statuses = []
    with httpx.Client(base_url=graph.origin) as client:
        for attempt in range(4):
            headers = {"Retry-Attempt": str(attempt)} if attempt else {}
            answer = client.post(ALERTS, json=ALERT, headers=headers)
            statuses.append(answer.status_code)
            graph.clock.advance(float(answer.headers.get("Retry-After", 2**attempt)))
    assert statuses == [429, 504, 504, 201]
    graph.assert_well_behaved()


def test_who_asks_much_at_once_is_not_blamed_for_what_was_under_way(graph: MockGraph) -> None:
    graph.faults.throttle(times=6, retry_after=10)

    async def ask_all() -> list[int]:
        limits = httpx.Limits(max_connections=20)
        async with httpx.AsyncClient(base_url=graph.origin, limits=limits) as client:
            first = await asyncio.gather(*[client.get(ALERTS) for _ in range(20)])
            graph.clock.advance(10)
            again = [client.get(ALERTS) for each in first if each.status_code == 429]
            return [each.status_code for each in await asyncio.gather(*again)]

    assert asyncio.run(ask_all()) == [200] * 6
    graph.assert_well_behaved()


def test_following_links_and_waiting_for_something_is_well_behaved(graph: MockGraph) -> None:
    seed(graph)
    pages, url = [], f"{graph.origin}{ALERTS}?$top=3&$orderby=title desc"
    while url:
        pages.append(requests.get(url, timeout=TIMEOUT).json())
        url = pages[-1].get("@odata.nextLink", "")
    assert [len(page["value"]) for page in pages] == [3, 3, 1]
    for _ in range(3):
        ask(graph, path=f"{ALERTS}/soon")
    ask(graph, params={"$skip": 2})
    graph.assert_well_behaved()


def test_items_of_a_batch_are_judged(graph: MockGraph) -> None:
    graph.faults.throttle(path="/security/alerts", retry_after=10, in_batch=True, times=2)
    items = [
        {"id": str(n), "method": "GET", "url": f"/security/{name}"}
        for n, name in enumerate(["alerts", "incidents"])
    ]
    for _ in range(2):
        answer = ask(graph, "POST", "/v1.0/$batch", json={"requests": items}).json()
        assert [each["status"] for each in answer["responses"]] == [429, 200]
    assert rules(graph) == ["retry-after-ignored"]
    graph.clock.advance(10)
    ask(graph, "POST", "/v1.0/$batch", json={"requests": items[:1]})
    assert rules(graph) == ["retry-after-ignored"]
