"""The metadata document, parsed back: against the schemas, and against the documented facts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from test_resources import FACTS, Fact, qualified

from mockgraph import metadata as edm
from mockgraph.metadata.declarations import (
    Action,
    ActionResult,
    EntitySet,
    Navigation,
    Permissions,
    Root,
    Service,
    Singleton,
)
from mockgraph.odata import metadata
from mockgraph.service import SERVICE

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
EDMX = "{http://docs.oasis-open.org/odata/ns/edmx}"
COMPUTED = "Org.OData.Core.V1.Computed"
NO_ONE = Permissions(read=(), write=())

Schema = Any


class Property(NamedTuple):
    type_name: str
    nullable: bool
    computed: bool


class Structured(NamedTuple):
    """A structured type: ``navigations`` are types, and whether they are contained, by name."""

    kind: str
    base: str | None
    is_open: bool
    is_abstract: bool
    key: list[str]
    properties: list[tuple[str, Property]]
    navigations: list[tuple[str, str, bool]]


class Bound(NamedTuple):
    namespace: str
    name: str
    parameters: list[tuple[str, str]]
    returns: str | None


class Document(NamedTuple):
    """A document's content, with each type by its full name."""

    namespaces: list[str]
    enumerations: dict[str, list[tuple[str, int]]]
    types: dict[str, Structured]
    actions: list[Bound]
    singletons: list[tuple[str, str]]


# -- from XML ---------------------------------------------------------------------------


def full(type_name: str) -> str:
    """A type's full name, for one that may be spelt with the alias."""
    if type_name.startswith("Collection("):
        return f"Collection({full(type_name[11:-1])})"
    return type_name.replace("graph.", "microsoft.graph.", type_name.startswith("graph."))


def parse(text: bytes) -> Document:
    """The description of a document, each of whose elements and attributes is known here."""
    edmx = ElementTree.fromstring(text)
    assert (edmx.tag, edmx.attrib) == (f"{EDMX}Edmx", {"Version": "4.0"})
    reference, services = edmx
    assert [(each.tag, each.attrib) for each in reference] == [
        (f"{EDMX}Include", {"Namespace": "Org.OData.Core.V1"})
    ]
    assert services.tag == f"{EDMX}DataServices"
    document = Document([], {}, {}, [], [])
    for schema in services:
        assert schema.tag == f"{EDM}Schema"
        namespace = schema.attrib["Namespace"]
        assert schema.get("Alias") == ("graph" if namespace == "microsoft.graph" else None)
        document.namespaces.append(namespace)
        for element in schema:
            read_element(document, namespace, element)
    return document


def read_element(document: Document, namespace: str, element: Element) -> None:
    name = f"{namespace}.{element.attrib['Name']}"
    match element.tag.removeprefix(EDM):
        case "EnumType":
            assert set(element.attrib) == {"Name"}
            assert name not in document.enumerations
            document.enumerations[name] = [
                (each.attrib["Name"], int(each.attrib["Value"])) for each in element
            ]
        case "EntityType" | "ComplexType" as kind:
            assert set(element.attrib) <= {"Name", "BaseType", "OpenType", "Abstract"}
            assert name not in document.types
            document.types[name] = read_structured(kind, element)
        case "Action":
            assert element.attrib == {"Name": element.attrib["Name"], "IsBound": "true"}
            document.actions.append(read_action(namespace, element))
        case "EntityContainer":
            for each in element:
                assert each.tag == f"{EDM}Singleton"
                singleton = (each.attrib["Name"], full(each.attrib["Type"]))
                document.singletons.append(singleton)
        case tag:
            pytest.fail(f"unexpected {tag}")


def read_structured(kind: str, element: Element) -> Structured:
    base = element.get("BaseType")
    known = {f"{EDM}{tag}" for tag in ("Key", "Property", "NavigationProperty")}
    assert {each.tag for each in element} <= known
    for flag in ("OpenType", "Abstract"):
        assert element.get(flag) in (None, "true")
    return Structured(
        kind,
        full(base) if base else None,
        element.get("OpenType") == "true",
        element.get("Abstract") == "true",
        [each.attrib["Name"] for each in element.iterfind(f"{EDM}Key/{EDM}PropertyRef")],
        [(each.attrib["Name"], read_property(each)) for each in element.iterfind(f"{EDM}Property")],
        [
            (each.attrib["Name"], full(each.attrib["Type"]), "ContainsTarget" in each.attrib)
            for each in element.iterfind(f"{EDM}NavigationProperty")
        ],
    )


