"""Deprecation headers of what is deprecated: resources, properties in use, operations."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from mockgraph.state.behaviours import Behaviour

from . import at
from .museum import WORK, museum, shared_museum

__all__ = ["museum", "shared_museum"]

SINCE = {
    "Deprecation": "Sat, 01 Mar 2025 00:00:00 GMT",
    "Sunset": "Mon, 01 Mar 2027 00:00:00 GMT",
}


def told(answer: Any) -> dict[str, str]:
    assert answer.status_code < 300, answer.text
    return {name: answer.headers[name] for name in SINCE if name in answer.headers}


@pytest.mark.parametrize(
    "options",
    [
        "$select=id,oldTitle",
        "$filter=oldTitle eq 'x'",
        "$filter=kin/any(k: k/oldTitle eq 'x')",
        "$orderby=id,oldTitle desc",
        "$expand=kin($select=oldTitle)",
        "$expand=kin($expand=kin($filter=oldTitle ne null))",
    ],
)
def test_a_property_in_a_query(museum: FlaskClient, options: str) -> None:
    assert told(museum.get(f"/v1.0/works?{options}")) == SINCE


@pytest.mark.parametrize(
    "options",
    ["", "$select=title", "$filter=title eq 'oldTitle'", "$expand=kin", "$select=size/oldTitle"],
)
def test_what_does_not_use_it(museum: FlaskClient, options: str) -> None:
    assert told(museum.get(f"/v1.0/works?{options}")) == {}


def test_a_property_that_is_written_or_read_by_its_path(museum: FlaskClient) -> None:
    assert told(museum.patch(WORK, json={"oldTitle": "x"})) == SINCE
    assert told(museum.patch(WORK, json={"title": "x"})) == {}
    assert told(museum.get(f"{WORK}/oldTitle")) == SINCE
    assert told(museum.get(f"{WORK}/oldTitle/$value")) == SINCE
    assert told(museum.post("/v1.0/works", json={"title": "x", "oldTitle": "y"})) == SINCE
    assert told(museum.post("/v1.0/works", json={"title": "x"})) == {}


def test_an_operation(museum: FlaskClient) -> None:
    state = museum.application.extensions["mockgraph"].default.state
    state.behaviours["museum.lock"] = Behaviour(lambda *_: True)
    assert told(museum.post("/v1.0/lock")) == SINCE


def test_what_is_below_a_deprecated_resource(graph: FlaskClient) -> None:
    graph.post(at("localtest", "alerts"), json={"id": "a"})
    assert told(graph.get(at("v1.0", "alerts", "a", "title")))
    assert not told(graph.get(at("localtest", "alerts", "a", "title")))


def test_a_property_of_the_bundled_metadata(graph: FlaskClient) -> None:
    assert told(graph.get(f"{at('v1.0', 'alerts_v2')}?$select=category"))
    assert not told(graph.get(f"{at('v1.0', 'alerts_v2')}?$select=title"))
