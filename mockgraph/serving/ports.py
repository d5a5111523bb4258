"""The ports that the settings of a server name: http, https and the proxy's.

Making certificates takes as long as all the rest of a start, so what makes them is loaded
where settings ask for one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mockgraph.server_options import Settings
from mockgraph.serving.http1_parser import BodyLimit
from mockgraph.serving.server import Server
from mockgraph.wsgi import WSGIApp

if TYPE_CHECKING:
    from mockgraph.serving.server.access_log import LineWriter
    from mockgraph.serving.tls import Certificate


class Certificates(NamedTuple):
    """The certificates of https and of the proxy, None where a server has no such port.

    ``ca`` is the file of the authority that issued them, None where the user gave one.
    """

    https: Certificate | None = None
    proxy: Certificate | None = None
    ca: str | None = None


def certificates(settings: Settings) -> Certificates:
    """Return the certificates that settings ask for: https has the user's own where one is given.

    Raises MockGraphError where they cannot be had.
    """
    https = proxy = ca = None
    if settings.tls_cert is not None and settings.tls_key is not None:
        from mockgraph.serving.tls import given

        https = given(settings.tls_cert, settings.tls_key)
    if settings.proxy or (settings.tls and https is None):
        from mockgraph.serving.proxy import certificate
        from mockgraph.serving.tls import authority

        own = authority(settings.ca_dir, [settings.host, *settings.allowed_hosts])
        ca = str(own.ca_path)
        if settings.tls and https is None:
            https = own.issue(settings.host, *settings.allowed_hosts)
        if settings.proxy:
            proxy = certificate(own)
    return Certificates(https, proxy, ca)


def open_server(
    app: WSGIApp,
    settings: Settings,
    certificates: Certificates,
    log: LineWriter | None = None,
    body_limit: BodyLimit | None = None,
) -> Server:
    """Return a server of an app that listens on the ports that settings name.

    Each request is written to a log, where there is one; ``body_limit`` says of a head how much
    of a body is worth reading. Raises MockGraphError where a port
    cannot be had.
    """
    if certificates.proxy is not None:
        from mockgraph.serving.proxy import Gate

        app = Gate(app)
    return Server(
        app,
        settings.host,
        settings.port,
        tls_port=None if certificates.https is None else settings.tls_port,
        certificate=certificates.https,
        proxy_port=None if certificates.proxy is None else settings.proxy_port,
        proxy_certificate=certificates.proxy,
        max_body=settings.max_body,
        body_limit=body_limit,
        log=log,
    )
