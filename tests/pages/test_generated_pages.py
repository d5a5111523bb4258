"""Thousands of pages of a made-up service, read, served and replayed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import requests

from mockgraph import MockGraph
from mockgraph.pages import read_pages
from mockgraph.pages.replay import replay_pages
from mockgraph.pages.replay_report import ReplayReport
from mockgraph.pages.served_pages import documented_answers, service_with
from pages.generated_pages import GeneratedPages
from pages.independent_reader import count_examples


def replay(folder: Path) -> ReplayReport:
    service = service_with([folder])
    with MockGraph(docs=[folder]) as graph:
        return replay_pages(graph.origin, read_pages(folder), service, "token", lambda _: None)


@pytest.mark.parametrize("seed", range(4))
def test_all_is_answered_but_what_has_no_url_or_only_a_page_knows(
    tmp_path: Path, seed: int
) -> None:
    expected = GeneratedPages(tmp_path, types=35, seed=seed).write()
    report = replay(tmp_path)
    assert [each for each in report.details if each.outcome == "different"] == []
    assert report.pages == expected.pages
    assert len(report.details) == expected.examples == count_examples(tmp_path)
    assert report.counts["unreadable"] == expected.without_url > 0
    assert report.counts["unserved"] == expected.shown_only
    asked = expected.examples - expected.without_url
    assert report.counts["answered"] > 0.9 * asked


def test_what_an_example_shows_otherwise_is_different(tmp_path: Path) -> None:
    GeneratedPages(tmp_path, types=10, seed=5).write()
    page = next(
        path
        for path in sorted((tmp_path / "api").glob("*-update.md"))
        if "** Entity" not in path.read_text() and ' value",' in path.read_text()
    )
    before, shown, after = page.read_text().rpartition(' value"')
    page.write_text(f'{before} otherwise"{after}')
    (found,) = (each for each in replay(tmp_path).details if each.outcome == "different")
    assert (shown, found.page) == (' value"', f"api/{page.name}")


def test_a_url_that_is_a_sentence_makes_no_root(tmp_path: Path) -> None:
    GeneratedPages(tmp_path, types=12, seed=2).write()
    assert service_with([tmp_path]).views.keys() == {"localtest", "v1.0", "beta"}


def test_what_is_served_is_written_and_read_back(tmp_path: Path) -> None:
    GeneratedPages(tmp_path, types=12, seed=3).write()
    target, name = next(
        (example.request.target, name)
        for each in read_pages(tmp_path)
        for example in each.examples
        if each.name.startswith("api/service-post-")
        for name, value in (example.request.json() or {}).items()
        if isinstance(value, str) and value.endswith(" value")
    )
    headers = {"Authorization": "Bearer anything"}
    with MockGraph(docs=[tmp_path]) as graph:
        url = graph.origin + target
        made = requests.post(url, json={name: "Mine"}, headers=headers)
        assert (made.status_code, made.json()[name]) == (201, "Mine")
        found = requests.get(f"{url}?$filter={name} eq 'Mine'", headers=headers).json()
        assert [each["id"] for each in found["value"]] == [made.json()["id"]]
        assert requests.post(url, json={name: 5}, headers=headers).status_code == 400


def calls_of(work: Callable[[], Any]) -> int:
    """Count the calls of Python functions that a piece of work takes."""
    count = 0

    def told(_: FrameType, event: str, __: Any) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(told)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def work_of(folder: Path, types: int) -> float:
    """Return the calls that reading and serving the pages takes, by the page."""
    written = GeneratedPages(folder, types=types, seed=1).write()

    def work() -> None:
        read_pages(folder)
        service = service_with([folder])
        assert service.views["localtest"].children
        documented_answers([folder], service)

    return calls_of(work) / written.pages


@pytest.mark.long
def test_the_work_is_linear_in_the_number_of_pages(tmp_path: Path) -> None:
    _, few, many = (work_of(tmp_path / str(types), types) for types in (5, 20, 60))
    assert many < 1.3 * few
