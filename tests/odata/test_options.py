"""A query string's options, all of them: names, ranges, combinations, and ``$expand``."""

from __future__ import annotations

import dataclasses
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder

from mockgraph.errors import BadRequest, NotEmulated
from mockgraph.http import Request
from mockgraph.odata import validation
from mockgraph.odata.expand import MAX_LEVELS
from mockgraph.odata.options import MAX_LENGTH, read_options
from mockgraph.state.query import ALL, Query

from . import VIEW, Closed, closed, equalities

TENANTS = VIEW.children["tenants"]
Tenant = TENANTS.type
SAMPLE = [
    closed(id=str(number), title="ab"[number % 2], confidence=number, notes=f"n{number}")
    for number in range(10)
]


def refusal(*pairs: tuple[str, str], **facets: Any) -> str:
    with pytest.raises(BadRequest) as refused:
        read_options(pairs, Tenant, resource=TENANTS, **facets)
    assert len(refused.value.message) < 400
    return refused.value.message


def ids(entities: list[Any]) -> str:
    return "".join(entity["id"] for entity in entities)


@pytest.mark.parametrize("name", ["$filter", "filter", "$Filter", "FILTER", "$FILTER"])
def test_names_in_any_case_with_and_without_the_sign(name: str) -> None:
    query = read_options([(name, "confidence gt 7")], Closed)
    assert ids(query.find(SAMPLE)) == "89"


def test_nothing_asked() -> None:
    assert read_options([], Closed) == Query()
    assert Query().find(iter(SAMPLE)) == SAMPLE
    assert Query().find(SAMPLE, 3) == SAMPLE[:3]
    assert Query().selection() == ""


def test_all_together() -> None:
    query = read_options(
        [
            ("$filter", "title eq 'b'"),
            ("$search", "n3 OR n5 OR n7 OR n8"),
            ("$orderby", "confidence desc"),
            ("$select", "id,title"),
            ("$top", "2"),
            ("$skip", "1"),
            ("$count", "true"),
            ("$format", "json"),
            ("$skiptoken", "opaque+/="),
        ],
        Closed,
    )
    assert ids(query.find(SAMPLE)) == "753"
    assert ids(query.find(SAMPLE, 2)) == "75"
    assert (query.top, query.skip, query.count) == (2, 1, True)
    assert (query.format, query.skiptoken) == ("minimal", "opaque+/=")
    assert query.selection() == "id,title"
    assert query.filter is not None
    assert equalities(query.filter) == {"title": ["b"]}


def test_a_query_is_frozen() -> None:
    query: Any = Query()
    with pytest.raises(dataclasses.FrozenInstanceError):
        query.top = 1


@pytest.mark.parametrize(
    ("pairs", "why"),
    [
        ([("$nope", "1")], "The query option '$nope' is not known."),
        ([("", "1")], "The query option '' is not known."),
        ([("$$top", "1")], "'$$top' is not known"),
        ([("@p", "1")], "'@p' is not known"),
        ([("x" * 9000, "1")], "is not known"),
        ([("$top", "1"), ("top", "1")], "The query option '$top' is given twice."),
        ([("$top", "1"), ("$Top", "2")], "The query option '$top' is given twice."),
        ([("filter", "true"), ("$filter", "true")], "'$filter' is given twice"),
        *(
            ([(f"${name}", "  ")], f"'${name}' is not valid: it has no value")
            for name in sorted(ALL)
        ),
        *(
            ([(f"${name}", "a" * (MAX_LENGTH + 1))], f"'${name}' is not valid: it is longer")
            for name in sorted(ALL)
        ),
        ([("$top", "-1")], "'$top' is not valid: '-1' is not a whole number from 0 to 2147483647"),
        ([("$top", "x")], "'x' is not a whole number"),
        ([("$top", "1.5")], "is not a whole number"),
        ([("$top", "+1")], "is not a whole number"),
        ([("$top", "٣")], "is not a whole number"),
        ([("$top", "2147483648")], "out of range"),
        ([("$top", "9" * 5000)], "out of range"),
        ([("$skip", "-1")], "'$skip' is not valid"),
        ([("$count", "True")], "'$count' is not valid: 'True' is neither true nor false"),
        ([("$count", "1")], "'$count' is not valid"),
        ([("$format", "xml")], "'$format' is not valid: 'xml' is not served"),
        ([("$format", "application/json;odata.metadata=some")], "is not served"),
        ([("$format", "application/json;IEEE754Compatible=true")], "is not served"),
        ([("$filter", "nope eq 1")], "'$filter' is not valid: The property 'nope' does not"),
        ([("$orderby", "nope")], "'$orderby' is not valid: The property 'nope' does not"),
        ([("$select", "nope")], "'$select' is not valid: The property 'nope' does not"),
        ([("$search", "AND")], "'$search' is not valid: a term is expected"),
        ([("$expand", "nope")], "'$expand' is not valid: There is no navigation property 'nope'"),
    ],
)
def test_what_is_refused_says_which_and_why(pairs: list[tuple[str, str]], why: str) -> None:
    assert why in refusal(*pairs)


