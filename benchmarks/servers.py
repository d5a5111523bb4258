"""MockGraph's HTTP server beside others that serve WSGI: rates, start, and what it is there for."""

from __future__ import annotations

import contextlib
import socket
import ssl
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks.bench import Bench, Entrant
from benchmarks.candidates import Candidate, MockGraph
from benchmarks.documents import security
from benchmarks.installed import PYTHON, python_version
from benchmarks.probed import SLOW
from benchmarks.results import Table
from benchmarks.running import Running, free_port

BARE = "benchmarks.bare:app"
PROBED = "benchmarks.probed:app"
MANY = 64  # slow requests, or bodies half sent, at a time
QUICK = 1.0  # seconds within which another is answered where it is not held up


class Hosted(Candidate):
    """A server that serves one of our WSGI apps."""

    root = MockGraph.root
    packages: tuple[str, ...] = ()

    def __init__(self, app: str):
        self.app = app

    def command(self, port: int, work: Path) -> list[str]:
        (work / "answer.json").write_bytes(str(security()).encode())
        for package in self.packages:
            python_version(package)
        return self.started(port, work)

    def started(self, port: int, work: Path) -> list[str]:
        raise NotImplementedError

    def tunnel_port(self, port: int) -> int:
        """The port on which a proxy's clients would connect."""
        return port


class Own(Hosted):
    name = "MockGraph's"

    def __init__(self, app: str):
        super().__init__(app)
        self._proxy_port = free_port() if app == PROBED else 0

    def started(self, port: int, work: Path) -> list[str]:
        own = [sys.executable, "-m", "benchmarks.served", self.app, str(port)]
        return [*own, str(self._proxy_port), str(work)] if self._proxy_port else own

    def tunnel_port(self, port: int) -> int:  # noqa: ARG002
        return self._proxy_port


class Granian(Hosted):
    name = "granian, 1 thread"
    packages = ("granian",)
    threads = 1

    def started(self, port: int, work: Path) -> list[str]:  # noqa: ARG002
        served = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
        threads = ["--blocking-threads", str(self.threads)]
        options = ["--interface", "wsgi", "--log-level", "critical"]
        return [str(PYTHON.parent / "granian"), *served, *threads, *options, self.app]


class ThreadedGranian(Granian):
    name = "granian, 64 threads"
    threads = 64


class Waitress(Hosted):
    name = "waitress"
    packages = ("waitress",)

    def started(self, port: int, work: Path) -> list[str]:  # noqa: ARG002
        return [str(PYTHON.parent / "waitress-serve"), f"--listen=127.0.0.1:{port}", self.app]


class Cheroot(Hosted):
    name = "cheroot"
    packages = ("cheroot",)

    def started(self, port: int, work: Path) -> list[str]:  # noqa: ARG002
        return [str(PYTHON.parent / "cheroot"), self.app, "--bind", f"127.0.0.1:{port}"]


class Uvicorn(Hosted):
    name = "uvicorn, a2wsgi"
    packages = ("uvicorn", "a2wsgi", "httptools", "uvloop")

    def started(self, port: int, work: Path) -> list[str]:
        module, _, name = self.app.partition(":")
        (work / "asgi.py").write_text(
            f"from a2wsgi import WSGIMiddleware\nfrom {module} import {name} as wsgi\n"
            "app = WSGIMiddleware(wsgi)\n"
        )
        quiet = ["--log-level", "critical", "--no-access-log"]
        return [str(PYTHON.parent / "uvicorn"), "--port", str(port), *quiet, "asgi:app"]


class Hypercorn(Hosted):
    name = "hypercorn"
    packages = ("hypercorn",)

    def started(self, port: int, work: Path) -> list[str]:  # noqa: ARG002
        bound = ["--bind", f"127.0.0.1:{port}", "--log-level", "critical"]
        return [str(PYTHON.parent / "hypercorn"), *bound, f"wsgi:{self.app}"]


SERVERS = (Own, Granian, ThreadedGranian, Waitress, Cheroot, Uvicorn, Hypercorn)


