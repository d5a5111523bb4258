"""The control plane as a whole: what there is, in which layout."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient

from mockgraph import __version__

SECURITY = "/localtest/Security"


def test_health(client: FlaskClient) -> None:
    answer = client.get("/_mockgraph/health")
    assert answer.status_code == 200
    assert answer.json == {"status": "ready", "version": __version__}


def test_the_index_says_what_is_where(client: FlaskClient) -> None:
    body = client.get("/").json
    assert body is not None
    assert body["roots"] == {
        "localtest": SECURITY,
        "v1.0": "/v1.0/security",
        "beta": "/beta/security",
    }
    assert all(client.get(path).status_code == 200 for path in body["roots"].values())


def test_all_that_there_is_is_told(client: FlaskClient) -> None:
    for path in ("/_mockgraph", "/_mockgraph/"):
        told = client.get(path).json
        assert told is not None
        assert told["value"][0] == "GET /_mockgraph"
        assert "POST /_mockgraph/snapshots/{name}/restore" in told["value"]
        assert len(told["value"]) == len(set(told["value"])) > 20


def test_the_layout_of_the_pages(make_client: Callable[..., FlaskClient]) -> None:
    data = make_client(json="documented").get("/_mockgraph/health").data
    assert data.startswith(b'{\r\n  "status": "ready",\r\n')


def test_an_endpoint_that_is_misspelt(client: FlaskClient) -> None:
    answer = client.get("/_mockgraph/requets")
    assert answer.status_code == 404
    assert "Did you mean /_mockgraph/requests" in answer.get_json()["error"]["message"]
