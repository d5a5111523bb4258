"""The retry police, against clients that are bad on purpose, and good ones."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from mockgraph import MockGraph
from mockgraph.testing.police import misdeeds

ALERTS = "/v1.0/security/alerts"
ALERT = {"title": "one", "vendorInformation": {"provider": "P", "vendor": "V"}}


def rules(client: FlaskClient) -> list[str]:
    tenant = client.application.extensions["mockgraph"].default
    return [each.rule for each in misdeeds(tenant.journal.requests())]


def fault(client: FlaskClient, **fault: Any) -> None:
    assert client.post("/_mockgraph/faults", json=fault).status_code == 201


def advance(client: FlaskClient, seconds: float) -> None:
    client.post("/_mockgraph/clock", json={"advance": seconds})


@pytest.fixture
def frozen(client: FlaskClient) -> FlaskClient:
    client.post("/_mockgraph/clock", json={"freeze": "2026-01-01T00:00:00Z"})
    return client


@pytest.mark.parametrize("as_date", [False, True])
@pytest.mark.parametrize(
    ("waited", "found"), [(0, ["retry-after-ignored"]), (9.9, ["retry-after-ignored"]), (10, [])]
)
def test_retry_after_is_waited_for(
    frozen: FlaskClient, as_date: bool, waited: float, found: list[str]
) -> None:
    fault(frozen, preset="throttle", retry_after=10, as_date=as_date)
    frozen.get(ALERTS)
    advance(frozen, waited)
    frozen.get(ALERTS)
    assert rules(frozen) == found


def test_the_whole_app_is_throttled_not_the_path(frozen: FlaskClient) -> None:
    fault(frozen, preset="throttle", retry_after=10)
    frozen.get(ALERTS)
    frozen.get("/v1.0/security", headers={"Authorization": "Bearer another"})
    frozen.get("/v1.0/security")
    assert rules(frozen) == ["retry-after-ignored"]


@pytest.mark.parametrize("status", [429, 503, 504])
@pytest.mark.parametrize(("waited", "found"), [(0, ["no-backoff"]), (0.2, [])])
def test_without_retry_after_some_time_has_to_pass(
    frozen: FlaskClient, status: int, waited: float, found: list[str]
) -> None:
    fault(frozen, status=status)
    frozen.get(ALERTS)
    advance(frozen, waited)
    frozen.get(ALERTS)
    assert rules(frozen) == found


@pytest.mark.parametrize("status", [400, 403, 405, 409, 412, 413, 415, 501])
def test_what_time_does_not_change_is_not_sent_again(frozen: FlaskClient, status: int) -> None:
    fault(frozen, status=status)
    for _ in range(2):
        frozen.post(ALERTS, json=ALERT)
    assert rules(frozen) == ["retried-in-vain"]


@pytest.mark.parametrize(
    "between",
    [
        lambda client: client.post(ALERTS, json={**ALERT, "title": "changed"}),
        lambda client: client.post(ALERTS, json=ALERT, headers={"If-Match": "*"}),
        lambda client: client.get(ALERTS),
        lambda client: client.post(ALERTS, json=ALERT, headers={"Authorization": "Bearer other"}),
    ],
)
def test_another_request_is_no_retry(
    frozen: FlaskClient, between: Callable[[FlaskClient], object]
) -> None:
    fault(frozen, status=409)
    frozen.post(ALERTS, json=ALERT)
    between(frozen)
    assert rules(frozen) == []


def test_waiting_for_something_to_appear_is_fair(frozen: FlaskClient) -> None:
    for _ in range(3):
        frozen.get(f"{ALERTS}/soon")
    assert rules(frozen) == []
    for _ in range(2):
        frozen.delete(f"{ALERTS}/soon")
    assert rules(frozen) == ["retried-in-vain"]


def test_a_refused_token_is_not_sent_again(frozen: FlaskClient) -> None:
    for token in ("expired", "expired", "fresh"):
        frozen.get(ALERTS, headers={"Authorization": f"Bearer {token}"})
    assert rules(frozen) == ["retried-with-a-refused-token"]


@pytest.mark.parametrize(
    ("ids", "found"),
    [
        (("a", "a"), []),
        (("a", "b"), ["client-request-id-dropped"]),
        (("a", None), ["client-request-id-dropped"]),
        ((None, "b"), []),
    ],
)
def test_the_client_request_id_stays(
    frozen: FlaskClient, ids: tuple[str | None, ...], found: list[str]
) -> None:
    fault(frozen, status=500)
    for each in ids:
        frozen.get(ALERTS, headers={"client-request-id": each} if each else {})
        advance(frozen, 1)
    assert rules(frozen) == found


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("POST", ALERTS, ["blind-retry-of-a-create"]),
        ("POST", f"{ALERTS}/updateAlerts", []),
        ("PATCH", "/v1.0/security", []),
    ],
)
def test_a_create_is_not_retried_blindly(
    frozen: FlaskClient, method: str, path: str, found: list[str]
) -> None:
    fault(frozen, preset="gateway_timeout", carried_out=True)
    for _ in range(2):
        frozen.open(path, method=method, json=ALERT)
        advance(frozen, 1)
    assert rules(frozen) == found


def test_pages_are_not_made_by_hand(frozen: FlaskClient) -> None:
    for _ in range(5):
        frozen.post(ALERTS, json=ALERT)
    first = frozen.get(f"{ALERTS}?$top=2").json
    assert first is not None
    second = frozen.get(first["@odata.nextLink"]).json
    assert second is not None
    assert rules(frozen) == []
    frozen.get(f"{ALERTS}?$top=2&$skip=4")
    assert rules(frozen) == ["paging-by-hand"]
    frozen.get(f"{ALERTS}?$skiptoken=made-up")
    assert rules(frozen) == ["paging-by-hand"] * 2


def test_skipping_from_the_start_is_no_paging(frozen: FlaskClient) -> None:
    for _ in range(5):
        frozen.post(ALERTS, json=ALERT)
    frozen.get(f"{ALERTS}?$top=2&$skip=1")
    frozen.get(f"{ALERTS}?$top=2&$skip=3")
    assert rules(frozen) == []


def test_a_misdeed_is_told_in_python_and_by_http(frozen: FlaskClient) -> None:
    fault(frozen, preset="throttle", retry_after=10)
    frozen.get(ALERTS)
    frozen.get(ALERTS)
    listed = frozen.get("/_mockgraph/misdeeds").json
    assert listed is not None
    (told,) = listed["value"]
    assert (told["rule"], told["request"], told["earlier"]) == ("retry-after-ignored", 2, 1)
    assert "10.000 s before" in told["message"]


def test_a_client_that_waits_is_well_behaved_and_one_that_does_not_is_told() -> None:
    with MockGraph() as graph:
        session = requests.Session()
        session.headers["Authorization"] = "Bearer x"
        waits = Retry(3, status_forcelist=[429, 503], backoff_factor=0.2)
        session.mount("http://", HTTPAdapter(max_retries=waits))
        graph.faults.throttle(times=1, retry_after=1)
        graph.faults.unavailable(times=2)
        assert session.get(f"{graph.origin}{ALERTS}", timeout=9).status_code == 200
        graph.assert_well_behaved()
        graph.faults.throttle(times=1, retry_after=30)
        for _ in range(2):
            requests.get(f"{graph.url}/Security", headers={"Authorization": "Bearer y"}, timeout=9)
        with pytest.raises(AssertionError, match="retry-after-ignored") as failed:
            graph.assert_well_behaved()
        assert "misbehaved once" in str(failed.value)


def test_waiting_by_the_clock_costs_no_time() -> None:
    with MockGraph(auth="off") as graph:
        graph.faults.quota(limit=2, window=3600)
        began = time.perf_counter()
        statuses = []
        for _ in range(4):
            answer = requests.get(f"{graph.url}/Security", timeout=9)
            statuses.append(answer.status_code)
            graph.clock.advance(float(answer.headers.get("Retry-After", 0)))
        assert statuses == [200, 200, 429, 200]
        assert time.perf_counter() - began < 60
        graph.assert_well_behaved()


def test_a_strict_server_refuses(make_client: Callable[..., FlaskClient]) -> None:
    client = make_client(strict_client=True)
    client.post("/_mockgraph/clock", json={"freeze": None})
    fault(client, preset="throttle", retry_after=10)
    assert client.get(ALERTS).status_code == 429
    for _ in range(2):
        refused = client.get(ALERTS)
        assert refused.status_code == 400
        assert refused.json is not None
        assert refused.json["error"]["code"] == "ClientMisbehaved"
        assert "retry-after-ignored" in refused.json["error"]["message"]
    advance(client, 10)
    assert client.get(ALERTS).status_code == 200
    fault(client, preset="throttle", retry_after=10)
    assert client.get(ALERTS).status_code == 429
    client.post("/_mockgraph/reset")
    assert client.get(ALERTS).status_code == 200
