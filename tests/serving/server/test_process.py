"""A process that serves: its descriptors, its log, its end."""

from __future__ import annotations

import errno
import io
import logging
import os
import signal
import socket
import sys
from contextlib import suppress

import pytest
from state.stores import failing
from wire import TIMEOUT

from mockgraph.errors import MockGraphError
from mockgraph.serving.server import Server, event_loop
from mockgraph.serving.server.process import Shutdown, logging_to, take_descriptors

from .conftest import FullPipe

if sys.platform != "win32":
    import resource


@pytest.mark.parametrize(("fails", "code"), [(False, 0), (True, 1)])
def test_a_process_ends_though_nobody_reads(
    full: FullPipe, monkeypatch: pytest.MonkeyPatch, fails: bool, code: int
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


def test_what_is_logged_goes_to_the_stream_and_then_no_more() -> None:
    stream, logger = io.StringIO(), logging.getLogger("mockgraph.store")
    with logging_to(stream) as writer:
        logger.warning("The store %s", "is torn.")
        writer.add("a request")
    logger.warning("Afterwards")
    first, second = stream.getvalue().splitlines()
    assert first.endswith(" The store is torn.")
    assert second == "a request"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
@pytest.mark.parametrize(("hard", "given"), [(-1, 10_240), (99_999, 10_240), (5000, 5000)])
def test_a_server_takes_the_descriptors_that_it_may_have(
    monkeypatch: pytest.MonkeyPatch, hard: int, given: int
) -> None:
    taken: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: taken.append(limits))
    take_descriptors()
    assert taken == [(given, hard)]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
def test_a_server_does_with_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (20_000, 20_000))
    monkeypatch.setattr(resource, "setrlimit", lambda *_: pytest.fail("not needed"))
    take_descriptors()
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 20_000))
    monkeypatch.setattr(resource, "setrlimit", failing(errno.EPERM))
    take_descriptors()


def test_a_server_that_fails_says_so_and_is_waited_for_no_longer(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    server = Server(lambda *_: [])
    server.start()
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    shutdown = Shutdown(server)
    with monkeypatch.context() as patched:
        patched.setattr(event_loop.EventLoop, "_handle", failing(errno.EIO))
        with socket.create_connection((server.host, server.port), timeout=TIMEOUT) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            with suppress(ConnectionResetError):
                assert client.recv(1) == b""
    with pytest.raises(MockGraphError, match="failed"):
        shutdown.wait()
    assert server.has_ended
    assert "The server failed, and serves no more." in caplog.text
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((server.host, server.port), timeout=TIMEOUT)
