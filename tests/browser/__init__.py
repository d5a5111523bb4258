"""The console and the sign-in in a real browser; ``make browser`` installs what that takes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

SHOTS = Path(__file__).parents[2] / "docs" / "images"
_MARGIN = 48
# Where what is on a page ends, of the menu and of the rest.
_BOTTOM = """() => Math.max(...[...document.querySelectorAll("nav > *, main > *")]
    .map((each) => each.getBoundingClientRect().bottom))"""


def shoot(page: Any, name: str) -> None:
    """Keep a picture for the documentation, where that is asked for, without empty space below."""
    if os.environ.get("MOCKGRAPH_SCREENSHOTS"):
        SHOTS.mkdir(exist_ok=True)
        size = page.viewport_size
        height = min(size["height"], page.evaluate(_BOTTOM) + _MARGIN)
        clip = {"x": 0, "y": 0, "width": size["width"], "height": height}
        page.screenshot(path=SHOTS / f"{name}.png", clip=clip, animations="disabled")
