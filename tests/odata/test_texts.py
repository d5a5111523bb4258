"""JSON texts: those of long arrays are written in blocks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mockgraph import work
from mockgraph.odata.rendering import texts
from mockgraph.work import Abandoned, Work

values = st.recursive(
    st.none() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=9) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=40,
)


@given(values | st.dictionaries(st.text(max_size=3), st.lists(values, max_size=12)))
@pytest.mark.parametrize("layout", ["graph", "documented"])
def test_blocks_make_the_same_text(layout: str, value: Any) -> None:
    expected = texts.dump(value, layout)
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(texts, "_BLOCK", 3)
        assert texts.dump(value, layout) == expected


@given(st.lists(values, max_size=5), st.text(), st.text() | st.none())
@example([1], '"value":[]', '\\"value":[]')
def test_a_page_of_texts_is_that_of_their_values(
    items: list[Any], context: str, link: str | None
) -> None:
    around: dict[str, Any] = {"@odata.context": context, "value": [], "@odata.nextLink": link}
    page = texts.page_json(around, [texts.dump(each, "graph") for each in items])
    assert page == texts.dump({**around, "value": items}, "graph")


members = st.dictionaries(st.text(max_size=3), values)


@given(members, members)
def test_two_objects_make_one(first: dict[str, Any], others: dict[str, Any]) -> None:
    second = {name: item for name, item in others.items() if name not in first}
    both = texts.joined(texts.dump(first, "graph"), texts.dump(second, "graph"))
    assert both == texts.dump({**first, **second}, "graph")


@pytest.mark.parametrize("layout", ["graph", "documented"])
def test_a_long_array_is_given_up(layout: str) -> None:
    def give_up() -> None:
        raise Abandoned

    body = {"value": [{"text": "x" * 1000}] * 10_000}
    with work.counted_by(Work(give_up)), pytest.raises(Abandoned):
        texts.dump(body, layout)


def test_a_page_of_many_texts_is_given_up() -> None:
    def give_up() -> None:
        raise Abandoned

    with work.counted_by(Work(give_up)), pytest.raises(Abandoned):
        texts.page_json({"value": []}, [b'"%b"' % (b"x" * 1000)] * 10_000)
