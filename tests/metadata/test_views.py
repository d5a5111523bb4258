"""Resources of a model: paths, how entities are held, their URLs; and entities as they are sent."""

from __future__ import annotations

from typing import Any

import pytest

from mockgraph.errors import BadRequest, NotEmulated
from mockgraph.metadata import notation
from mockgraph.metadata.entries import Entry, read_entry
from mockgraph.metadata.resources import Resource, ResourceKind, View, single_key
from mockgraph.metadata.structures import MAX_DEPTH

Json = Any

_MODEL = """
namespace microsoft.graph
  alias graph

entity entity abstract
  key id
  id: String not null

entity security : entity
  contains cases: case[]
  contains labels: label[]
  contains users: person[]

entity case : entity
  name: String
  leadId: String
  contains settings: settings
  contains people: person[]
  contains inner: case[]
  links owner: person
  links team: person[]
  links incidents: incident[]
    where leadId = caseId
  links orphan: orphan
  links orphans: orphan[]

entity bigCase : case
  budget: Int32
  contains parts: label[]

entity settings : entity
  level: Int32

entity person : entity
  email: String

entity label
  key scope, number
  scope: String not null
  number: Int32 not null
  text: String

entity incident : entity
  caseId: String

entity orphan : entity
  text: String

action close on case
action purge on case[]
function count on case[]
  => Int32

container Service
  singleton Security: security
  set incidents: incident
"""
VIEW = View(
    "test",
    lambda: notation.parse([("cases", _MODEL)]),
    canonical=lambda name: name.lower(),
)


def at(path: str) -> Resource:
    found = VIEW.resource(path)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("path", "kind", "home"),
    [
        ("security", ResourceKind.CONTAINED, "security"),
        ("incidents", ResourceKind.CONTAINED, "incidents"),
        ("security/cases", ResourceKind.CONTAINED, "security/cases"),
        ("security/cases/settings", ResourceKind.CONTAINED, "security/cases/settings"),
        ("security/cases/people", ResourceKind.CONTAINED, "security/cases/people"),
        ("security/cases/owner", ResourceKind.REFERENCE, "security/users"),
        ("security/cases/team", ResourceKind.REFERENCE, "security/users"),
        ("security/cases/incidents", ResourceKind.RELATED, "incidents"),
        # No resource of the model holds them, so the navigation property does.
        ("security/cases/orphan", ResourceKind.CONTAINED, "security/cases/orphan"),
        ("security/cases/orphans", ResourceKind.CONTAINED, "security/cases/orphans"),
        # Of a derived type alone.
        ("security/cases/parts", ResourceKind.CONTAINED, "security/cases/parts"),
        (
            "security/cases/inner/inner/people",
            ResourceKind.CONTAINED,
            "security/cases/inner/inner/people",
        ),
    ],
)
def test_resources(path: str, kind: ResourceKind, home: str) -> None:
    resource = at(path)
    assert (resource.path, resource.kind, resource.home.path) == (path, kind, home)
    assert at(path.upper()).path == path
    assert resource.links == f"{path}/$ref"
    assert "/".join(VIEW.canonical(each.name) for each in resource.chain) == path.lower()


@pytest.mark.parametrize("path", ["nope", "security/nope", "security/cases/name", "", "cases"])
def test_no_resource(path: str) -> None:
    assert VIEW.resource(path) is None


def test_what_is_referred_to_has_the_children_of_its_home() -> None:
    nested = at("security/cases/inner")
    assert nested.children()["people"].path == "security/cases/inner/people"
    assert at("security/cases").children() is at("security/cases").children()
    big = "microsoft.graph.bigCase"
    assert "parts" not in nested.children()
    assert nested.navigation_names(big)["parts"].type is VIEW.schemas["microsoft.graph.label"]
    assert nested.children(big)["parts"].owner is nested


def test_what_it_holds_below_ends_where_types_repeat() -> None:
    assert [each.path for each in at("security/cases").below()] == [
        "security/cases/settings",
        "security/cases/people",
        "security/cases/orphan",
        "security/cases/orphans",
    ]


def test_operations_and_the_keys_that_they_reserve() -> None:
    cases = at("security/cases")
    assert cases.reserved == {"microsoft.graph.purge", "purge", "microsoft.graph.count", "count"}
    found = cases.operations("close", of_collection=False, type_name="microsoft.graph.bigCase")
    assert [each.name for each in found] == ["microsoft.graph.close"]
    assert not cases.operations("close", of_collection=True, type_name="microsoft.graph.case")


@pytest.mark.parametrize(
    ("path", "key", "url"),
    [
        ("security", "", "Security"),
        ("security/cases", "a b", "Security/cases/a%20b"),
        ("security/cases/people", "c'1/p", "Security/cases/c%271/people/p"),
        ("security/cases/settings", single_key(["c1"]), "Security/cases/c1/settings"),
        ("security/cases/inner/people", "c1/i/p", "Security/cases/c1/inner/i/people/p"),
        # References are shown where their home has them.
        ("security/cases/owner", "u1", "Security/users/u1"),
        ("security/cases/incidents", "i1", "incidents/i1"),
    ],
)
def test_urls(path: str, key: str, url: str) -> None:
    assert at(path).url(key) == url


