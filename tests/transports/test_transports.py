"""Transports and adapter: what they are given, what they hand out, how clients use them."""

from __future__ import annotations

import asyncio
import http.client
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import closing
from typing import Any

import aiohttp
import httpx
import pytest
import requests
import urllib3
from requests.adapters import BaseAdapter

from mockgraph.server import WSGIApp
from mockgraph.transports import (
    Intercept,
    async_httpx_transport,
    httpx_transport,
    requests_adapter,
)
from mockgraph.transports.endpoint import Endpoint, Peer
from mockgraph.transports.http1 import Conversation

from .clients import LIBRARIES, TIMEOUT, TRANSPORTS, Request
from .echo import Environ, StartResponse, echo

HOST = "https://graph.microsoft.com"


def session(app: WSGIApp, **options: Any) -> requests.Session:
    session = requests.Session()
    session.mount("https://", requests_adapter(app, **options))
    return session


def test_each_is_of_its_library_s_kind() -> None:
    assert isinstance(httpx_transport(echo), httpx.BaseTransport)
    assert isinstance(async_httpx_transport(echo), httpx.AsyncBaseTransport)
    assert isinstance(requests_adapter(echo), BaseAdapter)


# -- prefix and headers ---------------------------------------------------------------------


def async_get(url: str, **options: Any) -> httpx.Response:
    async def get() -> httpx.Response:
        async with httpx.AsyncClient(transport=async_httpx_transport(echo, **options)) as client:
            return await client.get(url)

    return asyncio.run(get())


Get = Callable[..., Any]
GETS: dict[str, Get] = {
    "requests": lambda url, **options: session(echo, **options).get(url),
    "httpx": lambda url, **options: httpx.Client(transport=httpx_transport(echo, **options)).get(
        url
    ),
    "async httpx": async_get,
}


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("/v1.0/security", "/t/mine/v1.0/security"),
        ("", "/t/mine/"),
        ("/t/mine/v1.0", "/t/mine/v1.0"),
        ("/t/mine", "/t/mine"),
        ("/t/mine2/v1.0", "/t/mine/t/mine2/v1.0"),
        ("/a%2Fb%20c", "/t/mine/a/b c"),
    ],
)
@pytest.mark.parametrize("get", GETS.values(), ids=GETS)
@pytest.mark.parametrize("prefix", ["/t/mine", "/t/mine/"])
def test_a_prefix(get: Get, path: str, seen: str, prefix: str) -> None:
    assert get(f"{HOST}{path}", prefix=prefix).json()["PATH_INFO"] == seen


@pytest.mark.parametrize("make", [httpx_transport, async_httpx_transport, requests_adapter])
def test_a_prefix_without_a_slash(make: Any) -> None:
    with pytest.raises(ValueError, match="'/t/mine', not 't/mine'"):
        make(echo, prefix="t/mine")


@pytest.mark.parametrize("get", GETS.values(), ids=GETS)
def test_headers(get: Get) -> None:
    said = get(HOST, headers={"x-mockgraph-tenant": "mine", "Content-Type": "x/y"}).json()
    assert said["HTTP_X_MOCKGRAPH_TENANT"] == "mine"
    assert said["CONTENT_TYPE"] == "x/y"


@pytest.mark.parametrize(
    ("url", "host", "scheme", "server"),
    [
        ("https://graph.microsoft.com/", "graph.microsoft.com", "https", "443"),
        ("http://graph.microsoft.com/", "graph.microsoft.com", "http", "80"),
        ("https://localhost:8443/", "localhost:8443", "https", "8443"),
        ("http://[::1]:8365/", "[::1]:8365", "http", "8365"),
    ],
)
@pytest.mark.parametrize("library", TRANSPORTS)
def test_the_host_is_the_caller_s(
    library: str, url: str, host: str, scheme: str, server: str
) -> None:
    seen = []

    def app(environ: Environ, start: StartResponse) -> list[bytes]:
        names = ("HTTP_HOST", "wsgi.url_scheme", "SERVER_PORT")
        seen.append(tuple(environ[name] for name in names))
        start("204 No Content", [])
        return []

    TRANSPORTS[library](Request("GET", url), app)
    assert seen == [(host, scheme, server)]


