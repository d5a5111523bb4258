"""A reader of examples that shares nothing with the product's: by lines, to check its counts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

_ANNOTATED = re.compile(r"""blockType["']?\s*:\s*["']?(\w+)""", re.IGNORECASE)
_METHODS = ("GET ", "POST ", "PATCH ", "PUT ", "DELETE ")


def kinds(text: str) -> Iterator[tuple[str, str]]:
    """Give the kind that the comment before each code block says, and the block's first line."""
    kind, lines = "", iter(text.lstrip("\ufeff").replace("\r\n", "\n").split("\n"))
    comment, tab = "", "http"
    for line in lines:
        if line.startswith("# ") and "(#tab/" in line:
            tab = line.partition("(#tab/")[2].partition(")")[0]
        elif line.startswith(("---", "#")):
            tab = "http"
        if comment or line.lstrip().startswith("<!--"):
            comment += f"{line}\n"
            if "-->" in line:
                found = _ANNOTATED.search(comment)
                kind = found[1].lower() if found else kind
                comment = ""
        elif line.lstrip().startswith("```"):
            block = []
            for inner in lines:
                if inner.lstrip().startswith("```"):
                    break
                block.append(inner)
            if tab == "http":
                yield kind, next((each.strip() for each in block if each.strip()), "")
            kind = ""


def _text(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16")
    return data.decode("utf-8", "replace")


def count_examples(folder: Path) -> int:
    """Count the requests that the pages of a folder show."""
    return sum(
        kind == "request" and first.startswith(_METHODS)
        for path in folder.rglob("*.md")
        for kind, first in kinds(_text(path.read_bytes()))
    )
