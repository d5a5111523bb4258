"""Tenants, faults, batches and more behind the proxy; and what is not there."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
from wire import TIMEOUT, ask

from mockgraph import MockGraph
from mockgraph.app import create_app
from mockgraph.server_options import Settings
from mockgraph.serving.proxy import Gate, certificate
from mockgraph.serving.server import Server
from mockgraph.serving.tls import authority

from . import ALERTS, BEARER, GRAPH, LOGIN, proxied, set_variables


def test_tenants(graph: MockGraph) -> None:
    team = graph.tenant("team")
    team.state = {"Security": {"alerts": [{"id": "t"}, {"id": "u"}]}}
    named = {**BEARER, "x-mockgraph-tenant": "team"}
    assert len(requests.get(ALERTS, headers=named, timeout=TIMEOUT).json()["value"]) == 2
    url = f"https://{GRAPH}/t/team/v1.0/security/alerts"
    page = requests.get(f"{url}?$top=1", headers=BEARER, timeout=TIMEOUT).json()
    assert page["@odata.nextLink"].startswith(f"{url}?")
    assert len(requests.get(ALERTS, headers=BEARER, timeout=TIMEOUT).json()["value"]) == 3


def test_faults(graph: MockGraph) -> None:
    graph.faults.throttle(retry_after=7)
    answer = requests.get(ALERTS, headers=BEARER, timeout=TIMEOUT)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    graph.faults.cut()
    with pytest.raises(requests.ConnectionError):
        requests.get(ALERTS, headers=BEARER, timeout=TIMEOUT)


def test_batches() -> None:
    items = [{"id": "1", "method": "GET", "url": "/security/alerts?$top=1"}]
    answer = requests.post(
        f"https://{GRAPH}/v1.0/$batch", json={"requests": items}, headers=BEARER, timeout=TIMEOUT
    )
    (item,) = answer.json()["responses"]
    assert item["body"]["@odata.nextLink"].startswith(f"{ALERTS}?")


@pytest.mark.parametrize("prefix", ["", "/t/team"])
@pytest.mark.parametrize("path", ["health", "state", "nothing", "../_mockgraph/state"])
@pytest.mark.parametrize("host", [GRAPH, LOGIN, "169.254.169.254"])
def test_the_control_plane_is_out_of_reach(
    graph: MockGraph, host: str, path: str, prefix: str
) -> None:
    local = {"Host": "localhost", "X-Forwarded-Host": "localhost"}
    for plane in ("_mockgraph", "_MockGraph", "%5Fmockgraph"):
        answer = proxied(graph, "GET", f"http://{host}{prefix}/{plane}/{path}", **local)
        assert (answer.status, answer.json["error"]["code"]) == (403, "Forbidden")


def test_the_control_plane_is_out_of_reach_in_tunnels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(Settings(allowed_hosts=(GRAPH,)))
    own = authority(tmp_path)
    server = Server(Gate(app), proxy_port=0, proxy_certificate=certificate(own))
    server.start()
    set_variables(
        monkeypatch, HTTPS_PROXY=str(server.proxy_url), REQUESTS_CA_BUNDLE=str(own.ca_path)
    )
    for prefix in ("", "/t/team"):
        for plane in ("_mockgraph/health", "_mockgraph/state", "%5FMOCKGRAPH/state"):
            answer = requests.get(f"https://{GRAPH}{prefix}/{plane}", timeout=TIMEOUT)
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "Forbidden")
    assert requests.get(f"https://{GRAPH}/", timeout=TIMEOUT).json()["name"] == "MockGraph"
    assert ask(server.origin, "GET", "/_mockgraph/state", headers={"Host": GRAPH}).status == 200
    server.stop()
    app.extensions["mockgraph"].close()
