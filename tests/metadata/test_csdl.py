"""A CSDL document that uses the whole language, element by element, and what is refused."""

from __future__ import annotations

import math
from pathlib import Path as FilePath

import pytest

from mockgraph.errors import MockGraphError
from mockgraph.metadata import csdl, csdl_writer, notation, notation_writer
from mockgraph.metadata.annotations import (
    DEFAULT,
    Annotation,
    Constant,
    EnumMembers,
    Expression,
    Path,
    PropertyValue,
    Record,
    Value,
    find,
)
from mockgraph.metadata.elements import (
    EntitySet,
    EntityType,
    EnumType,
    Facets,
    KeyProperty,
    Member,
    NavigationBinding,
    NavigationProperty,
    OnDelete,
    OperationImport,
    Parameter,
    Property,
    ReferentialConstraint,
    ReturnType,
    Singleton,
    Term,
    TypeDefinition,
    TypeRef,
)
from mockgraph.metadata.entity_data_model import Model

FEATURES = FilePath(__file__).parent / "data" / "features.csdl"
CORE = "Org.OData.Core.V1"
VESSEL = "harbour.craft.Vessel"
TUG = "harbour.craft.Tug"
PORT = "harbour.Port"


def described(text: str) -> Annotation:
    return Annotation(f"{CORE}.Description", text)


@pytest.fixture(scope="module", params=["csdl", "written", "notation"])
def model(request: pytest.FixtureRequest) -> Model:
    """The model as it is read, as it is written and read again, and from the notation."""
    read = csdl.read(FEATURES)
    if request.param == "written":
        return csdl.parse([("written", csdl_writer.write(read).encode())])
    if request.param == "notation":
        return notation.parse([("notation", notation_writer.write(read))])
    return read


PROPERTIES = [
    Property("bin", TypeRef("Edm.Binary"), facets=Facets(max_length="max")),
    Property("flag", TypeRef("Edm.Boolean"), default="false"),
    Property("byte", TypeRef("Edm.Byte")),
    Property("sbyte", TypeRef("Edm.SByte")),
    Property("i16", TypeRef("Edm.Int16")),
    Property("i32", TypeRef("Edm.Int32"), nullable=False),
    Property("i64", TypeRef("Edm.Int64")),
    Property("single", TypeRef("Edm.Single")),
    Property("double", TypeRef("Edm.Double")),
    Property("decimal", TypeRef("Edm.Decimal"), facets=Facets(precision=9, scale="variable")),
    Property("money", TypeRef("Edm.Decimal"), facets=Facets(precision=9, scale=2)),
    Property(
        "text",
        TypeRef("Edm.String"),
        facets=Facets(max_length=20, unicode=False),
        default='a "b"',
    ),
    Property("guid", TypeRef("Edm.Guid")),
    Property("date", TypeRef("Edm.Date")),
    Property("time", TypeRef("Edm.TimeOfDay"), facets=Facets(precision=3)),
    Property("span", TypeRef("Edm.Duration")),
    Property("instant", TypeRef("Edm.DateTimeOffset"), facets=Facets(precision=7)),
    Property("stream", TypeRef("Edm.Stream")),
    Property("anything", TypeRef("Edm.Untyped")),
    Property("place", TypeRef("Edm.GeographyPoint"), facets=Facets(srid=4326)),
    Property("outline", TypeRef("Edm.GeometryPolygon"), facets=Facets(srid="variable")),
    Property("names", TypeRef("Edm.String", True), nullable=False),
    Property("rig", TypeRef("harbour.Rig")),
    Property(
        "signals",
        TypeRef("harbour.craft.Signals"),
        annotations=(Annotation(f"{CORE}.Computed", DEFAULT),),
    ),
    Property("code", TypeRef("harbour.Code")),
]


def test_the_properties_of_a_type(model: Model) -> None:
    vessel = model.type(VESSEL)
    assert isinstance(vessel, EntityType)
    assert (vessel.base, vessel.abstract, vessel.open, vessel.stream, vessel.key) == (
        "harbour.Thing",
        True,
        True,
        True,
        (),
    )
    assert list(vessel.properties) == PROPERTIES


