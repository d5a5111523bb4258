"""A CSDL document that uses the whole language, element by element."""

from __future__ import annotations

import math

import pytest

from mockgraph.errors import MockGraphError
from mockgraph.metadata import csdl, csdl_writer, notation, notation_writer
from mockgraph.metadata.annotations import (
    DEFAULT,
    Annotation,
    Constant,
    DynamicExpression,
    EnumMembers,
    PathExpression,
    PropertyValue,
    Record,
    Value,
    find_annotation,
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

from .documents import FEATURES, document

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
    state = model.type("harbour.State")
    assert isinstance(state, EnumType)
    assert [(each.name, each.value) for each in state.members] == [
        ("afloat", 0),
        ("docked", 7),
        ("sunk", 8),
        ("unknownFutureValue", 9),
    ]


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
    (moor,) = model.bound_operation(TUG, "moor")
    default = Record((PropertyValue("DefaultValue", "2"),))
    optional = (Annotation(f"{CORE}.OptionalParameter", default),)
    assert moor.parameters == (
        Parameter("ship", TypeRef(VESSEL), nullable=False),
        Parameter("lines", TypeRef("Edm.Int32"), annotations=optional),
    )
    assert moor.returns == ReturnType(TypeRef(PORT), False, annotations=(described("where"),))
    assert moor.entity_set_path == "ship/home"
    assert [each.optional for each in moor.own_parameters] == [True]
    (fleet,) = model.bound_operation(TUG, "HARBOUR.MOOR", of_collection=True)
    assert fleet.binding == TypeRef(VESSEL, True)
    assert model.bound_operation(TUG, "h.moor") == (moor,)
    assert model.bound_operation(PORT, "moor") == ()
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
    "K": PathExpression("AnnotationPath", f"crew/@{CORE}.Description"),
    "L": PathExpression("ModelElementPath", "harbour.craft.Vessel/text"),
    "M": PathExpression("NavigationPropertyPath", "crew"),
    "N": PathExpression("Path", "harbour.craft.Tug/home"),
    "O": (PathExpression("PropertyPath", "id"), PathExpression("PropertyPath", "number")),
    "P": Record(
        (PropertyValue("masts", 3, (described("tall"),)), PropertyValue("more")),
        "harbour.Rig",
        (described(" kept  as it is "),),
    ),
    "Q": DynamicExpression(
        "If",
        (),
        (
            DynamicExpression("Eq", (), (PathExpression("Path", "number"), 1)),
            DynamicExpression(
                "Apply", (("Function", "odata.concat"),), ("a", PathExpression("Path", "id"))
            ),
            DynamicExpression(
                "Cast",
                (("Type", "Collection(harbour.craft.Name)"),),
                (
                    DynamicExpression(
                        "LabeledElement", (("Name", "it"),), (PathExpression("Path", "id"),)
                    ),
                ),
            ),
        ),
    ),
    "R": DynamicExpression("LabeledElementReference", (("Name", "harbour.it"),)),
    "S": DynamicExpression("UrlRef", (), ("http://example.org",)),
    "T": DynamicExpression("UrlRef", (), ("http://example.org",)),
}


@pytest.mark.parametrize("term", VALUES)
def test_the_values_of_annotations(model: Model, term: str) -> None:
    found = find_annotation(model.annotations(PORT), f"harbour.{term}")
    assert found is not None
    assert found.value == VALUES[term]


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
    lines = [
        '<ComplexType Name="c">',
        '<NavigationProperty Name="v" Type="Collection(a.gone)" />',
        "</ComplexType>",
    ]
    model = csdl.parse([("part", document(*lines))])
    assert model.navigation("n.c")["v"].type == TypeRef("n.gone", True)
