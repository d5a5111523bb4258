"""Transports and adapter: what they are given, what they hand out, how clients use them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from typing import Any

import httpx
import pytest
import requests
import urllib3
from requests.adapters import BaseAdapter

from mockgraph.serving.server import WSGIApp
from mockgraph.serving.transports import (
    Intercept,
    async_httpx_transport,
    httpx_transport,
    requests_adapter,
)

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


@pytest.mark.parametrize("url", ["ftp://graph.microsoft.com/", "/v1.0", "graph.microsoft.com"])
@pytest.mark.parametrize("library", ["httpx", "async httpx"])
def test_a_url_that_httpx_does_not_take(library: str, url: str) -> None:
    for intercepted in (True, False):
        with (
            Intercept(echo) if intercepted else nullcontext(),
            pytest.raises(httpx.UnsupportedProtocol),
        ):
            LIBRARIES[library](Request("GET", url))
    with pytest.raises(httpx.UnsupportedProtocol):
        TRANSPORTS[library](Request("GET", url), echo)


@pytest.mark.parametrize("library", ["httpx", "async httpx"])
def test_a_header_that_would_be_two(library: str) -> None:
    request = Request("GET", HOST, {"X-A": "1\r\nX-B: 2"})
    with pytest.raises(httpx.LocalProtocolError):
        TRANSPORTS[library](request, echo)


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


def silent(_: Environ, __: StartResponse) -> Iterable[bytes]:
    return []


def silent_and_lazy(_: Environ, __: StartResponse) -> Iterator[bytes]:
    yield from ()


@pytest.mark.parametrize("app", [silent, silent_and_lazy])
@pytest.mark.parametrize("library", TRANSPORTS)
def test_an_app_that_does_not_answer(library: str, app: WSGIApp) -> None:
    with pytest.raises(RuntimeError, match="did not call start_response"):
        TRANSPORTS[library](Request("GET", HOST), app)


@pytest.mark.parametrize("app", [lazy, written, replaced])
@pytest.mark.parametrize("library", TRANSPORTS)
def test_whatever_wsgi_allows(library: str, app: WSGIApp) -> None:
    reply = TRANSPORTS[library](Request("GET", HOST), app)
    assert (reply.status, reply.body) == (201, getattr(app, "__name__", "").encode())
    assert reply.get("x-old") is None
    assert reply.get("date")