@pytest.mark.parametrize("name", ["$apply", "apply", "$Compute"])
def test_what_is_not_emulated_says_so(name: str) -> None:
    with pytest.raises(NotEmulated, match=name.lower().removeprefix("$")):
        read_options([(name, "aggregate()")], Closed)


def test_ranges_are_the_callers() -> None:
    assert read_options(
        [("$top", "1000"), ("$skip", "500")], Closed, max_top=1000, max_skip=500
    ).top
    assert read_options([("$top", "0"), ("$skip", "007")], Closed).skip == 7
    assert refusal(("$top", "1001"), max_top=1000) == (
        "The limit of '1000' for Top query has been exceeded. "
        "The value from the incoming request is '1001'."
    )
    assert refusal(("$skip", "501"), max_skip=500) == (
        "The limit of '500' for Skip query has been exceeded. "
        "The value from the incoming request is '501'."
    )


def test_what_is_not_allowed_here() -> None:
    allowed = frozenset({"select", "expand"})
    assert read_options([("$select", "name")], Tenant, allowed=allowed).select is not None
    assert refusal(("filter", "true"), allowed=allowed) == (
        "The query option '$filter' is not allowed here."
    )


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("json", "minimal"),
        ("JSON", "minimal"),
        ("application/json", "minimal"),
        ("application/json;odata.metadata=none", "none"),
        ("application/json; odata.metadata=Full; odata.streaming=true", "full"),
        ("application/json;metadata=minimal;IEEE754Compatible=false;charset=utf-8", "minimal"),
    ],
)
def test_formats(text: str, level: str) -> None:
    assert read_options([("$format", text)], Closed).format == level


# -- $expand --------------------------------------------------------------------------------


def test_expand_with_options() -> None:
    text = (
        "alerts($select=title,notes;filter=contains(title,';') or title eq 'b)';$top=2;"
        '$orderby=confidence desc,title;$skip=1;$count=true;$search="x;(y";'
        "$expand=things($select=id)) , things"
    )
    query = read_options([("$expand", text), ("$select", "name")], Tenant, resource=TENANTS)
    alerts, things = query.expand
    assert (alerts.name, alerts.resource.path) == ("alerts", "tenants/alerts")
    assert (things.name, things.resource.path) == ("things", "tenants/things")
    assert things.query == Query()
    inner = alerts.query
    assert (inner.top, inner.skip, inner.count) == (2, 1, True)
    assert inner.filter is not None
    assert inner.filter.matches(closed(title="b)"))
    assert inner.filter.matches(closed(title="a;b"))
    assert inner.search is not None
    assert inner.search(closed(title="X;(y"))
    assert inner.expand[0].resource.path == "tenants/alerts/things"
    assert query.selection() == "name,alerts(title,notes,things(id)),things()"


def test_a_navigation_property_may_be_selected_too() -> None:
    pairs = [("$select", "name,alerts"), ("$expand", "alerts")]
    assert read_options(pairs, Tenant, resource=TENANTS).selection() == "name,alerts,alerts()"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nope", "There is no navigation property 'nope'"),
        ("name", "There is no navigation property 'name'"),
        ("alerts/x", "There is no navigation property 'alerts/x'"),
        ("alerts,alerts", "'alerts' is given twice"),
        ("alerts,", "empty"),
        ("alerts()", "empty"),
        ("alerts($top=1;)", "empty"),
        ("alerts($top=1", "not balanced"),
        ("alerts($top=1))", "not balanced"),
        ("alerts)(", "not balanced"),
        ("alerts($filter=title eq ')", "quote is not closed"),
        ("alerts x", "'alerts x' is not a navigation property"),
        ("alerts($top)", "'$top' is not an option with a value"),
        ("alerts($top=)", "alerts: The query option '$top' is not valid: it has no value"),
        ("alerts($top=x)", "alerts: The query option '$top' is not valid: 'x'"),
        ("alerts($top=1;top=1)", "alerts: The query option '$top' is given twice"),
        ("alerts($nope=1)", "alerts: The query option '$nope' is not known"),
        ("alerts($format=json)", "'$format' is not allowed here"),
        ("alerts($skiptoken=x)", "'$skiptoken' is not allowed here"),
        ("alerts($filter=nope eq 1)", "alerts: The query option '$filter' is not valid: The prop"),
        ("alerts($expand=nope)", "alerts: The query option '$expand' is not valid: There is no"),
        (
            "alerts($expand=things($expand=alerts($expand=things)))",
            "more than 3 levels deep",
        ),
        ("alerts($expand=" * 500, "not balanced"),
        ("alerts($expand=" * 400 + ")" * 400, "There is no navigation property 'alerts'"),
        (",".join(f"a{number}" for number in range(33)), "more than 32 items"),
    ],
)
def test_expand_refuses(text: str, why: str) -> None:
    message = refusal(("$expand", text))
    assert message.startswith("The query option '$expand' is not valid: ")
    assert why in message


