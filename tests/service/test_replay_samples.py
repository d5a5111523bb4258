"""Every documented example in the fixtures, replayed over a socket."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mockgraph import MockGraph
from mockgraph.pages.replay import replay_pages

FIXTURES = Path(__file__).parents[2] / "fixtures"
PAGES = sorted(FIXTURES.glob("*.md"))


def requests_on(page: Path) -> int:
    return len(re.findall(r'"blockType":\s*"request"', page.read_text(encoding="utf-8")))


def test_there_are_pages() -> None:
    assert sum(map(requests_on, PAGES)) >= len(PAGES) > 2


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_is_answered_as_documented(page: Path, tmp_path: Path) -> None:
    (tmp_path / page.name).write_bytes(page.read_bytes())
    lines: list[str] = []
    with MockGraph() as server:
        before = server.state
        passed = replay_pages(server.origin, [str(tmp_path)], "token", lines.append)
        assert server.state == before
    assert passed, "\n".join(lines)
    assert sum(line.startswith("ok ") for line in lines) == requests_on(page)
    assert not [line for line in lines if line.startswith(("skip", "DIFF"))]
