"""Parameters as signatures declare them, and their values in JSON and in a query."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypedDict, Unpack

import pytest

from mockgraph.control.parameters import form_of, parameters_of, read_members, read_query_parameters
from mockgraph.errors import BadRequest


class Options(TypedDict, total=False):
    text: Annotated[str | None, "A text."]
    whole: int
    number: float
    truth: bool
    often: int | Literal["always"] | None
    kind: Literal["a", "b"]
    method: str | Sequence[str] | None
    names: list[str]
    anything: Any
    free: Mapping[str, Any] | None
    criteria: Mapping[str, str | bool]
    values: Mapping[str, str | int | list[str] | None]
    function: Callable[[str], bool] | None


def example(_: object, needed: int, more: str = "x", **options: Unpack[Options]) -> None:
    """A function with a parameter of each type."""


FORM = form_of(example, ("needed", "more"))

TAKEN: dict[str, list[Any]] = {
    "text": ["", "a", None],
    "whole": [0, -1],
    "number": [1, 1.5],
    "truth": [True, False],
    "often": [1, "always", None],
    "kind": ["a", "c"],
    "method": ["GET", ["GET", "PUT"], None],
    "names": [[], ["a"]],
    "anything": [None, 1, "a", [], {}],
    "free": [{}, {"a": [1]}, None],
    "criteria": [{}, {"a": True, "b": "c"}],
    "values": [{"a": None, "b": 1, "c": "d", "e": ["f"]}],
}

REFUSED: list[tuple[str, Any, str]] = [
    ("text", 1, "text: Give a text."),
    ("whole", True, "whole: Give a whole number."),
    ("whole", 1.0, "whole: Give a whole number."),
    ("whole", None, "whole: Give a whole number."),
    ("number", "1", "number: Give a number."),
    ("truth", 1, "truth: Give true or false."),
    ("often", "never", 'often: Give a whole number, or "always".'),
    ("kind", 1, "kind: Give a text."),
    ("method", ["GET", 1], "method: Give a method, or a list of them."),
    ("names", "a", "names: Give a list of texts."),
    ("free", [], "free: Give an object."),
    ("criteria", {"a": 1}, "criteria/a: Give a text, true or false."),
    ("values", {"a": {}}, "values/a: Give a text, a whole number, a list of texts or null."),
    ("function", "x", "function: There is no such member here."),
]


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, each in TAKEN.items() for v in each])
def test_a_value_of_its_type_is_taken(name: str, value: Any) -> None:
    assert read_members(FORM, {name: value}) == {name: value}


@pytest.mark.parametrize(("name", "value", "message"), REFUSED)
def test_a_value_of_another_type_is_refused(name: str, value: Any, message: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read_members(FORM, {name: value})
    assert refused.value.message == message


def test_each_type_is_tried() -> None:
    assert TAKEN.keys() | {"function"} == Options.__annotations__.keys()


def test_a_parameter_without_a_default_is_needed() -> None:
    with pytest.raises(BadRequest, match="needed: This member"):
        read_members(form_of(example), {})
    assert read_members(form_of(example), {"needed": 1}) == {"needed": 1}


def test_the_first_parameter_and_functions_are_none() -> None:
    names = [each.name for each in parameters_of(example)]
    assert names == ["needed", "more", *TAKEN]
    needed, more, text, *_ = parameters_of(example)
    assert (needed.is_required, needed.default) == (True, None)
    assert (more.is_required, more.default, more.takes_null) == (False, "x", False)
    assert (text.help, text.types, text.takes_null) == ("A text.", (str,), True)


def listed(
    _: object,
    in_batch: bool | None = None,
    limit: int | None = None,
    path: str = "",
    allow: Sequence[str] = (),
) -> None:
    """A function whose parameters come in a query."""


def test_a_query() -> None:
    query = {"inBatch": ["false"], "limit": ["07", "8"], "path": [""], "allow": ["a", "", "b"]}
    found = read_query_parameters(parameters_of(listed), query)
    assert found == {"in_batch": False, "limit": 7, "allow": ["a", "b"]}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("inBatch", "1", "inBatch: Give true or false."),
        ("limit", "-1", "limit: Give a whole number."),
        ("limit", "²", "limit: Give a whole number."),
        ("limit", "1234567890", "limit: Give a whole number."),
        (
            "in_batch",
            "true",
            "in_batch: The choices are inBatch, limit, path, allow. Did you mean inBatch?",
        ),
    ],
)
def test_a_query_that_is_wrong(name: str, text: str, message: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read_query_parameters(parameters_of(listed), {name: [text]})
    assert refused.value.message == message
