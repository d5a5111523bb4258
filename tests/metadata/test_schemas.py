"""The types of a model as schemas: what they load, refuse, name and leave aside."""

from __future__ import annotations

from typing import Any

import pytest
from edm_strategies import values_of
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from mockgraph import metadata as edm
from mockgraph.errors import BadRequest
from mockgraph.metadata import notation
from mockgraph.metadata.elements import ComplexType, Operation, Parameter, TypeRef
from mockgraph.metadata.entity_data_model import Model
from mockgraph.metadata.primitives import PRIMITIVES
from mockgraph.metadata.schemas import Schemas

from . import typed
from .strategies import models

Json = Any
Structured = type[edm.StructuredSchema]

# Names that marshmallow's schemas, or these, have as attributes of their own.
CLASHES = (
    *("Meta", "fields", "load", "dump", "context", "opts", "validate", "declared_fields"),
    *("properties", "schemas", "named_by", "type_name", "is_open", "key", "echoed", "many"),
)

_MODEL = f"""
using Core = Org.OData.Core.V1

namespace microsoft.graph
  alias graph

enum colour
  red 1
  Green 2

enum rights flags
  read 1
  write 2
  share 4

type code = String MaxLength=3

entity entity abstract
  key id
  id: String not null

entity thing : entity
  name: String MaxLength=5
  code: code
  colour: colour Default="red"
  rights: rights Default="read,share"
  size: Int32 not null Default="7"
  ratio: Double Default="INF"
  flag: Boolean Default="true"
  broken: Int32 Default="seven"
  made: DateTimeOffset
    @Core.Computed: true
  origin: String
    @Core.Immutable: true
  free: String
    @Core.Computed: false
  names: String[] MaxLength=2
  shape: shape
  shapes: shape[]
  picture: Stream
  contains parts: thing[]

entity openThing : thing open
  extra: Int64

entity farThing : openThing
  far: Boolean

entity pair
  key first, second
  first: String not null
  second: Int32 not null
  text: String

complex shape abstract
  label: String

complex circle : shape
  radius: Double

complex square : shape open
  side: Int32
  inner: shape

complex node
  value: Int32
  next: node Default="x"
  children: node[]

complex clash
{"".join(f"  {name}: Int32{chr(10)}" for name in CLASHES)}
complex clashing : clash open
  load_object: clash
  _declared_fields: String

action paint on thing
  colour: colour
  times: Int32 not null
  note: String optional

container Service
  set things: thing
"""
MODEL = notation.parse([("the tests' model", _MODEL)])
SCHEMAS = Schemas(MODEL)
EXACT = {name: f"microsoft.graph.{name}" for name in ("thing", "openThing", "farThing", "pair")}


def schema(name: str, schemas: Schemas = SCHEMAS) -> Structured:
    return schemas[f"microsoft.graph.{name}"]


def refusal(name: str, value: Json, **facets: Any) -> str:
    with pytest.raises(BadRequest) as refused:
        edm.load(schema(name), value, **facets)
    return refused.value.message


# -- types ------------------------------------------------------------------------------


def test_a_type_is_made_once() -> None:
    assert schema("thing") is schema("thing")
    assert SCHEMAS.find("MICROSOFT.graph.THING") is schema("thing")
    assert SCHEMAS.find("microsoft.graph.colour") is None
    assert SCHEMAS.find("graph.none") is None
    for name in ("microsoft.graph.colour", "microsoft.graph.none", ""):
        with pytest.raises(KeyError):
            SCHEMAS[name]


def test_inheritance_is_that_of_the_model() -> None:
    thing, opened, far = schema("thing"), schema("openThing"), schema("farThing")
    assert issubclass(far, opened)
    assert issubclass(opened, thing)
    assert issubclass(thing, schema("entity"))
    assert [each.is_open for each in (thing, opened, far)] == [False, True, True]
    assert [each.is_abstract for each in (schema("entity"), thing)] == [True, False]
    assert list(far.properties())[:2] == ["id", "name"]
    assert list(far.properties())[-2:] == ["extra", "far"]


