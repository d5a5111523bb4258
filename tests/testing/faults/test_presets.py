"""The answers of faults: Graph's errors, bodies of the test's own, delays."""

from __future__ import annotations

import json
import uuid
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from mockgraph.clock import Clock
from mockgraph.http import Request, Response
from mockgraph.testing.faults import Faults, Rule

from ..line import ALERT, answer, make_request, refusal, work

NOON = datetime(2024, 5, 1, 12, 0, 0, 250_000, tzinfo=UTC)


@pytest.fixture
def faults() -> Faults:
    clock = Clock()
    clock.freeze(NOON)
    return Faults(clock)


def error_of(response: Response) -> dict[str, Any]:
    assert response.get("Content-Type") == "application/json"
    body = json.loads(response.body)
    assert body.keys() == {"error"}
    error: dict[str, Any] = body["error"]
    return error


def noting(events: list[Any]) -> Callable[[Request], Response]:
    """The work, which is noted when it is done."""

    def noted(request: Request) -> Response:
        events.append("work")
        return work(request)

    return noted


def never(_: Any) -> Response:
    raise AssertionError("The request was carried out.")


@pytest.mark.parametrize(
    ("make", "status", "code"),
    [
        (Faults.throttle, 429, "TooManyRequests"),
        (Faults.unavailable, 503, "ServiceUnavailable"),
        (Faults.gateway_timeout, 504, "GatewayTimeout"),
        (Faults.server_error, 500, "InternalServerError"),
        (Faults.unauthorized, 401, "InvalidAuthenticationToken"),
        (Faults.challenge, 401, "InvalidAuthenticationToken"),
        (Faults.forbidden, 403, "Authorization_RequestDenied"),
        *[
            (lambda faults, status=status: faults.add(status=status), status, code)
            for status, code in [
                (400, "BadRequest"),
                (401, "InvalidAuthenticationToken"),
                (404, "ResourceNotFound"),
                (409, "Conflict"),
                (410, "Gone"),
                (412, "PreconditionFailed"),
                (413, "RequestEntityTooLarge"),
                (414, "RequestURITooLong"),
                (416, "RequestedRangeNotSatisfiable"),
                (422, "UnprocessableEntity"),
                (423, "Locked"),
                (502, "BadGateway"),
                (507, "InsufficientStorage"),
                (509, "UnknownError"),
            ]
        ],
    ],
)
def test_graphs_errors(
    faults: Faults, make: Callable[[Faults], Rule], status: int, code: str
) -> None:
    make(faults)
    request = make_request(headers={"client-request-id": "mine"})
    response = answer(request, faults, work=never)
    error = error_of(response)
    assert (response.status, error["code"]) == (status, code)
    assert error["message"]
    inner = error["innerError"]
    assert inner["date"] == "2024-05-01T12:00:00"
    assert (inner["request-id"], inner["client-request-id"]) == (request.request_id, "mine")
    assert str(uuid.UUID(inner["request-id"])) == inner["request-id"]
    assert (response.get("WWW-Authenticate") is not None) == (status == 401)


def test_a_code_and_a_message_of_ones_own(faults: Faults) -> None:
    faults.add(status=409, code="nameAlreadyExists", message="Taken.")
    error = error_of(answer(make_request(), faults))
    assert (error["code"], error["message"]) == ("nameAlreadyExists", "Taken.")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"retry_after": 10}, "10"),
        ({"retry_after": 2.128}, "2.128"),  # as the live service was seen to say
        ({"retry_after": 1_000_000}, "1000000"),
        ({"retry_after": 0}, "0"),
        # 0.25 seconds past noon: the first whole second that is not too early.
        ({"retry_after": 60, "as_date": True}, "Wed, 01 May 2024 12:01:01 GMT"),
        ({"retry_after": 0.75, "as_date": True}, "Wed, 01 May 2024 12:00:01 GMT"),
    ],
)
@pytest.mark.parametrize("make", [Faults.throttle, Faults.unavailable])
def test_when_to_come_again(
    faults: Faults, make: Callable[..., Rule], options: Any, text: str
) -> None:
    make(faults, **options)
    response = answer(make_request(), faults)
    assert response.get("Retry-After") == text
    inner = error_of(response)["innerError"]
    assert inner["code"] == inner["status"] == str(response.status)
    assert inner["message"] == f"Please retry after {text}"


