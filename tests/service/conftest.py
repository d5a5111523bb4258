"""A client of an app whose sets are empty, shared and reset: an app for each test costs more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import EMPTY
from flask.testing import FlaskClient

from mockgraph.app import create_app
from mockgraph.server_options import Settings

from . import ALERTS


@pytest.fixture(scope="session")
def shared_graph() -> Iterator[FlaskClient]:
    """For tests that reset it by themselves, before each of their examples."""
    app = create_app(Settings(seed=(EMPTY,)))
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = "Bearer token"
    yield client
    app.extensions["mockgraph"].close()


@pytest.fixture
def graph(shared_graph: FlaskClient) -> FlaskClient:
    """A client of an app with nothing in its sets."""
    assert shared_graph.post("/_mockgraph/reset").status_code == 204
    return shared_graph


@pytest.fixture
def alerts(graph: FlaskClient) -> FlaskClient:
    """A client of an app with the four alerts of ``ALERTS``."""
    document = {"Security": {"providerStatus": [], "alerts": ALERTS}}
    assert graph.put("/_mockgraph/state", json=document).status_code == 204
    return graph
