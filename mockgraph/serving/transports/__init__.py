"""MockGraph without a socket: clients answered in process, by transports or by an intercept.

Of the client libraries only the one that is asked for is imported, and not before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mockgraph.serving.hosts import GRAPH_HOSTS, SIGN_IN_HOSTS
from mockgraph.serving.transports.endpoint import Endpoint
from mockgraph.serving.transports.intercept import Intercept
from mockgraph.serving.transports.patches import Attempt, CallRefused
from mockgraph.wsgi import WSGIApp

if TYPE_CHECKING:
    import httpx
    from requests.adapters import BaseAdapter
    from urllib3 import Retry

__all__ = [
    "GRAPH_HOSTS",
    "SIGN_IN_HOSTS",
    "Attempt",
    "CallRefused",
    "Intercept",
    "async_httpx_transport",
    "httpx_transport",
    "requests_adapter",
]


def httpx_transport(
    app: WSGIApp, prefix: str = "", headers: Mapping[str, str] | None = None
) -> httpx.BaseTransport:
    """Return a transport for ``httpx.Client`` that has a WSGI app answer, whatever the host.

    ``prefix`` goes in front of every path that does not have it (``/t/NAME``), ``headers`` are
    added to every request::

        client = httpx.Client(transport=httpx_transport(app), base_url="https://graph.example")
    """
    from mockgraph.serving.transports.over_httpx import HttpxTransport

    return HttpxTransport(Endpoint(app, prefix, headers))


def async_httpx_transport(
    app: WSGIApp, prefix: str = "", headers: Mapping[str, str] | None = None
) -> httpx.AsyncBaseTransport:
    """Return the same as :func:`httpx_transport` for ``httpx.AsyncClient``."""
    from mockgraph.serving.transports.over_httpx import AsyncTransport

    return AsyncTransport(Endpoint(app, prefix, headers))


def requests_adapter(
    app: WSGIApp,
    prefix: str = "",
    headers: Mapping[str, str] | None = None,
    max_retries: int | Retry = 0,
) -> BaseAdapter:
    """Return an adapter for ``requests.Session`` that has a WSGI app answer, whatever the host.

    ``prefix`` and ``headers`` are those of :func:`httpx_transport`, ``max_retries`` that of
    requests' own adapter::

        session.mount("https://", requests_adapter(app))
    """
    from mockgraph.serving.transports.over_urllib3 import adapter

    return adapter(Endpoint(app, prefix, headers), max_retries)
