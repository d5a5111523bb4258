"""Maps and ordered sequences that are never edited, against the dicts that they stand for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockgraph.state import persistent_maps
from mockgraph.state.persistent_maps import Map, Ordered


class Item(NamedTuple):
    number: int
    value: str


@pytest.fixture(autouse=True, scope="module")
def _small_nodes() -> Iterator[None]:
    """So few items to a node that a few dozen make a tree of some levels."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(persistent_maps, "_MOST", 4)
        yield


numbers = st.integers(0, 60)
# A number and a value to put there; None takes it away.
steps = st.lists(st.tuples(numbers, st.none() | st.sampled_from("abc")), max_size=150)
starts = st.sets(numbers).map(lambda chosen: {n: Item(n, "start") for n in sorted(chosen)})


def changed(
    ordered: Ordered[Item], plain: dict[int, Item], step: tuple[int, str | None]
) -> Ordered[Item]:
    """Return the map after a step; the dict is edited."""
    number, value = step
    if value is not None:
        plain[number] = Item(number, value)
        # They do the same, whether there is one with the number or not.
        put = ordered.replaced if value == "a" else ordered.put
        return put(plain[number])
    return ordered.without(number) if plain.pop(number, None) else ordered


def in_order(plain: dict[int, Item]) -> list[Item]:
    return [plain[number] for number in sorted(plain)]


@given(starts, steps)
def test_ordered_as_a_dict(start: dict[int, Item], steps: list[tuple[int, str | None]]) -> None:
    plain = dict(start)
    ordered = Ordered(start.values())
    versions = [(ordered, in_order(plain))]
    for step in steps:
        ordered = changed(ordered, plain, step)
        versions.append((ordered, in_order(plain)))
    for version, expected in versions:
        assert list(version) == expected
        assert len(version) == len(expected)
        assert not expected or version.first() is expected[0]
        assert all(version.at(item.number) is item for item in expected)
    for number in range(-1, 62, 3):
        after = [item for item in expected if item.number > number]
        assert list(ordered.after(number)) == after
        before = [item for item in expected if item.number < number]
        assert list(ordered.before(number)) == before[::-1]
        for high in range(-1, 62, 7):
            assert ordered.count(number, high) == sum(item.number < high for item in after)


@given(starts, steps, steps)
def test_the_difference_of_two_versions(
    start: dict[int, Item],
    first: list[tuple[int, str | None]],
    second: list[tuple[int, str | None]],
) -> None:
    here = there = Ordered(start.values())
    ours, theirs = dict(start), dict(start)
    for step in first:
        here = changed(here, ours, step)
    for step in second:
        there = changed(there, theirs, step)
    gone, come = here.difference(there)
    kept = {id(item) for item in there} & {id(item) for item in here}
    assert gone == [item for item in here if id(item) not in kept]
    assert come == [item for item in there if id(item) not in kept]
    assert here.difference(here) == ([], [])


def test_nodes_stay_few_and_small() -> None:
    ordered: Ordered[Item] = Ordered([])
    for number in range(400):
        ordered = ordered.put(Item(number, ""))
    assert [len(items) for _, items in ordered._leaves()] == [4] * 100
    assert ordered._depth == 4
    for number in range(400):
        if number % 8:
            ordered = ordered.without(number)
    assert [item.number for item in ordered] == list(range(0, 400, 8))
    assert len(list(ordered._leaves())) <= 50
    for number in range(1, 400, 8):
        ordered = ordered.put(Item(number, ""))
    assert max(len(items) for _, items in ordered._leaves()) <= 4
    for item in list(ordered):
        ordered = ordered.without(item.number)
    assert (list(ordered), len(ordered), ordered._depth) == ([], 0, 0)


# Numbers far apart fall into one leaf where only their last bits are looked at.
keys = st.text(max_size=2) | st.integers(-3, 3).map(lambda n: n * 2**60) | st.integers(-50, 50)


@given(
    st.dictionaries(keys, st.integers()),
    st.lists(st.tuples(keys, st.none() | st.integers()), max_size=80),
)
def test_a_map_as_a_dict(
    start: dict[str | int, int], steps: list[tuple[str | int, int | None]]
) -> None:
    plain, mapped = dict(start), Map(start.items())
    versions = [(mapped, dict(plain))]
    for key, value in steps:
        if value is not None:
            plain[key] = value
            mapped = mapped.put(key, value)
        elif key in plain:
            del plain[key]
            mapped = mapped.without(key)
        versions.append((mapped, dict(plain)))
    every = {*start, *(key for key, _ in steps)}
    for version, expected in versions:
        assert {key: version.get(key) for key in every} == {key: expected.get(key) for key in every}


def test_maps_begin_empty_each_for_itself() -> None:
    first: Map[str, int] = Map()
    second: Map[str, int] = Map()
    assert first.put("a", 1).get("a") == 1
    assert first.get("a") is second.get("a") is Map([("b", 2)]).get("a") is None
