"""Who calls in process: what connections are for a server, threads and tasks are here."""

from __future__ import annotations

import sys
import threading
from typing import Any


def lane() -> str:
    """A name for the thread, or the task of asyncio or trio, that calls."""
    task = _task("asyncio", "current_task") or _task("trio.lowlevel", "current_task")
    return f"{threading.get_ident()}/{id(task) if task else ''}"


def _task(module: str, name: str) -> Any:
    """The task that runs now, None where there is none or the library is not even loaded."""
    loaded = sys.modules.get(module)
    if loaded is None:
        return None
    try:
        return getattr(loaded, name)()
    except (AttributeError, RuntimeError):  # half loaded; no task, no loop here
        return None
