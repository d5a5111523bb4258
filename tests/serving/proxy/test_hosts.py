"""For whom the proxy answers, and by which name."""

from __future__ import annotations

import httpx
import pytest
import requests
from wire import TIMEOUT, ask

from mockgraph import MockGraph
from mockgraph.serving.proxy import HOSTS

from . import ALERTS, BEARER, GRAPH, proxied


@pytest.mark.parametrize("host", [host.replace("*", "westeurope") for host in HOSTS[:-1]])
def test_every_name_is_answered_for(host: str) -> None:
    url = f"https://{host}/v1.0/security/alerts"
    page = requests.get(f"{url}?$top=1", headers=BEARER, timeout=TIMEOUT).json()
    assert page["@odata.nextLink"].startswith(f"{url}?$top=1&")


def test_names_in_other_letters() -> None:
    url = "https://GRAPH.microsoft.com:443/v1.0/security/alerts"
    page = httpx.get(f"{url}?$top=1", headers=BEARER, timeout=TIMEOUT).json()
    assert page["@odata.nextLink"].startswith(f"{ALERTS}?")


@pytest.mark.parametrize(
    ("target", "named"),
    [
        ("https://example.com/a?b", "example.com:443"),
        ("https://graph.microsoft.com:8443/", "graph.microsoft.com:8443"),
        ("https://graph.microsoft.com:80/", "graph.microsoft.com:80"),
        ("https://graph.microsoft.com.example.com/", "graph.microsoft.com.example.com:443"),
        ("https://notgraph.microsoft.com/", "notgraph.microsoft.com:443"),
        ("https://login.microsoft.com.evil/", "login.microsoft.com.evil:443"),
        ("https://127.0.0.1/", "127.0.0.1:443"),
        ("https://localhost:8366/", "localhost:8366"),
        ("https://[::1]/", "[::1]:443"),
    ],
)
def test_a_tunnel_to_others_is_refused(graph: MockGraph, target: str, named: str) -> None:
    with pytest.raises(requests.exceptions.ProxyError) as raised:
        requests.get(target, timeout=TIMEOUT)
    assert f"403 MockGraph does not pass requests on to {named}" in str(raised.value)
    answer = ask(graph.proxy_url, "CONNECT", named, headers={})
    assert (answer.status, answer.json["error"]["code"]) == (403, "Forbidden")
    assert f"requests on to {named}: " in answer.json["error"]["message"]
    assert answer.headers["request-id"] == answer.json["error"]["innerError"]["request-id"]
    assert not list(graph.requests)


@pytest.mark.parametrize(
    ("target", "named"),
    [
        ("http://example.com/a?b", "example.com"),
        ("http://example.com", "example.com"),
        ("http://example.com?graph.microsoft.com", "example.com"),
        ("http://graph.microsoft.com@example.com/", "example.com"),
        ("http://graph.microsoft.com:443/", "graph.microsoft.com:443"),
        ("http://graph.microsoft.com:0/", "graph.microsoft.com:0"),
        ("https://graph.microsoft.com:80/", "graph.microsoft.com:80"),
        ("http://graph.microsoft.com:99999/", "graph.microsoft.com:99999"),
        ("http://127.0.0.1:8365/_mockgraph/state", "127.0.0.1:8365"),
        ("http://localhost/v1.0/security", "localhost"),
        ("http://[::1]/", "[::1]"),
        ("ftp://graph.microsoft.com/", "ftp://graph.microsoft.com/"),
    ],
)
def test_a_url_of_others_is_refused(graph: MockGraph, target: str, named: str) -> None:
    answer = proxied(graph, "GET", target)
    assert (answer.status, answer.json["error"]["code"]) == (403, "Forbidden")
    assert f"requests on to {named}: " in answer.json["error"]["message"]
    assert not list(graph.requests)


@pytest.mark.parametrize("scheme", ["http", "https", "HTTP"])
def test_a_url_in_the_clear(graph: MockGraph, scheme: str) -> None:
    """axios, for one, sends a proxy https URLs as they are."""
    headers = {"Proxy-Authorization": "Basic eDp5", "Proxy-Connection": "keep-alive"}
    target = f"{scheme}://Graph.Microsoft.com./v1.0/security/alerts?$top=1"
    answer = proxied(graph, "GET", target, **headers)
    url = f"{scheme.lower()}://{GRAPH}/v1.0/security/alerts"
    assert answer.json["@odata.nextLink"].startswith(f"{url}?$top=1&")
    (exchange,) = graph.requests
    assert exchange.path == "/v1.0/security/alerts"
    assert exchange.headers["Host"] == GRAPH
    assert not [name for name, _ in exchange.headers if name.startswith("Proxy")]


@pytest.mark.parametrize("target", ["/", "/v1.0/security", "/http://graph.microsoft.com/", "*"])
def test_who_takes_the_proxy_for_a_server(graph: MockGraph, target: str) -> None:
    answer = proxied(graph, "OPTIONS" if target == "*" else "GET", target)
    assert answer.status == 400
    assert "HTTPS_PROXY" in answer.json["error"]["message"]