def expanded(text: str) -> dict[str, Any]:
    """The expansions of an $expand by their names."""
    return {
        each.name: each
        for each in read_options([("$expand", text)], Tenant, resource=TENANTS).expand
    }


@pytest.mark.parametrize(
    ("text", "only"),
    [
        ("*", {"alerts": None, "things": None}),
        ("*/$ref", {"alerts": "$ref", "things": "$ref"}),
        ("alerts/$ref", {"alerts": "$ref"}),
        ("alerts/$count", {"alerts": "$count"}),
        ("alerts,*/$ref", {"alerts": None, "things": "$ref"}),
        ("*/$ref,alerts/$count", {"alerts": "$count", "things": "$ref"}),
    ],
)
def test_all_of_them_references_and_numbers(text: str, only: dict[str, str | None]) -> None:
    assert {name: each.only for name, each in expanded(text).items()} == only


def test_the_options_of_a_star_are_those_of_each() -> None:
    found = expanded("*($levels=2;$top=3),things($top=1)")
    assert (found["alerts"].query.top, found["things"].query.top) == (3, 1)
    assert expanded("alerts/$count($filter=confidence gt 1)")["alerts"].query.filter is not None


def test_nothing_to_expand_where_nothing_is_declared() -> None:
    with pytest.raises(BadRequest, match="no navigation property 'alerts'"):
        read_options([("$expand", "alerts")], Tenant)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*(f"${name}" for name in sorted(ALL)), "top", "x"]),
            st.text("alerts($top=1;,)'\"eq*/ 12", max_size=20),
        ),
        max_size=4,
    )
)
def test_whatever_is_sent_is_read_or_refused(pairs: list[tuple[str, str]]) -> None:
    message = ""
    try:
        read_options(pairs, Tenant, resource=TENANTS)
    except BadRequest as refused:
        message = refused.message
    assert len(message) < 500


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("alerts($levels=0)", "alerts: The query option '$levels' is not valid: '0' is neither"),
        ("alerts($levels=many)", "'many' is neither a number of levels from 1 on nor max"),
        ("alerts($levels=1;$levels=1)", "'$levels' is given twice"),
        ("microsoft.graph.tenant/x", "no navigation property 'microsoft.graph.tenant/x'"),
        ("microsoft.graph.alert/things", "nor does a type of that name derive from it"),
        ("alerts/$value", "'alerts/$value' is not a navigation property"),
        ("alerts/$ref($select=id)", "alerts: '$ref' takes neither $select nor $expand"),
        ("alerts/$count($expand=things)", "alerts: '$count' takes neither $select nor $expand"),
        ("alerts($expand=parent/$count)", "'parent' is no collection, so it has no $count"),
    ],
)
def test_levels_and_casts_in_expand_refused(text: str, why: str) -> None:
    assert why in refusal(("$expand", text))


@pytest.mark.parametrize(
    ("levels", "followed"),
    [("1", 1), ("2", 2), ("max", MAX_LEVELS), ("999999999", MAX_LEVELS)],
)
def test_levels_are_followed_where_a_type_leads_to_itself(levels: str, followed: int) -> None:
    text = f"things($expand=parts($levels={levels};$top=1))"
    (parts,) = expanded(text)["things"].query.expand
    assert (parts.levels, parts.query.top) == (followed, 1)
    assert expanded(f"things($levels={levels})")["things"].levels == 1


def test_the_first_level_is_what_there_is_anyway() -> None:
    expand = "alerts($levels=1;$top=2)"
    assert read_options([("$expand", expand)], Tenant, resource=TENANTS).expand[0].query.top == 2
    assert refusal(("$levels", "1")) == "The query option '$levels' is not allowed here."


@given(
    st.text("ab=&%+; 'é\x00").map(str.encode)
    | st.lists(st.sampled_from([b"$filter=", b"a", b"%20", b"%C3%A9", b"%E9", b"&", b"=", b"\xe9"]))
    .map(b"".join)
)  # fmt: skip
def test_a_query_string_is_read_as_forms_are(query: bytes) -> None:
    environ = EnvironBuilder("/v1.0/security/alerts").get_environ()
    request = Request({**environ, "QUERY_STRING": query.decode("latin-1")})
    try:
        expected = parse_qsl(query.decode(), keep_blank_values=True, errors="strict")
    except ValueError:
        with pytest.raises(BadRequest, match="not UTF-8"):
            validation._read_options(request)
    else:
        assert validation._read_options(request) == expected
