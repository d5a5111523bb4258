"""A live server in this process: granian's WSGI worker on a socket of ours.

granian won by measurement: request after request on one connection it took 0.79 of waitress's
time, 0.75 of cheroot's and 0.32 of Werkzeug's; with a connection for each, 0.66, 0.54 and 0.41.
Its own ``Server`` starts a second process for the app; a process killed would leave that one
behind, with the store locked and the port taken, so the worker runs here, on threads of its
own that need no event loop. The names used for that are granian's internals: its version is
pinned to one minor release.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from granian import _granian
from granian._futures import _new_cbscheduler
from granian.constants import HTTPModes
from granian.wsgi import _callback_wrapper

from mockgraph.errors import MockGraphError

StartResponse = Callable[..., Any]
WSGIApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

# granian's annotations lag behind its native module.
_native: Any = _granian
_scheduler: Any = _new_cbscheduler

_BACKLOG = 1024
# Each holds one request, however slow; they are started as they are needed.
_THREADS = 64
_GRACE = 30.0  # seconds
_access = logging.getLogger("mockgraph.access")


class Server:
    """A WSGI app served on a host and port, port 0 being any free one.

    It accepts connections from :meth:`start` on; :meth:`stop` lets requests under way finish.
    Raises MockGraphError where the address cannot be had.
    """

    def __init__(self, app: WSGIApp, host: str = "127.0.0.1", port: int = 0):
        listener = _listen(host, port)
        self.host = host
        self.port: int = listener.getsockname()[1]
        self._app = app
        self._holder = _hold(listener)
        self._signal = _native.WorkerSignal()
        self._stopped = threading.Event()
        self._signal.add_cb(self._stopped.set)
        self._loop = asyncio.new_event_loop()  # granian asks for one and leaves it idle

    @property
    def origin(self) -> str:
        """``http://HOST:PORT``, as a client writes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def start(self) -> None:
        """Serve from now on, on threads of granian's."""
        no_tls: tuple[Any, ...] = (False, None, None, None, "tls1.2", None, [], False)
        self._worker = _native.WSGIWorker(
            1,
            (None, self._holder),
            None,  # no parent process to report to
            1,
            512,
            _THREADS,
            30,
            _BACKLOG,
            HTTPModes.http1,
            None,
            None,
            None,  # no static files
            *no_tls,
            (None, _native.MetricsAggregator(1)),
        )
        self._scheduler = _scheduler(
            self._loop, _callback_wrapper(self._app, {}), impl_asyncio=True
        )
        self._worker.serve_mtr(self._scheduler, self._loop, self._signal)

    def stop(self) -> None:
        """Take no more requests, finish those under way, and let go of the port.

        A client that never sends the rest of its request is waited for 30 seconds, not more.
        """
        self._signal.set()
        self._stopped.wait(_GRACE)
        self._loop.close()


def logged(app: WSGIApp) -> WSGIApp:
    """The app, with one line a request in the log ``mockgraph.access``."""

    def serve(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        began = time.perf_counter()
        answered = ""

        def start(status: str, *rest: Any) -> Any:
            nonlocal answered
            answered = status
            return start_response(status, *rest)

        body = app(environ, start)
        query = environ.get("QUERY_STRING")
        _access.info(
            "%s %s%s %s %.1f ms",
            environ["REQUEST_METHOD"],
            environ["PATH_INFO"],
            f"?{query}" if query else "",
            answered[:3],
            (time.perf_counter() - began) * 1000,
        )
        return body

    return serve


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise MockGraphError(f"{port} is no port: ports go from 0 to 65535.")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error
        raise MockGraphError(
            f"Cannot listen on {host} port {port}: {reason}. "
            "Choose another with --port, or --port 0 for any free one."
        ) from error
    # Connections inherit this; without it an answer's second packet waits for an ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setblocking(False)
    return listener


def _hold(listener: socket.socket) -> Any:
    """Hand a listening socket over to granian, which closes it."""
    if sys.platform == "win32":
        return _native.SocketHolder(listener.detach())
    return _native.SocketHolder(listener.detach(), False, _BACKLOG)
