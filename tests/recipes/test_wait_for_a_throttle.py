"""A client that waits as long as Retry-After asks; the clock makes waiting free."""

import time

import pytest
import requests

from mockgraph import MockGraph


def read(url: str) -> list[dict[str, object]]:
    """The code under test: it tries again until the service has time for it."""
    while True:
        answer = requests.get(url, headers={"Authorization": "Bearer x"}, timeout=10)
        if answer.status_code != 429:
            return list(answer.json()["value"])
        time.sleep(int(answer.headers["Retry-After"]))


def test_it_waits(mockgraph: MockGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", mockgraph.clock.advance)
    throttle = mockgraph.faults.throttle(times=2, retry_after=30, path="/security/incidents")

    assert read(f"{mockgraph.v1}/security/incidents") == []

    assert throttle.struck == 2
    mockgraph.assert_well_behaved()  # it came back no sooner than it was asked to
