"""A WSGI app as clients without a socket have it: in place of every host."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from mockgraph.errors import GraphError
from mockgraph.serving.server.answers import WSGIApp, refusal
from mockgraph.serving.server.requests import Environ, Requests, environ_of
from mockgraph.serving.transports.exchange import Exchange
from mockgraph.serving.transports.lanes import lane

PORTS = {"http": 80, "https": 443}

# Bytes of a body that are kept: more than the app takes of any request.
MAX_BODY = 512 * 1024 * 1024


class Peer(NamedTuple):
    """Whom a client believes to be connected to."""

    scheme: str
    host: str
    port: int

    def url(self, target: str) -> str:
        """The URL of a path there, for people to read."""
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
        self._headers = {_variable(name): value for name, value in (headers or {}).items()}

    def requests(self, peer: Peer) -> Requests:
        """What takes the bytes of a request, as the live server does."""
        environ = environ_of(*peer) | {"REMOTE_ADDR": "127.0.0.1", "REMOTE_PORT": "0"}
        environ["mockgraph.lane"] = lane()
        return Requests(environ, MAX_BODY)

    def exchange(self, requests: Requests, timeout: float | None = None) -> Exchange:
        """What is to come of a request by a client that waits this many seconds, or for ever."""
        if not requests.ready:
            error = requests.refusal or GraphError()
            return Exchange(_refusing(error), {"REQUEST_METHOD": "GET"}, timeout)
        environ = requests.ready.popleft().environ | self._headers
        environ["PATH_INFO"] = self._prefixed(environ["PATH_INFO"])
        return Exchange(self.app, environ, timeout)

    def _prefixed(self, path: str) -> str:
        """The path behind the prefix. One that has it already came from a link in an answer."""
        has_it = path == self._prefix or path.startswith(f"{self._prefix}/")
        return path if has_it else self._prefix + path


def _variable(name: str) -> str:
    """A header as CGI names it."""
    name = name.upper().replace("-", "_")
    return name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"


def _refusing(error: GraphError) -> WSGIApp:
    """An app that answers what the server answers to a request that is none."""
    head, _, body = refusal(error).partition(b"\r\n\r\n")
    line, *lines = head.decode("latin-1").split("\r\n")
    headers = [tuple(each.split(": ", 1)) for each in lines]

    def app(_: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response(line.partition(" ")[2], headers)
        return [body]

    return app
