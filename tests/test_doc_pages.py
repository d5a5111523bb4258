"""The reader of reference pages: each quirk as a small page, then the bundled pages."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockgraph import pages as doc_pages
from mockgraph.errors import MockGraphError
from mockgraph.pages import Page, Property, bundled_pages, read_page, read_pages
from mockgraph.pages.page import MAX_PAGE

FIXTURES = Path(__file__).parents[1] / "fixtures"


def block(kind: str, text: str, language: str = " http", /, **keys: object) -> str:
    annotation = json.dumps({"blockType": kind, **keys}, indent=2)
    return f"<!-- {annotation}\n-->\n```{language}\n{text}\n```\n"


def page(*parts: str) -> Page:
    return read_page("\n".join(parts), "page.md")


def only_request(text: str) -> doc_pages.Request:
    (example,) = page(block("request", text)).examples
    return example.request


def only_response(text: str, **keys: object) -> doc_pages.Response:
    (example,) = page(block("request", "GET /x"), block("response", text, **keys)).examples
    assert example.response is not None
    return example.response


# Front matter and headings.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('---\ntitle: "Get a: b"\ndoc_type: apiPageType\n---\n', ("Get a: b", "", "apiPageType")),
        ("---\ntitle: plain\ndescription: 'it''s'\n---\n# Other", ("plain", "it's", "")),
        ('---\ntitle: "say \\"x\\""\n---', ('say "x"', "", "")),
        ('---\nTitle: "\nowner:\n  - a\n---\n', ('"', "", "")),
        ("# From the `heading`\n## No\n", ("From the heading", "", "")),
        ("---\n---\n# Empty front matter\n", ("Empty front matter", "", "")),
        ("---\ntitle: never closed\n\n# Heading\n", ("Heading", "", "")),
        ('# <a name="x"></a>With [a link](y.md)\n', ("With a link", "", "")),
        ("", ("", "", "")),
    ],
)
def test_front_matter(text: str, expected: tuple[str, str, str]) -> None:
    found = page(text)
    assert (found.title, found.description, found.doc_type) == expected


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_mark_make_no_difference(newline: str, mark: str) -> None:
    text = (FIXTURES / "security-update.md").read_text()
    varied = mark + text.replace("\n", newline)
    assert read_page(varied, "page.md") == read_page(text, "page.md")


# Operations.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("``` http\nPATCH /Security\n```", [("PATCH", "/Security")]),
        ("```http\nGET /a/{id}\n\nDELETE b HTTP/1.1\n```", [("GET", "/a/{id}"), ("DELETE", "b")]),
        (
            "```msgraph-interactive\nGET\t/me\n```\n```\nGET /you\n```",
            [("GET", "/me"), ("GET", "/you")],
        ),
        ("### For {id | upn}\n```http\nGET /u/{id | upn}/x\n```", [("GET", "/u/{id | upn}/x")]),
        ("```csharp\nGET /snippet\n```", []),
        ("```http\nHTTP/1.1 200 OK\nGET\nPOST HTTP/1.1\nSEE /x\n```", []),
        ("## Examples\n```http\nGET /other\n```", []),
    ],
)
@pytest.mark.parametrize(
    "heading", ["HTTP request", "HTTP Request", '<a name="x"></a>HTTP<br>request']
)
def test_operations(heading: str, text: str, expected: list[tuple[str, str]]) -> None:
    found = page("# Title", f"## {heading}", '<!-- { "blockType": "ignored" } -->', text)
    assert list(found.operations) == expected
    assert found.examples == ()


# Tables.


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (
            "|Property|Type|Description|\n|:---|:---|:---|\n"
            "|id|String| Inherited from [entity](../resources/entity.md)|\n"
            "|states|[alertState](../x.md) collection||\n",
            [
                Property("id", "String", "Inherited from entity"),
                Property("states", "alertState collection", ""),
            ],
        ),
        ("| Type | Property |\n|--|--|\n| String | id |\n", []),
        ("|Property|Description|Type|\n|-|-|-|\n|**id**|The `key`|`Edm.String`|\n",
         [Property("id", "Edm.String", "The key")]),
        ("|Property|\n|-|\n|a|\n||\n", [Property("a", "", "")]),
        ("|Property|Type|\n|-|-|\n|a\\|b|Int32\n", [Property("a|b", "Int32", "")]),
        ("|Name|Type|\n|-|-|\n|Authorization|string|\n", []),
        ("|Parameter|Type|\n|-|-|\n|startDateTime|String|\n", []),
        ("## Request body\n|Parameter|Type|\n|-|-|\n|value|Strings|\n",
         [Property("value", "Strings", "")]),
    ],
)  # fmt: skip
def test_properties(table: str, expected: list[Property]) -> None:
    assert list(page("# Title", table).properties) == expected


@pytest.mark.parametrize(
    ("description", "members"),
    [
        (". Possible values are: `unknown`, `low`, `high`.", ("unknown", "low", "high")),
        ("The possible values are `a`, and `b`. Needs `Prefer: x`.", ("a", "b")),
        ("Possible values: `a` or `b` (see `c`)", ("a", "b")),
        ("Possible values are: anything.", ()),
        ("Sends `a`, `b`.", ()),
    ],
)
def test_enumeration_members(description: str, members: tuple[str, ...]) -> None:
    (found,) = page(f"|Property|Type|Description|\n|-|-|-|\n|p|Enum|{description}|").properties
    assert found.members == members


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (
            "|Permission type|Permissions (from least to most privileged)|\n|:--|:--|\n"
            "|Application|A.Read, A.Write |\n|Delegated|Not supported.|\n",
            {"Application": "A.Read, A.Write", "Delegated": "Not supported."},
        ),
        ("|Permission type|Least|Higher|\n|-|-|-|\n|Application|A|B, C|\n",
         {"Application": "A, B, C"}),
        ("|Permission type|P|\n|-|-|\n|Application|**To be said **|\n",
         {"Application": "**To be said **"}),
        ("|Permission|Type|\n|-|-|\n|A|B|\n", {}),
    ],
)  # fmt: skip
def test_permissions(table: str, expected: dict[str, str]) -> None:
    found = page(table).permissions
    assert found == expected
    with pytest.raises(TypeError):
        cast("dict[str, str]", found)["Application"] = "changed"


def test_the_first_table_of_permissions_counts() -> None:
    tables = [f"|Permission type|P|\n|-|-|\n|Application|{name}|\n" for name in ("A", "B")]
    assert page(*tables).permissions == {"Application": "A"}


# Messages.

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


@pytest.mark.parametrize("body", ['{"a": 1,}', '{"a": ...}', "[" * 100_000, "plain", "NaN"])
def test_what_is_no_json_is_kept_and_refused_clearly(body: str) -> None:
    response = only_response(f"HTTP/1.1 200 OK\n\n{body}")
    assert response.body == body
    with pytest.raises(MockGraphError, match="body is not JSON"):
        response.json()


# Which block is what.

REQUEST, RESPONSE = "```http\nGET /x\n```\n", "```http\nHTTP/1.1 200 OK\n```\n"


@pytest.mark.parametrize(
    "annotation",
    [
        '<!-- { "blockType": "request", "name": "n" } -->',
        '<!--{"blockType":"request","name":"n"}-->',
        '<!--\n\n{\n  "blockType": "request",\n\n  "name": "n"\n}-->\n',
        '<!-- { "blockType": "request", "name": "n", } -->',
        '<!-- { "blockType": "request"\n  "name": "n" -->',
        "<!-- blockType: 'Request', name: n -->",
        '<!-- { "blockType": "ignored" } -->\n<!-- { "blockType": "request", "name": "n" } -->',
        '<!-- { "blockType": "ignored" } --><!-- { "blockType": "request", "name": "n" } -->',
        '<!-- { "blockType": "request", "name": "n" } -->\n<!-- markdownlint-disable MD024 -->\n',
        '<!-- { "blockType": "request", "name": "n" } -->\n<!-- { "type": "#x" } -->\n<!-- [1] -->',
        'Text before.\n<!-- { "blockType": "request", "name": "n" } -->\n\nText between.\n',
        'Text <!-- {\n  "blockType": "request", "name": "n"\n} --> and <!-- text\n',
        '<div><!-- { "blockType": "request", "name": "n" } --></div>\n',
        '<!-- { "BLOCKTYPE": "request", "Name": "n" } -->',
    ],
)
def test_annotations_in_any_shape(annotation: str) -> None:
    (example,) = page(annotation, REQUEST, REQUEST).examples
    assert example.name == "n"
    assert (example.request.method, example.request.url) == ("GET", "/x")


@pytest.mark.parametrize("language", ["http", " http", "HTTP", "json", "msgraph-interactive", ""])
def test_the_language_of_annotated_blocks_does_not_matter(language: str) -> None:
    (example,) = page(block("request", "GET /x", language)).examples
    assert example.request.url == "/x"


@pytest.mark.parametrize("indent", ["> ", "  "])
def test_blocks_inside_quotes_and_lists(indent: str) -> None:
    body = 'HTTP/1.1 200 OK\n\n{\n\n  "a": 1\n}'
    text = block("request", "GET /x") + block("response", body)
    nested = "".join(indent + line for line in text.splitlines(keepends=True))
    (example,) = page("- item\n\n" * (indent == "  ") + nested).examples
    assert example.response is not None
    assert example.response.body == '{\n\n  "a": 1\n}'


def test_several_examples_are_paired_in_order() -> None:
    found = page(
        block("request", "GET /1", name="one"),
        block("ignored", "GET /ignored"),
        block("response", "HTTP/1.1 200 OK"),
        "```json\n{}\n```",
        block("request", "GET /2", name="two"),
        block("request", "GET /3"),
        block("response", "HTTP/1.1 204 No Content"),
    )
    told = [(e.name, e.request.url, e.response and e.response.status) for e in found.examples]
    assert told == [("one", "/1", 200), ("two", "/2", None), ("", "/3", 204)]
    assert found.skipped == ()


@pytest.mark.parametrize(
    ("blocks", "statuses", "reasons"),
    [
        ("response", [], ["follows no request"]),
        ("request response response", [200], ["follows no request"]),
        ("request bad-response response", [None], ["with a status line", "follows no request"]),
        ("bad-request response", [], ["with a request line", "follows no request"]),
        ("request response bad-request response", [200], ["with a request line", "follows no"]),
    ],
)
def test_blocks_that_make_no_example_are_told(
    blocks: str, statuses: list[int | None], reasons: list[str]
) -> None:
    texts = {
        "request": block("request", "GET /x"),
        "response": block("response", "HTTP/1.1 200 OK"),
        "bad-request": block("request", '{"a": 1}'),
        "bad-response": block("response", "HTTP/1.1 twice"),
    }
    found = page("---\ntitle: x\n---", *(texts[name] for name in blocks.split()))
    assert [e.response and e.response.status for e in found.examples] == statuses
    assert len(found.skipped) == len(reasons)
    assert all(reason in told for told, reason in zip(found.skipped, reasons, strict=True))


def test_skipped_blocks_are_told_with_their_line() -> None:
    found = page("---\ntitle: x\n---", "# Title", block("response", "HTTP/1.1 200 OK"))
    assert found.skipped == ("line 9: the response follows no request",)


INCLUDE = "[!INCLUDE [sample-code](../includes/snippets/x-snippets.md)]"


@pytest.mark.parametrize("tail", [f"{INCLUDE}\n\n---\n", f"{INCLUDE}\n---\n", f"{INCLUDE}\n"])
@pytest.mark.parametrize("anchor", ["", '<a name="httptabhttp"></a>'])
def test_tabs_for_sdks_are_skipped(tail: str, anchor: str) -> None:
    found = page(
        "## HTTP request\n### Request",
        f"# {anchor}[HTTP](#tab/http)\n" * 2,
        block("request", "GET /x"),
        REQUEST,
        f"# {anchor}[C#](#tab/csharp)",
        block("request", "POST /snippet", "csharp"),
        "```http\nGET /unmarked\n```\n|Property|Type|\n|-|-|\n|a|b|\n",
        f"# {anchor}[JavaScript](#tab/javascript)",
        tail,
        "### Response",
        block("response", "HTTP/1.1 200 OK"),
        "```http\nGET /y\n```",
    )
    (example,) = found.examples
    assert (example.request.url, example.response and example.response.status) == ("/x", 200)
    assert [operation.url for operation in found.operations] == ["/x", "/x", "/y"]
    assert found.properties == ()
    assert found.title == "HTTP request"


def test_representations() -> None:
    first, second = page(
        block(
            "resource",
            '{\n  "id": "String (identifier)"\n}\n',
            "json",
            keyProperty="id",
            baseType="m.entity",
            openType=True,
            optionalProperties=["x"],
            **{"@odata.type": "m.alert"},
        ),
        block("resource", '{"id": 1,}', baseType="", openType=False),
    ).representations
    assert first[:4] == ("m.alert", "id", "m.entity", True)
    assert first.json() == {"id": "String (identifier)"}
    assert second[:] == (None, None, None, False, '{"id": 1,}')
    with pytest.raises(MockGraphError, match="not JSON"):
        second.json()


# Hostile and broken pages.


@pytest.mark.parametrize(
    "text",
    [
        ">" * 10_000 + " quoted",
        "- " * 10_000,
        "# " + "[" * 10_000 + "a" + "](x)" * 10_000,
        "|Property|\n|-|\n|" + "![" * 10_000 + "a" + "](x)" * 10_000 + "|",
        "```http\nnever closed\n" * 5_000,
        '<!-- {"blockType": ' + "[" * 100_000 + " -->\n" + REQUEST,
        "<!-- " + "a" * 100_000 + " -->",
        '<!-- {"blockType": "request"} -->\n```\nGET /x' + " " * 100_000 + "y\n```",
        "a <!-- " * 20_000,
        "[a]: b 'x\n" * 10_000,
        "\x00\x1b\ufffe\n" * 100,
    ],
    ids=range(11),
)
def test_hostile_pages_are_read(text: str) -> None:
    assert page(text).name == "page.md"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x" * (MAX_PAGE + 1), "page.md: longer than"),
        ("word\n" * 1_000_000, "page.md: longer than"),
        ("# Title\n\n<!-- {\n" + REQUEST, "page.md, line 3: a comment is opened and never closed"),
    ],
    ids=["too long", "5 MB", "open comment"],
)
def test_hopeless_pages_are_refused(text: str, message: str) -> None:
    with pytest.raises(MockGraphError, match=message):
        page(text)


def test_a_comment_cut_off_by_its_list_hides_nothing_else() -> None:
    found = page("1. step\n   <!-- {\nout of the list\n", block("request", "GET /x"))
    assert len(found.examples) == 1


FRAGMENTS = st.sampled_from(
    ["<!--", "-->", '"blockType": "request"', "blockType: response", "{", "}", "```", "```http\n",
     "GET /x", "HTTP/1.1 200 OK", "|Property|Type|\n|-|-|\n", "|a|b|", "possible values: ", "`c`",
     "# ", "](#tab/js)", "[", "---", "> ", "- ", "    ", "a: b", "<div>", "\\", "&amp;", "\t",
     "\n", "\n\n", "\r\n", "\ufeff"]
)  # fmt: skip


def attempt(text: str) -> Page | str:
    try:
        return read_page(text, "page.md")
    except MockGraphError as error:
        return str(error)


@given(st.lists(FRAGMENTS | st.text(max_size=5), max_size=30).map("".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    found = attempt(text)
    if isinstance(found, str):
        assert found.startswith("page.md, line ")
    else:
        assert all(example.request.target.startswith("/") for example in found.examples)


TOKENS = st.text("abcXYZ-", min_size=1, max_size=8)
VALUES = st.dictionaries(
    TOKENS, st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=5)
)


@given(
    st.sampled_from(["GET", "POST", "PATCH", "DELETE"]),
    st.text("abc/$?=&'() {}", max_size=20).map(lambda path: f"/{path}".rstrip()),
    st.lists(st.tuples(TOKENS, st.text("ab:/ {}", max_size=9).map(str.strip)), max_size=3),
    st.none() | VALUES,
    st.sampled_from(["\n", "\r\n"]),
)
def test_printed_messages_come_back(
    method: str,
    url: str,
    headers: list[tuple[str, str]],
    value: dict[str, object] | None,
    newline: str,
) -> None:
    body = None if value is None else json.dumps(value, indent=2)
    lines = [f"{method} {url}", *(f"{name}: {text}" for name, text in headers)]
    text = "\n".join([*lines, "", body] if body else lines)
    printed = block("request", text) + block("response", text.replace(lines[0], "HTTP/1.1 200 OK"))
    (example,) = read_page(printed.replace("\n", newline), "page.md").examples
    assert (example.request.method, example.request.url) == (method, url)
    for message in (example.request, example.response):
        assert message is not None
        assert message.headers == tuple(headers)
        assert message.json() == value
        assert message.content == (body or "").replace("\n", "\r\n").encode()


# Directories.


def test_directories_are_read_in_a_stable_order(tmp_path: Path) -> None:
    for name in ("b/z.md", "b/a.MD", "a.md", "b/c/d.md", "c.txt", "b-c.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"# {name}\n")
    (tmp_path / "directory.md").mkdir()
    names = ["a.md", "b-c.md", "b/a.MD", "b/c/d.md", "b/z.md"]
    assert [found.name for found in read_pages(tmp_path)] == names
    assert [found.title for found in read_pages(str(tmp_path))] == names


def test_directories_without_pages_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MockGraphError, match="no reference pages"):
        read_pages(tmp_path)
    with pytest.raises(MockGraphError, match="no such directory"):
        read_pages(tmp_path / "missing")
    (tmp_path / "file.md").write_text("# File")
    with pytest.raises(MockGraphError, match="no such directory"):
        read_pages(tmp_path / "file.md")


@pytest.mark.parametrize("data", [b"# caf\xe9", "# title".encode("utf-16"), b"\x80" * 100])
def test_pages_that_are_not_utf_8_are_refused_by_name(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "good.md").write_text("# Good")
    (tmp_path / "bad.md").write_bytes(data)
    with pytest.raises(MockGraphError, match=r"^bad\.md: not UTF-8 \(at byte \d+\)$"):
        read_pages(tmp_path)


def test_pages_that_cannot_be_read_are_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "locked.md").write_text("# Locked")

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(MockGraphError, match=r"^locked\.md: cannot be read \(Permission denied\)$"):
        read_pages(tmp_path)


# The bundled pages.


@pytest.fixture(params=["installed", "checkout"])
def _both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """``mockgraph.fixtures`` as a package of its own, and not importable at all."""
    module = None
    if request.param == "installed":
        spec = importlib.util.spec_from_file_location(
            "mockgraph.fixtures",
            FIXTURES / "__init__.py",
            submodule_search_locations=[str(FIXTURES)],
        )
        assert spec is not None
        module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "mockgraph.fixtures", module)


@pytest.mark.usefixtures("_both_ways")
def test_bundled_pages_are_found_installed_or_not() -> None:
    names = [found.name for found in bundled_pages()]
    assert names == sorted(path.name for path in FIXTURES.glob("*.md"))
    assert {"security-get.md", "security-update.md"} <= set(names)


def bundled(name: str) -> Page:
    return next(found for found in bundled_pages() if found.name == name)


@pytest.mark.parametrize("found", bundled_pages(), ids=lambda found: found.name)
def test_bundled_pages_are_whole(found: Page) -> None:
    assert found.doc_type == "apiPageType"
    assert found.title
    assert found.description
    assert found.operations
    assert found.examples
    assert found.permissions
    for text in found.permissions.values():
        assert re.fullmatch(r"Not supported\.|\w+(\.\w+)+(, \w+(\.\w+)+)*", text)
    assert found.skipped == ()
    for example in found.examples:
        assert example.response is not None
        for message in (example.request, example.response):
            length = message.header("content-length")
            assert length is None or int(length) == len(message.content)
            message.json()


STATUS = {
    "@odata.type": "microsoft.graph.securityProviderStatus",
    "enabled": True,
    "endpoint": "Endpoint value",
    "provider": "Provider value",
    "region": "Region value",
    "vendor": "Vendor value",
}


def test_the_page_of_the_update() -> None:
    found = bundled("security-update.md")
    assert found.operations == (("PATCH", "/Security"),)
    assert [(p.name, p.type) for p in found.properties] == [
        ("id", "String"),
        ("providerStatus", "securityProviderStatus collection"),
    ]
    assert found.permissions["Application"] == "SecurityEvents.ReadWrite.All"
    (example,) = found.examples
    assert example.name == "update_security"
    assert example.request.target == "/localtest/Security"
    assert example.request.json() == {
        "@odata.type": "#microsoft.graph.security",
        "providerStatus": [STATUS],
    }
    assert len(example.request.content) == 320
    assert example.response is not None
    assert (example.response.status, example.response.truncated) == (200, True)
    assert example.response.unwrapped() == {
        "@odata.type": "#microsoft.graph.security",
        "id": "2026c75e-c75e-2026-5ec7-26205ec72620",
        "providerStatus": [STATUS],
    }
    assert len(example.response.content) == 369


def test_the_page_of_the_get() -> None:
    found = bundled("security-get.md")
    assert found.operations == (("GET", "/Security"),)
    assert found.permissions["Application"].split(", ") == [
        "SecurityEvents.Read.All",
        "SecurityEvents.ReadWrite.All",
    ]
    (example,) = found.examples
    assert (example.request.method, example.request.body) == ("GET", None)
    assert example.response is not None
    assert example.response.type_name == "microsoft.graph.security"
    assert len(example.response.content) == 412
    bare = {
        "@odata.type": "#microsoft.graph.security",
        "id": "8a66293b-293b-8a66-3b29-668a3b29668a",
        "providerStatus": [STATUS],
    }
    assert example.response.json() == {"value": bare}
    assert example.response.unwrapped() == bare
