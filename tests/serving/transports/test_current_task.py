"""Callers in process, so that calls made at once are not judged as one after another."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import aiohttp
import httpx
import pytest
import requests
import urllib3

from mockgraph import MockGraph
from mockgraph.serving.transports.endpoint import current_task

from .clients import TRUST

URL = "https://graph.microsoft.com/v1.0/security"
AT_ONCE = 4


@pytest.fixture(scope="module")
def server() -> Iterator[MockGraph]:
    with MockGraph(auth="off") as graph:
        yield graph


@pytest.fixture
def graph(server: MockGraph) -> MockGraph:
    server.renew()
    server.clock.freeze()
    return server


def throttle_at_once(graph: MockGraph) -> None:
    """Answer 429 to several requests as soon as all of them are under way."""
    all_are = threading.Barrier(AT_ONCE)
    graph.faults.throttle(
        retry_after=600, times=AT_ONCE, predicate=lambda _: all_are.wait(20) is not None
    )


def requested() -> None:
    requests.get(URL, timeout=20)


def with_urllib3() -> None:
    urllib3.request("GET", URL, timeout=20, retries=False)


def with_httpx() -> None:
    with httpx.Client(verify=TRUST) as client:
        client.get(URL, timeout=20)


async def with_async_httpx() -> None:
    async with httpx.AsyncClient(verify=TRUST) as client:
        await client.get(URL, timeout=20)


async def with_aiohttp() -> None:
    async with aiohttp.ClientSession() as session, session.get(URL) as answer:
        await answer.read()


SYNC = (requested, with_urllib3, with_httpx)
ASYNC = (with_async_httpx, with_aiohttp)


@pytest.mark.parametrize("ask", SYNC)
def test_threads_that_ask_at_once_know_nothing_of_one_another(
    graph: MockGraph, ask: Callable[[], None]
) -> None:
    throttle_at_once(graph)
    with graph.intercept(), ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(lambda _: ask(), range(AT_ONCE)))
    assert len({each.sender for each in graph.requests}) == AT_ONCE
    graph.assert_well_behaved()


@pytest.mark.parametrize("ask", ASYNC)
def test_tasks_that_ask_at_once_know_nothing_of_one_another(
    graph: MockGraph, ask: Callable[[], Awaitable[None]]
) -> None:
    throttle_at_once(graph)

    async def together() -> None:
        await asyncio.gather(*(ask() for _ in range(AT_ONCE)))

    with graph.intercept():
        asyncio.run(together())
    assert len({each.sender for each in graph.requests}) == AT_ONCE
    graph.assert_well_behaved()


@pytest.mark.parametrize("ask", SYNC)
def test_one_thread_after_another_call_does(graph: MockGraph, ask: Callable[[], None]) -> None:
    graph.faults.throttle(retry_after=600)
    with graph.intercept():
        ask()
        ask()
    assert [[each.rule for each in one.misdeeds] for one in graph.requests] == [
        [],
        ["retry-after-ignored"],
    ]


@pytest.mark.parametrize("ask", ASYNC)
def test_one_task_after_another_call_does(
    graph: MockGraph, ask: Callable[[], Awaitable[None]]
) -> None:
    async def twice() -> None:
        await ask()
        await ask()

    graph.faults.throttle(retry_after=600)
    with graph.intercept():
        asyncio.run(twice())
    assert [len(each.misdeeds) for each in graph.requests] == [0, 1]


def test_a_task_of_trio_has_a_lane_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, trio = current_task(), ModuleType("trio.lowlevel")
    monkeypatch.setitem(sys.modules, trio.__name__, trio)
    assert current_task() == plain  # half loaded
    monkeypatch.setattr(trio, "current_task", lambda: trio, raising=False)
    assert current_task() != plain
