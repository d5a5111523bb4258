"""Lines of a log that nobody waits for, whoever reads them or does not."""

from __future__ import annotations

import io
import logging
import os
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from wire import TIMEOUT

from mockgraph.serving.server import access_log
from mockgraph.serving.server.access_log import LineHandler, LineWriter
from mockgraph.serving.server.process import logging_to


class Full(io.StringIO):
    """A pipe that nobody reads, until it is emptied."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.emptied = threading.Event(), threading.Event()

    def write(self, text: str) -> int:
        self.begun.set()
        assert self.emptied.wait(TIMEOUT)
        return super().write(text)


@pytest.fixture
def full() -> Iterator[Full]:
    full = Full()
    yield full
    full.emptied.set()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_log, "_CLOSE_TIMEOUT", 0.05)


def test_what_nobody_reads_holds_up_nobody(full: Full, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_log, "_MAX_WAITING", 3)
    writer = LineWriter(full)
    writer.add("first")
    assert full.begun.wait(TIMEOUT)
    for number in range(10):
        writer.add(f"{number}")
    thread = writer._thread
    assert thread is not None
    writer.close()
    assert writer.is_stuck
    writer.add("after the end")
    writer.close()
    assert writer.is_stuck
    full.emptied.set()
    thread.join(TIMEOUT)
    assert full.getvalue() == "first\n"
    assert list(writer._lines) == ["8", "9", "after the end"]


def test_lines_may_come_after_the_end() -> None:
    stream = io.StringIO()
    writer = LineWriter(stream)
    for number in range(3):
        writer.add(f"{number}")
        writer.close()
    assert stream.getvalue() == "0\n1\n2\n"
    assert not writer.is_stuck


def test_what_is_logged_goes_to_the_stream_and_then_no_more() -> None:
    stream, logger = io.StringIO(), logging.getLogger("mockgraph.store")
    with logging_to(stream) as writer:
        logger.warning("The store %s", "is torn.")
        writer.add("a request")
    logger.warning("Afterwards")
    first, second = stream.getvalue().splitlines()
    assert first.endswith(" The store is torn.")
    assert second == "a request"


def test_a_record_that_cannot_be_told_fails_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    writer = LineWriter(io.StringIO())
    told: Any = {"msg": "%d", "args": ("no number",)}
    LineHandler(writer).handle(logging.makeLogRecord(told))
    writer.close()
    assert "no number" in capsys.readouterr().err


@pytest.mark.parametrize(("fails", "code"), [(False, 0), (True, 1)])
def test_a_process_ends_though_nobody_reads(
    full: Full, monkeypatch: pytest.MonkeyPatch, fails: bool, code: int
) -> None:
    class Ended(BaseException):
        pass

    def end(code: int) -> None:
        raise Ended(code)

    monkeypatch.setattr(os, "_exit", end)

    def serve() -> None:
        with logging_to(full) as writer:
            writer.add("a request")
            assert full.begun.wait(TIMEOUT)
            if fails:
                raise RuntimeError("it failed")

    with pytest.raises(Ended) as ended:
        serve()
    assert ended.value.args == (code,)
