"""Work that takes hours in the service, and no time in a test: polled until it has ended."""

import time

import pytest
import requests

from mockgraph import MockGraph

AUTH = {"Authorization": "Bearer x"}


def hold(custodians: str, ids: list[str]) -> str:
    """The code under test: it puts custodians on hold, and waits until they are."""
    answer = requests.post(f"{custodians}/applyHold", json={"ids": ids}, headers=AUTH, timeout=10)
    answer.raise_for_status()
    while True:
        operation = requests.get(answer.headers["Location"], headers=AUTH, timeout=10).json()
        if operation["status"] in ("succeeded", "failed"):
            return str(operation["status"])
        time.sleep(60)


@pytest.fixture
def custodians(mockgraph: MockGraph, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(time, "sleep", mockgraph.clock.advance)
    case = mockgraph.add("cases/ediscoveryCases", displayName="Leak")
    mockgraph.add(f"cases/ediscoveryCases/{case['id']}/custodians", id="kai")
    return f"{mockgraph.v1}/security/cases/ediscoveryCases/{case['id']}/custodians"


def test_it_is_held(custodians: str) -> None:
    assert hold(custodians, ["kai"]) == "succeeded"


def test_it_is_told_of_a_failure(mockgraph: MockGraph, custodians: str) -> None:
    mockgraph.faults.failed_operation()
    assert hold(custodians, ["kai"]) == "failed"
