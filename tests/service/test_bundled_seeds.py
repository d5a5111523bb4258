"""The bundled tenant told as of a moment, and made as large as it is asked for."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from mockgraph import MockGraph
from mockgraph.errors import MockGraphError
from mockgraph.files import fixtures
from mockgraph.service.bundled_seeds import TOLD, read_bundled

AS_TOLD = "demo?at=2026-11-20T08:02:00Z"


def newest(document: dict[str, Any]) -> datetime:
    return max(
        datetime.fromisoformat(each["createdDateTime"])
        for each in document["Security"]["alerts_v2"]
    )


def test_as_of_its_own_moment_the_tenant_is_as_it_is_written() -> None:
    assert read_bundled(AS_TOLD) == orjson.loads((fixtures() / "demo.json").read_bytes())


def test_the_newest_alert_is_minutes_old() -> None:
    age = datetime.now(UTC) - newest(read_bundled("demo"))
    assert timedelta(minutes=4) < age < timedelta(minutes=15)


def test_the_story_is_the_same_at_another_moment() -> None:
    there, here = read_bundled(AS_TOLD), read_bundled("demo?at=2031-02-03T23:30:05Z")
    assert newest(here) - newest(there) == datetime(2031, 2, 3, 23, 30, 5, tzinfo=UTC) - TOLD
    instant = r'"\d{4}-\d\d-\d\dT[\d:]+Z"'
    one, other = (re.sub(instant, '""', orjson.dumps(each).decode()) for each in (there, here))
    assert one == other
    assert here == read_bundled("demo?at=2031-02-03T23:30:05Z")


@pytest.mark.parametrize("at", ["2031-02-03T00:00:00Z", "2031-02-03T07:00:00Z"])
def test_what_is_of_a_day_stays_at_midnight(at: str) -> None:
    scores = read_bundled(f"demo?at={at}")["Security"]["secureScores"]
    assert {each["createdDateTime"][10:] for each in scores} == {"T00:00:00Z"}
    assert scores[-1]["createdDateTime"] == "2031-02-03T00:00:00Z"


@pytest.mark.parametrize("number", [1, 34, 35, 500])
def test_it_has_as_many_alerts_as_are_asked_for(number: int) -> None:
    document = read_bundled(f"{AS_TOLD}&scale={number}")
    alerts, incidents = document["Security"]["alerts_v2"], document["Security"]["incidents"]
    assert len(alerts) == max(number, 34)
    assert len({each["id"] for each in alerts}) == len(alerts)
    assert len({each["id"] for each in incidents}) == len(incidents)
    by_id = {each["id"]: each for each in incidents}
    assert {each["incidentId"] for each in alerts} == set(by_id)
    for each in alerts:
        assert each["alertWebUrl"].endswith(each["id"])
        assert each["incidentWebUrl"] == by_id[each["incidentId"]]["incidentWebUrl"]
    assert newest(document) == newest(read_bundled(AS_TOLD))
    assert document == read_bundled(f"{AS_TOLD}&scale={number}")


@pytest.mark.parametrize(
    ("seed", "problem"),
    [
        ("demo?scale=many", "scale is a number from 1 to"),
        ("demo?scale=0", "scale is a number from 1 to"),
        ("demo?scale=99999999", "scale is a number from 1 to"),
        ("demo?at=yesterday", "'yesterday' is no instant"),
        ("demo?at=9999-12-31T00:00:00Z", "'at' is out of range"),
        ("demo?size=3", "takes 'at' and 'scale', not 'size'"),
        ("demo?", None),
        ("demo?large", "takes 'at' and 'scale', not 'large'"),
    ],
)
def test_a_wrong_option_is_told_in_a_line(seed: str, problem: str | None) -> None:
    if problem is None:
        assert len(read_bundled(seed)["Security"]["alerts_v2"]) == 34
        return
    with pytest.raises(MockGraphError, match=re.escape(problem)):
        read_bundled(seed)


def test_a_large_tenant_is_paged_and_hunted() -> None:
    with MockGraph(seed=f"{AS_TOLD}&scale=120") as graph:
        graph.clock.freeze("2026-11-20T08:02:00Z")
        latest = graph.hunting.run("AlertInfo | summarize max(Timestamp), n = dcount(AlertId)")
        assert latest[0]["max_Timestamp"].startswith("2026-11-20T07:5")
        assert 10 < latest[0]["n"] <= 120
        assert len(graph.state["Security"]["alerts_v2"]) == 120
