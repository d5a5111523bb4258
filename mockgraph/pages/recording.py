"""A recording of the real service: what code under test reads of it is taken home as a seed.

The calls of the code go through the intercept and out again, as they are, tokens included; the
answers to those that read are captured on the way back, under made-up names.
"""

from __future__ import annotations

import http.client
import os
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote, unquote, urlsplit

import orjson

from mockgraph.errors import GraphError, MethodNotAllowed, MockGraphError, ServiceUnavailable
from mockgraph.metadata.names import Json
from mockgraph.metadata.resources import Service
from mockgraph.pages.capture import Capture, Captured
from mockgraph.serving.hosts import GRAPH_HOSTS, SIGN_IN_HOSTS
from mockgraph.serving.http1_writer import refusal
from mockgraph.serving.transports import Intercept
from mockgraph.serving.transports.patches import passing
from mockgraph.wsgi import Environ, StartResponse

_TIMEOUT: Final = 60  # seconds
_READING: Final = frozenset({"GET", "HEAD"})
# Of one connection, and what the bytes of a body are coded in: they are passed on as they are.
_OF_CONNECTION: Final = frozenset(
    {"accept-encoding", "connection", "host", "keep-alive", "te", "transfer-encoding", "upgrade"}
)


class Recording:
    """A context manager within which calls to ``hosts`` go to the real service, and are recorded.

    It writes the seed ``to`` a file when the block ends well. Requests that may write are refused,
    and fail the block, unless ``writes`` lets them pass; calls to sign in, to this machine and to
    ``allow`` go out as ever, others are refused. ``keep`` are the names of properties whose texts
    stay. ``drift`` says what does not fit the metadata, and ``entities`` counts what was taken.
    """

    def __init__(
        self,
        to: str | os.PathLike[str],
        service: Service,
        *,
        hosts: Iterable[str] = GRAPH_HOSTS,
        allow: Iterable[str] = (),
        keep: Iterable[str] = (),
        writes: bool = False,
    ):
        self._to = Path(to)
        self._capture = Capture(keep, service)
        self._writes = writes
        self._refused: list[str] = []
        self._lock = threading.Lock()
        self._intercept = Intercept(self._forward, hosts, allow=(*SIGN_IN_HOSTS, *allow))

    @property
    def drift(self) -> Sequence[str]:
        """The faults of answers that do not fit the metadata, and are not in the seed."""
        return tuple(self._capture.drift)

    @property
    def entities(self) -> int:
        """The number of entities that were taken."""
        return self._capture.entities

    def __enter__(self) -> Self:
        self._intercept.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._intercept.__exit__(kind, error, trace)
        if error is not None:
            return
        if self._refused:
            raise MockGraphError(f"Not sent, for it may write: {'; '.join(self._refused)}.")
        self._capture.write(self._to)

    def _forward(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Send a request on to the host that it is for, and pass on what it answers."""
        method, target = environ["REQUEST_METHOD"], environ["REQUEST_URI"]
        path = urlsplit(target).path
        if method not in _READING and not self._writes:
            with self._lock:
                self._refused.append(f"{method} {path}")
            return _refuse(start_response, MethodNotAllowed(sorted(_READING)))
        kind = (
            http.client.HTTPSConnection
            if environ["wsgi.url_scheme"] == "https"
            else http.client.HTTPConnection
        )
        connection = kind(environ["HTTP_HOST"], timeout=_TIMEOUT)
        try:
            with passing():
                connection.request(method, target, _body(environ), _headers(environ))
                response = connection.getresponse()
                content = response.read()
        except (OSError, http.client.HTTPException) as error:
            told = f"{environ['HTTP_HOST']} does not answer: {error}"
            return _refuse(start_response, ServiceUnavailable(told))
        finally:
            connection.close()
        if method == "GET" and response.status == 200:
            self._take(path, content)
        given = [pair for pair in response.getheaders() if pair[0].lower() not in _OF_CONNECTION]
        start_response(f"{response.status} {response.reason}", given)
        return [content]

    def _take(self, path: str, content: bytes) -> None:
        try:
            body: Json = orjson.loads(content)
        except orjson.JSONDecodeError:
            return  # a picture, a stream, a count
        with self._lock:
            self._capture.add(Captured(quote(unquote(path)), body))


def _body(environ: Environ) -> bytes | None:
    content: bytes = environ["wsgi.input"].read()
    return content or None


def _headers(environ: Environ) -> dict[str, str]:
    """The headers of a request as they go on, the token among them."""
    named = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_") or name == "CONTENT_TYPE"
    }
    return {name: value for name, value in named.items() if name not in _OF_CONNECTION}


def _refuse(start_response: StartResponse, error: GraphError) -> Iterable[bytes]:
    status, headers, body = refusal(error)
    start_response(status, headers)
    return [body]
