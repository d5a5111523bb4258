"""``mockgraph run`` and ``wait``, and lines of requests that stay out of the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from processes import COMMAND, TIMEOUT, environment, run, serving

from mockgraph import MockGraph

PROGRAM = """
import os, sys, urllib.request
request = urllib.request.Request(
    os.environ["MOCKGRAPH_URL"] + "/v1.0/security/alerts_v2", headers={"Authorization": "Bearer x"}
)
print(urllib.request.urlopen(request).status)
sys.exit(int(sys.argv[1]))
"""


@pytest.mark.parametrize("code", [0, 3])
def test_the_command_finds_the_server_and_gives_its_exit_code(code: int) -> None:
    ended = run("run", "--seed", "demo", "--", sys.executable, "-c", PROGRAM, str(code))
    assert (ended.code, ended.out, ended.err) == (code, "200\n", "")


def test_the_help_has_the_ports_that_are_taken() -> None:
    shown = run("run", "--help").out
    assert shown.count("default: 0;") == 3
    assert "836" not in shown


@pytest.mark.long
def test_a_report_and_a_threshold(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    words = ["run", "--report", str(path), "--fail-on", "advice", "--"]
    ended = run(*words, sys.executable, "-c", PROGRAM, "0")
    assert ended.code == 1
    assert ended.err.startswith("There are advice: ")
    assert json.loads(path.read_text())["requests"] == 1
    assert run(*words, sys.executable, "-c", PROGRAM, "5").code == 5


@pytest.mark.long
def test_variables_of_tls_and_of_the_proxy(tmp_path: Path) -> None:
    names = ["MOCKGRAPH_TLS_URL", "HTTPS_PROXY", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"]
    program = f"import os; print(*(os.environ[name] for name in {names}))"
    options = ["--tls", "--proxy", "--ca-dir", str(tmp_path)]
    ended = run("run", *options, "--", sys.executable, "-c", program)
    tls, proxy, ca, node = ended.out.split()
    assert tls.startswith("https://127.0.0.1:")
    assert proxy.startswith("http://127.0.0.1:")
    assert ca == node == str(tmp_path / "ca.pem")


@pytest.mark.long
def test_a_command_that_is_not_there() -> None:
    ended = run("run", "--", "no-such-command")
    assert (ended.code, ended.err) == (127, "There is no command no-such-command.\n")
    assert run("run").code == 2


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="signals are otherwise there")
def test_a_signal_is_passed_on() -> None:
    program = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(9))\n"
    program += "print('up', flush=True)\nsignal.pause()"
    process = subprocess.Popen(
        [*COMMAND, "run", "--", sys.executable, "-c", program],
        env=environment({}),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(TIMEOUT) == 9
    process.stdout.close()


@pytest.mark.long
def test_waiting() -> None:
    with MockGraph() as graph:
        ended = run("wait", "--url", graph.origin)
        assert (ended.code, ended.out) == (0, f"MockGraph {_version()} is ready: {graph.origin}\n")
        gone = graph.origin
    late = run("wait", "--url", gone, "--timeout", "0.1")
    assert late.code == 1
    assert len(late.err.splitlines()) == 1


def _version() -> str:
    from mockgraph import __version__

    return __version__


@pytest.mark.long
def test_lines_of_requests_as_json() -> None:
    with serving("--log", "json", "--port", "0") as server:
        requests.get(f"{server.origin}/v1.0/security?x=%22", timeout=10)
        ended = server.stop()
    (line,) = ended.err.splitlines()
    told = json.loads(line)
    assert (told["method"], told["status"]) == ("GET", 401)
    assert told["url"] == "/v1.0/security?x=%22"
    assert told["ms"] > 0


@pytest.mark.long
def test_no_lines_of_requests() -> None:
    with serving("--quiet", "--port", "0") as server:
        requests.get(f"{server.origin}/v1.0/security", timeout=10)
        ended = server.stop()
    assert ended.err == ""


@pytest.mark.long
def test_what_else_is_logged_as_json(tmp_path: Path) -> None:
    store = str(tmp_path / "graph.store")
    with MockGraph(store=store):
        pass
    with serving("--log", "json", "--port", "0", "--store", store, "--seed", "demo") as server:
        ended = server.stop()
    (line,) = ended.err.splitlines()
    told = json.loads(line)
    assert told["level"] == "info"
    assert "goes on with the state in it" in told["message"]
    assert os.path.basename(store) in told["message"]
