"""Tools that some tests need beside Python, and that not every machine has."""

from __future__ import annotations

from typing import TypeVar

import pytest

T = TypeVar("T")


def need(found: T | None, what: str, target: str = "") -> T:
    """Return what was found of a tool; without it leave out the test, and say why.

    ``target`` is that of make which installs the tool where it can be had, and runs these tests.
    """
    if not found:
        # make test and make check are to pass with nothing but Python: browsers, Node.js and Java
        # are other systems' packages. The target's own run prints what had to be left out (-rs).
        how = f"; make {target} does that" if target else ""
        pytest.skip(f"{what} is not installed{how}.")
    return found
