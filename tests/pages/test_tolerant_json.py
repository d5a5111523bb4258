"""JSON as pages print it."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockgraph.errors import MockGraphError
from mockgraph.pages.tolerant_json import read_printed_json


@pytest.mark.parametrize(
    ("text", "value", "note"),
    [
        ('{"a": 1,}', {"a": 1}, "a comma too many"),
        ('{"a": [1, 2 3]}', {"a": [1, 2, 3]}, "a comma that is missing"),
        ('[{"a": 1}\n{"a": 2}]', [{"a": 1}, {"a": 2}], "a comma that is missing"),
        ('{"a": "x\u201d\n}', {"a": "x"}, "quotes of another kind"),
        ("{\u201ca\u201d: 'x'}", {"a": "x"}, "quotes of another kind"),
        ('{"a": "he said \u201chi\u201d",}', {"a": "he said \u201chi\u201d"}, "a comma too many"),
        ('{"a": 1 // one\n}', {"a": 1}, "a comment"),
        ('{/* "b": 2, */ "a": 1}', {"a": 1}, "a comment"),
        ('{"value": [{"a": 1}, ...]}', {"value": [{"a": 1}]}, "an ellipsis"),
        ('{"a": 1, \u2026}', {"a": 1}, "an ellipsis"),
        ('{"a": String}', {"a": "String"}, "a value without quotes"),
        ('{"a": true | false}', {"a": "true | false"}, "a value without quotes"),
        ('{"a": {id}}', {"a": "{id}"}, "a placeholder without quotes"),
        ("{a: 1}", {"a": 1}, "a name without quotes"),
        ('{"a": "1\n2"}', {"a": "1\n2"}, "a raw control character"),
        ('{"a": "open\n "b": 3}', {"a": "open", "b": 3}, "a quote that is missing"),
        ('{"a": [1, 2', {"a": [1, 2]}, "a ']' that is missing"),
        ('{"a": [1}', {"a": [1]}, "a ']' that is missing"),
        ('{"a": 1}}', {"a": 1}, "text after the end"),
        ('{"a": "\\S"}', {"a": "\\S"}, "an escape that is none"),
        ('{"a": 0012}', {"a": 12}, "a number that is not written as JSON has it"),
        ('{"a": }', {"a": None}, "a value that is missing"),
        ('{"a": 2020-01-01T00:00:00Z}', {"a": "2020-01-01T00:00:00Z"}, "a value without quotes"),
        ('{"a": "\\ud83d\\ude00",}', {"a": "\U0001f600"}, "a comma too many"),
    ],
)
def test_what_is_meant_is_read_and_what_is_wrong_is_noted(
    text: str, value: object, note: str
) -> None:
    found, notes = read_printed_json(text)
    assert found == value
    assert note in notes


@pytest.mark.parametrize("text", ["", "plain words", "<html>", "]", '{"a"}', "{:}", "{{{"])
def test_what_has_no_value_is_refused(text: str) -> None:
    with pytest.raises(MockGraphError, match="The documented body is not JSON"):
        read_printed_json(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@given(JSON)
def test_json_is_read_as_it_is(value: Any) -> None:
    assert read_printed_json(json.dumps(value)) == (value, ())


@given(JSON.filter(lambda value: isinstance(value, (dict, list)) and value), st.data())
def test_whatever_is_cut_out_is_read_or_refused(value: Any, data: st.DataObject) -> None:
    text = json.dumps(value, indent=1)
    start = data.draw(st.integers(0, len(text) - 1))
    cut = text[:start] + text[start + data.draw(st.integers(1, 9)) :]
    with suppress(MockGraphError):
        json.dumps(read_printed_json(cut))


@pytest.mark.parametrize(
    "text",
    ['{"a": ' * 50_000, "[" * 50_000, '{"a": "' + "\n" * 50_000 + 'x"}', "[" + "1," * 50_000 + "]"],
    ids=["objects", "arrays", "lines", "commas"],
)
def test_long_texts_are_read_or_refused(text: str) -> None:
    with suppress(MockGraphError):
        assert read_printed_json(text)[0]
