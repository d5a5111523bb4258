"""Small reference pages, written as Microsoft's are."""

from __future__ import annotations

import json

from mockgraph.pages import DocumentedRequest, DocumentedResponse, ReferencePage, read_page


def block(kind: str, text: str, language: str = " http", /, **keys: object) -> str:
    annotation = json.dumps({"blockType": kind, **keys}, indent=2)
    return f"<!-- {annotation}\n-->\n```{language}\n{text}\n```\n"


def page(*parts: str) -> ReferencePage:
    return read_page("\n".join(parts), "page.md")


def only_request(text: str) -> DocumentedRequest:
    (example,) = page(block("request", text)).examples
    return example.request


def only_response(text: str, **keys: object) -> DocumentedResponse:
    (example,) = page(block("request", "GET /x"), block("response", text, **keys)).examples
    assert example.response is not None
    return example.response
