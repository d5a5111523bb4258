"""Every schema against the metadata, and every schema with values of its own."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from edm_strategies import values_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockgraph import instants
from mockgraph import metadata as edm
from mockgraph import service as resources
from mockgraph.errors import BadRequest
from mockgraph.metadata.declarations import EntitySet
from mockgraph.service import SERVICE
from mockgraph.service.bulk import BulkParameters

Json = Any
Declared = type[edm.StructuredType] | type[edm.Enumeration]

SECURITY_NAMESPACE = "security."


class Fact(NamedTuple):
    """A block of the facts file: the words of its head, and those of each line below."""

    kind: str
    name: str
    rest: list[str]
    lines: list[list[str]]


def read_facts() -> dict[str, Fact]:
    facts: dict[str, Fact] = {}
    fact = None
    for line in (Path(__file__).parent / "data" / "security.edm").read_text().splitlines():
        words = line.split()
        if not words or line.startswith("#"):
            continue
        if line.startswith(" "):
            assert fact is not None
            fact.lines.append(words)
        else:
            fact = Fact(words[0], words[1], words[2:], [])
            assert fact.name not in facts
            facts[fact.name] = fact
    return facts


def declared_types() -> list[Declared]:
    """Every Edm type that a module of the resources declares, each once."""
    found = []
    for module in pkgutil.iter_modules(resources.__path__):
        members = vars(importlib.import_module(f"mockgraph.service.{module.name}")).values()
        found += [
            each
            for each in members
            if inspect.isclass(each)
            and issubclass(each, edm.StructuredType | edm.Enumeration)
            and each.__module__ == f"mockgraph.service.{module.name}"
            and not issubclass(each, BulkParameters)
        ]
    return found


def qualified(name: str) -> str:
    """The type of a facts line as ``Property.type_name`` spells it."""
    if name.startswith("Collection("):
        return f"Collection({qualified(name[11:-1])})"
    return name if name.startswith("Edm.") else f"microsoft.graph.{name}"


FACTS = read_facts()
TYPES = {each.edm_name(): each for each in declared_types()}
STRUCTURED = [each for each in TYPES.values() if issubclass(each, edm.StructuredType)]
SETS = list(SERVICE.sets.values())
LOCALTEST_SETS = [each for each in SETS if each.roots is None]
PROPERTIES = [
    pytest.param(schema, name, id=f"{schema.edm_name()}/{name}")
    for schema in STRUCTURED
    for name in schema.properties()
]


def by_kind(*kinds: str) -> list[Any]:
    return [pytest.param(fact, id=fact.name) for fact in FACTS.values() if fact.kind in kinds]


def by_name(schemas: list[Any]) -> Any:
    return pytest.mark.parametrize("schema", schemas, ids=[each.edm_name() for each in schemas])


# -- against the metadata ---------------------------------------------------------------


def test_the_facts_are_whole() -> None:
    kinds = [fact.kind for fact in FACTS.values()]
    counts = {kind: kinds.count(kind) for kind in set(kinds)}
    assert counts == {"entity": 14, "complex": 29, "enum": 20, "action": 6}


def test_every_type_of_the_metadata_is_declared_and_no_other() -> None:
    expected = {name for name, fact in FACTS.items() if fact.kind != "action"} - {"entity"}
    assert {name for name in TYPES if not name.startswith(SECURITY_NAMESPACE)} == expected


def test_every_type_is_declared_once() -> None:
    names = [each.edm_name() for each in declared_types()]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("name", TYPES)
def test_a_class_bears_the_name_of_its_type(name: str) -> None:
    bare = name.removeprefix(SECURITY_NAMESPACE)
    assert TYPES[name].__name__ == bare[0].upper() + bare[1:]
    assert TYPES[name].__doc__


@pytest.mark.parametrize("fact", by_kind("entity", "complex"))
def test_a_structured_type_is_as_in_the_metadata(fact: Fact) -> None:
    if fact.name == "entity":
        schema: Any = edm.EntityType
        assert list(edm.EntityType.properties()) == ["id"]
    else:
        schema = TYPES[fact.name]
    assert issubclass(schema, edm.EntityType if fact.kind == "entity" else edm.ComplexType)
    assert schema.is_open == ("open" in fact.rest)
    expected = [words for words in fact.lines if words[0] != "->"]
    if ":" in fact.rest:
        expected = FACTS[fact.rest[1]].lines + expected
    assert [
        (name, each.type_name, each.nullable) for name, each in schema.properties().items()
    ] == [
        (name, qualified(type_name), not required and not type_name.startswith("Collection("))
        for name, type_name, *required in expected
    ]


@pytest.mark.parametrize("fact", by_kind("enum"))
def test_an_enumeration_is_as_in_the_metadata(fact: Fact) -> None:
    declared: Any = TYPES[fact.name]
    members = declared.__members__
    assert [(name, member.value) for name, member in members.items()] == [
        (name, int(value)) for name, value in fact.lines
    ]


def test_the_sets_are_the_navigation_properties_of_the_singleton() -> None:
    assert SERVICE.singleton.type.edm_name() == "security"
    expected = [words[1:] for words in FACTS["security"].lines if words[0] == "->"]
    assert [
        [each.name, f"Collection({each.type.edm_name()})"] for each in LOCALTEST_SETS
    ] == expected
    assert list(SERVICE.sets) == [each.name.lower() for each in SETS]


@pytest.mark.parametrize("fact", by_kind("action"))
def test_an_action_is_as_in_the_metadata(fact: Fact) -> None:
    bound_to = fact.rest[1]
    on_entity = not bound_to.startswith("Collection(")
    element = bound_to if on_entity else bound_to[11:-1]
    [(owner, action)] = [
        (each, action) for each in SETS for action in each.actions if action.name == fact.name
    ]
    assert owner.type is TYPES[element]
    assert action.on_entity == on_entity
    parameters: Any = action.parameters
    assert [
        (name, each.type_name)
        for name, each in (parameters.properties() if parameters else {}).items()
    ] == [(name, qualified(each)) for name, each in fact.lines if name != "=>"]
    returned = [each for name, each in fact.lines if name == "=>"]
    returns: Any = action.returns
    assert ([f"Collection({returns.edm_name()})"] if returns else []) == returned


# -- beside the metadata ----------------------------------------------------------------


def test_the_roots_are_three_views() -> None:
    assert {
        name: (root.name, root.singleton, root.documented) for name, root in SERVICE.roots.items()
    } == {
        "localtest": ("localtest", "Security", True),
        "v1.0": ("v1.0", "security", False),
        "beta": ("beta", "security", False),
    }


@by_name([each for each in STRUCTURED if issubclass(each, edm.EntityType)])
def test_the_server_writes_the_id_and_the_times(schema: type[edm.EntityType]) -> None:
    times = {"createdDateTime", "lastModifiedDateTime", "lastUpdateDateTime"}
    computed = {name for name, each in schema.properties().items() if each.computed}
    assert computed == {"id"} | (times & set(schema.properties()))


@by_name([each for each in STRUCTURED if issubclass(each, edm.ComplexType)])
def test_the_server_writes_nothing_in_a_complex_value(schema: type[edm.ComplexType]) -> None:
    assert not any(each.computed for each in schema.properties().values())


@pytest.mark.parametrize("each", SETS, ids=lambda each: each.name)
def test_permissions_are_those_of_the_family(each: EntitySet) -> None:
    names = {
        "tiIndicators": ["ThreatIndicators.ReadWrite.OwnedBy"],
        "securityActions": ["SecurityActions.ReadWrite.All", "SecurityActions.Read.All"],
        "alerts_v2": ["SecurityAlert.ReadWrite.All", "SecurityAlert.Read.All"],
        "incidents": ["SecurityIncident.ReadWrite.All", "SecurityIncident.Read.All"],
    }.get(each.name, ["SecurityEvents.ReadWrite.All", "SecurityEvents.Read.All"])
    assert each.permissions.write == (names[0],)
    assert set(each.permissions.read) == set(names)


@pytest.mark.parametrize("name", ["alerts_v2", "incidents"])
def test_the_second_generation_is_not_on_localtest(name: str) -> None:
    assert SERVICE.sets[name].roots == {"v1.0", "beta"} <= set(SERVICE.roots)


def test_an_incident_leads_to_the_alerts_that_name_it() -> None:
    [navigation] = SERVICE.sets["incidents"].navigations
    target: Any = navigation.target.type
    assert (navigation.name, navigation.target) == ("alerts", SERVICE.sets["alerts_v2"])
    assert target.properties()[navigation.by].type_name == "Edm.String"


@pytest.mark.parametrize("each", SETS, ids=lambda each: each.name)
def test_what_a_set_declares_beside_its_type_is_of_the_type(each: EntitySet) -> None:
    properties: Any = each.type.properties()
    for name in each.appendable:
        assert isinstance(properties[name], edm.Collection)
        assert isinstance(properties[name].item, edm.Complex)
    for name in each.rules.updatable or ():
        assert not properties[name].computed
    for path in each.rules.update_needs:
        name, inner = path.split("/")
        assert inner in properties[name].schema.properties()


def test_the_rules_of_alerts_are_those_of_the_pages() -> None:
    rules = SERVICE.sets["alerts"].rules
    assert (rules.max_skip, rules.update_answers) == (500, "minimal")
    assert rules.updatable == {
        "assignedTo",
        "closedDateTime",
        "comments",
        "feedback",
        "status",
        "tags",
    }
    assert [each.name for each in SETS if each.rules.updatable is not None] == ["alerts"]


def test_types_of_the_security_namespace_are_qualified() -> None:
    schema: Any = SERVICE.sets["alerts_v2"].type
    assert edm.qualified(schema.edm_name()) == "microsoft.graph.security.alert"
    assert schema.properties()["comments"].type_name == (
        "Collection(microsoft.graph.security.alertComment)"
    )
    assert schema.properties()["severity"].type_name == "microsoft.graph.security.alertSeverity"


@pytest.mark.parametrize("mark", ["", "#"])
def test_derived_evidence_keeps_its_type(mark: str) -> None:
    sent = {
        "@odata.type": f"{mark}microsoft.graph.security.ipEvidence",
        "createdDateTime": "2024-01-02T03:04:05Z",
        "remediationStatus": "none",
        "verdict": "malicious",
        "ipAddress": "192.0.2.1",
    }
    schema: Any = SERVICE.sets["alerts_v2"].type
    [kept] = edm.load(schema, {"evidence": [sent]})["evidence"]
    assert kept["@odata.type"] == "#microsoft.graph.security.ipEvidence"
    assert kept["ipAddress"] == "192.0.2.1"
    assert edm.load(schema, {"evidence": [kept]})["evidence"] == [kept]


def test_plain_evidence_has_the_declared_type() -> None:
    sent = {"@odata.type": "#microsoft.graph.security.alertEvidence"}
    schema: Any = SERVICE.sets["alerts_v2"].type
    [kept] = edm.load(schema, {"evidence": [sent]})["evidence"]
    assert "@odata.type" not in kept


@pytest.mark.parametrize(
    "type_name",
    ["microsoft.graph.security.alert", "#microsoft.graph.security.noEvidence", "#", 1, None, []],
)
def test_evidence_of_another_type_is_refused(type_name: Json) -> None:
    schema: Any = SERVICE.sets["alerts_v2"].type
    with pytest.raises(BadRequest, match=re.escape("evidence/0/@odata.type")):
        edm.load(schema, {"evidence": [{"@odata.type": type_name}]})


# -- with values ------------------------------------------------------------------------

VALUES = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.data_too_large]
)


def normalised(schema: type[edm.StructuredType], value: dict[str, Json]) -> dict[str, Json]:
    """What loading is to make of a value: declared order, instants in UTC, the rest as sent."""
    declared = schema.properties()
    known = {name: normal(declared[name], value[name]) for name in declared if name in value}
    return known | {name: each for name, each in value.items() if name not in declared}


def normal(declared: edm.Property, value: Json) -> Json:
    if value is None:
        return None
    if isinstance(declared, edm.Complex):
        return normalised(declared.schema, value)
    if isinstance(declared, edm.Collection):
        return [normal(declared.item, each) for each in value]
    return instants.to_utc(value) if isinstance(declared, edm.DateTimeOffset) else value


def levels(declared: Any, value: Json) -> list[tuple[type[edm.StructuredType], dict[str, Json]]]:
    """Each structured value within a value, with its schema."""
    if isinstance(declared, edm.Complex):
        return levels(declared.schema, value)
    if isinstance(declared, edm.Collection):
        return [level for each in value for level in levels(declared.item, each)]
    if not (inspect.isclass(declared) and value is not None):
        return []
    inner = [levels(each, value.get(name)) for name, each in declared.properties().items()]
    return [(declared, value), *(level for each in inner for level in each)]


@by_name(STRUCTURED)
@VALUES
@given(data=st.data())
def test_a_whole_value_is_loaded_as_it_is(
    schema: type[edm.StructuredType], data: st.DataObject
) -> None:
    value = data.draw(values_of(schema))
    loaded = edm.load(schema, value)
    assert loaded == normalised(schema, value)
    assert list(loaded)[: len(schema.properties())] == list(schema.properties())
    assert edm.load(schema, loaded) == loaded
    assert edm.whole(schema, loaded) == loaded


@by_name(STRUCTURED)
@VALUES
@given(data=st.data())
def test_a_part_is_loaded_as_what_was_sent(
    schema: type[edm.StructuredType], data: st.DataObject
) -> None:
    value = data.draw(values_of(schema, partial=True))
    loaded = edm.load(schema, value, partial=True)
    assert set(loaded) == set(value)
    for name, declared in schema.properties().items():
        # Items of a collection are loaded whole, so only their keys grow.
        if name in value and not isinstance(declared, edm.Collection):
            assert loaded[name] == normal(declared, value[name])
    assert set(edm.whole(schema, loaded)) >= set(schema.properties())


@by_name(STRUCTURED)
@VALUES
@given(data=st.data())
def test_a_value_is_typed_at_each_level(
    schema: type[edm.StructuredType], data: st.DataObject
) -> None:
    loaded = edm.load(schema, data.draw(values_of(schema)))
    typed = edm.typed(schema, loaded)
    found = levels(schema, typed)
    assert len(found) == len(levels(schema, loaded))
    for level, value in found:
        mark = "#" if issubclass(level, edm.EntityType) else ""
        assert value["@odata.type"] == f"{mark}microsoft.graph.{level.edm_name()}"
    assert edm.load(schema, typed) == loaded


@pytest.mark.parametrize(("schema", "name"), PROPERTIES)
def test_what_does_not_fit_is_refused_by_name(schema: type[edm.StructuredType], name: str) -> None:
    declared = schema.properties()[name]
    misfits: list[Json] = [{"a": {}}, [[]], 1.5, True, 2**63, "no such thing"]
    if not declared.allow_none:
        misfits.append(None)
    if isinstance(declared, edm.Complex):
        misfits.append({"@odata.type": "microsoft.graph.nothing"})
    fits = {"Edm.String": str, "Edm.Boolean": bool, "Edm.Double": (float, int)}
    for misfit in misfits:
        expected: Any = fits.get(declared.type_name, ())
        if isinstance(misfit, expected) and (type(misfit) is not bool or expected is bool):
            continue
        if isinstance(declared, edm.Complex) and declared.schema.is_open and misfit == {"a": {}}:
            continue
        for partial in (False, True):
            with pytest.raises(BadRequest, match=rf"^{name}\b"):
                edm.load(schema, {name: misfit}, partial=partial)


@by_name(STRUCTURED)
def test_an_undeclared_property_is_kept_by_open_types_alone(
    schema: type[edm.StructuredType],
) -> None:
    if schema.is_open:
        assert edm.load(schema, {"undeclared": [{"a": 1}]})["undeclared"] == [{"a": 1}]
    else:
        with pytest.raises(BadRequest, match="'undeclared' does not exist on type"):
            edm.load(schema, {"undeclared": None})


def test_the_path_of_a_deep_fault_is_in_the_message() -> None:
    schema: Any = SERVICE.sets["alerts"].type
    value = {"processes": [{}, {"fileHash": {"hashType": "sha3"}}]}
    with pytest.raises(BadRequest, match=r"^alerts/0/processes/1/fileHash/hashType: 'sha3'"):
        edm.load(schema, value, root="alerts/0")
