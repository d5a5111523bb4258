"""A batch of which one item is throttled: that one is sent again, the others are not."""

from typing import Any

import requests

from mockgraph import MockGraph

AUTH = {"Authorization": "Bearer x"}


def resolve(root: str, ids: list[str]) -> None:
    """The code under test: it closes alerts, twenty with each request."""
    left = list(ids)
    while left:
        batch, left = left[:20], left[20:]
        items = [item(number, id) for number, id in enumerate(batch)]
        answer = requests.post(
            f"{root}/$batch", json={"requests": items}, headers=AUTH, timeout=10
        ).json()
        busy = {int(each["id"]) for each in answer["responses"] if each["status"] == 429}
        left += [id for number, id in enumerate(batch) if number in busy]


def item(number: int, id: str) -> dict[str, Any]:
    return {
        "id": str(number),
        "method": "PATCH",
        "url": f"/security/alerts_v2/{id}",
        "headers": {"Content-Type": "application/json"},
        "body": {"status": "resolved"},
    }


def test_all_are_resolved_in_the_end(mockgraph: MockGraph) -> None:
    ids = [mockgraph.add("alerts_v2", status="new")["id"] for _ in range(25)]
    mockgraph.faults.throttle(path=f"/security/alerts_v2/{ids[2]}", in_batch=True)

    resolve(mockgraph.v1, ids)

    statuses = {each["status"] for each in mockgraph.state["Security"]["alerts_v2"]}
    assert statuses == {"resolved"}
    mockgraph.assert_called("PATCH", f"/security/alerts_v2/{ids[2]}", times=2)
    mockgraph.assert_called("PATCH", f"/security/alerts_v2/{ids[0]}", times=1)
    mockgraph.assert_called("POST", "/$batch", times=2)
