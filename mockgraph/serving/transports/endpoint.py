"""A WSGI app in the place of every host, for clients without a socket."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from mockgraph.errors import GraphError
from mockgraph.serving.http1_parser import RequestParser, base_environ
from mockgraph.serving.http1_writer import refusal
from mockgraph.serving.transports.call import Call
from mockgraph.wsgi import Environ, StartResponse, WSGIApp, variable

PORTS = {"http": 80, "https": 443}

# Bytes of a body that are kept, more than the app takes of any request.
MAX_BODY = 512 * 1024 * 1024


class Peer(NamedTuple):
    """The scheme, host and port that a client believes to be connected to."""

    scheme: str
    host: str
    port: int

    def url(self, target: str) -> str:
        """Return the URL of a path there, for people to read."""
        if not target.startswith("/"):
            return target
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == PORTS.get(self.scheme) else f":{self.port}"
        return f"{self.scheme}://{host}{port}{target}"


class Endpoint:
    """A WSGI app that answers for any host.

    ``prefix`` goes in front of every path that does not have it, ``headers`` are added to every
    request. Raises ValueError for a prefix that does not start with a slash.
    """

    def __init__(
        self,
        app: WSGIApp,
        prefix: str = "",
        headers: Mapping[str, str] | None = None,
    ):
        if prefix and not prefix.startswith("/"):
            raise ValueError(f"A prefix starts with a slash: '/{prefix}', not '{prefix}'.")
        self.app = app
        self._prefix = prefix.rstrip("/")
        self._headers = {variable(name): value for name, value in (headers or {}).items()}

    def parser(self, peer: Peer) -> RequestParser:
        """Return a parser for the bytes of a request, as the live server has it."""
        environ = base_environ(*peer) | {"REMOTE_ADDR": "127.0.0.1", "REMOTE_PORT": "0"}
        environ["mockgraph.sender"] = current_task()
        return RequestParser(environ, MAX_BODY)

    def call(self, parser: RequestParser, timeout: float | None = None) -> Call:
        """Return the call for a parsed request, of a client that waits so many seconds."""
        if not parser.ready:
            error = parser.refusal or GraphError()
            return Call(_refusing(error), {"REQUEST_METHOD": "GET"}, timeout)
        environ = parser.ready.popleft().environ
        environ.update(self._headers)
        parser.forget()
        environ["PATH_INFO"] = self._prefixed(environ["PATH_INFO"])
        return Call(self.app, environ, timeout)

    def _prefixed(self, path: str) -> str:
        """Return the path behind the prefix; a path from a link in a response has it already."""
        has_it = path == self._prefix or path.startswith(f"{self._prefix}/")
        return path if has_it else self._prefix + path


def current_task() -> str:
    """Return a name for the thread, or the task of asyncio or trio, that runs now."""
    task = _task_of("asyncio", "current_task") or _task_of("trio.lowlevel", "current_task")
    return f"{threading.get_ident()}/{id(task) if task else ''}"


def _task_of(module: str, name: str) -> Any:
    """Return the task that runs, None where there is none or the library is not imported."""
    loaded = sys.modules.get(module)
    if loaded is None:
        return None
    try:
        return getattr(loaded, name)()
    except (AttributeError, RuntimeError):  # imported by half; no task, no loop here
        return None


def _refusing(error: GraphError) -> WSGIApp:
    """Return an app that answers as the live server answers to what is no request."""

    def app(_: Environ, start_response: StartResponse) -> Iterable[bytes]:
        status, headers, body = refusal(error)
        start_response(status, headers)
        return [body]

    return app
