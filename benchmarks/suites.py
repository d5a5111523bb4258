"""A thousand tests of one call each, through a double of each kind, beside empty ones."""

from __future__ import annotations

import http.client
import json
import os
import re
import resource
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

_PLUGIN = "mockgraph.pytest_plugin"

_BODY = '{"providerStatus": [{"enabled": true, "provider": "P", "vendor": "V"}]}'
_ANSWER = "answer.http"  # beside the suites: the bytes that MockGraph answers
_EACH = f"@pytest.mark.parametrize('n', range({TESTS}))\n"
_KEPT = (
    f"BODY, AUTH, kept = {json.loads(_BODY)}, {{'Authorization': 'Bearer x'}}, {{}}\n"
    "def keep(make):\n    return kept.get(0) or kept.setdefault(0, make())\n"
)


class Took(NamedTuple):
    """The seconds that a run took, of the processor and by the clock."""

    used: float
    clock: float

    def least(self, other: Took) -> Took:
        """Return the lesser of each: others on the machine only ever add to it."""
        return Took(min(self.used, other.used), min(self.clock, other.clock))

    def above(self, other: Took) -> Took:
        return Took(self.used - other.used, self.clock - other.clock)


class Suite(NamedTuple):
    """A test module in which each test makes one call, on a client that all of them share.

    ``plugin`` is loaded, no other; ``ours`` says that it runs in MockGraph's environment. ``floor``
    is the name of the suite in which the same client does the same without a service: the bytes
    that MockGraph answers are there already.
    """

    name: str
    imports: str
    test: str
    plugin: str = ""
    ours: bool = False
    floor: str = ""

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

    def run(self, file: Path) -> Took:
        """Run pytest from its start to its end. Raises CalledProcessError."""
        options = ["-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(file.parent)]
        plugin = ["-p", self.plugin] if self.plugin else []
        environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [self.python, "-m", "pytest", *options, *plugin, str(file)]
        began, used = time.perf_counter(), _used()
        subprocess.run(
            command, cwd=file.parent, env=environment, check=True, capture_output=True, text=True
        )
        return Took(_used() - used, time.perf_counter() - began)


def _used() -> float:
    """The seconds of processor time of the processes that this one has run."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


# What answers without a service: a thread that reads and answers, or prepared bytes.
_PREPARED_ANSWER = f"ANSWER = open({_ANSWER!r}, 'rb').read()\n"
_THREAD = (
    f"{_PREPARED_ANSWER}"
    "def serve(listener):\n"
    "    while True:\n"
    "        peer, sent = listener.accept()[0], b''\n"
    "        while got := peer.recv(65536):\n"
    "            sent += got\n"
    "            if sent.endswith(b'}'):\n"
    "                sent = b''\n"
    "                peer.sendall(ANSWER)\n"
    "def begin():\n"
    "    listener = socket.create_server(('127.0.0.1', 0))\n"
    "    threading.Thread(target=serve, args=[listener], daemon=True).start()\n"
    "    return listener.getsockname()[1]\n"
    "PORT = begin()\n"
)
_PREPARED = (
    f"{_PREPARED_ANSWER}"
    "CLOSED = ANSWER.replace(b'\\r\\n', b'\\r\\nConnection: close\\r\\n', 1)\n"
    "class Prepared:\n"
    "    def sendall(self, data):\n"
    "        pass\n"
    "    def makefile(self, *_):\n"
    "        return io.BytesIO(CLOSED)\n"
    "    def settimeout(self, _):\n"
    "        pass\n"
    "    def close(self):\n"
    "        pass\n"
)


def _ours(how: str, imports: str, test: str, floor: str, marker: str = "") -> Suite:
    name = f"MockGraph, {how}"
    made = f"{_EACH}{marker}def test(n, mockgraph):\n{test}"
    return Suite(name, imports, made, _PLUGIN, True, floor)


def _floor(what: str, imports: str, made: str, call: str) -> Suite:
    """Measure the client and pytest's fixtures without a service: a fixed text comes back."""
    fixture = "@pytest.fixture\ndef answered():\n    yield\n"
    test = f"{_EACH}def test(n, answered):\n{call}"
    return Suite(what, imports, f"{made}\n{fixture}{test}", ours=True)


def _unused() -> Suite:
    """Empty tests with the plugin loaded, none of which uses MockGraph."""
    empty = _empty(ours=True)
    return empty._replace(name="empty, MockGraph's plugin loaded", plugin=_PLUGIN)


def _empty(ours: bool) -> Suite:
    suite = Suite("", "requests", f"{_EACH}def test(n):\n    pass\n", ours=ours)
    return suite._replace(name=suite.base)


_HTTP_CLIENT = (
    "    client.request('PATCH', {path}, json.dumps(BODY), HEAD)\n"
    "    answer = client.getresponse()\n"
    "    assert answer.status == 200 and answer.read()\n"
)
_SECURE = (
    "    context = keep(ssl.create_default_context)\n"
    "    client = http.client.HTTPSConnection('graph.microsoft.com', context=context)\n"
)
_HEAD = "HEAD = AUTH | {'Content-Type': 'application/json'}\n"
_SESSION = (
    "    answer = session.patch({url}, json=BODY, headers=AUTH)\n"
    "    assert answer.status_code == 200\n"
)
_LIVE = "'https://graph.microsoft.com/v1.0/security'"
_CLIENT = _SESSION.replace("session", "client")

SUITES = (
    _empty(ours=True),
    _unused(),
    _ours(
        "http.client in process",
        "http.client, json, ssl",
        f"    {_HEAD}{_SECURE}" + _HTTP_CLIENT.format(path="'/v1.0/security'"),
        "http.client on prepared bytes",
        "@pytest.mark.mockgraph(intercept=True)\n",
    ),
    _ours(
        "http.client over a socket",
        "http.client, json",
        f"    {_HEAD}    make = lambda: http.client.HTTPConnection(mockgraph.origin[7:])\n"
        "    client = keep(make)\n" + _HTTP_CLIENT.format(path="'/localtest/Security'"),
        "http.client and a thread that answers",
    ),
    _ours(
        "requests in process",
        "requests",
        "    def make():\n"
        "        session = requests.Session()\n"
        "        session.mount('https://', mockgraph.requests_adapter())\n"
        "        return session\n"
        f"    session = keep(make)\n{_SESSION.format(url=_LIVE)}",
        "requests on prepared bytes",
    ),
    _ours(
        "requests intercepted",
        "requests",
        f"    session = keep(requests.Session)\n{_SESSION.format(url=_LIVE)}",
        "requests on prepared bytes",
        "@pytest.mark.mockgraph(intercept=True)\n",
    ),
    _ours(
        "requests over a socket",
        "requests",
        "    session = keep(requests.Session)\n"
        + _SESSION.format(url="f'{mockgraph.url}/Security'"),
        "requests and a thread that answers",
    ),
    _ours(
        "httpx in process",
        "httpx",
        "    client = keep(lambda: httpx.Client(transport=mockgraph.httpx_transport()))\n"
        + _CLIENT.format(url="f'{mockgraph.url}/Security'"),
        "httpx and its MockTransport",
    ),
    _ours(
        "httpx over a socket",
        "httpx",
        "    client = keep(httpx.Client)\n" + _CLIENT.format(url="f'{mockgraph.url}/Security'"),
        "httpx and a thread that answers",
    ),
    _floor(
        "http.client on prepared bytes",
        "http.client, json, io, ssl",
        _PREPARED + _HEAD,
        f"{_SECURE}    client.sock = Prepared()\n" + _HTTP_CLIENT.format(path="'/v1.0/security'"),
    ),
    _floor(
        "http.client and a thread that answers",
        "http.client, json, socket, threading",
        _THREAD + _HEAD,
        "    client = keep(lambda: http.client.HTTPConnection('127.0.0.1', PORT))\n"
        + _HTTP_CLIENT.format(path="'/Security'"),
    ),
    _floor(
        "requests on prepared bytes",
        "io, requests, requests.adapters, urllib3",
        _PREPARED + "class Connection(urllib3.connection.HTTPSConnection):\n"
        "    def connect(self):\n"
        "        self.sock = Prepared()\n"
        "        self.is_verified = True\n"
        "class Pool(urllib3.HTTPSConnectionPool):\n"
        "    ConnectionCls = Connection\n"
        "class Adapter(requests.adapters.HTTPAdapter):\n"
        "    def init_poolmanager(self, *given, **named):\n"
        "        super().init_poolmanager(*given, **named)\n"
        "        self.poolmanager.pool_classes_by_scheme = {'https': Pool}\n"
        "def make():\n"
        "    session = requests.Session()\n"
        "    session.mount('https://', Adapter())\n"
        "    return session\n",
        "    session = keep(make)\n" + _SESSION.format(url=_LIVE),
    ),
    _floor(
        "requests and a thread that answers",
        "requests, socket, threading",
        _THREAD,
        "    session = keep(requests.Session)\n"
        + _SESSION.format(url="f'http://127.0.0.1:{PORT}/Security'"),
    ),
    _floor(
        "httpx and its MockTransport",
        "httpx",
        f"{_PREPARED_ANSWER}"
        "FIELDS, _, CONTENT = ANSWER.partition(b'\\r\\n\\r\\n')\n"
        "FIELDS = [tuple(field.split(b': ', 1)) for field in FIELDS.split(b'\\r\\n')[1:]]\n"
        "def answer(request):\n"
        "    return httpx.Response(200, headers=FIELDS, content=CONTENT)\n"
        "transport = httpx.MockTransport(answer)\n",
        "    client = keep(lambda: httpx.Client(transport=transport))\n"
        + _CLIENT.format(url="'http://localhost/Security'"),
    ),
    _floor(
        "httpx and a thread that answers",
        "httpx, socket, threading",
        _THREAD,
        "    client = keep(httpx.Client)\n"
        + _CLIENT.format(url="f'http://127.0.0.1:{PORT}/Security'"),
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
    (directory / _ANSWER).write_bytes(answered())
    least: dict[str, Took] = {}
    for turn in range(2 if bench.quick else 8):
        for suite in SUITES:
            if suite.name.startswith("moto") and (bench.quick or turn):
                continue  # takes as long as all others together
            took = _took(bench, suite, directory)
            if took is not None:
                least[suite.name] = took.least(least.get(suite.name, took))
    above = {
        each: least[each.name].above(least[each.base])
        for each in SUITES
        if each.name in least and each.base in least and each.name != each.base
    }
    used = {each.name: took.used for each, took in above.items()}
    rows = []
    for suite, took in above.items():
        cells = ["", ""]
        if suite.floor in used:
            floor = used[suite.floor]
            cells = [f"{floor:.2f}", f"{took.used - floor:.2f}"]
            how = suite.name.removeprefix("MockGraph, ")
            what = f"{TESTS:,} tests, {how}, above empty ones and the client's floor"
            goal = Goal(what, 0.4, took.used - floor, reasons.TESTS, "s", at_most=True)
            bench.results.goals.append(goal)
        rows.append([suite.name, f"{took.used:.2f}", *cells, f"{took.clock:.2f}"])
    columns = ["", "above empty tests", "the client's floor", "MockGraph's own", "by the clock"]
    title = f"{TESTS:,} tests of one call each: seconds of the processor"
    bench.results.tables.append(Table(title, columns, rows))


def answered() -> bytes:
    """Return the bytes that MockGraph answers to the call of the suites."""
    from mockgraph import MockGraph

    headers = {"Authorization": "Bearer x", "Content-Type": "application/json"}
    with MockGraph() as graph:
        client = http.client.HTTPConnection(graph.origin.removeprefix("http://"))
        client.request("PATCH", "/localtest/Security", _BODY, headers)
        answer = client.getresponse()
        fields = "".join(f"{name}: {value}\r\n" for name, value in answer.getheaders())
        return f"HTTP/1.1 200 OK\r\n{fields}\r\n".encode("latin-1") + answer.read()


def _took(bench: Bench, suite: Suite, directory: Path) -> Took | None:
    try:
        return suite.run(suite.write(directory))
    except FileNotFoundError:
        bench.results.note(f"{suite.name}: left out of the tests, it is not installed.")
    except subprocess.CalledProcessError as error:
        said = (error.stdout + error.stderr).strip().splitlines()[-1:]
        bench.results.note(f"{suite.name}: left out of the tests, {' '.join(said)[:200]}.")
    return None
