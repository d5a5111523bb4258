"""Chromium, driven by Playwright; without either the tests are left out, and say why."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tools import need

from mockgraph import MockGraph

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_AXE = Path(__file__).parents[2] / ".browser" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="package")
def chromium() -> Iterator[Any]:
    """A browser that runs; with it an event loop does, which tests elsewhere must not find."""
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed.")
    path = need(next(filter(None, map(shutil.which, _NAMES)), None), "Chromium", "browser")
    with api.sync_playwright() as playwright:
        # Its sandbox wants rights that root in a container has not.
        root = hasattr(os, "geteuid") and os.geteuid() == 0
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox"] if root else []
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe, which checks a page for what keeps people from using it."""
    need(_AXE.is_file(), "axe-core", "browser")
    return _AXE.read_text("utf-8")


def _is_wrong(said: Any) -> bool:
    """Whether the browser logs a fault of the page; that a request was refused is none."""
    return said.type == "error" and not said.text.startswith("Failed to load resource")


@pytest.fixture
def graph() -> Iterator[MockGraph]:
    """A server with the demo tenant, of its own for each test."""
    with MockGraph(seed="demo") as graph:
        yield graph


@pytest.fixture
def page(chromium: Any, graph: MockGraph) -> Iterator[Any]:
    """A page of the browser; what it logs as an error, or asks of another host, fails the test."""
    context = chromium.new_context(base_url=graph.origin, viewport={"width": 1280, "height": 860})
    page = context.new_page()
    page.set_default_timeout(15_000)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if _is_wrong(said) else None)
    page.on(
        "request",
        lambda sent: (
            None if sent.url.startswith((graph.origin, "data:")) else wrong.append(sent.url)
        ),
    )
    page.on("dialog", lambda dialog: dialog.accept())
    yield page
    context.close()
    assert wrong == []
