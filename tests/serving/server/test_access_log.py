"""The access log: a line for each request, and lines that nobody waits for."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.client import HTTPException
from typing import Any

import pytest
from wire import TIMEOUT, ask

from mockgraph.serving.server import Server, access_log
from mockgraph.serving.server.access_log import LineHandler, LineWriter

from .conftest import FullPipe

StartResponse = Callable[..., Any]


def test_what_nobody_reads_holds_up_nobody(full: FullPipe, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_record_that_cannot_be_told_fails_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    writer = LineWriter(io.StringIO())
    told: Any = {"msg": "%d", "args": ("no number",)}
    LineHandler(writer).handle(logging.makeLogRecord(told))
    writer.close()
    assert "no number" in capsys.readouterr().err


# -- the log of requests -------------------------------------------------------------------


def missing(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
    start("404 Not Found" if environ["PATH_INFO"] == "/none" else "200 OK", [])
    return [b""]


LINES = r"""GET /some?$select=id 200 \d+\.\d ms
DELETE /none 404 \d+\.\d ms
GET /a%0AGET%20/b 200 \d+\.\d ms
"""


def ask_three_times(origin: str) -> None:
    ask(origin, "GET", "/some?$select=id")
    ask(origin, "DELETE", "/none")
    ask(origin, "GET", "/a%0AGET%20/b")


def test_one_access_line_a_request_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "mockgraph.access")
    server = Server(missing, log=LineWriter())
    server.start()
    ask_three_times(server.origin)
    server.stop()
    said = [record.getMessage() for record in caplog.records]
    expected = LINES.replace("?", r"\?").replace("$", r"\$").splitlines()
    assert [bool(re.fullmatch(*pair)) for pair in zip(expected, said, strict=True)] == [True] * 3


def test_one_access_line_a_request_on_a_stream() -> None:
    stream = io.StringIO()
    server = Server(missing, log=LineWriter(stream))
    server.start()
    ask_three_times(server.origin)
    server.stop()
    expected = LINES.replace("?", r"\?").replace("$", r"\$").splitlines()
    said = stream.getvalue().splitlines()
    for pattern, line in zip(expected, said, strict=True):
        assert re.fullmatch(rf"\d\d:\d\d:\d\d {pattern}", line)


def test_no_access_line_is_lost_or_torn() -> None:
    stream = io.StringIO()
    log = LineWriter(stream)
    paths = [f"/{number}" for number in range(100)]
    for _ in range(3):
        server = Server(missing, log=log)
        server.start()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(partial(ask, server.origin, "GET"), paths))
        server.stop()
    asked = [line.split()[2] for line in stream.getvalue().splitlines()]
    assert sorted(asked) == sorted(paths * 3)


def test_nothing_secret_is_in_an_access_line() -> None:
    stream = io.StringIO()
    server = Server(missing, log=LineWriter(stream))
    server.start()
    ask(server.origin, "POST", "/x/oauth2/v2.0/token?x=1&client_secret=hush&code=hush")
    server.stop()
    assert "POST /x/oauth2/v2.0/token?x=1&client_secret=***&code=*** " in stream.getvalue()


def test_a_long_url_is_cut() -> None:
    stream = io.StringIO()
    server = Server(missing, log=LineWriter(stream))
    server.start()
    ask(server.origin, "GET", f"/{'x' * 8000}")
    server.stop()
    assert "xxx... 200 " in stream.getvalue()
    assert len(stream.getvalue()) < 2100


def test_an_access_log_that_nobody_reads() -> None:
    stream = io.StringIO()
    stream.close()
    server = Server(missing, log=LineWriter(stream))
    server.start()
    assert ask(server.origin, "GET", "/").status == 200
    server.stop()


def test_an_access_line_of_an_app_that_fails() -> None:
    def app(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/late":
            start("201 Created", [])
            yield b"a"
        raise ZeroDivisionError

    stream = io.StringIO()
    server = Server(app, log=LineWriter(stream))
    server.start()
    assert ask(server.origin, "GET", "/").status == 500
    with pytest.raises(HTTPException):
        ask(server.origin, "GET", "/late")
    server.stop()
    assert [line.split()[1:4] for line in stream.getvalue().splitlines()] == [
        ["GET", "/", "500"],
        ["GET", "/late", "201"],
    ]


def test_an_access_line_tells_how_long_all_of_an_answer_took() -> None:
    """That of one that comes bit by bit is written once it has come."""
    stream = io.StringIO()
    log = LineWriter(stream)

    def app(_: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        start("200 OK", [])
        yield b"a"
        assert not log._lines
        yield b"b"

    server = Server(app, log=log)
    server.start()
    assert ask(server.origin, "GET", "/").body == b"ab"
    server.stop()
    assert " GET / 200 " in stream.getvalue()
