"""Whole answers: values the server wrote, declared properties, and dynamic ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from mockgraph import metadata as edm

from . import (
    OFFICIAL,
    SETS,
    at,
    change,
    concrete,
    create,
    ids,
    may,
    on_every_creatable_set,
    on_every_set,
    on_every_updatable_set,
    refused,
    resource_of,
    shown,
    touch,
)

Json = Any

# What the service writes, by set: when an entity was made, and when it last changed.
MADE = dict.fromkeys(
    [
        "alerts",
        "cloudAppSecurityProfiles",
        "secureScores",
        "securityActions",
        "userSecurityProfiles",
        "alerts_v2",
        "incidents",
    ],
    "createdDateTime",
)
CHANGED = {
    "alerts": "lastModifiedDateTime",
    "cloudAppSecurityProfiles": "lastModifiedDateTime",
    "providerTenantSettings": "lastModifiedDateTime",
    "secureScoreControlProfiles": "lastModifiedDateTime",
    "userSecurityProfiles": "lastModifiedDateTime",
    "alerts_v2": "lastUpdateDateTime",
    "incidents": "lastUpdateDateTime",
}
REPRESENTATION = {"Prefer": "return=representation"}


# -- what the server writes ---------------------------------------------------------------


def moment(text: str) -> datetime:
    assert text.endswith("Z")
    return datetime.fromisoformat(text)


@on_every_set
def test_computed_times(graph: FlaskClient, root: str, name: str) -> None:
    computed = {each for each in (MADE.get(name), CHANGED.get(name)) if each}
    long_ago = "2001-01-01T00:00:00Z"
    made = shown(graph, root, name, **dict.fromkeys(computed, long_ago))
    now = datetime.now(UTC)
    if may("POST", "beta", name):
        assert all(now - timedelta(minutes=1) < moment(made[each]) <= now for each in computed)
    else:  # what a test adds is as it says
        assert all(made[each] == long_ago for each in computed)
    if not may("PATCH", root, name, "x"):
        return
    sent = {**dict.fromkeys(computed, long_ago), **touch(root, name)}
    after = graph.patch(at(root, name, made["id"]), json=sent, headers=REPRESENTATION).get_json()
    if name in MADE:
        assert after[MADE[name]] == made[MADE[name]]
    if name in CHANGED:
        assert moment(after[CHANGED[name]]) > moment(made[CHANGED[name]])


def test_no_other_time_is_computed() -> None:
    for name in SETS:
        declared = resource_of("beta", name).type.properties()
        computed = {each for each, field in declared.items() if field.computed} - {"id"}
        if name == "subjectRightsRequests":
            continue  # what is computed of these is tested with their lifecycle
        others = {"alerts_v2": {"resolvedDateTime"}, "incidents": {"lastModifiedBy"}}
        times = {each for each in (MADE.get(name), CHANGED.get(name)) if each}
        assert computed == times | others.get(name, set())


@on_every_updatable_set
def test_an_update_leaves_the_id_alone(graph: FlaskClient, root: str, name: str) -> None:
    key = create(graph, name)["id"]
    body = {**touch(root, name), "id": "another", "@odata.context": "c", "@odata.etag": 'W/"1"'}
    response = graph.patch(at(root, name, key), json=body, headers=REPRESENTATION)
    assert response.get_json()["id"] == key
    refused(graph.get(at(root, name, "another")), 404)


# -- whole answers ------------------------------------------------------------------------


def blank(schema: type[edm.StructuredSchema]) -> dict[str, Json]:
    """A value of the type with one empty item in each collection, one empty complex in each.

    Of an abstract type, one of the first type that derives from it and is not.
    """
    own = concrete(schema)
    value: dict[str, Json] = {} if own is schema else {"@odata.type": f"#{own.type_name}"}
    for name, declared in own.properties().items():
        if isinstance(declared, edm.Complex):
            value[name] = blank(declared.schema)
        elif isinstance(declared, edm.Collection) and isinstance(declared.item, edm.Complex):
            value[name] = [blank(declared.item.schema)]
    return value


def assert_whole(schema: type[edm.StructuredSchema], value: dict[str, Json], path: str) -> None:
    schema = schema.named_by(value) if "@odata.type" in value else schema
    shown = [name for name in value if "@" not in name]
    assert shown == list(schema.properties()), path
    for name, declared in schema.properties().items():
        item, where = value[name], f"{path}/{name}"
        if declared.computed:
            continue
        if isinstance(declared, edm.Complex):
            assert_whole(declared.schema, item, where)
        elif isinstance(declared, edm.Collection):
            assert isinstance(item, list), where
            if isinstance(declared.item, edm.Complex):
                for each in item:
                    assert_whole(declared.item.schema, each, where)
        else:
            assert item == declared.unset(), where


@on_every_set
def test_every_declared_property_comes_back_at_each_level(
    graph: FlaskClient, root: str, name: str
) -> None:
    schema = resource_of(root, name).type
    assert_whole(schema, shown(graph, root, name, **blank(schema)), name)
    assert_whole(schema, graph.get(at(root, name)).get_json()["value"][0], name)


@on_every_set
def test_complex_values_and_collections_nobody_set(
    graph: FlaskClient, root: str, name: str
) -> None:
    made = shown(graph, root, name)
    for each, declared in resource_of(root, name).type.properties().items():
        if not declared.computed:
            assert made[each] == declared.unset()


# -- dynamic properties -------------------------------------------------------------------


@on_every_creatable_set
def test_dynamic_properties(graph: FlaskClient, root: str, name: str) -> None:
    extra = {
        "aNumber": 1.5,
        "nested": {"list": [1, None, {"deep": True}]},
        "größe": "x",
        "no": None,
    }
    response = graph.post(at(root, name), json=extra)
    if not resource_of(root, name).type.is_open:
        assert "'aNumber' does not exist on type 'microsoft.graph." in refused(response)
        assert ids(graph.get(at(root, name))) == []
        return
    assert response.status_code == 201
    assert response.get_json().items() >= extra.items()
    url = response.headers["Location"]
    changed = {**change(name, "x"), **({} if name == "alerts" else {"aNumber": 2, "another": []})}
    graph.patch(url, json=changed)
    after = graph.get(url).get_json()
    assert after["nested"] == extra["nested"]
    if name != "alerts":
        assert (after["aNumber"], after["another"]) == (2, [])


@pytest.mark.parametrize("root", OFFICIAL)
def test_navigation_properties_are_no_dynamic_ones(graph: FlaskClient, root: str) -> None:
    """Clients send back what they were given, an expanded incident too: it must not stick."""
    key = create(graph, "incidents")["id"]
    sent_back = graph.patch(at(root, "incidents", key), json={"alerts": [{"id": "x"}]})
    assert sent_back.status_code == 200
    assert "alerts" not in sent_back.get_json()
    assert "alerts" not in graph.get(at(root, "incidents", key)).get_json()


def test_the_singleton_takes_no_dynamic_property(graph: FlaskClient) -> None:
    before = graph.get(at("v1.0")).json
    assert "'extra' does not exist" in refused(graph.patch(at("v1.0"), json={"extra": 1}))
    assert graph.get(at("v1.0")).json == before
