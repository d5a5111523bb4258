"""Filters over random types against an oracle: what compares in OData compares as in Python."""

from __future__ import annotations

import base64
import operator
import re
import uuid
from collections.abc import Callable, Iterator
from datetime import date, time, timedelta
from typing import Any, NamedTuple

import pytest
from edm_strategies import values_of
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from metadata.strategies import models

from mockgraph import metadata as edm
from mockgraph.metadata.elements import ComplexType
from mockgraph.metadata.entity_data_model import Model
from mockgraph.metadata.schemas import Schemas
from mockgraph.odata.expressions import Scope
from mockgraph.odata.filter import compile_filter
from mockgraph.odata.orderby import compile_orderby

from . import is_met
from .test_filter_oracle import literal, moment_of

Json = Any
Structured = type[edm.StructuredSchema]

EQUALITY: dict[str, Callable[[Any, Any], bool]] = {"eq": operator.eq, "ne": operator.ne}
OPERATORS = EQUALITY | {
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
# What an expression cannot name a property by.
WORDS = {"null", "true", "false", "INF", "NaN"}
_DURATION = re.compile(r"P(\d+)DT(\d+)H(\d+)M(\d+)S")


def length_of(text: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    assert match is not None
    days, hours, minutes, seconds = map(int, match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


# For each type how its JSON is understood, and how a literal of it is spelt.
NUMBER = (float, str)
KINDS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], str]]] = {
    "Edm.String": (str, literal),
    "Edm.Boolean": (bool, lambda value: str(value).lower()),
    **{f"Edm.{name}": (int, str) for name in ("Byte", "SByte", "Int16", "Int32", "Int64")},
    **{f"Edm.{name}": NUMBER for name in ("Double", "Single", "Decimal")},
    "Edm.Guid": (uuid.UUID, str.upper),
    "Edm.Date": (date.fromisoformat, str),
    "Edm.TimeOfDay": (time.fromisoformat, str),
    "Edm.Duration": (length_of, lambda text: f"duration'{text}'"),
    "Edm.DateTimeOffset": (moment_of, str),
    "Edm.Binary": (base64.urlsafe_b64decode, lambda text: f"binary'{text}'"),
}


class Leaf(NamedTuple):
    """A property that compares: the path to it, and whether it is a collection of such."""

    path: tuple[str, ...]
    declared: edm.PropertyField
    is_collection: bool

    @property
    def understood(self) -> Callable[[Json], Any]:
        if isinstance(self.declared, edm.Enum):
            return self.declared.values.members.__getitem__
        return KINDS[self.declared.edm][0]

    def literal(self, value: Json) -> str:
        if isinstance(self.declared, edm.Enum):
            return f"{self.declared.type_name}'{value}'"
        return KINDS[self.declared.edm][1](value)

    def held(self, entity: Json) -> Json:
        for name in self.path:
            entity = entity.get(name) if isinstance(entity, dict) else None
        return entity

    def value(self, entity: Json) -> Any:
        held = self.held(entity)
        return None if held is None else self.understood(held)


def leaves(own: Structured, schemas: Schemas, above: tuple[str, ...] = ()) -> Iterator[Leaf]:
    heirs = [schemas[each] for each in schemas.model.derived(own.type_name)]
    for name, declared in own.properties().items():
        # A random type may declare anew, and otherwise, what its base has: its values differ.
        if name in WORDS or any(each.properties()[name] is not declared for each in heirs):
            continue
        item = declared.item if isinstance(declared, edm.Collection) else declared
        if isinstance(item, edm.Enum) or item.edm in KINDS:
            yield Leaf((*above, name), item, item is not declared)
        elif isinstance(declared, edm.Complex) and len(above) < 2:
            yield from leaves(declared.schema, schemas, (*above, name))