def test_a_throttled_client_may_be_told_nothing(faults: Faults) -> None:
    faults.throttle(None)
    response = answer(make_request(), faults)
    assert response.get("Retry-After") is None
    assert error_of(response)["innerError"]["message"] == "Please retry after"


def claims_in(response: Response) -> Any:
    header = response.get("WWW-Authenticate") or ""
    assert header.startswith("Bearer realm=")
    assert 'error="insufficient_claims"' in header
    return json.loads(b64decode(header.split('claims="')[1].split('"')[0]))


def test_a_challenge_asks_for_claims(faults: Faults) -> None:
    claims = {"access_token": {"acrs": {"essential": True, "value": "cp1"}}}
    faults.challenge(claims)
    claims["access_token"] = {}
    response = answer(make_request(), faults)
    assert claims_in(response)["access_token"]["acrs"]["value"] == "cp1"


def test_a_challenge_asks_for_a_token_of_later_than_now(faults: Faults) -> None:
    faults.challenge()
    claims = claims_in(answer(make_request(), faults))
    not_before = claims["access_token"]["nbf"]
    assert not_before == {"essential": True, "value": str(int(NOON.timestamp()))}


def test_a_body_and_headers_of_ones_own(faults: Faults) -> None:
    body = {"error": {"code": "mine"}}
    faults.add(status=503, body=body, headers={"X-One": "1", "Warning": ["199 - a", "199 - b"]})
    body["error"]["code"] = "changed"
    response = answer(make_request(), faults, work=never)
    assert json.loads(response.body) == {"error": {"code": "mine"}}
    assert response.headers == [
        ("Content-Type", "application/json"),
        ("X-One", "1"),
        ("Warning", "199 - a"),
        ("Warning", "199 - b"),
    ]


@pytest.mark.parametrize(
    ("body", "headers", "content_type", "data"),
    [
        ("<p>", None, "text/plain;charset=utf-8", b"<p>"),
        ("<p>", [("content-type", "text/html")], "text/html", b"<p>"),
        (b"\x00\xff", None, "application/octet-stream", b"\x00\xff"),
        ([1, "\xe9"], None, "application/json", b'[1,"\xc3\xa9"]'),
        (False, None, "application/json", b"false"),
        ("", None, "text/plain;charset=utf-8", b""),
    ],
)
@pytest.mark.parametrize("status", [502, 200, None])
def test_what_bodies_are(
    faults: Faults, status: int | None, body: Any, headers: Any, content_type: str, data: bytes
) -> None:
    faults.add(status=status, body=body, headers=headers)
    response = answer(make_request(), faults)
    assert response.status == status or status is None
    assert (response.get("Content-Type"), response.body) == (content_type, data)


def test_a_status_that_is_no_error_has_an_empty_body(faults: Faults) -> None:
    faults.add(status=202)
    response = answer(make_request(), faults, work=never)
    assert (response.status, response.body, response.headers) == (202, b"", [])


def test_without_a_status_the_true_answer_is_altered(faults: Faults) -> None:
    faults.add(headers={"etag": "W/1", "X": "2"}, retry_after=5)
    response = answer(make_request(), faults)
    assert (response.status, response.body) == (200, ALERT)
    assert [response.get(name) for name in ("ETag", "X", "Retry-After")] == ["W/1", "2", "5"]
    assert len([name for name, _ in response.headers if name.lower() == "etag"]) == 1


def test_another_body_makes_content_of_none(faults: Faults) -> None:
    faults.add(body={"value": []})
    response = answer(make_request("PATCH"), faults, work=lambda _: Response(204))
    assert (response.status, response.body) == (200, b'{"value":[]}')


@pytest.mark.parametrize(
    ("options", "status", "body"),
    [
        ({"status": 504}, 504, None),
        ({"status": 206, "headers": {"X": "1"}}, 206, ALERT),
        ({"status": 202, "body": "later"}, 202, b"later"),
        ({"status": 400, "body": "no"}, 400, b"no"),
        ({"status": 500, "body": "no"}, 500, b"no"),
    ],
)
def test_the_work_is_done_though_the_answer_is_another(
    faults: Faults, options: Any, status: int, body: bytes | None
) -> None:
    faults.add(**options, carried_out=True)
    request = make_request()
    done: list[str] = []
    response = answer(request, faults, work=noting(done))
    assert done == ["work"]
    assert response.status == status
    if body is None:
        assert error_of(response)["code"] == "GatewayTimeout"
        assert response.get("ETag") is None
    else:
        assert response.body == body
    assert request.answered_by == ("fault" if status >= 400 else "emulation")


