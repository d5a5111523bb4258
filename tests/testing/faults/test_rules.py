"""Rules: which of several strikes, when, and how often."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockgraph.clock import Clock
from mockgraph.testing.faults import Faults, Rule
from mockgraph.testing.matching import CallbackFailed

from ..line import answer, make_request, refusal, work


@pytest.fixture
def faults() -> Faults:
    return Faults(Clock())


def statuses(faults: Faults, count: int, **request: Any) -> list[int]:
    return [answer(make_request(**request), faults).status for _ in range(count)]


def struck_at(count: int, **when: Any) -> list[int]:
    """Which of so many requests were struck, counted from one."""
    faults = Faults(Clock())
    faults.server_error(**when)
    return [n for n, status in enumerate(statuses(faults, count), start=1) if status == 500]


def test_without_rules_nothing_happens(faults: Faults) -> None:
    request = make_request()
    strike = faults.strike(request)
    response = work(request)
    assert strike.answer is None
    assert strike.apply(response) is response
    assert request.answered_by == "emulation"


def test_what_no_rule_is_for_is_spared(faults: Faults) -> None:
    faults.server_error(path="alerts", method="POST")
    assert statuses(faults, 2) == [200, 200]
    assert faults["1"].struck == 0


@pytest.mark.parametrize(
    ("when", "struck"),
    [
        ({}, [1]),
        ({"times": 3}, [1, 2, 3]),
        ({"times": None}, list(range(1, 13))),
        ({"times": "always"}, list(range(1, 13))),
        ({"after": 2}, [3]),
        ({"after": 2, "times": 2}, [3, 4]),
        ({"every": 3}, [3, 6, 9, 12]),
        ({"every": 3, "times": 2}, [3, 6]),
        ({"every": 3, "after": 2}, [5, 8, 11]),
        ({"probability": 1}, list(range(1, 13))),
        ({"probability": 0}, []),
        ({"probability": 0.5, "times": 2, "seed": 7}, None),
    ],
)
def test_when_a_rule_strikes(when: Any, struck: list[int] | None) -> None:
    found = struck_at(12, **when)
    assert found == struck if struck is not None else len(found) == 2
    assert struck_at(12, **when) == found


def test_chance_is_the_same_in_each_run_and_another_with_another_seed() -> None:
    runs = [struck_at(200, probability=0.3, seed=seed) for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]
    assert 30 < len(runs[0]) < 90


@given(
    times=st.none() | st.integers(1, 5),
    after=st.integers(0, 5),
    every=st.integers(1, 4),
)
def test_counting(times: int | None, after: int, every: int) -> None:
    expected = [n for n in range(1, 21) if n > after and (n - after) % every == 0][:times]
    assert struck_at(20, times=times, after=after, every=every) == expected


@pytest.mark.parametrize(
    ("when", "name"),
    [
        ({"times": 0}, "times"),
        ({"after": -1}, "after"),
        ({"every": 0}, "every"),
        ({"probability": 1.1}, "probability"),
        ({"probability": -0.1}, "probability"),
        ({"probability": float("nan")}, "probability"),
        ({"method": "no method"}, "method"),
    ],
)
def test_a_rule_that_cannot_be(faults: Faults, when: Any, name: str) -> None:
    error = refusal(lambda: faults.server_error(**when))
    assert error.status == 400
    assert error.message.startswith(f"{name}: ")
    assert not list(faults)


@pytest.mark.parametrize("option", ["time", "headers", "statuses"])
def test_an_option_that_there_is_not(faults: Faults, option: str) -> None:
    options: Any = {option: 1}
    with pytest.raises(TypeError, match=option):
        faults.server_error(**options)
    assert not list(faults)


def test_one_that_answers_ends_the_round(faults: Faults) -> None:
    first = faults.throttle(times=2)
    second = faults.unavailable(times=2)
    assert statuses(faults, 5) == [429, 429, 503, 503, 200]
    assert (first.struck, second.struck) == (2, 2)


def test_a_rule_counts_the_requests_that_reach_it(faults: Faults) -> None:
    faults.throttle(times=1)
    faults.unavailable(after=1)
    assert statuses(faults, 4) == [429, 200, 503, 200]


def test_those_that_do_not_answer_leave_the_others_their_turn(faults: Faults) -> None:
    slept: list[float] = []
    faults.latency(20)
    faults.add(headers={"X-One": "1"}, times=None)
    faults.add(headers={"X-Two": "2"}, times=None)
    faults.throttle()
    request = make_request(mockgraph_sleep=slept.append)
    response = answer(request, faults)
    assert (response.status, response.get("X-One"), response.get("X-Two")) == (429, "1", "2")
    assert answer(make_request(mockgraph_sleep=slept.append), faults).status == 200
    assert slept == [0.02, 0.02]


def test_what_answered_is_told(faults: Faults) -> None:
    faults.throttle()
    faults.add(headers={"X": "1"})
    struck, marred = make_request(), make_request()
    answer(struck, faults)
    answer(marred, faults)
    assert (struck.answered_by, marred.answered_by) == ("fault", "emulation")


def test_a_rule_that_is_spent_is_in_force_no_more(faults: Faults) -> None:
    rule = faults.throttle(times=2)
    assert list(faults) == [rule]
    statuses(faults, 3)
    assert (len(faults), rule.struck) == (0, 2)
    assert refusal(lambda: faults[rule.id]).status == 404


def test_one_that_is_spent_strikes_nobody_who_had_found_it_before(faults: Faults) -> None:
    rule = faults.throttle()
    assert [rule.strikes(make_request()) for _ in range(2)] == [True, False]
    assert rule.struck == 1


def test_exactly_as_many_are_struck_however_many_come_at_once(faults: Faults) -> None:
    rules = [faults.throttle(times=2), faults.unavailable(times=3, after=5)]
    barrier = threading.Barrier(64)

    def ask(_: int) -> int:
        barrier.wait(20)
        return answer(make_request(), faults).status

    with ThreadPoolExecutor(64) as threads:
        found = list(threads.map(ask, range(64)))
    assert (found.count(429), found.count(503), found.count(200)) == (2, 3, 59)
    assert [rule.struck for rule in rules] == [2, 3]
    assert not list(faults)


def test_nobody_waits_for_one_that_is_delayed(faults: Faults) -> None:
    faults.latency(1000, path="slow")
    faults.throttle(path="quick")
    asleep, awake = threading.Event(), threading.Event()

    def sleep(_: float) -> None:
        asleep.set()
        assert awake.wait(20)

    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(answer, make_request(path="/slow", mockgraph_sleep=sleep), faults)
        assert asleep.wait(20)
        assert answer(make_request(path="/quick"), faults).status == 429
        faults.forbidden()
        assert len(faults) == 2
        awake.set()
        assert slow.result(20).status == 200


def test_a_predicate_that_raises_is_a_500_and_strikes_nothing(faults: Faults) -> None:
    def predicate(_: Any) -> bool:
        raise ValueError("no")

    rule = faults.throttle(predicate=predicate)
    with pytest.raises(CallbackFailed, match="ValueError: no"):
        faults.strike(make_request())
    assert rule.struck == 0


def test_the_body_is_read_for_a_predicate_alone(faults: Faults) -> None:
    class Unread:
        def read(self, *_: Any) -> bytes:
            raise AssertionError("The body was read.")

    faults.throttle(method="PATCH", times=None, query={"$top": False}, caller="")
    request = make_request("PATCH", wsgi_input=Unread(), CONTENT_LENGTH="9")
    assert answer(request, faults).status == 429


REPRS: list[tuple[Callable[[Faults], Rule], str]] = [
    (
        lambda faults: faults.throttle(times=2, path="/alerts", method="PATCH"),
        "<Fault 1: 429 TooManyRequests, Retry-After 1 for PATCH /alerts; struck 0 of 2>",
    ),
    (
        lambda faults: faults.latency(50),
        "<Fault 1: 50 ms late for any request; struck 0>",
    ),
    (
        lambda faults: faults.add(status=200, body="x", delay_ms=5, cut="after"),
        "<Fault 1: 5 ms late, the connection cut after the answer, 200 for any request; "
        "struck 0 of 1>",
    ),
    (
        lambda faults: faults.add(headers={"X": ["1", "2"]}, body={}, retry_after=0.5),
        "<Fault 1: the header X and another body and Retry-After 0.5 on the answer for any "
        "request; struck 0 of 1>",
    ),
    (
        lambda faults: faults.add(status=206, carried_out=True),
        "<Fault 1: the status 206 on the answer for any request; struck 0 of 1>",
    ),
    (
        lambda faults: faults.gateway_timeout(carried_out=True, times=None),
        "<Fault 1: 504 GatewayTimeout, though carried out for any request; struck 0>",
    ),
    (
        lambda faults: faults.quota(5, 10, as_date=True),
        "<Fault 1: 429 TooManyRequests, Retry-After when it is time as a date for any request; "
        "struck 0>",
    ),
    (
        lambda faults: faults.slow_body(4, 250),
        "<Fault 1: a body in 4 pieces, 250 ms between them for any request; struck 0 of 1>",
    ),
    (
        lambda faults: faults.malformed("html", in_batch=True),
        "<Fault 1: an HTML page for any request in batches; struck 0 of 1>",
    ),
    (
        lambda faults: faults.outdated_etag(),
        "<Fault 1: outdated etags in the answer for any request; struck 0 of 1>",
    ),
    (
        lambda faults: faults.provider_warning("V", "P", 403, 10, path="x"),
        '<Fault 1: 206, Warning: 199 - "V/P/403/10" for GET x; struck 0 of 1>',
    ),
]


@pytest.mark.parametrize(("make", "text"), REPRS)
def test_a_rule_tells_what_it_is(faults: Faults, make: Callable[[Faults], Rule], text: str) -> None:
    assert repr(faults) == "<Faults: none>"
    assert repr(make(faults)) == text
    assert repr(faults) == f"<Faults: {text}>"


def test_an_option_that_a_fault_does_not_have(faults: Faults) -> None:
    misspelt: list[Any] = [{"statuss": 500}, {"status": 500, "often": 2}]
    misspelt_retry: dict[str, Any] = {"retry_aftr": 1}
    for options in misspelt:
        with pytest.raises(
            TypeError, match=r"A fault has no option (statuss|often); it has after, as_date, "
        ):
            faults.add(**options)
    meant = r"retry_after, seed, times\. Did you mean retry_after"
    with pytest.raises(TypeError, match=f"A fault has no option retry_aftr; .*{meant}"):
        faults.throttle(**misspelt_retry)
