"""The journal: what was asked and answered, in Python and by HTTP."""

from __future__ import annotations

import threading

import pytest
import requests
from flask.testing import FlaskClient

from mockgraph import MockGraph
from mockgraph.clock import Clock
from mockgraph.http import Request, Response
from mockgraph.testing.journal import Journal, Requests

ALERTS = "/v1.0/security/alerts"
ALERT = {"title": "one", "vendorInformation": {"provider": "P", "vendor": "V"}}


def journal_of(client: FlaskClient, tenant: str = "") -> Requests:
    found: Requests = client.application.extensions["mockgraph"].get(tenant).journal.requests()
    return found


def request(path: str = "/v1.0/security", body: bytes = b"") -> Request:
    return Request.from_values(path, method="POST" if body else "GET", data=body or None)


def test_an_exchange_tells_what_was_asked_and_answered(client: FlaskClient) -> None:
    client.patch(
        "/t/a/localtest/Security?$select=providerStatus&x-a=1&x-a=2&x-a=3",
        json={"providerStatus": []},
        headers={"x-own": "Ünlaut", "Proxy-Authorization": "secret", "client-request-id": "mine"},
    )
    (exchange,) = journal_of(client, "a")
    assert (exchange.method, exchange.path) == ("PATCH", "/localtest/Security")
    assert exchange.query == {"$select": "providerStatus", "x-a": ["1", "2", "3"]}
    assert exchange.json == {"providerStatus": []}
    assert exchange.text == '{"providerStatus": []}'
    assert exchange.headers["X-OWN"] == "Ünlaut"
    assert exchange.headers["content-type"] == "application/json"
    assert exchange.headers["Authorization"] == "Bearer ***"
    assert exchange.headers["Proxy-Authorization"] == "***"
    assert exchange.status == 400
    assert exchange.error == "BadRequest"
    assert exchange.response["error"]["innerError"]["client-request-id"] == "mine"
    assert exchange.response_headers["request-id"] == exchange.request_id
    assert exchange.operation == "update Security"
    assert exchange.answered_by == "emulation"
    assert exchange.number == 1
    assert 0 <= exchange.seconds < 60
    assert "secret" not in str(exchange.as_json())


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("GET", "/localtest/Security", "read Security"),
        ("GET", ALERTS, "list security/alerts"),
        ("GET", f"{ALERTS}/1", "read security/alerts/{id}"),
        ("GET", f"{ALERTS}/1/title", "read property security/alerts/{id}/title"),
        ("POST", f"{ALERTS}/updateAlerts", "act security/alerts/updateAlerts"),
        ("GET", "/v1.0/security/incidents/1/alerts", "list security/incidents/{id}/alerts"),
        ("GET", "/v2.0/nothing", None),
    ],
)
def test_the_operation_is_named(
    client: FlaskClient, method: str, path: str, operation: str | None
) -> None:
    client.open(path, method=method)
    (exchange,) = journal_of(client)
    assert exchange.operation == operation


def test_who_answered_is_told(client: FlaskClient) -> None:
    client.post("/_mockgraph/stubs", json={"path": "/me", "json": {}})
    client.post("/_mockgraph/faults", json={"path": "/alerts", "status": 503})
    for path in ("/v1.0/me", ALERTS, ALERTS):
        client.get(path)
    assert [each.answered_by for each in journal_of(client)] == ["stub", "fault", "emulation"]


def test_a_body_that_nothing_read_is_kept(client: FlaskClient) -> None:
    client.post("/_mockgraph/faults", json={"status": 503, "times": 2})
    client.post(ALERTS, json=ALERT)
    client.post("/v9/nothing", data=b"\xff\x00")
    assert journal_of(client)[0].json == ALERT
    assert journal_of(client)[1].body == b"\xff\x00"
    assert journal_of(client)[1].json is None


def test_a_body_that_is_too_large_is_left_out(client: FlaskClient) -> None:
    assert client.post(ALERTS, data=b"x" * (4 * 1024 * 1024 + 1)).status_code == 413
    (exchange,) = journal_of(client)
    assert (exchange.status, exchange.body) == (413, b"")


def test_the_control_plane_is_not_recorded_and_items_of_batches_are(client: FlaskClient) -> None:
    client.get("/_mockgraph/state")
    items = [{"id": str(n), "method": "GET", "url": f"/security/alerts/{n}"} for n in range(2)]
    client.post("/v1.0/$batch", json={"requests": items})
    recorded = journal_of(client)
    assert [(each.path, each.in_batch) for each in recorded] == [
        ("/v1.0/security/alerts/0", True),
        ("/v1.0/security/alerts/1", True),
        ("/v1.0/$batch", False),
    ]
    assert recorded[0].headers["Authorization"] == "Bearer ***"


@pytest.mark.parametrize("prefix", ["", "/t/a"])
def test_what_a_browser_asks_for_by_itself_is_not_recorded(
    client: FlaskClient, prefix: str
) -> None:
    answer = client.get(f"{prefix}/favicon.ico", headers={"Host": "graph.microsoft.com"})
    assert (answer.status_code, answer.data) == (204, b"")
    assert client.get(f"{prefix}/_mockgraph/requests").get_json()["value"] == []


def test_it_is_bounded_in_number() -> None:
    journal = Journal(3, Clock())
    for number in range(5):
        journal.record(request(f"/{number}"), Response(200), 0)
    assert [each.path for each in journal.requests()] == ["/2", "/3", "/4"]
    assert [each.number for each in journal.requests()] == [3, 4, 5]
    journal.clear()
    assert len(journal.requests()) == 0
    assert journal.requests().last is None


