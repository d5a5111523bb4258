"""Small reference pages, written as Microsoft's are."""

from __future__ import annotations

import json

from mockgraph.pages import Page, Request, Response, read_page


def block(kind: str, text: str, language: str = " http", /, **keys: object) -> str:
    annotation = json.dumps({"blockType": kind, **keys}, indent=2)
    return f"<!-- {annotation}\n-->\n```{language}\n{text}\n```\n"


def page(*parts: str) -> Page:
    return read_page("\n".join(parts), "page.md")


def only_request(text: str) -> Request:
    (example,) = page(block("request", text)).examples
    return example.request


def only_response(text: str, **keys: object) -> Response:
    (example,) = page(block("request", "GET /x"), block("response", text, **keys)).examples
    assert example.response is not None
    return example.response
