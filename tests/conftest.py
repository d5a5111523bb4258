"""Fixtures of many tests: an app of their own, a client that sends a token."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator
from typing import Any

import profiles  # noqa: F401 - before any test says how many examples it makes
import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis.strategies import none

from mockgraph import MockGraph
from mockgraph.app import create_app
from mockgraph.collector import _keep, leave_alone
from mockgraph.server_options import Settings

pytest_plugins = ["pytester"]

# The tests and what they import are half a million objects, none of them garbage: to look at them
# again and again takes as long as to find the tests.
gc.disable()


def pytest_collection_finish() -> None:
    """Let the garbage collector look at what is new alone, as in a server."""
    given(none())(lambda _: None)()  # Hypothesis asks it once who holds its random numbers
    leave_alone()
    gc.enable()


@pytest.fixture
def whole_collections() -> Iterator[None]:
    """Collections look at all that the test makes, which tells then what nobody holds any more."""
    gc.callbacks.remove(_keep)
    yield
    gc.callbacks.append(_keep)


EMPTY: dict[str, Any] = {"Security": {"providerStatus": []}}


@pytest.fixture
def make_client() -> Iterator[Callable[..., FlaskClient]]:
    """Makes a client of a new app from settings; it sends a bearer token unless told not to."""
    apps = []

    def make(**settings: Any) -> FlaskClient:
        app = create_app(Settings(**settings))
        apps.append(app)
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = "Bearer token"
        return client

    yield make
    for app in apps:
        app.extensions["mockgraph"].close()


@pytest.fixture
def client(make_client: Callable[..., FlaskClient]) -> FlaskClient:
    """A client of a fresh app with the documented state."""
    return make_client()


@pytest.fixture
def empty_client(make_client: Callable[..., FlaskClient]) -> FlaskClient:
    """A client of a fresh app whose sets are all empty."""
    return make_client(seed=(EMPTY,))


@pytest.fixture(scope="module")
def server() -> Iterator[MockGraph]:
    """A server of all tests of a module."""
    with MockGraph() as graph:
        yield graph


@pytest.fixture
def graph(server: MockGraph) -> MockGraph:
    """That server, as it was at the start."""
    server.renew()
    return server


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A test project of a user, which takes warnings for errors."""
    pytester.makeini("[pytest]\naddopts = --strict-markers\nfilterwarnings = error\n")
    return pytester


def state_of(client: FlaskClient) -> Any:
    """The whole state, to be compared before and after."""
    return json.loads(client.get("/_mockgraph/state").data)
