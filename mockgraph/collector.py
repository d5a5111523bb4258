"""The garbage collector, out of the way while a server starts or a whole state is read."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Python 3.12 counts a few hundred immortal objects of the interpreter as frozen. Whoever calls
# gc.freeze() freezes at least the thousands of objects that an interpreter starts with.
_MOST_IMMORTAL = 1000


@contextmanager
def uncollected() -> Iterator[None]:
    """Without collections: among many new objects, none of them garbage, they take most time.

    Afterwards the objects count as old ones, so that the next collection leaves them alone.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        # To count them takes as long as they are many.
        if _keep not in gc.callbacks and gc.get_freeze_count() < _MOST_IMMORTAL:
            gc.freeze()
            gc.unfreeze()
        if was_enabled:
            gc.enable()


def leave_alone() -> None:
    """From now on what is there, and what outlives a whole collection, is looked at no more.

    For a process that serves until it ends: nearly all of it is state, which is no garbage, and
    to look at 100,000 entities takes as long as hundreds of requests.
    """
    gc.freeze()
    gc.callbacks.append(_keep)


def _keep(phase: str, about: dict[str, Any]) -> None:
    if phase == "stop" and about["generation"] == 2:
        gc.freeze()