def test_streams_and_what_it_leads_to_are_no_properties() -> None:
    assert schema("thing").properties().keys().isdisjoint({"picture", "parts"})
    assert "'picture' does not exist" in refusal("thing", {"picture": "AAAA"})


def test_keys() -> None:
    thing, pair = schema("thing"), schema("pair")
    assert (edm.key_names(thing), edm.key_names(pair)) == (("id",), ("first", "second"))
    assert edm.key_names(schema("node")) == ()
    for type_, names in ((thing, {"id", "made"}), (pair, {"first", "second"})):
        computed = {name for name, each in type_.properties().items() if each.computed}
        assert computed == names
        assert not any(type_.properties()[name].nullable for name in edm.key_names(type_))


def test_immutable_properties() -> None:
    thing = schema("farThing").properties()
    assert [name for name, each in thing.items() if each.immutable] == ["origin"]


def test_defaults_stand_where_nothing_was_sent() -> None:
    expected = {
        "colour": "red",
        "rights": "read,share",
        "size": 7,
        "ratio": "INF",
        "flag": True,
        "broken": None,
        "names": [],
        "shape": None,
    }
    loaded = edm.load(schema("thing"), {})
    assert {name: loaded[name] for name in expected} == expected
    assert edm.load(schema("thing"), {}, partial=True) == {}
    assert edm.load(schema("thing"), {"size": None, "flag": False})["size"] is None
    assert edm.whole(schema("thing"), {"id": "1"}) == {**loaded, "id": "1"}


def test_type_names_are_those_of_the_metadata() -> None:
    names = {name: each.type_name for name, each in schema("thing").properties().items()}
    assert names["code"] == "Edm.String"
    assert names["names"] == "Collection(Edm.String)"
    assert names["shapes"] == "Collection(microsoft.graph.shape)"
    assert names["rights"] == "microsoft.graph.rights"


# -- values -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"name": "sixsix"}, "name: The text is longer than 5 characters."),
        ({"code": "four"}, "code: The text is longer than 3 characters."),
        ({"names": ["ab", "abc"]}, "names/1: The text is longer than 2 characters."),
        ({"names": [None]}, "names/0: An item of a collection cannot be null."),
        ({"names": None}, "names: A collection cannot be null; send [] to empty it."),
        ({"colour": "green"}, "colour: 'green' is not a member of 'microsoft.graph.colour'"),
        ({"colour": "red,Green"}, "colour: 'red,Green' is not a member"),
        ({"rights": "read,none"}, "rights: 'read,none' is not a member"),
        ({"rights": ""}, "rights: '' is not a member"),
        ({"nope": 1}, "nope: The property 'nope' does not exist on type 'microsoft.graph.thing'."),
        ({"shape": {"label": "x"}}, "shape/@odata.type: The type 'microsoft.graph.shape' is abst"),
        ({"shape": {"@odata.type": "#microsoft.graph.node"}}, "shape/@odata.type: '#microsoft.gr"),
        ({"shape": {"@odata.type": "#microsoft.graph.shape"}}, "shape/@odata.type: '#microsoft.g"),
        ({"shape": {"@odata.type": 5}}, "shape/@odata.type: 5 does not name the type"),
        ({"shape": {"@odata.type": "circle"}}, "does not name the type"),
        (
            {"shapes": [{"@odata.type": "#microsoft.graph.circle", "side": 1}]},
            "shapes/0/side: The property 'side' does not exist on type 'microsoft.graph.circle'.",
        ),
        ({"@odata.type": "#microsoft.graph.entity"}, "@odata.type: '#microsoft.graph.entity' does"),
        ({"@odata.type": "#microsoft.graph.pair"}, "does not name the type 'microsoft.graph.thing"),
        ([], "Cannot convert"),
        (None, "Cannot convert"),
    ],
)
def test_what_is_refused_says_where_and_why(value: Json, why: str) -> None:
    assert why in refusal("thing", value)


