"""The $metadata documents as they are served, read back: against models and documented facts."""

from __future__ import annotations

from functools import cache

import pytest
from metadata.test_resources import FACTS, Fact, qualified

from mockgraph.app import create_app
from mockgraph.metadata import csdl
from mockgraph.metadata.elements import EntityType, EnumType, Singleton
from mockgraph.metadata.entity_data_model import Model
from mockgraph.server_options import Settings
from mockgraph.service import SERVICE

ROOTS = pytest.mark.parametrize("root", SERVICE.views)


@cache
def served(root: str) -> bytes:
    app = create_app(Settings())
    response = app.test_client().get(
        f"/{root}/$metadata", headers={"Authorization": "Bearer token"}
    )
    app.extensions["mockgraph"].close()
    assert (response.status_code, response.mimetype) == (200, "application/xml")
    return response.get_data()


@cache
def document(root: str) -> Model:
    return csdl.parse([(f"{root}.xml", served(root))])


def facts(*kinds: str) -> dict[str, Fact]:
    return {name: fact for name, fact in FACTS.items() if fact.kind in kinds}


@ROOTS
def test_the_document_is_the_model_that_is_served(root: str) -> None:
    assert document(root) == SERVICE.views[root].model


@ROOTS
def test_the_document_is_the_same_each_time(root: str) -> None:
    served.cache_clear()
    assert served(root) == served.__wrapped__(root)
    assert served(root).startswith(b'<?xml version="1.0" encoding="utf-8"?>\n<edmx:Edmx ')


@pytest.mark.parametrize(("root", "name"), [("localtest", "Security"), ("v1.0", "security")])
def test_the_singleton_is_spelt_as_the_root_spells_it(root: str, name: str) -> None:
    found = [each for each in document(root).roots.values() if isinstance(each, Singleton)]
    assert (name, "microsoft.graph.security") in [(each.name, each.type) for each in found]


def test_localtest_declares_the_documented_types_and_no_other() -> None:
    documented = {qualified(name) for name in facts("entity", "complex", "enum")}
    assert set(document("localtest").type_names()) == documented


@pytest.mark.parametrize("name", facts("entity", "complex"))
def test_a_type_is_the_documented_one(name: str) -> None:
    fact, found = FACTS[name], document("localtest").structured(qualified(name))
    assert isinstance(found, EntityType) is (fact.kind == "entity")
    assert found.base == (qualified(fact.rest[1]) if ":" in fact.rest else None)
    assert found.open == ("open" in fact.rest)
    assert [(each.name, str(each.type), each.nullable) for each in found.properties] == [
        (key, qualified(type_name), not required)
        for key, type_name, *required in fact.lines
        if key != "->"
    ]
    assert [(each.name, str(each.type), each.contains_target) for each in found.navigation] == [
        (words[1], qualified(words[2]), True) for words in fact.lines if words[0] == "->"
    ]


@pytest.mark.parametrize("name", facts("enum"))
def test_an_enumeration_is_the_documented_one(name: str) -> None:
    found = document("localtest").type(qualified(name))
    assert isinstance(found, EnumType)
    members = [(each.name, each.value) for each in found.members]
    assert members == [(member, int(value)) for member, value in FACTS[name].lines]


def test_the_actions_are_the_documented_ones() -> None:
    model = document("localtest")
    operations = [name for each in model.schemas.values() for name in each.operations]
    assert sorted(operations) == sorted(qualified(name) for name in facts("action"))
    for name, fact in facts("action").items():
        lines = {key: qualified(type_name) for key, type_name in fact.lines}
        returned = lines.pop("=>", None)
        (found,) = model.operations(qualified(name))
        assert str(found.binding) == qualified(fact.rest[1])
        assert {each.name: str(each.type) for each in found.own_parameters} == lines
        assert (None if found.returns is None else str(found.returns.type)) == returned


def test_incidents_lead_to_alerts_of_their_generation() -> None:
    incident = document("v1.0").navigation("microsoft.graph.security.incident")
    assert str(incident["alerts"].type) == "Collection(microsoft.graph.security.alert)"
    assert not incident["alerts"].contains_target
