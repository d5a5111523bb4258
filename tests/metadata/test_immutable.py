"""Immutable values: made, compared, hashed and replaced as frozen dataclasses are."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockgraph.metadata.immutable import Immutable


class Point(Immutable):
    x: int
    y: int = 0


class Place(Point):
    name: str = ""


class Other(Immutable):
    x: int
    y: int = 0


@dataclass(frozen=True)
class Oracle:
    x: int
    y: int = 0
    name: str = ""


Fields = tuple[int, int, str]

small = st.integers(0, 2)
fields = st.tuples(small, small, st.sampled_from(["", "a"]))


@given(fields, fields)
def test_they_are_what_dataclasses_are(
    one: tuple[int, int, str], two: tuple[int, int, str]
) -> None:
    mine, others = Place(*one), Place(name=two[2], y=two[1], x=two[0])
    assert (mine == others) == (Oracle(*one) == Oracle(*two))
    assert len({mine, others}) == len({Oracle(*one), Oracle(*two)})
    assert repr(mine) == repr(Oracle(*one)).replace("Oracle", "Place")
    changed, expected = mine.replaced(y=two[1]), replace(Oracle(*one), y=two[1])
    assert changed.field_values() == (expected.x, expected.y, expected.name)


def test_values_of_different_types_differ() -> None:
    assert Point(1) == Point(1, 0) == Point(x=1, y=0)
    assert Point(1) != Other(1)
    assert Point(1) != Place(1)
    assert Point(1) != (1, 0)
    assert len({Point(1), Other(1)}) == 2


def test_they_match_by_their_names() -> None:
    match Place(1, name="a"):
        case Point(x=x, y=0):
            assert x == 1
        case _:
            pytest.fail("It is a point.")


@pytest.mark.parametrize(
    ("given", "named"),
    [((), {}), ((1, 2, 3), {}), ((1,), {"z": 1}), ((1,), {"x": 1}), ((), {"y": 1})],
)
def test_wrong_fields(given: tuple[int, ...], named: dict[str, int]) -> None:
    with pytest.raises(TypeError, match="Point has the fields x, y"):
        Point(*given, **named)


def test_nothing_of_them_changes() -> None:
    point = Point(1)
    with pytest.raises(AttributeError, match="immutable"):
        setattr(point, "x", 2)  # noqa: B010
    with pytest.raises(AttributeError, match="immutable"):
        delattr(point, "x")
    with pytest.raises(AttributeError):
        object.__setattr__(point, "z", 1)
    assert point == Point(1)
