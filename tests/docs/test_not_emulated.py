"""Requests of docs/not-emulated.md, sent: each gets the answer that the page names."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import requests
from manual import PAGES

from mockgraph import MockGraph

PAGE = PAGES["docs/not-emulated.md"]
ROWS = re.findall(r"^\|[^|]*\| `([A-Z]+) (/[^`]*)` \| (\d{3}) \|$", PAGE, re.MULTILINE)
AUTH = {"Authorization": "Bearer x"}


@pytest.fixture(scope="module")
def graph() -> Iterator[MockGraph]:
    with MockGraph(seed={"Security": {"alerts_v2": [{"id": "a1"}]}}) as graph:
        yield graph


def test_each_row_is_read() -> None:
    assert len(ROWS) == len(re.findall(r"\| \d{3} \|$", PAGE, re.MULTILINE)) > 10


@pytest.mark.parametrize(("method", "path", "status"), ROWS)
def test_a_request_gets_what_is_said(graph: MockGraph, method: str, path: str, status: str) -> None:
    answer = requests.request(
        method, graph.origin + path, json={}, headers=AUTH, timeout=10, allow_redirects=False
    )
    assert answer.status_code == int(status), answer.text
    if status == "501":
        assert answer.json()["error"]["message"].startswith("MockGraph does not emulate")
        assert graph.requests[-1].is_unemulated


def test_an_atomic_group_is_refused(graph: MockGraph) -> None:
    item = {"id": "1", "atomicityGroup": "g", "method": "GET", "url": "/security/alerts_v2"}
    url = f"{graph.v1}/$batch"
    answer = requests.post(url, json={"requests": [item]}, headers=AUTH, timeout=10)
    assert answer.status_code == 501
