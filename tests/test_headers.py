"""The headers of every answer, and what HEAD and OPTIONS say."""

from __future__ import annotations

import re
import uuid
from email.utils import parsedate_to_datetime

import pytest
from flask.testing import FlaskClient
from wire import ask

from mockgraph import MockGraph

SECURITY = "/localtest/Security"
ANSWERS = [
    ("GET", SECURITY, 200),
    ("HEAD", SECURITY, 200),
    ("OPTIONS", SECURITY, 204),
    ("GET", "/localtest", 200),
    ("PATCH", SECURITY, 400),
    ("DELETE", SECURITY, 405),
    ("GET", "/nowhere", 400),
    ("GET", f"{SECURITY}/alerts/none", 404),
    ("GET", f"{SECURITY}/providerStatus/$count", 200),
    ("GET", "/_mockgraph/health", 200),
    ("GET", "/_mockgraph/none", 404),
    ("POST", "/_mockgraph/reset", 204),
]
every_answer = pytest.mark.parametrize(("method", "path", "status"), ANSWERS)


@every_answer
def test_every_answer_is_identified(
    client: FlaskClient, method: str, path: str, status: int
) -> None:
    answer = client.open(path, method=method)
    assert answer.status_code == status
    made = answer.headers["request-id"]
    assert uuid.UUID(made).version == 4
    assert answer.headers["client-request-id"] == made
    assert answer.headers["OData-Version"] == "4.0"
    assert client.open(path, method=method).headers["request-id"] != made


@every_answer
def test_the_callers_id_is_echoed(client: FlaskClient, method: str, path: str, status: int) -> None:
    answer = client.open(path, method=method, headers={"Client-Request-Id": "my own: 1/2"})
    assert answer.status_code == status
    assert answer.headers["client-request-id"] == "my own: 1/2"
    assert answer.headers["request-id"] != "my own: 1/2"
    if status >= 400:
        assert answer.json is not None
        inner = answer.json["error"]["innerError"]
        assert inner["client-request-id"] == "my own: 1/2"
        assert inner["request-id"] == answer.headers["request-id"]


def test_over_a_socket_there_is_a_date_and_one_of_each() -> None:
    with MockGraph() as graph:
        answer = ask(graph.origin, "GET", SECURITY)
    assert parsedate_to_datetime(answer.headers["Date"]).tzinfo is not None
    for name in ("Date", "Content-Type", "Content-Length", "request-id", "ETag"):
        assert len(answer.headers.get_all(name) or ()) == 1, name
    assert answer.headers["Content-Length"] == str(len(answer.body))


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (SECURITY, "GET, PATCH, HEAD, OPTIONS"),
        ("/localtest", "GET, HEAD, OPTIONS"),
        (f"{SECURITY}/alerts", "GET, POST, HEAD, OPTIONS"),
        (f"{SECURITY}/alerts/key", "GET, PATCH, DELETE, HEAD, OPTIONS"),
        (f"{SECURITY}/alerts/key/title", "GET, HEAD, OPTIONS"),
        (f"{SECURITY}/alerts/updateAlerts", "POST, OPTIONS"),
        ("/localtest/$batch", "POST, OPTIONS"),
    ],
)
def test_allow(client: FlaskClient, path: str, allowed: str) -> None:
    refused = client.open(path, method="BREW")
    assert (refused.status_code, refused.headers["Allow"]) == (405, allowed)
    asked = client.options(path)
    assert (asked.status_code, asked.data, asked.headers["Allow"]) == (204, b"", allowed)
    assert set(allowed.split(", ")) - {"HEAD", "OPTIONS"} <= {"GET", "POST", "PATCH", "DELETE"}


@pytest.mark.parametrize("path", [SECURITY, "/localtest", f"{SECURITY}/alerts", "/nowhere"])
def test_head_is_get_without_the_body(client: FlaskClient, path: str) -> None:
    got, headed = client.get(path), client.head(path)
    assert headed.data == b""
    assert headed.status_code == got.status_code
    ids = {"request-id", "client-request-id"}
    same = [{(n, v) for n, v in each.headers if n not in ids} for each in (got, headed)]
    assert same[0] == same[1]
    assert int(headed.headers["Content-Length"]) == len(got.data)


@pytest.mark.parametrize("level", ["none", "minimal", "full"])
def test_the_content_type_names_the_metadata_level(client: FlaskClient, level: str) -> None:
    answer = client.get(SECURITY, headers={"Accept": f"application/json;odata.metadata={level}"})
    assert answer.headers["Content-Type"] == (
        f"application/json;odata.metadata={level};odata.streaming=true;"
        "IEEE754Compatible=false;charset=utf-8"
    )
    assert answer.json is not None
    annotations = [name for name in answer.json if "@" in name]
    assert bool(annotations) == (level != "none")
    assert ("@odata.id" in answer.json) == (level == "full")


def test_counts_and_raw_values_are_text(client: FlaskClient) -> None:
    count = client.get(f"{SECURITY}/providerStatus/$count")
    assert (count.headers["Content-Type"], count.data) == ("text/plain;charset=utf-8", b"1")
    raw = client.get(f"{SECURITY}/id/$value")
    assert raw.headers["Content-Type"] == "text/plain;charset=utf-8"
    assert re.fullmatch(rb"[0-9a-f-]{36}", raw.data)
