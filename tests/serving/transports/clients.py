"""The same request through each client library, live or in process."""

from __future__ import annotations

import asyncio
import http.client
import ssl
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

import aiohttp
import httpx
import requests
import urllib3

from mockgraph.serving.server import WSGIApp
from mockgraph.serving.transports import async_httpx_transport, httpx_transport, requests_adapter

TIMEOUT = 20.0
TRUST = ssl.create_default_context()  # most read the certificates anew for each client
Body = bytes | Sequence[bytes] | None
Headers = list[tuple[str, str]]


class Request(NamedTuple):
    """A request; a body in pieces is sent chunked."""

    method: str
    url: str
    headers: dict[str, str] = {}
    body: Body = None
    timeout: float = TIMEOUT


class Reply(NamedTuple):
    """An answer; the names of headers are in lower case."""

    status: int
    headers: Headers
    body: bytes

    def get(self, name: str) -> str | None:
        return dict(self.headers).get(name)


Ask = Callable[[Request], Reply]


def with_requests(request: Request, session: requests.Session | None = None) -> Reply:
    with session or requests.Session() as session:
        answer = session.request(
            request.method,
            request.url,
            headers=request.headers,
            data=content(request.body),
            timeout=request.timeout,
        )
    return reply(answer.status_code, answer.raw.headers.items(), answer.content)


def with_urllib3(request: Request) -> Reply:
    with urllib3.PoolManager() as manager:
        answer = manager.request(
            request.method,
            request.url,
            headers=request.headers,
            body=content(request.body),
            timeout=request.timeout,
            retries=urllib3.Retry(None, connect=0, read=0, redirect=3),
        )
    return reply(answer.status, answer.headers.items(), answer.data)


def with_httpx(request: Request, transport: httpx.BaseTransport | None = None) -> Reply:
    with httpx.Client(transport=transport, verify=TRUST, follow_redirects=True) as client:
        answer = client.request(
            request.method,
            request.url,
            headers=request.headers,
            content=content(request.body),
            timeout=request.timeout,
        )
    return reply(answer.status_code, answer.headers.multi_items(), answer.content)


def with_async_httpx(request: Request, transport: httpx.AsyncBaseTransport | None = None) -> Reply:
    async def ask() -> Reply:
        async with httpx.AsyncClient(
            transport=transport, verify=TRUST, follow_redirects=True
        ) as client:
            answer = await client.request(
                request.method,
                request.url,
                headers=request.headers,
                content=async_content(request.body),
                timeout=request.timeout,
            )
        return reply(answer.status_code, answer.headers.multi_items(), answer.content)

    return asyncio.run(ask())


def with_aiohttp(request: Request) -> Reply:
    async def ask() -> Reply:
        timeout = aiohttp.ClientTimeout(sock_read=request.timeout)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.request(
                request.method,
                request.url,
                headers=request.headers,
                data=async_content(request.body),
            ) as answer,
        ):
            return reply(answer.status, answer.headers.items(), await answer.read())

    return asyncio.run(ask())


def with_http_client(request: Request) -> Reply:
    parts = urlsplit(request.url)
    connection = (
        http.client.HTTPSConnection(parts.netloc, timeout=request.timeout, context=TRUST)
        if parts.scheme == "https"
        else http.client.HTTPConnection(parts.netloc, timeout=request.timeout)
    )
    try:
        target = request.url.partition("://")[2].partition("/")[2]
        connection.request(
            request.method, f"/{target}", content(request.body), dict(request.headers)
        )
        answer = connection.getresponse()
        return reply(answer.status, answer.headers.items(), answer.read())
    finally:
        connection.close()


def with_urllib(request: Request) -> Reply:
    asked = urllib.request.Request(
        request.url, content(request.body), dict(request.headers), method=request.method
    )
    try:
        answer = urllib.request.urlopen(asked, timeout=request.timeout, context=TRUST)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return reply(answer.status, answer.headers.items(), answer.read())


def content(body: Body) -> bytes | Iterator[bytes] | None:
    return body if body is None or isinstance(body, bytes) else iter(body)


def async_content(body: Body) -> bytes | AsyncIterator[bytes] | None:
    async def pieces(body: Sequence[bytes]) -> AsyncIterator[bytes]:
        for each in body:
            await asyncio.sleep(0)
            yield each

    return body if body is None or isinstance(body, bytes) else pieces(body)


def reply(status: int, headers: Iterable[tuple[str, str]], body: bytes) -> Reply:
    pairs = [(name.lower(), value) for name, value in headers]
    return Reply(status, pairs, body)


def get(url: str) -> bytes:
    """Get with requests."""
    return requests.get(url, timeout=TIMEOUT).content


# Every library that an intercept knows.
LIBRARIES: dict[str, Ask] = {
    "requests": with_requests,
    "urllib3": with_urllib3,
    "httpx": with_httpx,
    "async httpx": with_async_httpx,
    "aiohttp": with_aiohttp,
    "http.client": with_http_client,
    "urllib.request": with_urllib,
}


def over_requests_adapter(request: Request, app: WSGIApp) -> Reply:
    session = requests.Session()
    session.mount("http://", requests_adapter(app))
    session.mount("https://", requests_adapter(app))
    return with_requests(request, session)


def over_httpx_transport(request: Request, app: WSGIApp) -> Reply:
    return with_httpx(request, httpx_transport(app))


def over_async_httpx_transport(request: Request, app: WSGIApp) -> Reply:
    return with_async_httpx(request, async_httpx_transport(app))


# Every transport, with the library that it is for.
TRANSPORTS: dict[str, Callable[[Request, WSGIApp], Reply]] = {
    "requests": over_requests_adapter,
    "httpx": over_httpx_transport,
    "async httpx": over_async_httpx_transport,
}
