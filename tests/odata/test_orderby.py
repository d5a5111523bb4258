"""``$orderby``: against an oracle that compares two entities at a time."""

from __future__ import annotations

from functools import cmp_to_key
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import examples

from mockgraph.errors import BadRequest
from mockgraph.odata.expressions import Scope
from mockgraph.odata.orderby import compile_orderby

from . import SEVERITIES, Closed, Open, closed, opened

KEYS: dict[str, Any] = {
    "title": lambda entity: entity["title"],
    "severity": lambda entity: entity["severity"] and SEVERITIES[entity["severity"]],
    "confidence": lambda entity: entity["confidence"],
    "isActive": lambda entity: entity["isActive"],
    "vendorInformation/provider": lambda entity: (entity["vendorInformation"] or {}).get(
        "provider"
    ),
    "length(title)": lambda entity: None if entity["title"] is None else len(entity["title"]),
    "tags/$count": lambda entity: len(entity["tags"]),
    "confidence mul -1": lambda entity: (
        None if entity["confidence"] is None else -entity["confidence"]
    ),
}

entities = st.fixed_dictionaries(
    {
        "title": st.none() | st.text("abB", max_size=2),
        "severity": st.none() | st.sampled_from(list(SEVERITIES)),
        "confidence": st.none() | st.integers(-2, 2),
        "isActive": st.none() | st.booleans(),
        "vendorInformation": st.none()
        | st.fixed_dictionaries({"provider": st.none() | st.sampled_from("ab")}),
        "tags": st.lists(st.just("t"), max_size=2),
    }
)
orders = st.lists(
    st.tuples(st.sampled_from(list(KEYS)), st.sampled_from(["", " asc", " desc"])), max_size=4
)


def oracle(order: list[tuple[str, str]]) -> Any:
    def compare(left: dict[str, Any], right: dict[str, Any]) -> int:
        for name, direction in order:
            a, b = KEYS[name](left), KEYS[name](right)
            if a == b:
                continue
            less = a is None or (b is not None and a < b)
            return -1 if less is (direction != " desc") else 1
        return 0

    return cmp_to_key(compare)


@settings(max_examples=examples(300), deadline=None)
@given(
    orders.filter(bool),
    st.lists(entities, max_size=12).map(
        lambda all_: [closed(**{**each, "id": str(i)}) for i, each in enumerate(all_)]
    ),
    st.none() | st.integers(0, 14),
)
def test_orders_as_the_oracle_does(
    order: list[tuple[str, str]], sample: list[dict[str, Any]], first: int | None
) -> None:
    compiled = compile_orderby(", ".join(name + way for name, way in order), Scope(Closed))
    assert compiled.sort(iter(sample), first) == sorted(sample, key=oracle(order))[:first]


def by(text: str, *values: dict[str, Any], schema: Any = Closed) -> list[str]:
    make = closed if schema is Closed else opened
    numbered = [make(**{**value, "id": str(index)}) for index, value in enumerate(values)]
    return [str(entity["id"]) for entity in compile_orderby(text, Scope(schema)).sort(numbered)]


def test_instants_are_ordered_as_moments() -> None:
    moments: list[dict[str, Any]] = [
        {"createdDateTime": "2024-01-01T00:00:00.5Z"},
        {"createdDateTime": "2024-01-01T03:00:00+03:00"},
        {"createdDateTime": "2024-01-01T00:00:00.4999999Z"},
        {"createdDateTime": None},
        {"createdDateTime": "2024-01-01T00:00:00.0000Z"},
    ]
    assert by("createdDateTime", *moments) == ["3", "1", "4", "2", "0"]
    assert by("createdDateTime desc", *moments) == ["0", "2", "1", "4", "3"]


def test_special_numbers_have_a_place() -> None:
    scores = [{"score": score} for score in ("NaN", 1, "-INF", None, "INF", "NaN", -5)]
    assert by("score", *scores) == ["3", "0", "5", "2", "6", "1", "4"]


def test_dynamic_values_are_ordered_by_kind_then_by_value() -> None:
    values = [{"x": x} for x in ("b", 2, None, True, "a", [1], 1.5, False, {"y": 1})]
    assert by("x", *values, {}, schema=Open) == ["2", "9", "7", "3", "6", "1", "4", "0", "5", "8"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nope", "'nope' does not exist on type 'microsoft.graph.closed'"),
        ("title up", "an operator is expected"),
        ("title,", "a key is missing"),
        (",title", "a key is missing"),
        ("desc", "'desc' does not exist"),
        ("title desc desc", "an operator|syntax error"),
        ("title asc desc", "syntax error|an operator"),
        ("tags", "cannot be ordered by"),
        ("vendorInformation", "cannot be ordered by"),
        ("null", "cannot be ordered by"),
        ("length(title", "ends too early"),
        ("title eq", "ends too early"),
        (",".join(["title"] * 17), "more than 16 keys"),
    ],
)
def test_what_is_refused_says_why(text: str, why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        compile_orderby(text, Scope(Closed))


def test_the_first_key_is_the_most_significant() -> None:
    pairs = [("a", 1), ("b", 1), ("a", 2), ("b", 2)]
    values = [{"title": title, "confidence": confidence} for title, confidence in pairs]
    assert by("title desc,confidence", *values) == ["1", "3", "0", "2"]
    assert by("confidence,title desc", *values) == ["1", "0", "3", "2"]
    assert by("title,confidence", *values) == ["0", "2", "1", "3"]


def test_a_condition_and_a_call_with_commas_may_be_keys() -> None:
    values = [{"title": "xa"}, {"title": "ab"}, {"title": "a"}]
    assert by("contains(title,'b') desc,title DESC", *values) == ["1", "0", "2"]
