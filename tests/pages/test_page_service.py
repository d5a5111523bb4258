"""A folder of pages as a service: types, paths, operations, first state, permissions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from mockgraph import MockGraph
from mockgraph.pages import read_pages
from mockgraph.pages.replay import replay_pages
from mockgraph.pages.served_pages import service_with
from pages.markdown import block

AUTH = {"Authorization": "Bearer anything"}
RESOURCE = """---
title: "{name} resource type"
doc_type: resourcePageType
---
# {name} resource type

Namespace: microsoft.graph.zoo

## Properties
|Property|Type|Description|
|:---|:---|:---|
{rows}
## Relationships
{relations}
## JSON representation
{block}
"""
API = """# {title}

Namespace: microsoft.graph.zoo

## Permissions
|Permission type|Permissions|
|:---|:---|
|Delegated (work or school account)|{permission}|
|Application|{permission}|

## HTTP request
<!-- {{ "blockType": "ignored" }} -->
```http
{method} {syntax}
```
{parameters}
## Response
If successful, this method returns a `{status}` response code.

## Example
### Request
{request}
### Response
{response}
"""
KEEPER = {"name": "Ada", "since": "2020-01-01T00:00:00Z"}
ANIMAL: dict[str, Any] = {
    "id": "a1",
    "name": "Leo",
    "legs": 4,
    "diet": "meat",
    "keeper": KEEPER,
    "tags": ["big"],
}
URL = "https://graph.microsoft.com/contoso"


def resource(name: str, rows: str, relations: str, shown: Any, **keys: Any) -> str:
    keys["@odata.type"] = f"microsoft.graph.zoo.{name}"
    text = block("resource", json.dumps(shown), " json", **keys)
    return RESOURCE.format(name=name, rows=rows, relations=relations or "None\n", block=text)


def api(title: str, method: str, syntax: str, status: str, answer: Any = None, **more: Any) -> str:
    body = json.dumps(more["body"]) if "body" in more else ""
    printed = "" if answer is None else json.dumps(answer)
    keys = {"@odata.type": more["type"]} if "type" in more else {}
    path = more.get("path", syntax)
    return API.format(
        title=title,
        method=method,
        syntax=syntax,
        status=status,
        permission=more.get("permission", "Zoo.Read.All"),
        parameters=more.get("parameters", ""),
        request=block("request", f"{method} {URL}{path}\n\n{body}"),
        response=block("response", f"HTTP/1.1 {status}\n\n{printed}", **keys),
    )


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    animal = (
        "|id|String|Read-only.|\n|name|String||\n|legs|Int32||\n"
        "|diet|[dietKind](#dietkind-values)|Possible values are: `meat`, `plants`.|\n"
        "|keeper|[keeper](../resources/zoo-keeper.md)||\n|tags|String collection||\n"
        "|createdDateTime|DateTimeOffset|Read-only.|\n"
    )
    keeper = "|name|String||\n|since|DateTimeOffset||\n"
    visits = "|Relationship|Type|Description|\n|:--|:--|:--|\n"
    visits += "|cubs|[animal](zoo-animal.md) collection||\n"
    shown = {"id": "String (identifier)", "name": "String", "legs": "Int32"}
    pages = {
        "resources/zoo-animal.md": resource("animal", animal, visits, shown, keyProperty="id"),
        "resources/zoo-keeper.md": resource("keeper", keeper, "", {"name": "String"}),
        "api/animal-list.md": api(
            "List animals", "GET", "/zoo/animals", "200 OK", {"value": [ANIMAL]},
            type="Collection(microsoft.graph.zoo.animal)",
        ),
        "api/animal-get.md": api(
            "Get animal", "GET", "/zoo/animals/{id}", "200 OK", {"value": ANIMAL},
            type="microsoft.graph.zoo.animal",
        ),
        "api/animal-post.md": api(
            "Create animal", "POST", "/zoo/animals", "201 Created",
            {**ANIMAL, "createdDateTime": "2020-01-01T00:00:00Z"},
            body={k: v for k, v in ANIMAL.items() if k != "id"}, type="microsoft.graph.zoo.animal",
            permission="Zoo.ReadWrite.All",
        ),
        "api/animal-update.md": api(
            "Update animal", "PATCH", "/zoo/animals/{id}", "204 No Content", body={"legs": 3},
            permission="Zoo.ReadWrite.All",
        ),
        "api/animal-feed.md": api(
            "animal: feed", "POST", "/zoo/animals/{id}/feed", "204 No Content",
            body={"food": "hay"},
            parameters="## Request body\n|Parameter|Type|\n|-|-|\n|food|String|\n",
        ),
        "api/animal-cubs.md": api(
            "List cubs", "GET", "/zoo/animals/{id}/cubs", "200 OK", {"value": [ANIMAL]},
            path="/zoo/animals/a1/cubs", type="microsoft.graph.zoo.animal",
        ),
        "api/ticket-list.md": api(
            "List tickets", "GET", "/zoo/tickets", "200 OK",
            {"value": [{"id": "t1", "price": 2.5, "seat": {"row": 4}, "sold": True}]},
        ),
    }  # fmt: skip
    for name, text in pages.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def graph(docs: Path) -> Iterator[MockGraph]:
    with MockGraph(docs=[docs]) as served:
        yield served


def test_the_examples_are_the_first_state(graph: MockGraph) -> None:
    url = f"{graph.origin}/contoso/zoo"
    found = requests.get(f"{url}/animals?$filter=legs eq 4", headers=AUTH).json()["value"]
    assert [each["name"] for each in found] == ["Leo"]
    assert found[0]["keeper"] == KEEPER
    cubs = requests.get(f"{url}/animals/a1/cubs", headers=AUTH).json()["value"]
    assert [each["id"] for each in cubs] == ["a1"]
    tickets = requests.get(f"{url}/tickets?$filter=seat/row eq 4", headers=AUTH).json()["value"]
    assert [(each["id"], each["price"]) for each in tickets] == [("t1", 2.5)]


def test_what_is_written_is_checked_and_kept(graph: MockGraph) -> None:
    url = f"{graph.origin}/contoso/zoo/animals"
    made = requests.post(url, json={"name": "Mia", "diet": "plants"}, headers=AUTH)
    assert made.status_code == 201
    assert made.json()["createdDateTime"]
    refused = requests.post(url, json={"legs": "four"}, headers=AUTH)
    assert refused.status_code == 400
    refused = requests.post(url, json={"diet": "stones"}, headers=AUTH)
    assert "'stones' is not a member" in refused.json()["error"]["message"]
    assert requests.post(url, json={"wings": 2}, headers=AUTH).status_code == 400
    changed = requests.patch(f"{url}/a1", json={"legs": 3}, headers=AUTH)
    assert (changed.status_code, changed.content) == (204, b"")
    assert requests.get(f"{url}/a1", headers=AUTH).json()["legs"] == 3


def test_an_operation_answers_as_its_page_shows(graph: MockGraph) -> None:
    url = f"{graph.origin}/contoso/zoo/animals"
    fed = requests.post(f"{url}/a1/feed", json={"food": "hay"}, headers=AUTH)
    assert (fed.status_code, fed.content) == (204, b"")
    assert requests.post(f"{url}/a1/feed", json={"food": 1}, headers=AUTH).status_code == 400
    assert requests.post(f"{url}/no/feed", json={"food": "hay"}, headers=AUTH).status_code == 404


def test_permissions_are_those_of_the_tables(docs: Path) -> None:
    animals = service_with([docs]).views["contoso"].resource("zoo/animals")
    assert animals is not None
    assert animals.permissions("read") == ("Zoo.Read.All",)
    assert animals.permissions("insert") == ("Zoo.ReadWrite.All",)
    assert animals.permissions("update") == ("Zoo.ReadWrite.All",)


def test_what_pages_show_is_answered(graph: MockGraph, docs: Path) -> None:
    service = service_with([docs])
    report = replay_pages(graph.origin, read_pages(docs), service, "token", lambda _: None)
    assert [each for each in report.details if each.outcome != "answered"] == []
    assert report.counts["answered"] == 7


def test_the_bundled_metadata_stays_as_it_is(graph: MockGraph) -> None:
    found = requests.get(f"{graph.origin}/localtest/Security", headers=AUTH)
    assert found.status_code == 200
    assert (
        requests.get(f"{graph.origin}/v1.0/security/alerts_v2", headers=AUTH).json()["value"] == []
    )


def test_with_csdl_pages_say_no_types(docs: Path) -> None:
    csdl = (Path(__file__).parents[1] / "metadata" / "data").glob("*.csdl")
    service = service_with([docs], [next(iter(csdl))])
    assert "contoso" not in service.views


def test_entities_that_cannot_be_kept_are_left_out(docs: Path) -> None:
    twice = {**ANIMAL, "id": "a$1", "name": "Leo"}
    (docs / "api/animal-twice.md").write_text(
        api("List", "GET", "/zoo/animals", "200 OK", {"value": [twice, {**ANIMAL, "id": "$x"}]})
    )
    with MockGraph(docs=[docs]) as served:
        found = requests.get(f"{served.origin}/contoso/zoo/animals", headers=AUTH).json()["value"]
    assert {each["id"] for each in found} == {"a1", "a$1"}


BETA = "https://graph.microsoft.com/beta"
SHOWN = {"id": "r1", "status": "pending", "contentType": "mail", "source": "administrator"}


@pytest.fixture
def asking(tmp_path: Path) -> Path:
    """Pages of requests of two kinds, of which one page shows what the service gives them."""
    text = "# Create request\n\nNamespace: microsoft.graph.zoo\n\n"
    for kind, status in (("mail", "pending"), ("file", "completed")):
        body = {"category": "spam", f"{kind}Name": "x"}
        author = {"user": {"id": "u1", "displayName": "Ada"}}
        answer = {**SHOWN, **body, "contentType": kind, "status": status, "createdBy": author}
        text += block("request", f"POST {BETA}/requests\n\n{json.dumps(body)}")
        text += block("response", f"HTTP/1.1 201 Created\n\n{json.dumps(answer)}")
    (tmp_path / "request-post.md").write_text(text)
    return tmp_path


def test_a_new_entity_is_given_what_the_nearest_example_shows(asking: Path) -> None:
    with MockGraph(docs=[asking]) as graph:
        url = f"{graph.origin}/beta/requests"
        mail, file, own = (
            requests.post(url, json=body, headers=AUTH).json()
            for body in ({"mailName": "a"}, {"fileName": "b"}, {"fileName": "b", "status": "new"})
        )
        assert (mail["contentType"], mail["status"]) == ("mail", "pending")
        assert (file["contentType"], file["status"]) == ("file", "completed")
        assert own["status"] == "new"
        changed = requests.patch(f"{url}/{file['id']}", json={"status": None}, headers=AUTH)
        assert changed.json()["status"] is None


def test_what_examples_of_creation_show_is_answered(asking: Path) -> None:
    service = service_with([asking])
    with MockGraph(docs=[asking]) as graph:
        pages = read_pages(asking)
        report = replay_pages(graph.origin, pages, service, "token", lambda _: None)
    assert [each.outcome for each in report.details] == ["answered", "answered"]


def test_a_preference_that_a_page_forgets_is_sent(tmp_path: Path) -> None:
    body = {"vendorInformation": {"provider": "SecureScore", "vendor": "Microsoft"}, "title": "T"}
    url = "https://graph.microsoft.com/v1.0/security/secureScoreControlProfiles/p1"
    text = "# Update\n\n## Response\nA `204 No Content`, or with the header a `200 OK`.\n\n"
    text += "## Example\n" + block("request", f"PATCH {url}\n\n{json.dumps(body)}")
    text += block("response", f"HTTP/1.1 200 OK\n\n{json.dumps({'id': 'p1', **body})}")
    (tmp_path / "page.md").write_text(text)
    with MockGraph() as graph:
        pages = read_pages(tmp_path)
        (detail,) = replay_pages(
            graph.origin, pages, service_with([]), "token", lambda _: None
        ).details
    assert detail.outcome == "answered", detail.reason
    assert "lacks the header 'Prefer'" in detail.reason


def test_types_derive_and_relate_as_prose_and_tables_say(tmp_path: Path) -> None:
    keys: dict[str, Any] = {"keyProperty": "id"}
    rows = "|id|String||\n|category|String||\n"
    visits = "|Relationship|Type|Description|\n|:--|:--|:--|\n"
    visits += "|results|[result](zoo-result.md) collection|Read-only.|\n"
    base = resource("request", rows, visits, {"id": "String"}, **keys)
    mail = resource("mailRequest", f"{rows}|uri|String||\n", visits, {"id": "String"}, **keys)
    derived = "A kind of request, derived from [request](zoo-Request.md).\n\n## Properties"
    pages = {
        "resources/zoo-request.md": base,
        "resources/zoo-mailrequest.md": mail.replace("## Properties", derived, 1),
        "api/request-get.md": api(
            "Get request", "GET", "/requests/{id}", "200 OK",
            {"@odata.type": "#microsoft.graph.zoo.mailRequest", "id": "r1", "uri": "u",
             "results": [{"id": "x1", "verdict": "clean"}]},
            path="/requests/r1?$expand=results", type="microsoft.graph.zoo.request",
        ),
    }  # fmt: skip
    for name, text in pages.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    with MockGraph(docs=[tmp_path]) as graph:
        url = f"{graph.origin}/contoso/requests"
        found = requests.get(f"{url}/r1/results", headers=AUTH).json()["value"]
        assert [each["verdict"] for each in found] == ["clean"]
        cast = requests.get(f"{url}/microsoft.graph.zoo.mailRequest", headers=AUTH).json()["value"]
        assert [each["uri"] for each in cast] == ["u"]
        made = requests.post(url, json={"uri": "v"}, headers=AUTH)
        assert made.status_code == 400  # the base has no such property
        report = replay_pages(
            graph.origin, read_pages(tmp_path), service_with([tmp_path]), "token", lambda _: None
        )
    assert report.counts["answered"] == 1


def test_an_action_gives_the_entity_that_it_is_bound_to(docs: Path) -> None:
    (docs / "api/animal-wash.md").write_text(
        api("animal: wash", "POST", "/zoo/animals/{id}/wash", "200 OK", {"value": ANIMAL},
            type="microsoft.graph.zoo.animal")
    )  # fmt: skip
    with MockGraph(docs=[docs]) as graph:
        url = f"{graph.origin}/contoso/zoo/animals"
        made = requests.post(url, json={"name": "Mia"}, headers=AUTH).json()
        washed = requests.post(f"{url}/{made['id']}/wash", headers=AUTH).json()
        assert (washed["id"], washed["name"]) == (made["id"], "Mia")
        assert requests.post(f"{url}/nobody/wash", headers=AUTH).status_code == 404
        report = replay_pages(
            graph.origin, read_pages(docs), service_with([docs]), "token", lambda _: None
        )
    assert report.counts == {"answered": 8, "different": 0, "unserved": 0, "unreadable": 0}
