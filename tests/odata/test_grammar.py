"""The grammar of query options: trees against their texts, both ways."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import examples

from mockgraph.errors import BadRequest, NotEmulated
from mockgraph.odata.ast import (
    PRECEDENCE,
    Alias,
    BinaryOperation,
    EnumerationLiteral,
    ExpandItem,
    FunctionCall,
    In,
    Lambda,
    List,
    Literal,
    Logical,
    OrderItem,
    Path,
    SearchTerm,
    SelectItem,
    TypeCall,
    UnaryOperation,
    ValueKind,
    to_text,
)
from mockgraph.odata.expand import parse_expand
from mockgraph.odata.grammar import parse_alias, parse_expression, parse_orderby
from mockgraph.odata.lexer import constant_named
from mockgraph.odata.search import parse_search
from mockgraph.odata.select import parse_select

from .test_filter import TRUE
from .test_standard_examples import EXAMPLES

Tree = Any

# -- random trees --------------------------------------------------------------------------

# Words that mean something where an operand stands; all others, "eq" and "any" too, are names.
names = st.one_of(
    st.from_regex(r"[^\W\d]\w{0,5}", fullmatch=True),
    st.sampled_from(["eq", "and", "in", "any", "all", "has", "asc", "nothing", "P", "cast"]),
).filter(lambda name: constant_named(name) is None and name.lower() != "not")
qualified = st.lists(names, min_size=2, max_size=3).map(".".join)
segments = st.lists(names | qualified, max_size=2)
paths = st.one_of(
    st.builds(lambda first, rest: Path((first, *rest)), names, segments),
    st.builds(lambda rest: Path(("$it", *rest)), segments),
    st.builds(lambda rest: Path((*rest, "$count")), segments.map(lambda rest: rest or ["x"])),
    st.builds(lambda name, key: Path(("$root", f"s{name}({key})", "x")), names, st.just("'7'")),
)
aliases = names.map(Alias)
texts = st.text(max_size=5)


def fixed(low: int, high: int) -> st.SearchStrategy[Decimal]:
    """Numbers with a point, since without one they are integers."""
    return st.builds(
        lambda whole, part: Decimal(f"{whole}.{part}"), st.integers(low, high), st.integers(0, 99)
    )


literals = st.one_of(
    st.just(Literal(ValueKind.NULL, None)),
    st.booleans().map(lambda value: Literal(ValueKind.BOOLEAN, value)),
    texts.map(lambda value: Literal(ValueKind.STRING, value)),
    st.integers(-(2**63), 2**63 - 1).map(lambda value: Literal(ValueKind.INTEGER, value)),
    fixed(-(10**30), 10**30).map(lambda value: Literal(ValueKind.DECIMAL, value)),
    st.integers(2**63, 10**40).map(lambda value: Literal(ValueKind.DECIMAL, Decimal(value))),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda n: Literal(ValueKind.DOUBLE, n)),
    st.just(Literal(ValueKind.DOUBLE, math.inf)),
    st.dates().map(lambda value: Literal(ValueKind.DATE, value.isoformat())),
    st.datetimes().map(
        lambda value: Literal(
            ValueKind.INSTANT, value.replace(microsecond=0).isoformat() + ".1234567"
        )
    ),
    st.times().map(lambda value: Literal(ValueKind.TIME, value.replace(microsecond=0).isoformat())),
    fixed(-(10**11), 10**11).map(lambda value: Literal(ValueKind.DURATION, value)),
    st.uuids().map(lambda value: Literal(ValueKind.GUID, str(value))),
    st.sampled_from([ValueKind.BINARY, ValueKind.GEOGRAPHY, ValueKind.GEOMETRY]).flatmap(
        lambda kind: texts.map(lambda value: Literal(kind, value))
    ),
    st.builds(
        lambda name, text: Literal(ValueKind.MEMBER, EnumerationLiteral(name, text)),
        qualified,
        texts,
    ),
)
flags = literals.filter(lambda literal: literal.kind in (ValueKind.STRING, ValueKind.MEMBER))
functions = st.sampled_from(["contains", "toLower", "geo.distance", "any", "eq"])
types = qualified | qualified.map(lambda name: f"Collection({name})")
operators = st.sampled_from(
    sorted(name for name in PRECEDENCE if name.islower() and name not in ("and", "or", "in", "has"))
)


def some(trees: st.SearchStrategy[Tree], least: int = 0) -> st.SearchStrategy[Tree]:
    return st.one_of([st.tuples(*[trees] * size) for size in range(least, 4)])


def larger(trees: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    return st.one_of(
        st.builds(UnaryOperation, st.sampled_from(["not", "-"]), trees),
        st.builds(BinaryOperation, operators, trees, trees),
        st.builds(lambda left, flag: BinaryOperation("has", left, flag), trees, flags),
        st.builds(Logical, st.sampled_from(["and", "or"]), some(trees, 2)),
        st.builds(In, trees, some(trees, 1).map(List) | paths | aliases),
        st.builds(FunctionCall, functions, some(trees)),
        st.builds(TypeCall, st.sampled_from(["isof", "cast"]), st.none() | trees, types),
        st.builds(Lambda, paths, st.sampled_from(["any", "all"]), names, trees),
        st.builds(lambda path: Lambda(path, "any", None, None), paths),
    )


trees = st.recursive(literals | paths | aliases, larger, max_leaves=10)


@settings(max_examples=examples(500), deadline=None)
@given(trees)
def test_the_text_of_a_tree_is_parsed_to_it(tree: Tree) -> None:
    assert parse_expression(to_text(tree)) == tree


def test_what_is_no_number_is_parsed_to_its_literal() -> None:
    """Alone, as it equals nothing, itself included."""
    tree = parse_expression("NaN")
    assert isinstance(tree, Literal)
    assert tree.kind is ValueKind.DOUBLE
    assert math.isnan(tree.value)
    assert to_text(tree) == "NaN"


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(st.builds(OrderItem, trees, st.booleans()), min_size=1, max_size=3))
def test_keys_of_orderby_too(items: list[OrderItem]) -> None:
    assert parse_orderby(",".join(map(to_text, items))) == items


words = st.text(min_size=1, max_size=6).filter(str.strip).map(SearchTerm)
searches = st.recursive(
    words,
    lambda inner: st.one_of(
        st.builds(lambda operand: UnaryOperation("NOT", operand), inner),
        st.builds(Logical, st.sampled_from(["AND", "OR"]), some(inner, 2)),
    ),
    max_leaves=10,
)


@settings(max_examples=examples(200), deadline=None)
@given(searches)
def test_searches_too(tree: Tree) -> None:
    assert parse_search(to_text(tree)) == tree


cast_paths = st.lists(names | qualified, min_size=1, max_size=3).map(lambda all_: Path(tuple(all_)))
list_paths = cast_paths | st.just(Path(("*",)))


@given(st.lists(list_paths.map(SelectItem), min_size=1, max_size=3))
def test_items_of_select_too(items: list[SelectItem]) -> None:
    assert parse_select(",".join(map(to_text, items))) == items


OPTIONS = [("$select", "id"), ("$filter", "contains(title,';)')"), ("$search", '"x;(y"')]
OPTIONS += [("$levels", "max"), ("$expand", "alerts($top=1;$expand=x/$ref)"), ("$top", "2")]
nested = st.lists(st.sampled_from(OPTIONS), max_size=3).map(tuple)
expand_items = st.builds(ExpandItem, list_paths, st.sampled_from([None, "$ref", "$count"]), nested)


@given(st.lists(expand_items, min_size=1, max_size=3))
def test_items_of_expand_too(items: list[ExpandItem]) -> None:
    assert list(parse_expand(",".join(map(to_text, items)))) == items


@pytest.mark.parametrize("text", [*TRUE, *EXAMPLES])
def test_what_is_printed_means_what_was_sent(text: str) -> None:
    tree = parse_expression(text)
    assert parse_expression(to_text(tree)) == tree


PIECES = [*"(),/:-", "not", "and", "or", "eq", "in", "has", "any(", "isof(", "cast(", "null", "'x'"]
PIECES += ["1", "1.5", "-2e3", "$it", "$root", "@p", "t", "a.b", "a.b'c'", "duration'P1D'", "PT1S"]


@settings(max_examples=examples(500), deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=10).map(" ".join))
def test_any_text_is_refused_or_printed_to_the_same_tree(text: str) -> None:
    tree: Tree = None
    message = "none"
    try:
        tree = parse_expression(text)
    except (BadRequest, NotEmulated) as refusal:
        message = refusal.message
    assert 0 < len(message) < 300
    assert tree is None or parse_expression(to_text(tree)) == tree


# -- what texts mean -----------------------------------------------------------------------


def path(text: str) -> Path:
    return Path(tuple(text.split("/")))


A, B, C, D = (path(name) for name in "abcd")
USER = "microsoft.graph.security.userEvidence"


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a or b and c", Logical("or", (A, Logical("and", (B, C))))),
        ("(a or b) and c and d", Logical("and", (Logical("or", (A, B)), C, D))),
        ("a and (b and c)", Logical("and", (A, Logical("and", (B, C))))),
        ("not a eq b", BinaryOperation("eq", UnaryOperation("not", A), B)),
        ("not a in b", UnaryOperation("not", In(A, B))),
        ("a eq b lt c", BinaryOperation("eq", A, BinaryOperation("lt", B, C))),
        ("a sub b sub c", BinaryOperation("sub", BinaryOperation("sub", A, B), C)),
        (
            "a add -b mul c",
            BinaryOperation("add", A, BinaryOperation("mul", UnaryOperation("-", B), C)),
        ),
        ("a in (b)", In(A, List((B,)))),
        ("a in @b", In(A, Alias("b"))),
        ("'x' in a/b", In(Literal(ValueKind.STRING, "x"), path("a/b"))),
        (
            "a has x.y'z'",
            BinaryOperation("has", A, Literal(ValueKind.MEMBER, EnumerationLiteral("x.y", "z"))),
        ),
        ("a/all(b:b)", Lambda(A, "all", "b", B)),
        (
            f"evidence/any(e: e/{USER}/userAccount/userPrincipalName eq @user)",
            Lambda(
                path("evidence"),
                "any",
                "e",
                BinaryOperation(
                    "eq", path(f"e/{USER}/userAccount/userPrincipalName"), Alias("user")
                ),
            ),
        ),
        (f"evidence/{USER}/any()", Lambda(path(f"evidence/{USER}"), "any", None, None)),
        (f"isof({USER})", TypeCall("isof", None, USER)),
        (f"IsOf(a, {USER})", TypeCall("isof", A, USER)),
        (
            "cast(a,Edm.Int32) gt 1",
            BinaryOperation("gt", TypeCall("cast", A, "Edm.Int32"), parse_expression("1")),
        ),
        ("isof(a,Collection(Edm.String))", TypeCall("isof", A, "Collection(Edm.String)")),
        ("$it/a/$count", path("$it/a/$count")),
        ("$root/cases('7')/status", path("$root/cases('7')/status")),
        ("$root/cases(@id)/tags/any()", Lambda(path("$root/cases(@id)/tags"), "any", None, None)),
        ("null/a", path("null/a")),
    ],
)
def test_trees(text: str, tree: Tree) -> None:
    assert parse_expression(text) == tree


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("null", ValueKind.NULL, None),
        ("True", ValueKind.BOOLEAN, True),
        ("'It''s'", ValueKind.STRING, "It's"),
        ("-7", ValueKind.INTEGER, -7),
        ("9223372036854775807", ValueKind.INTEGER, 2**63 - 1),
        ("9223372036854775808", ValueKind.DECIMAL, Decimal(2**63)),
        ("1.50", ValueKind.DECIMAL, Decimal("1.5")),
        ("1.5e3", ValueKind.DOUBLE, 1500.0),
        ("INF", ValueKind.DOUBLE, math.inf),
        (
            "01234567-89AB-cdef-0123-456789abcdef",
            ValueKind.GUID,
            "01234567-89ab-cdef-0123-456789abcdef",
        ),
        ("2024-02-29", ValueKind.DATE, "2024-02-29"),
        ("12:30", ValueKind.TIME, "12:30:00"),
        ("2024-01-01T03:00:00.50+03:00", ValueKind.INSTANT, "2024-01-01T00:00:00.5"),
        ("duration'P1DT2H3M4.5S'", ValueKind.DURATION, Decimal("93784.5")),
        ("DURATION'-PT1M'", ValueKind.DURATION, Decimal(-60)),
        ("P2D", ValueKind.DURATION, Decimal(172800)),
        ("PT0.25S", ValueKind.DURATION, Decimal("0.25")),
        ("binary'T0RhdGE'", ValueKind.BINARY, "T0RhdGE"),
        ("geography'SRID=0;Point(1 2)'", ValueKind.GEOGRAPHY, "SRID=0;Point(1 2)"),
        ("a.b'c''d'", ValueKind.MEMBER, EnumerationLiteral("a.b", "c'd")),
    ],
)
def test_literals(text: str, kind: ValueKind, value: Any) -> None:
    assert parse_expression(text) == Literal(kind, value)


@pytest.mark.parametrize("text", ["P", "PT", "P1", "P1Y", "P1H", "PT1D", "Pxy", "p1d"])
def test_names_that_look_like_durations(text: str) -> None:
    assert parse_expression(text) == path(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("duration'P1Y'", "'duration'P1Y'' is not a valid literal"),
        ("duration'P999999999999D'", "is not a valid literal"),
        ("P999999999999D", "is not a valid duration"),
        ("isof()", "takes an expression, which may be left out, and the qualified name of a type"),
        ("isof(a)", "the qualified name of a type"),
        ("cast(a,b,c.d)", "the qualified name of a type"),
        ("cast(a,Collection(b))", "the qualified name of a type"),
        ("a in b c", "an operator is expected at 'c', position 8"),
        ("a in null", "'in' takes a list in parentheses, or a collection"),
        ("a in contains(b,c)", "'in' takes a list in parentheses, or a collection"),
        ("a has b", "'has' takes an enumeration literal"),
        ("$root/a(b)", "syntax error at 'b', position 9"),
        ("$root/a('b'", "ends too early"),
        ("@ eq 1", "not understood at '@ eq 1', position 1"),
        ("@odata.type", "not understood"),
        ("a/any(true:b)", "'true' is not a name for a variable"),
        ("a/any(b(c):d)", r"'b\(c\)' is not a name for a variable"),
        ("a\x00", "not understood"),
    ],
)
def test_what_is_refused_says_why(text: str, why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        parse_expression(text)


@pytest.mark.parametrize("text", ["case(a:b,true:c)", "x'00'", "guid'x'"])
def test_what_is_not_emulated_says_so(text: str) -> None:
    with pytest.raises(NotEmulated):
        parse_expression(text)


@pytest.mark.parametrize("text", ["1", "-1.5", "'x'", "null", "(1,2)", "a.b'c'"])
def test_aliases_stand_for_their_values(text: str) -> None:
    value = parse_alias(text)
    assert to_text(value) == text
    assert parse_expression("a in @p", {"p": List((A,))}) == In(A, List((A,)))
    aliases: Any = {"p": A}
    assert parse_expression("@p eq @q", aliases) == BinaryOperation("eq", A, Alias("q"))


@pytest.mark.parametrize("text", ["a", "now()", "(1,a)", "@q", "1 add 1"])
def test_aliases_for_what_is_computed_are_not_emulated(text: str) -> None:
    with pytest.raises(NotEmulated, match="aliases"):
        parse_alias(text)


def test_the_deepest_operands_do_not_exhaust_the_stack() -> None:
    deep = "true or true and 1 eq 1 lt 1 add 1 mul -("
    with pytest.raises(BadRequest, match="64 levels deep"):
        parse_expression(deep * 50 + "1" + ")" * 50)
    chain = "(" * 49 + "1" + (" add 1" * 15 + ")") * 49
    with pytest.raises(BadRequest, match="64 levels deep"):
        parse_expression(chain)
    with pytest.raises(BadRequest, match="more than 50 parentheses"):
        parse_expression(deep * 51)
