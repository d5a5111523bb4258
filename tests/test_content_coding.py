"""Bodies that come packed, as the SDK for Go sends its own."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest
from conftest import state_of
from flask.testing import FlaskClient
from wire import JSON, ask

from mockgraph import MockGraph, create_app
from mockgraph.server_options import Settings

SECURITY = "/localtest/Security"
BODY = b'{"providerStatus":[{"provider":"Sentry"}]}'
MALFORMED = "Unable to read JSON request payload."
PACKED = gzip.compress(BODY, mtime=0)


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", PACKED),
        ("GZIP", PACKED),
        ("x-gzip", PACKED),
        ("identity", BODY),
        ("", BODY),
        ("gzip", gzip.compress(BODY, 0, mtime=0)),
    ],
)
def test_a_packed_body_is_read(client: FlaskClient, coding: str, body: bytes) -> None:
    answer = client.patch(SECURITY, data=body, headers={**JSON, "Content-Encoding": coding})
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    assert answer.json["providerStatus"][0]["provider"] == "Sentry"


@pytest.mark.parametrize(
    ("coding", "body", "status", "says"),
    [
        ("gzip", BODY, 400, MALFORMED),
        ("gzip", PACKED[:-1], 400, MALFORMED),
        ("gzip", PACKED[:10], 400, MALFORMED),
        ("gzip", PACKED + b"more", 400, MALFORMED),
        ("gzip", PACKED[:-5] + b"\0" + PACKED[-4:], 400, MALFORMED),
        ("gzip", zlib.compress(BODY), 400, MALFORMED),
        ("gzip", gzip.compress(b"", mtime=0), 400, "Empty Payload."),
        ("gzip", b"", 400, "Empty Payload."),
        ("gzip", gzip.compress(b"no JSON", mtime=0), 400, MALFORMED),
        ("br", PACKED, 415, "The content coding 'br' is not supported"),
        (
            "gzip, gzip",
            gzip.compress(PACKED, mtime=0),
            415,
            "The content coding 'gzip, gzip' is not",
        ),
    ],
)
def test_what_cannot_be_unpacked_is_refused(
    client: FlaskClient, coding: str, body: bytes, status: int, says: str
) -> None:
    before = state_of(client)
    answer = client.patch(SECURITY, data=body, headers={**JSON, "Content-Encoding": coding})
    assert answer.status_code == status
    assert answer.json is not None
    assert answer.json["error"]["message"].startswith(says)
    assert answer.headers.get("Accept-Encoding") == ("gzip" if status == 415 else None)
    assert state_of(client) == before


@pytest.mark.parametrize("more", [0, 1])
def test_no_more_is_unpacked_than_a_body_may_have(more: int) -> None:
    limit = 1000
    body = BODY.ljust(limit + more)
    client = create_app(Settings(max_body=limit)).test_client()
    headers = {**JSON, "Content-Encoding": "gzip"}
    answer = client.patch(SECURITY, data=gzip.compress(body), headers=headers)
    assert answer.status_code == (413 if more else 200)


def test_over_a_socket_and_in_the_journal() -> None:
    with MockGraph() as graph:
        headers = {**JSON, "Content-Encoding": "gzip"}
        answer = ask(graph.origin, "PATCH", SECURITY, PACKED, headers)
        assert answer.status == 200
        graph.assert_called("PATCH", "/security", json=json.loads(BODY), times=1)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"Security":{"alerts":[' + b"{}," * 299_999 + b"{}]}}", "objects or arrays"),
        (b"[" + b"[]," * 299_999 + b"[]]", "objects or arrays"),
        (b'{"x":"' + b" " * 64 * 1024 * 1024 + b'"}', "larger than"),
    ],
)
def test_what_is_small_when_it_is_packed_and_large_when_not(
    client: FlaskClient, body: bytes, says: str
) -> None:
    before = state_of(client)
    packed = gzip.compress(body, mtime=0)
    assert len(packed) < 100_000
    headers = {**JSON, "Content-Encoding": "gzip"}
    answer = client.put("/_mockgraph/state", data=packed, headers=headers)
    assert answer.status_code == 413
    assert answer.json is not None
    assert says in answer.json["error"]["message"]
    assert state_of(client) == before


def test_a_large_state_that_repeats_itself_is_read(client: FlaskClient) -> None:
    alerts = [{"id": f"a{number}", "title": "x" * 200} for number in range(20_000)]
    packed = gzip.compress(json.dumps({"Security": {"alerts": alerts}}).encode(), mtime=0)
    headers = {**JSON, "Content-Encoding": "gzip"}
    answer = client.put("/_mockgraph/state", data=packed, headers=headers)
    assert answer.status_code == 204
