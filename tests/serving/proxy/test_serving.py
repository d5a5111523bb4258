"""The start of the proxy, and what is said of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner
from processes import run, serving
from wire import TIMEOUT, ask, port_of

from mockgraph import MockGraph
from mockgraph.cli import main
from mockgraph.errors import MockGraphError
from mockgraph.serving.proxy import Gate, how_to_use
from mockgraph.serving.server import Server

from . import ALERTS, BEARER, GRAPH, set_variables


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="signals are otherwise there")
def test_serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving("--proxy", "--proxy-port", "0", "--ca-dir", str(tmp_path)) as server:
        found = re.search(r"\n  and, as a proxy, (http://127\.0\.0\.1:\d+); ", server.ready)
        assert found is not None
        set_variables(
            monkeypatch, HTTPS_PROXY=found[1], REQUESTS_CA_BUNDLE=str(tmp_path / "ca.pem")
        )
        assert requests.get(ALERTS, headers=BEARER, timeout=TIMEOUT).status_code == 200
        with pytest.raises(requests.exceptions.ProxyError):
            requests.get("https://example.com/", timeout=TIMEOUT)
        ended = server.stop()
    assert ended.code == 0
    lines = [re.sub(r"^[\d:]+ (.*) [\d.]+ ms$", r"\1", line) for line in ended.err.splitlines()]
    assert lines == [
        f"CONNECT {GRAPH}:443 200",
        "GET /v1.0/security/alerts 200",
        "CONNECT example.com:443 403",
    ]


@pytest.mark.long
def test_a_port_in_use(graph: MockGraph, tmp_path: Path) -> None:
    port = str(port_of(graph.proxy_url))
    ended = run("serve", "--port", "0", "--proxy", "--proxy-port", port, "--ca-dir", str(tmp_path))
    assert (ended.code, ended.out) == (1, "")
    assert f"Cannot listen on 127.0.0.1 port {port}" in ended.err
    assert "--proxy-port 0" in ended.err


def test_a_port_without_a_certificate() -> None:
    with pytest.raises(MockGraphError, match="A proxy needs a port and a certificate, both"):
        Server(Gate(lambda *_: []), proxy_port=0)


def test_a_graph_that_is_no_proxy() -> None:
    with MockGraph() as graph, pytest.raises(MockGraphError, match="start it with proxy=True"):
        graph.proxy_url  # noqa: B018


PROGRAM = f"""
import json, os, sys, urllib.request
asked = urllib.request.Request({ALERTS!r}, headers={BEARER!r})
print(urllib.request.urlopen(asked).status, urllib.request.urlopen(sys.argv[1]).status)
"""


def test_a_program_that_a_test_starts(graph: MockGraph) -> None:
    environ = os.environ | {"https_proxy": "http://proxy.example"} | graph.proxy_environment
    command = [sys.executable, "-c", PROGRAM, f"{graph.origin}/_mockgraph/health"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=TIMEOUT)
    assert (done.stdout, done.stderr) == ("200 200\n", "")


def test_how_to_use(graph: MockGraph) -> None:
    text = how_to_use(graph.ca).replace("http://127.0.0.1:8367", graph.proxy_url)
    for name, value in graph.proxy_environment.items():
        if name.isupper():
            assert re.search(rf"\b{name}=\"?{re.escape(value)}", text), name


def test_the_command_ca_tells_how(tmp_path: Path) -> None:
    ran = CliRunner().invoke(main, ["ca", "--ca-dir", str(tmp_path)])
    assert ran.exit_code == 0
    assert ran.output.endswith(f"{how_to_use(tmp_path / 'ca.pem')}\n")


def test_beside_https(tmp_path: Path) -> None:
    with MockGraph(proxy=True, tls=True, ca_dir=tmp_path) as graph:
        bundle: dict[str, Any] = {"verify": graph.ca, "headers": BEARER, "timeout": TIMEOUT}
        assert requests.get(f"{graph.tls_url}/Security", proxies={"https": ""}, **bundle).ok
        assert requests.get(ALERTS, proxies={"https": graph.proxy_url}, **bundle).ok
        assert ask(graph.origin, "GET", "/_mockgraph/health").status == 200
