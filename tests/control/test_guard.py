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
    assert client.get(f"{prefix}/_mockgraph/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:3000", 200),
        ("http://127.0.0.1:5000", 200),
        ("https://evil.example", 403),
        ("null", 403),
        ("http://[", 403),
    ],
)
def test_the_origin_of_a_web_page(client: FlaskClient, origin: str, status: int) -> None:
    assert client.get(STATE, headers={"Origin": origin}).status_code == status


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
