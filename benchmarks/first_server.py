"""The first test that asks for a server: imports, the server, its first answer."""

from __future__ import annotations

import os
import subprocess
import sys

from benchmarks import reasons
from benchmarks.bench import Bench
from benchmarks.results import Goal, Table

# What pytest has loaded by then, and the libraries that a client has.
_BEFORE = "import time, pytest, _pytest.logging, requests\nbegan = time.process_time()\n"
_AFTER = "\nprint((time.process_time() - began) * 1e3)\n"
_FLASK = "import flask\n"
_ASKED = (
    "app = flask.Flask('bare')\n"
    "app.route('/', methods=['PATCH'])(lambda: flask.jsonify(flask.request.get_json()))\n"
    "assert app.test_client().patch('/', json={}).status_code == 200\n"
)
_PLUGIN = "from mockgraph import pytest_plugin as plugin\nplugin._options()\n"
_SERVER = "server = plugin._started({})\nserver.renew()\n"
_CALLED = (
    "headers = {'Authorization': 'Bearer x', 'Content-Type': 'application/json'}\n"
    "import http.client\n"
    "client = http.client.HTTPConnection(server.origin.removeprefix('http://'))\n"
    "client.request('PATCH', '/v1.0/security', '{}', headers)\n"
    "assert client.getresponse().status == 200\n"
)
_STEPS = {
    "import Flask": _FLASK,
    "import Flask, make an app, first answer": _FLASK + _ASKED,
    "import Flask and marshmallow": f"{_FLASK}import marshmallow\n",
    "MockGraph's plugin, where no test uses it": _PLUGIN,
    "MockGraph's plugin, first server": _PLUGIN + _SERVER,
    "MockGraph's plugin, first server, first answer": _PLUGIN + _SERVER + _CALLED,
}
_GOAL = "MockGraph's plugin, first server"


def first_server(bench: Bench) -> None:
    """Run each step in a process of its own, in turns."""
    least: dict[str, float] = {}
    for _ in range(3 if bench.quick else 15):
        for name, code in _STEPS.items():
            took = _milliseconds(code)
            least[name] = min(took, least.get(name, took))  # others only ever add to it
    rows = [[name, f"{took:.0f}"] for name, took in least.items()]
    bench.results.tables.append(
        Table("Once in a run of tests", ["", "milliseconds of the processor"], rows)
    )
    what = "The plugin's import and the first server"
    bench.results.goals.append(
        Goal(what, 150, least[_GOAL], reasons.FIRST_SERVER, "ms", at_most=True)
    )


def _milliseconds(code: str) -> float:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", _BEFORE + code + _AFTER]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return float(done.stdout)
