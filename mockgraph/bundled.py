"""The files that ship with MockGraph: reference pages and seeds."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


def fixtures() -> Traversable:
    """The folder of fixtures, in an installation or in a checkout."""
    try:
        return files("mockgraph.fixtures")
    except ModuleNotFoundError:
        # In a checkout the folder lies beside the package; an installation maps it into it.
        return Path(__file__).parents[1] / "fixtures"
