"""Many at once, over sockets: no write is lost, one of two wins, a reset may come any time."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from conftest import EMPTY
from wire import ask, patch

from mockgraph import MockGraph

SECURITY = "/localtest/Security"
ALERTS = f"{SECURITY}/alerts"
THREADS = 8


@pytest.fixture(params=["memory", "process", "disk"])
def graph(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MockGraph]:
    settings: dict[str, Any] = {}
    if request.param != "memory":
        settings = {"store": tmp_path / "graph.store", "durability": request.param}
    with MockGraph(seed=EMPTY, **settings) as graph:
        yield graph


def at_once(act: Callable[[int], Any], times: int = THREADS) -> list[Any]:
    """Return the results of so many threads, all let go at the same moment."""
    gate = threading.Barrier(times)

    def one(number: int) -> Any:
        gate.wait()
        return act(number)

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


def test_no_write_is_lost_where_all_write_to_one_entity(graph: MockGraph) -> None:
    graph.state = {"Security": {"alerts": [{"id": "a"}]}}

    def write(number: int) -> None:
        for turn in range(10):
            answer = patch(graph.origin, {f"of{number}": turn}, f"{ALERTS}/a")
            assert answer.json[f"of{number}"] == turn

    at_once(write)
    (alert,) = graph.state["Security"]["alerts"]
    assert {name: alert[name] for name in alert if name.startswith("of")} == {
        f"of{number}": 9 for number in range(THREADS)
    }


def test_no_entity_is_lost_where_all_create(graph: MockGraph) -> None:
    def create(number: int) -> list[str]:
        made = []
        for turn in range(10):
            title = f"{number}/{turn}".encode()
            answer = ask(graph.origin, "POST", ALERTS, b'{"title":"%s"}' % title)
            assert answer.status == 201
            made.append(answer.json["id"])
        return made

    made = [each for some in at_once(create) for each in some]
    stored = {each["id"]: each["title"] for each in graph.state["Security"]["alerts"]}
    assert len(made) == len(set(made)) == 10 * THREADS
    assert set(made) == set(stored)
    assert len(set(stored.values())) == 10 * THREADS


def test_counting_up_with_etags_reaches_the_sum(graph: MockGraph) -> None:
    """The loop that a careful client writes: read, add one, write if nobody else did."""
    graph.state = {"Security": {"alerts": [{"id": "a", "seen": 0}]}}

    def count(_: int) -> None:
        done = 0
        while done < 5:
            read = ask(graph.origin, "GET", f"{ALERTS}/a")
            body = {"seen": read.json["seen"] + 1}
            answer = patch(graph.origin, body, f"{ALERTS}/a", If_Match=read.headers["ETag"])
            assert answer.status in (200, 412)
            done += answer.status == 200

    at_once(count)
    (alert,) = graph.state["Security"]["alerts"]
    assert alert["seen"] == 5 * THREADS


def test_of_writers_with_one_etag_exactly_one_wins(graph: MockGraph) -> None:
    for _ in range(10):
        etag = ask(graph.origin, "GET", SECURITY).headers["ETag"]

        def write(number: int, etag: str = etag) -> int:
            body = {"providerStatus": [{"region": f"{number}"}]}
            return patch(graph.origin, body, If_Match=etag).status

        statuses = at_once(write)
        assert Counter(statuses) == {200: 1, 412: THREADS - 1}
        (status,) = ask(graph.origin, "GET", SECURITY).json["providerStatus"]
        assert status["region"] == str(statuses.index(200))


def test_of_those_who_create_one_id_exactly_one_does(graph: MockGraph) -> None:
    statuses = at_once(lambda _: ask(graph.origin, "POST", ALERTS, b'{"id":"one"}').status)
    assert Counter(statuses) == {201: 1, 409: THREADS - 1}


def test_of_those_who_delete_exactly_one_does(graph: MockGraph) -> None:
    graph.state = {"Security": {"alerts": [{"id": "a"}]}}
    statuses = at_once(lambda _: ask(graph.origin, "DELETE", f"{ALERTS}/a").status)
    assert Counter(statuses) == {204: 1, 404: THREADS - 1}


def test_readers_see_whole_writes(graph: MockGraph) -> None:
    stop = threading.Event()

    def write(number: int) -> None:
        for turn in range(40):
            region = f"{number}-{turn}"
            body = {"providerStatus": [{"region": region, "vendor": region}] * 3}
            assert patch(graph.origin, body).status == 200
        stop.set()

    def read(_: int) -> None:
        while not stop.is_set():
            shown = ask(graph.origin, "GET", SECURITY).json["providerStatus"]
            assert len({each[name] for each in shown for name in ("region", "vendor")}) <= 1

    at_once(lambda number: write(number) if number < 2 else read(number), 5)


def test_each_request_sees_one_state(graph: MockGraph) -> None:
    """Two whole states take turns; no answer has something of both."""
    documents = [
        {
            "Security": {
                "incidents": [{"id": "i", "displayName": name}],
                "alerts_v2": [
                    {"id": f"{name}{n}", "title": name, "incidentId": "i"} for n in range(size)
                ],
            }
        }
        for name, size in (("a", 30), ("b", 70))
    ]
    graph.state = documents[0]
    stop = threading.Event()

    def write() -> None:
        try:
            for turn in range(20):
                graph.state = documents[turn % 2]
        finally:
            stop.set()

    def read(number: int) -> None:
        root, sizes = "/v1.0/security", {"a": 30, "b": 70}
        while not stop.is_set():
            if number % 2:
                page = ask(graph.origin, "GET", f"{root}/alerts_v2?$count=true").json
                alerts, count = page["value"], page["@odata.count"]
                titles = {each["title"] for each in alerts}
            else:
                incident = ask(graph.origin, "GET", f"{root}/incidents/i?$expand=alerts").json
                alerts, count = incident["alerts"], len(incident["alerts"])
                titles = {incident["displayName"], *(each["title"] for each in alerts)}
            (title,) = titles
            assert len(alerts) == count == sizes[title]

    at_once(lambda number: read(number) if number else write(), 5)


def test_a_slow_write_holds_up_no_reader(graph: MockGraph) -> None:
    """A writer that has the state to itself, and does not let go of it."""
    state = graph._tenant.state
    with state._storage.writing():
        answers = at_once(lambda _: ask(graph.origin, "GET", SECURITY).status, 3)
        lists = at_once(lambda _: ask(graph.origin, "GET", f"{ALERTS}?$count=true").status, 3)
    assert answers == lists == [200] * 3


def test_a_reset_while_in_use(graph: MockGraph) -> None:
    """A request that waits for a reset is not carried out, and told so."""
    fresh = graph.state
    stop = threading.Event()

    def use(number: int) -> Counter[int]:
        seen: Counter[int] = Counter()
        while not stop.is_set():
            body = b'{"title":"%d"}' % number
            made = ask(graph.origin, "POST", ALERTS, body)
            seen[made.status] += 1
            if made.status == 201:
                url = f"{ALERTS}/{made.json['id']}"
                seen[patch(graph.origin, {"title": "x"}, url).status] += 1
            seen[ask(graph.origin, "GET", ALERTS).status] += 1
        return seen

    def reset() -> Counter[int]:
        try:
            return Counter(ask(graph.origin, "POST", "/_mockgraph/reset").status for _ in range(25))
        finally:
            stop.set()

    seen = at_once(lambda number: use(number) if number else reset(), 5)
    assert seen[0] == {204: 25}
    assert {status for each in seen[1:] for status in each} <= {200, 201, 404, 410}
    graph.reset()
    assert graph.state == fresh
