"""The projection of stored values on a root: the quick way is held to a plain one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockgraph import metadata as edm
from mockgraph.metadata.elements import ComplexType
from mockgraph.service import SERVICE

Schema = type[edm.StructuredSchema]

STORED = SERVICE.stored.schemas
CONCRETE = {
    name
    for name in SERVICE.stored.model.type_names()
    if isinstance(found := SERVICE.stored.model.type(name), ComplexType) and not found.abstract
}
PROJECTIONS = {
    (is_typed, is_masked): edm.projections(STORED, is_typed=is_typed, is_masked=is_masked)
    for is_typed in (True, False)
    for is_masked in (True, False)
}
TYPES = {
    root: sorted(
        name
        for name in view.model.type_names()
        if isinstance(found := view.model.type(name), ComplexType) and not found.abstract
    )
    for root, view in SERVICE.views.items()
}


def plain(schema: Schema, value: dict[str, Any]) -> dict[str, Any]:
    """Return what ``projected`` is to give, name by name."""
    schema = edm.own_type(schema, value)
    known = STORED[schema.type_name].properties()
    declared: dict[str, Any] = {}
    dynamic: dict[str, Any] = {}
    for name, item in value.items():
        field = schema.properties().get(name)
        inner = None if field is None else edm.item_of(field)
        if isinstance(inner, edm.Complex) and item:
            item = (
                [plain(inner.schema, each) for each in item]
                if isinstance(item, list)
                else plain(inner.schema, item)
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
def stored(draw: st.DrawFn, schema: Schema, depth: int = 2) -> dict[str, Any]:
    """Make a value as it is stored: whole, some of it set, with more where the type is open.

    It may be of a type that derives from this one, which roots may lack.
    """
    heirs = [name for name in STORED.model.derived(schema.type_name) if name in CONCRETE]
    if heirs and (schema.is_abstract or draw(st.booleans())):
        name = draw(st.sampled_from(heirs))
        own = STORED[name]
        value = {"@odata.type": f"#{name}", **edm.whole(own, {})}
    else:
        own, value = schema, edm.whole(schema, {})
    names = sorted(own.properties())
    for name in draw(st.lists(st.sampled_from(names), unique=True, max_size=8)) if names else ():
        field = own.properties()[name]
        inner = edm.item_of(field)
        if isinstance(inner, edm.Complex):
            if not depth:
                continue
            item: Any = draw(stored(inner.schema, depth - 1))
        elif isinstance(inner, edm.Enum):
            item = draw(st.sampled_from(sorted(inner.values.members)))
        else:
            item = draw(st.sampled_from(["", "x", 0, 1, False]))
        value[name] = [item] if isinstance(field, edm.Collection) else item
    if own.is_open:
        value |= draw(st.dictionaries(st.sampled_from(["dyn1", "dyn2"]), st.integers()))
    if draw(st.booleans()):  # some of it is selected
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


@pytest.mark.parametrize("root", SERVICE.views)
@given(data=st.data(), is_typed=st.booleans(), is_masked=st.booleans())
def test_a_root_shows_what_its_model_has_and_its_callers_know(
    root: str, data: st.DataObject, is_typed: bool, is_masked: bool
) -> None:
    name = data.draw(st.sampled_from(TYPES[root]))
    value = data.draw(stored(STORED[name]))
    schema = SERVICE.views[root].schemas[name]
    before = repr(value)
    shown = PROJECTIONS[is_typed, is_masked][schema].of(value)
    wanted = plain(schema, value)
    if is_masked:
        wanted = masked(schema, wanted)
    if is_typed:
        wanted = typed(schema, wanted)
    assert shown == wanted
    assert in_order(schema, shown) == in_order(schema, wanted)
    assert repr(value) == before


@pytest.mark.parametrize("root", SERVICE.views)
@given(data=st.data())
def test_a_property_is_shown_as_within_its_value(root: str, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(TYPES[root]))
    value = data.draw(stored(STORED[name]))
    schema = SERVICE.views[root].schemas[name]
    projections = PROJECTIONS[True, True]
    shown = projections[schema].of(value)
    own = edm.own_type(schema, value)
    for each, declared in own.properties().items():
        if each in value:
            assert projections.of_property(declared, value[each]) == shown[each]
    assert projections.of_property(None, 5) == 5


@pytest.mark.parametrize("root", SERVICE.views)
@given(data=st.data())
def test_what_is_selected_is_of_a_value_in_its_order(root: str, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(TYPES[root]))
    schema = SERVICE.views[root].schemas[name]
    value = data.draw(stored(STORED[name]))
    known = st.sampled_from(sorted(schema.properties()) or ["none"])
    names = data.draw(st.frozensets(known | st.sampled_from(["dyn1", "none"]), min_size=1))
    projection = PROJECTIONS[True, True][schema]
    selected = projection.selected(value, names)
    if selected:
        plainly = {name: item for name, item in value.items() if name in names}
        assert selected == plainly
        assert list(projection.of(selected)) == list(projection.of(plainly))
    else:
        is_other = "@odata.type" in value or not names <= schema.properties().keys()
        assert is_other or not names & value.keys()


def test_both_ways_are_taken() -> None:
    ways = {
        PROJECTIONS[False, False][view.schemas[name]].is_in_order
        for root, view in SERVICE.views.items()
        for name in TYPES[root]
    }
    assert ways == {True, False}
