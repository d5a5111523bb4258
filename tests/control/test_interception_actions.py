"""Faults and stubs by HTTP, through the whole app."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from refusals import message_of

from mockgraph.testing.faults import PRESETS

FAULTS = "/_mockgraph/faults"
STUBS = "/_mockgraph/stubs"
ALERTS = "/v1.0/security/alerts"
SECURITY = "/localtest/Security"


def posted(client: FlaskClient, at: str, body: Any) -> Any:
    answer = client.post(at, json=body)
    assert answer.status_code == 201, answer.json
    return answer.json


def statuses(client: FlaskClient, path: str, count: int) -> list[int]:
    return [client.get(path).status_code for _ in range(count)]


def test_the_next_request_is_struck(client: FlaskClient) -> None:
    rule = posted(client, FAULTS, {"status": 503})
    assert rule == {"id": rule["id"], "status": 503, "times": 1, "struck": 0}
    answer = client.get(SECURITY, headers={"client-request-id": "mine"})
    code, message = "ServiceUnavailable", answer.json["error"]["message"] if answer.json else ""
    assert message_of(503, answer.headers, answer.data) == (code, message)
    assert client.get(SECURITY).status_code == 200


def test_the_contract(client: FlaskClient) -> None:
    rule = posted(
        client,
        FAULTS,
        {
            "method": "PATCH",
            "path": "/SECURITY",
            "status": 429,
            "headers": {"Retry-After": "1", "Warning": ["a", "b"]},
            "body": {"own": True},
            "delay_ms": 1,
            "times": 2,
        },
    )
    assert client.get(SECURITY).status_code == 200
    for _ in range(2):
        answer = client.patch(SECURITY, json={"providerStatus": []})
        assert (answer.status_code, answer.json) == (429, {"own": True})
        assert answer.headers["Retry-After"] == "1"
        assert answer.headers.getlist("Warning") == ["a", "b"]
        assert answer.headers["OData-Version"] == "4.0"
    assert client.get(FAULTS).json == {"value": []}
    kept = client.get(SECURITY).json
    assert kept is not None
    assert kept["providerStatus"]
    assert rule["times"] == 2


def test_a_delay_alone_leaves_the_answer(client: FlaskClient) -> None:
    posted(client, FAULTS, {"delay_ms": 1})
    assert client.get(SECURITY).status_code == 200
    assert client.get(FAULTS).json == {"value": []}


def test_what_is_in_force(client: FlaskClient) -> None:
    first = posted(client, FAULTS, {"status": 500, "times": None})
    second = posted(client, FAULTS, {"preset": "throttle", "path": "nowhere", "times": 3})
    client.get(SECURITY)
    assert client.get(FAULTS).json == {"value": [{**first, "struck": 1}, second]}
    assert client.get(f"{FAULTS}/{second['id']}").json == second
    assert client.delete(f"{FAULTS}/{first['id']}").status_code == 204
    assert client.get(SECURITY).status_code == 200
    for method in ("GET", "DELETE"):
        answer = client.open(f"{FAULTS}/{first['id']}", method=method)
        assert message_of(404, answer.headers, answer.data)[0] == "ResourceNotFound"
    assert client.delete(FAULTS).status_code == 204
    assert client.get(FAULTS).json == {"value": []}


@pytest.mark.parametrize("at", [FAULTS, STUBS])
@pytest.mark.parametrize("clear", [("POST", "/_mockgraph/reset"), ("DELETE", "")])
def test_they_are_cleared(client: FlaskClient, at: str, clear: tuple[str, str]) -> None:
    posted(client, at, {"path": "/**", "status": 500, "times": None})
    assert client.get(SECURITY).status_code == 500
    method, path = clear
    assert client.open(path or at, method=method).status_code == 204
    assert client.get(at).json == {"value": []}
    assert client.get(SECURITY).status_code == 200


def test_the_control_plane_is_never_struck(client: FlaskClient) -> None:
    posted(client, FAULTS, {"status": 500, "times": "always"})
    posted(client, STUBS, {"path": "/**", "status": 418})
    assert client.get("/_mockgraph/health").status_code == 200
    assert client.get(FAULTS).status_code == 200


def test_each_tenant_has_its_own(client: FlaskClient) -> None:
    posted(client, f"/t/one{FAULTS}", {"status": 500})
    posted(client, f"/t/one{STUBS}", {"path": "/me", "json": 1})
    assert client.get(SECURITY).status_code == 200
    assert client.get(f"/t/two{SECURITY}").status_code == 200
    assert client.get(f"/t/one{SECURITY}").status_code == 500
    assert client.get("/t/one/v1.0/me").json == 1
    assert client.get("/v1.0/me").status_code == 501


SENT: dict[str, tuple[dict[str, Any], int]] = {
    "throttle": ({"retry_after": 5, "as_date": True}, 429),
    "unavailable": ({"retry_after": 0.5}, 503),
    "gateway_timeout": ({"carried_out": True}, 504),
    "server_error": ({}, 500),
    "flaky": ({"probability": 1}, 503),
    "unauthorized": ({"method": ["GET", "PATCH"]}, 401),
    "challenge": ({"claims": {"access_token": {}}}, 401),
    "forbidden": ({"query": {"$top": "1"}, "request_headers": {"Prefer": False}}, 403),
    "stale_etag": ({"times": 2}, 412),
    "quota": ({"limit": 1, "window": 60, "per": "tenant"}, 200),
    "security_quota": ({"retry_after": 0.5}, 429),
    "hunting_quota": ({"retry_after": 5}, 200),  # it is for hunting queries alone
    "hunting_cpu": ({"as_date": True}, 200),
    "latency": ({"ms": 0}, 200),
    "cut": ({"at": "during"}, 501),  # the test client has no connection
    "slow_body": ({"pieces": 2, "pause_ms": 0}, 200),
    "malformed": ({"kind": "html"}, 200),
    "outdated_etag": ({"caller": "token", "in_batch": False}, 200),
    "provider_warning": ({"vendor": "V", "provider": "P", "status": 403, "latency": 1}, 206),
}


def test_every_preset_is_tried() -> None:
    assert set(PRESETS) == set(SENT)


@pytest.mark.parametrize("preset", SENT)
def test_a_preset(client: FlaskClient, preset: str) -> None:
    body, status = SENT[preset]
    rule = posted(client, FAULTS, {"preset": preset, **body})
    assert rule.items() >= {"preset": preset, **body, "struck": 0}.items()
    answer = client.get(f"{ALERTS}?$top=1", headers={"If-Match": "*"})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "The body has to be a JSON object."),
        ({}, "A fault needs a status, headers, a body, delay_ms, retry_after or cut."),
        ({"status": 503, "tims": 1}, "tims: There is no such member here."),
        ({"status": "503"}, "status: Give a whole number."),
        ({"status": True}, "status: Give a whole number."),
        ({"status": 503.5}, "status: Give a whole number."),
        ({"status": 99}, "status: A status goes from 200 to 599."),
        ({"status": 500, "times": 0}, "times: The number has to be 1 or more."),
        ({"status": 500, "times": "twice"}, 'times: Give a whole number, or "always".'),
        ({"status": 500, "method": 5}, "method: Give a method, or a list of them."),
        ({"status": 500, "method": ["GET", 5]}, "method: Give a method, or a list of them."),
        ({"status": 500, "method": "GET /"}, "method: A method is a word such as PATCH."),
        ({"status": 500, "path": ["/"]}, "path: Give a text."),
        ({"status": 500, "query": []}, "query: Give an object."),
        ({"status": 500, "query": {"$top": 5}}, "query/$top: Give a text, true or false."),
        ({"status": 500, "headers": {"A": 5}}, "headers/A: Give a text, or a list of them."),
        ({"status": 500, "headers": {"A": ["\n"]}}, "headers/A: The value cannot be sent"),
        ({"status": 500, "after": None}, "after: Give a whole number."),
        ({"status": 500, "as_date": 1}, "as_date: Give true or false."),
        ({"delay_ms": -1}, "delay_ms: The number has to be 0 or more, 3600000 at most."),
        ({"cut": "now"}, "cut: The choices are before, unanswered, during, after."),
        ({"status": 500, "predicate": "x"}, "predicate: There is no such member here."),
        ({"preset": "x"}, "preset: The choices are throttle, unavailable,"),
        ({"preset": None}, "preset: The choices are throttle, unavailable,"),
        ({"preset": ["throttle"]}, "preset: The choices are throttle, unavailable,"),
        ({"preset": "throttle", "status": 500}, "status: There is no such member here."),
        ({"preset": "latency"}, "ms: This member is needed."),
        ({"preset": "quota", "limit": 1}, "window: This member is needed."),
        ({"preset": "quota", "limit": 1, "window": 1, "times": 1}, "times: There is no such"),
        ({"preset": "cut", "at": "now"}, "at: The choices are before,"),
        ({"preset": "challenge", "claims": []}, "claims: Give an object."),
    ],
)
def test_a_fault_that_cannot_be(client: FlaskClient, body: Any, message: str) -> None:
    answer = client.post(FAULTS, json=body)
    code, said = message_of(answer.status_code, answer.headers, answer.data)
    assert (answer.status_code, code) == (400, "BadRequest")
    assert said.startswith(message)
    assert client.get(FAULTS).json == {"value": []}


@pytest.mark.parametrize("at", [FAULTS, STUBS])
@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [(b"{", "application/json", 400), (b"", "application/json", 400), (b"{}", "text/plain", 415)],
)
def test_what_is_no_json(
    client: FlaskClient, at: str, data: bytes, content_type: str, status: int
) -> None:
    answer = client.post(at, data=data, content_type=content_type)
    message_of(answer.status_code, answer.headers, answer.data)
    assert answer.status_code == status


values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
anything = st.recursive(values, lambda v: st.lists(v) | st.dictionaries(st.text(), v), max_leaves=5)
forms = st.dictionaries(
    st.sampled_from(["status", "times", "path", "headers", "ms", "body", "method", "query", "at"]),
    anything,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(form=forms, preset=st.sampled_from([None, *PRESETS]))
@pytest.mark.parametrize("at", [FAULTS, STUBS])
def test_anything_is_taken_or_refused(
    client: FlaskClient, at: str, form: dict[str, Any], preset: str | None
) -> None:
    if preset and at == FAULTS:
        form["preset"] = preset
    answer = client.post(at, json=form)
    assert answer.status_code in (201, 400)
    if answer.status_code == 201:
        assert answer.json is not None
        assert client.get(f"{at}/{answer.json['id']}").json == answer.json
        assert client.delete(at).status_code == 204


# -- in batches -------------------------------------------------------------------------------


def batch(client: FlaskClient, *urls: str) -> list[tuple[int, Any]]:
    requests = [{"id": str(n), "method": "GET", "url": url} for n, url in enumerate(urls)]
    answer = client.post("/v1.0/$batch", json={"requests": requests})
    assert answer.status_code == 200
    assert answer.json is not None
    return [(each["status"], each["headers"]) for each in answer.json["responses"]]


def test_items_of_a_batch_alone(client: FlaskClient) -> None:
    posted(
        client, FAULTS, {"preset": "throttle", "in_batch": True, "path": "alerts", "retry_after": 7}
    )
    found = batch(client, "/security", "/security/alerts", "/security/alerts")
    assert [status for status, _ in found] == [200, 429, 200]
    assert found[1][1]["Retry-After"] == "7"


def test_a_batch_as_a_whole(client: FlaskClient) -> None:
    posted(client, FAULTS, {"status": 503, "in_batch": False})
    assert client.post("/v1.0/$batch", json={"requests": []}).status_code == 503


def test_a_stub_within_a_batch(client: FlaskClient) -> None:
    posted(client, STUBS, {"path": "/security/alerts", "status": 202, "in_batch": True})
    assert [status for status, _ in batch(client, "/security/alerts")] == [202]
    assert client.get(ALERTS).status_code == 200


# -- on the state -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "status", "title"),
    [
        ({"status": 504}, 504, "before"),
        ({"status": 504, "carried_out": True}, 504, "after"),
        ({"preset": "malformed", "kind": "empty"}, 200, "after"),
        ({"preset": "stale_etag"}, 412, "before"),
        ({"preset": "cut", "at": "unanswered"}, 501, "before"),  # there is nothing to cut
    ],
)
def test_whether_the_work_is_done(client: FlaskClient, fault: Any, status: int, title: str) -> None:
    at = f"{SECURITY}/alerts"
    made = client.post(at, json={"title": "before"})
    assert made.json is not None
    url = f"{at}/{made.json['id']}"
    posted(client, FAULTS, {**fault, "method": "PATCH"})
    headers = {"If-Match": made.headers["ETag"]}
    assert client.patch(url, json={"title": "after"}, headers=headers).status_code == status
    body = client.get(url).json
    assert body is not None
    assert body["title"] == title


def test_an_outdated_etag_fails_in_the_next_write(client: FlaskClient) -> None:
    posted(client, FAULTS, {"preset": "outdated_etag"})
    outdated = client.get(SECURITY)
    assert outdated.json is not None
    body: dict[str, Any] = {"providerStatus": []}
    etag = outdated.headers["ETag"]
    assert client.patch(SECURITY, json=body, headers={"If-Match": etag}).status_code == 412
    etag = client.get(SECURITY).headers["ETag"]
    assert client.patch(SECURITY, json=body, headers={"If-Match": etag}).status_code == 200


def test_who_is_nobody_is_told_so_first(client: FlaskClient) -> None:
    posted(client, FAULTS, {"status": 503})
    assert client.get(SECURITY, headers={"Authorization": "Bearer invalid"}).status_code == 401
    assert statuses(client, SECURITY, 2) == [503, 200]


# -- stubs ------------------------------------------------------------------------------------


def test_a_stub(client: FlaskClient) -> None:
    stub = posted(
        client,
        STUBS,
        {"method": "GET", "path": "/users/{id}", "json": {"id": "x"}, "headers": {"A": ["1", "2"]}},
    )
    answer = client.get("/v1.0/users/x", headers={"Authorization": ""})
    assert (answer.status_code, answer.json) == (200, {"id": "x"})
    assert answer.headers.getlist("A") == ["1", "2"]
    assert answer.headers["request-id"]
    assert client.get(STUBS).json == {"value": [{**stub, "answered": 1}]}
    assert client.get(f"{STUBS}/{stub['id']}").json == {**stub, "answered": 1}
    assert client.delete(f"{STUBS}/{stub['id']}").status_code == 204
    assert client.delete(f"{STUBS}/{stub['id']}").status_code == 404
    assert client.get("/v1.0/users/x").status_code == 501


def test_a_stub_before_the_emulation(client: FlaskClient) -> None:
    posted(client, STUBS, {"path": "/security/alerts/{id}", "status": 410, "times": 1})
    assert statuses(client, f"{ALERTS}/a1", 2) == [410, 404]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "The body has to be a JSON object."),
        ({}, "path: This member is needed."),
        ({"path": None}, "path: Give a text."),
        ({"path": "/", "method": ["GET"]}, "method: Give a text."),
        ({"path": "/", "function": "x"}, "function: There is no such member here."),
        ({"path": "/", "status": 600}, "status: A status goes from 200 to 599."),
        ({"path": "/", "json": 1, "text": "a"}, "text: There is json already."),
        ({"path": "/", "text": 1}, "text: Give a text."),
        ({"path": "/", "times": -1}, "times: The number has to be 1 or more."),
    ],
)
def test_a_stub_that_cannot_be(client: FlaskClient, body: Any, message: str) -> None:
    answer = client.post(STUBS, json=body)
    code, said = message_of(answer.status_code, answer.headers, answer.data)
    assert (answer.status_code, code) == (400, "BadRequest")
    assert said.startswith(message)
    assert client.get(STUBS).json == {"value": []}


def test_a_function_that_raises_is_told_in_graphs_shape(
    make_client: Callable[..., FlaskClient],
) -> None:
    client = make_client()
    stubs = client.application.extensions["mockgraph"].default.stubs

    def lookup(_: Any) -> Any:
        raise KeyError("name")

    stubs.add("GET", "/me", lookup)
    answer = client.get("/v1.0/me")
    code, message = message_of(500, answer.headers, answer.data)
    assert code == "InternalServerError"
    assert message == "The function lookup of the stub for /me raised KeyError: 'name'"
    assert [type(error) for error in stubs.errors] == [KeyError]