def test_a_timeout_after_the_work(faults: Faults) -> None:
    done: list[str] = []
    faults.gateway_timeout(carried_out=True)
    response = answer(make_request(), faults, work=noting(done))
    assert (response.status, done) == (504, ["work"])


def test_a_delay_before_the_work(faults: Faults) -> None:
    events: list[Any] = []
    faults.add(delay_ms=1500)
    request = make_request(mockgraph_sleep=events.append)
    answer(request, faults, work=noting(events))
    assert events == [1.5, "work"]


def test_a_delay_before_an_answer(faults: Faults) -> None:
    slept: list[float] = []
    faults.add(delay_ms=20, status=503)
    assert answer(make_request(mockgraph_sleep=slept.append), faults, work=never).status == 503
    assert slept == [0.02]


def test_the_time_is_slept_where_nobody_else_does(
    faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    faults.latency(7)
    assert answer(make_request(), faults).status == 200
    assert slept == [0.007]


def test_a_stale_etag_is_for_requests_that_have_one(faults: Faults) -> None:
    faults.stale_etag(method="PATCH")
    assert answer(make_request("PATCH"), faults).status == 200
    request = make_request("PATCH", headers={"If-Match": 'W/"7"'})
    response = answer(request, faults, work=never)
    assert (response.status, error_of(response)["code"]) == (412, "PreconditionFailed")


def test_providers_that_failed(faults: Faults) -> None:
    faults.provider_warning("V", "P2", 504, 10_000)
    faults.provider_warning("V", "P4", 403, 10)
    response = answer(make_request(path="/v1.0/security/alerts?$top=5"), faults)
    assert (response.status, response.body) == (206, ALERT)
    assert [value for name, value in response.headers if name == "Warning"] == [
        '199 - "V/P2/504/10000"',
        '199 - "V/P4/403/10"',
    ]


@pytest.mark.parametrize(
    ("method", "path", "struck"),
    [
        ("GET", "/beta/security/alerts/1", True),
        ("GET", "/localtest/Security/alerts", True),
        ("GET", "/v1.0/security/alerts_v2", False),
        ("PATCH", "/v1.0/security/alerts/1", False),
    ],
)
def test_it_is_for_reading_alerts(faults: Faults, method: str, path: str, struck: bool) -> None:
    faults.provider_warning()
    assert (answer(make_request(method, path), faults).status == 206) is struck


def test_it_may_be_for_others(faults: Faults) -> None:
    faults.provider_warning(method="POST", path="/security/tiIndicators/*")
    request = make_request("POST", "/beta/security/tiIndicators/submitTiIndicators")
    assert answer(request, faults).status == 206


def test_what_failed_anyway_is_no_partial_content(faults: Faults) -> None:
    faults.provider_warning()
    response = answer(make_request(), faults, work=lambda _: Response(404))
    assert (response.status, response.headers) == (404, [])


@pytest.mark.parametrize("status", range(200, 600, 7))
def test_any_status_there_is(faults: Faults, status: int) -> None:
    faults.add(status=status)
    assert answer(make_request(), faults, work=never).status == status


LONE = "\ud800"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "A fault needs a status, headers, a body, delay_ms, retry_after or cut."),
        ({"delay_ms": 0}, "A fault needs a status, headers, a body, delay_ms, retry_after or cut."),
        ({"status": 199}, "status: A status goes from 200 to 599."),
        ({"status": 600}, "status: A status goes from 200 to 599."),
        ({"status": 150, "carried_out": True}, "status: A status goes from 200 to 599."),
        ({"code": "x"}, "code: Without a status it means nothing."),
        ({"message": "x", "body": 1}, "message: Without a status it means nothing."),
        ({"carried_out": True}, "carried_out: Without a status it means nothing."),
        ({"delay_ms": -1}, "delay_ms: The number has to be 0 or more, 3600000 at most."),
        ({"delay_ms": float("nan")}, "delay_ms: The number has to be 0 or more, 3600000 at most."),
        ({"delay_ms": 1e9}, "delay_ms: The number has to be 0 or more, 3600000 at most."),
        ({"status": 429, "retry_after": -1}, "retry_after: The number has to be 0 or more"),
        ({"cut": "sometimes"}, "cut: The choices are before, unanswered, during, after."),
        ({"headers": {"a b": "x"}}, "headers: 'a b' is not the name of a header."),
        ({"headers": {"": "x"}}, "headers: '' is not the name of a header."),
        ({"headers": {"A": "x\r\nB: y"}}, "headers/A: The value cannot be sent in a header."),
        ({"headers": {"A": "\u20ac"}}, "headers/A: The value cannot be sent in a header."),
        ({"headers": {"Content-Length": "5"}}, "headers/Content-Length: This header is the"),
        ({"headers": {"transfer-encoding": "x"}}, "headers/transfer-encoding: This header is"),
        ({"body": {1, 2}}, "body: The value cannot be written as JSON"),
        ({"body": {"a": LONE}}, "body: The value cannot be written as JSON"),
        ({"body": LONE}, "body: The text cannot be written as UTF-8."),
    ],
)
def test_a_fault_that_cannot_be(faults: Faults, options: Any, message: str) -> None:
    error = refusal(lambda: faults.add(**options))
    assert error.status == 400
    assert error.message.startswith(message)
    assert not list(faults)


