"""The pytest plugin: the fixture ``mockgraph`` and the marker of the same name.

Loading it imports nothing of MockGraph's; the server is made for the first test that asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mockgraph.live import MockGraph


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "mockgraph(seed=..., auth=...): the state that this test starts from (a state document, "
        "a path or a list of them), and how tokens are checked ('any' or 'off').",
    )


@pytest.fixture(scope="session")
def _mockgraph_servers() -> Iterator[dict[str, MockGraph]]:
    servers: dict[str, MockGraph] = {}
    yield servers
    for server in servers.values():
        server.stop()


@pytest.fixture
def mockgraph(
    request: pytest.FixtureRequest, _mockgraph_servers: dict[str, MockGraph]
) -> MockGraph:
    """A running MockGraph, fresh for each test: one server a process, reset in between."""
    from mockgraph.live import MockGraph

    marker = request.node.get_closest_marker("mockgraph")
    options = dict(marker.kwargs) if marker else {}
    if marker and (marker.args or options.keys() - {"seed", "auth"}):
        raise pytest.UsageError("The marker mockgraph takes seed= and auth=, nothing else.")
    auth = options.get("auth", "any")
    server = _mockgraph_servers.get(auth)
    if server is None:
        server = _mockgraph_servers[auth] = MockGraph(auth=auth).start()
    server.reset(options.get("seed", ()))
    return server
