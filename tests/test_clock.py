"""The clock of a state: real time, frozen, moved."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from mockgraph import MockGraph
from mockgraph.clock import Clock, instant_text
from mockgraph.errors import BadRequest

MOMENT = datetime(2024, 2, 29, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
YEARS = (2023, 2024, 2025, 2026)


def test_real_time_until_it_is_told_otherwise() -> None:
    before = datetime.now(UTC)
    assert before <= Clock().now() <= datetime.now(UTC)


def test_real_time_as_text() -> None:
    clock = Clock()
    for _ in range(3):
        before = datetime.now(UTC)
        text = clock.text()
        assert instant_text(before) <= text <= instant_text(datetime.now(UTC))


def test_a_moment_may_be_a_text_and_a_step_a_timedelta() -> None:
    clock = Clock()
    clock.freeze("2024-02-29T13:00:00+01:00")
    assert clock.now() == MOMENT
    clock.advance(MINUTE)
    assert clock.now() == MOMENT + MINUTE
    for text in ("", "soon", "2024-02-30T00:00:00Z"):
        with pytest.raises(BadRequest, match="is no instant"):
            clock.freeze(text)
    assert clock.now() == MOMENT + MINUTE


def test_it_says_what_it_shows() -> None:
    clock = Clock()
    assert repr(clock).endswith("Z, real>")
    clock.advance(60)
    assert repr(clock).endswith("Z, off by 0:01:00>")
    clock.freeze(MOMENT)
    assert repr(clock) == "<Clock 2024-02-29T12:00:00.000000Z, frozen>"


def test_frozen_it_stands_still_and_moves_when_told() -> None:
    clock = Clock()
    clock.freeze(MOMENT)
    assert clock.now() == clock.now() == MOMENT
    clock.advance(1.5)
    assert clock.text() == "2024-02-29T12:00:01.500000Z"
    clock.advance(-1.5)
    assert clock.now() == MOMENT


def test_a_moment_of_another_offset_or_of_none() -> None:
    clock = Clock()
    clock.freeze(MOMENT.astimezone(timezone(timedelta(hours=3))))
    assert clock.text() == "2024-02-29T12:00:00.000000Z"
    clock.freeze(MOMENT.replace(tzinfo=None))
    assert clock.now() == MOMENT


def test_frozen_at_the_present_moment() -> None:
    clock = Clock()
    clock.freeze()
    first = clock.now()
    assert clock.now() == first
    assert abs(datetime.now(UTC) - first) < MINUTE


def test_moved_it_runs_on_and_goes_back_to_real_time() -> None:
    clock = Clock()
    clock.advance(86_400)
    assert clock.now() - datetime.now(UTC) > timedelta(hours=23)
    clock.reset()
    assert abs(clock.now() - datetime.now(UTC)) < MINUTE


@pytest.mark.parametrize("seconds", [1e300, float("nan"), 1e12, -1e12])
@pytest.mark.parametrize("frozen", [False, True])
def test_it_stays_within_the_years_there_are(seconds: float, frozen: bool) -> None:
    clock = Clock()
    if frozen:
        clock.freeze(MOMENT)
    before = clock.now()
    with pytest.raises(BadRequest, match="years go from 1 to 9999"):
        clock.advance(seconds)
    assert abs(clock.now() - before) < MINUTE


def test_what_the_server_writes_goes_by_it_until_a_reset() -> None:
    def send(method: str, path: str, body: Any) -> Any:
        answer = requests.request(
            method,
            f"{graph.url}/Security/alerts{path}",
            data=json.dumps(body),
            headers={"Authorization": "Bearer x", "Content-Type": "application/json"},
            timeout=10,
        )
        return answer.json()

    with MockGraph() as graph:
        graph.clock.freeze(MOMENT)
        created = send("POST", "", {"title": "x"})
        assert created["createdDateTime"] == "2024-02-29T12:00:00.000000Z"
        graph.clock.advance(60)
        changed = send("PATCH", f"/{created['id']}", {"title": "y"})
        assert changed["createdDateTime"] == created["createdDateTime"]
        assert changed["lastModifiedDateTime"] == "2024-02-29T12:01:00.000000Z"
        graph.reset()
        assert abs(graph.clock.now() - datetime.now(UTC)) < MINUTE


@pytest.mark.parametrize("path", ["/localtest/Security/alerts", "/v1.0/security/alerts"])
def test_queries_go_by_it(path: str) -> None:
    def found(**options: str) -> list[str]:
        query = {f"${name}": text for name, text in options.items()}
        answer = requests.get(f"{graph.origin}{path}", query, timeout=9).json()
        return [each["id"] for each in answer["value"]]

    alerts = [{"id": str(year), "createdDateTime": f"{year}-02-28T00:00:00Z"} for year in YEARS]
    with MockGraph(auth="off", seed={"Security": {"alerts": alerts}}) as graph:
        graph.clock.freeze(MOMENT)
        assert found(filter="createdDateTime lt now()") == ["2023", "2024"]
        assert found(filter=f"now() eq {graph.clock.text()} and year(now()) eq 2024")
        assert found(orderby="year(createdDateTime) eq year(now()) desc")[0] == "2024"
        graph.clock.advance(timedelta(days=365))
        assert found(filter="createdDateTime lt now()") == ["2023", "2024", "2025"]


def test_expanded_entities_are_queried_by_it() -> None:
    alerts = [{"id": str(year), "createdDateTime": f"{year}-02-28T00:00:00Z"} for year in YEARS]
    with MockGraph(auth="off", seed={"Security": {"alerts": alerts}}) as graph:
        graph.clock.freeze(MOMENT)
        query = {"$expand": "alerts($filter=createdDateTime gt now())"}
        answer = requests.get(f"{graph.url}/Security", query, timeout=9).json()
        assert [each["id"] for each in answer["alerts"]] == ["2025", "2026"]


def dates(answer: Any) -> list[str]:
    return [text for name, text in answer.raw.headers.items() if name.lower() == "date"]


def test_answers_are_dated_by_it() -> None:
    paths = ("/localtest/Security", "/v1.0/nothing", "/_mockgraph/state", "/t/a/v1.0/nothing")
    with MockGraph(auth="off") as graph:
        in_process = requests.Session()
        in_process.mount("https://", graph.requests_adapter())
        get = in_process.get

        def by(clock: Clock) -> list[str]:
            other = clock is graph.tenant("a").clock
            asked = [path for path in paths if path.startswith("/t/") == other]
            answers = [get(f"{graph.origin}{path}", timeout=9) for path in asked]
            answers += [get(f"https://graph.microsoft.com{path}") for path in asked]
            return [date for answer in answers for date in dates(answer)]

        graph.clock.freeze(MOMENT)
        assert by(graph.clock) == ["Thu, 29 Feb 2024 12:00:00 GMT"] * 6
        graph.tenant("a").clock.freeze(MOMENT + MINUTE)
        assert by(graph.tenant("a").clock) == ["Thu, 29 Feb 2024 12:01:00 GMT"] * 2
        graph.stubs.add("GET", "/me", json={}, headers={"Date": "Sat, 01 Jan 2000 00:00:00 GMT"})
        assert dates(get(f"{graph.origin}/v1.0/me")) == ["Sat, 01 Jan 2000 00:00:00 GMT"]
        graph.reset()
        before = datetime.now(UTC).replace(microsecond=0)
        real = [parsedate_to_datetime(date) for date in by(graph.clock)]
        assert len(real) == 6
        assert all(before <= date <= datetime.now(UTC) for date in real)


def test_errors_tell_its_time() -> None:
    with MockGraph(auth="off") as graph:
        graph.clock.freeze(MOMENT)
        graph.faults.forbidden(path="/alerts")
        for path in ("Security/alerts", "Security/nothing", "nowhere/x"):
            error = requests.get(f"{graph.url}/{path}", timeout=9).json()["error"]
            assert error["innerError"]["date"] == "2024-02-29T12:00:00"
        items: list[Any] = [
            {"id": "sent", "method": "GET", "url": "/security/nothing"},
            {"id": "not sent", "method": "GET", "url": "/security", "dependsOn": ["sent"]},
            {"id": "no base64", "method": "PATCH", "url": "/security", "body": "?"}
            | {"headers": {"Content-Type": "text/plain"}},
        ]
        answer = requests.post(f"{graph.origin}/v1.0/$batch", json={"requests": items}, timeout=9)
        errors = [each["body"]["error"] for each in answer.json()["responses"]]
        assert [error["innerError"]["date"] for error in errors] == ["2024-02-29T12:00:00"] * 3
