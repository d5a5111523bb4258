"""Exchanges as commands of curl: a shell that reads one has the same words."""

from __future__ import annotations

import shlex

import pytest
import requests

from mockgraph import MockGraph
from mockgraph.testing.curl import as_curl

HOSTILE = 'a\'; rm -rf "$HOME" `id` $(id) \\ é'


@pytest.fixture
def graph(mockgraph: MockGraph) -> MockGraph:
    return mockgraph


def test_a_read(graph: MockGraph) -> None:
    url = f"{graph.v1}/security/alerts_v2?$filter=title eq 'x y'&$top=1"
    requests.get(url, headers={"Authorization": "Bearer secret"}, timeout=10)
    command = as_curl(graph.requests[0], graph.origin)
    assert "secret" not in command
    words = shlex.split(command)
    assert words[0] == "curl"
    assert "Authorization: Bearer $TOKEN" in words
    sent = requests.Request("GET", words[1]).prepare().url
    assert sent == requests.Request("GET", url).prepare().url


def test_a_write_with_whatever_a_client_may_send(graph: MockGraph) -> None:
    headers = {"Authorization": "Bearer x", "X-Note": HOSTILE.encode().decode("latin-1")}
    path = f"{graph.v1}/security/alerts_v2/a%27%20%24(id)"
    requests.patch(path, headers=headers, json={"title": HOSTILE}, timeout=10)
    words = shlex.split(as_curl(graph.requests[0], graph.origin).replace("\\\n", ""))
    assert words[1:4] == ["-X", "PATCH", path.replace("%24", "$").replace("%27", "'")]
    assert words[-2] == "--data-raw"
    assert words[-1] == graph.requests[0].text
    assert all(words[index] in ("-H", "--data-raw") for index in range(4, len(words), 2))
