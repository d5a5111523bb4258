"""A thousand tests of one call each, through a double of each kind, beside empty ones."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks import reasons
from benchmarks.bench import Bench
from benchmarks.installed import PYTHON
from benchmarks.results import Goal, Table

TESTS = 1_000

_BODY = "{'providerStatus': [{'enabled': True, 'provider': 'P', 'vendor': 'V'}]}"
_EACH = f"@pytest.mark.parametrize('n', range({TESTS}))\n"
_KEPT = (
    f"BODY, AUTH, kept = {_BODY}, {{'Authorization': 'Bearer x'}}, {{}}\n"
    "def keep(make):\n    return kept.get(0) or kept.setdefault(0, make())\n"
)


class Suite(NamedTuple):
    """A test module in which each test makes one call, on a client that all of them share.

    ``plugin`` is loaded, no other; ``ours`` says that it runs in MockGraph's environment.
    """

    name: str
    imports: str
    test: str
    plugin: str = ""
    ours: bool = False

    @property
    def base(self) -> str:
        """The name of the empty suite in the same environment."""
        return f"empty, {'MockGraph' if self.ours else 'peers'}"

    @property
    def python(self) -> str:
        return sys.executable if self.ours else str(PYTHON)

    def write(self, directory: Path) -> Path:
        name = re.sub(r"\W+", "_", self.name)
        file = directory / f"test_{name}.py"
        file.write_text(f"import pytest, {self.imports}\n{_KEPT}\n{self.test}")
        return file

    def run(self, file: Path) -> float:
        """Seconds from the start of pytest to its end. Raises CalledProcessError."""
        options = ["-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(file.parent)]
        plugin = ["-p", self.plugin] if self.plugin else []
        environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        command = [self.python, "-m", "pytest", *options, *plugin, str(file)]
        began = time.perf_counter()
        subprocess.run(
            command, cwd=file.parent, env=environment, check=True, capture_output=True, text=True
        )
        return time.perf_counter() - began


def _ours(how: str, imports: str, test: str, marker: str = "") -> Suite:
    name, plugin = f"MockGraph, {how}", "mockgraph.pytest_plugin"
    return Suite(name, imports, f"{_EACH}{marker}def test(n, mockgraph):\n{test}", plugin, True)


def _floor(what: str, imports: str, made: str, call: str) -> Suite:
    """Measure the client and pytest's fixtures without a service: a fixed text comes back."""
    fixture = "@pytest.fixture\ndef answered():\n    yield 'http://localhost/Security'\n"
    test = f"{_EACH}def test(n, answered):\n{call}"
    return Suite(f"floor of {what}", imports, f"{made}\n{fixture}{test}", ours=True)


def _empty(ours: bool) -> Suite:
    suite = Suite("", "requests", f"{_EACH}def test(n):\n    pass\n", ours=ours)
    return suite._replace(name=suite.base)