def test_flags_may_be_several() -> None:
    for sent in ("read", "read,share", "share, read"):
        assert edm.load(schema("thing"), {"rights": sent})["rights"] == sent.replace(" ", "")


def test_members_in_any_case_where_the_root_takes_them() -> None:
    thing = schema("thing", Schemas(MODEL, any_case=True))
    loaded = edm.load(thing, {"colour": "GREEN", "rights": "Read, WRITE"}, partial=True)
    assert loaded == {"colour": "Green", "rights": "read,write"}


@pytest.mark.parametrize("mark", ["#microsoft.graph.circle", "microsoft.graph.circle"])
def test_a_value_of_a_derived_type_keeps_its_type_first(mark: str) -> None:
    sent = {"radius": 1.5, "@odata.type": mark}
    loaded = edm.load(schema("thing"), {"shape": sent, "shapes": [sent]}, partial=True)
    own = {"@odata.type": "#microsoft.graph.circle", "label": None, "radius": 1.5}
    assert loaded["shapes"] == [own]
    assert list(loaded["shapes"][0]) == list(own)
    assert loaded["shape"] == {name: own[name] for name in ("@odata.type", "radius")}


def test_the_declared_type_is_not_kept() -> None:
    loaded = edm.load(schema("thing"), {"@odata.type": "#microsoft.graph.thing"}, partial=True)
    assert loaded == {}


def test_dynamic_properties_of_derived_types() -> None:
    sent = {"@odata.type": "#microsoft.graph.farThing", "far": True, "dynamic": {"a": [1]}}
    assert edm.load(schema("thing"), sent, partial=True) == sent
    nested = {"@odata.type": "#microsoft.graph.square", "hue": "blue"}
    assert edm.load(schema("thing"), {"shape": nested}, partial=True) == {"shape": nested}


def test_types_that_hold_themselves() -> None:
    sent = {"value": 1, "next": {"next": {"value": 2}}, "children": [{"children": []}]}
    loaded = edm.load(schema("node"), sent)
    assert loaded["next"]["next"] == {"value": 2, "next": None, "children": []}
    message = refusal("node", {"next": {"children": [{"next": {"value": "x"}}]}})
    assert message.startswith("next/children/0/next/value: Cannot convert 'x'")


def test_a_value_that_is_nested_without_end_is_refused() -> None:
    deep: Json = {}
    for _ in range(1000):
        deep = {"next": deep}
    assert "levels deep" in refusal("node", deep)


def test_a_fault_deep_within_is_found_at_once() -> None:
    """No level is read twice, or ninety of them would take longer than anyone waits."""
    deep: Json = {"value": "x"}
    for _ in range(90):
        deep = {"next": deep}
    assert refusal("node", deep).startswith("next/" * 90 + "value: Cannot convert 'x'")


def test_merges_follow_the_values_own_type() -> None:
    thing = schema("thing")
    circle = {"@odata.type": "#microsoft.graph.circle", "label": "c", "radius": 1.0}
    current = edm.whole(thing, {"id": "1", "shape": circle})
    same = edm.load(
        thing, {"shape": {"@odata.type": circle["@odata.type"], "radius": 2}}, partial=True
    )
    assert edm.merge(thing, current, same)["shape"] == {**circle, "radius": 2}
    other = edm.load(thing, {"shape": {"@odata.type": "#microsoft.graph.square"}}, partial=True)
    assert edm.merge(thing, current, other)["shape"] == {
        "@odata.type": "#microsoft.graph.square",
        "label": None,
        "side": None,
        "inner": None,
    }
    assert edm.merge(thing, current, {"shape": None})["shape"] is None


# -- names that a schema has for itself ---------------------------------------------------


