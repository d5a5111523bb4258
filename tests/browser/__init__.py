"""The console and the sign-in in a real browser; ``make browser`` installs what that takes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

SHOTS = Path(__file__).parents[2] / "docs" / "images"


def shoot(page: Any, name: str) -> None:
    """Keep a picture for the documentation, where that is asked for."""
    if os.environ.get("MOCKGRAPH_SCREENSHOTS"):
        SHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SHOTS / f"{name}.png")
