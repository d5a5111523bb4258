"""A pipe that nobody reads, for logs."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator

import pytest
from wire import TIMEOUT

from mockgraph.serving.server import access_log


class FullPipe(io.StringIO):
    """A pipe that nobody reads, until it is emptied."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.emptied = threading.Event(), threading.Event()

    def write(self, text: str) -> int:
        self.begun.set()
        assert self.emptied.wait(TIMEOUT)
        return super().write(text)


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Iterator[FullPipe]:
    """A full pipe, which nobody waits for long."""
    monkeypatch.setattr(access_log, "_CLOSE_TIMEOUT", 0.05)
    full = FullPipe()
    yield full
    full.emptied.set()
