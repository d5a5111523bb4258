"""A zoo of broken pages: each is read as far as it can be, and the rest is accounted for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests
from click.testing import CliRunner

from mockgraph import MockGraph
from mockgraph.cli import main
from mockgraph.pages import read_pages
from mockgraph.pages.page import MAX_PAGE
from pages.independent_reader import count_examples
from pages.markdown import block

URL = "https://graph.microsoft.com/v1.0/security/alerts_v2"
GET = block("request", f"GET {URL}/a1")
ALERT: Mapping[str, Any] = {"id": "a1", "title": "T", "severity": "high"}


def answer(
    body: str, status: str = "200 OK", headers: str = "Content-Type: application/json"
) -> str:
    return block("response", f"HTTP/1.1 {status}\n{headers}\n\n{body}", truncated=True)


def shown(body: str) -> str:
    return GET + answer(body)


WORDS = {
    "String": "title", "String (timestamp)": "createdDateTime", "alertSeverity-value": "severity",
    "String collection": "systemTags", "@odata.type: microsoft.graph.x": "status",
}  # fmt: skip


class Animal(NamedTuple):
    """A page, the outcome of each of its examples and blocks, and what its reasons say."""

    text: str | bytes
    outcomes: tuple[str, ...]
    reason: str = ""


ZOO: Mapping[str, Animal] = {
    # JSON as pages print it
    "comments": Animal(
        shown('{ // one\n"id": "a1", /* two */ "title": "T" }'), ("answered",), "comment"
    ),
    "trailing commas": Animal(shown('{"id": "a1", "systemTags": ["x",],}'), ("answered",), "comma"),
    "missing commas": Animal(shown('{"id": "a1"\n"title": "T"}'), ("answered",)),
    "ellipses": Animal(shown('{"id": "a1", "title": "T", ...}'), ("answered",)),
    "control characters": Animal(shown('{"id": "a1", "title": "T\tU"}'), ("answered",)),
    "braces left open": Animal(shown('{"id": "a1", "title": "T"'), ("answered",)),
    "no JSON at all": Animal(shown("... binary data ..."), ("unreadable",)),
    "a name twice": Animal(shown('{"id": "a1", "title": "S", "title": "T"}'), ("answered",)),
    "placeholders": Animal(
        shown(json.dumps({"id": "a1", **{name: word for word, name in WORDS.items()}})),
        ("answered",),
    ),
    "placeholders within": Animal(
        shown('{"id": "a1", "evidence": [{"@odata.type": "#microsoft.graph.security.ipEvidence", '
              '"ipAddress": "String", "createdDateTime": "DateTimeOffset", "roles": ["String"]}]}'),
        ("answered",),
    ),
    "what the type does not have": Animal(
        shown('{"id": "a1", "colour": "red"}'), ("answered",), "'colour' is no property"
    ),
    "members in another case": Animal(shown('{"id": "a1", "severity": "High"}'), ("answered",)),
    "a value of another type": Animal(
        shown('{"id": "a1", "evidence": 5}'), ("answered",), "'evidence'"
    ),
    # Blocks
    "a request alone": Animal(GET, ("unreadable",), "shows no response"),
    "a response alone": Animal(answer("{}"), ("unreadable",), "follows no request"),
    "two requests, one response": Animal(GET + shown('{"id": "a1"}'), ("answered", "answered")),
    "a request that is none": Animal(
        block("request", "Do it") + answer("{}"), ("unreadable", "unreadable"), "request line"
    ),
    "a response that is none": Animal(
        GET + block("response", "It works"), ("unreadable", "unreadable"), "status line"
    ),
    "a response without a status": Animal(
        GET + block("response", "HTTP/1.1 fine"), ("unreadable", "unreadable")
    ),
    "a URL that is a sentence": Animal(
        block("request", "GET https://graph.microsoft.com/v1.0** Entity URI not found")
        + answer("{}"),
        ("unreadable",),
        "the URL of the request is none",
    ),
    "a URL in brackets": Animal(
        block("request", "GET https://[::1/v1.0/security") + answer("{}"), ("answered",)
    ),
    "a query with a placeholder": Animal(
        block("request", f"GET {URL}?$filter={{property}} eq 1") + answer("{}"), ("unreadable",)
    ),
    "an action that nobody else knows": Animal(
        block("request", "POST https://graph.microsoft.com/v1.0/security/mixColours")
        + answer('{"value": "red"}'),
        ("unserved",),
        "answers what the page itself shows",
    ),
    "a comment left open": Animal(
        "<!-- never closed\n\n" + shown('{"id": "a1"}'), ("unreadable", "answered")
    ),
    "annotations that are no JSON": Animal(
        f"<!-- {{ blockType: 'request' name: x }} -->\n```http\nGET {URL}/a1\n```\n"
        + answer('{"id": "a1"}'),
        ("answered",),
    ),
    "tabs of snippets": Animal(
        f"# [HTTP](#tab/http)\n{GET}\n# [C#](#tab/csharp)\n```csharp\nawait client;\n```\n"
        f"{block('request', 'GET /snippet', 'csharp')}\n---\n\n" + answer('{"id": "a1"}'),
        ("answered",),
    ),
    "an include that is not there": Animal(
        "[!INCLUDE [x](../includes/x.md)]\n\n" + shown('{"id": "a1"}'), ("answered",)
    ),
    # The contradictions of a page
    "a status beside its text": Animal(
        "## Response\nA `204 No Content` response code.\n\n" + block("request", f"DELETE {URL}/a1")
        + answer("{}"),
        ("different",),
        "MockGraph",
    ),
    "another value than it sends": Animal(
        block("request", f'PATCH {URL}/a1\n\n{{"status": "resolved"}}')
        + answer('{"id": "a1", "status": "new"}'),
        ("different",),
        "page: 'status' is shown with another value",
    ),
    "one key for two": Animal(
        block("request", f"GET {URL}") + answer('{"value": [{"id": "a1"}, {"id": "a1"}]}'),
        ("different",),
        "page: two of the entities that are shown have the same key",
    ),
    "another length than it says": Animal(
        GET + answer('{"id": "a1"}', headers="Content-Length: 99999"), ("answered",)
    ),
    # Files
    "CRLF": Animal(shown('{"id": "a1"}').replace("\n", "\r\n"), ("answered",)),
    "a byte order mark": Animal("\ufeff" + shown('{"id": "a1"}'), ("answered",)),
    "UTF-16": Animal(shown('{"id": "a1"}').encode("utf-16"), ("answered",)),
    "no text": Animal(bytes(range(256)) * 40, ()),
    "nothing": Animal("", ()),
    "too long": Animal("x" * (MAX_PAGE + 1), ("unreadable",), "longer than"),
    "deep JSON": Animal(shown("[" * 50_000), ("unreadable",)),
    "deep quotes": Animal("> " * 5_000 + "x", ()),
    # Tables
    "tables in another language": Animal(
        "# Warnung\n\n## Berechtigungen\n|Berechtigungstyp|Berechtigungen|\n|-|-|\n"
        "|Delegiert (Konto)|SecurityAlert.Read.All|\n|Anwendung|SecurityAlert.Read.All|\n\n"
        + shown('{"id": "a1"}'),
        ("answered",),
    ),
    "tables without rows": Animal(
        "|Property|Type|\n|-|-|\n\n" + shown('{"id": "a1"}'), ("answered",)
    ),
    "tables with odd rows": Animal(
        "## Request body\n|Property|Type|Description|\n|-|-|-|\n|a|\n||||\n|b|c|d|e|f|\n\n"
        + shown('{"id": "a1"}'),
        ("answered",),
    ),
    # Resources
    "a resource": Animal(
        "# tiger resource type\nNamespace: microsoft.graph.zoo\n\n## Properties\n"
        "|Eigenschaft|Typ|Beschreibung|\n|-|-|-|\n|id|String|Read-only.|\n"
        "|stripes|Int32|How many.|\n|mood|tigerMood|The possible values are: `calm`, `wild`.|\n\n"
        "### tigerMood values\n|Member|Description|\n|-|-|\n|calm|x|\n|hungry|y|\n\n"
        + block("resource", '{"id": "String (identifier)", "stripes": 1024, ...}', " json",
                keyProperty="id", **{"@odata.type": "microsoft.graph.zoo.tiger"}),
        (),
    ),
    "a resource of no type": Animal(block("resource", "{", " json"), ()),
    "a resource that is its own base": Animal(
        block("resource", '{"a": "String"}', " json", baseType="microsoft.graph.zoo.loop",
              **{"@odata.type": "microsoft.graph.zoo.loop"}),
        (),
    ),
    "an operation of another world": Animal(
        "# tiger: feed\nNamespace: microsoft.graph.zoo\n\n## HTTP request\n"
        + block("ignored", "POST /zoo/tigers/{id}/feed\nGET ** Entity URI not found")
        + block("request", "GET https://graph.microsoft.com/v1.0/zoo/tigers")
        + block("response", 'HTTP/1.1 200 OK\n\n{"value": [{"id": "t1", "stripes": 9}]}',
                **{"@odata.type": "Collection(microsoft.graph.zoo.tiger)"}),
        ("answered",),
    ),
}  # fmt: skip


def put(folder: Path, animals: Mapping[str, Animal]) -> None:
    for name, animal in animals.items():
        data = animal.text if isinstance(animal.text, bytes) else animal.text.encode()
        (folder / f"{name}.md").write_bytes(data)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("zoo")
    put(made, ZOO)
    return made


@pytest.fixture(scope="module")
def report(folder: Path) -> Any:
    file = folder / "report.json"
    result = CliRunner().invoke(main, ["replay", "--docs", str(folder), "--report", str(file)])
    assert result.exit_code == 1, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    return json.loads(file.read_text())


@pytest.mark.parametrize("name", ZOO)
def test_each_animal_is_accounted_for(report: Any, name: str) -> None:
    found = [each for each in report["details"] if each["page"] == f"{name}.md"]
    outcomes = tuple(each["outcome"] for each in found)
    assert sorted(outcomes) == sorted(ZOO[name].outcomes), found
    assert not ZOO[name].reason or any(ZOO[name].reason in each["reason"] for each in found), found
    for each in found:
        begins = ("page: ", "MockGraph: ") if each["outcome"] != "answered" else ("page: ", "")
        assert each["reason"].startswith(begins)


def test_the_counts_are_those_of_an_independent_reader(folder: Path, report: Any) -> None:
    assert report["pages"] == len(ZOO)
    assert report["examples"] == len(report["details"])
    for outcome in ("answered", "different", "unserved", "unreadable"):
        counted = sum(each["outcome"] == outcome for each in report["details"])
        assert report[outcome] == counted == sum(x.outcomes.count(outcome) for x in ZOO.values())
    asked = sum(bool(each["request"]) for each in report["details"])
    assert asked == count_examples(folder)


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[MockGraph]:
    with MockGraph(docs=[folder]) as graph:
        yield graph


def test_the_zoo_is_a_service(served: MockGraph) -> None:
    auth = {"Authorization": "Bearer x"}
    url = f"{served.origin}/v1.0/zoo/tigers"
    assert [each["id"] for each in requests.get(url, headers=auth).json()["value"]] == ["t1"]
    made = requests.post(url, json={"stripes": 3, "mood": "wild"}, headers=auth)
    assert (made.status_code, made.json()["mood"]) == (201, "wild")
    assert requests.post(url, json={"mood": "bored"}, headers=auth).status_code == 400
    assert requests.post(url, json={"stripes": "many"}, headers=auth).status_code == 400
    assert requests.get(f"{served.origin}/v1.0/security/alerts_v2/a1", headers=auth).ok


def test_one_page_spoils_no_other(folder: Path) -> None:
    read = {page.name: page for page in read_pages(folder)}
    assert read.keys() == {f"{name}.md" for name in ZOO}
    assert all(page.examples or page.skipped for name, page in read.items()
               if ZOO[name.removesuffix(".md")].outcomes)  # fmt: skip