def read_property(element: Element) -> Property:
    assert set(element.attrib) <= {"Name", "Type", "Nullable"}
    assert element.get("Nullable") in (None, "false")
    annotations = [each.attrib for each in element]
    assert annotations in ([], [{"Term": COMPUTED, "Bool": "true"}])
    is_nullable = element.get("Nullable") != "false"
    return Property(full(element.attrib["Type"]), is_nullable, bool(annotations))


def read_action(namespace: str, element: Element) -> Bound:
    returned = element.find(f"{EDM}ReturnType")
    return Bound(
        namespace,
        element.attrib["Name"],
        [
            (each.attrib["Name"], full(each.attrib["Type"]))
            for each in element.iterfind(f"{EDM}Parameter")
        ],
        None if returned is None else full(returned.attrib["Type"]),
    )


# -- from the schemas -------------------------------------------------------------------


def name_of(schema: Schema) -> str:
    return (
        "microsoft.graph.entity" if schema is edm.EntityType else edm.qualified(schema.edm_name())
    )


def within(schema: Schema, seen: set[Schema]) -> set[Schema]:
    """A type and all that it is made of."""
    if schema not in seen:
        seen.add(schema)
        if issubclass(schema, edm.StructuredType):
            for each in schema.properties().values():
                for declared in (each, getattr(each, "item", None)):
                    inner = getattr(declared, "schema", None) or getattr(declared, "members", None)
                    if inner is not None:
                        within(inner, seen)
    return seen


def served(root: Root) -> set[Schema]:
    seen: set[Schema] = {edm.EntityType}
    within(SERVICE.singleton.type, seen)
    for each in SERVICE.sets_at(root).values():
        within(each.type, seen)
        for action in each.actions:
            if action.returns is not None:
                within(action.returns, seen)
    return seen


def described(schema: Schema, root: Root) -> Structured:
    is_entity = issubclass(schema, edm.EntityType)
    is_base = schema is edm.EntityType
    sets = SERVICE.sets_at(root).values()
    navigations = [
        (navigation.name, f"Collection({name_of(navigation.target.type)})", False)
        for each in sets
        if each.type is schema
        for navigation in each.navigations
    ]
    if schema is SERVICE.singleton.type:
        navigations = [(each.name, f"Collection({name_of(each.type)})", True) for each in sets]
    return Structured(
        "EntityType" if is_entity else "ComplexType",
        "microsoft.graph.entity" if is_entity and not is_base else None,
        schema.is_open,
        is_base,
        ["id"] if is_base else [],
        [
            (
                name,
                Property(
                    each.type_name,
                    each.nullable or isinstance(each, edm.Collection),
                    each.computed,
                ),
            )
            for name, each in schema.properties().items()
            if is_base or not (is_entity and name == "id")
        ],
        navigations,
    )


# -- the documents of the service -------------------------------------------------------

DOCUMENTS = {name: parse(metadata.write(SERVICE, root)) for name, root in SERVICE.roots.items()}
LOCALTEST = DOCUMENTS["localtest"]
ROOTS = pytest.mark.parametrize("root", SERVICE.roots.values(), ids=lambda root: root.name)


@ROOTS
def test_every_type_that_is_served_is_declared_and_no_other(root: Root) -> None:
    document, schemas = DOCUMENTS[root.name], served(root)
    structured = {name_of(each) for each in schemas if issubclass(each, edm.StructuredType)}
    assert set(document.types) == structured
    assert set(document.enumerations) == {name_of(each) for each in schemas} - structured


@ROOTS
def test_structured_types_are_those_of_the_schemas(root: Root) -> None:
    document = DOCUMENTS[root.name]
    for schema in served(root):
        if issubclass(schema, edm.StructuredType):
            assert document.types[name_of(schema)] == described(schema, root)


@ROOTS
def test_enumerations_are_those_of_the_schemas(root: Root) -> None:
    document = DOCUMENTS[root.name]
    for schema in served(root):
        if issubclass(schema, edm.Enumeration):
            members = [(each.name, each.value) for each in schema]
            assert document.enumerations[name_of(schema)] == members


