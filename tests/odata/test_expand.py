"""$expand over HTTP at any depth: entities, their URLs, their number, levels, derived types."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

Json = Any

CASES = "/v1.0/security/cases/ediscoveryCases"
TAGS = f"{CASES}/c1/tags"


@pytest.fixture
def cases(empty_client: FlaskClient) -> FlaskClient:
    """A case with two custodians and three tags, of which each leads to the next, in a circle."""

    def post(path: str, **body: Json) -> None:
        response = empty_client.post(path, json=body)
        assert response.status_code in (201, 204), response.json

    for key in ("c1", "c2"):
        post(CASES, id=key, displayName=key)
    for key in ("k1", "k2"):
        post(f"{CASES}/c1/custodians", id=key, email=f"{key}@x")
    for key in ("t1", "t2", "t3"):
        post(TAGS, id=key, displayName=key)
    for key, child in (("t1", "t2"), ("t2", "t3"), ("t3", "t1")):
        post(f"{TAGS}/{key}/childTags/$ref", **{"@odata.id": f"http://localhost{TAGS}/{child}"})
    return empty_client


def get(client: FlaskClient, path: str, status: int = 200, **options: str) -> Json:
    query = "&".join(f"${name}={quote(value)}" for name, value in options.items())
    response = client.get(f"{path}?{query}")
    assert response.status_code == status, response.json
    return response.json


def bare(value: Json) -> Json:
    """The value without its control information, but for numbers and URLs of entities."""
    if isinstance(value, list):
        return [bare(each) for each in value]
    if not isinstance(value, dict):
        return value
    kept = ("@odata.id", "@odata.count")
    return {k: bare(v) for k, v in value.items() if "@" not in k or k.endswith(kept)}


def test_references(cases: FlaskClient) -> None:
    body = get(cases, f"{CASES}/c1", select="id", expand="custodians/$ref")
    urls = [{"@odata.id": f"http://localhost{CASES}/c1/custodians/{key}"} for key in ("k1", "k2")]
    assert bare(body) == {"id": "c1", "custodians": urls}
    for each in urls:
        assert cases.get(each["@odata.id"]).status_code == 200


def test_references_that_match(cases: FlaskClient) -> None:
    options = "custodians/$ref($filter=email eq 'k2@x';$count=true)"
    body = bare(get(cases, f"{CASES}/c1", select="id", expand=options))
    assert body["custodians@odata.count"] == 1
    assert [each["@odata.id"][-2:] for each in body["custodians"]] == ["k2"]


def test_one_reference(cases: FlaskClient) -> None:
    body = get(cases, f"{CASES}/c1", select="id", expand="settings/$ref")
    assert bare(body)["settings"] == {"@odata.id": f"http://localhost{CASES}/c1/settings"}


def test_references_are_of_the_entity_itself(cases: FlaskClient) -> None:
    """The URL is that of the tag, whatever led to it."""
    body = get(cases, f"{TAGS}/t1", select="id", expand="childTags/$ref,parent/$ref")
    expected = [{"@odata.id": f"http://localhost{TAGS}/t2"}]
    assert bare(body) == {"id": "t1", "childTags": expected, "parent": None}


def test_numbers(cases: FlaskClient) -> None:
    body = get(cases, CASES, select="id", expand="custodians/$count,tags/$count")
    assert bare(body["value"]) == [
        {"id": "c1", "custodians@odata.count": 2, "tags@odata.count": 3},
        {"id": "c2", "custodians@odata.count": 0, "tags@odata.count": 0},
    ]


def test_numbers_of_what_matches(cases: FlaskClient) -> None:
    options = "tags/$count($filter=childTags/any(c:c/displayName in ('t1','t3')))"
    body = get(cases, f"{CASES}/c1", select="id", expand=options)
    assert bare(body) == {"id": "c1", "tags@odata.count": 2}


def test_all_that_it_leads_to(cases: FlaskClient) -> None:
    body = get(cases, f"{TAGS}/t1", select="id", expand="*")
    assert bare(body).keys() == {"id", "childTags", "parent"}
    everything = bare(get(cases, f"{CASES}/c1", select="id", expand="*/$ref,tags/$count"))
    assert everything["tags@odata.count"] == 3
    assert len(everything["custodians"]) == 2
    assert {"searches", "reviewSets", "settings", "operations"} <= everything.keys()


@pytest.mark.parametrize(
    ("levels", "followed"), [("1", "2"), ("2", "23"), ("3", "231"), ("max", "23123123")]
)
def test_levels(cases: FlaskClient, levels: str, followed: str) -> None:
    options = f"childTags($levels={levels};$select=id;$count=true)"
    body = bare(get(cases, f"{TAGS}/t1", select="id", expand=options))
    found = ""
    while "childTags" in body:
        assert body["childTags@odata.count"] == 1
        (body,) = body["childTags"]
        found += body["id"][1]
    assert found == followed


def test_levels_filter_at_each(cases: FlaskClient) -> None:
    options = "childTags($levels=3;$select=id;$filter=id ne 't1')"
    body = bare(get(cases, f"{TAGS}/t1", select="id", expand=options))
    third = {"id": "t3", "childTags": []}
    assert body == {"id": "t1", "childTags": [{"id": "t2", "childTags": [third]}]}


def test_deep_expansions(cases: FlaskClient) -> None:
    options = "tags($select=id;$filter=id eq 't1';$expand=childTags($select=id;$expand=childTags))"
    body = bare(get(cases, f"{CASES}/c1", select="id", expand=options))
    inner = body["tags"][0]["childTags"][0]["childTags"][0]
    assert (inner["id"], inner["displayName"]) == ("t3", "t3")


@pytest.mark.parametrize(("level", "has"), [("none", False), ("minimal", False), ("full", True)])
def test_levels_of_metadata(cases: FlaskClient, level: str, has: bool) -> None:
    options: dict[str, Any] = {"format": f"application/json;odata.metadata={level}", "select": "id"}
    body = get(
        cases, f"{CASES}/c1", **options, expand="custodians,tags/$ref,settings/$count", status=400
    )
    assert "'settings' is no collection" in body["error"]["message"]
    body = get(cases, f"{CASES}/c1", **options, expand="custodians,tags/$ref,searches/$count")
    assert ("@odata.id" in body["custodians"][0]) is has
    assert [each["@odata.id"][-2:] for each in body["tags"]] == ["t1", "t2", "t3"]
    assert body["searches@odata.count"] == 0


# -- through navigation, as the state keeps it ----------------------------------------------


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        (CASES, "custodians/any(c:c/email eq 'k1@x')", ["c1"]),
        (CASES, "custodians/$count eq 0", ["c2"]),
        (CASES, "tags/any(t:t/childTags/any(c:c/displayName eq 't3'))", ["c1"]),
        (CASES, "settings/ocr/isEnabled eq false", ["c1", "c2"]),
        (TAGS, "childTags/any(c:c/childTags/any(d:d/id eq 't1'))", ["t2"]),
        (
            TAGS,
            "childTags/any(c:c/childTags/any(d:d/childTags/any(e:e/id eq $it/id)))",
            ["t1", "t2", "t3"],
        ),
        (TAGS, "parent eq null and id in ('t1','t3')", ["t1", "t3"]),
    ],
)
def test_filters_through_navigation(
    cases: FlaskClient, path: str, text: str, found: list[str]
) -> None:
    body = get(cases, path, filter=text)
    assert [each["id"] for each in body["value"]] == found
    response = cases.get(f"{path}/$count?$filter={quote(text)}")
    assert response.data == str(len(found)).encode()


def test_orders_through_navigation(cases: FlaskClient) -> None:
    body = get(cases, CASES, orderby="custodians/$count,id")
    assert [each["id"] for each in body["value"]] == ["c2", "c1"]


def test_filters_through_a_constraint(empty_client: FlaskClient) -> None:
    db = empty_client.application.extensions["mockgraph"].default.state.db
    for key in ("storm", "calm"):
        db.table("security/incidents").insert({"id": key, "displayName": key})
    for key, severity in (("a1", "low"), ("a2", "high")):
        body = {"id": key, "severity": severity, "incidentId": "storm"}
        db.table("security/alerts_v2").insert(body)
    for text, found in {
        "alerts/any(a:a/severity eq 'high' and a/incidentId eq $it/id)": ["storm"],
        "alerts/all(a:a/severity eq 'high')": ["calm"],
        "alerts/$count eq 2": ["storm"],
    }.items():
        body = get(empty_client, "/v1.0/security/incidents", filter=text)
        assert [each["id"] for each in body["value"]] == found


def test_a_property_that_a_closed_type_lacks(empty_client: FlaskClient) -> None:
    body = get(empty_client, CASES, status=400, filter="custodians/any(c:c/nope eq 1)")
    message = body["error"]["message"]
    assert "'nope' does not exist on type 'microsoft.graph.security.ediscoveryCustodian'" in message


def test_navigation_of_a_derived_type(cases: FlaskClient) -> None:
    """Entities of another type than the one named are shown without it."""
    of_type = "microsoft.graph.security.siteSource"
    searches = f"{CASES}/c1/searches"
    for path, body in (
        (searches, {"id": "s1", "displayName": "s1"}),
        (f"{searches}/s1/additionalSources", {"@odata.type": f"#{of_type}", "id": "a1"}),
        (
            f"{searches}/s1/additionalSources",
            {"@odata.type": "#microsoft.graph.security.userSource", "id": "a2"},
        ),
    ):
        response = cases.post(path, json=body)
        assert response.status_code == 201, response.json
    body = get(cases, f"{searches}/s1/additionalSources", select="id", expand=f"{of_type}/site")
    site = {"id": "site", "webUrl": None, "displayName": None}
    assert bare(body["value"]) == [{"id": "a1", "site": site}, {"id": "a2"}]
    body = get(cases, f"{searches}/s1/additionalSources/{of_type}", select="id", expand="site")
    assert bare(body["value"]) == [{"id": "a1", "site": site}]
    refused = get(cases, f"{searches}/s1/additionalSources", expand="site", status=400)
    assert "no navigation property 'site'" in refused["error"]["message"]
