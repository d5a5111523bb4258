"""Connections that break and answers that come late: each library says what it says of a socket."""

from __future__ import annotations

import asyncio
import socketserver
import threading
from collections.abc import Callable, Iterator
from typing import Any

import aiohttp
import httpx
import pytest
import requests

from mockgraph.serving.server import WSGIApp
from mockgraph.serving.transports import Intercept, async_httpx_transport, httpx_transport

from .clients import LIBRARIES, TIMEOUT, TRANSPORTS, Request
from .echo import Environ, StartResponse, cut, late, trickle

HOST = "https://graph.microsoft.com"
HOUR = 3600

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
# What a server sends before it cuts the connection.
CUTS: dict[str, bytes] = {
    "before": b"",
    "bare": HEAD,
    "during": HEAD + b"half",
    "chunked": CHUNKED + b"4\r\nhalf\r\n",
    "after": HEAD + b"halfhalf",
}
# What it sends before it waits for ever.
WAITS: dict[str, tuple[bytes, WSGIApp]] = {
    "answer": (b"", late),
    "rest": (HEAD + b"half", trickle),
}


class Breaking(socketserver.StreamRequestHandler):
    """Sends as much as the path says, and cuts the connection or waits."""

    server: BreakingServer

    def handle(self) -> None:
        name = self.rfile.readline().split()[1].decode().strip("/")
        while self.rfile.readline().strip():
            pass
        if name in CUTS:
            self.wfile.write(CUTS[name])
        else:
            self.wfile.write(WAITS[name][0])
            self.server.release.wait(TIMEOUT)


class BreakingServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    release = threading.Event()


@pytest.fixture(scope="module")
def breaking() -> Iterator[str]:
    with BreakingServer(("127.0.0.1", 0), Breaking) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.release.set()
        server.shutdown()


def outcome(ask: Callable[..., Any], *arguments: Any) -> Any:
    """The body that came of it, or the kind of error."""
    try:
        return ask(*arguments).body
    except Exception as error:
        return type(error)


@pytest.mark.parametrize("moment", CUTS)
@pytest.mark.parametrize("library", TRANSPORTS)
def test_a_transport_cut(library: str, moment: str, breaking: str) -> None:
    live = outcome(LIBRARIES[library], Request("GET", f"{breaking}/{moment}"))
    assert outcome(TRANSPORTS[library], Request("GET", f"{HOST}/{moment}"), cut) == live


@pytest.mark.parametrize("moment", CUTS)
@pytest.mark.parametrize("library", LIBRARIES)
def test_an_intercept_cut(library: str, moment: str, breaking: str) -> None:
    live = outcome(LIBRARIES[library], Request("GET", f"{breaking}/{moment}"))
    with Intercept(cut):
        assert outcome(LIBRARIES[library], Request("GET", f"{HOST}/{moment}")) == live


def test_what_a_cut_is_to_the_libraries_named_in_the_documentation() -> None:
    with Intercept(cut):
        assert outcome(requests.get, f"{HOST}/before") is requests.ConnectionError
        assert outcome(requests.get, f"{HOST}/during") is requests.exceptions.ChunkedEncodingError
        assert outcome(httpx.get, f"{HOST}/before") is httpx.RemoteProtocolError
        assert outcome(httpx.get, f"{HOST}/during") is httpx.RemoteProtocolError


def outcome_live(library: str, url: str, expected: Any) -> Any:
    """Return the outcome of waiting for a server that is late.

    On a busy machine what it sends at once may be late, too: then the client has to be more
    patient.
    """
    for timeout in (0.05, 0.5, 5.0):
        live = outcome(LIBRARIES[library], Request("GET", url, timeout=timeout))
        if live == expected:
            break
    return live


@pytest.mark.parametrize("name", WAITS)
@pytest.mark.parametrize("library", TRANSPORTS)
def test_a_transport_that_is_late(library: str, name: str, breaking: str) -> None:
    """The client gives up at once, though it would wait for long."""
    request = Request("GET", f"{HOST}/?{HOUR}", timeout=HOUR - 1)
    found = outcome(TRANSPORTS[library], request, WAITS[name][1])
    assert found == outcome_live(library, f"{breaking}/{name}", found)


@pytest.mark.parametrize("name", WAITS)
@pytest.mark.parametrize("library", LIBRARIES)
def test_an_intercept_that_is_late(library: str, name: str, breaking: str) -> None:
    with Intercept(WAITS[name][1]):
        request = Request("GET", f"{HOST}/?{HOUR}", timeout=HOUR - 1)
        found = outcome(LIBRARIES[library], request)
    assert found == outcome_live(library, f"{breaking}/{name}", found)


@pytest.mark.parametrize("name", WAITS)
@pytest.mark.parametrize("library", LIBRARIES)
def test_what_is_not_too_late_is_waited_for(library: str, name: str) -> None:
    with Intercept(WAITS[name][1]):
        assert LIBRARIES[library](Request("GET", f"{HOST}/?0.01")).status == 200


def test_waits_add_up_until_something_comes() -> None:
    def app(environ: Environ, start: StartResponse) -> list[bytes]:
        for _ in range(3):
            environ["mockgraph.sleep"](0.01)
        start("200 OK", [])
        return []

    with httpx.Client(transport=httpx_transport(app), timeout=0.025) as client:
        assert outcome(client.get, HOST) is httpx.ReadTimeout
    with httpx.Client(transport=httpx_transport(app), timeout=0.035) as client:
        assert client.get(HOST).status_code == 200