@ROOTS
def test_actions_are_those_of_the_sets(root: Root) -> None:
    expected = []
    for each in SERVICE.sets_at(root).values():
        name = name_of(each.type)
        for action in each.actions:
            schema: Schema = action.parameters
            parameters = schema.properties() if schema else {}
            binding = name if action.on_entity else f"Collection({name})"
            returned = f"Collection({name_of(action.returns)})" if action.returns else None
            bound = [("bindparameter", binding)]
            bound += [(key, parameter.type_name) for key, parameter in parameters.items()]
            expected.append(Bound(name.rpartition(".")[0], action.name, bound, returned))
    assert DOCUMENTS[root.name].actions == expected


@ROOTS
def test_the_singleton_is_spelt_as_the_root_spells_it(root: Root) -> None:
    singletons = DOCUMENTS[root.name].singletons
    assert singletons == [(root.singleton, "microsoft.graph.security")]


@ROOTS
def test_there_is_one_schema_a_namespace(root: Root) -> None:
    namespaces = ["microsoft.graph"]
    if not root.documented:
        namespaces.append("microsoft.graph.security")
    assert DOCUMENTS[root.name].namespaces == namespaces


@ROOTS
def test_every_name_is_defined(root: Root) -> None:
    document = DOCUMENTS[root.name]
    defined = {*document.types, *document.enumerations}
    for name in names_used(document):
        bare = name.removeprefix("Collection(").removesuffix(")")
        assert bare in defined or bare.startswith("Edm."), name


def names_used(document: Document) -> Iterator[str]:
    for each in document.types.values():
        yield from (declared.type_name for _, declared in each.properties)
        yield from (type_name for _, type_name, _ in each.navigations)
        if each.base:
            yield each.base
    for action in document.actions:
        yield from (type_name for _, type_name in action.parameters)
        if action.returns:
            yield action.returns
    yield from (type_name for _, type_name in document.singletons)


@ROOTS
def test_the_document_is_the_same_each_time(root: Root) -> None:
    text = metadata.write(SERVICE, root)
    assert text == metadata.write(SERVICE, root)
    assert text.startswith(b"<?xml version='1.0' encoding='utf-8'?>\n<edmx:Edmx ")
    # A prefix that ElementTree makes up by itself.
    assert b"ns0" not in text


def test_v1_and_beta_declare_the_same() -> None:
    assert DOCUMENTS["v1.0"] == DOCUMENTS["beta"]


def test_incidents_lead_to_alerts_of_their_generation() -> None:
    incident = DOCUMENTS["v1.0"].types["microsoft.graph.security.incident"]
    alerts = "Collection(microsoft.graph.security.alert)"
    assert incident.navigations == [("alerts", alerts, False)]


# -- against the documented metadata ----------------------------------------------------


def facts(*kinds: str) -> dict[str, Fact]:
    return {name: fact for name, fact in FACTS.items() if fact.kind in kinds}


def test_localtest_declares_the_documented_types() -> None:
    assert set(LOCALTEST.types) == {
        f"microsoft.graph.{name}" for name in facts("entity", "complex")
    }
    assert set(LOCALTEST.enumerations) == {f"microsoft.graph.{name}" for name in facts("enum")}


@pytest.mark.parametrize("name", facts("entity", "complex"))
def test_a_type_is_the_documented_one(name: str) -> None:
    fact, found = FACTS[name], LOCALTEST.types[f"microsoft.graph.{name}"]
    assert found.kind == {"entity": "EntityType", "complex": "ComplexType"}[fact.kind]
    assert found.base == (qualified(fact.rest[1]) if ":" in fact.rest else None)
    assert found.is_open == ("open" in fact.rest)
    assert [(key, each.type_name, each.nullable) for key, each in found.properties] == [
        (key, qualified(type_name), not required)
        for key, type_name, *required in fact.lines
        if key != "->"
    ]
    assert found.navigations == [
        (words[1], qualified(words[2]), True) for words in fact.lines if words[0] == "->"
    ]


@pytest.mark.parametrize("name", facts("enum"))
def test_an_enumeration_is_the_documented_one(name: str) -> None:
    members = LOCALTEST.enumerations[f"microsoft.graph.{name}"]
    assert members == [(member, int(value)) for member, value in FACTS[name].lines]