def test_it_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockgraph.testing.journal.MAX_BYTES", 100)
    journal = Journal(1000, Clock())
    for size in (40, 40, 40, 500, 10, 90):
        journal.record(request(body=b"a" * 10), Response(200, b"x" * (size - 10)), 0)
    assert [each.size for each in journal.requests()] == [10, 90]
    journal.clear()
    journal.record(request(), Response(200, b"x" * 90), 0)
    journal.record(request(), Response(200, b"x" * 10), 0)
    assert len(journal.requests()) == 2


def test_it_may_be_off() -> None:
    journal = Journal(0, Clock())
    journal.record(request(), Response(200), 0)
    assert len(journal.requests()) == 0


def test_it_counts_under_threads() -> None:
    journal = Journal(10_000, Clock())
    barrier = threading.Barrier(8)

    def record() -> None:
        barrier.wait()
        for _ in range(200):
            journal.record(request(), Response(200), 0)

    threads = [threading.Thread(target=record) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.number for each in journal.requests()] == list(range(1, 1601))


def test_requests_in_python() -> None:
    with MockGraph(auth="off") as graph:
        url = f"{graph.origin}{ALERTS}"
        assert len(graph.requests) == 0
        requests.get(url, params={"$top": "1"}, timeout=9)
        requests.post(url, json=ALERT, timeout=9)
        requests.get(f"{graph.url}/none", timeout=9)
        assert len(graph.requests) == 3
        assert [each.status for each in graph.requests] == [200, 201, 400]
        assert graph.requests[0].query == {"$top": "1"}
        assert graph.requests[-1] is not None
        assert isinstance(graph.requests[1:], Requests)
        assert [each.method for each in graph.requests.filter("get")] == ["GET", "GET"]
        assert len(graph.requests.filter(path="/security/alerts")) == 2
        assert len(graph.requests.filter(status=201)) == 1
        last = graph.requests.last
        assert last is not None
        assert last.path == "/localtest/none"
        shown = repr(graph.requests)
        assert shown.startswith("<3 requests")
        assert f"GET {ALERTS}?%24top=1 -> 200" in shown
        graph.reset()
        assert len(graph.requests) == 0
        assert repr(graph.requests) == "<0 requests>"


def test_by_http(client: FlaskClient) -> None:
    client.get(ALERTS)
    client.post(ALERTS, json=ALERT)
    client.get(f"{ALERTS}/none")
    listed = client.get("/_mockgraph/requests").json
    assert listed is not None
    assert [each["status"] for each in listed["value"]] == [200, 201, 404]
    posted = listed["value"][1]
    assert posted["json"] == ALERT
    assert posted["response"]["title"] == "one"
    assert posted["operation"] == "create security/alerts"

    def numbers(query: str) -> list[int]:
        answer = client.get(f"/_mockgraph/requests?{query}").json
        assert answer is not None
        return [each["number"] for each in answer["value"]]

    assert numbers("method=get") == [1, 3]
    assert numbers("path=/security/alerts/*") == [3]
    assert numbers("status=201&method=POST") == [2]
    assert numbers("limit=2") == [2, 3]
    assert numbers("limit=9") == [1, 2, 3]
    assert numbers("limit=0") == []
    assert client.delete("/_mockgraph/requests").status_code == 204
    assert numbers("") == []


@pytest.mark.parametrize("query", ["status=ok", "limit=-1", "limit=9999999999", "verb=GET"])
def test_a_question_that_is_wrong(client: FlaskClient, query: str) -> None:
    assert client.get(f"/_mockgraph/requests?{query}").status_code == 400


def test_what_faults_did_to_an_answer_is_told(client: FlaskClient) -> None:
    client.post("/_mockgraph/faults", json={"preset": "malformed", "kind": "html"})
    client.post("/_mockgraph/faults", json={"preset": "latency", "ms": 1, "times": 2})
    client.get("/localtest/Security")
    client.post("/_mockgraph/faults", json={"preset": "throttle", "retry_after": 30})
    client.get("/localtest/Security")
    client.get("/localtest/Security")
    altered, throttled, spared = journal_of(client)
    assert repr(altered) == ("<1: GET /localtest/Security -> 200 with an HTML page and 1 ms late>")
    assert repr(throttled) == "<2: GET /localtest/Security -> 429 by fault>"
    assert [each.as_json()["faults"] for each in (altered, throttled, spared)] == [
        ["an HTML page", "1 ms late"],
        ["1 ms late", "429 TooManyRequests, Retry-After 30"],
        [],
    ]


def test_what_is_not_emulated_by_http(client: FlaskClient) -> None:
    client.post("/_mockgraph/stubs", json={"path": "/me", "json": {}})
    for path in ("me", "users", "security/alerts/none", "security"):
        client.get(f"/v1.0/{path}")
    listed = client.get("/_mockgraph/unemulated").json
    assert listed is not None
    assert [each["path"] for each in listed["value"]] == ["/v1.0/users"]


def test_choices_that_are_empty_are_none(client: FlaskClient) -> None:
    client.get("/localtest/Security")
    listed = client.get("/_mockgraph/requests?method=&path=&status=&inBatch=&limit=").json
    assert listed is not None
    assert len(listed["value"]) == 1
