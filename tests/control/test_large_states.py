"""State documents too large to be kept in memory: put from a file, whole or not at all."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from wire import JSON, ask

from mockgraph import MockGraph
from mockgraph.odata import validation
from mockgraph.serving import http1_parser

LARGE = 20_000  # bytes
STATE = "/_mockgraph/state"


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> Iterator[MockGraph]:
    """A server whose bodies are in files from a few bytes on."""
    monkeypatch.setattr(http1_parser, "_IN_MEMORY", 1000)
    monkeypatch.setattr(http1_parser, "SMALL", 500)
    with MockGraph() as graph:
        yield graph


def document(count: int = 50, **security: Any) -> dict[str, Any]:
    alerts = [{"id": f"a{n}", "title": "ü" * 300} for n in range(count)]
    cases = {"ediscoveryCases": [{"id": "c", "custodians": [{"id": "u", "email": "u@x.y"}]}]}
    return {
        "Security": {"alerts": alerts, "cases": cases, **security},
        "Directory": {"apps": [{"appId": "x", "secrets": ["s3cret"]}]},
        "Hunting": {"DeviceEvents": [{"DeviceName": "d"}]},
    }


def put(graph: MockGraph, body: bytes, path: str = STATE, **headers: str) -> tuple[int, Any]:
    answer = ask(graph.origin, "PUT", path, body, {**JSON, **headers})
    return answer.status, answer.body and json.loads(answer.body)


@pytest.mark.parametrize("form", ["as it is", "indented", "with a mark", "gzip"])
@pytest.mark.parametrize("path", [STATE, "/_mockgraph/snapshots/s"])
def test_it_is_what_a_small_one_would_be(graph: MockGraph, form: str, path: str) -> None:
    noise = " ".join(f"{n * 7919 % 10007}" for n in range(2000))
    value = document(providerStatus=[{"region": noise}])
    graph.state = value
    expected = graph.state
    graph.reset()
    body, headers = json.dumps(value, indent=2 if form == "indented" else None).encode(), {}
    if form == "with a mark":
        body = b"\xef\xbb\xbf" + body
    if form == "gzip":
        body = gzip.compress(body)
        headers = {"Content-Encoding": "gzip"}
    assert len(body) > 1000
    assert put(graph, body, path, **headers) == (204, b"")
    if path != STATE:
        graph.restore("s")
    assert graph.state == expected


FAULTS = [
    ({"alerts": [*document()["Security"]["alerts"], {"id": 5}]}, "Security/alerts/50/id"),
    ({"alerts": [*document()["Security"]["alerts"], {"id": "a0"}]}, "'a0' is given twice"),
    ({"alerts": {"a": "x" * 2000}}, "Security/alerts: an array is expected"),
    ({"providerStatus": "x" * 2000}, "Security/providerStatus"),
    ({"cases": {"ediscoveryCases": [{"custodians": 5, "x": "x" * 2000}]}}, "custodians"),
]


@pytest.mark.parametrize(("security", "says"), FAULTS)
def test_it_is_refused_whole_with_the_path(graph: MockGraph, security: Any, says: str) -> None:
    before = graph.state
    status, said = put(graph, json.dumps(document(**security)).encode())
    assert status == 400
    assert says in said["error"]["message"]
    assert graph.state == before


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda text: text[:-1],
        lambda text: text[: len(text) // 2],
        lambda text: text + b"x",
        lambda text: text.replace(b'"id": "a40"', b'"id": a40'),
        lambda text: text.replace(b"\\u00fc", b"\xff"),
        lambda text: b"[" + text + b"]",
        lambda text: text.replace(b"Security", b"Sekurity"),
    ],
)
def test_what_is_no_document_is_refused(graph: MockGraph, spoilt: Any) -> None:
    before = graph.state
    status, _ = put(graph, spoilt(json.dumps(document()).encode()))
    assert status == 400
    assert graph.state == before


def test_it_is_bounded_by_number(graph: MockGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "_MAX_VALUES", 100)
    before = graph.state
    status, said = put(graph, json.dumps({"Security": {"alerts": [{}] * 5000}}).encode())
    assert status == 413
    assert "objects or arrays" in said["error"]["message"]
    assert graph.state == before


def test_what_is_packed_is_bounded_as_it_is_unpacked(graph: MockGraph) -> None:
    before = graph.state
    bomb = gzip.compress(b'{"Security": {"own": "' + b" " * (40 * 1024 * 1024) + b'"}}')
    assert len(bomb) > 1000
    assert put(graph, bomb, **{"Content-Encoding": "gzip"})[0] == 413
    assert graph.state == before


def test_rows_for_hunting_may_be_as_large(graph: MockGraph) -> None:
    rows = {"DeviceEvents": [{"DeviceName": f"d{n}"} for n in range(500)]}
    body = json.dumps({"rows": rows["DeviceEvents"], "table": "DeviceEvents"}).encode()
    assert ask(graph.origin, "POST", "/_mockgraph/hunting/rows", body, JSON).status == 204
    assert len(graph.state["Hunting"]["DeviceEvents"]) >= 500
