"""MockGraph as an HTTP proxy: unchanged programs find it by ``HTTPS_PROXY`` and a CA file.

It passes nothing on: it answers by itself for Graph and Entra, and refuses other hosts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from mockgraph.errors import BadRequest, GraphError, Misdirected, ProxyRefused
from mockgraph.http import Request, Response, error_body, identifying_headers
from mockgraph.redaction import masked_url
from mockgraph.serving.hosts import GRAPH_HOSTS, SIGN_IN_HOSTS, host_matches
from mockgraph.wsgi import Environ, Headers, StartResponse, WSGIApp

if TYPE_CHECKING:
    from mockgraph.serving.tls import Authority, Certificate

HOSTS = (*GRAPH_HOSTS, *SIGN_IN_HOSTS)

_TRUSTING = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
_SHOWN = 200  # characters of a host
_PATH = re.compile("[/?#]")
_FOR_PROXIES = ("HTTP_PROXY_AUTHORIZATION", "HTTP_PROXY_CONNECTION")
_PORTS = {"http": 80, "https": 443}
_NO_PROXY_REQUEST = (
    "This port is for clients whose HTTPS_PROXY it is; MockGraph itself has a port of its own."
)


def certificate(own: Authority) -> Certificate:
    """Return the certificate of the proxy's tunnels, one for all of :data:`HOSTS`."""
    return own.issue(*HOSTS)


def environment(url: str, ca_path: str) -> dict[str, str]:
    """Return the environment variables for a program: its proxy, and the authority to trust.

    Each ecosystem reads some of them; names of proxies are read in small letters first.
    """
    proxies = {"HTTPS_PROXY": url, "NO_PROXY": "localhost,127.0.0.1,::1"}
    return {
        **proxies,
        **{name.lower(): value for name, value in proxies.items()},
        **dict.fromkeys(_TRUSTING, ca_path),
        "NODE_USE_ENV_PROXY": "1",
    }


def how_to_use(ca_path: str | os.PathLike[str]) -> str:
    """Return a text for people: how programs are set up for the proxy on its usual port."""
    return _USE.format(ca=os.fspath(ca_path))


_USE = """\
With mockgraph serve --proxy, programs need no change at all: https://graph.microsoft.com and
https://login.microsoftonline.com are MockGraph to whoever is started with

  HTTPS_PROXY=http://127.0.0.1:8367

and with the file by the name that its ecosystem reads:

  Python: requests, azure-identity, MSAL   REQUESTS_CA_BUNDLE="{ca}"
  Python: httpx, msgraph-sdk, urllib       SSL_CERT_FILE="{ca}"
  Python: aiohttp                          the same, and ClientSession(trust_env=True)
  Node.js 24                               NODE_EXTRA_CA_CERTS="{ca}" NODE_USE_ENV_PROXY=1
  Node.js: @azure/identity, axios          NODE_EXTRA_CA_CERTS="{ca}"
  curl                                     CURL_CA_BUNDLE="{ca}"
  Go and .NET on Linux                     SSL_CERT_FILE="{ca}"
  .NET on Windows and macOS                nothing, once this user's programs trust it, as above
  Java, which reads neither variable       JAVA_TOOL_OPTIONS="-Dhttps.proxyHost=127.0.0.1 \\
      -Dhttps.proxyPort=8367 -Djavax.net.ssl.trustStore=mockgraph.p12 \\
      -Djavax.net.ssl.trustStorePassword=changeit"

All other hosts are refused with 403. Name those that are to be asked directly:

  NO_PROXY=localhost,127.0.0.1,::1,api.example.com

HTTP_PROXY, to the same value, is for managed identities on Azure's machines alone, which ask
http://169.254.169.254; with it, keep 127.0.0.1 in NO_PROXY, or MockGraph's own URL is refused."""


class Gate:
    """A WSGI app around another that answers requests to a proxy as well.

    The connections are :class:`mockgraph.serving.server.tls_connection.ProxyConnection`. The app
    is called for :data:`HOSTS` on their usual ports, with the names that clients call them by,
    so links in responses are Graph's own; anything else gets a 403 that names the host::

        Server(Gate(app), proxy_port=8367, proxy_certificate=certificate(authority()))
    """

    def __init__(self, app: WSGIApp):
        self._app = app

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        inside: str | None = environ.get("mockgraph.proxied")
        if inside is None:  # not on the proxy's port
            return self._app(environ, start_response)
        try:
            if inside:
                _keep_to(inside, environ)
            elif environ["REQUEST_METHOD"] == "CONNECT":
                environ["mockgraph.tunnel"](_answered_for("https", environ["REQUEST_URI"]))
                start_response("200 Connection established", [])
                return []
            else:
                _readdress(environ)
        except GraphError as error:
            return _refuse(error, environ, start_response)
        return self._app(environ, start_response)


def _keep_to(host: str, environ: Environ) -> None:
    """Set the Host of a request in a tunnel to the tunnel's. Raises 421 where it differs."""
    named = environ.get("HTTP_HOST", host)
    if _split("https", named) != (host, _PORTS["https"]):
        raise Misdirected(host, named[:_SHOWN])
    environ["HTTP_HOST"] = host


def _readdress(environ: Environ) -> None:
    """Address a request whose target is a URL to the host in it. Raises 400 and 403."""
    target = environ["REQUEST_URI"]
    scheme, found, rest = target.partition("://")
    scheme = scheme.lower()
    if not found or target[0] == "/":
        raise BadRequest(_NO_PROXY_REQUEST)
    if scheme not in _PORTS:
        raise ProxyRefused(masked_url(target)[:_SHOWN])
    environ["HTTP_HOST"] = _answered_for(scheme, rest)
    environ["wsgi.url_scheme"] = scheme
    for name in _FOR_PROXIES:
        environ.pop(name, None)


def _answered_for(scheme: str, authority: str) -> str:
    """Return the host of an authority. Raises 403 where it or its port is not answered for."""
    host, port = _split(scheme, authority)
    if port != _PORTS[scheme] or not host_matches(host, HOSTS):
        named = masked_url(_PATH.split(authority, 1)[0] or authority)
        raise ProxyRefused(named.rpartition("@")[2][:_SHOWN])
    return host


def _split(scheme: str, authority: str) -> tuple[str, int | None]:
    """Return the host in lower case and the port, by default the scheme's; "" if malformed."""
    try:
        parts = urlsplit(f"{scheme}://{authority}")
        port = parts.port
    except ValueError:
        return "", None
    return (parts.hostname or "").removesuffix("."), _PORTS[scheme] if port is None else port


def _refuse(error: GraphError, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    asked = Request(environ)
    body = orjson.dumps(error_body(error, asked))
    response = Response(error.status, body, "application/json")
    response.headers += identifying_headers(asked)

    def start(status: str, headers: Headers) -> Any:
        # Clients show of a refused tunnel no more than the reason phrase.
        named = f"{error.status} {error.summary}" if isinstance(error, ProxyRefused) else status
        return start_response(named, headers)

    return response.send(asked.method, start)
