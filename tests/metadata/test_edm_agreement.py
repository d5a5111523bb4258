"""Loading takes a short way for what is valid; it must agree with marshmallow on everything."""

from __future__ import annotations

from typing import Any

import pytest
from edm_strategies import values_of
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from mockgraph import metadata as edm
from mockgraph.service import SERVICE

Structured = type[edm.StructuredSchema]


def within(schema: Structured, met: dict[Structured, None]) -> None:
    """A schema, and those of the complex values in it."""
    met[schema] = None
    for declared in schema.properties().values():
        item = declared.item if isinstance(declared, edm.Collection) else declared
        if isinstance(item, edm.Complex) and item.schema not in met:
            within(item.schema, met)


MET: dict[Structured, None] = {}
for root in ("localtest", "beta"):
    singleton = SERVICE.views[root].children["security"]
    for top in (singleton, *singleton.children().values()):
        within(top.type, MET)
SCHEMAS = [each for each in MET if not each.is_abstract]

junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def outcome(load: Any, value: Any, partial: bool) -> Any:
    try:
        loaded = load(value, partial=partial)
    except ValidationError as error:
        refused: Any = error  # marshmallow leaves the method untyped
        return refused.normalized_messages()
    # What is to be merged may be in any order.
    return loaded, None if partial else list(loaded)


@st.composite
def spoilt(draw: Any, schema: Structured) -> Any:
    """A valid value, at one place of which something else may stand."""
    value = draw(values_of(schema, partial=True))
    for _ in range(draw(st.integers(0, 2))):
        at, name = value, draw(st.sampled_from([*value, "@odata.type", "made up", "dynamic"]))
        while isinstance(at.get(name), dict) and at[name] and draw(st.booleans()):
            at = at[name]
            name = draw(st.sampled_from(list(at)))
        at[name] = draw(junk)
    return value


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.type_name)
@given(data=st.data())
def test_the_short_way_agrees_with_marshmallow(schema: Structured, data: st.DataObject) -> None:
    value, partial = data.draw(spoilt(schema)), data.draw(st.booleans())
    instance = edm.instance(schema)
    assert outcome(instance.load_object, value, partial) == outcome(instance.load, value, partial)