# -- requests -------------------------------------------------------------------------------


def failing(times: int) -> WSGIApp:
    """An app that is unavailable so many times."""
    left = iter(range(times))

    def app(_: Environ, start: StartResponse) -> list[bytes]:
        failed = next(left, None) is not None
        start("503 Service Unavailable" if failed else "200 OK", [])
        return [b"failed" if failed else b"answered"]

    return app


def test_retries_of_the_adapter() -> None:
    retry = urllib3.Retry(3, status_forcelist=[503])
    assert session(failing(2), max_retries=retry).get(HOST).content == b"answered"
    with pytest.raises(requests.exceptions.RetryError):
        session(failing(9), max_retries=retry).get(HOST)
    assert session(failing(1)).get(HOST).status_code == 503


def test_a_session_keeps_cookies_and_tells_how_long_it_took() -> None:
    with session(echo) as client:
        answer = client.get(f"{HOST}/cookies")
        assert answer.cookies.get_dict() == {"a": "1", "b": "2"}
        assert answer.elapsed.total_seconds() > 0
        assert answer.raw.version == 11
        assert answer.reason == "OK"
        assert client.get(HOST).json()["HTTP_COOKIE"] == "a=1; b=2"


def test_one_adapter_for_many_threads() -> None:
    with session(echo) as client:
        answers: list[int] = []

        def get() -> None:
            answers.extend(client.get(f"{HOST}/{n}").status_code for n in range(20))

        threads = [threading.Thread(target=get) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(TIMEOUT)
    assert answers == [200] * 80


def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    assert session(echo).get(HOST).status_code == 200


# -- streams --------------------------------------------------------------------------------


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
    with session(app).get(HOST, stream=True) as answer:
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
    monkeypatch.setattr("mockgraph.transports.endpoint.MAX_BODY", 100_000)
    with Intercept(refuse):
        assert LIBRARIES[library](Request("POST", HOST, body=[b"x" * 1000] * 1000)).status == 413
        assert LIBRARIES[library](Request("POST", HOST, body=[b"x" * 1000])).status == 200


# -- apps of other kinds --------------------------------------------------------------------


def lazy(_: Environ, start: StartResponse) -> Iterator[bytes]:
    start("201 Created", [("Content-Length", "4")])
    yield b"lazy"


def written(_: Environ, start: StartResponse) -> Iterable[bytes]:
    write = start("201 Created", [("Content-Length", "7")])
    write(b"written")
    return []


def replaced(_: Environ, start: StartResponse) -> Iterable[bytes]:
    start("200 OK", [("X-Old", "yes")])
    start("201 Created", [("Date", "now")], (None, None, None))
    return (b"re", b"placed")


@pytest.mark.parametrize("app", [lazy, written, replaced])
@pytest.mark.parametrize("library", TRANSPORTS)
def test_whatever_wsgi_allows(library: str, app: WSGIApp) -> None:
    reply = TRANSPORTS[library](Request("GET", HOST), app)
    assert (reply.status, reply.body) == (201, getattr(app, "__name__", "").encode())
    assert reply.get("x-old") is None
    assert reply.get("date")


# -- HTTP/1.1 as bytes ----------------------------------------------------------------------


def received(talk: Conversation) -> bytes:
    return b"".join(iter(talk.receive, b""))


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_request_in_pieces_of_any_size(size: int) -> None:
    request = (
        b"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n"
    )
    seen = []

    def app(environ: Environ, start: StartResponse) -> list[bytes]:
        seen.append(environ["wsgi.input"].read())
        start("204 No Content", [])
        return []

    talk = Conversation(Endpoint(app), Peer("http", "h", 80))
    for at in range(0, len(request), size):
        assert not talk.is_complete
        talk.send(request[at : at + size])
    assert talk.is_complete
    assert received(talk).startswith(b"HTTP/1.1 204 No Content\r\n")
    assert seen == [b"abc0123456789"]


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
