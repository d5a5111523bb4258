"""Filters against an oracle: expressions made together with what they mean in plain Python."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import examples

from mockgraph.errors import BadRequest, NotEmulated
from mockgraph.odata.expressions import Scope
from mockgraph.odata.filter import compile_filter

from . import SEVERITIES, Closed, Open, closed, is_met

Entity = dict[str, Any]
Meaning = Callable[[Entity], Any]


class Case(NamedTuple):
    """A piece of a filter, in parentheses where it is compound, and its meaning."""

    text: str
    meaning: Meaning


# -- Data -----------------------------------------------------------------------------------

texts = st.text("abAB '%/", max_size=3)
small = st.integers(-3, 3)
severities = st.sampled_from(list(SEVERITIES))


@st.composite
def instants(draw: st.DrawFn) -> str:
    """A few moments that lie close together, spelt with any offset and any fraction."""
    moment = datetime(2024, 3, 1, tzinfo=UTC) + timedelta(seconds=draw(st.integers(0, 3)))
    offset = timedelta(minutes=draw(st.sampled_from([0, 180, -330])))
    fraction = draw(st.sampled_from(["", ".0", ".5", ".50", ".0000001", ".4999999"]))
    local = (moment + offset).strftime("%Y-%m-%dT%H:%M:%S") + fraction
    if not offset and draw(st.booleans()):
        return local + "Z"
    minutes = abs(int(offset.total_seconds())) // 60
    return f"{local}{'-' if offset < timedelta() else '+'}{minutes // 60:02}:{minutes % 60:02}"


def moment_of(text: str) -> Fraction:
    """Seconds since the epoch, to any number of digits."""
    text = text.replace("Z", "+00:00")
    digits = text[19:-6].lstrip(".")
    whole = datetime.fromisoformat(text[:19] + text[-6:]).timestamp()
    return Fraction(int(whole)) + (Fraction(int(digits), 10 ** len(digits)) if digits else 0)


maybe = st.none
vendors = st.fixed_dictionaries({"provider": st.none() | texts})
hosts = st.fixed_dictionaries({"fqdn": st.none() | texts, "risk": st.none() | small})
entities = st.fixed_dictionaries(
    {
        "title": st.none() | texts,
        "severity": st.none() | severities,
        "confidence": st.none() | small,
        "size": st.none() | small,
        "score": st.none() | st.sampled_from([-1.5, 0, 2.5, "INF", "-INF", "NaN"]),
        "isActive": st.none() | st.booleans(),
        "createdDateTime": st.none() | instants(),
        "vendorInformation": st.none() | vendors,
        "tags": st.lists(texts, max_size=2),
        "hosts": st.lists(hosts, max_size=2),
    }
).map(lambda properties: closed(**properties))


# -- Expressions ----------------------------------------------------------------------------


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def read(name: str) -> Meaning:
    return lambda entity: entity[name]


def constant(value: Any) -> Meaning:
    return lambda _: value


def strict(function: Callable[..., Any], *meanings: Meaning) -> Meaning:
    """Null where any argument is null."""

    def meaning(entity: Entity) -> Any:
        values = [each(entity) for each in meanings]
        return None if any(value is None for value in values) else function(*values)

    return meaning


def number_of(value: Any) -> Any:
    return float(value) if isinstance(value, str) else value


numbers: st.SearchStrategy[Case] = st.deferred(
    lambda: st.one_of(
        small.map(lambda n: Case(str(n), lambda _: n)),
        st.sampled_from(
            [
                Case("confidence", read("confidence")),
                Case("size", read("size")),
                Case("score", strict(number_of, read("score"))),
                Case("tags/$count", lambda entity: len(entity["tags"])),
            ]
        ),
        st.builds(arithmetic, numbers, st.sampled_from(["add", "sub", "mul"]), numbers),
        numbers.map(lambda n: Case(f"-({n.text})", strict(lambda a: -a, n.meaning))),
        strings.map(lambda s: Case(f"length({s.text})", strict(len, s.meaning))),
    )
)


def arithmetic(left: Case, name: str, right: Case) -> Case:
    function = {
        "add": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "mul": lambda a, b: a * b,
    }[name]
    return Case(f"({left.text} {name} {right.text})", strict(function, left.meaning, right.meaning))


def provider(entity: Entity) -> Any:
    return (entity["vendorInformation"] or {"provider": None})["provider"]


strings: st.SearchStrategy[Case] = st.deferred(
    lambda: st.one_of(
        texts.map(lambda text: Case(literal(text), lambda _: text)),
        st.sampled_from(
            [Case("title", read("title")), Case("vendorInformation/provider", provider)]
        ),
        strings.map(lambda s: Case(f"toupper({s.text})", strict(str.upper, s.meaning))),
        st.builds(
            lambda a, b: Case(
                f"concat({a.text},{b.text})", strict(lambda x, y: x + y, a.meaning, b.meaning)
            ),
            strings,
            strings,
        ),
    )
)
moments = st.one_of(
    st.just(Case("createdDateTime", strict(moment_of, read("createdDateTime")))),
    instants().map(lambda text: Case(text, lambda _: moment_of(text))),
)
nulls = st.just(Case("null", lambda _: None))


def comparison(left: Case, name: str, right: Case) -> Case:
    def meaning(entity: Entity) -> bool:
        a, b = left.meaning(entity), right.meaning(entity)
        if name in ("eq", "ne"):
            equal = (a is None and b is None) if a is None or b is None else a == b
            return equal is (name == "eq")
        if a is None or b is None:
            return False
        ordered: dict[str, bool] = {"gt": a > b, "ge": a >= b, "lt": a < b, "le": a <= b}
        return ordered[name]

    return Case(f"({left.text} {name} {right.text})", meaning)


def severity_comparison(name: str, member: str) -> Case:
    left = Case("severity", strict(SEVERITIES.__getitem__, read("severity")))
    return comparison(left, name, Case(literal(member), lambda _: SEVERITIES[member]))


names = st.sampled_from(["eq", "ne", "gt", "ge", "lt", "le"])


def membership(left: Case, options: list[str]) -> Case:
    listed = ",".join(literal(option) for option in options)
    return Case(f"({left.text} in ({listed}))", lambda entity: left.meaning(entity) in options)


def over_tags(quantifier: str, name: str, text: str) -> Case:
    body = comparison(Case("t", lambda tag: tag), name, Case(literal(text), lambda _: text))
    fold = any if quantifier == "any" else all
    return Case(
        f"tags/{quantifier}(t:{body.text})",
        lambda entity: fold(body.meaning(tag) for tag in entity["tags"]),
    )


def over_hosts(quantifier: str, name: str, right: Case) -> Case:
    """Compares each host with something of the entity around it."""
    fold = any if quantifier == "any" else all

    def meaning(entity: Entity) -> bool:
        return fold(
            comparison(Case("", constant(host["risk"])), name, right).meaning(entity)
            for host in entity["hosts"]
        )

    return Case(f"hosts/{quantifier}(h:h/risk {name} {right.text})", meaning)


def negation(operand: Case) -> Case:
    return Case(f"not ({operand.text})", strict(lambda value: not value, operand.meaning))


def logic(name: str, operands: list[Case]) -> Case:
    """Kleene's logic: false, unknown, true as 0, 1/2, 1; "and" the least, "or" the greatest."""
    rank = {False: 0.0, None: 0.5, True: 1.0}
    fold = min if name == "and" else max

    def meaning(entity: Entity) -> bool | None:
        degree = fold(rank[operand.meaning(entity)] for operand in operands)
        return {0.0: False, 0.5: None, 1.0: True}[degree]

    return Case("(" + f" {name} ".join(operand.text for operand in operands) + ")", meaning)