def test_properties_may_be_named_as_a_schemas_own_attributes() -> None:
    clash, clashing = schema("clash"), schema("clashing")
    assert tuple(clash.properties()) == CLASHES
    sent = dict.fromkeys(CLASHES, 5)
    assert edm.load(clash, sent) == sent
    inner = {**sent, "load_object": {"Meta": 1}, "_declared_fields": "x", "handle_error": 1}
    loaded = edm.load(clashing, inner)
    assert (loaded["load_object"]["Meta"], loaded["_declared_fields"]) == (1, "x")
    assert loaded["handle_error"] == 1
    assert edm.instance(clashing).load(inner) == loaded
    assert "Meta: Cannot convert 'x'" in refusal("clash", {"Meta": "x"})


# -- operations ---------------------------------------------------------------------------


def operation() -> Operation:
    (found,) = MODEL.operations("microsoft.graph.paint")
    return found


def test_parameters() -> None:
    parameters = SCHEMAS.parameters(operation())
    assert SCHEMAS.parameters(operation()) is parameters
    assert list(parameters.properties()) == ["colour", "times", "note"]
    assert edm.load(parameters, {"times": 2}) == {"colour": None, "times": 2, "note": None}
    for sent, why in (
        ({}, "The parameter 'times' is missing."),
        ({"times": 1, "Colour": "red"}, "'Colour' does not exist"),
        ({"times": 1, "colour": "blue"}, "colour: 'blue' is not a member"),
    ):
        with pytest.raises(BadRequest, match=why):
            edm.load(parameters, sent)


def test_parameters_of_overloads_and_of_changes_are_apart() -> None:
    number, text = TypeRef("Edm.Int32"), TypeRef("Edm.String")
    one, two = (
        Operation("microsoft.graph.count", "function", parameters=(Parameter(*each),))
        for each in (("of", number), ("since", text))
    )
    assert list(SCHEMAS.parameters(one).properties()) == ["of"]
    assert list(SCHEMAS.parameters(two).properties()) == ["since"]
    assert SCHEMAS.parameters(one) is not SCHEMAS.parameters(one, changes=True)


def test_an_optional_parameter_has_its_default() -> None:
    text = """
using Core = Org.OData.Core.V1
namespace n
action count
  times: Int32
    @Core.OptionalParameter: {DefaultValue: "5"}
complex thing
  seen: String
    @Core.Permissions: Core.Permission'Read'
"""
    model = notation.parse([("x.edm", text)])
    parameters = Schemas(model).parameters(*model.operations("n.count"))
    assert edm.load(parameters, {}) == {"times": 5}
    assert edm.load(parameters, {"times": 2}) == {"times": 2}
    assert Schemas(model)["n.thing"].properties()["seen"].computed


def test_parameters_in_any_case() -> None:
    parameters = Schemas(MODEL, any_case=True).parameters(operation())
    loaded = edm.load(parameters, {"TIMES": 1, "Colour": "RED", "note": "n"})
    assert loaded == {"colour": "red", "times": 1, "note": "n"}


# -- random types ---------------------------------------------------------------------------

junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


# To shrink a model takes minutes, and leaves hardly less of it.
UNSHRUNK = settings(phases=[Phase.explicit, Phase.generate])


@st.composite
def types(draw: st.DrawFn) -> Structured:
    """A structured type of a random model."""
    model: Model = draw(models())
    names = [each for each in model.type_names() if isinstance(model.type(each), ComplexType)]
    assume(names)
    return Schemas(model, any_case=draw(st.booleans()))[draw(st.sampled_from(names))]


@st.composite
def spoilt(draw: st.DrawFn, own: Structured) -> Json:
    """A value of a type, or of one that derives from it, with something wrong in it perhaps."""
    value = draw(values_of(own, partial=True) if not own.is_abstract else st.just({}))
    for _ in range(draw(st.integers(0, 2))):
        name = draw(st.sampled_from([*own.properties(), *value, "@odata.type", "made up"]))
        value = {**value, name: draw(junk | st.just(f"#{own.type_name}"))}
    return value


def outcome(load: Any, value: Any, partial: bool) -> Any:
    try:
        loaded = load(value, partial=partial)
    except ValidationError as error:
        return error.messages
    # What is to be merged may be in any order.
    return loaded, None if partial else list(loaded)


