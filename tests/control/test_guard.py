"""Access to the control plane."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

STATE = "/_mockgraph/state"


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8365",
        "127.0.0.1:1",
        "[::1]:8365",
        "10.0.0.7",
        "mockgraph:8365",
        "api.localhost",
        "LOCALHOST",
    ],
)
def test_a_host_that_is_ours(client: FlaskClient, host: str) -> None:
    assert client.get(STATE, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8365", "localhost.evil.example", "127.0.0.1.nip.io", ""]
)
@pytest.mark.parametrize("prefix", ["", "/t/a"])
def test_a_host_that_may_be_a_web_page(client: FlaskClient, host: str, prefix: str) -> None:
    answer = client.post(f"{prefix}/_mockgraph/reset", headers={"Host": host})
    assert answer.status_code == 403
    assert answer.json is not None
    assert "--allowed-host" in answer.json["error"]["message"]


# Host, Origin, Sec-Fetch-Site, and whether the control plane is for that.
ASKED = [
    ("localhost:8365", None, None, True),
    ("mockgraph:8365", None, None, True),
    ("10.0.0.7:8365", None, None, True),
    ("localhost:8365", None, "none", True),
    ("localhost:8365", None, "same-origin", True),
    ("localhost:8365", None, "same-site", False),
    ("localhost:8365", None, "cross-site", False),
    ("localhost:8365", "http://localhost:8365", "same-origin", True),
    ("localhost:8365", "http://localhost:3000", None, True),
    ("localhost:8365", "http://localhost:3000", "same-site", False),
    ("localhost:8365", "http://127.0.0.1:5000", None, True),
    ("localhost:8365", "https://[::1]", None, True),
    ("mockgraph:8365", "http://mockgraph:8365", "same-origin", True),
    ("mockgraph", "http://mockgraph:80", None, True),
    ("mockgraph:8365", "http://mockgraph:3000", None, False),
    ("mockgraph:8365", "https://mockgraph:8365", None, False),
    ("10.0.0.7:8365", "http://10.0.0.7:8365", None, True),
    ("10.0.0.7:8365", "http://10.0.0.7", None, False),
    ("localhost:8365", "http://203.0.113.66", None, False),
    ("localhost:8365", "http://intranet", None, False),
    ("localhost:8365", "http://localhost.evil.example", None, False),
    ("localhost:8365", "http://evil.example@localhost", None, False),
    ("localhost:8365", "http://evil.example/@localhost", None, False),
    ("localhost:8365", "https://evil.example", "cross-site", False),
    ("localhost:8365", "chrome-extension://localhost", None, False),
    ("localhost:8365", "moz-extension://abc", None, False),
    ("localhost:8365", "null", None, False),
    ("localhost:8365", "http://[", None, False),
    ("localhost:8365", "", None, False),
    ("localhost:8365", "https://app.example", "cross-site", True),
    ("localhost:8365", "https://app.example:8443", "cross-site", False),
    ("localhost:8365", "https://APP.example", None, True),
    ("graph.test", "https://graph.test", "same-origin", True),
]


@pytest.mark.parametrize(("host", "origin", "site", "is_good"), ASKED)
def test_the_page_that_asks(
    make_client: Callable[..., FlaskClient],
    host: str,
    origin: str | None,
    site: str | None,
    is_good: bool,
) -> None:
    client = make_client(allowed_hosts="graph.test", allowed_origins="https://App.Example/")
    sent = {"Host": host, "Origin": origin, "Sec-Fetch-Site": site}
    headers = {name: value for name, value in sent.items() if value is not None}
    good, made = (200, 204) if is_good else (403, 403)
    assert client.get(STATE, headers=headers).status_code == good
    assert client.post("/_mockgraph/reset", headers=headers).status_code == made


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1.0/security",
        "/common/discovery/keys",
        "/_mockgraph/health",
        "/nothing",
        "/t/a/beta",
    ],
)
@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.nip.io:80", "graph.microsoft.com.evil"]
)
def test_a_rebound_name_is_refused_everywhere(client: FlaskClient, path: str, host: str) -> None:
    for method in ("GET", "POST"):
        answer = client.open(path, method=method, headers={"Host": host})
        assert answer.status_code == 403
        assert "--allowed-host" in answer.get_json()["error"]["message"]


@pytest.mark.parametrize("host", ["graph.microsoft.com", "login.microsoftonline.com:443", "graph"])
def test_names_of_microsoft_are_good_for_graph(client: FlaskClient, host: str) -> None:
    assert client.get("/v1.0/security", headers={"Host": host}).status_code == 200


def test_a_host_may_be_allowed(make_client: Callable[..., FlaskClient]) -> None:
    client = make_client(allowed_hosts=("graph.test",))
    assert client.get(STATE, headers={"Host": "Graph.Test:80"}).status_code == 200
    assert client.get(STATE, headers={"Host": "other.test"}).status_code == 403


def test_the_token_is_asked_for(make_client: Callable[..., FlaskClient]) -> None:
    client = make_client(control_token="sesame")
    for sent in ({}, {"x-mockgraph-token": "other"}, {"Authorization": "Bearer sesame"}):
        assert client.post("/_mockgraph/reset", headers=sent).status_code == 401
    assert client.get("/_mockgraph/health").status_code == 200
    assert client.get("/v1.0/security").status_code == 200


def test_with_the_token_it_serves(make_client: Callable[..., FlaskClient]) -> None:
    client = make_client(control_token="sesame")
    assert client.get(STATE, headers={"X-MockGraph-Token": "sesame"}).status_code == 200
