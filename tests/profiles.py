"""The profiles of tests with random input: how many examples they make, and which.

``make test`` makes few and ``make check`` more, the same ones each time; ``make soak`` makes new
ones, round after round. A failing test prints its example.
"""

from __future__ import annotations

import os

from hypothesis import settings

# The examples that a test makes in ``make check`` where it says nothing.
_USUAL = 25

settings.register_profile("test", max_examples=10, deadline=None, derandomize=True, database=None)
settings.register_profile("check", settings.get_profile("test"), max_examples=_USUAL)
settings.register_profile("soak", max_examples=4 * _USUAL, deadline=None, derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "test"))


def examples(number: int) -> int:
    """Return how many examples a test makes now that makes this number in ``make check``."""
    return max(1, number * settings().max_examples // _USUAL)
