"""A server that commands ask, as it was at the start for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mockgraph import MockGraph


@pytest.fixture(scope="module")
def server() -> Iterator[MockGraph]:
    with MockGraph() as graph:
        yield graph


@pytest.fixture
def graph(server: MockGraph) -> MockGraph:
    server.renew()
    return server
