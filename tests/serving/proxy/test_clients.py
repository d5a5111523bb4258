"""Programs that are told of a proxy and of an authority, and of nothing else."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import shutil
import ssl
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import msal
import pytest
import requests
from wire import TIMEOUT, port_of

from mockgraph import MockGraph

from . import ALERTS, BEARER, GRAPH, LOGIN, SEED, environment, set_variables

DEFAULT = f"https://{GRAPH}/.default"
AUTHORITY = f"https://{LOGIN}/contoso.example"
CURL = shutil.which("curl")


def test_requests(graph: MockGraph) -> None:
    with requests.Session() as session:
        session.headers.update(BEARER)
        created = session.post(ALERTS, json={"title": "new"}, timeout=TIMEOUT)
        assert created.status_code == 201
        url = f"{ALERTS}?$top=2&$orderby=title"
        titles = []
        while url:
            page = session.get(url, timeout=TIMEOUT).json()
            assert page["@odata.context"].startswith(f"https://{GRAPH}/v1.0/$metadata#")
            titles += [alert["title"] for alert in page["value"]]
            url = page.get("@odata.nextLink")
            assert url is None or url.startswith(f"{ALERTS}?")
    assert titles == ["0", "1", "2", "new"]
    assert len(graph.state["Security"]["alerts"]) == 4
    graph.assert_called("POST", "/security/alerts", json={"title": "new"}, times=1)
    assert {exchange.headers["Host"] for exchange in graph.requests} == {GRAPH}


def test_httpx() -> None:
    with httpx.Client(headers=BEARER, timeout=TIMEOUT) as client:
        assert len(client.get(ALERTS).json()["value"]) == 3
        discovered = client.get(f"{AUTHORITY}/v2.0/.well-known/openid-configuration").json()
        assert discovered["token_endpoint"].startswith(f"https://{LOGIN}/")
        assert client.get(discovered["jwks_uri"]).json()["keys"]


async def read_with_aiohttp() -> Any:
    async with (
        aiohttp.ClientSession(trust_env=True) as session,
        # Its own context is made at import, with the environment of that moment.
        session.get(ALERTS, headers=BEARER, ssl=ssl.create_default_context()) as answer,
    ):
        return await answer.json()


def test_aiohttp() -> None:
    assert len(asyncio.run(read_with_aiohttp())["value"]) == 3


def test_urllib() -> None:
    asked = urllib.request.Request(ALERTS, headers=BEARER)
    opener = urllib.request.build_opener()  # urlopen keeps one, with the proxies of its making
    with opener.open(asked, timeout=TIMEOUT) as answer:
        assert len(json.load(answer)["value"]) == 3


def test_http_client(graph: MockGraph) -> None:
    connection = http.client.HTTPSConnection(
        "127.0.0.1",
        port_of(graph.proxy_url),
        timeout=TIMEOUT,
        context=ssl.create_default_context(cafile=graph.ca),
    )
    connection.set_tunnel(GRAPH)
    for _ in range(3):
        connection.request("GET", "/v1.0/security/alerts", headers=BEARER)
        assert len(json.load(connection.getresponse())["value"]) == 3
    connection.close()


@pytest.mark.skipif(CURL is None, reason="a platform without curl")
def test_curl() -> None:
    command = [str(CURL), "--silent", "--show-error", "--max-time", str(TIMEOUT)]
    asked = [*command, "--header", "Authorization: Bearer x", ALERTS]
    done = subprocess.run(asked, env=dict(os.environ), capture_output=True, check=True)
    assert len(json.loads(done.stdout)["value"]) == 3
    refused = subprocess.run([*command, "https://example.com/"], capture_output=True, text=True)
    assert refused.returncode == 56  # failure in receiving: the tunnel was refused
    assert "403" in refused.stderr


def test_msal_signs_in_and_graph_is_read(tmp_path: Path) -> None:
    with (
        MockGraph(proxy=True, ca_dir=tmp_path, auth="jwt", seed=SEED) as graph,
        pytest.MonkeyPatch.context() as patch,
    ):
        set_variables(patch, **environment(graph))
        app = msal.ConfidentialClientApplication("app", "any", authority=AUTHORITY)
        token = app.acquire_token_for_client([DEFAULT])
        bearer = {"Authorization": f"Bearer {token['access_token']}"}
        answer = requests.get(ALERTS, headers=bearer, timeout=TIMEOUT)
        assert [alert["id"] for alert in answer.json()["value"]] == ["a0", "a1", "a2"]
        assert requests.get(ALERTS, headers=BEARER, timeout=TIMEOUT).status_code == 401
        device = msal.PublicClientApplication("app", authority=AUTHORITY)
        flow = device.initiate_device_flow([f"https://{GRAPH}/SecurityEvents.Read.All"])
        assert flow["verification_uri"].startswith(f"https://{LOGIN}/")


def test_managed_identity_of_a_machine(graph: MockGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", graph.proxy_url)
    identity = msal.ManagedIdentityClient(
        msal.SystemAssignedManagedIdentity(), http_client=requests.Session()
    )
    token = identity.acquire_token_for_client(resource=f"https://{GRAPH}")
    assert token["access_token"].count(".") == 2