def test_navigation(model: Model) -> None:
    assert model.navigation(TUG) == {
        "crew": NavigationProperty(
            "crew",
            TypeRef("harbour.craft.Person", True),
            contains_target=True,
            partner="ship",
            on_delete=OnDelete("Cascade", (described("gone with it"),)),
        ),
        "home": NavigationProperty(
            "home",
            TypeRef(PORT),
            nullable=False,
            constraints=(ReferentialConstraint("i32", "number", (described("by number"),)),),
        ),
    }
    assert model.structured("harbour.Schooner").navigation == ()
    assert list(model.navigation("harbour.Schooner")) == ["maker"]


def test_inheritance_over_namespaces(model: Model) -> None:
    assert [each.name for each in model.chain(TUG)] == [TUG, VESSEL, "harbour.Thing"]
    assert list(model.properties(TUG)) == ["id", *(each.name for each in PROPERTIES)]
    assert model.derived("harbour.Thing") == (VESSEL, PORT, TUG)
    assert model.derives_from(TUG, "harbour.Thing")
    assert model.derives_from(TUG, TUG)
    assert not model.derives_from(PORT, VESSEL)
    assert model.is_open(TUG)
    assert not model.is_open(PORT)
    assert model.has_stream(TUG)
    assert model.declaring(TUG, "crew") == VESSEL
    assert model.declaring(TUG, "oars") is None


def test_keys(model: Model) -> None:
    assert model.key(TUG) == (KeyProperty("id"),)
    person = model.key("harbour.craft.Person")
    assert person == (KeyProperty("name/family", "family"), KeyProperty("number"))
    assert [each.name for each in person] == ["family", "number"]
    assert model.key("harbour.craft.Name") == ()


def test_enumerations(model: Model) -> None:
    assert model.type("harbour.craft.Signals") == EnumType(
        "harbour.craft.Signals",
        (Member("bell", 1), Member("horn", 2, (described("loud"),)), Member("both", 3)),
        "Edm.Byte",
        True,
    )
    state = model.enumeration("harbour.State")
    assert state is not None
    assert [(each.name, each.value) for each in state.members] == [
        ("afloat", 0),
        ("docked", 7),
        ("sunk", 8),
        ("unknownFutureValue", 9),
    ]
    assert state.evolvable
    assert model.enumeration(PORT) is None


def test_type_definitions_and_terms(model: Model) -> None:
    assert model.type("harbour.Code") == TypeDefinition(
        "harbour.Code",
        "Edm.String",
        Facets(max_length=8, unicode=False),
        (Annotation("harbour.Rank", 3),),
    )
    assert model.underlying("harbour.Code") == "Edm.String"
    assert model.underlying("Edm.Int32") == "Edm.Int32"
    assert model.element("harbour.Rank") == Term(
        "harbour.Rank",
        TypeRef("Edm.Int32"),
        default="1",
        base=f"{CORE}.Tag",
        applies_to=("Property", "TypeDefinition"),
    )


def test_operations(model: Model) -> None:
    (moor,) = model.bound_operation(TypeRef(TUG), "moor")
    default = Record((PropertyValue("DefaultValue", "2"),))
    optional = (Annotation(f"{CORE}.OptionalParameter", default),)
    assert moor.parameters == (
        Parameter("ship", TypeRef(VESSEL), nullable=False),
        Parameter("lines", TypeRef("Edm.Int32"), annotations=optional),
    )
    assert moor.returns == ReturnType(TypeRef(PORT), False, annotations=(described("where"),))
    assert moor.entity_set_path == "ship/home"
    assert [each.optional for each in moor.own_parameters] == [True]
    (fleet,) = model.bound_operation(TypeRef(TUG, True), "HARBOUR.MOOR")
    assert fleet.binding == TypeRef(VESSEL, True)
    assert model.bound_operation(TypeRef(TUG), "h.moor") == (moor,)
    assert model.bound_operation(TypeRef(PORT), "moor") == ()
    assert model.bound_operations(TypeRef(TUG)) == {"harbour.moor": (moor,)}
    nearest = model.operations("h.nearest")
    assert [(each.composable, str(each.returns and each.returns.type)) for each in nearest] == [
        (True, PORT),
        (False, f"Collection({PORT})"),
    ]
    assert not model.operations("harbour.reset")[0].bound


def test_containers(model: Model) -> None:
    assert model.roots == {
        "ports": EntitySet("ports", PORT),
        "vessels": EntitySet(
            "vessels",
            VESSEL,
            False,
            (
                NavigationBinding("home", "ports"),
                NavigationBinding("harbour.craft.Tug/home", "harbour.Base/ports"),
            ),
            (Annotation("Org.OData.Capabilities.V1.TopSupported", False),),
        ),
        "flagship": Singleton("flagship", VESSEL, True, (NavigationBinding("home", "ports"),)),
        "reset": OperationImport("reset", "action", "harbour.reset"),
        "nearest": OperationImport("nearest", "function", "harbour.nearest", "ports", True),
    }
    assert model.container_of("flagship").extends == "harbour.Base"


