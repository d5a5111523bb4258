"""A live server beside what is answered in process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mockgraph.serving.server import Server

from .echo import named


@pytest.fixture
def live() -> Iterator[str]:
    """Where a server answers with its name, ``live``."""
    server = Server(named("live"))
    server.start()
    yield server.origin
    server.stop()
