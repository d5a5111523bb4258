"""The parts of a page beside its messages: title, operations, properties, permissions."""

from __future__ import annotations

from typing import cast

import pytest
from processes import ROOT

from mockgraph.pages import DocumentedProperty, read_page
from pages.markdown import page

FIXTURES = ROOT / "fixtures"


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


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (
            "|Property|Type|Description|\n|:---|:---|:---|\n"
            "|id|String| Inherited from [entity](../resources/entity.md)|\n"
            "|states|[alertState](../x.md) collection||\n",
            [
                DocumentedProperty("id", "String", "Inherited from entity"),
                DocumentedProperty("states", "alertState collection", "", target="x"),
            ],
        ),
        ("| Type | Property |\n|--|--|\n| String | id |\n", []),
        ("|Property|Description|Type|\n|-|-|-|\n|**id**|The `key`|`Edm.String`|\n",
         [DocumentedProperty("id", "Edm.String", "The key")]),
        ("|Property|\n|-|\n|a|\n||\n", [DocumentedProperty("a", "", "")]),
        ("|Property|Type|\n|-|-|\n|a\\|b|Int32\n", [DocumentedProperty("a|b", "Int32", "")]),
        ("|Name|Type|\n|-|-|\n|Authorization|string|\n", []),
        ("|Parameter|Type|\n|-|-|\n|startDateTime|String|\n", []),
        ("## Request body\n|Parameter|Type|\n|-|-|\n|value|Strings|\n",
         [DocumentedProperty("value", "Strings", "")]),
    ],
)  # fmt: skip
def test_properties(table: str, expected: list[DocumentedProperty]) -> None:
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
