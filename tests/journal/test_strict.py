"""A strict server: what a well-behaved client would not send is refused, and says why."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from .exchanges import ALERT, ALERTS


@pytest.fixture
def strict(make_client: Callable[..., FlaskClient]) -> FlaskClient:
    return make_client(strict_client=True)


def throttled(strict: FlaskClient) -> None:
    strict.post("/_mockgraph/clock", json={"freeze": "2026-01-01T00:00:00Z"})
    strict.post("/_mockgraph/faults", json={"preset": "throttle", "retry_after": 10})
    assert strict.get(ALERTS).status_code == 429


def test_a_strict_server_says_what_is_wrong_and_what_to_do(strict: FlaskClient) -> None:
    throttled(strict)
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
    throttled(strict)
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
    throttled(strict)
    items = [
        {"id": str(n), "method": "GET", "url": url}
        for n, url in enumerate(["/security/alerts", "/security"])
    ]
    answer = strict.post("/v1.0/$batch", json={"requests": items}).json
    assert answer is not None
    assert [each["status"] for each in answer["responses"]] == [400, 200]
    assert answer["responses"][0]["body"]["error"]["code"] == "ClientMisbehaved"
