"""A strict server: a misdeed is refused, with the reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient

from mockgraph import MockGraph
from mockgraph.errors import MockGraphError

from ..exchanges import ALERT, ALERTS, throttle

TAKEN = {"id": "taken", **ALERT}


@pytest.fixture
def strict(make_client: Callable[..., FlaskClient]) -> FlaskClient:
    return make_client(strict_client=True)


def test_a_strict_server_says_what_is_wrong_and_what_to_do(strict: FlaskClient) -> None:
    throttle(strict)
    refused = strict.get(ALERTS)
    assert refused.json is not None
    assert refused.json["error"]["message"] == (
        "retry-after-ignored: it came 10.000 s before the time that Retry-After gave had passed; "
        "see request 1. Wait as many seconds as Retry-After says before the next try."
    )
    listed = strict.get("/_mockgraph/misdeeds").json
    assert listed is not None
    assert [(each["rule"], each["request"]) for each in listed["value"]] == [
        ("retry-after-ignored", 2)
    ]
    shown = strict.get("/_mockgraph/requests").json
    assert shown is not None
    assert [(each["answeredBy"], each["misdeeds"]) for each in shown["value"]] == [
        ("fault", []),
        ("police", ["retry-after-ignored"]),
    ]


def test_a_refused_request_does_nothing(strict: FlaskClient) -> None:
    strict.post(
        "/_mockgraph/faults", json={"preset": "gateway_timeout", "carried_out": True, "times": 1}
    )
    assert strict.post(ALERTS, json=ALERT).status_code == 504
    for _ in range(2):
        assert strict.post(ALERTS, json=ALERT).status_code == 400
    listed = strict.get(ALERTS).json
    assert listed is not None
    assert [each["title"] for each in listed["value"]].count("one") == 1
    assert strict.post(ALERTS, json=ALERT).status_code == 201


def test_a_strict_server_serves_who_behaves(strict: FlaskClient) -> None:
    throttle(strict)
    strict.post("/_mockgraph/clock", json={"advance": 10})
    for _ in range(3):
        assert strict.post(ALERTS, json=ALERT).status_code == 201
    seen, link = [], f"{ALERTS}?$top=1"
    while link:
        page = strict.get(link).json
        assert page is not None
        seen += page["value"]
        link = page.get("@odata.nextLink")
    everything = strict.get(ALERTS).json
    assert everything is not None
    assert seen == everything["value"]
    assert len(seen) >= 3
    for _ in range(2):
        assert strict.get(f"{ALERTS}/none").status_code == 404


def test_an_item_of_a_batch_is_refused_for_itself(strict: FlaskClient) -> None:
    throttle(strict)
    items = [
        {"id": str(n), "method": "GET", "url": url}
        for n, url in enumerate(["/security/alerts", "/security"])
    ]
    answer = strict.post("/v1.0/$batch", json={"requests": items}).json
    assert answer is not None
    assert [each["status"] for each in answer["responses"]] == [400, 200]
    assert answer["responses"][0]["body"]["error"]["code"] == "ClientMisbehaved"


def test_without_a_journal_it_sees_as_much(make_client: Callable[..., FlaskClient]) -> None:
    blind = make_client(strict_client=True, journal=0)
    throttle(blind)
    assert blind.get(ALERTS).status_code == 400
    listed = blind.get("/_mockgraph/requests").json
    assert listed is not None
    assert listed["value"] == []


def test_what_is_allowed_is_not_refused(make_client: Callable[..., FlaskClient]) -> None:
    mild = make_client(strict_client=True, allow=("retry-after-ignored",))
    throttle(mild)
    assert mild.get(ALERTS).status_code == 200
    for status in (201, 409, 400):
        refused = mild.post(ALERTS, json=TAKEN)
        assert refused.status_code == status
    assert b"retried-in-vain" in refused.data


def test_what_is_allowed_has_to_be_a_rule(make_client: Callable[..., FlaskClient]) -> None:
    with pytest.raises(MockGraphError, match=r"no misdeed 'haste'; there are .*no-backoff"):
        make_client(allow=("haste",))


# What a test may do so that the same request goes well, and what it does before.
CHANGES: dict[str, Callable[[FlaskClient], Any]] = {
    "state": lambda client: client.put("/_mockgraph/state", json={"Security": {}}),
    "restore": lambda client: client.post("/_mockgraph/snapshots/empty/restore"),
    "reset": lambda client: client.post("/_mockgraph/reset"),
    "stub": lambda client: client.post(
        "/_mockgraph/stubs", json={"method": "POST", "path": "/security/alerts", "status": 201}
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_test_may_give_a_reason_to_ask_again(strict: FlaskClient, change: str) -> None:
    strict.post("/_mockgraph/snapshots/empty")
    assert strict.post(ALERTS, json=TAKEN).status_code == 201
    assert strict.post(ALERTS, json=TAKEN).status_code == 409
    refused = strict.post(ALERTS, json=TAKEN)
    assert refused.status_code == 400
    assert b"retried-in-vain" in refused.data
    assert CHANGES[change](strict).status_code in (201, 204)
    assert strict.post(ALERTS, json=TAKEN).status_code == 201
    listed = strict.get("/_mockgraph/misdeeds").json
    assert listed is not None
    assert len(listed["value"]) == (0 if change == "reset" else 1)


def test_a_fault_that_is_taken_away_is_a_reason_to_ask_again() -> None:
    with MockGraph(strict_client=True, auth="off") as graph:
        url = f"{graph.url}/Security"
        with graph.faults.forbidden(times=None), graph.unchanged():
            assert [requests.get(url, timeout=9).status_code for _ in range(2)] == [403, 400]
        assert requests.get(url, timeout=9).status_code == 200
        graph.faults.forbidden(times=1)
        assert requests.get(url, timeout=9).status_code == 403
        # It has struck as often as it should: nothing that the test has done since.
        assert requests.get(url, timeout=9).status_code == 400
        with pytest.raises(AssertionError, match="misbehaved twice"):
            graph.assert_well_behaved()


def test_a_state_that_is_replaced_does_not_end_a_wait(strict: FlaskClient) -> None:
    throttle(strict)
    strict.put("/_mockgraph/state", json={"Security": {}})
    assert strict.get(ALERTS).status_code == 400


def test_in_python_and_for_its_tenants() -> None:
    with MockGraph(strict_client=True, allow="retry-after-ignored", auth="off") as graph:
        for each in (graph, graph.tenant("a")):
            each.faults.throttle(retry_after=600, times=2)
            each.faults.forbidden(times=None, method="DELETE")
            url = f"{each.origin}/v1.0/security"
            answers = [requests.get(url, timeout=9).status_code for _ in range(3)]
            answers += [requests.delete(f"{url}/alerts/1", timeout=9).status_code for _ in "ab"]
            assert answers == [429, 429, 200, 403, 400]
            with pytest.raises(AssertionError, match=r"once:\s+retried-in-vain"):
                each.assert_well_behaved()
            each.assert_well_behaved(allow=["retried-in-vain"])
            with pytest.raises(MockGraphError, match="no misdeed 'haste'"):
                each.assert_well_behaved(allow=["haste"])
        assert [each.misdeeds[0].rule for each in graph.requests if each.misdeeds] == [
            "retry-after-ignored",
            "retry-after-ignored",
            "retried-in-vain",
        ]


def test_what_others_write_may_give_a_reason_to_ask_again(strict: FlaskClient) -> None:
    other = {"Authorization": "Bearer other"}
    assert strict.delete(f"{ALERTS}/taken").status_code == 404
    assert strict.delete(f"{ALERTS}/taken").status_code == 400
    assert strict.get(ALERTS, headers=other).status_code == 200
    assert strict.delete(f"{ALERTS}/taken").status_code == 400
    assert strict.post(ALERTS, json=TAKEN, headers=other).status_code == 201
    assert strict.delete(f"{ALERTS}/taken").status_code == 204
    listed = strict.get("/_mockgraph/misdeeds").json
    assert listed is not None
    assert len(listed["value"]) == 2