@pytest.mark.parametrize(
    ("url", "path", "key"),
    [
        ("security/cases/c1", "security/cases", "c1"),
        ("SECURITY/Cases('c1')", "security/cases", "c1"),
        ("security/cases('it''s')/people/p", "security/cases/people", "it's/p"),
        ("security/cases/c1/settings", "security/cases/settings", single_key(["c1"])),
        ("security/cases/c1/inner/i/people('p')", "security/cases/inner/people", "c1/i/p"),
        ("security", "security", single_key([])),
    ],
)
def test_entities_are_found_by_their_urls(url: str, path: str, key: str) -> None:
    found = VIEW.locate(url)
    assert found is not None
    assert (found[0].path, found[1]) == (path, key)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nope",
        "security/cases",
        "security/cases/c1/nope",
        "security/cases/c1/owner",
        "security/cases/c1/team/t1",
        "security/cases//people/p",
        "security/cases/c1/people",
    ],
)
def test_urls_that_lead_to_no_entity(url: str) -> None:
    assert VIEW.locate(url) is None


# -- entities as they are sent ------------------------------------------------------------


def sent(value: Json, path: str = "security/cases", **facets: Any) -> Entry:
    return read_entry(at(path), value, **facets)


def refusal(value: Json, **facets: Any) -> str:
    with pytest.raises(BadRequest) as refused:
        sent(value, **facets)
    return refused.value.message


def test_an_entity_alone() -> None:
    entry = sent({"name": "n"}, partial=True)
    assert entry == Entry({"name": "n"})


def test_what_it_contains_comes_along_at_every_level() -> None:
    value = {
        "id": "c",
        "settings": {"level": 1},
        "people": [{"id": "p1"}, {"id": "p2"}],
        "inner": [{"name": "i", "people": [{"email": "e"}]}],
    }
    entry = sent(value)
    found = {each.path: list(entries) for each, entries in entry.contained.items()}
    assert found.keys() == {f"security/cases/{name}" for name in ("settings", "people", "inner")}
    assert [each.properties["id"] for each in found["security/cases/people"]] == ["p1", "p2"]
    (inner,) = found["security/cases/inner"]
    ((below, people),) = inner.contained.items()
    assert (below.path, people[0].properties["email"]) == ("security/cases/inner/people", "e")
    assert "people" not in entry.properties


def test_null_and_nothing_within() -> None:
    entry = sent({"settings": None, "people": []}, partial=True)
    assert {each.name: list(found) for each, found in entry.contained.items()} == {
        "settings": [],
        "people": [],
    }


def test_what_a_derived_type_contains() -> None:
    mark = "#microsoft.graph.bigCase"
    label = {"scope": "s", "number": 1}
    entry = sent({"@odata.type": mark, "budget": 1, "parts": [label]}, partial=True)
    assert entry.properties == {"@odata.type": mark, "budget": 1}
    assert [each.name for each in entry.contained] == ["parts"]
    cast = sent({"parts": [label]}, schema=VIEW.schemas["microsoft.graph.bigCase"], partial=True)
    assert [each.name for each in cast.contained] == ["parts"]
    assert "parts: The property 'parts' does not exist" in refusal({"parts": [label]})


def test_references_are_bound() -> None:
    entry = sent({"owner@odata.bind": "/users/u", "team@odata.bind": ["a", "b"]}, partial=True)
    assert {each.name: urls for each, urls in entry.references.items()} == {
        "owner": ["/users/u"],
        "team": ["a", "b"],
    }
    assert entry.properties == {}


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ([], "Cannot convert an array"),
        ({"people": {}}, "people: an array is expected."),
        ({"people": [{"email": 1}]}, "people/0/email: Cannot convert 1"),
        ({"people": [None]}, "people/0: Cannot convert null"),
        ({"settings": []}, "settings: Cannot convert an array"),
        ({"settings": {"nope": 1}}, "settings/nope: The property 'nope' does not exist"),
        ({"inner": [{"people": [{"email": 1}]}]}, "inner/0/people/0/email: Cannot convert 1"),
        ({"nope@odata.bind": "u"}, "nope@odata.bind: There is no navigation property"),
        ({"owner@odata.bind": ["u"]}, "owner@odata.bind: a URL is expected."),
        ({"owner@odata.bind": None}, "owner@odata.bind: a URL is expected."),
        ({"team@odata.bind": "u"}, "team@odata.bind: an array of URLs is expected."),
        ({"team@odata.bind": ["u", 1]}, "team@odata.bind: an array of URLs is expected."),
        ({"people@odata.bind": ["u"]}, "people@odata.bind: This navigation property holds its"),
        ({"@odata.type": "#microsoft.graph.label", "people": []}, "@odata.type: "),
    ],
)
def test_what_is_refused_says_where(value: Json, why: str) -> None:
    assert refusal(value).startswith(why)
    assert refusal(value, root="cases/0").startswith("cases/0")


@pytest.mark.parametrize("name", ["owner", "team", "incidents"])
def test_entities_of_another_resource_do_not_come_along(name: str) -> None:
    with pytest.raises(NotEmulated, match=name):
        sent({name: {} if name == "owner" else []})


def test_entities_within_entities_without_end() -> None:
    value: Json = {}
    for _ in range(MAX_DEPTH + 1):
        value = {"inner": [value]}
    assert "nested more than" in refusal(value)
