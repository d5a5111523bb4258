"""Filters and orders through navigation properties: one or many, any depth, derived types."""

from __future__ import annotations

from typing import Any

import pytest

from mockgraph.errors import BadRequest, NotEmulated
from mockgraph.metadata import notation
from mockgraph.metadata.resources import Resource, ResourceKind, View
from mockgraph.odata.expressions import Scope
from mockgraph.odata.filter import compile_filter
from mockgraph.odata.options import read_options
from mockgraph.state.query import Relations

from . import equalities

Json = Any

_MODEL = """
namespace microsoft.graph
  alias graph

complex size
  width: Int32

entity entity abstract
  key id
  id: String not null

entity case : entity open
  name: String
  rank: Int32
  leadId: String
  contains settings: settings
  contains people: person[]
  contains notes: note[]
  links owner: person
  links similar: case[]
  links incidents: incident[]
    where leadId = caseId

entity bigCase : case
  contains parts: note[]
  links chief: person
  budget: Int64

entity settings : entity
  level: Int32
  size: size

entity person : entity
  email: String
  contains devices: device[]
  links boss: person

entity device : entity
  name: String
  tags: String[]

entity phone : device
  number: String

entity smartphone : phone
  os: String

entity note : entity
  text: String

entity incident : entity
  caseId: String
  severity: Int32

container Service
  set cases: case
  set incidents: incident
  set users: person
"""
VIEW = View("test", lambda: notation.parse([("cases", _MODEL)]))
CASES = VIEW.children["cases"]
PHONE = "microsoft.graph.phone"
BIG = "microsoft.graph.bigCase"

BOSS = {"id": "b", "email": "boss@x", "devices": []}
KAI: Json = {
    "id": "k",
    "email": "kai@x",
    "boss": BOSS,
    "devices": [
        {"id": "d1", "name": "web-1", "tags": ["kai@x", "old"]},
        {"@odata.type": f"#{PHONE}", "id": "d2", "name": "tel", "tags": [], "number": "7"},
    ],
}
CASE: Json = {
    "id": "c1",
    "name": "kai@x",
    "rank": 2,
    "size": 5,
    "settings": {"id": "s", "level": 3, "size": {"width": 4}},
    "people": [KAI, {**BOSS, "boss": None}],
    "notes": [],
    "owner": KAI,
    "similar": [],
    "incidents": [{"id": "i1", "caseId": "c1", "severity": 2}],
}
ALONE: Json = {
    **dict.fromkeys(("settings", "owner", "name", "rank")),
    **{name: [] for name in ("people", "notes", "similar", "incidents")},
    "id": "c2",
}
LARGE: Json = {
    **ALONE,
    "@odata.type": f"#{BIG}",
    "id": "c3",
    "budget": 10,
    "chief": BOSS,
    "parts": [{"id": "p1", "text": "part"}],
    "similar": [CASE, ALONE],
}


