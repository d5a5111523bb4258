"""The projection of stored values on a root: the quick way is held to a plain one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from profiles import examples

from mockgraph import metadata as edm
from mockgraph.metadata.elements import ComplexType
from mockgraph.metadata.notation import parse
from mockgraph.metadata.schemas import Schemas
from mockgraph.service import SERVICE

Schema = type[edm.StructuredSchema]

# What the state knows, and what a root has of it: less, in another order, open or not.
STORED = """
namespace made

enum state
  new 1
  unknownFutureValue 2
  later 4

complex leaf
  one: Int32
  two: String

complex marked
  state: state

complex held
  state: state
  leaf: leaf

complex heir : held
  more: leaf[]

complex newcomer : held open
  late: state

complex closing open
  one: String

complex opening
  one: String
  two: held

complex turned
  one: state
  two: String
  three: held[]

entity thing open
  key id
  id: String not null
  one: String
  gone: String[]
  two: state[]
  left: held
  leaf: leaf
  leaves: leaf[]
  helds: held[]
  things: nested[]
  closing: closing
  opening: opening[]
  turned: turned
  marked: marked[]

complex nested
  one: nested
  gone: leaf
  two: nested[]
  state: state
"""
SHOWN = """
namespace made

enum state
  new 1
  unknownFutureValue 2
  later 4

complex leaf
  one: Int32
  two: String

complex marked
  state: state

complex held
  state: state
  leaf: leaf

complex heir : held
  more: leaf[]

complex closing
  one: String

complex opening open
  one: String
  two: held

complex turned
  three: held[]
  two: String
  one: state

entity thing open
  key id
  id: String not null
  one: String
  two: state[]
  leaf: leaf
  leaves: leaf[]
  helds: held[]
  things: nested[]
  closing: closing
  opening: opening[]
  turned: turned
  marked: marked[]

complex nested
  one: nested
  two: nested[]
  state: state
