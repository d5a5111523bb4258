"""The intercept: whom it answers, what it lets pass, that it leaves nothing behind."""

from __future__ import annotations

import asyncio
import http.client
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
import requests
import urllib3

from mockgraph.serving.hosts import is_local
from mockgraph.serving.transports import GRAPH_HOSTS, SIGN_IN_HOSTS, CallRefused, Intercept

from .clients import LIBRARIES, TIMEOUT, Request, get
from .echo import echo, named

HOST = "https://graph.microsoft.com"


# -- who is answered ------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", [*GRAPH_HOSTS, *SIGN_IN_HOSTS, "GRAPH.microsoft.com:8443"])
def test_hosts_of_microsoft(host: str, scheme: str) -> None:
    host = host.replace("*", "westeurope")
    with Intercept(named("here")):
        answer = requests.get(f"{scheme}://{host}/v1.0", timeout=TIMEOUT)
    assert answer.content == b"here"
    assert answer.headers["X-Host"] == host.lower()


def test_hosts_of_a_test_s_own() -> None:
    with Intercept(named("here"), hosts=["api.example.com", "*.example.org"]):
        assert get("https://api.example.com/") == b"here"
        assert get("http://a.b.example.org/") == b"here"
        with pytest.raises(CallRefused):
            get(HOST)


@pytest.mark.parametrize("library", LIBRARIES)
def test_headers_are_added_and_not_forged(library: str) -> None:
    with Intercept(echo, headers={"x-mockgraph-tenant": "mine"}):
        reply = LIBRARIES[library](Request("GET", HOST, {"X-MockGraph-Tenant": "another"}))
    assert b'"HTTP_X_MOCKGRAPH_TENANT": "mine"' in reply.body


def test_clients_made_before() -> None:
    with httpx.Client() as client, requests.Session() as session:
        with Intercept(named("first")):
            assert client.get(HOST).content == session.get(HOST).content == b"first"
        with Intercept(named("second")):
            assert client.get(HOST).content == session.get(HOST).content == b"second"


def test_a_connection_that_was_open_before(live: str) -> None:
    host = live.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=TIMEOUT)
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"live"
    with Intercept(named("here"), hosts=["127.0.0.1"]):
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"here"
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"live"
    connection.close()


def test_threads_are_intercepted() -> None:
    with Intercept(named("here")), ThreadPoolExecutor(8) as pool:
        assert set(pool.map(get, [HOST] * 40)) == {b"here"}


PROXY = "http://127.0.0.1:9"  # where nobody listens


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("library", LIBRARIES)
def test_proxies_are_not_asked(library: str, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, PROXY)
    monkeypatch.setattr("urllib.request._opener", None)  # it keeps the proxies of its first use
    with Intercept(echo):
        reply = LIBRARIES[library](Request("GET", f"{scheme}://graph.microsoft.com/a?b"))
        assert b'"PATH_INFO": "/a", "QUERY_STRING": "b"' in reply.body
        with pytest.raises(CallRefused, match=f"GET {scheme}://example.com/a"):
            LIBRARIES[library](Request("GET", f"{scheme}://example.com/a"))


def test_a_proxy_given_to_urllib3_and_httpx_and_aiohttp() -> None:
    with Intercept(named("here")):
        with urllib3.ProxyManager(PROXY) as manager:
            assert manager.request("GET", HOST).data == b"here"
            assert manager.request("GET", HOST.replace("https", "http")).data == b"here"
        with httpx.Client(proxy=PROXY) as client:
            assert client.get(HOST).content == b"here"
        assert asyncio.run(get_with_aiohttp(HOST, proxy=PROXY)) == b"here"


def test_a_connection_through_a_tunnel() -> None:
    connection = http.client.HTTPSConnection("127.0.0.1", 9)
    connection.set_tunnel("graph.microsoft.com", 443)
    with Intercept(named("here")):
        connection.connect()
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"here"
    connection.close()


async def get_with_aiohttp(url: str, **options: Any) -> bytes:
    async with aiohttp.ClientSession() as session, session.get(url, **options) as answer:
        return await answer.read()


# -- what passes ----------------------------------------------------------------------------


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_live_server_is_reached(library: str, live: str) -> None:
    port = live.rpartition(":")[2]
    with Intercept(named("here")) as intercept:
        for host in ("127.0.0.1", "localhost"):
            assert LIBRARIES[library](Request("GET", f"http://{host}:{port}/")).body == b"live"
    assert intercept.refused == []


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that knows example.com, to be this machine."""
    resolve = socket.getaddrinfo

    def known(host: Any, *args: Any, **options: Any) -> Any:
        is_known = host in ("example.com", b"example.com")
        return resolve("127.0.0.1" if is_known else host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", known)


@pytest.mark.usefixtures("resolver")
@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("allow", ["example.com", ["*.com"]])
def test_what_is_allowed_passes(library: str, allow: Any, live: str) -> None:
    port = live.rpartition(":")[2]
    with Intercept(named("here"), allow=allow):
        reply = LIBRARIES[library](Request("GET", f"http://example.com:{port}/"))
    assert reply.body == b"live"


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("graph.localhost", True),
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("[::1]", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", True),
        ("::", True),
        ("", True),
        (socket.gethostname(), True),
        ("localhost.example.com", False),
        ("notlocalhost", False),
        ("10.0.0.1", False),
        ("169.254.169.254", False),
        ("fe80::1%eth0", False),
        ("::ffff:192.0.2.1", False),
    ],
)
def test_what_stays_on_the_machine(host: str, local: bool) -> None:
    assert is_local(host) == local


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no unix sockets on this platform")
def test_unix_sockets_pass(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()

    def serve() -> None:
        for _ in range(3):
            connection, _address = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nunix")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with Intercept(named("here")):
        with httpx.Client(transport=httpx.HTTPTransport(uds=path)) as client:
            assert client.get("http://docker/").content == b"unix"
        assert asyncio.run(get_over_unix(path)) == b"unix"
        with socket.socket(socket.AF_UNIX) as plain:
            plain.connect(path)
            plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert plain.recv(65536).endswith(b"unix")
    thread.join(TIMEOUT)
    listener.close()


async def get_over_unix(path: str) -> bytes:
    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(path)) as session,
        session.get("http://docker/") as answer,
    ):
        return await answer.read()


# -- as a decorator -------------------------------------------------------------------------


def test_a_function() -> None:
    @Intercept(named("here"))
    def function(url: str, *, times: int) -> list[bytes]:
        """Gets."""
        return [get(url) for _ in range(times)]

    assert function(HOST, times=2) == [b"here"] * 2
    assert function(HOST, times=1) == [b"here"]
    assert (function.__name__, function.__doc__) == ("function", "Gets.")
    with pytest.raises(CallRefused), Intercept(echo, hosts=[]):
        get(HOST)


def test_a_coroutine_function() -> None:
    @Intercept(named("here"))
    async def function() -> bytes:
        await asyncio.sleep(0)
        return await get_with_aiohttp(HOST)

    assert asyncio.run(function()) == b"here"
    assert asyncio.iscoroutinefunction(function)


def test_it_says_what_it_answers_for() -> None:
    intercept = Intercept(named("in process"), hosts=["one.example", "*.two.example"])
    assert repr(intercept) == "<Intercept one.example, *.two.example: not in force, 0 refused>"
    with intercept, pytest.raises(CallRefused):
        requests.get("https://three.example/", timeout=9)
    with intercept:
        assert repr(intercept).endswith(": in force, 1 refused>")
