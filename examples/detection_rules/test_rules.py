"""Each rule is tested by rows that it has to find, and by rows that it has to leave alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import requests
from hunter import hunt

from mockgraph import MockGraph

NOW = "2026-11-20T12:00:00Z"


@pytest.fixture
def graph(mockgraph: MockGraph) -> MockGraph:
    mockgraph.reset({"Security": {}})
    mockgraph.clock.freeze(NOW)
    return mockgraph


def raised(graph: MockGraph) -> list[tuple[str, str]]:
    hunt(f"{graph.origin}/v1.0/security", "token")
    return [(alert["title"], alert["severity"]) for alert in graph.state["Security"]["alerts"]]


def started(graph: MockGraph, device: str, command: str, at: str = "2026-11-20T11:00:00Z") -> None:
    event = {"Timestamp": at, "DeviceName": device, "FileName": "PowerShell.exe"}
    graph.hunting.add("DeviceProcessEvents", {**event, "ProcessCommandLine": command})


def failed(graph: MockGraph, address: str, accounts: int, minutes: int = 1) -> None:
    first = datetime(2026, 11, 20, 9, tzinfo=UTC)
    rows = [
        {
            "Timestamp": first + timedelta(minutes=number * minutes),
            "ActionType": "LogonFailed",
            "AccountUpn": f"user{number}@tidewell.example",
            "IPAddress": address,
        }
        for number in range(accounts)
    ]
    graph.hunting.add("IdentityLogonEvents", *rows)


def test_an_encoded_command_is_found(graph: MockGraph) -> None:
    started(graph, "fin-01", "powershell -enc SQBFAFgA")
    started(graph, "fin-02", "powershell -File report.ps1")
    assert raised(graph) == [("Encoded PowerShell: fin-01", "high")]


def test_what_is_older_than_a_hunt_looks_back_is_not(graph: MockGraph) -> None:
    started(graph, "fin-01", "powershell -enc SQBFAFgA", at="2026-09-20T11:00:00Z")
    assert raised(graph) == []


def test_a_spray_is_found_and_a_forgotten_password_is_not(graph: MockGraph) -> None:
    failed(graph, "203.0.113.7", accounts=8)
    failed(graph, "203.0.113.8", accounts=2)
    assert raised(graph) == [("Password spray: 203.0.113.7", "medium")]


def test_a_slow_spray_stays_below_the_rule(graph: MockGraph) -> None:
    failed(graph, "203.0.113.7", accounts=6, minutes=30)
    assert raised(graph) == []


def test_a_quota_that_is_used_up_ends_the_hunt(graph: MockGraph) -> None:
    graph.faults.hunting_quota()
    with pytest.raises(requests.HTTPError, match="429"):
        raised(graph)
