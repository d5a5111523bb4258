"""Bodies that come and go in pieces, and what becomes of them when a side stops."""

from __future__ import annotations

import asyncio
import http.client
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from typing import Any

import aiohttp
import httpx
import pytest
import requests
import urllib3
from aiohttp.client_proto import ResponseHandler

from mockgraph.serving.server import WSGIApp
from mockgraph.serving.transports import (
    Intercept,
    async_httpx_transport,
    httpx_transport,
    requests_adapter,
)
from mockgraph.serving.transports.endpoint import Endpoint, Peer
from mockgraph.serving.transports.http1 import Conversation
from mockgraph.serving.transports.over_aiohttp import AiohttpTransport

from .clients import LIBRARIES, TIMEOUT, Request
from .echo import Environ, StartResponse, echo

HOST = "https://graph.microsoft.com"

# -- answers --------------------------------------------------------------------------------


class Endless:
    """An app whose answer has no end; it tells how much was made of it, and that it was left."""

    def __init__(self) -> None:
        self.made = 0
        self.left = threading.Event()

    def __call__(self, _: Environ, start: StartResponse) -> Iterator[bytes]:
        start("200 OK", [])
        return self._pieces()

    def _pieces(self) -> Iterator[bytes]:
        try:
            while True:
                self.made += 1
                yield b"x" * 100_000
        finally:
            self.left.set()


def read_requests(app: WSGIApp) -> None:
    session = requests.Session()
    session.mount("https://", requests_adapter(app))
    with session.get(HOST, stream=True) as answer:
        assert next(answer.iter_content(10)) == b"x" * 10


def read_httpx(app: WSGIApp) -> None:
    with (
        httpx.Client(transport=httpx_transport(app)) as client,
        client.stream("GET", HOST) as answer,
    ):
        assert next(answer.iter_bytes(10)) == b"x" * 10


def read_async_httpx(app: WSGIApp) -> None:
    async def read() -> None:
        async with (
            httpx.AsyncClient(transport=async_httpx_transport(app)) as client,
            client.stream("GET", HOST) as answer,
        ):
            async for piece in answer.aiter_raw(10):
                assert piece == b"x" * 10
                break

    asyncio.run(read())


def read_aiohttp(app: WSGIApp) -> None:
    async def read() -> None:
        async with aiohttp.ClientSession() as client, client.get(HOST) as answer:
            for _ in range(50):
                assert await answer.content.readexactly(100_000) == b"x" * 100_000

    with Intercept(app):
        asyncio.run(read())


def read_urllib3(app: WSGIApp) -> None:
    with Intercept(app), urllib3.PoolManager() as manager:
        answer = manager.request("GET", HOST, preload_content=False)
        assert answer.read(10) == b"x" * 10
        answer.close()


def read_http_client(app: WSGIApp) -> None:
    connection = http.client.HTTPSConnection("graph.microsoft.com")
    with Intercept(app), closing(connection):
        connection.request("GET", "/")
        with connection.getresponse() as answer:
            assert answer.read(10) == b"x" * 10


@pytest.mark.parametrize(
    "read",
    [
        read_requests,
        read_httpx,
        read_async_httpx,
        read_aiohttp,
        read_urllib3,
        read_http_client,
    ],
)
def test_a_stream_is_made_as_it_is_read(read: Callable[[WSGIApp], None]) -> None:
    app = Endless()
    read(app)
    assert app.left.wait(TIMEOUT)
    assert app.made < 60


def test_urllib3_can_break_off_an_answer() -> None:
    app = Endless()
    with Intercept(app), urllib3.PoolManager() as manager:
        answer = manager.request("GET", HOST, preload_content=False)
        assert answer.read(10) == b"x" * 10
        answer.shutdown()
        with pytest.raises(urllib3.exceptions.ProtocolError):
            answer.read()
        assert app.left.wait(TIMEOUT)
        answer.close()


def test_aiohttp_is_not_flooded() -> None:
    """It takes a few pieces, and more when they are read."""
    app = Endless()

    async def main() -> None:
        async with aiohttp.ClientSession() as client, client.get(HOST) as answer:
            await answer.content.readexactly(1)
            for _ in range(300):
                await asyncio.sleep(0.0001)
            assert app.made < 10
            for _ in range(20):
                await answer.content.readexactly(100_000)

    with Intercept(app):
        asyncio.run(main())
    assert app.left.wait(TIMEOUT)


