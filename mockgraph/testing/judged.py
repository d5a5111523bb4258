"""What is judged by the police, and keeps the marks that it leaves."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mockgraph.testing.police import Misdeed


class Judged:
    """Something whose ``misdeeds`` are found when they are first asked for.

    ``changes`` is how often the test had changed state, faults or stubs by the time.
    """

    changes = 0
    _review: Callable[[], None] | None = None

    @cached_property
    def misdeeds(self) -> tuple[Misdeed, ...]:
        """What the client did wrong, see :mod:`mockgraph.testing.police`."""
        if self._review is not None:
            self._review()
        found: tuple[Misdeed, ...] = vars(self).get("misdeeds", ())
        return found

    def review(self, review: Callable[[], None]) -> None:
        """Have the misdeeds found anew when they are asked for, by a function that sets them."""
        vars(self).pop("misdeeds", None)
        self._review = review
