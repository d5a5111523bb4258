"""Code under test that talks to the real service once; here the service is MockGraph's."""

from __future__ import annotations

import json
import logging
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import httpx
import pytest
import requests

from mockgraph import MockGraph
from mockgraph.errors import MockGraphError
from mockgraph.serving.transports import CallRefused

TOKEN = "the-token-of-the-tenant"
AUTH = {"Authorization": f"Bearer {TOKEN}"}
HOSTS = ["127.0.0.1"]
ALERT = {"severity": "high", "status": "new", "serviceSource": "microsoftDefenderForEndpoint"}


@pytest.fixture
def real() -> Iterator[MockGraph]:
    alerts = [
        {**ALERT, "id": f"a{number}", "title": f"Odd sign-in of Kim {number}"}
        for number in range(3)
    ]
    with MockGraph(seed={"Security": {"alerts_v2": alerts}}) as graph:
        yield graph


@pytest.fixture
def graph() -> Iterator[MockGraph]:
    with MockGraph() as served:
        yield served


def read_with_urllib(url: str) -> Any:
    with urllib.request.urlopen(urllib.request.Request(url, headers=AUTH)) as answer:
        return json.load(answer)


@pytest.mark.parametrize(
    "read",
    [
        lambda url: requests.get(url, headers=AUTH).json(),
        lambda url: httpx.get(url, headers=AUTH).json(),
        read_with_urllib,
    ],
    ids=["requests", "httpx", "urllib"],
)
def test_what_is_read_is_a_seed(
    real: MockGraph,
    graph: MockGraph,
    tmp_path: Path,
    read: Any,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    file = tmp_path / "seed.json"
    url: str | None = f"{real.origin}/v1.0/security/alerts_v2?$top=2"
    titles = []
    with graph.record(file, hosts=HOSTS) as recording:
        while url is not None:
            page = read(url)
            titles += [each["title"] for each in page["value"]]
            url = page.get("@odata.nextLink")
    assert sorted(titles) == [f"Odd sign-in of Kim {number}" for number in range(3)]
    assert (recording.entities, recording.drift) == (3, ())
    assert len(real.requests) == 2
    assert {each.headers["authorization"] for each in real.requests} != {None}
    written = file.read_text()
    assert "Kim" not in written
    said = "".join(capfd.readouterr()) + caplog.text + written
    assert TOKEN not in said
    with MockGraph(seed=str(file)) as captured:
        alerts = captured.state["Security"]["alerts_v2"]
    assert [each["severity"] for each in alerts] == ["high"] * 3


def test_what_may_write_is_not_sent(real: MockGraph, graph: MockGraph, tmp_path: Path) -> None:
    url = f"{real.origin}/v1.0/security/alerts_v2/a1"
    recording = graph.record(tmp_path / "seed.json", hosts=HOSTS)
    recording.__enter__()
    answer = requests.patch(url, json={"status": "resolved"}, headers=AUTH)
    assert answer.status_code == 405
    refused = "Not sent, for it may write: PATCH /v1.0/security/alerts_v2/a1"
    with pytest.raises(MockGraphError, match=refused):
        recording.__exit__(None, None, None)
    assert list(real.requests) == []
    assert not (tmp_path / "seed.json").exists()
    with graph.record(tmp_path / "seed.json", hosts=HOSTS, writes=True):
        answer = requests.patch(url, json={"status": "resolved"}, headers=AUTH)
    assert (answer.status_code, answer.json()["status"]) == (200, "resolved")
    assert [each.method for each in real.requests] == ["PATCH"]


def test_what_is_refused_is_passed_on_and_not_taken(
    real: MockGraph, graph: MockGraph, tmp_path: Path
) -> None:
    real.faults.throttle(times=1, retry_after=9)
    url = f"{real.origin}/v1.0/security/alerts_v2"
    with graph.record(tmp_path / "seed.json", hosts=HOSTS, keep=["title"]) as recording:
        assert requests.get(url, headers=AUTH).headers["Retry-After"] == "9"
        assert recording.entities == 0
        with pytest.raises(HTTPError):
            read_with_urllib(f"{real.origin}/v1.0/security/nothing")
        assert requests.get(f"{url}/$count", headers=AUTH).text == "3"
        requests.get(url, headers=AUTH)
    assert recording.entities == 3
    assert "Odd sign-in of Kim" in (tmp_path / "seed.json").read_text()


def test_other_hosts_are_not_called(graph: MockGraph, tmp_path: Path) -> None:
    with (
        graph.record(tmp_path / "seed.json"),
        pytest.raises(CallRefused, match=r"elsewhere\.example"),
    ):
        requests.get("https://elsewhere.example/v1.0/security/alerts_v2")


def test_a_test_that_fails_leaves_no_seed(
    real: MockGraph, graph: MockGraph, tmp_path: Path
) -> None:
    def failing() -> None:
        with graph.record(tmp_path / "seed.json", hosts=HOSTS):
            requests.get(f"{real.origin}/v1.0/security/alerts_v2", headers=AUTH)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    assert not (tmp_path / "seed.json").exists()


def test_a_service_that_does_not_answer_is_told(graph: MockGraph, tmp_path: Path) -> None:
    with graph.record(tmp_path / "seed.json", hosts=HOSTS) as recording:
        answer = requests.get("http://127.0.0.1:1/v1.0/security/alerts_v2", headers=AUTH)
    assert answer.status_code == 503
    assert "127.0.0.1:1 does not answer" in answer.json()["error"]["message"]
    assert recording.entities == 0


def test_a_seed_that_cannot_be_written_is_told(graph: MockGraph, tmp_path: Path) -> None:
    with (
        pytest.raises(MockGraphError, match="cannot be written"),
        graph.record(tmp_path / "missing" / "seed.json"),
    ):
        pass
