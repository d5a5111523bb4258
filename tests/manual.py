"""The manual: the README, and the pages of ``docs``, with their blocks of code."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt
from processes import ROOT

_BUILT = ROOT / "docs" / "_build"
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if not path.is_relative_to(_BUILT)
}
MANUAL = "\n".join(PAGES.values())


class Block(NamedTuple):
    """A block of code of a page."""

    page: str
    line: int
    language: str
    text: str

    @property
    def name(self) -> str:
        """The page and the line, ``testing-42``."""
        return f"{Path(self.page).stem}-{self.line}"


def _blocks_of(page: str, text: str) -> list[Block]:
    tokens = MarkdownIt("commonmark").parse(text)
    fences = [each for each in tokens if each.type == "fence"]
    return [Block(page, 1 + (each.map or [0])[0], each.info, each.content) for each in fences]


BLOCKS = [block for page, text in PAGES.items() for block in _blocks_of(page, text)]


def blocks(language: str, mark: str) -> list[str]:
    """Return the blocks of code in a language with a text in them; there is one at least."""
    found = [each.text for each in BLOCKS if each.language == language and mark in each.text]
    assert found, f"no {language} block with {mark}"
    return found
