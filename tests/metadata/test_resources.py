"""Every schema against the metadata, and every schema with values of its own."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from edm_strategies import values_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from profiles import examples

from mockgraph import instants
from mockgraph import metadata as edm
from mockgraph.errors import BadRequest
from mockgraph.metadata.elements import EnumType, TypeRef, short_name
from mockgraph.metadata.resources import Resource, ResourceKind
from mockgraph.service import SERVICE

from . import typed

Json = Any

LOCALTEST = SERVICE.views["localtest"]
BETA = SERVICE.views["beta"]


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


def qualified(name: str) -> str:
    """The type of a facts line as ``Property.type_name`` spells it."""
    if name.startswith("Collection("):
        return f"Collection({qualified(name[11:-1])})"
    return name if name.startswith("Edm.") else f"microsoft.graph.{name}"


FACTS = read_facts()
SINGLETON = LOCALTEST.children["security"]
LOCALTEST_SETS = list(SINGLETON.children().values())
SETS = [each for each in BETA.children["security"].children().values() if each.is_collection]
STRUCTURED = [
    schema
    for name, fact in FACTS.items()
    if fact.kind in ("entity", "complex")
    and not (schema := LOCALTEST.schemas[qualified(name)]).is_abstract
]
# Of the newer types a few that have others derived from them, or flags, or times in them.
STRUCTURED += [
    BETA.schemas[f"microsoft.graph.security.{name}"]
    for name in ("incident", "alertComment", "ipEvidence", "userAccount")
]
PROPERTIES = [
    pytest.param(schema, name, id=f"{schema.type_name}/{name}")
    for schema in STRUCTURED
    for name in schema.properties()
]


def by_kind(*kinds: str) -> list[Any]:
    return [pytest.param(fact, id=fact.name) for fact in FACTS.values() if fact.kind in kinds]


def by_name(schemas: list[Any]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("schema", schemas, ids=[each.type_name for each in schemas])


# -- against the metadata ---------------------------------------------------------------


def test_the_facts_are_whole() -> None:
    kinds = [fact.kind for fact in FACTS.values()]
    counts = {kind: kinds.count(kind) for kind in set(kinds)}
    assert counts == {"entity": 14, "complex": 29, "enum": 20, "action": 6}


def test_every_type_of_the_metadata_is_declared_and_no_other() -> None:
    expected = {qualified(name) for name, fact in FACTS.items() if fact.kind != "action"}
    assert set(LOCALTEST.model.type_names()) == expected


@pytest.mark.parametrize("fact", by_kind("entity", "complex"))
def test_a_structured_type_is_as_in_the_metadata(fact: Fact) -> None:
    schema = LOCALTEST.schemas[qualified(fact.name)]
    assert issubclass(schema, edm.EntitySchema if fact.kind == "entity" else edm.ComplexSchema)
    assert schema.is_open == ("open" in fact.rest)
    assert schema.is_abstract == (fact.name == "entity")
    expected = [words for words in fact.lines if words[0] != "->"]
    if ":" in fact.rest:
        base = fact.rest[fact.rest.index(":") + 1]
        assert schema.__mro__[1] is LOCALTEST.schemas[qualified(base)]
        expected = FACTS[base].lines + expected
    assert [
        (name, each.type_name, each.nullable) for name, each in schema.properties().items()
    ] == [
        (name, qualified(type_name), not required and not type_name.startswith("Collection("))
        for name, type_name, *required in expected
    ]


@pytest.mark.parametrize("fact", by_kind("enum"))
def test_an_enumeration_is_as_in_the_metadata(fact: Fact) -> None:
    declared = LOCALTEST.model.type(qualified(fact.name))
    assert isinstance(declared, EnumType)
    assert [(each.name, each.value) for each in declared.members] == [
        (name, int(value)) for name, value in fact.lines
    ]


def test_the_sets_are_the_navigation_properties_of_the_singleton() -> None:
    assert SINGLETON.type_name == "microsoft.graph.security"
    expected = [words[1:] for words in FACTS["security"].lines if words[0] == "->"]
    assert [
        [each.name, f"Collection({short_name(each.type_name)})"] for each in LOCALTEST_SETS
    ] == expected
    assert all(
        each.is_collection and each.kind is ResourceKind.CONTAINED for each in LOCALTEST_SETS
    )


@pytest.mark.parametrize("fact", by_kind("action"))
def test_an_action_is_as_in_the_metadata(fact: Fact) -> None:
    bound_to = fact.rest[1]
    on_entity = not bound_to.startswith("Collection(")
    element = bound_to if on_entity else bound_to[11:-1]
    bound = LOCALTEST.model.bound_operations(TypeRef(qualified(element), not on_entity))
    [(_, (action,))] = [
        (name, each) for name, each in bound.items() if name == qualified(fact.name)
    ]
    assert action.kind == "action"
    parameters = LOCALTEST.schemas.parameters(action).properties()
    assert [(name, each.type_name) for name, each in parameters.items()] == [
        (name, qualified(each)) for name, each in fact.lines if name != "=>"
    ]
    returned = [qualified(each) for name, each in fact.lines if name == "=>"]
    assert ([str(action.returns.type)] if action.returns else []) == returned


# -- beside the metadata ----------------------------------------------------------------


def test_the_roots_are_three_views() -> None:
    assert {
        name: (view.name, view.children["security"].name, view.documented)
        for name, view in SERVICE.views.items()
    } == {
        "localtest": ("localtest", "Security", True),
        "v1.0": ("v1.0", "security", False),
        "beta": ("beta", "security", False),
    }


@by_name([each for each in STRUCTURED if issubclass(each, edm.EntitySchema)])
def test_the_server_writes_the_id_and_the_times(schema: type[edm.EntitySchema]) -> None:
    times = {"createdDateTime", "lastModifiedDateTime", "lastUpdateDateTime"}
    computed = {name for name, each in schema.properties().items() if each.computed}
    if schema.type_name == "microsoft.graph.subjectRightsRequest":
        times = set()  # its metadata does not say so
    told = {"resolvedDateTime", "lastModifiedBy"} if "security." in schema.type_name else set()
    assert computed - told == {"id"} | (times & set(schema.properties()))


@by_name([each for each in STRUCTURED if issubclass(each, edm.ComplexSchema)])
def test_the_server_writes_nothing_in_a_complex_value(schema: type[edm.ComplexSchema]) -> None:
    assert not any(each.computed for each in schema.properties().values())


@pytest.mark.parametrize("each", SETS, ids=lambda each: each.name)
def test_permissions_are_those_of_the_family(each: Resource) -> None:
    names = {
        "tiIndicators": ["ThreatIndicators.ReadWrite.OwnedBy"],
        "securityActions": ["SecurityActions.ReadWrite.All", "SecurityActions.Read.All"],
        "alerts_v2": ["SecurityAlert.ReadWrite.All", "SecurityAlert.Read.All"],
        "incidents": ["SecurityIncident.ReadWrite.All", "SecurityIncident.Read.All"],
        "subjectRightsRequests": [
            "SubjectRightsRequest.ReadWrite.All",
            "SubjectRightsRequest.Read.All",
        ],
    }.get(each.name, ["SecurityEvents.ReadWrite.All", "SecurityEvents.Read.All"])
    for wanted in ("insert", "update", "delete"):
        assert each.permissions(wanted) == (names[0],)
    assert set(each.permissions("read")) == set(names)


def test_an_incident_leads_to_the_alerts_that_name_it() -> None:
    alerts = BETA.resource("security/incidents/alerts")
    assert alerts is not None
    assert alerts.kind is ResourceKind.RELATED
    assert alerts.home is BETA.resource("security/alerts_v2")
    assert alerts.navigation is not None
    [constraint] = alerts.navigation.constraints
    assert alerts.type.properties()[constraint.referenced].type_name == "Edm.String"


@pytest.mark.parametrize("each", SETS, ids=lambda each: each.name)
def test_what_a_set_declares_beside_its_type_is_of_the_type(each: Resource) -> None:
    properties = each.type.properties()
    for name in each.appendable:
        declared = properties[name]
        assert isinstance(declared, edm.Collection)
        assert isinstance(declared.item, edm.Complex)
    for name in each.rules.update.updatable_properties or ():
        assert name not in properties or not properties[name].computed
    for path in each.rules.update.required:
        name, inner = path.split("/")
        whole = properties[name]
        assert isinstance(whole, edm.Complex)
        assert inner in whole.schema.properties()


def test_the_rules_of_alerts_are_those_of_the_pages() -> None:
    rules = {each.name: each.rules for each in SETS}
    assert (rules["alerts"].page.max_skip, rules["alerts"].update.answers) == (500, 204)
    assert {
        name: set(each.update.updatable_properties)
        for name, each in rules.items()
        if each.update.updatable_properties is not None
    } == {
        "alerts": {"assignedTo", "closedDateTime", "comments", "feedback", "status", "tags"},
        "alerts_v2": {"assignedTo", "classification", "determination", "status"},
        "incidents": {
            "assignedTo",
            "classification",
            "customTags",
            "description",
            "determination",
            "displayName",
            "resolvingComment",
            "severity",
            "status",
            "summary",
        },
        "secureScoreControlProfiles": {"assignedTo", "comment", "controlStateUpdates", "state"},
    }


def test_types_of_the_security_namespace_are_qualified() -> None:
    schema = BETA.schemas["microsoft.graph.security.alert"]
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
    schema = BETA.schemas["microsoft.graph.security.alert"]
    [kept] = edm.load(schema, {"evidence": [sent]})["evidence"]
    assert kept["@odata.type"] == "#microsoft.graph.security.ipEvidence"
    assert kept["ipAddress"] == "192.0.2.1"
    assert edm.load(schema, {"evidence": [kept]})["evidence"] == [kept]


def test_plain_evidence_has_the_declared_type() -> None:
    sent = {"@odata.type": "#microsoft.graph.security.alertEvidence"}
    schema = BETA.schemas["microsoft.graph.security.alert"]
    [kept] = edm.load(schema, {"evidence": [sent]})["evidence"]
    assert "@odata.type" not in kept


@pytest.mark.parametrize(
    "type_name",
    ["microsoft.graph.security.alert", "#microsoft.graph.security.noEvidence", "#", 1, None, []],
)
def test_evidence_of_another_type_is_refused(type_name: Json) -> None:
    schema = BETA.schemas["microsoft.graph.security.alert"]
    with pytest.raises(BadRequest, match=re.escape("evidence/0/@odata.type")):
        edm.load(schema, {"evidence": [{"@odata.type": type_name}]})


# -- with values ------------------------------------------------------------------------

VALUES = settings(
    max_examples=examples(15), deadline=None, suppress_health_check=[HealthCheck.data_too_large]
)


def normalised(schema: type[edm.StructuredSchema], value: dict[str, Json]) -> dict[str, Json]:
    """Return a value as loading makes it: in declared order, instants in UTC, the rest as sent."""
    schema = schema.named_by(value)
    declared = schema.properties()
    known = {name: normal(declared[name], value[name]) for name in declared if name in value}
    return known | {name: each for name, each in value.items() if name not in declared}


def normal(declared: edm.PropertyField, value: Json) -> Json:
    if value is None:
        return None
    if isinstance(declared, edm.Complex):
        return normalised(declared.schema, value)
    if isinstance(declared, edm.Collection):
        return [normal(declared.item, each) for each in value]
    return instants.to_utc(value) if isinstance(declared, edm.DateTimeOffset) else value


def levels(declared: Any, value: Json) -> list[tuple[type[edm.StructuredSchema], dict[str, Json]]]:
    """Each structured value within a value, with its schema."""
    if isinstance(declared, edm.Complex):
        return levels(declared.schema, value)
    if isinstance(declared, edm.Collection):
        return [level for each in value for level in levels(declared.item, each)]
    if not (inspect.isclass(declared) and value is not None):
        return []
    assert issubclass(declared, edm.StructuredSchema)
    schema = declared.named_by(value)
    inner = [levels(each, value.get(name)) for name, each in schema.properties().items()]
    return [(schema, value), *(level for each in inner for level in each)]


@by_name(STRUCTURED)
@VALUES
@given(data=st.data())
def test_a_whole_value_is_loaded_as_it_is(
    schema: type[edm.StructuredSchema], data: st.DataObject
) -> None:
    value = data.draw(values_of(schema))
    loaded = edm.load(schema, value)
    assert loaded == normalised(schema, value)
    own = schema.named_by(value)
    declared = [name for name in loaded if "@" not in name][: len(own.properties())]
    assert declared == list(own.properties())
    assert edm.load(schema, loaded) == loaded
    assert edm.whole(schema, loaded) == loaded


@by_name(STRUCTURED)
@VALUES
@given(data=st.data())
def test_a_part_is_loaded_as_what_was_sent(
    schema: type[edm.StructuredSchema], data: st.DataObject
) -> None:
    value = data.draw(values_of(schema, partial=True))
    loaded = edm.load(schema, value, partial=True)
    assert set(loaded) == set(value)
    schema = schema.named_by(value)
    for name, declared in schema.properties().items():
        # Items of a collection are loaded whole, so only their keys grow.
        if name in value and not isinstance(declared, edm.Collection):
            assert loaded[name] == normal(declared, value[name])
    assert set(edm.whole(schema, loaded)) >= set(schema.properties())


@by_name(STRUCTURED)
@VALUES
@given(data=st.data())
def test_a_value_is_typed_at_each_level(
    schema: type[edm.StructuredSchema], data: st.DataObject
) -> None:
    loaded = edm.load(schema, data.draw(values_of(schema)))
    marked = typed(schema, loaded)
    found = levels(schema, marked)
    assert len(found) == len(levels(schema, loaded))
    for level, value in found:
        mark = "#" if issubclass(level, edm.EntitySchema) else ""
        assert value["@odata.type"] == f"{mark}{level.type_name}"
    assert edm.load(schema, marked) == loaded


@pytest.mark.parametrize(("schema", "name"), PROPERTIES)
def test_what_does_not_fit_is_refused_by_name(
    schema: type[edm.StructuredSchema], name: str
) -> None:
    declared = schema.properties()[name]
    misfits: list[Json] = [{"a": {}}, [[]], 1.5, True, 2**63, "no such thing"]
    if not declared.allow_none:
        misfits.append(None)
    if isinstance(declared, edm.Complex):
        misfits.append({"@odata.type": "microsoft.graph.nothing"})
    numbers = dict.fromkeys(("Edm.Double", "Edm.Single", "Edm.Decimal"), (float, int))
    fits = {"Edm.String": str, "Edm.Boolean": bool, "Edm.Int64": (), **numbers}
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
    schema: type[edm.StructuredSchema],
) -> None:
    if schema.is_open:
        assert edm.load(schema, {"undeclared": [{"a": 1}]})["undeclared"] == [{"a": 1}]
    else:
        with pytest.raises(BadRequest, match="'undeclared' does not exist on type"):
            edm.load(schema, {"undeclared": None})


def test_the_path_of_a_deep_fault_is_in_the_message() -> None:
    schema = BETA.schemas["microsoft.graph.alert"]
    value = {"processes": [{}, {"fileHash": {"hashType": "sha3"}}]}
    with pytest.raises(BadRequest, match=r"^alerts/0/processes/1/fileHash/hashType: 'sha3'"):
        edm.load(schema, value, root="alerts/0")
