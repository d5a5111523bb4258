"""The servers that are measured: how each is started, and what it is asked."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmarks import documents
from benchmarks.installed import PYTHON, python_version
from benchmarks.load import Call

BIN = Path(sys.executable).parent


class Candidate:
    """A server. Each operation is a list of calls that are sent in turn, empty where the
    server cannot do it; ``stored`` is how many alerts it starts with."""

    name = ""
    does = ""  # for the reader of the table
    headers: tuple[tuple[str, str], ...] = ()
    root = ""  # path of the singleton
    stored = 0
    warm = 1  # seconds of load until it is as fast as it gets

    def command(self, port: int, work: Path) -> list[str]:
        """Return the command that starts it on a port of the loopback; its files go to ``work``."""
        raise NotImplementedError

    def prepare(self, port: int) -> None:
        """Prepare it once it runs."""

    def version(self) -> str:
        return ""

    def call(self, method: str, path: str, body: Any = None) -> Call:
        content = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        kind = (("Content-Type", "application/json"),) if content else ()
        return Call(method, path, content, (*self.headers, *kind))

    def first(self) -> Call:
        """A call that it answers as soon as it is ready."""
        return self.singleton_get()[0]

    def singleton_get(self) -> list[Call]:
        return [self.call("GET", self.root)]

    def singleton_patch(self) -> list[Call]:
        return [self.call("PATCH", self.root, body) for body in documents.patches()]

    def alert_get(self) -> list[Call]:
        return []

    def alert_patch(self) -> list[Call]:
        return []

    def post(self) -> list[Call]:
        return []

    def filter(self) -> list[Call]:
        """Return the query for alerts of one title, another title each time."""
        return []

    def page(self) -> list[Call]:
        """The first hundred with one severity, by title."""
        return []


class Store(Candidate):
    """A server that keeps alerts by their keys at ``alerts``."""

    alerts = ""

    def alert_get(self) -> list[Call]:
        keys = documents.some_keys(self.stored)
        return [self.call("GET", f"{self.alerts}/{key}") for key in keys]

    def alert_patch(self) -> list[Call]:
        keys = documents.some_keys(self.stored)
        return [
            self.call("PATCH", f"{self.alerts}/{key}", change)
            for change in documents.changes()
            for key in keys
        ]

    def post(self) -> list[Call]:
        return [self.call("POST", self.alerts, documents.posted())]

    def filter(self) -> list[Call]:
        titles = [quote(documents.title(number)) for number in range(documents.TITLES)]
        return [self.call("GET", f"{self.alerts}?{self.titled(title)}") for title in titles]

    def titled(self, title: str) -> str:
        """The query for a title, quoted already."""
        raise NotImplementedError


class MockGraph(Store):
    name = "MockGraph"
    does = "validates, keeps state"
    headers = (("Authorization", "Bearer token"),)
    root = "/localtest/Security"
    alerts = f"{root}/alerts"

    def __init__(self, stored: int = 0, *options: str, store: Path | None = None):
        self.stored = stored
        self._options = options
        self._store = store

    def command(self, port: int, work: Path) -> list[str]:
        command = [str(BIN / "mockgraph"), "serve", "--port", str(port), *self._options]
        if self._store:
            command += ["--store", str(self._store)]
        if self.stored and not (self._store and self._store.exists()):
            seed = documents.write_seed(work / "seed.json", self.stored)
            command += ["--seed", str(seed)]
        return command

    def version(self) -> str:
        return version("mockgraph")

    def titled(self, title: str) -> str:
        return f"$filter=title%20eq%20%27{title}%27"

    def page(self) -> list[Call]:
        query = "$filter=severity%20eq%20%27high%27&$orderby=title&$top=100"
        return [self.call("GET", f"{self.alerts}?{query}")]

    def batch(self) -> list[Call]:
        """Twenty reads of alerts in one request."""
        items = [
            {"id": str(number), "method": "GET", "url": f"/Security/alerts/{key}"}
            for number, key in enumerate(documents.some_keys(self.stored)[:20])
        ]
        return [self.call("POST", "/localtest/$batch", {"requests": items})]

    @staticmethod
    @cache
    def options() -> str:
        """The help of ``serve``, to see what this MockGraph has."""
        asked = [str(BIN / "mockgraph"), "serve", "--help"]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout


class Limit(Candidate):
    """Bare Flask on granian with one blocking thread, which answers prepared bytes."""

    name = "bare Flask"
    does = "answers the same bytes, does nothing"
    root = MockGraph.root
    headers = MockGraph.headers

    def __init__(self, answer: bytes = b"{}"):
        self._answer = answer

    def command(self, port: int, work: Path) -> list[str]:
        (work / "answer.json").write_bytes(self._answer)
        served = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
        one = ["--interface", "wsgi", "--blocking-threads", "1", "--log-level", "warning"]
        python_version("granian")
        return [str(PYTHON.parent / "granian"), *served, *one, "benchmarks.bare:app"]

    def version(self) -> str:
        return f"Flask {python_version('flask')}, granian {python_version('granian')}"
