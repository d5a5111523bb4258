"""Casts and ``isof``, aliases, collections behind ``in``: what goes beyond single properties."""

from __future__ import annotations

from typing import Any

import pytest

from mockgraph.errors import BadRequest, NotEmulated
from mockgraph.odata.expressions import Scope
from mockgraph.odata.filter import compile_filter
from mockgraph.odata.options import read_options
from mockgraph.odata.select import compile_select
from mockgraph.service import SERVICE

from . import Closed, Open, closed, equalities, opened

Json = Any

Alert = SERVICE.views["v1.0"].schemas["microsoft.graph.security.alert"]
USER = "microsoft.graph.security.userEvidence"
DEVICE = "microsoft.graph.security.deviceEvidence"
FILE = "microsoft.graph.security.fileEvidence"
BASE = "microsoft.graph.security.alertEvidence"
EVIDENCE: list[dict[str, Json]] = [
    {
        "@odata.type": f"#{USER}",
        "verdict": "malicious",
        "userAccount": {"userPrincipalName": "kai@contoso.com", "accountName": "kai"},
    },
    {"@odata.type": f"#{DEVICE}", "verdict": "suspicious", "deviceDnsName": "web-1"},
    {"@odata.type": f"#{FILE}", "verdict": "suspicious", "detectionStatus": "blocked"},
]
ALERT = {"id": "a", "evidence": EVIDENCE}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        (f"evidence/any(e: e/{USER}/userAccount/userPrincipalName eq 'kai@contoso.com')", True),
        ("evidence/any(e: e/graph.security.userEvidence/userAccount/accountName eq 'kai')", True),
        (f"evidence/any(e: e/{FILE}/detectionStatus eq 'blocked')", True),
        (f"evidence/{BASE}/any(e: e/{BASE}/verdict eq 'malicious')", True),
        (f"evidence/any(e: e/{DEVICE}/verdict eq 'suspicious')", True),
        (f"evidence/any(e: e/{DEVICE}/verdict eq 'malicious')", False),
        (f"evidence/{DEVICE}/any(e: e/deviceDnsName eq 'web-1')", True),
        (f"evidence/{USER}/all(e: e/verdict eq 'malicious')", True),
        (f"evidence/{USER}/$count eq 1", True),
        (f"evidence/any(e: isof(e,{USER}) and e/verdict eq 'malicious')", True),
        (f"evidence/all(e: isof(e,{USER}))", False),
        (f"evidence/all(e: isof(e,{BASE}))", True),
        ("isof(microsoft.graph.security.alert)", True),
        ("isof('microsoft.graph.security.alert')", True),
        ("isof($it,graph.security.alert)", True),
    ],
)
def test_casts_and_isof(text: str, holds: bool) -> None:
    compiled = compile_filter(text, Scope(Alert))
    assert compiled.matches(ALERT) is holds
    assert not compiled.conditions


def test_dynamic_values_are_of_the_type_that_they_name() -> None:
    thing = {"@odata.type": "#microsoft.graph.thing", "size": 1}
    entity = opened(thing=thing, things=[thing, {"size": 1}, 5])
    for text in ("thing/a.b/size eq null", "thing/graph.thing/size eq 1"):
        assert compile_filter(text, Scope(Open)).matches(entity)
    assert compile_filter("things/graph.thing/$count eq 1", Scope(Open)).matches(entity)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"{USER}/id eq 'a'", "nor does a type of that name derive from it"),
        ("evidence/any(e:e/microsoft.graph.alert/id eq 'a')", "derive from it"),
        (f"title/{USER} eq 'a'", "is asked of a value of type Edm.String"),
        (
            "evidence/any(e:e/userAccount/accountName eq 'kai')",
            f"'userAccount' does not exist on type '{BASE}'",
        ),
        (f"evidence/any(e:e/{DEVICE}/userAccount eq null)", f"does not exist on type '{DEVICE}'"),
        ("evidence/any(e:isof(e,microsoft.graph.alert))", "derive from it"),
    ],
)
def test_casts_to_what_is_not_derived(text: str, why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        compile_filter(text, Scope(Alert))


@pytest.mark.parametrize(
    "text",
    [
        f"cast($it,{USER}) eq null",
        "isof(title,Edm.String)",
        "$root/security/alerts('1')/id eq id",
        "geo.distance(title,geography'Point(1 2)') lt 1",
        "title eq geography'Point(1 2)'",
    ],
)
def test_what_is_not_emulated_says_so(text: str) -> None:
    with pytest.raises(NotEmulated):
        compile_filter(text, Scope(Alert))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (
            f"evidence/{USER}/userAccount/accountName,evidence/verdict",
            [{"verdict": "malicious", "userAccount": {"accountName": "kai"}}]
            + [{"verdict": "suspicious"}] * 2,
        ),
        (f"evidence/{DEVICE}", [{}, EVIDENCE[1], {}]),
        (f"evidence/{DEVICE},evidence/{DEVICE}/verdict", [{}, EVIDENCE[1], {}]),
        (
            f"evidence/{USER}/userAccount/accountName,evidence/{USER}/userAccount",
            [{"userAccount": EVIDENCE[0]["userAccount"]}, {}, {}],
        ),
    ],
)
def test_casts_in_select(text: str, left: list[dict[str, Json]]) -> None:
    chosen = compile_select(text, Alert).apply(ALERT)["evidence"]
    assert [{k: v for k, v in each.items() if k != "@odata.type"} for each in chosen] == [
        {k: v for k, v in each.items() if k != "@odata.type"} for each in left
    ]
    assert [each.get("@odata.type") for each in chosen] == [
        each.get("@odata.type") for each in EVIDENCE
    ]


