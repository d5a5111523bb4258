"""References between entities: ``$ref``, ``@odata.bind``, and what a deletion leaves behind."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from conftest import state_of
from flask.testing import FlaskClient

from . import at, ids, refused, without_control

Json = Any

BASE = ("cases", "ediscoveryCases", "c")
TAGS = at("v1.0", *BASE, "tags")
ROOT = "http://localhost/v1.0"


@pytest.fixture
def tags(graph: FlaskClient) -> FlaskClient:
    tree = [{"id": key, "displayName": key} for key in ("a", "b", "c")]
    made = graph.post(at("v1.0", *BASE[:2]), json={"id": "c", "tags": tree})
    assert made.status_code == 201, made.text
    return graph


def refer(graph: FlaskClient, owner: str, name: str, *keys: str) -> None:
    for key in keys:
        body = {"@odata.id": f"http://localhost{TAGS}/{key}"}
        response = graph.post(f"{TAGS}/{owner}/{name}/$ref", json=body)
        assert response.status_code == 204, response.text


def test_references_are_added_and_removed(tags: FlaskClient) -> None:
    refer(tags, "a", "childTags", "b", "c", "b")
    assert ids(tags.get(f"{TAGS}/a/childTags")) == ["b", "c"]
    assert ids(tags.get(f"{TAGS}/b/childTags")) == []
    gone = quote(f"{ROOT}/security/cases/ediscoveryCases/c/tags/b", safe="")
    assert tags.delete(f"{TAGS}/a/childTags/$ref?$id={gone}").status_code == 204
    assert ids(tags.get(f"{TAGS}/a/childTags")) == ["c"]
    assert tags.delete(f"{TAGS}/a/childTags/c/$ref").status_code == 204
    refused(tags.delete(f"{TAGS}/a/childTags/c/$ref"), 404)
    assert ids(tags.get(TAGS)) == ["a", "b", "c"]


def test_what_is_no_url_is_no_reference_that_could_go(tags: FlaskClient) -> None:
    refer(tags, "a", "childTags", "b")
    refused(tags.delete(f"{TAGS}/a/childTags/$ref?$id=http://["))
    assert ids(tags.get(f"{TAGS}/a/childTags")) == ["b"]


def test_one_reference_is_set_and_replaced(tags: FlaskClient) -> None:
    url = f"{TAGS}/a/parent"
    refused(tags.get(url), 404)
    for key in ("b", "c"):
        body = {"@odata.id": f"http://localhost{TAGS}/{key}"}
        assert tags.put(f"{url}/$ref", json=body).status_code == 204
        assert tags.get(url).get_json()["displayName"] == key
    assert tags.delete(f"{url}/$ref").status_code == 204
    refused(tags.get(url), 404)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"@odata.id": f"{ROOT}/security/cases/ediscoveryCases/c/tags/gone"}, 404),
        ({"@odata.id": f"{ROOT}/security/cases/ediscoveryCases('c')/tags('gone')"}, 404),
        ({"@odata.id": f"{ROOT}/security/cases/ediscoveryCases/c/tags"}, 400),
        ({"@odata.id": f"{ROOT}/security/labels/categories/x"}, 400),
        ({"@odata.id": "nowhere"}, 400),
        ({"@odata.id": "http://["}, 400),
        ({"@odata.id": 5}, 400),
        ({}, 400),
        ([], 400),
        (None, 400),
    ],
)
def test_what_is_not_there_is_not_referred_to(tags: FlaskClient, body: Json, status: int) -> None:
    before = state_of(tags)
    refused(tags.post(f"{TAGS}/a/childTags/$ref", json=body), status)
    refused(tags.put(f"{TAGS}/a/parent/$ref", json=body), status)
    assert state_of(tags) == before


@pytest.mark.parametrize("prefix", [f"{ROOT}/", "/v1.0/", "", "https://graph.microsoft.com/v1.0/"])
def test_bound_on_create_and_on_update(tags: FlaskClient, prefix: str) -> None:
    def url(key: str) -> str:
        return f"{prefix}security/cases/ediscoveryCases/c/tags/{key}"

    body = {"id": "d", "parent@odata.bind": url("a"), "childTags@odata.bind": [url("b"), url("c")]}
    made = tags.post(TAGS, json=body)
    assert made.status_code == 201, made.text
    assert tags.get(f"{TAGS}/d/parent").get_json()["id"] == "a"
    assert ids(tags.get(f"{TAGS}/d/childTags")) == ["b", "c"]
    tags.patch(f"{TAGS}/d", json={"parent@odata.bind": url("b")})
    assert tags.get(f"{TAGS}/d/parent").get_json()["id"] == "b"


@pytest.mark.parametrize(
    "body",
    [
        {"parent@odata.bind": [f"{TAGS}/a"]},
        {"childTags@odata.bind": f"{TAGS}/a"},
        {"childTags@odata.bind": [5]},
        {"nope@odata.bind": f"{TAGS}/a"},
        {"parent@odata.bind": "security/labels/categories/x"},
        {"parent@odata.bind": "http://["},
    ],
)
def test_what_cannot_be_bound(tags: FlaskClient, body: Json) -> None:
    before = state_of(tags)
    (name,) = body
    refused(tags.post(TAGS, json={"id": "d", **body}))
    refused(tags.patch(f"{TAGS}/a", json=body))
    assert name.partition("@")[0]
    assert state_of(tags) == before


def test_a_reference_goes_with_what_it_refers_to(tags: FlaskClient) -> None:
    refer(tags, "a", "childTags", "b", "c")
    tags.put(f"{TAGS}/c/parent/$ref", json={"@odata.id": f"http://localhost{TAGS}/b"})
    assert tags.delete(f"{TAGS}/b").status_code == 204
    assert ids(tags.get(f"{TAGS}/a/childTags")) == ["c"]
    refused(tags.get(f"{TAGS}/c/parent"), 404)
    tags.post(TAGS, json={"id": "b"})
    assert ids(tags.get(f"{TAGS}/a/childTags")) == ["c"]
    assert tags.delete(at("v1.0", *BASE)).status_code == 204
    assert "childTags" not in tags.get("/_mockgraph/state").text


def test_references_are_expanded_level_by_level(tags: FlaskClient) -> None:
    refer(tags, "a", "childTags", "b")
    refer(tags, "b", "childTags", "c")

    def expanded(options: str) -> Json:
        expand = quote(f"childTags({options})")
        body = tags.get(f"{TAGS}/a?$select=id&$expand={expand}")
        assert body.status_code == 200, body.text
        return without_control(body.json)

    c: Json = {"id": "c", "childTags": []}
    assert expanded("$select=id") == {"id": "a", "childTags": [{"id": "b"}]}
    two = {"id": "a", "childTags": [{"id": "b", "childTags": [{"id": "c"}]}]}
    assert expanded("$select=id;$levels=2") == two
    assert expanded("$select=id;$levels=max")["childTags"][0]["childTags"] == [c]
    links = tags.get(f"{TAGS}/a?$expand=childTags/$ref").get_json()["childTags"]
    assert links == [{"@odata.id": f"http://localhost{TAGS}/b"}]


def test_circles_are_followed_as_far_as_is_asked(tags: FlaskClient) -> None:
    refer(tags, "a", "childTags", "a")
    body = tags.get(f"{TAGS}/a?$expand=childTags($levels=3)").get_json()
    depth = 0
    while body.get("childTags"):
        (body,) = body["childTags"]
        depth += 1
    assert depth == 3


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("childTags/any(t:t/displayName eq 'b')", ["a"]),
        ("parent/displayName eq 'a'", ["b"]),
        ("parent/parent/displayName eq 'a'", []),
        ("childTags/$count eq 1", ["a"]),
    ],
)
def test_filters_follow_references(tags: FlaskClient, text: str, found: list[str]) -> None:
    refer(tags, "a", "childTags", "b")
    tags.put(f"{TAGS}/b/parent/$ref", json={"@odata.id": f"http://localhost{TAGS}/a"})
    assert ids(tags.get(f"{TAGS}?$filter={quote(text)}")) == found


def test_a_reference_leads_on(tags: FlaskClient) -> None:
    refer(tags, "a", "childTags", "b")
    refer(tags, "b", "childTags", "c")
    assert ids(tags.get(f"{TAGS}/a/childTags/b/childTags")) == ["c"]
    refused(tags.get(f"{TAGS}/a/childTags/c/childTags"), 404)


# -- operations that nobody says the effect of, as those of metadata of one's own ----------

OPERATIONS = [
    ("POST", at("v1.0", *BASE, "close"), "microsoft.graph.security.close"),
    (
        "POST",
        at("v1.0", *BASE, "microsoft.graph.security.reopen"),
        "microsoft.graph.security.reopen",
    ),
    ("GET", f"{TAGS}/asHierarchy()", "microsoft.graph.security.asHierarchy"),
    ("GET", f"{TAGS}/asHierarchy", "microsoft.graph.security.asHierarchy"),
]


@pytest.mark.parametrize(("method", "url", "name"), OPERATIONS)
def test_an_operation_without_an_effect_says_how_to_give_it_one(
    tags: FlaskClient, method: str, url: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tags.application.extensions["mockgraph"].default.state
    monkeypatch.delitem(state.behaviours, name)
    before = state_of(tags)
    message = refused(tags.open(url, method=method), 501)
    assert "MockGraph" in message
    assert f'@graph.operation("{name}")' in message
    other = "GET" if method == "POST" else "POST"
    refused(tags.open(url, method=other, json={}), 405)
    assert state_of(tags) == before


CASE = at("v1.0", *BASE)
SOURCES = f"{CASE}/searches/s/custodianSources"
HELD = ("userSources/u", "siteSources/w")


@pytest.fixture
def sources(graph: FlaskClient) -> FlaskClient:
    """A search that refers to sources of two kinds, which custodians of the case hold."""
    email = "a@b.example"
    custodian: Json = {"id": "k", "email": email, "userSources": [{"id": "u", "email": email}]}
    custodian["siteSources"] = [{"id": "w", "displayName": "a site"}]
    case = {"id": "c", "custodians": [custodian], "searches": [{"id": "s"}]}
    made = graph.post(at("v1.0", *BASE[:2]), json=case)
    assert made.status_code == 201, made.text
    for held in HELD:
        body = {"@odata.id": f"http://localhost{CASE}/custodians/k/{held}"}
        assert graph.post(f"{SOURCES}/$ref", json=body).status_code == 204
    return graph


def test_what_is_referred_to_is_shown_as_what_it_is(sources: FlaskClient) -> None:
    listed = sources.get(SOURCES).get_json()["value"]
    user, site = (sources.get(f"{CASE}/custodians/k/{each}").get_json() for each in HELD)
    for shown, own in zip(listed, (user, site), strict=True):
        assert {**own, "@odata.type": shown["@odata.type"]} == {
            **shown,
            "@odata.context": own["@odata.context"],
        }
    assert [each["@odata.type"].rpartition(".")[2] for each in listed] == [
        "userSource",
        "siteSource",
    ]
    one = sources.get(f"{SOURCES}/u").get_json()
    assert {**one, "@odata.context": None} == {**listed[0], "@odata.context": None}
    whole = sources.get(f"{CASE}/searches/s?$expand=custodianSources").get_json()
    assert whole["custodianSources"] == listed
    urls = [each["@odata.id"] for each in sources.get(f"{SOURCES}/$ref").get_json()["value"]]
    assert urls == [f"http://localhost{CASE}/custodians/k/{each}" for each in HELD]


def test_what_is_written_by_a_reference_is_written_where_it_is(sources: FlaskClient) -> None:
    changed = sources.patch(f"{SOURCES}/w", json={"displayName": "new"})
    assert changed.status_code == 200
    assert changed.get_json()["displayName"] == "new"
    assert sources.get(f"{CASE}/custodians/k/{HELD[1]}").get_json()["displayName"] == "new"
    before = state_of(sources)
    stale = {"If-Match": 'W/"0"'}
    refused(sources.delete(f"{SOURCES}/u", headers=stale), 412)
    assert state_of(sources) == before
    assert sources.delete(f"{SOURCES}/u").status_code == 204
    refused(sources.get(f"{CASE}/custodians/k/{HELD[0]}"), 404)
    assert ids(sources.get(SOURCES)) == ["w"]


def test_pages_of_what_is_held_in_several_places(sources: FlaskClient) -> None:
    first = sources.get(f"{SOURCES}?$top=1&$orderby=id desc").get_json()
    assert [each["id"] for each in first["value"]] == ["w"]
    assert ids(sources.get(first["@odata.nextLink"])) == ["u"]