def test_the_actions_are_the_documented_ones() -> None:
    expected = {}
    for name, fact in facts("action").items():
        lines = {key: qualified(type_name) for key, type_name in fact.lines}
        returned = lines.pop("=>", None)
        bound = [("bindparameter", qualified(fact.rest[1])), *lines.items()]
        expected[name] = Bound("microsoft.graph", name, bound, returned)
    assert {each.name: each for each in LOCALTEST.actions} == expected
    assert len(LOCALTEST.actions) == len(expected)


# -- a service of its own ---------------------------------------------------------------


class Level(edm.Enumeration):
    """Two names of one value, and a value below zero."""

    none = 0
    nothing = 0
    below = -1


class Node(edm.ComplexType):
    """A type that holds itself."""

    name = edm.String(nullable=False)
    level = edm.Enum(Level)


Node._declared_fields["inner"] = edm.Collection(edm.Complex(Node))


class Leaf(Node):
    is_open = True
    size = edm.Int64(computed=True)


class Far(edm.EntityType):
    @classmethod
    def edm_name(cls) -> str:
        return "far.away.thing"


class Tree(edm.EntityType):
    leaves = edm.Collection(edm.Complex(Leaf))


class Hidden(edm.EntityType):
    """What one root alone serves."""


class Grow(edm.ComplexType):
    node = edm.Complex(Node)
    levels = edm.Collection(edm.Enum(Level))


class Top(edm.EntityType):
    pass


def grow(*_: Any) -> ActionResult:
    return ActionResult(204)


HIDDEN = EntitySet("hidden", Hidden, NO_ONE, roots=frozenset({"b"}))
FARS = EntitySet("fars", Far, NO_ONE, actions=(Action("grow", grow, parameters=Grow),))
TREES = EntitySet(
    "trees",
    Tree,
    NO_ONE,
    actions=(Action("grow", grow, on_entity=True, returns=Node),),
    navigations=(Navigation("fars", FARS, by="id"), Navigation("hidden", HIDDEN, by="id")),
)


def own_document(root: str) -> Document:
    sets = {each.name: each for each in (TREES, FARS, HIDDEN)}
    roots = {name: Root(name, singleton=f"Top<{name}&") for name in "ab"}
    service = Service(roots, Singleton("Top", Top, NO_ONE), sets)
    return parse(metadata.write(service, roots[root]))


def test_a_derived_type_declares_what_it_adds() -> None:
    types = own_document("a").types
    node, leaf = types["microsoft.graph.node"], types["microsoft.graph.leaf"]
    assert (node.base, node.is_open) == (None, False)
    assert [name for name, _ in node.properties] == ["name", "level", "inner"]
    assert dict(node.properties)["inner"].type_name == "Collection(microsoft.graph.node)"
    assert (leaf.base, leaf.is_open) == ("microsoft.graph.node", True)
    assert leaf.properties == [("size", Property("Edm.Int64", True, True))]


def test_every_name_of_a_member_is_declared() -> None:
    members = own_document("a").enumerations["microsoft.graph.level"]
    assert members == [("none", 0), ("nothing", 0), ("below", -1)]


def test_an_action_is_in_the_namespace_of_what_it_is_bound_to() -> None:
    assert own_document("a").actions == [
        Bound(
            "microsoft.graph",
            "grow",
            [("bindparameter", "microsoft.graph.tree")],
            "Collection(microsoft.graph.node)",
        ),
        Bound(
            "microsoft.graph.far.away",
            "grow",
            [
                ("bindparameter", "Collection(microsoft.graph.far.away.thing)"),
                ("node", "microsoft.graph.node"),
                ("levels", "Collection(microsoft.graph.level)"),
            ],
            None,
        ),
    ]


@pytest.mark.parametrize(("root", "names"), [("a", ["fars"]), ("b", ["fars", "hidden"])])
def test_what_a_root_does_not_serve_is_not_declared(root: str, names: list[str]) -> None:
    document = own_document(root)
    tree = document.types["microsoft.graph.tree"]
    assert [name for name, _, _ in tree.navigations] == names
    assert ("microsoft.graph.hidden" in document.types) == ("hidden" in names)
    assert document.singletons == [(f"Top<{root}&", "microsoft.graph.top")]
