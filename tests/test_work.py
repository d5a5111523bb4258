"""The work that a request may do, counted."""

from __future__ import annotations

from typing import Any

import pytest

from mockgraph import work
from mockgraph.work import Abandoned, TooMuchWork, Work


def test_steps_are_bounded() -> None:
    done = Work(max_steps=100_000)
    for _ in range(100):
        done.step(1000)
    with pytest.raises(TooMuchWork, match="100000 steps"):
        done.step()


def test_bytes_are_bounded() -> None:
    done = Work(max_bytes=1000)
    done.make(1000)
    with pytest.raises(TooMuchWork, match="1000 bytes"):
        done.make(1)


def test_once_refused_it_is_over() -> None:
    """After the refusal of an item of a batch the next item is refused, too."""
    done = Work(max_steps=10)
    for _ in range(3):
        with pytest.raises(TooMuchWork):
            done.step(11)


def test_it_is_given_up_where_it_is_in_vain() -> None:
    def check() -> None:
        raise Abandoned

    done = Work(check)
    with pytest.raises(Abandoned):
        list(done.on_each(iter(range(100_000)), 10))
    with pytest.raises(Abandoned):
        done.step()


@pytest.mark.parametrize("count", [0, 1, 300, 5000])
@pytest.mark.parametrize("is_sized", [True, False])
def test_items_are_counted_as_they_come(count: int, is_sized: bool) -> None:
    items: Any = range(count) if is_sized else iter(range(count))
    assert list(Work(max_steps=count * 3).on_each(items, 3)) == list(range(count))
    if count:
        items = range(count) if is_sized else iter(range(count))
        with pytest.raises(TooMuchWork):
            list(Work(max_steps=count * 3 - 1).on_each(items, 3))


def test_what_is_not_asked_for_is_not_counted() -> None:
    endless = (number for number in iter(int, 1))
    assert next(Work(max_steps=1000).on_each(endless, 1)) == 0


def test_a_request_within_another_shares_its_work() -> None:
    seen: list[dict[str, bool]] = []
    assert work.enter({"outer": True}, seen.append)
    try:
        done = work.current()
        assert not work.enter({"outer": False}, seen.append)
        assert work.current() is done
        done.step(20_000)
        assert seen == [{"outer": True}]
    finally:
        work.leave()
    assert work.current() is not done


def test_outside_of_requests_there_are_no_bounds() -> None:
    work.current().step(10**12)
    work.current().make(10**12)