def test_casts_in_select_to_what_is_not_derived() -> None:
    with pytest.raises(BadRequest, match="derive from it"):
        compile_select("evidence/microsoft.graph.alert", Alert)


ENTITY = closed(
    title="red",
    tags=["red", "blue"],
    severity="high",
    levels=["low", "high"],
    confidence=2,
    scores=[1, 2],
    isActive=None,
)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("title in tags", True),
        ("'green' in tags", False),
        ("severity in levels", True),
        ("'HIGH' in levels", True),
        ("confidence in scores", True),
        ("3 in scores", False),
        ("null in tags", False),
        ("hosts/any(h: h/fqdn in tags)", False),
        ("tags/any(t: t in $it/tags)", True),
    ],
)
def test_in_a_collection(text: str, holds: bool) -> None:
    assert compile_filter(text, Scope(Closed)).matches(ENTITY) is holds


def test_in_a_dynamic_collection() -> None:
    entity = opened(words=["a", 1], title="a")
    for text, holds in [("title in words", True), ("1 in words", True), ("'b' in words", False)]:
        assert compile_filter(text, Scope(Open)).matches(entity) is holds
    assert not compile_filter("title in nothing", Scope(Open)).matches(entity)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("title in notes", "'in' takes a list or a collection, not Edm.String"),
        ("1 in tags", "cannot compare Edm.String with Edm.Int64"),
        ("title in vendorInformation", "not microsoft.graph.vendor"),
        ("title in @p", "'in' takes a list or a collection, not null"),
    ],
)
def test_in_refuses_what_cannot_be(text: str, why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        compile_filter(text, Scope(Closed))


# -- parameter aliases --------------------------------------------------------------------


TEXTS = "('" + "','".join("1" * 500) + "')"


def filtered(*pairs: tuple[str, str]) -> bool:
    query = read_options(pairs, Closed)
    assert query.filter is not None
    return query.filter.matches(ENTITY)


def test_aliases_have_their_values_from_the_query_string() -> None:
    assert filtered(
        ("$filter", "title eq @t and confidence in @n"), ("@t", "'red'"), ("@n", "(1,2)")
    )
    assert not filtered(("@t", " 'blue' "), ("$filter", "title eq @t"))
    assert filtered(("$filter", "isActive eq @none"))
    query = read_options([("$filter", "title eq @t"), ("@t", "'x'")], Closed)
    assert query.filter is not None
    assert equalities(query.filter) == {"title": ["x"]}


@pytest.mark.parametrize(
    ("pairs", "why"),
    [
        ([("$filter", "title eq @t"), ("@T", "'x'")], "The query option '@T' is not known."),
        ([("$filter", "title eq @t"), ("@t", "1"), ("@t", "1")], "'@t' is given twice"),
        ([("$filter", "title eq @t"), ("@t", "")], "'@t' is not valid: it has no value"),
        ([("$filter", "title eq @t"), ("@t", "'x")], "'@t' is not valid: a quote is not closed"),
        ([("$filter", "title eq @t"), ("@t", "('x','y')")], "a list may only stand behind 'in'"),
        ([("$filter", "title eq @t"), ("@t", "1")], "cannot compare Edm.String with Edm.Int64"),
        ([("$filter", "id in @t"), ("@t", f"({','.join('1' * 501)})")], "more than 500 items"),
        (
            [("$filter", " or ".join(["title in @t"] * 5)), ("@t", TEXTS)],
            "more than 2000 values of aliases",
        ),
        ([("$filter", "title eq @t"), ("@odata.x", "1")], "'@odata.x' is not known"),
    ],
)
def test_aliases_refused(pairs: list[tuple[str, str]], why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        read_options(pairs, Closed)