def ids(text: str) -> str:
    """The numbers of the cases that a filter matches."""
    query = read_options([("$filter", text)], CASES.type, resource=CASES)
    if query.relations is not None:
        query.relations.follow = lambda entity, resource: entity.get(resource.name)
    return "".join(case["id"][1] for case in query.find([CASE, ALONE, LARGE]))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # One entity: what it contains, what it refers to, and what that leads to.
        ("settings/level eq 3", "1"),
        ("settings/size/width gt 3", "1"),
        ("settings/level eq null", "23"),
        ("settings ne null", "1"),
        ("owner eq null", "23"),
        ("owner/email eq name and name ne null", "1"),
        ("owner/email eq name", "123"),
        ("owner/boss/email eq 'boss@x'", "1"),
        ("owner/boss/boss eq null", "123"),
        ("$it/owner/email eq 'kai@x'", "1"),
        ("contains(owner/email,'kai') and rank lt settings/level", "1"),
        # Many: contained, referred to, related by a constraint.
        ("people/any()", "1"),
        ("people/$count eq 2", "1"),
        ("notes/$count eq 0 and not notes/any()", "123"),
        ("people/any(p:p/email eq 'boss@x')", "1"),
        ("people/all(p:p/email eq 'boss@x')", "23"),
        ("similar/any(s:s/rank eq 2)", "3"),
        ("similar/$count add 1 eq 3", "3"),
        ("incidents/any(i:i/severity ge 2)", "1"),
        ("incidents/any(i:i/caseId eq $it/id)", "1"),
        ("incidents/any(i:i/severity eq rank)", "1"),
        ("owner/devices/any(d:d/name eq 'web-1')", "1"),
        ("owner/devices/$count gt 1", "1"),
        ("people/any(p:p/boss/email eq 'boss@x')", "1"),
        # Lambdas within lambdas, and names of what is around them.
        ("people/any(p:p/devices/any(d:d/name eq 'tel'))", "1"),
        ("people/any(p:p/devices/any(d:d/tags/any(t:t eq p/email and t eq name)))", "1"),
        ("people/any(p:p/devices/any(d:p/boss/email eq 'boss@x' and settings/level eq 3))", "1"),
        ("people/any(p:owner/devices/any(d:d/id eq 'd1') and p/id eq 'b')", "1"),
        ("people/all(p:p/devices/all(d:d/name ne 'none'))", "123"),
        ("similar/any(s:s/people/any(p:p/devices/any(d:d/name eq 'tel')))", "3"),
        ("similar/any(s:s/people/any(p:p/email eq s/name))", "3"),
        ("people/any(p:p/email in ('kai@x'))", "1"),
        # Casts: of the entity, of one that it leads to, of a collection, of an item.
        (f"{BIG}/budget eq 10", "3"),
        ("graph.bigCase/budget eq null", "12"),
        (f"{BIG}/parts/any(p:p/text eq 'part')", "3"),
        (f"{BIG}/chief/email eq 'boss@x'", "3"),
        (f"$it/{BIG}/chief/email eq 'boss@x'", "3"),
        (f"isof({BIG})", "3"),
        ("isof($it,microsoft.graph.case)", "123"),
        (f"similar/{BIG}/any()", ""),
        (f"owner/devices/{PHONE}/$count eq 1", "1"),
        (f"owner/devices/{PHONE}/any(d:d/number eq '7')", "1"),
        (f"owner/devices/any(d:d/{PHONE}/number eq '7')", "1"),
        (f"people/any(p:p/devices/any(d:isof(d,{PHONE})))", "1"),
        (f"people/any(p:p/devices/{PHONE}/any(d:d/number eq '7' and d/name eq 'tel'))", "1"),
        # An open type: what is neither declared nor a navigation property is dynamic.
        ("size eq 5", "1"),
        ("nothing eq null", "123"),
    ],
)
def test_what_matches(text: str, found: str) -> None:
    assert ids(text) == found


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("settings/nope eq 1", "'nope' does not exist on type 'microsoft.graph.settings'"),
        ("owner/nope eq 1", "'nope' does not exist on type 'microsoft.graph.person'"),
        ("people/any(p:p/nope eq 1)", "'nope' does not exist on type 'microsoft.graph.person'"),
        ("owner/boss/devices/nope eq 1", "'nope' is asked of a collection"),
        ("people/email eq 'x'", "'email' is asked of a collection"),
        ("people eq null", r"cannot compare Collection\(microsoft.graph.person\)"),
        ("people", "A condition is expected"),
        ("owner", "A condition is expected"),
        ("owner eq owner", "cannot compare microsoft.graph.person"),
        ("owner/any()", "'any' takes a collection, which 'owner' is not"),
        ("owner/$count eq 1", "only a collection has a"),
        ("settings/size/owner eq null", "'owner' does not exist on type 'microsoft.graph.size'"),
        ("owner/devices/any(d:d/number eq '7')", "'number' does not exist on type"),
        (f"owner/{PHONE}/number eq '7'", "nor does a type of that name derive from it"),
        (f"similar/{PHONE}/any()", "nor does a type of that name derive from it"),
        ("owner/Bos/email eq 'x'", "'Bos' does not exist on type 'microsoft.graph.person'"),
        ("people/any(p:p/devices/any(p:true))", "'p' is named twice"),
    ],
)
def test_what_is_refused(text: str, why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        ids(text)


def test_how_a_resource_has_its_entities() -> None:
    kinds = {each.name: each.kind for each in CASES.children().values()}
    assert kinds == {
        "settings": ResourceKind.CONTAINED,
        "people": ResourceKind.CONTAINED,
        "notes": ResourceKind.CONTAINED,
        "owner": ResourceKind.REFERENCE,
        "similar": ResourceKind.REFERENCE,
        "incidents": ResourceKind.RELATED,
    }


def test_each_resource_is_the_one_that_is_followed() -> None:
    followed: list[str] = []

    def follow(entity: Json, resource: Resource) -> Json:
        followed.append(resource.path)
        return entity.get(resource.name)

    text = "people/any(p:p/devices/any(d:d/name eq 'tel')) and owner/boss/email eq 'boss@x'"
    query = read_options([("$filter", text)], CASES.type, resource=CASES)
    assert query.relations is not None
    query.relations.follow = follow
    assert query.find([CASE]) == [CASE]
    assert followed == ["cases/people", "cases/people/devices", "cases/owner", "users/boss"]


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("settings/level", "231"),
        ("settings/level desc", "123"),
        ("owner/boss/email,id desc", "321"),
        ("similar/$count desc,people/$count", "321"),
        (f"{BIG}/chief/email desc,id", "312"),
        ("people/any(p:p/email eq 'kai@x') desc", "123"),
    ],
)
def test_orders(text: str, order: str) -> None:
    query = read_options([("$orderby", text)], CASES.type, resource=CASES)
    assert query.relations is not None
    query.relations.follow = lambda entity, resource: entity.get(resource.name)
    assert "".join(each["id"][1] for each in query.find([CASE, ALONE, LARGE])) == order