def test_names_by_alias_and_in_any_case(model: Model) -> None:
    assert model.type("c.Tug") == model.type(TUG)
    assert model.find_type("HARBOUR.craft.TUG") == model.type(TUG)
    assert model.find_type("C.tug") == model.type(TUG)
    assert model.find_type("c.boat") is None
    assert model.type("harbour.craft.tug") is None
    assert model.cased("H.MOOR") == "harbour.moor"
    assert model.aliases == {"c": "harbour.craft", "h": "harbour"}


def test_annotations_inside_and_out_of_line(model: Model) -> None:
    assert model.annotations(f"{VESSEL}/text") == (
        Annotation(f"{CORE}.Description", "out of line", "Tablet"),
        Annotation("harbour.Rank", -5, "Phone", (described("of a rank"),)),
    )
    assert model.annotations(f"{VESSEL}/signals") == (Annotation(f"{CORE}.Computed"),)
    overload = f"harbour.moor(Collection({VESSEL}))/fleet"
    assert model.annotations(overload) == (described("of an overload"),)
    assert model.annotations("harbour.Service/vessels")[0].value is False
    assert model.annotations("harbour.State/docked") == ()
    assert model.schemas["harbour"].annotations == (Annotation(f"{CORE}.SchemaVersion", "1.2"),)


VALUES: dict[str, Value] = {
    "A": Constant("Binary", "T0RhdGE"),
    "B": Constant("Date", "2000-01-01"),
    "C": Constant("DateTimeOffset", "2000-01-01T16:00:00.000Z"),
    "D": Constant("Decimal", "3.14"),
    "E": Constant("Duration", "P11D"),
    "F": -math.inf,
    "G": Constant("Guid", "21EC2020-3AEA-1069-A2DD-08002B30309D"),
    "H": Constant("TimeOfDay", "21:45:00"),
    "I": None,
    "J": EnumMembers("harbour.craft.Signals", ("bell", "horn")),
    "K": Path("AnnotationPath", f"crew/@{CORE}.Description"),
    "L": Path("ModelElementPath", "harbour.craft.Vessel/text"),
    "M": Path("NavigationPropertyPath", "crew"),
    "N": Path("Path", "harbour.craft.Tug/home"),
    "O": (Path("PropertyPath", "id"), Path("PropertyPath", "number")),
    "P": Record(
        (PropertyValue("masts", 3, (described("tall"),)), PropertyValue("more")),
        "harbour.Rig",
        (described(" kept  as it is "),),
    ),
    "Q": Expression(
        "If",
        (),
        (
            Expression("Eq", (), (Path("Path", "number"), 1)),
            Expression("Apply", (("Function", "odata.concat"),), ("a", Path("Path", "id"))),
            Expression(
                "Cast",
                (("Type", "Collection(harbour.craft.Name)"),),
                (Expression("LabeledElement", (("Name", "it"),), (Path("Path", "id"),)),),
            ),
        ),
    ),
    "R": Expression("LabeledElementReference", (("Name", "harbour.it"),)),
    "S": Expression("UrlRef", (), ("http://example.org",)),
    "T": Expression("UrlRef", (), ("http://example.org",)),
}


@pytest.mark.parametrize("term", VALUES)
def test_the_values_of_annotations(model: Model, term: str) -> None:
    found = find(model.annotations(PORT), f"harbour.{term}")
    assert found is not None
    assert found.value == VALUES[term]


HEAD = '<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0">'
SCHEMA = '<Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="n" Alias="a">'


def document(*lines: str) -> bytes:
    """A document whose first line of content is line 4."""
    return "\n".join(
        [HEAD, "<edmx:DataServices>", SCHEMA, *lines, "</Schema></edmx:DataServices></edmx:Edmx>"]
    ).encode()


