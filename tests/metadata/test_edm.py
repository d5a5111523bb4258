"""Edm types: what loads, what does not and why, and how values merge and show."""

from __future__ import annotations

import json
from typing import Any

import pytest
from edm_strategies import values_of
from hypothesis import given
from hypothesis import strategies as st

from mockgraph import metadata as edm
from mockgraph.errors import BadRequest
from mockgraph.metadata import merge_patch, notation
from mockgraph.metadata.schemas import Schemas

from . import typed

_MODEL = """
namespace microsoft.graph

enum colour
  red 1
  green 2

complex point
  x: Int32
  y: Double

complex shape open
  at: point
  name: String not null

entity thing
  key id
  id: String not null
  text: String
  flag: Boolean
  small: Int32
  large: Int64
  number: Double
  moment: DateTimeOffset
  colour: colour
  point: point
  shape: shape
  texts: String[]
  points: point[]
  colours: colour[]
  made: DateTimeOffset
    @Org.OData.Core.V1.Computed
"""

SCHEMAS = Schemas(notation.parse([("things.edm", _MODEL)]))
Thing = SCHEMAS["microsoft.graph.thing"]
Shape = SCHEMAS["microsoft.graph.shape"]
Point = SCHEMAS["microsoft.graph.point"]


LOADED: list[tuple[str, Any, Any]] = [
    ("text", "", ""),
    ("text", "größe \u0000", "größe \u0000"),
    ("flag", False, False),
    ("small", -(2**31), -(2**31)),
    ("small", 2**31 - 1, 2**31 - 1),
    ("large", 2**63 - 1, 2**63 - 1),
    ("large", -(2**63), -(2**63)),
    ("number", 1, 1),
    ("number", -0.5, -0.5),
    ("number", "INF", "INF"),
    ("number", "-INF", "-INF"),
    ("number", "NaN", "NaN"),
    ("moment", "2016-12-31T23:59:56.3009595+03:00", "2016-12-31T20:59:56.3009595Z"),
    ("colour", "green", "green"),
    ("point", {"x": 1}, {"x": 1}),
    ("point", {}, {}),
    ("texts", [], []),
    ("texts", ["a", "a"], ["a", "a"]),
    ("points", [{"x": 1}], [{"x": 1, "y": None}]),
    ("shape", {"extra": {"deep": [1, None]}}, {"extra": {"deep": [1, None]}}),
    ("made", "2024-01-02T03:04:05Z", "2024-01-02T03:04:05Z"),
]


@pytest.mark.parametrize(("name", "sent", "loaded"), LOADED)
def test_loaded(name: str, sent: Any, loaded: Any) -> None:
    value = edm.load(Thing, {name: sent}, partial=True)
    assert json.dumps(value) == json.dumps({name: loaded})


REFUSED: list[tuple[str, Any, str]] = [
    ("text", 5, "text: Cannot convert 5 to the type 'Edm.String'."),
    ("text", ["a"], "text: Cannot convert an array to the type 'Edm.String'."),
    ("flag", "true", "flag: Cannot convert 'true' to the type 'Edm.Boolean'."),
    ("flag", 0, "flag: Cannot convert 0 to the type 'Edm.Boolean'."),
    ("small", 2**31, "small: Cannot convert 2147483648 to the type 'Edm.Int32'."),
    ("small", True, "small: Cannot convert true to the type 'Edm.Int32'."),
    ("small", 1.0, "small: Cannot convert 1.0 to the type 'Edm.Int32'."),
    ("small", "1", "small: Cannot convert '1' to the type 'Edm.Int32'."),
    ("large", 2**63, "large: Cannot convert 9223372036854775808 to the type 'Edm.Int64'."),
    ("number", "1", "number: Cannot convert '1' to the type 'Edm.Double'."),
    ("number", "inf", "number: Cannot convert 'inf' to the type 'Edm.Double'."),
    ("number", False, "number: Cannot convert false to the type 'Edm.Double'."),
    ("number", float("inf"), "number: Cannot convert inf to the type 'Edm.Double'."),
    ("moment", "yesterday", "moment: Cannot convert 'yesterday' to the type 'Edm.DateTimeOffset'."),
    ("moment", 0, "moment: Cannot convert 0 to the type 'Edm.DateTimeOffset'."),
    (
        "colour",
        "Red",
        "colour: 'Red' is not a member of 'microsoft.graph.colour'; its members are red, green.",
    ),
    ("colour", 1, "colour: Cannot convert 1 to the type 'microsoft.graph.colour'."),
    ("point", [], "point: Cannot convert an array to the type 'microsoft.graph.point'."),
    ("point", {"x": "1"}, "point/x: Cannot convert '1' to the type 'Edm.Int32'."),
    (
        "point",
        {"z": 1},
        "point/z: The property 'z' does not exist on type 'microsoft.graph.point'.",
    ),
    (
        "point",
        {"@odata.type": "#microsoft.graph.shape"},
        "point/@odata.type: '#microsoft.graph.shape' does not name the type "
        "'microsoft.graph.point' expected here.",
    ),
    ("texts", None, "texts: A collection cannot be null; send [] to empty it."),
    ("texts", "a", "texts: Cannot convert 'a' to the type 'Collection(Edm.String)'."),
    ("texts", ["a", None], "texts/1: An item of a collection cannot be null."),
    ("texts", ["a", 1], "texts/1: Cannot convert 1 to the type 'Edm.String'."),
    ("points", [{}, {"y": "x"}], "points/1/y: Cannot convert 'x' to the type 'Edm.Double'."),
    ("colours", ["blue"], "colours/0: 'blue' is not a member of"),
    ("shape", {"at": {"x": []}}, "shape/at/x: Cannot convert an array"),
    ("shape", {"no name": 1}, "shape/no name: 'no name' is not a property name."),
    ("shape", {"": 1}, "'' is not a property name."),
]