@UNSHRUNK
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@given(st.data())
def test_the_short_way_agrees_with_marshmallow_on_random_types(data: st.DataObject) -> None:
    own = data.draw(types())
    value, partial = data.draw(spoilt(own)), data.draw(st.booleans())
    made = own()
    assert outcome(made.load_object, value, partial) == outcome(made.load, value, partial)


@UNSHRUNK
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@given(st.data())
def test_values_of_random_types(data: st.DataObject) -> None:
    own = data.draw(types())
    values = values_of(own)
    assume(not values.is_empty)
    loaded = edm.load(own, data.draw(values))
    assert edm.load(own, loaded) == loaded
    assert edm.merge(own, loaded, {}) == loaded
    assert edm.merge(own, loaded, loaded) == loaded
    assert edm.whole(own, loaded) == loaded
    assert edm.bare(typed(own, loaded)) == edm.bare(loaded)
    assert edm.bare(edm.fully_typed(own, loaded)) == edm.bare(loaded)


@UNSHRUNK
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@given(st.data())
def test_what_was_not_sent_is_unset(data: st.DataObject) -> None:
    own = data.draw(types())
    values = values_of(own, partial=True)
    assume(not values.is_empty)
    changes = edm.load(own, data.draw(values), partial=True)
    made = edm.whole(own, changes)
    declared = own.named_by(changes).properties()
    unset = {name: each.unset() for name, each in declared.items() if name not in changes}
    assert {name: made[name] for name in unset} == unset
    assert edm.merge(own, made, changes) == made


@pytest.mark.parametrize(
    ("facets", "fitting", "beyond"),
    [
        ({"scale": 2}, [0, 0.0, 1.25, -1.2, 1e30, 10**18], [1.234, 1e-3, -0.125]),
        ({"precision": 4}, [1234, 12.34, 0.1234, -9999], [12345, 1.2345, 1e4, 0.12345]),
        ({"precision": 4, "scale": 2}, [99.99, 12, 0.01, -1.5], [100, 123.4, 0.001, 1e300]),
        ({"scale": 0}, [5, 5.0, 1e20], [5.5]),
    ],
)
def test_digits_of_decimals(
    facets: dict[str, int], fitting: list[float], beyond: list[float]
) -> None:
    amount = PRIMITIVES["Edm.Decimal"](**facets)
    assert [amount.read(each, False) for each in fitting] == fitting
    for each in beyond:
        with pytest.raises(ValidationError, match="The number has more than"):
            amount.read(each, False)


def test_the_length_of_binary_values_is_in_bytes() -> None:
    mark = PRIMITIVES["Edm.Binary"](max_length=3)
    for fitting in ("", "AA==", "AAAA", "AA"):
        assert mark.read(fitting, False) == fitting
    for beyond in ("AAAAAA==", "AAAAAA"):
        with pytest.raises(ValidationError, match="longer than 3 bytes"):
            mark.read(beyond, False)


def test_the_facets_of_a_type_definition_bound_its_values() -> None:
    text = """
namespace n
type price = Decimal Precision=4 Scale=2
type mark = Binary MaxLength=3
complex offer
  price: price
  mark: mark
  free: Decimal Scale=variable
"""
    offer = Schemas(notation.parse([("facets", text)]))["n.offer"]
    whole = {"price": 99.99, "mark": "AAAA", "free": 1.23456}
    assert edm.load(offer, whole) == whole
    for name, value in (("price", 100), ("mark", "AAAAAA")):
        with pytest.raises(BadRequest, match=f"{name}: "):
            edm.load(offer, {name: value})


def test_the_names_of_members() -> None:
    values = edm.EnumValues("x", {"none": 0, "red": 1, "blue": 4}, is_flags=True)
    assert [values.name_of(number) for number in (0, 4, 5)] == ["none", "blue", "red,blue"]
    assert edm.EnumValues("x", {"low": 3}).name_of(3) == "low"
