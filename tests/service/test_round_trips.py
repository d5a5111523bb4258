"""Round trips of values: values of every entity type, drawn from its schema."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from edm_strategies import values_of
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from profiles import examples

from mockgraph import metadata as edm

from . import DOCUMENTED, SETS, at, creatable, create, resource_of

Json = Any
WHOLE = {"Prefer": "return=representation, include-unknown-enum-members"}
quick = settings(
    max_examples=examples(12),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def assert_same(declared: edm.PropertyField, sent: Json, got: Json, path: str) -> None:
    if sent is None or got is None:
        assert got is sent, path
    elif isinstance(declared, edm.DateTimeOffset):
        assert moment(got) == moment(sent), path
        assert got.endswith("Z"), path
    elif isinstance(declared, edm.Complex):
        assert_shows(declared.schema, sent, got, path)
    elif isinstance(declared, edm.Collection):
        assert len(got) == len(sent), path
        for index, pair in enumerate(zip(sent, got, strict=True)):
            assert_same(declared.item, *pair, f"{path}/{index}")
    else:
        assert (type(got), got) == (type(sent), sent), path


@pytest.fixture(autouse=True, scope="module")
def standing(shared_graph: FlaskClient) -> Iterator[None]:
    """The clock stands still: what goes on by time does not between a write and the next read."""
    shared_graph.application.extensions["mockgraph"].default.state.clock.freeze()
    yield
    assert shared_graph.post("/_mockgraph/reset").status_code == 204


def assert_shows(
    schema: type[edm.StructuredSchema], sent: dict[str, Json], got: dict[str, Json], path: str
) -> None:
    """All that was sent is there, all that was not is unset, and nothing else is."""
    assert ("@odata.type" in sent) <= ("@odata.type" in got), path
    schema = schema.named_by(sent)
    sent = {name: value for name, value in sent.items() if "@" not in name}
    declared = schema.properties()
    shown = {name for name in got if "@" not in name}
    assert shown == set(declared) | set(sent), path
    for name in shown - set(declared):
        assert got[name] == sent[name], f"{path}/{name}"
    for name, each in declared.items():
        if not each.computed:
            assert_same(each, sent.get(name, each.unset()), got[name], f"{path}/{name}")


def moment(text: str) -> tuple[datetime, str]:
    """The whole second as a datetime, and the fraction's digits."""
    match = re.fullmatch(r"([^.]{19})\.?(\d*)(Z|[+-]\d\d:\d\d)", text)
    assert match is not None
    return datetime.fromisoformat(match[1] + match[3]), match[2]


def merged(schema: type[edm.StructuredSchema], before: Json, changes: Json) -> Json:
    """Return the value after a PATCH, by the definition of a merge."""
    if "@odata.type" in changes and schema.named_by(before) is not schema.named_by(changes):
        before = {}
    after = {**before, **changes}
    schema = schema.named_by(changes if "@odata.type" in changes else before)
    for name, declared in schema.properties().items():
        inner, old = changes.get(name), before.get(name)
        if isinstance(declared, edm.Complex) and inner is not None and old is not None:
            after[name] = merged(declared.schema, old, inner)
    return after


def send(graph: FlaskClient, method: str, url: str, body: Json) -> Json:
    response = graph.open(url, method=method, json=body, headers=WHOLE)
    assert response.status_code in (200, 201), response.text
    read = graph.get(response.headers.get("Location", url), headers=WHOLE)
    assert read.json == response.json
    return response.json


@pytest.mark.parametrize("name", [name for root, name in creatable() if root == "beta"])
@quick
@given(data=st.data())
def test_create_and_read(shared_graph: FlaskClient, name: str, data: st.DataObject) -> None:
    schema = resource_of("beta", name).type
    sent = data.draw(values_of(schema)) | {"id": None}
    got = send(shared_graph, "POST", at("beta", name), sent)
    assert got["id"]
    assert_shows(schema, sent, got, name)


def acceptable(schema: type[edm.StructuredSchema], changes: Json) -> Json:
    """Return changes without what has tests of its own.

    Null for what is not nullable, and the member that stands for those a client does not know.
    """
    declared = schema.named_by(changes).properties()
    left: dict[str, Json] = {}
    for name, value in changes.items():
        field = declared.get(name)
        if isinstance(field, edm.Complex) and isinstance(value, dict):
            left[name] = acceptable(field.schema, value)
        elif value == edm.UNKNOWN_MEMBER:
            continue
        elif value is not None or field is None or field.nullable:
            left[name] = value
    return left


@pytest.mark.parametrize("name", SETS)
@quick
@given(data=st.data())
def test_update_and_read(shared_graph: FlaskClient, name: str, data: st.DataObject) -> None:
    root = "localtest" if name in DOCUMENTED else "v1.0"
    resource = resource_of(root, name)
    schema, updatable = resource.type, resource.rules.update.updatable_properties
    first = data.draw(values_of(schema)) | {"id": None}
    changes = acceptable(schema, data.draw(values_of(schema, partial=True)))
    if updatable is not None:
        changes = {name: value for name, value in changes.items() if name in updatable}
    made = create(shared_graph, name, **first)
    got = send(shared_graph, "PATCH", at(root, name, made["id"]), changes)
    assert got["id"] == made["id"]
    assert_shows(schema, merged(schema, first, changes), got, name)
