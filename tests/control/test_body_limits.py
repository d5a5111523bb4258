"""Bodies that are refused by the heads of their requests."""

from __future__ import annotations

import http.client
from collections.abc import Iterator

import pytest
from wire import JSON, TIMEOUT, port_of

from mockgraph import MockGraph
from mockgraph.app import create_app
from mockgraph.server_options import MAX_ROWS, MAX_STATE, Settings
from mockgraph.testing.tenant import Tenants

HUGE = 300 * 1024 * 1024
TOKEN = "sesame"
ALERTS = "/v1.0/security/alerts"


@pytest.fixture(scope="module")
def graph() -> Iterator[MockGraph]:
    with MockGraph(control_token=TOKEN, auth="any") as graph:
        yield graph


WITH = {"x-mockgraph-token": TOKEN}
SENT = [
    ("PUT", "/_mockgraph/state", WITH, None),
    ("PUT", "/t/a/_mockgraph/snapshots/s", WITH, None),
    ("PUT", "/_mockgraph/state", {}, 401),
    ("PUT", "/_mockgraph/state", {"x-mockgraph-token": "other"}, 401),
    ("PUT", "/_mockgraph/state", {**WITH, "Host": "evil.example"}, 403),
    ("PUT", "/_mockgraph/state", {**WITH, "Origin": "https://evil.example"}, 403),
    ("PUT", "/_mockgraph/state", {**WITH, "Sec-Fetch-Site": "cross-site"}, 403),
    ("PUT", "/_mockgraph/x", WITH, 404),
    ("POST", "/_mockgraph/state", WITH, 405),
    ("PUT", "/v1.0/_mockgraph/x", {"Host": "evil.example"}, 403),
    ("PUT", "/v1.0/_mockgraph/x", {"Authorization": ""}, 401),
    ("PUT", "/v1.0/_mockgraph/state", WITH, 400),
    ("POST", ALERTS, {}, 413),
    ("POST", ALERTS, {"Authorization": ""}, 401),
    ("POST", f"/t/b{ALERTS}", {"Authorization": "Bearer invalid"}, 401),
    ("POST", "/common/oauth2/v2.0/token", {}, 413),
]


@pytest.mark.parametrize(("method", "path", "headers", "status"), SENT)
def test_what_is_refused_by_its_head_is_not_read(
    graph: MockGraph, method: str, path: str, headers: dict[str, str], status: int | None
) -> None:
    """The body is never sent: whoever waits for it would wait for ever."""
    client = http.client.HTTPConnection("127.0.0.1", port_of(graph.origin), timeout=TIMEOUT)
    sent = {**JSON, **headers, "Content-Length": str(HUGE), "Expect": "100-continue"}
    client.putrequest(method, path, skip_host="Host" in sent)
    for name, value in sent.items():
        client.putheader(name, value)
    client.endheaders()
    if status is None:
        assert client.sock.recv(100).startswith(b"HTTP/1.1 100 ")
    else:
        assert client.getresponse().status == status
    client.close()


def test_what_a_stub_answers_may_be_large() -> None:
    app = create_app(Settings())
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": ALERTS, "wsgi.url_scheme": "http"}
    assert app.body_limit(environ) == 0
    tenants: Tenants = app.extensions["mockgraph"]
    tenants.default.stubs.add("POST", ALERTS)
    assert app.body_limit(environ) == Settings.max_body


def test_a_whole_state_may_be_large() -> None:
    app = create_app(Settings())
    asked = {"wsgi.url_scheme": "http", "HTTP_HOST": "localhost"}
    for method, path, most in [
        ("PUT", "/_mockgraph/state", MAX_STATE),
        ("POST", "/_mockgraph/hunting/rows", MAX_ROWS),
        ("POST", "/t/a/_mockgraph/faults", Settings.max_body),
        ("DELETE", "/_mockgraph/state", 0),
    ]:
        assert app.body_limit({**asked, "REQUEST_METHOD": method, "PATH_INFO": path}) == most
