"""The manual: the README, and the pages of ``docs`` that it sends its readers to."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from processes import ROOT

_README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {
    "README.md": _README,
    **{
        path: (ROOT / path).read_text(encoding="utf-8")
        for path in re.findall(r"^\| \[[^\]]+\]\((docs/[\w-]+\.md)\)", _README, re.MULTILINE)
    },
}
MANUAL = "\n".join(PAGES.values())
_BLOCKS = [
    (token.info, token.content)
    for token in MarkdownIt("commonmark").parse(MANUAL)
    if token.type == "fence"
]


def blocks(language: str, mark: str) -> list[str]:
    """Return the blocks of code in a language with a text in them; there is one at least."""
    found = [text for info, text in _BLOCKS if info == language and mark in text]
    assert found, f"no {language} block with {mark}"
    return found