"""


def concrete(schemas: Schemas) -> list[str]:
    """Return the names of the structured types that have values."""
    model = schemas.model
    return sorted(
        name
        for name in model.type_names()
        if isinstance(found := model.type(name), ComplexType) and not found.abstract
    )


def read(text: str) -> Schemas:
    return Schemas(parse([("made.edm", text)]))


# The schemas of each root, and those that its values are stored by.
ROOTS = {name: (view.schemas, SERVICE.stored.schemas) for name, view in SERVICE.views.items()}
ROOTS["made"] = read(SHOWN), read(STORED)
TYPES = {root: concrete(shown) for root, (shown, _) in ROOTS.items()}
HEIRS = {root: frozenset(concrete(known)) for root, (_, known) in ROOTS.items()}


def plain(schema: Schema, value: dict[str, Any], stored: Schemas) -> dict[str, Any]:
    """Return what a root has of a value, name by name."""
    schema = edm.own_type(schema, value)
    known = stored[schema.type_name].properties()
    declared: dict[str, Any] = {}
    dynamic: dict[str, Any] = {}
    for name, item in value.items():
        field = schema.properties().get(name)
        inner = None if field is None else edm.item_of(field)
        if isinstance(inner, edm.Complex) and item:
            item = (
                [plain(inner.schema, each, stored) for each in item]
                if isinstance(item, list)
                else plain(inner.schema, item, stored)
            )
        if field is not None or name == "@odata.type":
            declared[name] = item
        elif schema.is_open and (name not in known or item != known[name].unset()):
            dynamic[name] = item
    names = ("@odata.type", *schema.properties())
    ordered = {name: declared[name] for name in names if name in declared}
    return {**ordered, **dynamic}


def typed(schema: Schema, value: dict[str, Any]) -> dict[str, Any]:
    """Return a value with its type, and that of each in it, as the pages of localtest print it."""
    own = edm.own_type(schema, value)
    sign = "#" if issubclass(own, edm.EntitySchema) else ""
    marked = {"@odata.type": f"{sign}{own.type_name}", **value}
    return marked | within(own, value, typed)


def masked(schema: Schema, value: dict[str, Any]) -> dict[str, Any]:
    """Return a value whose later members of enumerations are not told."""
    own = edm.own_type(schema, value)
    shown = value | within(own, value, masked)
    for name, declared in own.properties().items():
        item = edm.item_of(declared)
        if isinstance(item, edm.Enum) and shown.get(name):
            members = shown[name] if isinstance(shown[name], list) else [shown[name]]
            told = [edm.UNKNOWN_MEMBER if each in item.values.later else each for each in members]
            shown[name] = told if isinstance(shown[name], list) else told[0]
    return shown


def within(
    schema: Schema, value: dict[str, Any], change: Callable[[Schema, Any], Any]
) -> dict[str, Any]:
    """Return the properties that hold values of structured types, with these changed."""
    changed: dict[str, Any] = {}
    for name, declared in schema.properties().items():
        item = edm.item_of(declared)
        if isinstance(item, edm.Complex) and value.get(name) is not None:
            held = value[name]
            changed[name] = (
                [change(item.schema, each) for each in held]
                if isinstance(held, list)
                else change(item.schema, held)
            )
    return changed


@st.composite
def stored(draw: st.DrawFn, root: str, name: str, depth: int = 2) -> dict[str, Any]:
    """Make a value as it is stored: whole, some of it set, with more where the type is open.

    It may be of a type that derives from this one, which roots may lack.
    """
    known = ROOTS[root][1]
    schema = known[name]
    heirs = [each for each in known.model.derived(name) if each in HEIRS[root]]
    if heirs and (schema.is_abstract or draw(st.booleans())):
        name = draw(st.sampled_from(heirs))
        own = known[name]
        value = {"@odata.type": f"#{name}", **edm.whole(own, {})}
    else:
        own, value = schema, edm.whole(schema, {})
    names = sorted(own.properties())
    if len(names) > 20:  # a few of them
        taken = draw(st.lists(st.sampled_from(names), unique=True, max_size=8))
    else:
        taken = [each for each in names if draw(st.integers(0, 4))]
    for name in taken:
        field = own.properties()[name]
        inner = edm.item_of(field)
        if isinstance(inner, edm.Complex):
            if not depth:
                continue
            item: Any = draw(stored(root, inner.schema.type_name, depth - 1))
        elif isinstance(inner, edm.Enum):
            item = draw(st.sampled_from(sorted(inner.values.members)))
        else:
            item = draw(st.sampled_from(["", "x", 0, 1, False]))
        value[name] = [item] if isinstance(field, edm.Collection) else item
    if own.is_open:
        value |= draw(st.dictionaries(st.sampled_from(["dyn1", "dyn2"]), st.integers()))
    if not draw(st.integers(0, 4)):  # some of it is selected
        left = {"@odata.type", *draw(st.lists(st.sampled_from(names)) if names else st.just([]))}
        value = {name: item for name, item in value.items() if name in left}
    return value


def in_order(schema: Schema, shown: Any) -> Any:
    """Return what is shown as JSON, in which the order of dynamic properties is no matter."""
    if isinstance(shown, list):
        return [in_order(schema, each) for each in shown]
    own = edm.own_type(schema, shown)
    declared = {name: item for name, item in shown.items() if name in own.properties()}
    dynamic = {name: item for name, item in shown.items() if name not in declared}
    declared |= within(own, declared, in_order)
    return json.dumps([declared, sorted(dynamic.items(), key=str)])


@st.composite
def cases(draw: st.DrawFn, root: str) -> tuple[Schema, dict[str, Any]]:
    """Make a schema of a root and a value that is stored of its type."""
    name = draw(st.sampled_from(TYPES[root]))
    return ROOTS[root][0][name], draw(stored(root, name))


def projections(root: str, *, is_typed: bool = True, is_masked: bool = True) -> edm.Projections:
    return edm.projections(ROOTS[root][1], is_typed=is_typed, is_masked=is_masked)


def check_shown(
    root: str, schema: Schema, value: dict[str, Any], *, is_typed: bool, is_masked: bool
) -> None:
    before = repr(value)
    shown = projections(root, is_typed=is_typed, is_masked=is_masked)[schema].of(value)
    wanted = plain(schema, value, ROOTS[root][1])
    if is_masked:
        wanted = masked(schema, wanted)
    if is_typed:
        wanted = typed(schema, wanted)
    assert shown == wanted
    assert in_order(schema, shown) == in_order(schema, wanted)
    assert repr(value) == before


def check_selected(root: str, schema: Schema, value: dict[str, Any], names: frozenset[str]) -> None:
    projection = projections(root)[schema]
    selected = projection.selected(value, names)
    if selected:
        plainly = {name: item for name, item in value.items() if name in names}
        assert selected == plainly
        assert list(projection.of(selected)) == list(projection.of(plainly))
    else:
        is_other = "@odata.type" in value or not names <= schema.properties().keys()
        assert is_other or not names & value.keys()


def some_names(schema: Schema) -> st.SearchStrategy[frozenset[str]]:
    declared = st.sampled_from(sorted(schema.properties()) or ["none"])
    return st.frozensets(declared | st.sampled_from(["dyn1", "none"]), min_size=1)


@pytest.mark.parametrize("root", SERVICE.views)
@given(data=st.data(), is_typed=st.booleans(), is_masked=st.booleans())
def test_a_root_shows_what_its_model_has_and_its_callers_know(
    root: str, data: st.DataObject, is_typed: bool, is_masked: bool
) -> None:
    schema, value = data.draw(cases(root))
    check_shown(root, schema, value, is_typed=is_typed, is_masked=is_masked)
    check_selected(root, schema, value, data.draw(some_names(schema)))


# What fails is not made smaller: that takes minutes.
@settings(max_examples=examples(250), phases=[Phase.generate])
@given(data=st.data(), is_typed=st.booleans(), is_masked=st.booleans())
def test_a_root_of_another_order_that_lacks_much(
    data: st.DataObject, is_typed: bool, is_masked: bool
) -> None:
    schema, value = ROOTS["made"][0]["made.thing"], data.draw(stored("made", "made.thing"))
    check_shown("made", schema, value, is_typed=is_typed, is_masked=is_masked)
    check_selected("made", schema, value, data.draw(some_names(schema)))


@pytest.mark.parametrize("root", ROOTS)
@given(data=st.data())
def test_a_property_is_shown_as_within_its_value(root: str, data: st.DataObject) -> None:
    schema, value = data.draw(cases(root))
    shown = projections(root)[schema].of(value)
    own = edm.own_type(schema, value)
    for name, declared in own.properties().items():
        if name in value:
            assert projections(root).of_property(declared, value[name]) == shown[name]
    assert projections(root).of_property(None, 5) == 5


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        # A type that the root lacks: what is shown is what it has of the declared one.
        (
            {"helds": [{"@odata.type": "#made.newcomer", "state": "new", "late": "later"}]},
            {"helds": [{"@odata.type": "#made.newcomer", "state": "new"}]},
        ),
        # In the root's order, though not all of it is there.
        (
            {"turned": {"one": "new", "two": "x"}},
            {"turned": {"two": "x", "one": "new"}},
        ),
        # What was declared elsewhere alone is dynamic here once it is set.
        ({"gone": [], "left": None, "one": "x"}, {"one": "x"}),
        ({"gone": ["x"], "left": None, "one": "x"}, {"one": "x", "gone": ["x"]}),
        # Nothing is dynamic where the type is not open.
        ({"closing": {"one": "x", "dyn": 1}}, {"closing": {"one": "x"}}),
    ],
)
def test_what_a_root_lacks(stored: dict[str, Any], shown: dict[str, Any]) -> None:
    thing = ROOTS["made"][0]["made.thing"]
    projection = projections("made", is_typed=False, is_masked=False)[thing]
    assert json.dumps(projection.of(stored)) == json.dumps(shown)