def test_a_header_may_hold_all_that_wsgi_sends(faults: Faults) -> None:
    faults.add(status=500, headers={"A": "\t \x7e\xff"})
    assert answer(make_request(), faults).get("A") == "\t \x7e\xff"


def test_a_provider_that_no_header_can_name(faults: Faults) -> None:
    assert refusal(lambda: faults.provider_warning("a\nb")).status == 400


@pytest.mark.parametrize(
    ("make", "shown"),
    [
        (
            lambda f: f.add(
                method=("GET", "PATCH"),
                path="x",
                status=503,
                headers=[("A", "1"), ("A", "2"), ("B", "3")],
                body={"a": 1},
                delay_ms=5,
                times=None,
                predicate=bool,
            ),
            {
                "method": ("GET", "PATCH"),
                "path": "x",
                "status": 503,
                "headers": {"A": ["1", "2"], "B": "3"},
                "body": {"a": 1},
                "delay_ms": 5,
                "times": None,
            },
        ),
        (lambda f: f.add(status=500, body="text"), {"status": 500, "body": "text", "times": 1}),
        (lambda f: f.throttle(), {"preset": "throttle", "retry_after": 1, "times": 1}),
        (lambda f: f.throttle(None, after=2), {"preset": "throttle", "after": 2, "times": 1}),
        (
            lambda f: f.flaky(0.2, seed=3),
            {"preset": "flaky", "probability": 0.2, "seed": 3, "times": None},
        ),
        (lambda f: f.flaky(probability=1), {"preset": "flaky", "probability": 1, "times": None}),
        (
            lambda f: f.slow_body(2, 0),
            {"preset": "slow_body", "pieces": 2, "pause_ms": 0, "times": 1},
        ),
        (
            lambda f: f.quota(1, 2, "tenant", as_date=True),
            {
                "preset": "quota",
                "limit": 1,
                "window": 2,
                "per": "tenant",
                "as_date": True,
                "times": None,
            },
        ),
        (
            lambda f: f.stale_etag(),
            {"preset": "stale_etag", "request_headers": {"If-Match": True}, "times": 1},
        ),
        (lambda f: f.challenge({"a": 1}), {"preset": "challenge", "claims": {"a": 1}, "times": 1}),
        (lambda f: f.cut("during"), {"preset": "cut", "at": "during", "times": 1}),
        (lambda f: f.unauthorized(times=2), {"preset": "unauthorized", "times": 2}),
    ],
)
def test_a_rule_as_json(faults: Faults, make: Callable[[Faults], Rule], shown: Any) -> None:
    rule = make(faults)
    assert rule.as_json() == {"id": "1", **shown, "struck": 0}
