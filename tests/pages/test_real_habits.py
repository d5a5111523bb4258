"""Habits of real pages: what their examples need to be there, and print in their own way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mockgraph import MockGraph
from mockgraph.pages import read_pages
from mockgraph.pages.replay import replay_pages
from mockgraph.pages.replay_report import Detail
from mockgraph.service import SERVICE
from pages.markdown import block

ORIGIN = "https://graph.microsoft.com"
URL = f"{ORIGIN}/v1.0/security/incidents"
CASE = "/v1.0/security/cases/ediscoveryCases/c1"


def replayed(folder: Path, request: str, response: str, text: str = "", **keys: Any) -> Detail:
    page = "# A page\n\n" + text + block("request", request) + block("response", response, **keys)
    (folder / "page.md").write_text(page)
    with MockGraph() as graph:
        report = replay_pages(graph.origin, read_pages(folder), SERVICE, "token", lambda _: None)
    (detail,) = report.details
    return detail


def posted(path: str, body: Any) -> str:
    return f"POST {ORIGIN}{path}\nContent-Type: application/json\n\n{json.dumps(body)}"


def answered(status: str, body: Any) -> str:
    return f"HTTP/1.1 {status}\nContent-Type: application/json\n\n{json.dumps(body)}"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"{CASE}/reviewSets/r1/addToReviewSet", {"search": {"id": "s1"}}),
        (f"{CASE}/reviewSets/r1/queries/q1/applyTags", {"tagsToAdd": [{"id": "t1"}]}),
    ],
)
def test_entities_that_parameters_name_are_there(
    tmp_path: Path, path: str, body: dict[str, Any]
) -> None:
    found = replayed(tmp_path, posted(path, body), "HTTP/1.1 202 Accepted")
    assert found.outcome == "answered", found.reason


def test_a_function_gives_what_its_page_shows(tmp_path: Path) -> None:
    tags: list[dict[str, Any]] = [
        {"id": key, "displayName": key, "childTags": []} for key in ("t1", "t2")
    ]
    request = f"GET {ORIGIN}{CASE}/tags/asHierarchy"
    assert replayed(tmp_path, request, answered("200 OK", {"value": tags})).outcome == "answered"


def test_references_within_complex_values_are_there(tmp_path: Path) -> None:
    category = f"{ORIGIN}/beta/security/labels/categories('k1')"
    label = {"displayName": "L", "descriptors": {"categoryTemplate@odata.bind": category}}
    found = replayed(
        tmp_path,
        posted("/v1.0/security/labels/retentionLabels", label),
        answered("201 Created", {"id": "l1", "displayName": "L", "labelToBeApplied": " "}),
    )
    assert found.outcome == "answered", found.reason


def test_a_word_stands_for_what_the_request_writes(tmp_path: Path) -> None:
    due = {"internalDueDateTime": "2021-08-30T00:00:00Z"}
    path = "/v1.0/security/subjectRightsRequests/r1"
    found = replayed(
        tmp_path,
        posted(path, due).replace("POST", "PATCH"),
        answered("200 OK", {"id": "r1", "internalDueDateTime": "String", "displayName": "D"}),
    )
    assert found.outcome == "answered", found.reason


def test_an_object_that_names_its_type_alone_stands_for_any(tmp_path: Path) -> None:
    note = {"content": {"content": "Text", "contentType": "text"}}
    shown = {"id": "n1", "content": {"@odata.type": "microsoft.graph.itemBody"}}
    path = "/v1.0/security/subjectRightsRequests/r1/notes"
    found = replayed(tmp_path, posted(path, note), answered("201 Created", shown))
    assert found.outcome == "answered", found.reason


TEXT = "Text"
SENT = [{"description": TEXT, "externalId": f"e{number}"} for number in range(2)]


@pytest.mark.parametrize(
    ("description", "outcome", "reason"),
    [
        (TEXT, "answered", ""),
        ("Other", "different", "page: 'description' is shown with another value than"),
    ],
)
def test_some_of_what_an_action_makes_may_be_shown(
    tmp_path: Path, description: str, outcome: str, reason: str
) -> None:
    found = replayed(
        tmp_path,
        posted("/beta/security/tiIndicators/submitTiIndicators", {"value": SENT}),
        answered("200 OK", {"value": [{"id": "made", "description": description}]}),
        truncated=True,
    )
    assert (found.outcome, found.reason[: len(reason)]) == (outcome, reason)


def test_another_letter_case_than_the_request_has_is_told(tmp_path: Path) -> None:
    path = "/beta/security/securityActions"
    shown = {"id": "1", "name": "blockIp"}
    found = replayed(tmp_path, posted(path, {"name": "BlockIp"}), answered("201 Created", shown))
    assert found.outcome == "answered"
    assert "'blockIp' is spelt 'BlockIp' by the request" in found.reason


def test_requests_without_annotations_are_read(tmp_path: Path) -> None:
    syntax = "## HTTP request\n```http\nPOST https://graph.microsoft.com/v1.0/x\n```\n"
    url = f"{ORIGIN}{CASE}/searches/s1/purgeData"
    text = f"{syntax}## Beispiel\n```http\nPOST {url}\n```\n"
    text += "```http\nHTTP/1.1 202 Accepted\n```\n## More\n### Request\n"
    text += "```http\nGET /security/incidents/1\n```\n```http\nHTTP/1.1 200 OK\n\n{}\n```\n"
    text += f"## Options\n```http\nGET {URL}?$top=5\n```\n"  # nothing answers it
    (tmp_path / "page.md").write_text(text)
    (page,) = read_pages(tmp_path)
    asked = [(each.request.url, each.response and each.response.status) for each in page.examples]
    assert asked == [(url, 202), ("/security/incidents/1", 200)]


def test_a_reference_to_nothing_is_left_out_and_told(tmp_path: Path) -> None:
    body = {"displayName": "T", "childSelectability": "Many"}
    found = replayed(
        tmp_path,
        posted(f"{CASE}/tags", {**body, "parent@odata.bind": ""}),
        answered("201 Created", {"id": "t1", **body}),
    )
    assert found.outcome == "answered", found.reason
    assert "'parent@odata.bind' refers to nothing" in found.reason