def servers(bench: Bench) -> None:
    """Measure all of them in turns with bare Flask, then see what each stands."""
    rows: dict[str, dict[str, str]] = {}
    with bench.servers() as begin:
        started = [server for each in SERVERS if (server := begin(each(BARE)))]
        for connections in (1, 8):
            entrants = [
                Entrant(each.candidate.name, each, each.candidate.singleton_patch(), bench.rounds)
                for each in started
            ]
            found = bench.race(entrants, connections, "PATCH of bare Flask")
            row = rows.setdefault(f"PATCH of bare Flask, {connections} connections", {})
            for name in found:
                ratio, p99 = found.ratio(name, Own.name), found.p99(name)
                row[name] = f"{ratio:.2f} ({found.rate(name):,.0f}/s) · {p99:.1f} ms"
    seconds: dict[str, list[float]] = {}
    for turn in range(2 if bench.quick else 7):
        for each in SERVERS[:: -1 if turn % 2 else 1]:
            with bench.servers() as begin:
                if server := begin(_light(each)):
                    seconds.setdefault(each.name, []).append(server.started)
    rows["from start to first answer"] = {
        name: f"{statistics.median(took) * 1000:.0f} ms" for name, took in seconds.items()
    }
    for each in SERVERS:
        with bench.servers() as begin:
            if server := begin(each(PROBED)):
                for what, probe in PROBES.items():
                    rows.setdefault(what, {})[each.name] = _verdict(server, probe)
    columns = ["", *(each.name for each in SERVERS)]
    table = [[what, *(row.get(name, "") for name in columns[1:])] for what, row in rows.items()]
    bench.results.tables.append(Table("HTTP servers", columns, table))


def _light(server: type[Hosted]) -> Hosted:
    """Return the server with an app that takes no time to import, and without a proxy."""
    candidate = server(BARE)
    candidate.app = PROBED
    return candidate


def _verdict(server: Running, probe: Callable[[Running], bool]) -> str:
    try:
        return "yes" if probe(server) else "no"
    except OSError:  # it timed out, or was refused
        return "no"


# -- what they must stand ----------------------------------------------------------------------


def _cuts_before_a_byte(server: Running) -> bool:
    return _received(server, b"GET /cut HTTP/1.1\r\nHost: x\r\n\r\n") == b""


def _cuts_in_the_middle(server: Running) -> bool:
    """Tell whether what came before the break arrives; some servers lose it now and then."""
    request = b"GET /breaks HTTP/1.1\r\nHost: x\r\n\r\n"
    tries = (_received(server, request) for _ in range(5))
    return any(each.startswith(b"HTTP/1.1 200") and each.endswith(b"ten bytes.") for each in tries)


def _reads_slow_bodies(server: Running) -> bool:
    half = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf"
    with _held(server, half, MANY):
        return _is_quick(server)


def _serves_beside_one(server: Running) -> bool:
    with _held(server, b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n", 1):
        held = _is_quick(server)
    time.sleep(SLOW)
    return held


def _serves_beside_many(server: Running) -> bool:
    with _held(server, b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n", MANY):
        return _is_quick(server)


def _tunnels(server: Running) -> bool:
    candidate = server.candidate
    assert isinstance(candidate, Hosted)
    with _connected(candidate.tunnel_port(server.port)) as connection:
        connection.sendall(b"CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n\r\n")
        received = b""
        while b"\r\n\r\n" not in received:
            piece = connection.recv(1)
            if not piece:
                return False
            received += piece
        if not received.startswith(b"HTTP/1.1 200"):
            return False
        context = ssl._create_unverified_context()
        with contextlib.suppress(OSError), context.wrap_socket(connection) as secure:
            secure.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return secure.recv(12) == b"HTTP/1.1 200"
    return False


PROBES: dict[str, Callable[[Running], bool]] = {
    "an app can cut before a byte is sent": _cuts_before_a_byte,
    "an app can break off a body": _cuts_in_the_middle,
    f"{MANY} bodies half sent hold up nobody": _reads_slow_bodies,
    "one slow request holds up nobody": _serves_beside_one,
    f"{MANY} slow requests hold up nobody": _serves_beside_many,
    "CONNECT is followed by TLS": _tunnels,
}


def _connected(port: int, timeout: float = 10) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=timeout)


@contextlib.contextmanager
def _held(server: Running, sent: bytes, count: int) -> Iterator[None]:
    """Send this on some connections, which are open within the block."""
    with ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(_connected(server.port)).sendall(sent)
        time.sleep(0.3)
        yield


def _is_quick(server: Running) -> bool:
    try:
        with _connected(server.port, QUICK) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return connection.recv(12) == b"HTTP/1.1 200"
    except TimeoutError:
        return False


def _received(server: Running, sent: bytes) -> bytes:
    """Return all that comes up to the end of the connection, or within some seconds."""
    received = b""
    with _connected(server.port, 5) as connection, contextlib.suppress(OSError):
        connection.sendall(sent)
        while piece := connection.recv(65536):
            received += piece
    return received
