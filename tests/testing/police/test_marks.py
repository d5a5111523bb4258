"""Misdeeds on the exchanges of a journal, without anybody asking for them first."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from mockgraph import MockGraph
from mockgraph.testing.exchange import Exchange, Misdeed
from mockgraph.testing.journal import Requests
from mockgraph.testing.police import Police, with_misdeeds

from ..exchanges import PATCH, WAIT, failed, hammer, play


@pytest.fixture
def graph() -> Iterator[MockGraph]:
    with MockGraph(auth="off") as graph:
        yield graph


def test_in_a_repr(graph: MockGraph) -> None:
    hammer(graph)
    shown = repr(graph.requests)
    assert "1: GET /localtest/Security -> 429 by fault>" in shown
    assert "2: GET /localtest/Security -> 429 by fault retry-after-ignored>" in shown


def test_as_an_attribute(graph: MockGraph) -> None:
    hammer(graph)
    first, second = graph.requests
    assert first.misdeeds == ()
    assert [each.rule for each in second.misdeeds] == ["retry-after-ignored"]
    assert second.misdeeds[0].earlier.number == 1


def test_of_one_that_was_found(graph: MockGraph) -> None:
    hammer(graph)
    found = graph.assert_called("GET", "/security", times=2)
    assert found[1].misdeeds
    assert graph.requests.filter("GET")[-1].misdeeds
    with pytest.raises(AssertionError, match="retry-after-ignored"):
        graph.assert_not_called("GET", "/security")


def test_of_one_that_was_held_over_a_reset(graph: MockGraph) -> None:
    hammer(graph)
    held = graph.requests
    graph.reset()
    assert held[1].misdeeds
    assert graph.requests == []


def test_what_came_later_is_seen_by_who_looks_later(graph: MockGraph) -> None:
    hammer(graph)
    assert not graph.requests[0].misdeeds
    requests.get(f"{graph.url}/Security", timeout=9)
    assert [len(each.misdeeds) for each in graph.requests] == [0, 1, 1]


def test_nothing_is_judged_before_somebody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    watched: list[int] = []
    watch = Police.watch

    def noted(self: Police, exchange: Exchange) -> list[Misdeed]:
        watched.append(exchange.number)
        return watch(self, exchange)

    monkeypatch.setattr(Police, "watch", noted)
    kept = with_misdeeds(Requests(play(WAIT, {}, failed(403, **PATCH), PATCH)))
    assert watched == []
    assert [len(each.misdeeds) for each in kept] == [0, 1, 0, 1]
    assert watched == [1, 2, 3, 4]
    assert "retried-in-vain" in repr(kept[3])
    assert watched == [1, 2, 3, 4]


def test_what_was_never_read_from_a_journal_has_none() -> None:
    assert play(WAIT, {})[1].misdeeds == ()
