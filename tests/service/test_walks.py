"""Walks over a set that others write to meanwhile: nothing twice, nothing lost."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import examples

from mockgraph import MockGraph

from . import COUNT, KEYS, OFFICIAL, at, create, ids, seeded

Json = Any

FILTER = "$filter=confidence lt 100"
QUERIES = [
    "$top=2",
    "$top=3&$skip=0&$count=true",
    "$top=2&$orderby=confidence",
    "$top=2&$orderby=title desc,confidence",
    f"$top=2&{FILTER}",
    f"$top=1&{FILTER}&$orderby=confidence desc&$count=true",
]
writes = st.lists(
    st.tuples(
        st.sampled_from(["create", "delete", "update"]),
        st.integers(0, COUNT - 1),
        st.integers(-20, 200),
    ),
    max_size=4,
)


class Writer:
    """Writes between the pages, and knows which entities matched all along."""

    def __init__(self, client: FlaskClient, is_filtered: bool):
        self.client = client
        self.is_filtered = is_filtered
        self.constant = set(KEYS)

    def write(self, what: str, number: int, confidence: int) -> None:
        key = f"k{number}"
        if what == "create":
            create(self.client, "alerts", confidence=confidence)
        elif what == "delete":
            self.client.delete(at("localtest", "alerts", key))
            self.constant.discard(key)
        else:
            body = {"confidence": confidence, "title": str(confidence)}
            self.client.patch(at("localtest", "alerts", key), json=body)
            if self.is_filtered and confidence >= 100:
                self.constant.discard(key)


@pytest.mark.parametrize("query", QUERIES)
@settings(max_examples=examples(40), deadline=None)
@given(between=st.lists(writes, max_size=6))
def test_nothing_twice_and_nothing_lost(
    shared_graph: FlaskClient, query: str, between: list[list[tuple[str, int, int]]]
) -> None:
    client = seeded(shared_graph)
    writer = Writer(client, FILTER in query)
    seen: list[str] = []
    link: str | None = f"{at('v1.0', 'alerts')}?{query}"
    while link is not None:
        response = client.get(link)
        seen += ids(response)
        link = response.get_json().get("@odata.nextLink")
        for write in between.pop(0) if between else []:
            writer.write(*write)
        assert len(seen) < 100
    assert len(seen) == len(set(seen))
    assert set(seen) >= writer.constant


def test_a_walk_over_a_socket() -> None:
    alerts = [{"id": key, "confidence": number} for number, key in enumerate(KEYS)]
    with MockGraph(seed={"Security": {"alerts": alerts}}) as server:
        session = requests.Session()
        session.headers["Authorization"] = "Bearer token"
        for root in OFFICIAL:
            link = f"{server.origin}/{root}/security/alerts"
            params: Json = {"$top": 3, "$orderby": "confidence desc", "$filter": "confidence ne 3"}
            seen = []
            while link:
                page = session.get(link, params=params).json()
                seen += [each["id"] for each in page["value"]]
                link, params = page.get("@odata.nextLink"), None
                assert not link or link.startswith(f"{server.origin}/{root}/security/alerts?")
            assert seen == ["k6", "k5", "k4", "k2", "k1", "k0"]


@pytest.mark.parametrize("options", ["$top=9", "$top=9&$orderby=confidence desc"])
def test_walks_while_threads_write(options: str) -> None:
    seed = [{"id": f"k{number}", "confidence": number} for number in range(120)]
    with MockGraph(seed={"Security": {"alerts": seed}}, auth="off") as server:
        url = f"{server.origin}/localtest/Security/alerts"
        stop = threading.Event()

        def write() -> None:
            session = requests.Session()
            for number in range(60):
                session.post(url, json={"id": f"new{number}", "confidence": 1000 - number})
                session.delete(f"{url}/k{2 * number}")
                session.patch(f"{url}/k{2 * number + 1}", json={"confidence": -number})
            stop.set()

        writer = threading.Thread(target=write)
        writer.start()
        walks = 0
        while not stop.is_set() or walks == 0:
            seen: list[str] = []
            link: str | None = f"{url}?{options}"
            while link:
                page = requests.get(link, timeout=20).json()
                seen += [each["id"] for each in page["value"]]
                link = page.get("@odata.nextLink")
            assert len(seen) == len(set(seen))
            assert {f"k{number}" for number in range(1, 120, 2)} <= set(seen)
            walks += 1
        writer.join()
