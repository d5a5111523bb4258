"""Every documented example in the fixtures, replayed over a socket."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mockgraph import MockGraph
from mockgraph.pages import read_pages
from mockgraph.pages.replay import replay_pages
from mockgraph.pages.replay_report import Detail
from mockgraph.service import SERVICE

FIXTURES = Path(__file__).parents[2] / "fixtures"
PAGES = sorted([*FIXTURES.glob("*.md"), *FIXTURES.glob("reference/*/*.md")])


def requests_on(page: Path) -> int:
    return len(re.findall(r'"blockType":\s*"request"', page.read_text(encoding="utf-8")))


def test_there_are_pages() -> None:
    assert sum(map(requests_on, PAGES)) >= len(PAGES) > 2


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_is_answered_as_documented(page: Path, tmp_path: Path) -> None:
    (tmp_path / page.name).write_bytes(page.read_bytes())
    told: list[Detail] = []
    with MockGraph() as server:
        before = server.state
        replay_pages(server.origin, read_pages(tmp_path), SERVICE, "token", told.append)
        assert server.state == before
    assert [each.outcome for each in told] == ["answered"] * requests_on(page), told
    assert {each.reason for each in told} == {""}