ENTITY = '<EntityType Name="e"><Key><PropertyRef Name="id" /></Key>'
ID = '<Property Name="id" Type="Edm.String" Nullable="false" />'
COMPLEX = '<ComplexType Name="c">'
REFUSED = {
    "a type that is not there": (
        [COMPLEX, '<Property Name="p" Type="a.gone" />', "</ComplexType>"],
        'line 5, <Property Name="p">: n.gone: there is no such type.',
    ),
    "a collection of what is not there": (
        [COMPLEX, '<Property Name="p" Type="Collection(n.gone)" />', "</ComplexType>"],
        'line 5, <Property Name="p">: n.gone: there is no such type.',
    ),
    "a namespace that is not there": (
        [COMPLEX, '<Property Name="p" Type="other.thing" />', "</ComplexType>"],
        'line 5, <Property Name="p">: other.thing: there is no such type.',
    ),
    "a primitive type that is not there": (
        [COMPLEX, '<Property Name="p" Type="Edm.Int128" />', "</ComplexType>"],
        'line 5, <Property Name="p">: Edm.Int128: there is no such type.',
    ),
    "a base that is not there": (
        ['<ComplexType Name="c" BaseType="a.gone" />'],
        'line 4, <ComplexType Name="c">: n.gone: there is no such type.',
    ),
    "a base of another kind": (
        ['<ComplexType Name="c" />', '<EntityType Name="e" BaseType="a.c" />'],
        'line 5, <EntityType Name="e">: n.c: the base is of another kind of type.',
    ),
    "a type that derives from itself": (
        ['<ComplexType Name="c" BaseType="n.c" />'],
        'line 4, <ComplexType Name="c">: n.c derives from itself.',
    ),
    "types that derive from each other": (
        [
            '<ComplexType Name="c" BaseType="a.d" />',
            '<ComplexType Name="d" BaseType="a.f" />',
            '<ComplexType Name="f" BaseType="a.c" />',
        ],
        'line 4, <ComplexType Name="c">: n.c derives from itself.',
    ),
    "navigation to what is not there": (
        [ENTITY, ID, '<NavigationProperty Name="v" Type="a.gone" />', "</EntityType>"],
        'line 6, <NavigationProperty Name="v">: n.gone: there is no such type.',
    ),
    "navigation to a complex type": (
        [
            ENTITY,
            ID,
            '<NavigationProperty Name="v" Type="a.c" />',
            '</EntityType><ComplexType Name="c" />',
        ],
        'line 6, <NavigationProperty Name="v">: n.c: it is no entity type.',
    ),
    "a key that is not there": (
        [ENTITY, "</EntityType>"],
        'line 4, <PropertyRef Name="id">: n.e has no such property.',
    ),
    "a parameter of what is not there": (
        ['<Action Name="x">', '<Parameter Name="p" Type="a.gone" />', "</Action>"],
        'line 5, <Parameter Name="p">: n.gone: there is no such type.',
    ),
    "a result of what is not there": (
        ['<Function Name="x">', '<ReturnType Type="a.gone" />', "</Function>"],
        "line 5, <ReturnType>: n.gone: there is no such type.",
    ),
    "a set of what is not there": (
        [
            '<EntityContainer Name="s">',
            '<EntitySet Name="p" EntityType="a.gone" />',
            "</EntityContainer>",
        ],
        'line 5, <EntitySet Name="p">: n.gone: there is no such type.',
    ),
    "an import of what is not there": (
        [
            '<EntityContainer Name="s">',
            '<ActionImport Name="p" Action="a.gone" />',
            "</EntityContainer>",
        ],
        'line 5, <ActionImport Name="p">: n.gone: there is no such Action.',
    ),
    "a container that extends itself": (
        ['<EntityContainer Name="s" Extends="a.s" />'],
        'line 4, <EntityContainer Name="s">: n.s extends itself.',
    ),
    "a definition of no primitive type": (
        ['<TypeDefinition Name="t" UnderlyingType="a.c" /><ComplexType Name="c" />'],
        "a type definition is of a primitive type.",
    ),
    "a type twice": (
        ['<ComplexType Name="c" />', '<EnumType Name="c" />'],
        'line 5, <EnumType Name="c">: declared in line 4 already.',
    ),
    "a property twice": (
        [COMPLEX, *['<Property Name="p" Type="Edm.Int32" />'] * 2, "</ComplexType>"],
        'line 6, <Property Name="p">: <ComplexType Name="c"> has one of this name already.',
    ),
    "an overload twice": (
        ['<Action Name="x" />', '<Action Name="x" />'],
        'line 5, <Action Name="x">: an overload like it is in line 4 already.',
    ),
    "no name": (["<ComplexType />"], "line 4, <ComplexType>: the attribute Name is missing."),
    "no type": ([COMPLEX, '<Property Name="p" />', "</ComplexType>"], "Type is missing."),
    "a name that is none": (['<ComplexType Name="1 c" />'], "Name is no name"),
    "an element that is none": (["<Widget />"], "line 4, <Widget>: a <Schema> has no such element"),
    "a flag that is none": (
        ['<ComplexType Name="c" OpenType="maybe" />'],
        "OpenType is true or false, not 'maybe'.",
    ),
    "a number that is none": (
        [COMPLEX, '<Property Name="p" Type="Edm.String" MaxLength="long" /></ComplexType>'],
        "MaxLength is a number, not 'long'.",
    ),
    "a value out of range": (
        [
            '<EnumType Name="f" UnderlyingType="Edm.Byte">',
            '<Member Name="m" Value="256" />',
            "</EnumType>",
        ],
        'line 5, <Member Name="m">: 256 is no Edm.Byte.',
    ),
    "an enumeration of strings": (
        ['<EnumType Name="f" UnderlyingType="Edm.String" />'],
        "Edm.String is no integer type.",
    ),
    "a binding without a parameter": (
        ['<Action Name="x" IsBound="true" />'],
        "what is bound needs a binding parameter.",
    ),
    "a function without a result": (['<Function Name="x" />'], "a function needs a ReturnType."),
    "an annotation without a term": (["<Annotation />"], "an annotation needs a Term"),
    "two values": (
        ['<Annotation Term="n.t" Int="1" Bool="true" />'],
        'line 4, <Annotation Term="n.t">: it says more than one value.',
    ),
    "a truth that is none": (['<Annotation Term="n.t" Bool="yes" />'], "'yes' is no Bool."),
    "an expression that is none": (
        ['<Annotation Term="n.t"><Guess /></Annotation>'],
        "CSDL has no such expression.",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_document_that_cannot_be(what: str) -> None:
    lines, message = REFUSED[what]
    with pytest.raises(MockGraphError) as caught:
        csdl.parse([("my.csdl", document(*lines))])
    assert str(caught.value).startswith("my.csdl, line ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


NO_CSDL = {
    b"": "my.csdl, line 1: not well-formed XML: no element found.",
    HEAD.encode(): "my.csdl, line 1: not well-formed XML: no element found.",
    b"\n" + HEAD.encode() + b"</b>": "my.csdl, line 2: not well-formed XML: mismatched tag.",
    b"{}": "my.csdl, line 1: not well-formed XML: invalid token.",
    b"<html/>": "my.csdl, line 1: not CSDL 4.0: the document begins with <html>",
    b'<?xml version="1.0" encoding="klingon"?><a/>': "not well-formed XML: unknown encoding",
    b"\xff\xfe<\0": "not well-formed XML",
    HEAD.encode() + b"</edmx:Edmx>": "CSDL has one <edmx:DataServices>.",
    HEAD.encode() + b"<edmx:DataServices/></edmx:Edmx>": "there is no <Schema> in it.",
    HEAD.encode().replace(b"4.0", b"3.0") + b"</edmx:Edmx>": "only the versions 4.0 and 4.01",
}


@pytest.mark.parametrize("data", NO_CSDL)
def test_what_is_no_csdl(data: bytes) -> None:
    with pytest.raises(MockGraphError) as caught:
        csdl.parse([("my.csdl", data)])
    assert NO_CSDL[data] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: FilePath) -> None:
    with pytest.raises(MockGraphError, match=r"Cannot read .*gone\.csdl: No such file"):
        csdl.read(tmp_path / "gone.csdl")


def test_documents_that_refer_to_each_other() -> None:
    base = document('<ComplexType Name="b" />')
    other = document('<ComplexType Name="d" BaseType="n.b" />').replace(b'"n" ', b'"o" ')
    model = csdl.parse([("one", base), ("other", other)])
    assert model.derived("n.b") == ("o.d",)
    alone = csdl.parse([("other", other)], known=csdl.parse([("one", base)]))
    assert list(alone.type_names()) == ["o.d"]
    with pytest.raises(MockGraphError, match=r"n\.b: there is no such type"):
        csdl.parse([("other", other)])


def test_navigation_that_was_cut_through_is_kept() -> None:
    """A part of a larger model does not follow what complex types lead to."""
    lines = [COMPLEX, '<NavigationProperty Name="v" Type="Collection(a.gone)" />', "</ComplexType>"]
    model = csdl.parse([("part", document(*lines))])
    assert model.navigation("n.c")["v"].type == TypeRef("n.gone", True)
