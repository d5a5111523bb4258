"""A live server in this process: http, https and a proxy, on threads of its own.

Why MockGraph has an HTTP server of its own, with figures, is told in ``docs/architecture.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockgraph.errors import MockGraphError
from mockgraph.server_options import Settings
from mockgraph.serving.http1_parser import BodyLimit
from mockgraph.serving.server.access_log import LineWriter
from mockgraph.serving.server.event_loop import EventLoop
from mockgraph.serving.server.listener import Listener
from mockgraph.wsgi import StartResponse, WSGIApp

if TYPE_CHECKING:
    from ssl import SSLContext

    from mockgraph.serving.tls import Certificate

__all__ = ["Server", "StartResponse", "WSGIApp"]

_GRACE = 30.0  # seconds that stop() lets requests under way finish


class Server:
    """A WSGI app served on a host and port, port 0 being any free one.

    It accepts connections from :meth:`start` on; :meth:`stop` lets requests under way finish.
    With a certificate and a ``tls_port`` it serves https there, too; with a ``proxy_port`` and
    a ``proxy_certificate`` it is an HTTP proxy there, whose tunnels are in TLS and are granted
    by the app (:class:`mockgraph.serving.server.tls_connection.ProxyConnection`). A request's
    body is kept up to ``max_body`` bytes, or as many as ``body_limit`` says of its head: the app
    must refuse larger ones, and can tell them
    (:class:`mockgraph.serving.http1_parser.RequestParser`). Each request is written to ``log``,
    where there is one. Raises MockGraphError where an address cannot be had.
    """

    def __init__(
        self,
        app: WSGIApp,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        tls_port: int | None = None,
        certificate: Certificate | None = None,
        proxy_port: int | None = None,
        proxy_certificate: Certificate | None = None,
        max_body: int = Settings.max_body,
        body_limit: BodyLimit | None = None,
        log: LineWriter | None = None,
    ):
        self._log = log
        self._http = Listener(host, port)
        self._https: Listener | None = None
        self._proxy: Listener | None = None
        try:
            self._https = _https(host, tls_port, certificate)
            self._proxy = _proxy(host, proxy_port, proxy_certificate)
        except BaseException:
            for listener in self._listeners():
                listener.close()
            raise
        self.host = host
        self.port = self._http.port
        self._loop = EventLoop(app, self._listeners(), max_body, body_limit, log)

    @property
    def origin(self) -> str:
        """The base URL, ``http://HOST:PORT``."""
        return self._http.origin

    @property
    def tls_origin(self) -> str | None:
        """The base URL of https, ``https://HOST:PORT``, None without a certificate."""
        return self._https.origin if self._https else None

    @property
    def proxy_url(self) -> str | None:
        """The URL of the proxy, ``http://HOST:PORT``, None without one."""
        return self._proxy.origin if self._proxy else None

    @property
    def has_ended(self) -> bool:
        """Whether it serves no more: it was stopped, or it failed, which was logged."""
        return self._loop.has_ended

    def start(self) -> None:
        """Begin to serve, on threads of its own."""
        self._loop.start()

    def stop(self) -> None:
        """Accept no more requests, finish those under way, and close the ports.

        Requests under way get 30 seconds, and none once :meth:`hurry` was called, from another
        thread or a signal.
        """
        self._loop.stop(_GRACE)
        if self._log is not None:
            self._log.close()

    def hurry(self) -> None:
        """Have :meth:`stop` wait no longer for requests under way."""
        self._loop.hurry()

    def _listeners(self) -> list[Listener]:
        return [each for each in (self._http, self._https, self._proxy) if each]


def _https(host: str, port: int | None, certificate: Certificate | None) -> Listener | None:
    context = _context("https", port, certificate)
    if port is None or context is None:
        return None
    from mockgraph.serving.server.tls_connection import tls_connect

    return Listener(host, port, option="--tls-port", scheme="https", connect=tls_connect(context))


def _proxy(host: str, port: int | None, certificate: Certificate | None) -> Listener | None:
    context = _context("A proxy", port, certificate)
    if port is None or context is None:
        return None
    from mockgraph.serving.server.tls_connection import proxy_connect

    return Listener(host, port, option="--proxy-port", connect=proxy_connect(context))


def _context(what: str, port: int | None, certificate: Certificate | None) -> SSLContext | None:
    """Return the TLS of a port. Raises MockGraphError for a port or certificate alone."""
    if (port is None) != (certificate is None):
        raise MockGraphError(f"{what} needs a port and a certificate, both.")
    return certificate.context() if certificate is not None else None
