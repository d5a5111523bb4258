"""A filter whose tree is known with other literals means the same as where it is not known."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import examples

from mockgraph.errors import GraphError
from mockgraph.odata import filter as filters
from mockgraph.odata.ast import Node
from mockgraph.odata.expressions import Scope
from mockgraph.odata.filter import compile_filter
from mockgraph.odata.grammar import parse_expression
from mockgraph.odata.lexer import without_literals
from mockgraph.state.indexes import Condition, Equality

from . import Closed, Open, closed
from .test_filter_oracle import PIECES, Entity, cases, entities

# Of each kind, some of which are no values, or refused.
LITERALS = [
    "''",
    "'x'",
    "'it''s'",
    "'high'",
    "'('",
    "1",
    "-5",
    "1.50",
    "2e1",
    "9223372036854775808",
]
LITERALS += ["2024-03-01T00:00:01Z", "2024-03-01", "2024-13-01", "10:30", "25:00", "1e999"]
LITERALS += ["ABCDEF01-2345-6789-abcd-ef0123456789", "duration'PT1.5S'", "duration'x'"]
LITERALS += [
    "microsoft.graph.severity'low'",
    "graph.access'read,write'",
    "binary'AQ=='",
    "other'x'",
]
# Where a literal is no value like any other, or where none may be.
SHAPES = ["title in @_0", "access has @_0", "isof(@_0)", "$root/tenants(@_0)/name eq @_1"]
SHAPES += ["tags/any(@_0:true)", "- @_0 lt confidence", "title eq @_0 )", "contains(title,@_0)"]
SHAPES += ["@_0", "not @_0", "confidence in (@_0,null,@_1)", "dynamic eq @_0", "cast(@_0,@_1)"]
SHAPES += ["createdDateTime gt now() sub @_0", "now() gt @_0 and title eq @_1", "title eq @_0 @_1"]
SHAPES += ["@_0 eq title or severity eq @_1", "tags/any(t:t eq @_0 or hosts/any(h:h/fqdn eq @_1))"]

literals = st.lists(st.sampled_from(LITERALS), min_size=8, max_size=8)


def outcome(text: str, schema: Any, sample: list[Entity]) -> object:
    """What becomes of a filter: what it is and finds, or how it is refused."""
    try:
        compiled = compile_filter(text, Scope(schema, now="2024-03-01T00:00:02Z"))
        found = [compiled.matches(entity) for entity in sample]
    except GraphError as error:
        return type(error), error.message
    conditions = [bounds(each) for each in compiled.conditions]
    facts = compiled.weight, compiled.exact, compiled.is_fixed, compiled.is_for_any
    return found, conditions, [*compiled.paths()], facts


def bounds(condition: Condition) -> object:
    rest = condition.values if isinstance(condition, Equality) else condition[1:]
    return condition.key.name, rest


def with_literals(shape: str, values: list[str]) -> str:
    return re.sub(r"@_(\d+)", lambda match: values[int(match[1]) % len(values)], shape)


def shape_of(text: str) -> str:
    apart = without_literals(text)
    return text if apart is None else apart[0]


def assert_the_same(texts: list[str], schema: Any, sample: list[Entity]) -> None:
    quick = [outcome(text, schema, sample) for text in texts]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(filters, "_kept_tree", lambda *_: None)
        patched.setattr(filters, "_for_any_request", lambda *_: None)
        assert quick == [outcome(text, schema, sample) for text in texts]


@settings(max_examples=examples(300), deadline=None)
@given(
    cases().map(lambda case: shape_of(case.text))
    | st.lists(st.sampled_from([*PIECES, "@_0", "@_1", "has"]), max_size=8).map(" ".join),
    st.lists(literals, min_size=2, max_size=4),
    st.sampled_from([Closed, Open]),
    st.lists(entities, max_size=4),
)
def test_other_literals_make_no_other_tree(
    shape: str, several: list[list[str]], schema: Any, sample: list[Entity]
) -> None:
    assert_the_same([with_literals(shape, values) for values in several], schema, sample)


@pytest.mark.parametrize("shape", SHAPES)
def test_literals_that_a_tree_depends_on(shape: str) -> None:
    texts = [with_literals(shape, [each, "'x'"]) for each in LITERALS]
    for schema in (Closed, Open):
        assert_the_same(texts, schema, [closed(title="x", access="read,write")])


def test_a_tree_is_read_once_for_all_literals(monkeypatch: pytest.MonkeyPatch) -> None:
    read = []

    def parse(text: str) -> Node:
        read.append(text)
        return parse_expression(text)

    monkeypatch.setattr(filters, "parse_expression", parse)
    filters._kept_tree.cache_clear()
    for number in range(3):
        compile_filter(f"title eq 'once {number}' and confidence gt {number}", Scope(Closed))
    assert len(read) == 1
