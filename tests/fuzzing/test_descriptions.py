"""What the OpenAPI descriptions promise holds, whatever is sent that they allow, or do not.

Schemathesis (https://schemathesis.readthedocs.io) makes the requests and compares the answers. The
test of a description is short in a test run; ``make soak`` makes it long, with new requests.
"""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from mockgraph.app import create_app
from mockgraph.seeds import read_seeds
from mockgraph.server_options import Settings

schemathesis = pytest.importorskip("schemathesis", reason="Schemathesis is not installed")

# An answer that goes on for as long as somebody listens.
ENDLESS = "/_mockgraph/requests/events"
CONTROL = "/_mockgraph/openapi.json"
SERVED = [
    f"/_mockgraph/openapi/{path}"
    for path in (
        "localtest.json",
        "v1.0.json?below=/security/alerts_v2",
        "v1.0.json?below=/security/incidents",
        "v1.0.json?below=/security/cases",
        "v1.0.json?below=/security/attackSimulation",
        "beta.json?below=/security/rules",
    )
]
CHECKS = [
    getattr(schemathesis.checks, name)
    for name in (
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "status_code_conformance",
    )
]
MODES = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]


@pytest.mark.hypothesis
@pytest.mark.parametrize("url", [CONTROL, *SERVED])
def test_what_a_description_promises_holds(url: str) -> None:
    app = create_app(Settings(seed=read_seeds("demo"), auth="off"))
    found = schemathesis.openapi.from_wsgi(url, app)
    operations = [each.ok() for each in found.get_all_operations()]
    operations = [each for each in operations if each.path != ENDLESS]
    keys = keys_in(app, operations)

    @settings(suppress_health_check=list(HealthCheck))
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        operation = data.draw(st.sampled_from(operations))
        case = data.draw(operation.as_strategy(data.draw(st.sampled_from(MODES))))
        known = keys.get(operation.path.partition("/{")[0])
        if known is not None and case.path_parameters:
            (name, *_) = case.path_parameters
            case.path_parameters[name] = data.draw(known | st.just(case.path_parameters[name]))
        if data.draw(st.booleans()):  # few texts are expressions of $filter and its like
            case.query = {}
        answer = case.call()
        assert answer.status_code < 500 or answer.status_code == 501, answer.text
        case.validate_response(answer, checks=CHECKS)

    holds()


def keys_in(app: Flask, operations: list[Any]) -> dict[str, SearchStrategy[str]]:
    """Return the keys of the entities in each list that is at a path without keys."""
    found = {}
    for each in operations:
        if each.method.upper() == "GET" and "{" not in each.path:
            listed: Any = app.test_client().get(each.path).get_json(silent=True)
            values = listed.get("value") if isinstance(listed, dict) else None
            ids = [one["id"] for one in values or () if isinstance(one, dict) and "id" in one]
            if ids:
                found[each.path] = st.sampled_from(ids)
    return found
