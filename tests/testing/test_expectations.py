"""Expectations: what may be expected, and what a failure says."""

from __future__ import annotations

from typing import Any, cast
from unittest.mock import ANY

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockgraph.errors import BadRequest
from mockgraph.testing.exchange import Exchange
from mockgraph.testing.expectations import Expectation, Expected, check_called, deviations
from mockgraph.testing.journal import Requests

from .exchanges import ALERTS, Past

PATCHED = {"title": "one", "count": 1, "tags": ["a", "b"], "gone": None, "note": {"by": "ada"}}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=12,
)


NAMED = st.dictionaries(st.text("ab", max_size=2), JSON, min_size=1)


def called(*exchanges: Exchange, method: str = "PATCH", path: str = "/**", **expected: Any) -> str:
    """Why the expectation does not hold; nothing where it does."""
    try:
        expectation = Expectation(method, path, cast("Expected", expected))
        check_called(Requests(exchanges), expectation)
    except AssertionError as error:
        return str(error)
    return ""


def patched(url: str = f"{ALERTS}/1", **asked: Any) -> Exchange:
    return Past().exchange(method="PATCH", url=url, **{"body": PATCHED, **asked})


HOLDING: list[dict[str, Any]] = [
    {"json": {"tags": ("a", ANY)}},
    {"json": {"gone": None}},
    {"json": {"gone": ANY}},
    {"json": ANY},
    {"json": {"note": lambda note: note["by"] == "ada"}},
    {"json": PATCHED, "exact": True},
    {"query": {"$top": "5"}},
    {"query": {"top": 5}},
    {"query": {"$TOP": lambda text: text == "5"}},
    {"query": {"$count": True}},
    {"query": {"a": ["1", "2"]}},
    {"query": {"$filter": None, "$top": ANY}},
    {"query": None, "headers": None, "status": None, "in_batch": None},
    {"headers": {"X-Own": "one", "x-other": None}},
    {"headers": {"x-count": 3}},
    {"where": lambda exchange: exchange.below == "/security/alerts/1"},
]


@pytest.mark.parametrize("expected", HOLDING)
def test_what_may_be_expected(expected: dict[str, Any]) -> None:
    url = f"{ALERTS}/1?$top=5&$count=true&a=1&a=2"
    assert called(patched(url, headers={"x-own": "one", "x-count": "3"}), **expected) == ""


FAILING: list[tuple[dict[str, Any], str]] = [
    ({"json": {"absent": ANY}}, "json/absent: <ANY> expected, nothing sent"),
    ({"json": {"absent": None}}, "json/absent: None expected, nothing sent"),
    ({"json": {"absent": lambda _: True}}, "json/absent: <lambda> expected something, nothing"),
    ({"json": {"count": True}}, "json/count: True expected, 1 sent"),
    ({"json": {"count": "1"}}, "json/count: '1' expected, 1 sent"),
    ({"json": {"tags": ["a"]}}, "json/tags: ['a'] expected, ['a', 'b'] sent"),
    ({"json": {"tags": ["a", "c"]}}, "json/tags/1: 'c' expected, 'b' sent"),
    ({"json": {"note": {}}, "exact": True}, "json/note/by: nothing expected, 'ada' sent"),
    ({"json": None}, "json: None expected, {'count': 1, "),
    (
        {"json": {"title": lambda title: title > 5}},
        "json/title: the function, raising TypeError ('>' not supported between instances",
    ),
    ({"where": lambda exchange: exchange.none}, "where: the function, raising AttributeError"),
    ({"query": {"$top": ANY}}, "query $top: <ANY> expected, nothing sent"),
    ({"query": {"q": None}}, "query q: nothing expected, '1' sent"),
    ({"headers": {"x-own": None}}, "header x-own: nothing expected, 'one' sent"),
    ({"json": {"title": str.isdigit}}, "json/title: the function says no to 'one'"),
]


@pytest.mark.parametrize(("expected", "says"), FAILING)
def test_what_is_not_so_is_told(expected: dict[str, Any], says: str) -> None:
    assert says in called(patched(f"{ALERTS}/1?q=1", headers={"x-own": "one"}), **expected)


@given(JSON)
def test_a_value_is_as_expected_where_it_is_the_same(value: Any) -> None:
    assert list(deviations("json", value, value, True)) == []


