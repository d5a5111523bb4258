"""A program runs with the fewest permissions that it needs, and says so where it has too few."""

import pytest
import requests

from mockgraph import MockGraph


def open_incidents(root: str, token: str) -> int:
    """The code under test."""
    headers = {"Authorization": f"Bearer {token}"}
    params = {"$filter": "status eq 'active'", "$select": "id"}
    answer = requests.get(f"{root}/security/incidents", params, headers=headers, timeout=10)
    if answer.status_code == 403:
        raise PermissionError(answer.json()["error"]["message"])
    return len(answer.json()["value"])


@pytest.mark.mockgraph(auth="jwt", seed="demo")
def test_it_reads_with_one_permission(mockgraph: MockGraph) -> None:
    token = mockgraph.token(permissions=["SecurityIncident.Read.All"])
    assert open_incidents(mockgraph.v1, token) > 0
    assert [each.unneeded for each in mockgraph.report().permissions] == [(), ()]


@pytest.mark.mockgraph(auth="jwt")
def test_it_says_what_it_lacks(mockgraph: MockGraph) -> None:
    token = mockgraph.token(permissions=["SecurityAlert.Read.All"])
    with pytest.raises(PermissionError, match=r"SecurityIncident\.Read\.All"):
        open_incidents(mockgraph.v1, token)