def test_aiohttp_can_break_off_an_answer() -> None:
    app = Endless()

    async def main() -> None:
        async with aiohttp.ClientSession() as client:
            answer = await client.get(HOST)
            await answer.content.readexactly(1)
            assert answer.connection
            assert answer.connection.transport
            answer.connection.transport.abort()
            with pytest.raises(aiohttp.ClientPayloadError):
                await answer.read()

    with Intercept(app):
        asyncio.run(main())
    assert app.left.wait(TIMEOUT)


def test_a_loop_that_ended_in_the_middle_of_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockgraph.serving.transports.over_aiohttp._LOOK", 0.01)
    app = Endless()

    async def begin() -> None:
        protocol = ResponseHandler(asyncio.get_running_loop())
        talk = Conversation(Endpoint(app), Peer("http", "h", 80))
        protocol.connection_made(AiohttpTransport(protocol, talk))
        assert protocol.transport
        protocol.transport.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        while app.made < 2:
            await asyncio.sleep(0)

    asyncio.run(begin())
    assert app.left.wait(TIMEOUT)


# -- uploads --------------------------------------------------------------------------------


def test_an_upload_is_awaited() -> None:
    """Pieces that other tasks make."""

    async def main() -> httpx.Response:
        pieces: asyncio.Queue[bytes] = asyncio.Queue()

        async def made() -> AsyncIterator[bytes]:
            while piece := await pieces.get():
                yield piece

        async with httpx.AsyncClient(transport=async_httpx_transport(echo)) as client:
            asking = asyncio.create_task(client.post(HOST, content=made()))
            for piece in (b"one", b"two", b""):
                await asyncio.sleep(0)
                await pieces.put(piece)
            return await asking

    async def same() -> httpx.Response:
        async with httpx.AsyncClient(transport=async_httpx_transport(echo)) as client:
            return await client.post(HOST, content=b"onetwo")

    assert asyncio.run(main()).json()["body"] == asyncio.run(same()).json()["body"]


def refuse(environ: Environ, start: StartResponse) -> list[bytes]:
    is_too_large = len(environ["wsgi.input"].read(100_001)) > 100_000
    start("413 Content Too Large" if is_too_large else "200 OK", [])
    return []


@pytest.mark.parametrize("library", ["requests", "urllib3", "httpx", "async httpx", "aiohttp"])
def test_an_upload_without_end(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As over a socket: the client stops, and is told why."""
    monkeypatch.setattr("mockgraph.serving.transports.endpoint.MAX_BODY", 100_000)
    with Intercept(refuse):
        assert LIBRARIES[library](Request("POST", HOST, body=[b"x" * 1000] * 1000)).status == 413
        assert LIBRARIES[library](Request("POST", HOST, body=[b"x" * 1000])).status == 200


@pytest.mark.parametrize("library", ["httpx", "async httpx"])
def test_less_than_announced(library: str) -> None:
    request = Request("POST", HOST, {"Content-Length": "10"}, [b"half"])
    with Intercept(echo), pytest.raises(httpx.LocalProtocolError, match="Too little data"):
        LIBRARIES[library](request)


def test_an_answer_to_half_a_request_never_comes() -> None:
    connection = http.client.HTTPSConnection("graph.microsoft.com")
    with Intercept(echo), closing(connection):
        connection.putrequest("POST", "/")
        connection.putheader("Content-Length", "10")
        connection.endheaders(b"half")
        with pytest.raises(TimeoutError):
            connection.getresponse()


def test_a_client_that_waits_to_be_told_to_go_on() -> None:
    async def main() -> dict[str, Any]:
        async with (
            aiohttp.ClientSession() as client,
            client.post(HOST, data=b"body", expect100=True) as answer,
        ):
            said: dict[str, Any] = await answer.json()
            return said

    with Intercept(echo):
        said = asyncio.run(main())
        without = LIBRARIES["requests"](
            Request("POST", HOST, {"Expect": "100-continue"}, body=b"body")
        )
    assert said["HTTP_EXPECT"] == "100-continue"
    assert said["body"].encode() in without.body