@pytest.mark.parametrize(("name", "sent", "says"), REFUSED)
def test_refused_with_the_path(name: str, sent: Any, says: str) -> None:
    with pytest.raises(BadRequest) as raised:
        edm.load(Thing, {name: sent})
    assert says in raised.value.message
    with pytest.raises(BadRequest) as raised:
        edm.load(Thing, {name: sent}, partial=True, root="Security/things/3")
    assert raised.value.message.startswith(("Security/things/3/", "Security/things/3: "))


@pytest.mark.parametrize("depth", [edm.MAX_DEPTH - 1, edm.MAX_DEPTH, 100_000])
def test_dynamic_values_may_be_so_deep_and_no_deeper(depth: int) -> None:
    value: Any = 1
    for number in range(depth):
        value = [value] if number % 2 else {"a": value}
    if depth < edm.MAX_DEPTH:
        assert edm.load(Shape, {"deep": value})["deep"] == value
        return
    with pytest.raises(BadRequest, match="nested more than 100 levels deep"):
        edm.load(Shape, {"deep": value})


def test_a_wide_value_is_no_deep_one() -> None:
    value: Any = [[[]] * 1_000 for _ in range(100)]
    assert edm.load(Shape, {"wide": value})["wide"] == value


def test_all_declared_properties_in_order_unless_partial() -> None:
    assert list(edm.load(Thing, {"flag": True, "text": "x"})) == list(Thing.properties())
    assert next(iter(Thing.properties())) == "id"
    assert edm.load(Thing, {})["texts"] == []
    assert edm.load(Thing, {}, partial=True) == {}


@pytest.mark.parametrize("sent", ["microsoft.graph.thing", "#microsoft.graph.thing"])
def test_annotations_are_taken_and_left_aside(sent: str) -> None:
    value = {"@odata.type": sent, "@odata.etag": 5, "text@odata.type": "#String", "text": "x"}
    assert edm.load(Thing, value, partial=True) == {"text": "x"}
    opened = edm.load(Shape, {"more": 1, "more@odata.type": "#Int64"}, partial=True)
    assert opened == {"more@odata.type": "#Int64", "more": 1}


@pytest.mark.parametrize(
    ("name", "type_name"),
    [
        ("text", "Edm.String"),
        ("large", "Edm.Int64"),
        ("colour", "microsoft.graph.colour"),
        ("point", "microsoft.graph.point"),
        ("texts", "Collection(Edm.String)"),
        ("points", "Collection(microsoft.graph.point)"),
    ],
)
def test_type_names(name: str, type_name: str) -> None:
    assert Thing.properties()[name].type_name == type_name


def test_typed_values_say_their_types_as_the_pages_do() -> None:
    value = {"point": {"x": 1}, "shape": None, "points": [{"x": 2}], "texts": ["a"]}
    assert typed(Thing, value) == {
        "@odata.type": "#microsoft.graph.thing",
        "point": {"@odata.type": "microsoft.graph.point", "x": 1},
        "shape": None,
        "points": [{"@odata.type": "microsoft.graph.point", "x": 2}],
        "texts": ["a"],
    }


