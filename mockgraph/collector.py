"""The garbage collector, out of the way while a server starts or ends, or a whole state is read."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import GeneratorType
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


def spare_the_end() -> None:
    """Let a process that is about to end do so without whole collections, if none is missed.

    For ``atexit``. The interpreter makes several, for what has to be finalized and is not yet: they
    take longer than a hundred tests. Where that is nothing but plain streams, which are flushed
    here, and sockets, which the system closes, what is left goes with the process. Where there is
    anything else, a temporary file, a stream that compresses, it ends as ever; so it does where
    Python was asked for warnings, which tell what was left open.
    """
    if sys.warnoptions:
        return
    objects = gc.get_objects()
    kinds = {kind for kind in {*map(type, objects)} if _is_finalized(kind)}
    waiting = [each for each in objects if type(each) in kinds]
    if not all(map(_is_plain, waiting)):
        return
    for each in waiting:
        if hasattr(each, "flush"):
            with suppress(OSError, ValueError):  # it may be closed
                each.flush()
    gc.freeze()


def _is_finalized(kind: type) -> bool:
    return any("__del__" in vars(each) for each in kind.__mro__)


def _is_plain(value: Any) -> bool:
    """Whether nothing is to be done for an object but what a stream or a socket asks for."""
    import io  # a run of tests without a server needs neither
    import socket

    if isinstance(value, GeneratorType):
        return value.gi_frame is None  # it has ended
    plain = (
        *(io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom, io.BufferedReader, io.FileIO),
        *(io.StringIO, io.BytesIO, socket.socket),
    )
    kind = type(value)
    return any(
        issubclass(kind, each)
        and all(getattr(kind, name) is getattr(each, name) for name in ("close", "__del__"))
        for each in plain
    )
