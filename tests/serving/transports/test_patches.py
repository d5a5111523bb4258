"""Patches: several at a time, and nothing left of them."""

from __future__ import annotations

import http.client
import importlib
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import aiohttp
import httpx
import pytest
import requests
import urllib3

from mockgraph.serving.transports import CallRefused, Intercept, patches

from .clients import get
from .echo import echo, named

HOST = "https://graph.microsoft.com"

# -- nesting --------------------------------------------------------------------------------


def test_the_innermost_answers() -> None:
    with Intercept(named("outer")), Intercept(named("inner")):
        assert get(HOST) == b"inner"


def test_an_outer_one_answers_for_hosts_of_its_own() -> None:
    with (
        Intercept(named("outer"), allow=["192.0.2.1"]) as outer,
        Intercept(named("inner"), hosts=["example.com"]) as inner,
    ):
        assert get(HOST) == b"outer"
        assert get("http://example.com") == b"inner"
        with pytest.raises(CallRefused):
            get("http://example.org")
    assert inner.refused == outer.refused != []


def test_one_after_the_other_and_within_itself() -> None:
    intercept = Intercept(named("here"))
    for _ in range(2):
        with intercept, intercept:
            assert get(HOST) == b"here"


def test_two_that_overlap() -> None:
    one, two = Intercept(named("one")), Intercept(named("two"))
    before = patched()
    one.__enter__()
    two.__enter__()
    one.__exit__(None, None, None)
    assert get(HOST) == b"two"
    two.__exit__(None, None, None)
    assert patched() == before


def test_entered_and_left_by_many_threads() -> None:
    before = patched()

    def use(number: int) -> bytes:
        with Intercept(named("here"), hosts=[f"host{number}.example"]):
            return get(f"https://host{number}.example/")

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(use, range(40))) == {b"here"}
    assert patched() == before


# -- leaving --------------------------------------------------------------------------------


def patched() -> list[object]:
    """Return the objects that an intercept replaces, as they are now."""
    classes = (
        http.client.HTTPConnection,
        http.client.HTTPSConnection,
        urllib3.connection.HTTPConnection,
        urllib3.connection.HTTPSConnection,
        urllib3.HTTPConnectionPool,
        httpx.HTTPTransport,
        httpx.AsyncHTTPTransport,
        aiohttp.TCPConnector,
        socket.socket,
    )
    return [*(dict(vars(each)) for each in classes), dict(vars(socket)), list(sys.meta_path)]


class Stop(BaseException):
    """An exception that ends a test."""


@pytest.mark.parametrize("error", [None, ValueError, Stop])
def test_everything_is_as_before(error: type[BaseException] | None) -> None:
    before = patched()
    try:
        with Intercept(echo):
            assert patched() != before
            get(HOST)
            if error:
                raise error
    except (ValueError, Stop):
        pass
    assert patched() == before


def test_a_library_that_cannot_be_patched(monkeypatch: pytest.MonkeyPatch) -> None:
    before = patched()
    monkeypatch.setitem(sys.modules, "aiohttp", ModuleType("aiohttp"))
    with pytest.raises(AttributeError), Intercept(echo):
        pass
    assert patched() == before


def test_a_library_whose_import_is_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with Intercept(named("here")):
        assert get(HOST) == b"here"


def test_what_others_patched_on_top_is_left_to_them(
    live: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner: Any = http.client.HTTPConnection
    monkeypatch.setattr(owner, "putrequest", owner.putrequest)  # to be as before in the end
    asked = []
    with Intercept(named("here")):
        ours = owner.putrequest

        def theirs(connection: Any, method: str, url: str, **options: Any) -> None:
            asked.append(url)
            ours(connection, method, url, **options)

        owner.putrequest = theirs
        assert get(f"{HOST}/one") == b"here"
    assert owner.putrequest is theirs
    assert get(f"{live}/two") == b"live"
    owner.putrequest = ours
    assert get(live) == b"live"
    with Intercept(named("again")):
        assert get(HOST) == b"again"
    assert asked == ["/one", "/two"]


def test_what_others_patch_in_between_is_patched_anew(
    live: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Intercept(named("first")):
        functions = patched()
    with Intercept(named("second")):
        assert patched() == functions  # the same ones: nothing was made again
    owner: Any = http.client.HTTPConnection
    original = owner.putrequest
    asked = []

    def theirs(connection: Any, method: str, url: str, **options: Any) -> None:
        asked.append(url)
        original(connection, method, url, **options)

    monkeypatch.setattr(owner, "putrequest", theirs)
    with Intercept(named("third")):
        assert patched() != functions
        assert get(f"{HOST}/one") == b"third"
        assert get(f"{live}/two") == b"live"
    assert owner.putrequest is theirs
    assert asked == ["/one", "/two"]


# -- staying --------------------------------------------------------------------------------


@pytest.fixture
def staying() -> Iterator[list[object]]:
    """Patches that stay until the end; the objects that they replace, as they were before."""
    before = patched()
    patches.stay(True)
    yield before
    patches.stay(False)
    assert patched() == before


def test_those_that_stay_let_all_pass(live: str, staying: list[object]) -> None:
    with Intercept(named("first"), hosts=["127.0.0.1"]):
        assert get(live) == b"first"
        functions = patched()
    assert patched() == functions != staying
    assert get(live) == b"live"
    with pytest.raises(requests.ConnectionError):
        get("http://127.0.0.1:9")  # where nobody listens
    with Intercept(named("second"), allow=["192.0.2.1"]):
        assert patched() == functions
        assert get(HOST) == b"second"
        assert get(live) == b"live"
        with pytest.raises(CallRefused):
            get("http://example.org")


@pytest.mark.usefixtures("staying")
def test_those_that_stay_know_what_was_undone_in_between(live: str) -> None:
    owner: Any = http.client.HTTPConnection
    original = owner.putrequest
    asked = []

    def theirs(connection: Any, method: str, url: str, **options: Any) -> None:
        asked.append(url)
        original(connection, method, url, **options)

    owner.putrequest = theirs
    with Intercept(named("first")):
        assert get(f"{HOST}/one") == b"first"
    owner.putrequest = original
    assert get(live) == b"live"
    with Intercept(named("second")):
        assert get(f"{HOST}/two") == b"second"
    assert asked == ["/one"]


@pytest.mark.usefixtures("staying")
def test_those_that_stay_patch_what_was_imported_in_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Intercept(named("first")):
        pass
    monkeypatch.setattr(http, "client", http.client)
    monkeypatch.delitem(sys.modules, "http.client")
    anew: Any = importlib.import_module("http.client")
    with Intercept(named("second")):
        connection = anew.HTTPSConnection("graph.microsoft.com")
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"second"


@pytest.mark.usefixtures("staying")
def test_those_that_stay_import_nothing_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    with Intercept(named("first")):
        pass
    monkeypatch.delitem(sys.modules, "aiohttp")
    with Intercept(named("second")):
        assert "aiohttp" not in sys.modules
        assert get(HOST) == b"second"
