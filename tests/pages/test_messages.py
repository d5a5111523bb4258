"""Requests and responses in pages: lines, headers, bodies."""

from __future__ import annotations

import json

import pytest
from processes import ROOT

from mockgraph.errors import MockGraphError
from pages.markdown import only_request, only_response

FIXTURES = ROOT / "fixtures"


HEADED = (("Content-type", "application/json"), ("x-ms-id", "a:b"))
BODY = '{\n  "a": 1\n}'


@pytest.mark.parametrize(
    ("text", "headers", "body"),
    [
        ("{}", (), None),
        ("{}\n\n\n", (), None),
        ("\n{}\nContent-type: application/json\nx-ms-id:a:b", HEADED, None),
        ("{}\nContent-type: application/json\nx-ms-id: a:b \n\n" + BODY, HEADED, BODY),
        ("{}\n\nContent-type: application/json\nx-ms-id : a:b\n\n{}\n\n", HEADED, "{}"),
        ("{}\nContent-type: application/json\nx-ms-id: a:b\n" + BODY, HEADED, BODY),
        ("{}\n\n  {}\n\n x", (), "  {}\n\n x"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("start", ["POST https://graph.example/v1.0/x", "HTTP/1.1 200 OK"])
def test_messages(
    start: str, text: str, headers: tuple[tuple[str, str], ...], body: str | None
) -> None:
    read = only_response if start.startswith("HTTP") else only_request
    message = read(text.replace("{}", start, 1))
    assert (message.headers, message.body) == (headers, body)


def test_headers_are_found_in_any_case() -> None:
    request = only_request("GET /x\ncontent-LENGTH: 3\nContent-Length: 4")
    assert request.header("Content-Length") == "3"
    assert request.header("Accept") is None


@pytest.mark.parametrize(
    ("line", "method", "url", "target"),
    [
        ("GET https://graph.example/localtest/Security", "GET",
         "https://graph.example/localtest/Security", "/localtest/Security"),
        ("PATCH https://graph.example/a?b=/c HTTP/1.1", "PATCH",
         "https://graph.example/a?b=/c", "/a?b=/c"),
        ("get /v1.0/a http/2 ", "GET", "/v1.0/a", "/v1.0/a"),
        ("DELETE users/{id}", "DELETE", "users/{id}", "/users/{id}"),
        ("GET https://graph.example", "GET", "https://graph.example", "/"),
        ("GET /a?$filter=b eq 'c'", "GET", "/a?$filter=b eq 'c'", "/a?$filter=b eq 'c'"),
        ("GET /a \n  ?x=1\n&y=2", "GET", "/a?x=1&y=2", "/a?x=1&y=2"),
        ("GET /a?u=http://b/c", "GET", "/a?u=http://b/c", "/a?u=http://b/c"),
    ],
)  # fmt: skip
def test_request_lines(line: str, method: str, url: str, target: str) -> None:
    request = only_request(f"{line}\nAccept: */*")
    assert (request.method, request.url, request.target) == (method, url, target)
    assert request.headers == (("Accept", "*/*"),)


@pytest.mark.parametrize(
    ("line", "status", "reason"),
    [
        ("HTTP/1.1 204 No Content", 204, "No Content"),
        ("http/2 202", 202, ""),
        ("  HTTP/1.1  503   Service Unavailable ", 503, "Service Unavailable"),
    ],
)
def test_status_lines(line: str, status: int, reason: str) -> None:
    response = only_response(line)
    assert (response.status, response.reason) == (status, reason)
    assert (response.content, response.json(), response.unwrapped()) == (b"", None, None)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, (False, None, False)),
        ({"truncated": True, "@odata.type": "m.a"}, (True, "m.a", False)),
        ({"truncated": "false", "@odata.type": "m.a", "isCollection": True}, (False, "m.a", True)),
        ({"@odata.type": "m.a", "iscollection": "true", "scopes": ["x"]}, (False, "m.a", True)),
        ({"@odata.type": "collection(m.a)"}, (False, "m.a", True)),
        ({"@odata.type": "Collection(m.a)", "truncated": "True"}, (True, "m.a", True)),
        ({"@odata.type": 5, "truncated": None}, (False, None, False)),
    ],
)
def test_annotations_of_responses(
    keys: dict[str, object], expected: tuple[bool, str | None, bool]
) -> None:
    response = only_response("HTTP/1.1 200 OK", **keys)
    assert (response.truncated, response.type_name, response.is_collection) == expected


@pytest.mark.parametrize(
    ("body", "bare"),
    [
        ('{"value": {"id": "1"}}', {"id": "1"}),
        ('{"value": {}}', {}),
        ('{"value": [{"id": "1"}]}', {"value": [{"id": "1"}]}),
        ('{"value": {"id": "1"}, "x": 2}', {"value": {"id": "1"}, "x": 2}),
        ('{"value": "text"}', {"value": "text"}),
        ('{"id": "1"}', {"id": "1"}),
        ("[1]", [1]),
    ],
)
def test_one_object_is_unwrapped(body: str, bare: object) -> None:
    response = only_response(f"HTTP/1.1 200 OK\n\n{body}")
    assert response.unwrapped() == bare
    assert response.json() == json.loads(body)


@pytest.mark.parametrize("body", ["[" * 100_000, "plain", "NaN", '{"a"}', "{:}"])
def test_what_is_no_json_is_kept_and_refused_clearly(body: str) -> None:
    response = only_response(f"HTTP/1.1 200 OK\n\n{body}")
    assert response.body == body
    with pytest.raises(MockGraphError, match="body is not JSON"):
        response.json()
