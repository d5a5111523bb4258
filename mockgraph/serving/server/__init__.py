"""A live server in this process: http and https, on threads of its own.

It is ours, on the parser that uvicorn has, and won by measurement, with bare Flask asked to PATCH
by 8 connections on 2 cores. granian's WSGI worker embedded with one thread, which one slow
request holds up, made 7.0 thousand requests a second, 99 in 100 within 1.5 ms; with 64, which
fight for the interpreter, 4.9 thousand within 9 ms, and not more where only one might be in the
app at a time; its RSGI worker with an event loop 5.7 thousand within 2.2 ms. The loop here makes
7.0 thousand within 2.3 ms. Of an app that does nothing, a request costs 17 µs of processor time
under granian with one thread, 33 with 64, 59 with RSGI (43 with uvloop), and 22 here.

Besides, it knows a body that broke off from one that ended, and can cut a connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockgraph.errors import MockGraphError
from mockgraph.serving.server.access import AccessLog, logged
from mockgraph.serving.server.answers import StartResponse, WSGIApp
from mockgraph.serving.server.doors import Door
from mockgraph.serving.server.loop import Loop

if TYPE_CHECKING:
    from ssl import SSLContext

    from mockgraph.serving.tls import Certificate

__all__ = ["AccessLog", "Server", "StartResponse", "WSGIApp", "logged"]

MAX_BODY = 4 * 1024 * 1024  # bytes, the same as Settings.max_body

_GRACE = 30.0  # seconds


class Server:
    """A WSGI app served on a host and port, port 0 being any free one.

    It accepts connections from :meth:`start` on; :meth:`stop` lets requests under way finish.
    With a certificate and a ``tls_port`` it speaks https there, too; with a ``proxy_port`` and
    a ``proxy_certificate`` clients may take it for an HTTP proxy there, which goes on in TLS
    where the app lets it (:mod:`mockgraph.serving.server.tunnels`). A request's body is kept
    up to ``max_body`` bytes: the app must refuse larger ones, and sees such as larger. Raises
    MockGraphError where an address cannot be had.
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
        max_body: int = MAX_BODY,
    ):
        self._app = app
        self._door = Door(host, port)
        self._tls_door: Door | None = None
        self._proxy_door: Door | None = None
        try:
            self._tls_door = _tls_door(host, tls_port, certificate)
            self._proxy_door = _proxy_door(host, proxy_port, proxy_certificate)
        except BaseException:
            for door in self._doors():
                door.close()
            raise
        self.host = host
        self.port = self._door.port
        self._loop = Loop(app, self._doors(), max_body)

    @property
    def origin(self) -> str:
        """``http://HOST:PORT``, as a client writes it."""
        return self._door.origin

    @property
    def tls_origin(self) -> str | None:
        """``https://HOST:PORT``, None without a certificate."""
        return self._tls_door.origin if self._tls_door else None

    @property
    def proxy_url(self) -> str | None:
        """``http://HOST:PORT``, what clients are told is their proxy; None without one."""
        return self._proxy_door.origin if self._proxy_door else None

    @property
    def has_ended(self) -> bool:
        """Whether it serves no more: it was stopped, or it failed, as the log says."""
        return self._loop.has_ended

    def start(self) -> None:
        """Serve from now on, on threads of its own."""
        self._loop.start()

    def stop(self) -> None:
        """Take no more requests, finish those under way, and let go of the ports.

        A client that never sends the rest of its request is waited for 30 seconds, not more,
        and, once :meth:`hurry` was called from another thread or a signal, not at all.
        """
        self._loop.stop(_GRACE)
        if isinstance(self._app, AccessLog):
            self._app.close()

    def hurry(self) -> None:
        """Have :meth:`stop` wait for nobody any longer."""
        self._loop.hurry()

    def _doors(self) -> list[Door]:
        return [door for door in (self._door, self._tls_door, self._proxy_door) if door]


def _tls_door(host: str, port: int | None, certificate: Certificate | None) -> Door | None:
    context = _context("https", port, certificate)
    if port is None or context is None:
        return None
    from mockgraph.serving.server.secure import connector

    return Door(host, port, option="--tls-port", scheme="https", connect=connector(context))


def _proxy_door(host: str, port: int | None, certificate: Certificate | None) -> Door | None:
    context = _context("A proxy", port, certificate)
    if port is None or context is None:
        return None
    from mockgraph.serving.server.tunnels import connector

    return Door(host, port, option="--proxy-port", connect=connector(context))


def _context(what: str, port: int | None, certificate: Certificate | None) -> SSLContext | None:
    """What TLS is spoken with on a port. Raises MockGraphError for one without the other."""
    if (port is None) != (certificate is None):
        raise MockGraphError(f"{what} needs a port and a certificate, both.")
    return certificate.context() if certificate is not None else None
