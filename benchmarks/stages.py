"""Where the time of a request goes in process: the stages of the line, each without those in it."""

from __future__ import annotations

import gc
import io
import itertools
import json
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from benchmarks import documents
from benchmarks.load import Call
from mockgraph.app import Emulator, create_app
from mockgraph.entra import authorization
from mockgraph.http import Response
from mockgraph.odata import addressing, kept_requests, rendering, validation
from mockgraph.server_options import Settings
from mockgraph.state import State
from mockgraph.testing.tenant import Tenant

PATH = "/localtest/Security"

# The stages by what a user would call them, and the functions that do their work.
STAGES: dict[str, list[tuple[Any, str]]] = {
    "host, path, tenant": [(Emulator, "wsgi_app")],
    "errors, order of the stages": [(Emulator, "respond"), (Emulator, "_answer")],
    "retry police, stubs, faults": [(Tenant, "check"), (Tenant, "stub"), (Tenant, "strike")],
    "token": [(Emulator, "_authenticate")],
    "what was asked before": [
        (Emulator, "_emulate"),
        (kept_requests, "question"),
        (kept_requests.KeptRequests, "find"),
        (kept_requests.KeptRequests, "keep"),
        (kept_requests.KeptRequest, "response"),
    ],
    "address, permissions": [
        (addressing, "resolve"),
        (authorization, "authorize"),
        (authorization, "authorize_query"),
    ],
    "headers, options, body": [(validation, "read")],
    "state": [(State, "apply")],
    "JSON of the answer": [(rendering, "render")],
    "ids and Date": [(Emulator, "_sign")],
    "journal": [(Tenant, "record")],
    "answer to the server": [(Response, "send")],
}


class Profile(NamedTuple):
    """The microseconds of a request by stage, and the bytes that it allocates at the most."""

    stages: dict[str, float]
    peak: float

    @property
    def total(self) -> float:
        return sum(self.stages.values())


class _Clock:
    """Takes the time of each stage without the stages that it calls."""

    def __init__(self) -> None:
        self.spent: dict[str, int] = {}
        self._inner: list[int] = []

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        now, inner, spent = time.perf_counter_ns, self._inner, self.spent

        def wrapper(*args: Any, **named: Any) -> Any:
            inner.append(0)
            began = now()
            try:
                return function(*args, **named)
            finally:
                took = now() - began
                spent[stage] = spent.get(stage, 0) + took - inner.pop()
                if inner:
                    inner[-1] += took

        return wrapper

    @contextmanager
    def ticking(self) -> Iterator[None]:
        really = [
            (owner, name, getattr(owner, name)) for each in STAGES.values() for owner, name in each
        ]
        for stage, functions in STAGES.items():
            for owner, name in functions:
                setattr(owner, name, self.timed(stage, getattr(owner, name)))
        try:
            yield
        finally:
            for owner, name, function in really:
                setattr(owner, name, function)


class Line:
    """An app with the documented state, called as a server would call it."""

    def __init__(self) -> None:
        self._app = create_app(Settings())

    def send(self, call: Call) -> None:
        """Have a call answered. Raises RuntimeError where it is refused."""
        body = call.body or b""
        environ = {
            "REQUEST_METHOD": call.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": call.path,
            "REQUEST_URI": call.path,
            "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8365",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1:8365",
            "HTTP_AUTHORIZATION": "Bearer token",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.input_terminated": True,
        }
        b"".join(self._app.wsgi_app(environ, self._start))

    @staticmethod
    def _start(status: str, *_: Any) -> Any:
        if not status.startswith("2"):
            raise RuntimeError(f"a request was answered {status}")


def _new_patches() -> Iterator[tuple[Call | None, Call]]:
    documented = PATCHES[0].body or b""
    for number in itertools.count():
        body = documented.replace(b"Endpoint value", b"Endpoint %d" % number)
        yield None, PATCHES[0]._replace(body=body)


GET = Call("GET", PATH)
PATCHES = [Call("PATCH", PATH, json.dumps(each).encode()) for each in documents.patches()]
# What comes before each request, and the request, without an end.
CASES: dict[str, Iterator[tuple[Call | None, Call]]] = {
    "GET, asked before": itertools.repeat((None, GET)),
    "GET after a write": itertools.cycle((each, GET) for each in PATCHES),
    "PATCH, one of two in turns": itertools.cycle((None, each) for each in PATCHES),
    "PATCH, a new one each time": _new_patches(),
}


def profiles(rounds: int) -> dict[str, Profile]:
    """Measure each case so many times."""
    line = Line()
    for pairs in CASES.values():
        _run(line, pairs, 200)
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        return {name: _profile(line, pairs, rounds) for name, pairs in CASES.items()}
    finally:
        gc.enable()
        gc.unfreeze()


def _profile(line: Line, pairs: Iterator[tuple[Call | None, Call]], rounds: int) -> Profile:
    whole = statistics.median(_run(line, pairs, rounds))
    clock = _Clock()
    found: dict[str, list[int]] = {}
    with clock.ticking():
        for before, call in itertools.islice(pairs, rounds):
            if before is not None:
                line.send(before)
            clock.spent.clear()
            line.send(call)
            for stage, took in clock.spent.items():
                found.setdefault(stage, []).append(took)
    medians = {stage: statistics.median(each) for stage, each in found.items()}
    # Taking the time takes time: the stages together take what the request takes without.
    scale = whole / sum(medians.values()) / 1e3
    stages = {name: medians[name] * scale for name in STAGES if name in medians}
    return Profile(stages, _allocated(line, pairs))


def _run(line: Line, pairs: Iterator[tuple[Call | None, Call]], rounds: int) -> list[int]:
    """The nanoseconds of each request."""
    took = []
    for before, call in itertools.islice(pairs, rounds):
        if before is not None:
            line.send(before)
        began = time.perf_counter_ns()
        line.send(call)
        took.append(time.perf_counter_ns() - began)
    return took


def _allocated(line: Line, pairs: Iterator[tuple[Call | None, Call]]) -> float:
    peaks = []
    tracemalloc.start()
    try:
        for before, call in itertools.islice(pairs, 50):
            if before is not None:
                line.send(before)
            start, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            line.send(call)
            _, peak = tracemalloc.get_traced_memory()
            peaks.append(peak - start)
    finally:
        tracemalloc.stop()
    return statistics.median(peaks)
