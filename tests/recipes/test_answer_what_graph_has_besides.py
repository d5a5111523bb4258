"""Another part of Graph that a program needs: a stub answers it, the rest is emulated."""

from typing import Any

import requests

from mockgraph import MockGraph

AUTH = {"Authorization": "Bearer x"}


def owner_of(root: str, alert: str) -> str:
    """The code under test: the name of whom an alert is assigned to."""
    found = requests.get(f"{root}/security/alerts_v2/{alert}", headers=AUTH, timeout=10).json()
    user = requests.get(f"{root}/users/{found['assignedTo']}", headers=AUTH, timeout=10)
    return str(user.json()["displayName"]) if user.ok else "somebody"


def test_the_owner_has_a_name(mockgraph: MockGraph) -> None:
    alert = mockgraph.add("alerts_v2", assignedTo="ada@contoso.example")

    @mockgraph.stub("GET", "/users/{id}")
    def user(_: Any, id: str) -> Any:
        return {"id": id, "displayName": id.partition("@")[0].title()}

    assert owner_of(mockgraph.v1, alert["id"]) == "Ada"


def test_the_owner_is_gone(mockgraph: MockGraph) -> None:
    alert = mockgraph.add("alerts_v2", assignedTo="ada@contoso.example")
    mockgraph.stubs.add("GET", "/users/{id}", status=404)
    assert owner_of(mockgraph.v1, alert["id"]) == "somebody"