@st.composite
def types(draw: st.DrawFn) -> tuple[Structured, list[Leaf]]:
    """A type of a random model that has something to compare."""
    model: Model = draw(models())
    schemas = Schemas(model)
    found = []
    for name in model.type_names():
        if isinstance(model.type(name), ComplexType):
            own = schemas[name]
            comparable = list(leaves(own, schemas))
            if comparable and not values_of(own).is_empty:
                found.append((own, comparable))
    assume(found)
    return draw(st.sampled_from(found))


def condition(draw: Any, leaf: Leaf, values: list[Json]) -> tuple[str, Callable[[Json], bool]]:
    """A comparison of a property with a value that it has somewhere, or with null."""
    path = "/".join(leaf.path)
    operators = EQUALITY if leaf.declared.edm == "Edm.Binary" else OPERATORS
    name = draw(st.sampled_from(sorted(operators)))
    if leaf.is_collection:
        fold: Callable[[Iterator[bool]], bool]
        quantifier, fold = draw(st.sampled_from([("any", any), ("all", all)]))
        items = [item for held in values for item in held or ()]
        if not items:
            return f"{path}/any()", lambda _: False
        wanted = draw(st.sampled_from(items))
        text = f"{path}/{quantifier}(x:x {name} {leaf.literal(wanted)})"
        right = leaf.understood(wanted)

        def over(entity: Json) -> bool:
            held = leaf.held(entity) or ()
            return fold(operators[name](leaf.understood(item), right) for item in held)

        return text, over
    given = [held for held in values if held is not None]
    if not given or draw(st.integers(0, 4)) == 0:
        name = draw(st.sampled_from(sorted(EQUALITY)))
        return f"{path} {name} null", lambda entity: (leaf.value(entity) is None) == (name == "eq")
    wanted = draw(st.sampled_from(given))
    right = leaf.understood(wanted)

    def test(entity: Json) -> bool:
        left = leaf.value(entity)
        return name == "ne" if left is None else operators[name](left, right)

    return f"{path} {name} {leaf.literal(wanted)}", test


# To shrink a model takes minutes, and leaves hardly less of it.
@pytest.mark.long
@settings(phases=[Phase.explicit, Phase.generate])
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@given(types(), st.data())
def test_filters_mean_what_the_oracle_says(
    type_: tuple[Structured, list[Leaf]], data: st.DataObject
) -> None:
    own, comparable = type_
    sent = data.draw(st.lists(values_of(own), min_size=1, max_size=3))
    sample = [edm.load(own, each) for each in sent]
    for leaf in comparable:
        text, holds = condition(data.draw, leaf, [leaf.held(each) for each in sample])
        compiled = compile_filter(text, Scope(own))
        expected = [holds(each) for each in sample]
        assert [compiled.matches(each) for each in sample] == expected, text
        opposite = compile_filter(f"not ({text})", Scope(own))
        assert [opposite.matches(each) for each in sample] == [not each for each in expected], text
        for each, match in zip(sample, expected, strict=True):
            held = [is_met(condition, each) for condition in compiled.conditions]
            assert all(held) if match else not (compiled.exact and any(held))


@pytest.mark.long
@settings(phases=[Phase.explicit, Phase.generate])
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@given(types(), st.data())
def test_orders_are_those_of_the_oracle(
    type_: tuple[Structured, list[Leaf]], data: st.DataObject
) -> None:
    own, comparable = type_
    sent = data.draw(st.lists(values_of(own), min_size=2, max_size=4))
    sample = [edm.load(own, each) for each in sent]
    for leaf in comparable:
        if leaf.is_collection or leaf.declared.edm == "Edm.Binary":
            continue

        def rank(entity: Json, leaf: Leaf = leaf) -> Any:
            value = leaf.value(entity)
            # Null first, then what is not a number.
            return (0, 0) if value is None else (1, 0) if value != value else (2, value)

        for text, descending in (("", False), (" desc", True)):
            ordered = compile_orderby("/".join(leaf.path) + text, Scope(own)).sort(sample)
            assert ordered == sorted(sample, key=rank, reverse=descending)
