"""Server-driven paging: the links, and walks over a set that others write to meanwhile."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from flask.testing import FlaskClient

from . import COUNT, KEYS, ROOTS, at, create, ids, on_every_root, refused, seeded

Json = Any


@pytest.fixture
def numbered(graph: FlaskClient) -> FlaskClient:
    return seeded(graph)


def pages(client: FlaskClient, url: str, **request: Any) -> list[Any]:
    """The answers from the first page to the last."""
    answers = []
    link: str | None = url
    while link is not None:
        response = client.get(link, **request)
        assert response.status_code == 200, response.text
        answers.append(response)
        link = response.get_json().get("@odata.nextLink")
        assert len(answers) < 100
    return answers


def walked(answers: list[Any]) -> list[list[str]]:
    return [ids(each) for each in answers]


# -- links --------------------------------------------------------------------------------

LISTS = [
    ("", [], [KEYS]),
    ("$top=3", [], [KEYS[:3], KEYS[3:6], KEYS[6:]]),
    ("$top=7", [], [KEYS]),
    ("$top=6", [], [KEYS[:6], KEYS[6:]]),
    ("$top=3&$skip=2", [], [KEYS[2:5], KEYS[5:]]),
    ("$skip=2&$top=3&$orderby=confidence", [], [["k4", "k3", "k2"], ["k1", "k0"]]),
    ("$top=3&$orderby=confidence desc", [], [KEYS[:3], KEYS[3:6], KEYS[6:]]),
    ("$top=2&$filter=title eq 'even'", [], [["k0", "k2"], ["k4", "k6"]]),
    ("$top=1&$skip=1&$filter=title eq 'even'", [], [["k2"], ["k4"], ["k6"]]),
    ("$top=2&$filter=title eq 'even'&$orderby=id desc", [], [["k6", "k4"], ["k2", "k0"]]),
    ("$top=2&$search=odd", [], [["k1", "k3"], ["k5"]]),
    ("", [("Prefer", "odata.maxpagesize=4")], [KEYS[:4], KEYS[4:]]),
    ("", [("Prefer", "maxpagesize=4")], [KEYS[:4], KEYS[4:]]),
    ("", [("Prefer", 'return=minimal, odata.maxpagesize="5"')], [KEYS[:5], KEYS[5:]]),
    ("", [("Prefer", "return=minimal"), ("Prefer", "odata.maxpagesize=5")], [KEYS[:5], KEYS[5:]]),
    ("$top=5", [("Prefer", "odata.maxpagesize=4")], [KEYS[:4], KEYS[4:]]),
    ("$top=4", [("Prefer", "odata.maxpagesize=5")], [KEYS[:4], KEYS[4:]]),
    ("$skip=4&$orderby=id", [("Prefer", "odata.maxpagesize=2")], [["k4", "k5"], ["k6"]]),
]


@pytest.mark.parametrize(("options", "headers", "found"), LISTS)
@on_every_root
def test_a_walk(
    numbered: FlaskClient, root: str, options: str, headers: list[Any], found: list[list[str]]
) -> None:
    answers = pages(numbered, f"{at(root, 'alerts')}?{options}", headers=headers)
    assert walked(answers) == found


@pytest.mark.parametrize("given", ["0", "-1", "x", "", "1.5", "9" * 5000, "٣"])
def test_a_page_size_that_makes_no_sense_is_ignored(numbered: FlaskClient, given: str) -> None:
    """A preference is never an error (RFC 7240, 2)."""
    headers = {"Prefer": f"odata.maxpagesize={given}".encode().decode("latin-1")}
    assert walked(pages(numbered, at("v1.0", "alerts"), headers=headers)) == [KEYS]


def test_without_a_top_a_page_has_an_end(graph: FlaskClient) -> None:
    seeded(graph, 230)
    sizes = [len(page) for page in walked(pages(graph, at("v1.0", "alerts")))]
    assert sizes == [100, 100, 30]
    headers = {"Prefer": "odata.maxpagesize=1000000"}
    assert len(pages(graph, at("v1.0", "alerts"), headers=headers)) == 1
    assert len(pages(graph, at("v1.0", "alerts") + "?$top=1000")) == 1


OPTIONS = [
    [("$top", "2"), ("$filter", "title ne 'a&b=+%c' and contains(title,'e')")],
    [("$orderby", "title desc,id"), ("$select", "id,vendorInformation/provider"), ("$top", "1")],
    [("$COUNT", "true"), ("top", "1"), ("$search", '"even" OR größe')],
    [("$format", "application/json;odata.metadata=full"), ("$top", "2")],
]


@pytest.mark.parametrize("options", OPTIONS)
@on_every_root
def test_a_link_keeps_the_options(
    numbered: FlaskClient, root: str, options: list[tuple[str, str]]
) -> None:
    query = "&".join(f"{quote(name)}={quote(value)}" for name, value in options)
    *linking, _ = pages(numbered, f"{at(root, 'alerts')}?{query}&$skip=1")
    assert linking
    for answer in linking:
        link = urlsplit(answer.json["@odata.nextLink"])
        assert (
            f"{link.scheme}://{link.netloc}{link.path}" == f"http://localhost{at(root, 'alerts')}"
        )
        *kept, (name, token) = parse_qsl(link.query, keep_blank_values=True)
        assert kept == options
        assert name == "$skiptoken"
        assert token


def test_the_count_is_on_every_page(numbered: FlaskClient) -> None:
    for options in ("$count=true&$top=3", "$count=true&$top=3&$orderby=id"):
        answers = pages(numbered, f"{at('beta', 'alerts')}?{options}")
        assert [each.json["@odata.count"] for each in answers] == [COUNT] * 3


def test_a_link_leads_through_the_level_of_metadata_none(numbered: FlaskClient) -> None:
    answers = pages(
        numbered, f"{at('beta', 'alerts')}?$top=3&$format=application/json;odata.metadata=none"
    )
    assert walked(answers) == [KEYS[:3], KEYS[3:6], KEYS[6:]]


@pytest.mark.parametrize(
    "origin",
    [
        "http://127.0.0.1:8365",
        "https://graph",
        "http://[::1]:81",
        "https://graph:8443/mock/graph",
    ],
)
@pytest.mark.parametrize("options", ["$top=4", "$top=4&$orderby=confidence desc"])
def test_a_link_is_absolute_as_the_caller_wrote_it(
    numbered: FlaskClient, origin: str, options: str
) -> None:
    first = numbered.get(f"{at('v1.0', 'ALERTS')}?{options}", base_url=origin)
    link = first.get_json()["@odata.nextLink"]
    assert link.startswith(f"{origin}{at('v1.0', 'ALERTS')}?")
    rest = numbered.get(link.removeprefix(origin), base_url=origin)
    assert ids(first) + ids(rest) == KEYS
    assert first.get_json()["@odata.context"] == f"{origin}/v1.0/$metadata#security/alerts"
    made = numbered.post(at("v1.0", "alerts"), json={"id": "new"}, base_url=origin)
    assert made.headers["Location"] == f"{origin}{at('v1.0', 'alerts', 'new')}"


def test_references_and_related_entities_are_paged_too(graph: FlaskClient) -> None:
    create(graph, "incidents", id="storm")
    for key in KEYS:
        create(graph, "alerts_v2", id=key, incidentId="storm")
        create(graph, "alerts_v2", incidentId="calm")
    for options in ("$top=3", "$top=3&$orderby=id"):
        answers = pages(graph, f"{at('v1.0', 'incidents', 'storm', 'alerts')}?{options}")
        assert walked(answers) == [KEYS[:3], KEYS[3:6], KEYS[6:]]
    seeded(graph)
    answers = pages(graph, f"{at('v1.0', 'alerts', '$ref')}?$top=4&$orderby=id")
    links = [each["@odata.id"] for answer in answers for each in answer.json["value"]]
    assert links == [f"http://localhost{at('v1.0', 'alerts', key)}" for key in KEYS]


# -- tokens -------------------------------------------------------------------------------

BAD = ["x", "n", "w", "1", "n1", "w1-2", "n-1", "n1-2", "n1-2-3", "w99-1", "W1-1", "n" * 9000]
WALKS = ["$top=2", "$top=2&$orderby=title", "$top=2&$filter=title eq 'even'", "$top=2&$search=even"]


@pytest.mark.parametrize("token", [*BAD, "0x1-1", "%00", "w1-", "n٣-1", "w" + "f" * 15 + "-1"])
@on_every_root
def test_a_bad_token(numbered: FlaskClient, root: str, token: str) -> None:
    message = refused(numbered.get(f"{at(root, 'alerts')}?$skiptoken={token}"))
    assert "$skiptoken" in message


@pytest.mark.parametrize("options", WALKS)
def test_a_token_of_another_list_is_refused(numbered: FlaskClient, options: str) -> None:
    first = numbered.get(f"{at('v1.0', 'alerts')}?{options}").get_json()["@odata.nextLink"]
    token = dict(parse_qsl(urlsplit(first).query))["$skiptoken"]
    elsewhere = [f"{at('v1.0', 'alerts')}?{other}" for other in WALKS if other != options]
    elsewhere += [
        f"{at('v1.0', 'secureScores')}?$top=2",
        f"{at('v1.0', 'alerts')}?$filter=id ne 'x'",
    ]
    create(numbered, "incidents", id="i")
    elsewhere.append(f"{at('v1.0', 'incidents', 'i', 'alerts')}?$top=2")
    for url in elsewhere:
        assert "$skiptoken" in refused(numbered.get(f"{url}&$skiptoken={token}"))
    assert len(ids(numbered.get(first))) == 2


def test_a_token_is_good_on_every_root_and_more_than_once(numbered: FlaskClient) -> None:
    for options in WALKS:
        first = numbered.get(f"{at('v1.0', 'alerts')}?{options}").get_json()
        link = urlsplit(first["@odata.nextLink"])
        found = [
            ids(numbered.get(f"{at(root, 'alerts')}?{link.query}")) for root in (*ROOTS, "beta")
        ]
        assert found == found[:1] * 4


@pytest.mark.parametrize("options", WALKS)
def test_a_skip_beside_a_token_counts_once(numbered: FlaskClient, options: str) -> None:
    """A client may put it back on: what it skips was left behind by the first page."""
    first = numbered.get(f"{at('v1.0', 'alerts')}?{options}&$skip=1")
    rest = first.get_json()["@odata.nextLink"]
    assert ids(numbered.get(f"{rest}&$skip=1")) == ids(numbered.get(rest)) != []


def test_a_reset_ends_the_walks_under_way(numbered: FlaskClient) -> None:
    first = numbered.get(f"{at('v1.0', 'alerts')}?$top=2&$orderby=title").get_json()
    link = first["@odata.nextLink"]
    numbered.post("/_mockgraph/reset")
    assert "$skiptoken" in refused(numbered.get(link))
