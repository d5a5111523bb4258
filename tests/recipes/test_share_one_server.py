"""Tests, or workers, that share a server and not its state: each has a tenant of its own."""

import requests

from mockgraph import MockGraph

AUTH = {"Authorization": "Bearer x"}


def test_tenants_do_not_see_one_another(mockgraph: MockGraph) -> None:
    north, south = mockgraph.tenant("north"), mockgraph.tenant("south")
    north.add("incidents", displayName="Of the north alone")
    south.faults.unavailable()

    asked = [
        requests.get(f"{each.v1}/security/incidents", headers=AUTH, timeout=10)
        for each in (north, south)
    ]

    assert [each.status_code for each in asked] == [200, 503]
    assert len(asked[0].json()["value"]) == 1


def test_a_tenant_goes_back_and_forth(mockgraph: MockGraph) -> None:
    mockgraph.snapshot("before")
    mockgraph.add("incidents")
    mockgraph.restore("before")
    assert mockgraph.state["Security"]["incidents"] == []