def test_a_pause_before_each_piece_is_shorter_than_the_timeout() -> None:
    def app(environ: Environ, start: StartResponse) -> Iterator[bytes]:
        start("200 OK", [])

        def pieces() -> Iterator[bytes]:
            for _ in range(5):
                environ["mockgraph.sleep"](0.01)
                yield b"piece"

        return pieces()

    with httpx.Client(transport=httpx_transport(app), timeout=0.04) as client:
        assert client.get(HOST).content == b"piece" * 5


def test_the_work_is_done_though_nobody_waits_for_the_answer() -> None:
    done = []

    def app(environ: Environ, start: StartResponse) -> list[bytes]:
        environ["mockgraph.sleep"](HOUR)
        environ["mockgraph.sleep"](HOUR)
        done.append(environ["REQUEST_METHOD"])
        start("204 No Content", [])
        return []

    with Intercept(app), pytest.raises(requests.ReadTimeout):
        requests.patch(HOST, timeout=1)
    assert done == ["PATCH"]


# -- tasks and threads ----------------------------------------------------------------------

TASKS = 30


class Meeting:
    """An app that answers when as many requests as there are tasks have come."""

    def __init__(self) -> None:
        self.barrier = threading.Barrier(TASKS)

    def __call__(self, _: Environ, start: StartResponse) -> list[bytes]:
        self.barrier.wait(TIMEOUT)
        start("200 OK", [])
        return [b"met"]


async def over_transport(app: WSGIApp) -> list[bytes]:
    async with httpx.AsyncClient(transport=async_httpx_transport(app)) as client:
        answers = await asyncio.gather(*(client.get(HOST) for _ in range(TASKS)))
    return [answer.content for answer in answers]


async def over_intercepted_httpx(app: WSGIApp) -> list[bytes]:
    with Intercept(app):
        async with httpx.AsyncClient() as client:
            answers = await asyncio.gather(*(client.get(HOST) for _ in range(TASKS)))
    return [answer.content for answer in answers]


async def over_intercepted_aiohttp(app: WSGIApp) -> list[bytes]:
    async def get(session: aiohttp.ClientSession) -> bytes:
        async with session.get(HOST) as answer:
            return await answer.read()

    with Intercept(app):
        async with aiohttp.ClientSession() as session:
            return await asyncio.gather(*(get(session) for _ in range(TASKS)))


@pytest.mark.parametrize("run", [over_transport, over_intercepted_httpx, over_intercepted_aiohttp])
def test_requests_of_many_tasks_at_the_same_time(run: Any) -> None:
    assert asyncio.run(run(Meeting())) == [b"met"] * TASKS


class Sleeping:
    """An app that sleeps for an hour, and tells when it does and when it woke."""

    def __init__(self) -> None:
        self.asleep, self.woke = threading.Event(), threading.Event()

    def __call__(self, environ: Environ, start: StartResponse) -> Iterator[bytes]:
        start("200 OK", [])
        if environ["PATH_INFO"] == "/late":
            self._sleep(environ)
        return self._pieces(environ)

    def _pieces(self, environ: Environ) -> Iterator[bytes]:
        yield b"piece"
        self._sleep(environ)

    def _sleep(self, environ: Environ) -> None:
        self.asleep.set()
        environ["mockgraph.sleep"](HOUR)
        self.woke.set()


async def get_with_httpx(url: str) -> None:
    async with httpx.AsyncClient(timeout=None) as client:
        await client.get(url)


async def get_with_aiohttp(url: str) -> None:
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
        await answer.read()


@pytest.mark.parametrize("path", ["/late", "/trickle"])
@pytest.mark.parametrize("get", [get_with_httpx, get_with_aiohttp])
def test_a_cancelled_task_leaves_nothing_asleep(get: Any, path: str) -> None:
    app = Sleeping()

    async def main() -> None:
        task = asyncio.create_task(get(f"{HOST}{path}"))
        while not app.asleep.is_set():
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with Intercept(app):
        asyncio.run(main())
    assert app.woke.wait(TIMEOUT)


@pytest.mark.parametrize("name", ["sock_read", "total"])
def test_each_of_the_timeouts_of_aiohttp(name: str) -> None:
    async def main() -> None:
        limits: dict[str, Any] = {"total": None, name: HOUR - 1}
        timeout = aiohttp.ClientTimeout(**limits)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            with pytest.raises(asyncio.TimeoutError):
                await session.get(f"{HOST}/?{HOUR}")

    with Intercept(late):
        asyncio.run(main())


# -- apps that fail -------------------------------------------------------------------------


class Bug(Exception):
    """An error that an app did not foresee."""


def buggy(_: Environ, __: StartResponse) -> list[bytes]:
    raise Bug


@pytest.mark.parametrize("library", TRANSPORTS)
def test_an_error_of_the_app_is_seen_as_it_is(library: str) -> None:
    assert outcome(TRANSPORTS[library], Request("GET", HOST), buggy) is Bug


@pytest.mark.parametrize("library", LIBRARIES)
def test_an_error_of_the_app_within_an_intercept(library: str) -> None:
    with Intercept(buggy):
        assert outcome(LIBRARIES[library], Request("GET", HOST)) is Bug
