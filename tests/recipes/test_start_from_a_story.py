"""A test that starts from a believable tenant, or from one that fits on a line."""

import pytest
import requests

from mockgraph import MockGraph

AUTH = {"Authorization": "Bearer x"}


def severities(root: str) -> list[str]:
    """The code under test: how bad the incidents are, the worst first."""
    params = {"$select": "severity"}
    answer = requests.get(f"{root}/security/incidents", params, headers=AUTH, timeout=10)
    worst_first = ["high", "medium", "low", "informational"]
    return sorted((each["severity"] for each in answer.json()["value"]), key=worst_first.index)


@pytest.mark.mockgraph(seed="demo")
def test_the_demo_tenant_has_bad_days(mockgraph: MockGraph) -> None:
    assert severities(mockgraph.v1)[0] == "high"


@pytest.mark.mockgraph(seed={"Security": {"incidents": [{"id": "1", "severity": "low"}]}})
def test_a_state_of_its_own(mockgraph: MockGraph) -> None:
    assert severities(mockgraph.v1) == ["low"]


def test_what_nobody_can_create_is_added(mockgraph: MockGraph) -> None:
    for severity in ("low", "high"):
        mockgraph.add("incidents", severity=severity)
    assert severities(mockgraph.v1) == ["high", "low"]
