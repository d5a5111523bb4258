"""Entities that a test adds to any set: what it says holds, the rest is believable."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from mockgraph import MockGraph
from mockgraph.errors import BadRequest, Conflict, MockGraphError
from mockgraph.service import SERVICE

HEADERS = {"Authorization": "Bearer x"}
SETS = [
    each.path.removeprefix("security/")
    for each in SERVICE.stored.children["security"].below()
    if each.is_collection and sum(above.is_collection for above in each.chain) == 1
]


@pytest.fixture
def graph(server: MockGraph) -> MockGraph:
    server.reset({"Security": {}})
    return server


def get(graph: MockGraph, path: str) -> Any:
    return requests.get(f"{graph.beta}/security/{path}", headers=HEADERS, timeout=10).json()


def test_an_alert(graph: MockGraph) -> None:
    graph.clock.freeze("2026-05-01T12:00:00Z")
    alert = graph.add("alerts_v2", title="Lateral movement", severity="High", incidentId="7")
    assert (alert["title"], alert["severity"], alert["status"]) == (
        "Lateral movement",
        "high",
        "new",
    )
    assert alert["createdDateTime"].startswith("2026-05-01T12:00:00")
    assert alert["firstActivityDateTime"] < alert["createdDateTime"]
    assert alert["alertWebUrl"].endswith(alert["id"])
    assert alert["incidentWebUrl"].endswith("/7")
    assert alert["serviceSource"]
    shown = get(graph, f"alerts_v2/{alert['id']}")
    assert {name: value for name, value in shown.items() if "@" not in name} == alert


def test_times_that_are_given_hold(graph: MockGraph) -> None:
    long_ago = "2026-01-01T00:00:00Z"
    alert = graph.add("alerts_v2", createdDateTime=long_ago)
    assert alert["createdDateTime"] == long_ago < alert["lastUpdateDateTime"]
    assert alert["firstActivityDateTime"] == "2025-12-31T23:50:00Z"
    score = graph.add("secureScores", createdDateTime=long_ago)
    newest = graph.add("secureScores")
    assert [each["id"] for each in get(graph, "secureScores")["value"]] == [
        newest["id"],
        score["id"],
    ]


def test_an_incident_has_a_number(graph: MockGraph) -> None:
    incident = graph.add("incidents")
    assert incident["id"].isdecimal()
    assert graph.add("alerts_v2", incidentId=incident["id"])["incidentId"] == incident["id"]
    assert graph.add("incidents", id="mine")["id"] == "mine"


def post(graph: MockGraph, path: str, body: Any) -> requests.Response:
    return requests.post(f"{graph.v1}/security/{path}", json=body, headers=HEADERS, timeout=10)


def test_what_is_added_can_be_acted_on(graph: MockGraph) -> None:
    identity = graph.add("identities/identityAccounts")
    (account,) = identity["accounts"]
    body = {
        "accountId": account["identifier"],
        "action": account["actions"][0],
        "identityProvider": account["identityProvider"],
    }
    invoked = post(graph, f"identities/identityAccounts/{identity['id']}/invokeAction", body)
    assert invoked.status_code == 200, invoked.text
    named = ("networkMessageId", "recipientEmailAddress")
    email = graph.add("collaboration/analyzedEmails")
    body = {"action": "softDelete", "analyzedEmails": [{name: email[name] for name in named}]}
    remediated = post(graph, "collaboration/analyzedEmails/remediate", body)
    assert remediated.status_code == 202, remediated.text


@pytest.mark.parametrize("path", SETS)
def test_every_set(graph: MockGraph, path: str) -> None:
    added = graph.add(path)
    listed = get(graph, path)["value"]
    assert [each["id"] for each in listed] == [added["id"]]
    first, second = graph.add(path, id="a"), graph.add(f"/security/{path}/", {"id": "b"})
    assert (first["id"], second["id"]) == ("a", "b")
    with pytest.raises(Conflict):
        graph.add(path, id="a")


def test_what_is_contained(graph: MockGraph) -> None:
    case = graph.add("cases/ediscoveryCases", displayName="Leak")
    url = f"cases/ediscoveryCases/{case['id']}/custodians"
    assert graph.add(url, email="ada@contoso.example")["email"] == "ada@contoso.example"
    assert len(get(graph, url)["value"]) == 1
    with pytest.raises(BadRequest):
        graph.add("cases/ediscoveryCases/gone/custodians")


def test_what_is_returned_is_the_tests_own(graph: MockGraph) -> None:
    alert = graph.add("alerts_v2", title="t", mitreTechniques=["T1"])
    alert["mitreTechniques"].append("T2")
    assert get(graph, f"alerts_v2/{alert['id']}")["mitreTechniques"] == ["T1"]


@pytest.mark.parametrize(
    ("path", "properties", "says"),
    [
        ("alerts_v", {}, "The nearest are alerts_v2"),
        ("cases", {}, "There is no set 'cases'"),
        ("", {}, "There is no set ''"),
        ("alerts_v2/x", {}, "There is no set"),
        ("alerts_v2", {"tittle": "x"}, "'tittle' does not exist"),
        ("alerts_v2", {"severity": "x"}, "severity"),
        ("alerts_v2", {"@odata.type": "#microsoft.graph.alert"}, "@odata.type"),
        ("alerts_v2", {"id": "a/b"}, "id: "),
    ],
)
def test_what_cannot_be_added(
    graph: MockGraph, path: str, properties: dict[str, Any], says: str
) -> None:
    before = graph.state
    with pytest.raises(BadRequest, match=says):
        graph.add(path, properties)
    body: Any = {"set": path, "properties": properties}
    answer = requests.post(f"{graph.origin}/_mockgraph/entities", json=body, timeout=10)
    assert answer.status_code == 400
    assert says in answer.json()["error"]["message"]
    assert graph.state == before


def test_what_json_cannot_say(graph: MockGraph) -> None:
    with pytest.raises(MockGraphError, match="JSON"):
        graph.add("alerts_v2", title=object())


def test_through_the_control_plane(graph: MockGraph) -> None:
    url = f"{graph.origin}/_mockgraph/entities"
    body: Any = {"set": "alerts_v2", "properties": {"title": "t"}}
    answer = requests.post(url, json=body, timeout=10)
    assert answer.status_code == 201
    assert answer.json()["title"] == "t"
    assert get(graph, f"alerts_v2/{answer.json()['id']}")["status"] == "new"
    assert requests.post(url, json={"set": "incidents"}, timeout=10).status_code == 201
    taken: Any = {"set": "alerts_v2", "properties": {"id": answer.json()["id"]}}
    assert requests.post(url, json=taken, timeout=10).status_code == 409


def test_the_defaults_are_of_their_types() -> None:
    from mockgraph.files import fixtures

    for name in json.loads((fixtures() / "defaults.json").read_text(encoding="utf-8")):
        assert SERVICE.stored.model.type(name) is not None


def test_incidents_of_a_seed_have_numbers(graph: MockGraph) -> None:
    graph.reset({"Security": {"incidents": [{"displayName": "a"}], "alerts_v2": [{}]}})
    (incident,), (alert,) = (graph.state["Security"][name] for name in ("incidents", "alerts_v2"))
    assert incident["id"].isdecimal()
    assert not alert["id"].isdecimal()
