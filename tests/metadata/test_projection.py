"""The projection of stored values on a root: the quick way is held to a plain one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockgraph import metadata as edm
from mockgraph.metadata.elements import ComplexType
from mockgraph.service import SERVICE

Schema = type[edm.StructuredSchema]

STORED = SERVICE.stored.schemas
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
    known = STORED[schema.type_name].properties()
    declared: dict[str, Any] = {}
    dynamic: dict[str, Any] = {}
    for name, item in value.items():
        field = schema.properties().get(name)
        inner = field.item if isinstance(field, edm.Collection) else field
        if isinstance(inner, edm.Complex) and item:
            item = (
                [plain(inner.schema, each) for each in item]
                if isinstance(item, list)
                else plain(inner.schema, item)
            )
        if field is not None:
            declared[name] = item
        elif schema.is_open and (name not in known or item != known[name].unset()):
            dynamic[name] = item
    ordered = {name: declared[name] for name in schema.properties() if name in declared}
    return {**ordered, **dynamic}


@st.composite
def stored(draw: st.DrawFn, schema: Schema, depth: int = 2) -> dict[str, Any]:
    """Make a value as it is stored: whole, some of it set, with more where the type is open."""
    value = edm.whole(schema, {})
    names = sorted(schema.properties())
    for name in draw(st.lists(st.sampled_from(names), unique=True, max_size=8)) if names else ():
        field = schema.properties()[name]
        inner = field.item if isinstance(field, edm.Collection) else field
        if isinstance(inner, edm.Complex):
            if inner.schema.is_abstract or not depth:
                continue
            item: Any = draw(stored(inner.schema, depth - 1))
        else:
            item = draw(st.sampled_from(["", "x", 0, 1, False]))
        value[name] = [item] if isinstance(field, edm.Collection) else item
    if schema.is_open:
        value |= draw(st.dictionaries(st.sampled_from(["dyn1", "dyn2"]), st.integers()))
    return value


@pytest.mark.parametrize("root", SERVICE.views)
@given(data=st.data())
def test_a_root_shows_what_its_model_has(root: str, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(TYPES[root]))
    value = data.draw(stored(STORED[name]))
    schema = SERVICE.views[root].schemas[name]
    before = repr(value)
    shown = edm.projected(schema, value, STORED)
    assert shown == plain(schema, value)
    declared = [name for name in schema.properties() if name in shown]
    assert list(shown)[: len(declared)] == declared  # what is dynamic follows in any order
    assert repr(edm.documented(schema, value, STORED)) == repr(edm.typed(schema, shown))
    assert repr(value) == before


def test_both_ways_are_taken() -> None:
    from mockgraph.metadata.values import _narrowing

    ways = (
        _narrowing(view.schemas[name], STORED).is_in_order
        for root, view in SERVICE.views.items()
        for name in TYPES[root]
    )
    first = next(ways)
    assert (not first) in ways  # as soon as it comes
