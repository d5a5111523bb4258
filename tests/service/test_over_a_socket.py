"""The service over a socket, asked as plain clients ask."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from processes import serving

from mockgraph import MockGraph

from . import ALERTS, at, on_every_root, without_control

Json = Any


@pytest.fixture(scope="module")
def server() -> Iterator[MockGraph]:
    with MockGraph(seed={"Security": {"alerts": ALERTS}}) as graph:
        yield graph


@pytest.fixture
def session(server: MockGraph) -> Iterator[requests.Session]:
    server.reset()
    with requests.Session() as session:
        session.headers["Authorization"] = "Bearer token"
        yield session


@on_every_root
def test_the_life_of_an_alert(server: MockGraph, session: requests.Session, root: str) -> None:
    made = session.post(server.origin + at(root, "alerts"), json={"id": "a b", "title": "ö"})
    assert made.status_code == 201
    url = made.headers["Location"]
    assert url == f"{server.origin}{at(root, 'alerts', 'a b')}"
    read = session.get(url)
    assert read.json() == made.json()
    unchanged = session.get(url, headers={"If-None-Match": read.headers["ETag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    head = session.head(url)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(read.content))
    body: Json = {"status": "resolved", "vendorInformation": {"provider": "p", "vendor": "v"}}
    stale = session.patch(url, json=body, headers={"If-Match": 'W/"0"'})
    assert stale.status_code == 412
    fresh = {"If-Match": read.headers["ETag"], "Prefer": "return=minimal"}
    updated = session.patch(url, json=body, headers=fresh)
    assert (updated.status_code, updated.content) == (204, b"")
    assert "Content-Type" not in updated.headers
    assert session.get(f"{url}/status/$value").text == "resolved"
    assert session.delete(url).status_code == 204
    assert session.get(url).status_code == 404


QUERIES = [
    ("%24filter=confidence%20gt%2050", ["malware"]),
    ("$filter=confidence+gt+50", ["malware"]),
    ("$FILTER=tags/any(t:t%20eq%20'red')", ["malware"]),
    ("$filter=category eq 'a%2Bb'", ["quiet"]),
    ("%24orderby=title%20desc&%24top=2&%24select=id", ["phish", "malware"]),
    ("$search=%22on%20two%22", ["malware"]),
]


@pytest.mark.parametrize(("options", "found"), QUERIES)
@on_every_root
def test_options_as_they_stand_in_a_url(
    server: MockGraph, session: requests.Session, root: str, options: str, found: list[str]
) -> None:
    answer = session.get(f"{server.origin}{at(root, 'alerts')}?{options}")
    assert [each["id"] for each in answer.json()["value"]] == found


def test_counts_and_raw_values(server: MockGraph, session: requests.Session) -> None:
    headers = {"Accept": "text/plain;q=0.9"}
    counted = session.get(server.origin + at("v1.0", "alerts", "$count"), headers=headers)
    assert (counted.text, counted.headers["Content-Type"]) == ("4", "text/plain;charset=utf-8")
    nothing = session.get(server.origin + at("v1.0", "alerts('blank')", "title"))
    assert (nothing.status_code, nothing.content) == (204, b"")


def test_an_action_in_pieces(server: MockGraph, session: requests.Session) -> None:
    pieces = iter([b'{"value": [{"id": "blank", ', b'"assignedTo": "now"}]}'])
    url = server.origin + at("beta", "alerts", "updateAlerts")
    answer = session.post(url, data=pieces, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200
    assert without_control(answer.json()["value"][0])["assignedTo"] == "now"


def test_refusals(server: MockGraph, session: requests.Session) -> None:
    url = server.origin + at("v1.0", "alerts")
    for answer, status in (
        (session.get(f"{url}?$filter=title eq"), 400),
        (session.put(url, json={}), 405),
        (session.post(url, data=b"{", headers={"Content-Type": "application/json"}), 400),
        (session.get(f"{url}/gone"), 404),
        (session.post(url, json={"id": "quiet"}), 409),
        (requests.get(url, timeout=20), 401),
    ):
        assert answer.status_code == status
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json()["error"]["innerError"]["request-id"] == answer.headers["request-id"]


MANY = 64


def test_many_connections_at_one_object(server: MockGraph) -> None:
    server.reset()
    url = server.origin + at("localtest")

    def hammer(number: int) -> list[int]:
        mine: Json = {"providerStatus": [{"provider": str(number), "enabled": True}]}
        with requests.Session() as session:
            session.headers["Authorization"] = "Bearer token"
            answers = [session.patch(url, json=mine, timeout=30) for _ in range(3)]
            answers.append(session.get(url, timeout=30))
        for answer in answers[:3]:
            (status,) = answer.json()["providerStatus"]
            assert status["provider"] == str(number)
        return [answer.status_code for answer in answers]

    with ThreadPoolExecutor(MANY) as pool:
        assert list(pool.map(hammer, range(MANY))) == [[200] * 4] * MANY
    (status,) = server.state["Security"]["providerStatus"]
    assert status["provider"] in map(str, range(MANY))


def test_a_killed_server_leaves_nothing_behind() -> None:
    with serving() as killed:
        killed.process.kill()
        killed.end()
    with pytest.raises(requests.ConnectionError):
        requests.get(killed.origin, timeout=20)
    port = killed.origin.rpartition(":")[2]
    with serving(MOCKGRAPH_PORT=port) as again:
        assert again.origin == killed.origin
        assert requests.get(f"{again.origin}/_mockgraph/health", timeout=20).status_code == 200
