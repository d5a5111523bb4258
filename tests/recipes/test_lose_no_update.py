"""Two analysts change an alert at the same time: the second one learns of the first."""

import requests

from mockgraph import MockGraph

AUTH = {"Authorization": "Bearer x"}


def assign(url: str, to: str) -> str:
    """The code under test: it takes an alert that is nobody's, and overwrites nobody."""
    while True:
        alert = requests.get(url, headers=AUTH, timeout=10).json()
        if alert["assignedTo"]:
            return str(alert["assignedTo"])
        headers = AUTH | {"If-Match": alert["@odata.etag"]}
        answer = requests.patch(url, json={"assignedTo": to}, headers=headers, timeout=10)
        if answer.status_code != 412:
            answer.raise_for_status()


def test_the_second_one_looks_again(mockgraph: MockGraph) -> None:
    alert = mockgraph.add("alerts_v2", assignedTo=None)
    conflict = mockgraph.faults.stale_etag()  # as if somebody had written in between

    assert assign(f"{mockgraph.v1}/security/alerts_v2/{alert['id']}", "ada@contoso.example")

    assert conflict.struck == 1
    mockgraph.assert_called("PATCH", "/security/alerts_v2/{id}", times=2)
