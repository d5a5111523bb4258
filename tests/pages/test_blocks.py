"""Which block of a page is what, and pages that are broken or hostile."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from processes import ROOT

from mockgraph.errors import MockGraphError
from mockgraph.pages import ReferencePage, read_page
from mockgraph.pages.page import MAX_PAGE
from pages.markdown import block, page

FIXTURES = ROOT / "fixtures"


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
    assert told == [("one", "/1", 200), ("two", "/2", 204), ("", "/3", 204)]
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
    assert second.json() == {"id": 1}


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
    ],
    ids=["too long", "5 MB"],
)
def test_hopeless_pages_are_refused(text: str, message: str) -> None:
    with pytest.raises(MockGraphError, match=message):
        page(text)


def test_a_comment_that_is_never_closed_hides_nothing() -> None:
    found = page("# Title\n\n<!-- {\n" + REQUEST, block("request", "GET /x"))
    assert found.skipped == ("line 3: a comment is opened and never closed",)
    assert len(found.examples) == 1


def test_a_line_of_open_comments_is_told_once() -> None:
    found = page("# Title\n<!-- <!-- <!--\n\n<!--\n")
    assert found.skipped == tuple(
        f"line {line}: a comment is opened and never closed" for line in (2, 4)
    )


def test_a_comment_cut_off_by_its_list_hides_nothing_else() -> None:
    found = page("1. step\n   <!-- {\nout of the list\n", block("request", "GET /x"))
    assert len(found.examples) == 1


FRAGMENTS = st.sampled_from(
    ["<!--", "-->", '"blockType": "request"', "blockType: response", "{", "}", "```", "```http\n",
     "GET /x", "HTTP/1.1 200 OK", "|Property|Type|\n|-|-|\n", "|a|b|", "possible values: ", "`c`",
     "# ", "](#tab/js)", "[", "---", "> ", "- ", "    ", "a: b", "<div>", "\\", "&amp;", "\t",
     "\n", "\n\n", "\r\n", "\ufeff"]
)  # fmt: skip


def attempt(text: str) -> ReferencePage | str:
    try:
        return read_page(text, "page.md")
    except MockGraphError as error:
        return str(error)


@given(st.lists(FRAGMENTS | st.text(max_size=5), max_size=30).map("".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    found = attempt(text)
    if isinstance(found, str):
        assert found.startswith("page.md: longer than")
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
