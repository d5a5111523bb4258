"""Libraries that are imported after the intercept began, and those that never are."""

from __future__ import annotations

import http.client
import importlib
import importlib.util
import subprocess
import sys
import threading
from types import ModuleType
from typing import Any

import pytest
from processes import ROOT, environment

from mockgraph.serving.transports import CallRefused, Intercept

from .clients import TIMEOUT
from .echo import echo

CLIENTS = ("http.client", "urllib3", "requests", "httpx", "httpcore", "anyio", "aiohttp")

HEAD = f"""
import sys

def loaded():
    return sorted(name for name in {CLIENTS} if name in sys.modules)

def app(environ, start):
    start("200 OK", [])
    return [b"here"]
"""


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", HEAD + code],
        env=environment({"NO_PROXY": "*"}),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_nothing_is_imported_for_the_sake_of_it() -> None:
    code = """
from mockgraph.serving.transports import Intercept
with Intercept(app):
    print(loaded(), "flask" in sys.modules, "asyncio" in sys.modules)
"""
    assert run(code) == "[] False False"


def test_each_transport_imports_its_library() -> None:
    code = """
from mockgraph.serving import transports
transports.requests_adapter(app)
print(loaded())
transports.httpx_transport(app)
print("aiohttp" in loaded(), "anyio" in loaded())
"""
    assert run(code) == "['http.client', 'requests', 'urllib3']\nFalse False"


@pytest.mark.long
@pytest.mark.parametrize(
    "call",
    [
        "import http.client as c; h = c.HTTPSConnection(host); h.request('GET', '/'); "
        "body = h.getresponse().read()",
        "import urllib.request as r; body = r.urlopen(f'https://{host}/').read()",
        "import urllib3; body = urllib3.request('GET', f'https://{host}/').data",
        "import requests; body = requests.get(f'https://{host}/').content",
        "import httpx; body = httpx.get(f'https://{host}/').content",
        "import aiohttp, asyncio\n"
        "async def get():\n"
        "    async with aiohttp.ClientSession() as s, s.get(f'https://{host}/') as answer:\n"
        "        return await answer.read()\n"
        "body = asyncio.run(get())",
    ],
    ids=lambda call: call.split()[1].rstrip(";,"),
)
def test_what_is_imported_later_is_intercepted_too(call: str) -> None:
    code = f"""
from mockgraph.serving.transports import CallRefused, Intercept
assert not loaded()
call = {call!r}
with Intercept(app) as intercept:
    for host in ("graph.microsoft.com", "example.com"):
        try:
            exec(call)
            print(body.decode())
        except CallRefused:
            print(intercept.refused[0].what)
import importlib, inspect
for name in loaded():
    module = importlib.import_module(name)
    assert module.__spec__.loader is module.__loader__
    assert type(module.__loader__).__name__ == "SourceFileLoader"
    assert inspect.getsource(module)
print([each for each in sys.meta_path if type(each).__module__.startswith("mockgraph")])
"""
    assert run(code) == "here\nGET https://example.com/\n[]"


def test_an_import_that_fails_fails_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "aiohttp")
    with Intercept(echo):
        monkeypatch.setattr(sys, "path", [])
        monkeypatch.setattr(sys, "path_importer_cache", {})
        with pytest.raises(ModuleNotFoundError, match="No module named 'aiohttp'"):
            importlib.import_module("aiohttp")


def test_a_library_that_is_only_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "aiohttp")
    with Intercept(echo):
        found: Any = importlib.util.find_spec("aiohttp")
    assert found.loader.is_package("aiohttp")
    assert found.loader.get_filename() == found.origin


def test_a_library_that_is_imported_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """As happens where test runners put back sys.modules."""
    with Intercept(echo):
        monkeypatch.setattr(http, "client", http.client)
        monkeypatch.delitem(sys.modules, "http.client")
        anew: Any = importlib.import_module("http.client")
        connection = anew.HTTPSConnection("example.com")
        with pytest.raises(CallRefused, match="GET https://example"):
            connection.request("GET", "/")


def test_an_import_under_way_in_another_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for, and patched then."""
    monkeypatch.setattr(http, "client", http.client)
    monkeypatch.delitem(sys.modules, "http.client")
    began, go_on = threading.Event(), threading.Event()
    from importlib.machinery import SourceFileLoader

    load = SourceFileLoader.exec_module

    def slow(loader: SourceFileLoader, module: ModuleType) -> None:
        if module.__name__ == "http.client":
            began.set()
            go_on.wait(TIMEOUT)
        load(loader, module)

    monkeypatch.setattr(SourceFileLoader, "exec_module", slow)
    importing = threading.Thread(target=importlib.import_module, args=["http.client"])
    importing.start()
    assert began.wait(TIMEOUT)
    threading.Timer(0.05, go_on.set).start()
    with Intercept(echo):
        connection = sys.modules["http.client"].HTTPSConnection("example.com")
        with pytest.raises(CallRefused):
            connection.request("GET", "/")
    importing.join(TIMEOUT)
