"""Answers held against documented ones: what counts as a difference and what does not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from mockgraph import MockGraph
from mockgraph.errors import MockGraphError
from mockgraph.pages import read_page
from mockgraph.pages.examples import DocumentedExchange, read_exchange
from mockgraph.pages.replay import Answer, difference, replay_pages
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


def replay(url: str, docs: Path, *pages: str) -> tuple[bool, list[str]]:
    for number, text in enumerate(pages):
        (docs / f"{number}.md").write_text(text)
    said: list[str] = []
    return replay_pages(url, [str(docs)], "token", said.append), said


def test_each_example_has_the_state_it_needs_and_the_state_is_put_back(tmp_path: Path) -> None:
    with MockGraph() as graph:
        before = graph.state
        passed, said = replay(
            graph.origin,
            tmp_path,
            page("GET", "/localtest/Security/alerts/{id}", ALERT),
            page("DELETE", "/localtest/Security/alerts/{id}", None, None, "204 No Content"),
            page("GET", "/localtest/Security/alerts", {"value": [ALERT]}),
            page("POST", "/localtest/Security/alerts", ALERT, without(ALERT, "id"), "201 Created"),
            page("GET", "/localtest/Security?$select=id", without(SECURITY, "providerStatus")),
        )
        assert passed, "\n".join(said)
        assert len(said) == 6
        assert graph.state == before


def test_the_state_is_put_back_where_a_page_cannot_be_replayed(tmp_path: Path) -> None:
    bad = page("GET", "/localtest/Security", {**SECURITY, "providerStatus": 5})
    with MockGraph() as graph:
        before = graph.state
        with pytest.raises(MockGraphError, match=r"The state for /localtest/Security was refused"):
            replay(graph.origin, tmp_path, bad)
        assert graph.state == before


def test_what_cannot_be_replayed_fails(tmp_path: Path) -> None:
    no_response = page("GET", "/localtest/Security", None).partition('<!-- { "blockType": "resp')[0]
    with MockGraph() as graph:
        passed, said = replay(
            graph.origin,
            tmp_path,
            page("GET", "/localtest/Security/colours", {}),
            no_response,
            page("GET", "/localtest/Security", SECURITY).replace("HTTP/1.1", "Answer:"),
        )
    assert not passed
    text = "\n".join(said)
    assert "not replayed: Resource not found for the segment 'colours'." in text
    assert "not replayed: the page shows no response" in text
    (skipped,) = (line for line in said if line.startswith("skip  "))
    assert skipped.startswith("skip  2.md: line ")
    assert skipped.endswith(": the response does not start with a status line")


def test_no_example_is_no_success(tmp_path: Path) -> None:
    with MockGraph() as graph:
        passed, said = replay(graph.origin, tmp_path, "# Nothing here\n")
    assert not passed
    assert said == ["0 documented examples: 0 answered as documented, 0 not."]


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
    passed, _ = replay(server.origin, tmp_path, page("GET", "/localtest/Security", SECURITY))
    server.stop()
    assert passed == (body == json.dumps(SECURITY).encode())
    assert asked == ["GET /_mockgraph/health", "GET /localtest/Security"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:abc", "http://[::1", "http://:80", "http://a:0"])
def test_replay_refuses_what_is_no_url(url: str) -> None:
    with pytest.raises(MockGraphError, match="is no http or https URL"):
        replay_pages(url, (), "token", print)


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
    assert needed["tiIndicators"] == [
        {"id": "7", "ingestedDateTime": "2016-12-31T23:57:12.8864462+03:00", "isActive": True}
    ]