quantifiers = st.sampled_from(["any", "all"])
conditions: st.SearchStrategy[Case] = st.deferred(
    lambda: st.one_of(
        st.builds(comparison, numbers | nulls, names, numbers),
        st.builds(comparison, strings, names, strings | nulls),
        st.builds(comparison, moments, names, moments),
        st.builds(severity_comparison, names, severities),
        st.just(Case("isActive", read("isActive"))),
        nulls,
        st.builds(membership, strings, st.lists(texts, min_size=1, max_size=3)),
        st.builds(
            lambda a, b: Case(
                f"contains({a.text},{b.text})", strict(lambda x, y: y in x, a.meaning, b.meaning)
            ),
            strings,
            strings,
        ),
        st.builds(over_tags, quantifiers, names, texts),
        st.builds(over_hosts, quantifiers, names, numbers),
        conditions.map(negation),
        st.builds(
            logic, st.sampled_from(["and", "or"]), st.lists(conditions, min_size=2, max_size=3)
        ),
    )
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A condition within the documented limits of depth and size.

    It is made anew, since what hypothesis would print of its making grows without bounds.
    """
    return Case(*draw(conditions.filter(lambda case: case.text.count("(") <= 40)))


@settings(max_examples=examples(400), deadline=None)
@given(cases(), st.lists(entities, min_size=1, max_size=8))
def test_filters_mean_what_the_oracle_says(case: Case, sample: list[Entity]) -> None:
    compiled = compile_filter(case.text, Scope(Closed))
    expected = [case.meaning(entity) is True for entity in sample]
    assert [compiled.matches(entity) for entity in sample] == expected


@settings(max_examples=examples(400), deadline=None)
@given(cases(), st.lists(entities, min_size=1, max_size=8))
def test_conditions_hold_where_a_filter_matches(case: Case, sample: list[Entity]) -> None:
    compiled = compile_filter(case.text, Scope(Closed))
    for entity in sample:
        held = [is_met(each, entity) for each in compiled.conditions]
        if compiled.matches(entity):
            assert all(held)
        elif compiled.exact:
            assert held == [False]


# -- Precedence: the same tree with all parentheses and with none that is not needed --------

LEVELS = [["or"], ["and"], ["eq", "ne"], ["gt", "ge", "lt", "le"], ["add", "sub"], ["mul"]]
NUMERIC_FROM = 4


@st.composite
def trees(draw: st.DrawFn, level: int = 0) -> tuple[str, str]:
    """A text with full parentheses and one without; operands bind tighter, to the left."""
    if level == len(LEVELS):
        leaf = draw(st.sampled_from(["confidence", "size", "2", "3"]))
        return leaf, leaf
    if level == 2:
        # "eq" and the order operators compare numbers here, so one of them at most.
        level = draw(st.sampled_from([2, 3]))
        left, right = draw(trees(NUMERIC_FROM)), draw(trees(NUMERIC_FROM))
        name = draw(st.sampled_from(LEVELS[level]))
        return f"({left[0]} {name} {right[0]})", f"{left[1]} {name} {right[1]}"
    operands = draw(st.lists(trees(level + 1), min_size=1, max_size=2))
    full, bare = operands[0]
    for more_full, more_bare in operands[1:]:
        name = draw(st.sampled_from(LEVELS[level]))
        full, bare = f"({full} {name} {more_full})", f"{bare} {name} {more_bare}"
    return full, bare


@settings(max_examples=examples(100), deadline=None)
@given(trees(), st.lists(entities, min_size=1, max_size=8))
def test_precedence_is_that_of_the_standard(tree: tuple[str, str], sample: list[Entity]) -> None:
    full, bare = (compile_filter(text, Scope(Closed)).matches for text in tree)
    assert list(map(full, sample)) == list(map(bare, sample))


PIECES = [*"(),/:-", "not", "and", "or", "eq", "in", "has", "any", "all", "add", "null", "true"]
PIECES += ["'x'", "1", "title", "tags", "t", "$count", "$it", "contains(", "tags/any(", "x"]
PIECES += ["2024-01-01", "microsoft.graph.severity'low'"]


@settings(max_examples=examples(300), deadline=None)
@given(
    st.lists(
        st.sampled_from(PIECES),
        max_size=12,
    ).map(" ".join)
    | st.text(max_size=30)
)
def test_whatever_is_sent_is_compiled_or_refused(text: str) -> None:
    outcome: Any
    try:
        outcome = compile_filter(text, Scope(Open)).matches(closed())
    except (BadRequest, NotEmulated) as refusal:
        outcome = refusal.message
    assert outcome in (True, False) or 0 < len(outcome) < 500
