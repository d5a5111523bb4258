"""What an acceptance review found: each of these once went wrong without a word."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from mockgraph.doc_pages import read_page
from mockgraph.examples import read_exchange
from mockgraph.resources import SERVICE

ALERTS = "/v1.0/security/alerts"
VENDOR = {"provider": "P", "vendor": "V"}


@pytest.mark.parametrize(
    "query",
    [
        {"$filter": "alerts/any(a:a/severity eq 'high')"},
        {"$filter": "alerts/$count gt 0"},
        {"$filter": "customTags/any(t:alerts/any(a:a/title eq t))"},
        {"$orderby": "alerts/$count desc"},
        {"$filter": "$it/alerts/any()"},
    ],
)
def test_a_path_through_a_navigation_is_not_taken_for_a_dynamic_property(
    graph: FlaskClient, query: dict[str, str]
) -> None:
    answer = graph.get("/v1.0/security/incidents", query_string=query)
    assert answer.status_code == 501
    assert "'alerts'" in answer.json["error"]["message"]


def test_an_answer_without_content_has_no_content_type(graph: FlaskClient) -> None:
    graph.post(ALERTS, json={"id": "a"})
    etag = graph.get(f"{ALERTS}/a").headers["ETag"]
    answers = [
        graph.get(f"{ALERTS}/a", headers={"If-None-Match": etag}),
        graph.options(ALERTS),
        graph.delete(f"{ALERTS}/a"),
    ]
    assert [(each.status_code, each.content_type) for each in answers] == [
        (304, None),
        (204, None),
        (204, None),
    ]


@pytest.mark.parametrize("part", ["title", "title/$value", "vendorInformation", "tags", "feedback"])
def test_a_part_has_the_etag_of_its_entity(graph: FlaskClient, part: str) -> None:
    graph.post(ALERTS, json={"id": "a", "title": "t", "vendorInformation": VENDOR})
    etag = graph.get(f"{ALERTS}/a").headers["ETag"]
    url = f"{ALERTS}/a/{part}"
    assert graph.get(url).headers["ETag"] == etag
    assert graph.get(url, headers={"If-None-Match": '"other"'}).status_code in (200, 204)
    same = graph.get(url, headers={"If-None-Match": etag})
    assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", etag)
    assert graph.get(url, headers={"If-Match": '"other"'}).status_code == 412


def test_a_reference_is_not_taken_for_an_entity(graph: FlaskClient) -> None:
    refused = graph.post(f"{ALERTS}/$ref", json={"@odata.id": f"http://localhost{ALERTS}/a"})
    assert refused.status_code == 501
    assert graph.get(f"{ALERTS}/$count").data == b"0"
    # An entity may carry its own, as it was read.
    created = graph.post(ALERTS, json={"@odata.id": "http://localhost/x", "title": "t"})
    assert created.status_code == 201


PAGE = """
# updateTiIndicators

<!-- {"blockType": "request"} -->
``` http
POST https://graph.microsoft.com/localtest/Security/tiIndicators/updateTiIndicators

Content-type: application/json

{"value": [{"id": "7", "action": "String", "description": "Description value"}]}
```
<!-- {"blockType": "response"} -->
``` http
HTTP/1.1 200 OK

{"value": [{"id": "7", "action": "String", "description": "Description value",
            "ingestedDateTime": "2016-12-31T23:57:12.8864462+03:00", "isActive": true}]}
```
"""


def test_what_an_action_shows_but_does_not_set_is_there_before() -> None:
    (example,) = read_page(PAGE, "page.md").examples
    needed: Any = read_exchange(example, SERVICE).state
    assert needed["tiIndicators"] == [
        {"id": "7", "ingestedDateTime": "2016-12-31T23:57:12.8864462+03:00", "isActive": True}
    ]
