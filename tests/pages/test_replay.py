"""Answers held against documented ones: what counts as a difference and what does not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from mockgraph import MockGraph
from mockgraph.errors import MockGraphError
from mockgraph.pages import read_page, read_pages
from mockgraph.pages.comparison import Answer
from mockgraph.pages.comparison import difference as compared
from mockgraph.pages.examples import DocumentedExchange, read_exchange
from mockgraph.pages.replay import replay_pages
from mockgraph.pages.replay_report import Detail, ReplayReport
from mockgraph.service import SERVICE
from mockgraph.serving.server import Server

PAGE = """\
# A page

<!-- {{ "blockType": "request", "name": "it" }} -->
``` http
{method} https://graph.microsoft.com{path}

{body}
```

<!-- {{ "blockType": "response" }} -->
``` http
HTTP/1.1 {status}
Content-Type: application/json

{answer}
```
"""
KEY = "2026c75e-c75e-2026-5ec7-26205ec72620"
STATUS: dict[str, Any] = {
    "@odata.type": "microsoft.graph.securityProviderStatus",
    "enabled": True,
    "endpoint": "E",
    "provider": "P",
    "region": "R",
    "vendor": "V",
}
SECURITY: dict[str, Any] = {
    "@odata.type": "#microsoft.graph.security",
    "id": KEY,
    "providerStatus": [STATUS],
}
ALERT: dict[str, Any] = {
    "@odata.type": "#microsoft.graph.alert",
    "id": "a",
    "title": "T",
    "createdDateTime": "2017-01-01T00:02:14.7219499+03:00",
    "eventDateTime": "2017-01-01T00:02:14.7219499+03:00",
}


def page(method: str, path: str, answer: Any, body: Any = None, status: str = "200 OK") -> str:
    return PAGE.format(
        method=method,
        path=path,
        status=status,
        body="" if body is None else json.dumps(body),
        answer="" if answer is None else json.dumps(answer),
    )


def exchange(*arguments: Any) -> DocumentedExchange:
    (example,) = read_page(page(*arguments), "page.md").examples
    return read_exchange(example, SERVICE)


GET = exchange("GET", "/localtest/Security", SECURITY)
GET_ALERT = exchange("GET", "/localtest/Security/alerts/{id}", {"value": ALERT})
LIST = exchange("GET", "/localtest/Security/alerts", {"value": [ALERT]})
PATCH = exchange("PATCH", "/localtest/Security/alerts/{id}", ALERT, {"title": "T"})
CREATE = exchange("POST", "/localtest/Security/alerts", ALERT, {"title": "T"}, "201 Created")
GET_V1 = exchange("GET", "/v1.0/security/alerts/{id}", ALERT)


def without(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != name}


def difference(documented: DocumentedExchange, answer: Answer) -> str | None:
    found = compared(documented, answer)
    return None if found is None else found.diff


SAME: list[tuple[DocumentedExchange, int, Any]] = [
    (GET, 200, SECURITY),
    (GET, 200, {"@odata.context": "x", "@odata.etag": "y", **SECURITY}),
    (GET, 200, dict(reversed(SECURITY.items()))),
    (GET_ALERT, 200, ALERT),
    (GET_ALERT, 200, {**ALERT, "description": None, "tags": []}),
    (GET_ALERT, 200, {**ALERT, "eventDateTime": "2016-12-31T21:02:14.7219499Z"}),
    (LIST, 200, {"@odata.context": "x", "value": [{"@odata.etag": "y", **ALERT}]}),
    (PATCH, 200, {**ALERT, "createdDateTime": "2024-01-02T03:04:05Z"}),
    (PATCH, 200, {**ALERT, "lastModifiedDateTime": "2024-01-02T03:04:05Z"}),
    (CREATE, 201, {**ALERT, "id": "made by the server"}),
    (GET_V1, 200, without(ALERT, "@odata.type")),
]


@pytest.mark.parametrize(("documented", "status", "body"), SAME)
def test_as_documented(documented: DocumentedExchange, status: int, body: Any) -> None:
    assert difference(documented, Answer(status, body)) is None


DIFFERENT: list[tuple[DocumentedExchange, int, Any, str]] = [
    (GET, 204, SECURITY, "+HTTP 204"),
    (GET, 200, None, "-{"),
    (GET, 200, "text", '+"text"'),
    (GET, 200, [], "+[]"),
    (GET, 200, {"value": SECURITY}, '+  "value": {'),
    (GET, 200, without(SECURITY, "id"), f'-  "id": "{KEY}",'),
    (GET, 200, without(SECURITY, "@odata.type"), '-  "@odata.type": "#microsoft.graph.security",'),
    (GET, 200, {**SECURITY, "id": "other"}, '+  "id": "other",'),
    (GET, 200, {**SECURITY, "providerStatus": []}, '+  "providerStatus": []'),
    (GET, 200, {**SECURITY, "providerStatus": None}, '+  "providerStatus": null'),
    (GET, 200, {**SECURITY, "providerStatus": [STATUS, STATUS]}, '+      "region": "R",'),
    (
        GET,
        200,
        {**SECURITY, "providerStatus": [{**STATUS, "enabled": "true"}]},
        '+      "enabled": "true",',
    ),
    (GET, 200, {**SECURITY, "more": None}, '+  "more": null'),
    (GET_ALERT, 200, {**ALERT, "description": "x"}, '+  "description": "x"'),
    (
        GET_ALERT,
        200,
        {**ALERT, "eventDateTime": "2016-12-31T21:02:14.722Z"},
        '+  "eventDateTime": "2016-12-31T21:02:14.722Z"',
    ),
    (GET_ALERT, 200, {**ALERT, "eventDateTime": "then"}, '+  "eventDateTime": "then"'),
    (
        GET_ALERT,
        200,
        {**ALERT, "createdDateTime": "2024-01-02T03:04:05Z"},
        '+  "createdDateTime": "2024-01-02T03:04:05Z",',
    ),
    (LIST, 200, {"value": []}, '+  "value": []'),
    (LIST, 200, {"value": [{**ALERT, "id": "b"}]}, '+      "id": "b",'),
    (PATCH, 200, {**ALERT, "id": "b"}, '+  "id": "b",'),
    (PATCH, 200, {**ALERT, "createdDateTime": "now"}, '+  "createdDateTime": "now",'),
    (CREATE, 200, ALERT, "+HTTP 200"),
    (CREATE, 201, {**ALERT, "id": None}, '+  "id": null,'),
]


@pytest.mark.parametrize(("documented", "status", "body", "line"), DIFFERENT)
def test_not_as_documented(
    documented: DocumentedExchange, status: int, body: Any, line: str
) -> None:
    found = difference(documented, Answer(status, body))
    assert found is not None
    assert f"      {line}" in found.split("\n")


# -- the replay of pages --------------------------------------------------------------------


def replay(url: str, docs: Path, *pages: str) -> ReplayReport:
    for number, text in enumerate(pages):
        (docs / f"{number}.md").write_text(text)
    told: list[Detail] = []
    report = replay_pages(url, read_pages(docs), SERVICE, "token", told.append)
    assert told == list(report.details)
    return report


def test_each_example_has_the_state_it_needs_and_the_state_is_put_back(tmp_path: Path) -> None:
    with MockGraph() as graph:
        before = graph.state
        report = replay(
            graph.origin,
            tmp_path,
            page("GET", "/localtest/Security/alerts/{id}", ALERT),
            page("DELETE", "/localtest/Security/alerts/{id}", None, None, "204 No Content"),
            page("GET", "/localtest/Security/alerts", {"value": [ALERT]}),
            page("POST", "/localtest/Security/alerts", ALERT, without(ALERT, "id"), "201 Created"),
            page("GET", "/localtest/Security?$select=id", without(SECURITY, "providerStatus")),
        )
        assert report.passed, report.details
        assert report.counts["answered"] == 5
        assert graph.state == before


def test_what_a_type_cannot_hold_is_left_aside_and_told(tmp_path: Path) -> None:
    bad = page("GET", "/localtest/Security", {**SECURITY, "providerStatus": 5, "colour": "red"})
    with MockGraph() as graph:
        before = graph.state
        (detail,) = replay(graph.origin, tmp_path, bad).details
        assert graph.state == before
    assert detail.outcome == "answered"
    assert detail.reason == (
        "page: 'providerStatus' of microsoft.graph.security is a collection, and not the number 5; "
        "'colour' is no property of microsoft.graph.security"
    )


def test_outcomes_and_reasons(tmp_path: Path) -> None:
    no_response = page("GET", "/localtest/Security", None).partition('<!-- { "blockType": "resp')[0]
    with MockGraph() as graph:
        report = replay(
            graph.origin,
            tmp_path,
            page("GET", "/localtest/Security/colours", {}),
            no_response,
            page("GET", "/localtest/Security", SECURITY).replace("HTTP/1.1", "Answer:"),
            page("PATCH", "/localtest/Security/alerts/{id}", ALERT, {"title": "Other"}),
            page("POST", "/localtest/Security/alerts", ALERT, without(ALERT, "id"), "200 OK"),
            page(
                "POST", "/localtest/Security/alerts", {**ALERT, "severity": "high"}, {"title": "T"}
            ),
        )
    assert not report.passed
    told = [(each.page, each.outcome, each.reason) for each in report.details]
    assert told == [
        ("0.md", "unserved", "MockGraph: Resource not found for the segment 'colours'."),
        ("1.md", "unreadable", "page: the page shows no response"),
        ("2.md", "unreadable", told[2][2]),
        ("2.md", "unreadable", "page: the page shows no response"),
        ("3.md", "different", "page: 'title' is shown with another value than the request writes"),
        ("4.md", "different", "page: it shows 200 where 201 is answered"),
        ("5.md", "different", told[6][2]),
    ]
    assert told[2][2].endswith(": the response does not start with a status line")
    assert report.counts == {"answered": 0, "different": 3, "unserved": 1, "unreadable": 3}
    assert report.document()["examples"] == len(report.details)


def test_no_example_is_no_success(tmp_path: Path) -> None:
    with MockGraph() as graph:
        report = replay(graph.origin, tmp_path, "# Nothing here\n")
    assert not report.passed
    assert report.summary == [
        "0 documented examples on 1 pages: 0 answered, 0 different, 0 unserved, 0 unreadable."
    ]


def other_server(body: bytes, asked: list[str]) -> Callable[..., Iterable[bytes]]:
    """A server that is no MockGraph, and answers each Graph request alike."""

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        asked.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        ours = environ["PATH_INFO"].startswith("/_mockgraph")
        start("404 Not Found" if ours else "200 OK", [("Content-Type", "application/json")])
        return [b"" if ours else body]

    return app


@pytest.mark.parametrize("body", [json.dumps(SECURITY).encode(), b"<html>", b"", b"{"])
def test_another_server_is_asked_as_it_is(tmp_path: Path, body: bytes) -> None:
    asked: list[str] = []
    server = Server(other_server(body, asked))
    server.start()
    report = replay(server.origin, tmp_path, page("GET", "/localtest/Security", SECURITY))
    server.stop()
    assert report.passed == (body == json.dumps(SECURITY).encode())
    assert asked == ["GET /_mockgraph/health", "GET /localtest/Security"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:abc", "http://[::1", "http://:80", "http://a:0"])
def test_replay_refuses_what_is_no_url(url: str) -> None:
    with pytest.raises(MockGraphError, match="is no http or https URL"):
        replay_pages(url, (), SERVICE, "token", print)


ACTION = """
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
    (example,) = read_page(ACTION, "page.md").examples
    needed: Any = read_exchange(example, SERVICE).state
    assert needed["Security"]["tiIndicators"] == [
        {"id": "7", "ingestedDateTime": "2016-12-31T23:57:12.8864462+03:00", "isActive": True}
    ]
