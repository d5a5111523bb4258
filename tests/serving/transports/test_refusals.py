"""Calls that would have left the machine: refused, named, remembered."""

from __future__ import annotations

import asyncio
import http.client
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpcore
import httpx
import pytest
import requests
import urllib3

from mockgraph.serving.transports import Attempt, CallRefused, Intercept, requests_adapter

from .clients import LIBRARIES, Request
from .echo import echo

URL = "https://api.example.com:8443/a%20b?c=d"


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_the_call_is_named_and_the_way_out(library: str, method: str) -> None:
    with Intercept(echo) as intercept, pytest.raises(CallRefused) as refused:
        LIBRARIES[library](Request(method, URL))
    assert str(refused.value) == (
        f"Refused: {method} {URL}. It would have left this machine; "
        'to let it through, allow its host: intercept(allow=["api.example.com"]), or '
        'allow_hosts=["api.example.com"] in the marker.'
    )
    assert refused.value.attempts == (Attempt("api.example.com", f"{method} {URL}"),)
    assert intercept.refused == list(refused.value.attempts)


@pytest.mark.parametrize("library", LIBRARIES)
def test_it_is_remembered_though_the_code_caught_it(library: str) -> None:
    with Intercept(echo) as intercept:
        for host in ("one.example", "two.example"):
            with suppress(Exception):
                LIBRARIES[library](Request("GET", f"http://{host}/"))
    with pytest.raises(CallRefused) as refused:
        intercept.check()
    assert str(refused.value) == (
        "Refused: GET http://one.example/; GET http://two.example/. It would have left this "
        'machine; to let it through, allow its host: intercept(allow=["one.example", '
        '"two.example"]), or allow_hosts=["one.example", "two.example"] in the marker.'
    )


def test_nothing_was_refused() -> None:
    with Intercept(echo) as intercept:
        requests.get("https://graph.microsoft.com/", timeout=1)
    intercept.check()


def test_clients_do_not_take_it_for_an_error_of_the_network() -> None:
    assert not issubclass(CallRefused, (OSError, httpx.HTTPError, urllib3.exceptions.HTTPError))
    session = requests.Session()
    session.mount("https://", requests.adapters.HTTPAdapter(max_retries=urllib3.Retry(5)))
    with Intercept(echo) as intercept, pytest.raises(CallRefused):
        session.get(URL)
    assert len(intercept.refused) == 1


def test_a_redirect_to_elsewhere_is_refused() -> None:
    def app(_: Any, start: Callable[..., Any]) -> list[bytes]:
        start("302 Found", [("Location", "https://elsewhere.example/")])
        return []

    with Intercept(app), pytest.raises(CallRefused, match=r"GET https://elsewhere\.example/"):
        requests.get("https://graph.microsoft.com/")


def connect(address: Any, family: int = socket.AF_INET) -> None:
    with socket.socket(family) as sock:
        sock.connect(address)


def connect_ex() -> None:
    with socket.socket() as sock:
        sock.connect_ex(("192.0.2.1", 80))


def sendto(*flags: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        send: Any = sock.sendto
        send(b"x", *flags, ("192.0.2.1", 53))


def connect_with_tls() -> None:
    connection = http.client.HTTPSConnection("api.example.com")
    connection.connect()


async def connect_with_asyncio(host: str) -> None:
    await asyncio.open_connection(host, 443)


# Ways out below the libraries, or past them.
WAYS_OUT: dict[str, tuple[Callable[[], object], str]] = {
    "an address": (lambda: connect(("192.0.2.1", 80)), "192.0.2.1 port 80"),
    "an address of IPv6": (
        lambda: connect(("2001:db8::1", 80, 0, 0), socket.AF_INET6),
        "2001:db8::1 port 80",
    ),
    "a name": (lambda: connect(("api.example.com", 80)), "api.example.com port 80"),
    "connect_ex": (connect_ex, "192.0.2.1 port 80"),
    "a datagram": (sendto, "192.0.2.1 port 53"),
    "a datagram with flags": (lambda: sendto(0), "192.0.2.1 port 53"),
    "create_connection": (
        lambda: socket.create_connection(("api.example.com", 443)),
        "api.example.com port 443",
    ),
    "getaddrinfo": (lambda: socket.getaddrinfo(b"api.example.com", "https"), "port https"),
    "gethostbyname": (lambda: socket.gethostbyname("api.example.com"), "api.example.com"),
    "gethostbyname_ex": (lambda: socket.gethostbyname_ex("api.example.com"), "api.example.com"),
    "http.client, connecting": (connect_with_tls, "a call to api.example.com port 443"),
    "httpcore": (lambda: httpcore.request("GET", URL), "api.example.com port 8443"),
    "asyncio": (lambda: asyncio.run(connect_with_asyncio("api.example.com")), "api.example.com"),
    "asyncio, by address": (lambda: asyncio.run(connect_with_asyncio("192.0.2.1")), "192.0.2.1"),
}


@pytest.mark.parametrize("way", WAYS_OUT)
def test_ways_past_the_libraries(way: str) -> None:
    call, named = WAYS_OUT[way]
    with Intercept(echo) as intercept, pytest.raises(CallRefused, match=named):
        call()
    assert len(intercept.refused) == 1


def test_a_client_that_is_not_known_is_not_let_through_to_the_real_graph() -> None:
    with Intercept(echo), pytest.raises(CallRefused, match="not through this client"):
        httpcore.request("GET", "https://graph.microsoft.com/")


def test_sockets_work_as_ever_on_this_machine() -> None:
    with Intercept(echo), socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname()) as client:
            accepted, _ = listener.accept()
            with accepted:
                client.sendall(b"hello")
                assert accepted.recv(5) == b"hello"
        with socket.socket() as again:
            assert again.connect_ex(listener.getsockname()) == 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            assert datagrams.sendto(b"x", listener.getsockname()) == 1
        assert socket.gethostbyname("localhost") == "127.0.0.1"
        assert "127.0.0.1" in socket.gethostbyname_ex("localhost")[2]
        assert socket.getaddrinfo(None, 0)
        for address in ((), ("localhost",)):
            with socket.socket() as wrong, pytest.raises(TypeError):
                wrong.connect(*address)


def test_an_adapter_answers_within_an_intercept() -> None:
    """It goes nowhere: it is neither refused nor answered by another app."""

    def other(_: Any, start: Callable[..., Any]) -> list[bytes]:
        start("200 OK", [])
        return [b"other"]

    session = requests.Session()
    session.mount("http://", requests_adapter(other))
    session.mount("https://", requests_adapter(other))
    with Intercept(echo) as intercept:
        for url in (URL, URL.replace("https", "http"), "https://graph.microsoft.com/"):
            assert session.get(url).content == b"other"
    assert intercept.refused == []