SUITES = (
    _empty(ours=True),
    _ours(
        "httpx in process",
        "httpx",
        "    client = keep(lambda: httpx.Client(transport=mockgraph.httpx_transport()))\n"
        "    answer = client.patch(f'{mockgraph.url}/Security', json=BODY, headers=AUTH)\n"
        "    assert answer.status_code == 200\n",
    ),
    _ours(
        "requests in process",
        "requests",
        "    def make():\n"
        "        session = requests.Session()\n"
        "        session.mount('http://', mockgraph.requests_adapter())\n"
        "        return session\n"
        "    answer = keep(make).patch(f'{mockgraph.url}/Security', json=BODY, headers=AUTH)\n"
        "    assert answer.status_code == 200\n",
    ),
    _ours(
        "requests intercepted",
        "requests",
        "    url = 'https://graph.microsoft.com/v1.0/security'\n"
        "    answer = keep(requests.Session).patch(url, json=BODY, headers=AUTH)\n"
        "    assert answer.status_code == 200\n",
        "@pytest.mark.mockgraph(intercept=True)\n",
    ),
    _ours(
        "http.client over a socket",
        "http.client, json",
        "    client = keep(lambda: http.client.HTTPConnection(mockgraph.origin[7:]))\n"
        "    head = AUTH | {'Content-Type': 'application/json'}\n"
        "    client.request('PATCH', '/localtest/Security', json.dumps(BODY), head)\n"
        "    answer = client.getresponse()\n"
        "    assert answer.status == 200 and answer.read()\n",
    ),
    _ours(
        "requests over a socket",
        "requests",
        "    session = keep(requests.Session)\n"
        "    answer = session.patch(f'{mockgraph.url}/Security', json=BODY, headers=AUTH)\n"
        "    assert answer.status_code == 200\n",
    ),
    _floor(
        "httpx: its MockTransport",
        "httpx",
        "transport = httpx.MockTransport(lambda request: httpx.Response(200, content=b'{}'))\n",
        "    client = keep(lambda: httpx.Client(transport=transport))\n"
        "    answer = client.patch(answered, json=BODY, headers=AUTH)\n"
        "    assert answer.status_code == 200\n",
    ),
    _floor(
        "requests: an adapter that answers by itself",
        "requests, requests.adapters",
        "class Adapter(requests.adapters.BaseAdapter):\n"
        "    def send(self, request, **options):\n"
        "        answer = requests.Response()\n"
        "        answer.status_code, answer._content = 200, b'{}'\n"
        "        answer.request, answer.url = request, request.url\n"
        "        return answer\n"
        "    def close(self):\n"
        "        pass\n"
        "def make():\n"
        "    session = requests.Session()\n"
        "    session.mount('http://', Adapter())\n"
        "    return session\n",
        "    answer = keep(make).patch(answered, json=BODY, headers=AUTH)\n"
        "    assert answer.status_code == 200\n",
    ),
    _floor(
        "http.client: a thread that reads and answers",
        "http.client, json, socket, threading",
        "def serve(listener):\n"
        "    peer, sent = listener.accept()[0], b''\n"
        "    while got := peer.recv(65536):\n"
        "        sent += got\n"
        "        if sent.endswith(b'}'):\n"
        "            sent = b''\n"
        "            peer.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n{}')\n"
        "def make():\n"
        "    listener = socket.create_server(('127.0.0.1', 0))\n"
        "    threading.Thread(target=serve, args=[listener], daemon=True).start()\n"
        "    return http.client.HTTPConnection(*listener.getsockname())\n",
        "    client, head = keep(make), AUTH | {'Content-Type': 'application/json'}\n"
        "    client.request('PATCH', '/Security', json.dumps(BODY), head)\n"
        "    answer = client.getresponse()\n"
        "    assert answer.status == 200 and answer.read()\n",
    ),
    _empty(ours=False),
    Suite(
        "responses",
        "requests, responses",
        f"{_EACH}@responses.activate\ndef test(n):\n"
        "    responses.patch('https://graph.microsoft.com/v1.0/security', json=BODY)\n"
        "    url = 'https://graph.microsoft.com/v1.0/security'\n"
        "    assert keep(requests.Session).patch(url, json=BODY).status_code == 200\n",
    ),
    Suite(
        "respx",
        "httpx",
        f"{_EACH}def test(n, respx_mock):\n"
        "    url = 'https://graph.microsoft.com/v1.0/security'\n"
        "    respx_mock.patch(url).respond(json=BODY)\n"
        "    assert keep(httpx.Client).patch(url, json=BODY).status_code == 200\n",
        "respx.plugin",
    ),
    Suite(
        "pytest-httpserver",
        "requests",
        f"{_EACH}def test(n, httpserver):\n"
        "    httpserver.expect_request('/security', method='PATCH').respond_with_json(BODY)\n"
        "    url = httpserver.url_for('/security')\n"
        "    assert keep(requests.Session).patch(url, json=BODY).status_code == 200\n",
        "pytest_httpserver.pytest_plugin",
    ),
    Suite(
        "moto (mock_aws, SQS)",
        "boto3, moto",
        f"{_EACH}@moto.mock_aws\ndef test(n):\n"
        "    make = lambda: boto3.client('sqs', 'us-east-1', aws_access_key_id='a',\n"
        "                                aws_secret_access_key='b')\n"
        "    assert keep(make).create_queue(QueueName='alerts')['QueueUrl']\n",
    ),
)


def tests(bench: Bench) -> None:
    """Run the suites in turns; what each takes above the empty one of its environment."""
    bench.say(f"  {TESTS:,} tests of one call each")
    directory = bench.directory()
    above: dict[str, list[float]] = {}
    rounds = 1 if bench.quick else 3
    for turn in range(rounds):
        empty: dict[str, float | None] = {}
        for suite in SUITES:
            if suite.name.startswith("moto") and (bench.quick or turn):
                continue  # takes as long as all others together
            if suite.name == suite.base:
                empty[suite.base] = _took(bench, suite, directory)
            elif nothing := empty[suite.base]:
                took = _took(bench, suite, directory)
                if took is not None:
                    above.setdefault(suite.name, []).append(took - nothing)
    medians = {name: statistics.median(each) for name, each in above.items()}
    rows = [[name, f"{seconds:.2f}"] for name, seconds in medians.items()]
    title = f"{TESTS:,} tests of one call each"
    bench.results.tables.append(Table(title, ["", "seconds above empty tests"], rows))
    ours = {name: took for name, took in medians.items() if name.startswith("MockGraph")}
    if ours:
        best = min(ours, key=lambda name: ours[name])
        what = f"{TESTS:,} one-call tests above empty ones ({best.removeprefix('MockGraph, ')})"
        bench.results.goals.append(Goal(what, 0.5, ours[best], reasons.TESTS, "s", at_most=True))


def _took(bench: Bench, suite: Suite, directory: Path) -> float | None:
    try:
        return suite.run(suite.write(directory))
    except FileNotFoundError:
        bench.results.note(f"{suite.name}: left out of the tests, it is not installed.")
    except subprocess.CalledProcessError as error:
        said = (error.stdout + error.stderr).strip().splitlines()[-1:]
        bench.results.note(f"{suite.name}: left out of the tests, {' '.join(said)[:200]}.")
    return None
