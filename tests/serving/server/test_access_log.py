"""The access log: a line for each request, and lines that nobody waits for."""

from __future__ import annotations

import gc
import io
import logging
import re
import weakref
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from wire import TIMEOUT, ask

from mockgraph.serving.server import AccessLog, Server, access_log, logged
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
    server = Server(logged(missing))
    server.start()
    ask_three_times(server.origin)
    server.stop()
    said = [record.getMessage() for record in caplog.records]
    expected = LINES.replace("?", r"\?").replace("$", r"\$").splitlines()
    assert [bool(re.fullmatch(*pair)) for pair in zip(expected, said, strict=True)] == [True] * 3


def test_one_access_line_a_request_on_a_stream() -> None:
    stream = io.StringIO()
    server = Server(logged(missing, stream))
    server.start()
    ask_three_times(server.origin)
    server.stop()
    expected = LINES.replace("?", r"\?").replace("$", r"\$").splitlines()
    said = stream.getvalue().splitlines()
    for pattern, line in zip(expected, said, strict=True):
        assert re.fullmatch(rf"\d\d:\d\d:\d\d {pattern}", line)


def test_no_access_line_is_lost_or_torn() -> None:
    stream = io.StringIO()
    app = logged(missing, stream)
    paths = [f"/{number}" for number in range(100)]
    for _ in range(3):
        server = Server(app)
        server.start()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(partial(ask, server.origin, "GET"), paths))
        server.stop()
    asked = [line.split()[2] for line in stream.getvalue().splitlines()]
    assert sorted(asked) == sorted(paths * 3)


def test_nothing_secret_is_in_an_access_line() -> None:
    stream = io.StringIO()
    server = Server(logged(missing, stream))
    server.start()
    ask(server.origin, "POST", "/x/oauth2/v2.0/token?x=1&client_secret=hush&code=hush")
    server.stop()
    assert "POST /x/oauth2/v2.0/token?x=1&client_secret=***&code=*** " in stream.getvalue()


def test_a_long_url_is_cut() -> None:
    stream = io.StringIO()
    server = Server(logged(missing, stream))
    server.start()
    ask(server.origin, "GET", f"/{'x' * 8000}")
    server.stop()
    assert "xxx... 200 " in stream.getvalue()
    assert len(stream.getvalue()) < 2100


def test_an_access_log_that_nobody_reads() -> None:
    stream = io.StringIO()
    stream.close()
    server = Server(logged(missing, stream))
    server.start()
    assert ask(server.origin, "GET", "/").status == 200
    server.stop()


def test_an_access_line_under_another_server() -> None:
    stream = io.StringIO()
    app = logged(missing, stream)
    for query in ("$top=1", ""):
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/\xc3\xa4\n", "QUERY_STRING": query}
        app(environ, lambda *_: None)
    assert isinstance(app, AccessLog)
    app.close()
    one, other = stream.getvalue().splitlines()
    assert " GET /%C3%A4%0A?$top=1 200 " in one
    assert " GET /%C3%A4%0A 200 " in other


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_logged_request_leaves_no_circle(method: str) -> None:
    """Nothing that the garbage collector would have to find."""

    class Input: ...

    def app(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST":
            environ["mockgraph.hold"](lambda: None, lambda: None)
        start("200 OK", [])
        return []

    concluding: list[Any] = []
    environ = {"REQUEST_METHOD": method, "PATH_INFO": "/", "wsgi.input": Input()}
    environ["mockgraph.hold"] = lambda _, conclude: concluding.append(conclude)
    left = weakref.ref(environ["wsgi.input"])
    gc.disable()
    try:
        AccessLog(app, io.StringIO())(environ, partial(lambda *_: None, environ))
        while concluding:
            concluding.pop()()
        del environ
        assert left() is None
    finally:
        gc.enable()
