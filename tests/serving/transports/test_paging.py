"""Links in answers, followed as they are: they lead to the same tenant by the same host."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import pytest
import requests
from flask import Flask

from mockgraph.app import create_app
from mockgraph.server_options import Settings
from mockgraph.serving.transports import Intercept, httpx_transport, requests_adapter

from .clients import LIBRARIES, TRANSPORTS, Request

HOST = "https://graph.microsoft.com"
TOKEN = {"Authorization": "Bearer x", "Content-Type": "application/json"}
ALERTS = "/v1.0/security/alerts"
TITLES = [f"alert {number}" for number in range(5)]

Ask = Callable[[str, str, Any], Any]


@pytest.fixture
def app() -> Iterator[Flask]:
    app = create_app(Settings(seed=({"Security": {"alerts": []}},)))
    yield app
    app.extensions["mockgraph"].close()


def by_requests(app: Flask, prefix: str, headers: Mapping[str, str] | None) -> Ask:
    session = requests.Session()
    session.mount("https://", requests_adapter(app, prefix, headers))
    return lambda method, url, body: session.request(method, url, json=body, headers=TOKEN).json()


def by_httpx(app: Flask, prefix: str, headers: Mapping[str, str] | None) -> Ask:
    client = httpx.Client(transport=httpx_transport(app, prefix, headers), headers=TOKEN)
    return lambda method, url, body: client.request(method, url, json=body).json()


def walk(ask: Ask) -> list[str]:
    """Create alerts, and read them page by page: their titles."""
    for title in TITLES:
        ask("POST", f"{HOST}{ALERTS}", {"title": title})
    titles: list[str] = []
    url = f"{HOST}{ALERTS}?$top=2&$orderby=title"
    while url:
        page = ask("GET", url, None)
        titles += [each["title"] for each in page["value"]]
        url = page.get("@odata.nextLink", "")
        assert not url or url.startswith(HOST)
    return titles


@pytest.mark.parametrize(
    ("prefix", "headers"),
    [("", None), ("/t/mine", None), ("", {"x-mockgraph-tenant": "mine"})],
)
@pytest.mark.parametrize("make", [by_requests, by_httpx])
def test_transports(make: Any, app: Flask, prefix: str, headers: Mapping[str, str] | None) -> None:
    assert walk(make(app, prefix, headers)) == TITLES
    default = make(app, "", None)("GET", f"{HOST}{ALERTS}", None)["value"]
    assert len(default) == (0 if prefix or headers else len(TITLES))


@pytest.mark.parametrize("library", LIBRARIES)
def test_an_intercept(library: str, app: Flask) -> None:
    def ask(method: str, url: str, body: Any) -> Any:
        content = None if body is None else json.dumps(body).encode()
        return json.loads(LIBRARIES[library](Request(method, url, TOKEN, content)).body)

    with Intercept(app, headers={"x-mockgraph-tenant": library.replace(" ", "-")}):
        assert walk(ask) == TITLES
    listed = TRANSPORTS["httpx"](Request("GET", f"{HOST}{ALERTS}", TOKEN), app)
    assert json.loads(listed.body)["value"] == []