def test_fully_typed_values_say_what_json_does_not() -> None:
    value = {"text": "a", "flag": True, "large": 1, "colour": "red", "points": [{"x": 2}]}
    assert edm.fully_typed(Thing, value) == {
        "@odata.type": "#microsoft.graph.thing",
        "text": "a",
        "flag": True,
        "large@odata.type": "#Int64",
        "large": 1,
        "colour@odata.type": "#microsoft.graph.colour",
        "colour": "red",
        "points@odata.type": "#Collection(microsoft.graph.point)",
        "points": [{"@odata.type": "#microsoft.graph.point", "x@odata.type": "#Int32", "x": 2}],
    }


def test_bare_values_say_nothing() -> None:
    value = {"@odata.etag": "x", "a": [{"@odata.type": "t", "b@odata.type": "t", "b": 1}, 2]}
    assert edm.bare(value) == {"a": [{"b": 1}, 2]}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (["text"], Thing.properties()["text"]),
        (["shape", "at", "x"], Point.properties()["x"]),
        (["shape", "extra"], None),
        (["points", "x"], Thing.properties()["points"]),
        (["nothing"], None),
    ],
)
def test_property_at(path: list[str], found: edm.PropertyField | None) -> None:
    assert edm.property_at(Thing, path) is found


# -- properties -----------------------------------------------------------------------------

things = values_of(Thing)
changes = values_of(Thing, partial=True).map(lambda v: edm.load(Thing, v, partial=True))


@given(things)
def test_loading_is_done_once(value: dict[str, Any]) -> None:
    loaded = edm.load(Thing, value)
    assert edm.load(Thing, loaded) == loaded
    assert json.loads(json.dumps(loaded)) == loaded


@given(things, changes)
def test_a_merge_takes_all_that_was_sent_and_keeps_the_rest(
    value: dict[str, Any], sent: dict[str, Any]
) -> None:
    before = edm.whole(Thing, edm.load(Thing, value))
    kept = json.dumps(before)
    after = edm.merge(Thing, before, sent)
    assert json.dumps(before) == kept
    assert edm.merge(Thing, after, sent) == after
    assert {name: after[name] for name in before if name not in sent} == {
        name: before[name] for name in before if name not in sent
    }
    for name, declared in Thing.properties().items():
        if name in sent and not isinstance(declared, edm.Complex):
            assert after[name] == sent[name]


@given(things, st.dictionaries(st.sampled_from(["x", "y"]), st.just(1)))
def test_complex_values_merge_by_property(value: dict[str, Any], point: dict[str, int]) -> None:
    before = edm.whole(Thing, edm.load(Thing, value))
    after = edm.merge(Thing, before, {"point": point})
    assert after["point"] == {**(before["point"] or {"x": None, "y": None}), **point}
    assert edm.merge(Thing, after, {"point": None})["point"] is None


@given(changes)
def test_a_whole_value_has_every_property(sent: dict[str, Any]) -> None:
    whole = edm.whole(Thing, sent)
    assert list(whole) == list(Thing.properties())
    assert edm.whole(Thing, whole) == whole
    if sent.get("point") is not None:
        assert list(whole["point"]) == ["x", "y"]
    given = {id(item) for item in sent.values()}
    for item in whole.values():
        if isinstance(item, list) and id(item) not in given:
            item.append("edited")  # it is nobody else's
    assert "edited" not in json.dumps(edm.whole(Thing, {}))


def reordered(value: dict[str, Any]) -> dict[str, Any]:
    return dict(reversed(value.items()))


def shortened(value: dict[str, Any]) -> dict[str, Any]:
    return dict(list(value.items())[:-1])


@pytest.mark.parametrize("given_as", [dict, reordered, shortened])
@given(things)
def test_a_complex_value_that_is_whole_is_known_by_its_names(
    given_as: Any, value: dict[str, Any]
) -> None:
    shape = {"name": "s", **(value["shape"] or {}), "at": given_as({"x": 1, "y": 2})}
    quick = json.dumps(edm.whole(Thing, {**value, "shape": given_as(shape)}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merge_patch, "_is_whole", lambda *_: False)
        assert json.dumps(edm.whole(Thing, {**value, "shape": given_as(shape)})) == quick


@given(things)
def test_bare_takes_off_what_typed_puts_on(value: dict[str, Any]) -> None:
    whole = edm.whole(Thing, edm.load(Thing, value))
    assert edm.bare(typed(Thing, whole)) == whole
    assert edm.bare(edm.fully_typed(Thing, whole)) == whole
