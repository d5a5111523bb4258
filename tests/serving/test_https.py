"""``mockgraph serve`` over https and as a proxy: certificates, and what is said of them."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from click.testing import CliRunner
from processes import serving

from mockgraph import MockGraph
from mockgraph.cli import main
from mockgraph.errors import MockGraphError
from mockgraph.serving.tls import authority


def test_https_in_python(tmp_path: Any) -> None:
    with MockGraph(auth="off", tls=True, ca_dir=tmp_path / "ca") as graph:
        assert graph.tls_url.startswith("https://127.0.0.1:")
        assert requests.get(f"{graph.tls_url}/Security", verify=graph.ca, timeout=9).ok
        assert requests.get(f"{graph.url}/Security", timeout=9).ok
    with MockGraph() as graph:
        for name in ("tls_url", "ca"):
            with pytest.raises(MockGraphError, match="does not serve https"):
                getattr(graph, name)


def test_the_authority_by_the_command_line(tmp_path: Any) -> None:
    run = CliRunner().invoke(main, ["ca", "--ca-dir", str(tmp_path / "ca")])
    assert run.exit_code == 0, run.output
    assert str(tmp_path / "ca" / "ca.pem") in run.output
    assert (tmp_path / "ca" / "ca.pem").exists()


def test_the_authority_s_path_is_good_from_any_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke(main, ["ca", "--ca-dir", "ca"])
    assert run.output.splitlines()[0] == str(tmp_path / "ca" / "ca.pem")
    with serving("--tls", "--tls-port", "0", "--ca-dir", "ca") as server:
        assert f"; mockgraph ca --ca-dir {tmp_path / 'ca'} tells" in server.ready


@pytest.mark.long
@pytest.mark.parametrize("own", [True, False])
def test_the_ready_line_says_how_to_trust_what_mockgraph_signed(tmp_path: Path, own: bool) -> None:
    leaf = authority(tmp_path / "ca").issue()
    certificate, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    certificate.write_bytes(leaf.chain)
    key.write_bytes(leaf.key)
    options = ["--tls-cert", str(certificate), "--tls-key", str(key)] if own else ["--tls"]
    with serving(*options, "--tls-port", "0", "--ca-dir", str(tmp_path / "ca")) as server:
        _, line = server.ready.splitlines()
    assert line.startswith("  and https://127.0.0.1:")
    told = f"; mockgraph ca --ca-dir {tmp_path / 'ca'} tells how to trust it"
    assert line.endswith("/localtest/Security" if own else told)


@pytest.mark.long
def test_allowed_hosts_are_names_of_the_certificate(tmp_path: Path) -> None:
    ca = authority(tmp_path / "ca").ca_path
    options = ("--tls", "--tls-port", "0", "--ca-dir", str(tmp_path / "ca"))
    with serving(*options, "--allowed-host", "Graph.test") as server:
        port = urlsplit(server.ready.splitlines()[1].split()[1]).port
        context = ssl.create_default_context(cafile=ca)
        for name in ("graph.test", "localhost"):
            with socket.create_connection(("127.0.0.1", port), 9) as made:
                context.wrap_socket(made, server_hostname=name).close()


@pytest.mark.long
def test_the_ready_line_says_how_to_use_the_proxy(tmp_path: Path) -> None:
    with serving("--proxy", "--proxy-port", "0", "--ca-dir", str(tmp_path / "our ca")) as server:
        _, line = server.ready.splitlines()
    assert line.startswith("  and, as a proxy, http://127.0.0.1:")
    assert line.endswith(f'; mockgraph ca --ca-dir "{tmp_path / "our ca"}" tells how to use it')


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--tls-cert", "missing.pem"], "go together"),
        (["--tls-cert", "missing.pem", "--tls-key", "missing.pem"], "missing.pem"),
    ],
)
def test_certificates_that_cannot_be_used(options: list[str], says: str) -> None:
    run = CliRunner().invoke(main, ["serve", "--port", "0", *options])
    assert run.exit_code == 1
    assert says in run.output