@given(NAMED, st.data())
def test_a_part_of_a_body_is_enough_unless_exact(body: dict[str, Any], data: Any) -> None:
    left_out = data.draw(st.sampled_from(sorted(body)))
    part = {name: value for name, value in body.items() if name != left_out}
    assert list(deviations("json", part, body, False)) == []
    for told in (deviations("json", part, body, True), deviations("json", body, part, False)):
        assert [line.partition(":")[0] for line in told] == [f"json/{left_out}"]


@given(NAMED, st.data())
def test_a_change_is_found_at_its_place(body: dict[str, Any], data: Any) -> None:
    name = data.draw(st.sampled_from(sorted(body)))
    changed = {**body, name: {"changed": body[name]}}
    told = [line.partition(": ")[0] for line in deviations("json", changed, body, True)]
    assert told
    assert all(place.startswith(f"json/{name}") for place in told)


def test_what_is_nested_deep_is_compared() -> None:
    deep: Any = 1
    other: Any = 2
    for _ in range(50_000):
        deep, other = [deep], [other]
    (line,) = deviations("", deep, other, False)
    assert line.endswith("/0: 1 expected, 2 sent")
    (line,) = deviations("json", {}, deep, False)
    assert len(line) < 100


@pytest.mark.parametrize("expected", [{"jsn": {}}, {"method": "GET"}, {"body": b""}])
def test_a_misspelt_expectation_does_not_hold_by_itself(expected: Any) -> None:
    with pytest.raises(TypeError, match="There is no '"):
        Expectation("GET", "/", expected)


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        ({"times": -1}, "times: "),
        ({"at_least": -1}, "at_least: "),
        ({"at_most": -1}, "at_most: "),
        ({"at_least": 3, "at_most": 2}, "at_most: 2 at most cannot be 3 at least"),
    ],
)
def test_a_number_that_cannot_be(numbers: dict[str, int], says: str) -> None:
    with pytest.raises(BadRequest, match=says):
        check_called(Requests([]), Expectation("GET", "/", {}), **numbers)


def misses(message: str) -> list[str]:
    return [line.split(" -> ")[0][14:] for line in message.splitlines() if line[:4] == "Near"]


def test_near_misses_are_ranked() -> None:
    past = Past()
    made = [
        past.exchange(method="PATCH", url="/v1.0/security/incidents/1", body=PATCHED),
        past.exchange(method="PATCH", url="/v1.0/security/alert/1", body=PATCHED),
        past.exchange(method="GET", url="/v1.0/security/incidents/2"),
        past.exchange(method="PATCH", url=f"{ALERTS}/1", body={"title": "two", "count": 5}),
        past.exchange(method="PATCH", url=f"{ALERTS}/2", body={"title": "one", "count": 5}),
    ]
    asked: dict[str, Any] = {"path": "/security/alerts/{id}", "json": {"title": "one", "count": 1}}
    assert misses(called(*made, **asked)) == [
        "PATCH /v1.0/security/alerts/2",
        "PATCH /v1.0/security/alerts/1",
        "PATCH /v1.0/security/alert/1",
    ]


def test_the_same_miss_is_told_once() -> None:
    past = Past()
    made = [past.exchange(method="PATCH", body={"n": 1}) for _ in range(9)]
    assert len(misses(called(*made, json={"n": 2}))) == 1


def test_a_failure_is_short_whatever_was_sent() -> None:
    past = Past()
    large = {f"{'n' * 100}{n}": "x" * 1000 for n in range(100)}
    made = [
        past.exchange(method="PATCH", url=f"{ALERTS}/{'i' * 3000}{n}?q={'q' * 9000}", body=large)
        for n in range(10)
    ]
    wanted = {name: {"a": "y" * 10_000} for name in large}
    message = called(*made, json=wanted, query={"q": "z" * 10_000})
    assert "and 95 more" in message
    assert len(message) < 20_000


def test_the_expectation_is_told_in_a_line() -> None:
    def is_odd(number: int) -> bool:
        return number % 2 == 1

    expected: Expected = {"json": {"n": is_odd}, "exact": True, "where": bool, "status": 200}
    told = str(Expectation(None, "/security", expected))
    assert told.startswith("Any method /security json={'n': <function ")
    assert told.endswith("status=200 exactly")
    assert "is_odd" in told
    assert "where=" in told