@pytest.mark.parametrize("text", ["people", "owner", "similar"])
def test_entities_have_no_order_themselves(text: str) -> None:
    with pytest.raises(BadRequest, match="cannot be ordered by"):
        read_options([("$orderby", text)], CASES.type, resource=CASES)


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("settings/level eq 3", []),
        ("owner/email eq 'x' and name eq 'y'", ["name"]),
        (f"{BIG}/chief/email eq 'x'", []),
        ("$it/owner/email eq 'x'", []),
        ("people/$count eq 2", []),
    ],
)
def test_no_index_answers_for_another_entity(text: str, paths: list[str]) -> None:
    compiled = compile_filter(text, Scope(CASES.type, resource=CASES, relations=Relations()))
    assert list(equalities(compiled)) == paths


def test_no_index_answers_below_a_derived_type() -> None:
    """Its own navigation properties are none of the declared type's."""
    big = VIEW.schemas[BIG]
    for text in ("chief/email eq 'x'", "parts/$count eq 1"):
        query = read_options([("$filter", text)], big, resource=CASES)
        assert query.filter is not None
        assert not query.filter.conditions


def test_nothing_is_followed_where_nothing_can_be() -> None:
    with pytest.raises(NotEmulated, match="navigation property 'owner'"):
        compile_filter("owner/email eq 'x'", Scope(CASES.type, resource=CASES))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"id,{BIG}/budget", {"id": "c3", "budget": 10}),
        ("id,graph.bigCase/budget", {"id": "c3", "budget": 10}),
        ("microsoft.graph.case/name", {"name": None}),
        (f"{PHONE.replace('phone', 'case')}/rank,{BIG}/{BIG}/budget", {"rank": None, "budget": 10}),
    ],
)
def test_casts_in_select(text: str, shown: Json) -> None:
    query = read_options([("$select", text)], CASES.type, resource=CASES)
    assert query.select is not None
    assert query.select.apply(LARGE) == {"@odata.type": f"#{BIG}", **shown}


def test_a_value_of_a_further_derived_type_is_of_the_type_that_is_selected() -> None:
    phones = VIEW.resource("users/devices")
    assert phones is not None
    query = read_options([("$select", f"id,{PHONE}/number")], phones.type, resource=phones)
    assert query.select is not None
    smart = {"@odata.type": "#microsoft.graph.smartphone", "id": "s", "number": "1", "os": "x"}
    assert query.select.apply(smart) == {k: v for k, v in smart.items() if k != "os"}
    assert query.select.apply({"id": "d", "number": "dynamic"}) == {"id": "d"}


@pytest.mark.parametrize("text", [f"{BIG}/chief", f"graph.case/{BIG}/chief($select=email)"])
def test_casts_in_expand(text: str) -> None:
    (expansion,) = read_options([("$expand", text)], CASES.type, resource=CASES).expand
    assert (expansion.name, expansion.resource.path) == ("chief", "cases/chief")
    assert expansion.of_type is VIEW.schemas[BIG]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("chief", "There is no navigation property 'chief'"),
        (f"{BIG}/none", f"There is no navigation property '{BIG}/none'"),
        (f"{PHONE}/chief", "nor does a type of that name derive from it"),
        ("owner/boss", "There is no navigation property 'owner/boss'"),
    ],
)
def test_casts_in_expand_refused(text: str, why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        read_options([("$expand", text)], CASES.type, resource=CASES)
