"""Entities within entities, at every depth: they live and die with their owner."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from conftest import state_of
from flask.testing import FlaskClient

from . import OFFICIAL, at, ids, refused, without_control

Json = Any

official = pytest.mark.parametrize("root", OFFICIAL)
REPRESENTATION = {"Prefer": "return=representation"}
CASES = ("cases", "ediscoveryCases")
TREE = {
    "id": "c",
    "displayName": "case",
    "settings": {"ocr": {"isEnabled": True}},
    "custodians": [
        {
            "id": "k",
            "email": "kai@contoso.example",
            "userSources": [{"id": "u", "email": "kai@contoso.example"}],
            "siteSources": [{"id": "s", "site": {"displayName": "team"}}],
        },
        {"id": "l", "userSources": [{"id": "u"}]},
    ],
    "tags": [{"id": "t", "displayName": "tag"}],
}


@pytest.fixture
def case(graph: FlaskClient) -> FlaskClient:
    made = graph.post(at("v1.0", *CASES), json=TREE)
    assert made.status_code == 201, made.text
    return graph


@official
def test_a_deep_insert_makes_all_that_comes_along(case: FlaskClient, root: str) -> None:
    base = (*CASES, "c")
    assert ids(case.get(at(root, *base, "custodians"))) == ["k", "l"]
    url = at(root, *base, "custodians", "k", "siteSources", "s", "site")
    assert case.get(url).get_json()["displayName"] == "team"
    source = case.get(at(root, *base, "custodians", "k", "userSources", "u")).get_json()
    assert source["email"] == "kai@contoso.example"
    assert source["@odata.context"] == (
        f"http://localhost/{root}/$metadata#security/cases/ediscoveryCases('c')"
        "/custodians('k')/userSources/$entity"
    )
    assert case.get(at(root, *base, "settings")).get_json()["ocr"]["isEnabled"] is True
    assert "custodians" not in case.get(at(root, *base)).get_json()


def test_a_deep_insert_is_done_whole_or_not_at_all(graph: FlaskClient) -> None:
    before = state_of(graph)
    body = {"id": "x", "custodians": [{"id": "a"}, {"userSources": [{}, {"email": 5}]}]}
    message = refused(graph.post(at("v1.0", *CASES), json=body))
    assert message.startswith("custodians/1/userSources/1/email: ")
    for second in ("a/b", "a"):
        body = {"id": "x", "custodians": [{"id": "a"}, {"id": second}]}
        refused(graph.post(at("v1.0", *CASES), json=body))
    assert state_of(graph) == before


def test_ids_are_unique_within_the_owner(case: FlaskClient) -> None:
    first, second = (at("v1.0", *CASES, "c", "custodians", each, "userSources") for each in "kl")
    assert case.post(first, json={"id": "v"}).status_code == 201
    refused(case.post(first, json={"id": "v"}), 409)
    assert case.post(second, json={"id": "v"}).status_code == 201
    case.patch(f"{first}/v", json={"email": "only here"})
    assert case.get(f"{second}/v").get_json()["email"] is None


@official
def test_what_is_contained_goes_with_its_owner(case: FlaskClient, root: str) -> None:
    case.post(at(root, *CASES), json={"id": "d", "custodians": [{"id": "k"}]})
    assert case.delete(at(root, *CASES, "c", "custodians", "k")).status_code == 204
    refused(case.get(at(root, *CASES, "c", "custodians", "k", "userSources")), 404)
    assert ids(case.get(at(root, *CASES, "c", "custodians"))) == ["l"]
    assert case.delete(at(root, *CASES, "c")).status_code == 204
    for segments in (("custodians", "l"), ("tags",), ("settings",)):
        refused(case.get(at(root, *CASES, "c", *segments)), 404)
    assert ids(case.get(at(root, *CASES, "d", "custodians"))) == ["k"]
    case.post(at(root, *CASES), json={"id": "c"})
    assert ids(case.get(at(root, *CASES, "c", "custodians"))) == []


def test_a_deep_update_changes_what_is_there_and_makes_what_is_not(case: FlaskClient) -> None:
    url = at("v1.0", *CASES, "c")
    changes = {
        "displayName": "changed",
        "custodians": [{"id": "k", "email": "new"}, {"id": "m", "userSources": [{"id": "w"}]}],
        "settings": {"ocr": {"isEnabled": False}},
    }
    assert case.patch(url, json=changes).status_code in (200, 204)
    assert case.get(url).get_json()["displayName"] == "changed"
    assert ids(case.get(f"{url}/custodians")) == ["k", "l", "m"]
    assert case.get(f"{url}/custodians/k").get_json()["email"] == "new"
    assert ids(case.get(f"{url}/custodians/k/userSources")) == ["u"]
    assert ids(case.get(f"{url}/custodians/m/userSources")) == ["w"]
    assert case.get(f"{url}/settings/ocr").get_json()["isEnabled"] is False


def test_a_deep_update_does_not_say_two_things_of_one(case: FlaskClient) -> None:
    before = state_of(case)
    twice = [{"id": "k", "email": "one"}, {"id": "k", "email": "other"}]
    message = refused(case.patch(at("v1.0", *CASES, "c"), json={"custodians": twice}))
    assert message == "custodians: 'k' is given twice."
    assert state_of(case) == before


@official
def test_one_that_is_always_there(case: FlaskClient, root: str) -> None:
    case.post(at(root, *CASES), json={"id": "d"})
    url = at(root, *CASES, "d", "settings")
    unset = case.get(url)
    assert (unset.status_code, unset.get_json()["ocr"]["isEnabled"]) == (200, False)
    context = f"http://localhost/{root}/$metadata#security/cases/ediscoveryCases('d')/settings"
    assert unset.get_json()["@odata.context"].startswith(context)
    changed = case.patch(url, json={"ocr": {"isEnabled": True}}, headers=REPRESENTATION)
    assert changed.get_json()["ocr"]["isEnabled"] is True
    refused(case.patch(url, json={}, headers={"If-Match": unset.headers["ETag"]}), 412)
    assert case.delete(url).status_code == 204
    refused(case.get(url), 404)
    assert case.patch(url, json={"ocr": {"isEnabled": False}}).status_code == 204
    assert case.get(f"{url}/ocr").get_json()["isEnabled"] is False


# -- expand, filter, casts ----------------------------------------------------------------


@official
def test_expand_at_several_levels(case: FlaskClient, root: str) -> None:
    expand = (
        "custodians($select=id;$orderby=id desc;"
        "$expand=userSources($select=id,email;$filter=email ne null;$count=true)),"
        "settings($select=ocr)"
    )
    body = case.get(f"{at(root, *CASES, 'c')}?$select=id&$expand={quote(expand)}").get_json()
    assert without_control(body) == {
        "id": "c",
        "custodians": [
            {"id": "l", "userSources": []},
            {"id": "k", "userSources": [{"id": "u", "email": "kai@contoso.example"}]},
        ],
        "settings": {"ocr": {"isEnabled": True, "maxImageSize": None, "timeout": None}},
    }
    assert [each["userSources@odata.count"] for each in body["custodians"]] == [0, 1]


def test_expand_from_the_root_down(case: FlaskClient) -> None:
    expand = "ediscoveryCases($select=id;$expand=custodians($select=id;$top=1))"
    body = case.get(f"{at('v1.0', 'cases')}?$expand={quote(expand)}").get_json()
    assert without_control(body["ediscoveryCases"]) == [{"id": "c", "custodians": [{"id": "k"}]}]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("custodians/any(k:k/email eq 'kai@contoso.example')", ["c"]),
        ("custodians/any(k:k/userSources/any(u:u/id eq 'u'))", ["c"]),
        ("custodians/any(k:k/siteSources/any(s:s/site/displayName eq 'team'))", ["c"]),
        ("custodians/any(k:k/siteSources/any(s:s/site/displayName eq 'other'))", []),
        ("custodians/$count eq 2", ["c"]),
        ("settings/ocr/isEnabled eq true", ["c"]),
        ("not custodians/any()", ["d"]),
    ],
)
def test_filters_follow_containment(case: FlaskClient, text: str, found: list[str]) -> None:
    case.post(at("v1.0", *CASES), json={"id": "d"})
    assert ids(case.get(f"{at('v1.0', *CASES)}?$filter={quote(text)}")) == found


HOSTS = ("threatIntelligence", "hosts")
NAME = "microsoft.graph.security.hostname"
ADDRESS = "microsoft.graph.security.ipAddress"


@official
def test_collections_and_entities_are_cast(graph: FlaskClient, root: str) -> None:
    url = at(root, *HOSTS)
    assert "abstract" in refused(graph.post(url, json={"id": "x"}))
    for key, type_name in (("name", NAME), ("address", ADDRESS)):
        made = graph.post(url, json={"@odata.type": f"#{type_name}", "id": key})
        assert made.status_code == 201, made.text
        assert made.get_json()["@odata.type"] == f"#{type_name}"
    assert ids(graph.get(url)) == ["name", "address"]
    assert ids(graph.get(f"{url}/{NAME}")) == ["name"]
    assert ids(graph.get(f"{url}/{ADDRESS}")) == ["address"]
    assert graph.get(f"{url}/address/{ADDRESS}").get_json()["id"] == "address"
    refused(graph.get(f"{url}/address/{NAME}"), 404)
    changed = graph.patch(f"{url}/address/{ADDRESS}", json={"hostingProvider": "p"})
    assert changed.get_json()["hostingProvider"] == "p"
    assert graph.get(f"{url}/address/{ADDRESS}/hostingProvider").get_json()["value"] == "p"
    refused(graph.get(f"{url}/address/hostingProvider"))


@official
def test_filters_cast(case: FlaskClient, root: str) -> None:
    url = at(root, *CASES, "c", "operations")
    export = "microsoft.graph.security.ediscoveryExportOperation"
    operate(case, {"id": "plain"})
    operate(case, {"@odata.type": f"#{export}", "id": "export", "outputName": "o"})
    assert case.get(f"{url}/{export}/$count").text == "1"
    assert ids(case.get(f"{url}?$filter=isof({export})")) == ["export"]
    assert ids(case.get(f"{url}?$filter={export}/outputName eq 'o'")) == ["export"]
    assert "'outputName' does not exist" in refused(case.get(f"{url}?$filter=outputName eq 'o'"))


@official
def test_an_entity_does_not_become_one_of_another_type(case: FlaskClient, root: str) -> None:
    url = at(root, *CASES, "c", "operations")
    base, export, hold = (
        f"#microsoft.graph.security.{name}"
        for name in ("caseOperation", "ediscoveryExportOperation", "ediscoveryHoldOperation")
    )
    one = f"{url}/{operate(case, {'@odata.type': export, 'outputName': 'o'})}"
    before = case.get(one).get_json()
    message = refused(case.patch(one, json={"@odata.type": hold}))
    assert message.startswith("@odata.type: The entity is of the type ")
    assert case.get(one).get_json() == before
    for same in (export, base):
        assert case.patch(one, json={"@odata.type": same}).status_code in (200, 204)
        assert without_control(case.get(one).get_json()) == without_control(before)


@official
def test_an_entity_may_become_one_of_a_derived_type(case: FlaskClient, root: str) -> None:
    url = at(root, *CASES, "c", "operations")
    export = "#microsoft.graph.security.ediscoveryExportOperation"
    plain = f"{url}/{operate(case, {})}"
    other = f"{url}/{operate(case, {'@odata.type': export})}"
    case.patch(plain, json={"@odata.type": export, "outputName": "o"})
    changed = case.get(plain).get_json()
    assert changed["outputName"] == "o"
    assert changed.keys() == case.get(other).get_json().keys()


def operate(client: FlaskClient, body: dict[str, Json]) -> str:
    """Make an operation of the case, which callers may not, and return its own key."""
    state = client.application.extensions["mockgraph"].default.state
    made = state.create("security/cases/ediscoveryCases/operations", body, "c")
    return str(made["id"])


# -- the state document -------------------------------------------------------------------


def test_the_state_document_mirrors_the_urls_and_is_read_again(case: FlaskClient) -> None:
    base = at("v1.0", *CASES, "c", "tags")
    case.post(base, json={"id": "p"})
    parent = {"@odata.id": f"http://localhost{base}/p"}
    assert case.put(f"{base}/t/parent/$ref", json=parent).status_code == 204
    case.delete(at("v1.0", *CASES, "c", "settings"))
    document = state_of(case)
    (found,) = document["Security"]["cases"]["ediscoveryCases"]
    kai, _ = found["custodians"]
    assert kai["userSources"][0]["email"] == "kai@contoso.example"
    assert kai["siteSources"][0]["site"]["displayName"] == "team"
    assert found["tags"][0]["parent@odata.bind"] == ("security/cases/ediscoveryCases/c/tags/p")
    assert case.put("/_mockgraph/state", json=document).status_code == 204
    assert state_of(case) == document
    assert case.get(f"{base}/t/parent").get_json()["id"] == "p"
    url = at("v1.0", *CASES, "c", "custodians", "k", "siteSources", "s", "site")
    assert case.get(url).get_json()["displayName"] == "team"


@pytest.mark.parametrize(
    ("cases", "path"),
    [
        ([{"id": "c", "custodians": [{"email": 5}]}], "ediscoveryCases/0/custodians/0/email"),
        ([{"id": "c", "custodians": {}}], "ediscoveryCases/0/custodians"),
        ([{"id": "c", "nope": []}], "ediscoveryCases/0/nope"),
        ([{"id": "c", "tags": [{"id": "t"}, {"id": "t"}]}], "ediscoveryCases/0/tags/1/id"),
        (
            [{"tags": [{"parent@odata.bind": "security/labels/categories/x"}]}],
            "ediscoveryCases/0/tags/0/parent@odata.bind",
        ),
    ],
)
def test_what_a_state_document_cannot_hold_is_refused_with_its_path(
    case: FlaskClient, cases: Json, path: str
) -> None:
    before = state_of(case)
    document = {"Security": {"providerStatus": [], "cases": {"ediscoveryCases": cases}}}
    message = refused(case.put("/_mockgraph/state", json=document))
    assert message.startswith(f"Security/cases/{path}: ")
    assert state_of(case) == before
