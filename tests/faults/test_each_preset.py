"""Each preset against the live server, as a real client meets it over a socket."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from mockgraph import MockGraph
from mockgraph.testing.faults import PRESETS

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
    """What came of a change."""
    url = f"{graph.url}/Security/alerts/a"
    return session.patch(url, json={"title": "after"}, headers=headers, timeout=20)


def title(graph: MockGraph) -> str:
    found: str = graph.state["Security"]["alerts"][0]["title"]
    return found


def error(answer: requests.Response) -> Any:
    return answer.json()["error"]


def is_date(answer: requests.Response) -> bool:
    later = parsedate_to_datetime(answer.headers["Retry-After"])
    return later.isoformat() == "2024-05-01T12:00:31+00:00"  # the first second not too early


def demands(answer: requests.Response) -> bool:
    _, _, rest = answer.headers["WWW-Authenticate"].partition('claims="')
    claims = json.loads(b64decode(rest.partition('"')[0]))
    return "nbf" in claims["access_token"]


Check = Callable[[requests.Response], bool]

# The preset, its options, the status, what else is to hold of the answer, whether it was done.
ANSWERED: list[tuple[str, dict[str, Any], int, Check, bool]] = [
    ("throttle", {"retry_after": 7}, 429, lambda a: a.headers["Retry-After"] == "7", False),
    (
        "throttle",
        {"retry_after": 7},
        429,
        lambda a: error(a)["innerError"]["message"] == "Please retry after 7",
        False,
    ),
    ("throttle", {"retry_after": 30, "as_date": True}, 429, is_date, False),
    ("unavailable", {}, 503, lambda a: "Retry-After" not in a.headers, False),
    ("unavailable", {"retry_after": 5}, 503, lambda a: a.headers["Retry-After"] == "5", False),
    ("gateway_timeout", {}, 504, lambda a: error(a)["code"] == "GatewayTimeout", False),
    ("gateway_timeout", {"carried_out": True}, 504, lambda a: "code" in error(a), True),
    ("server_error", {}, 500, lambda a: error(a)["code"] == "InternalServerError", False),
    ("flaky", {"probability": 1}, 503, lambda a: "code" in error(a), False),
    ("unauthorized", {}, 401, lambda a: "Bearer" in a.headers["WWW-Authenticate"], False),
    ("challenge", {}, 401, demands, False),
    ("forbidden", {}, 403, lambda a: error(a)["code"] == "Authorization_RequestDenied", False),
    ("stale_etag", {}, 412, lambda a: error(a)["code"] == "PreconditionFailed", False),
    (
        "provider_warning",
        {"method": "PATCH"},
        206,
        lambda a: "199 - " in a.headers["Warning"],
        True,
    ),
    ("latency", {"ms": 1}, 200, lambda a: a.json()["title"] == "after", True),
    ("slow_body", {"pieces": 3, "pause_ms": 1}, 200, lambda a: a.json()["title"] == "after", True),
    ("malformed", {"kind": "html"}, 200, lambda a: a.text.startswith("<!DOCTYPE"), True),
    ("malformed", {"kind": "empty"}, 200, lambda a: a.content == b"", True),
    (
        "malformed",
        {"kind": "truncated"},
        200,
        lambda a: a.text.count("{") > a.text.count("}"),
        True,
    ),
    ("malformed", {"kind": "mislabelled"}, 200, lambda a: "json" not in str(a.headers), True),
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


def test_an_etag_that_is_outdated(graph: MockGraph, session: requests.Session) -> None:
    graph.faults.outdated_etag()
    known = session.get(f"{graph.url}/Security/alerts/a", timeout=20).headers["ETag"]
    assert patched(graph, session, **{"If-Match": known}).status_code == 412
    assert title(graph) == "before"


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


def test_none_is_left_out() -> None:
    elsewhere = {"quota", "outdated_etag"}
    assert {preset for preset, *_ in ANSWERED} | elsewhere == PRESETS.keys()
