"""MockGraph in a container for a test session: pip install testcontainers requests pytest.

The image is built before: docker build --tag mockgraph .
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import HttpWaitStrategy

PORT = 8365
AUTH = {"Authorization": "Bearer x"}


@pytest.fixture(scope="session")
def graph() -> Iterator[str]:
    """The URL of MockGraph, with the demo tenant."""
    container = DockerContainer("mockgraph").with_command(["serve", "--seed", "demo"])
    ready = HttpWaitStrategy(PORT, "/_mockgraph/health")
    with container.with_exposed_ports(PORT).waiting_for(ready) as running:
        yield f"http://{running.get_container_host_ip()}:{running.get_exposed_port(PORT)}"


@pytest.fixture(autouse=True)
def as_new(graph: str) -> None:
    requests.post(f"{graph}/_mockgraph/reset", timeout=10).raise_for_status()


def test_incidents_are_listed(graph: str) -> None:
    answer = requests.get(f"{graph}/v1.0/security/incidents", headers=AUTH, timeout=10)
    assert answer.status_code == 200
    assert answer.json()["value"]
