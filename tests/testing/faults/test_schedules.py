"""Quotas: so many requests in a window of the clock, for each app or altogether."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from mockgraph.clock import Clock
from mockgraph.testing.faults import Faults

from ..line import answer, make_request, refusal

START = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.freeze(START)
    return clock


@pytest.fixture
def faults(clock: Clock) -> Faults:
    return Faults(clock)


def ask(faults: Faults, token: str = "one", **options: Any) -> tuple[int, str | None]:
    request = make_request(headers={"Authorization": f"Bearer {token}"}, **options)
    response = answer(request, faults)
    return response.status, response.get("Retry-After")


def test_what_is_over_the_limit_is_throttled_until_the_window_has_passed(
    clock: Clock, faults: Faults
) -> None:
    rule = faults.quota(2, 10)
    assert [ask(faults)[0] for _ in range(2)] == [200, 200]
    assert ask(faults) == (429, "10")
    clock.advance(3.5)
    assert ask(faults) == (429, "7")  # 6.5 seconds are left, and it takes no parts of them
    clock.advance(6.4)
    assert ask(faults) == (429, "1")
    clock.advance(0.1)
    assert ask(faults) == (200, None)
    assert rule.struck == 3


def test_a_client_that_waits_as_it_is_told_is_served(clock: Clock, faults: Faults) -> None:
    faults.quota(1, 2.5)
    for _ in range(5):
        assert ask(faults)[0] == 200
        status, wait = ask(faults)
        assert (status, wait) == (429, "3")
        clock.advance(float(wait or 0))


def test_the_window_begins_with_the_first_request(clock: Clock, faults: Faults) -> None:
    faults.quota(2, 10)
    clock.advance(100)
    ask(faults)
    clock.advance(9)
    ask(faults)
    assert ask(faults) == (429, "1")


def test_each_app_has_a_quota_of_its_own(faults: Faults) -> None:
    faults.quota(1, 10)
    assert [ask(faults, token)[0] for token in ("one", "two", "one", "two")] == [200, 200, 429, 429]


def test_a_tenant_has_one_for_all(faults: Faults) -> None:
    faults.quota(1, 10, per="tenant")
    assert [ask(faults, token)[0] for token in ("one", "two")] == [200, 429]


def test_only_what_matches_counts(faults: Faults) -> None:
    faults.quota(1, 10, method="PATCH")
    asked = [ask(faults, method=method)[0] for method in ("GET", "PATCH", "GET", "PATCH")]
    assert asked == [200, 200, 200, 429]


def test_the_time_as_a_date_of_the_clock(faults: Faults) -> None:
    faults.quota(1, 90, as_date=True)
    ask(faults)
    assert ask(faults) == (429, "Wed, 01 May 2024 12:01:30 GMT")


def test_a_clock_that_is_put_back_begins_a_window(clock: Clock, faults: Faults) -> None:
    faults.quota(1, 10)
    ask(faults)
    clock.freeze(datetime(2020, 1, 1, tzinfo=UTC))
    assert ask(faults) == (200, None)
    assert ask(faults) == (429, "10")


@pytest.mark.parametrize(
    ("moment", "wait"),
    [
        (datetime(1, 1, 1, tzinfo=UTC), "Mon, 01 Jan 0001 00:01:00 GMT"),
        (datetime(9999, 12, 31, 23, 59, 30, tzinfo=UTC), "Fri, 31 Dec 9999 23:59:59 GMT"),
    ],
)
def test_at_the_ends_of_time(clock: Clock, faults: Faults, moment: datetime, wait: str) -> None:
    clock.freeze(moment)
    faults.quota(1, 60, as_date=True)
    assert [ask(faults) for _ in range(2)] == [(200, None), (429, wait)]


def test_more_callers_than_anyone_throttles_are_forgotten(
    faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mockgraph.testing.faults.schedules._MAX_CALLERS", 2)
    faults.quota(1, 10)
    asked = [ask(faults, token)[0] for token in ("one", "two", "one", "three", "two", "one")]
    assert asked == [200, 200, 429, 200, 429, 200]


def test_of_many_at_once_as_many_as_the_limit_are_served(faults: Faults) -> None:
    faults.quota(10, 60)
    barrier = threading.Barrier(32)

    def at_once(_: int) -> int:
        barrier.wait(20)
        return ask(faults)[0]

    with ThreadPoolExecutor(32) as threads:
        found = list(threads.map(at_once, range(32)))
    assert (found.count(200), found.count(429)) == (10, 22)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"limit": 0, "window": 1}, "limit"),
        ({"limit": 1, "window": 0}, "window"),
        ({"limit": 1, "window": float("inf")}, "window"),
        ({"limit": 1, "window": 1, "per": "user"}, "per"),
    ],
)
def test_a_quota_that_cannot_be(faults: Faults, arguments: Any, name: str) -> None:
    error = refusal(lambda: faults.quota(**arguments))
    assert error.status == 400
    assert error.message.startswith(f"{name}: ")


def test_a_quota_has_no_schedule_but_its_own(faults: Faults) -> None:
    options: Any = {"times": 2}
    with pytest.raises(TypeError, match="times"):
        faults.quota(1, 1, **options)
