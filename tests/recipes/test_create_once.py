"""A connection that breaks after the work was done: nothing is made twice."""

import requests

from mockgraph import MockGraph

AUTH = {"Authorization": "Bearer x"}


def open_case(root: str, name: str) -> str:
    """The code under test: after a broken connection it looks before it makes another one."""
    cases = f"{root}/security/cases/ediscoveryCases"
    while True:
        params = {"$filter": f"displayName eq '{name}'"}
        found = requests.get(cases, params, headers=AUTH, timeout=10).json()["value"]
        if found:
            return str(found[0]["id"])
        try:
            body = {"displayName": name}
            requests.post(cases, json=body, headers=AUTH, timeout=10).raise_for_status()
        except requests.ConnectionError:
            continue


def test_there_is_one_case(mockgraph: MockGraph) -> None:
    mockgraph.faults.cut(at="unanswered", method="POST")  # it was made, and nobody was told

    case = open_case(mockgraph.v1, "Leak")

    cases = mockgraph.state["Security"]["cases"]["ediscoveryCases"]
    assert [each["id"] for each in cases] == [case]
    mockgraph.assert_called("POST", "/security/cases/ediscoveryCases", times=1)
    mockgraph.assert_well_behaved()
