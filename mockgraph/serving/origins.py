"""The host names that a server is asked by, and the web pages that may ask its control plane.

A page of a foreign site reaches a server on the loopback under the site's own name, once its DNS
says so ("DNS rebinding"), and by any URL without that; a browser then says in ``Origin`` and in
``Sec-Fetch-Site`` where the page is from (https://www.w3.org/TR/fetch-metadata/).
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from mockgraph.errors import BadRequest, HostRefused, OriginRefused
from mockgraph.server_options import Settings
from mockgraph.serving.hosts import (
    GRAPH_HOSTS,
    SIGN_IN_HOSTS,
    host_matches,
    is_address,
    is_loopback,
)
from mockgraph.wsgi import Environ

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(:\d*)?", re.ASCII)
_MICROSOFT = (*GRAPH_HOSTS, *SIGN_IN_HOSTS)
_PORTS = {"http": 80, "https": 443}
_OTHER_SITES = ("cross-site", "same-site")
_MAX_KNOWN = 256  # host names that are known to be good


class Origins:
    """The hosts and origins of one server, its own ones and those that its settings allow."""

    def __init__(self, settings: Settings):
        self._names = frozenset({settings.host.lower(), *settings.allowed_hosts})
        self._origins = frozenset(settings.allowed_origins)
        self._known: set[str] = set()

    def check_host(self, environ: Environ) -> None:
        """Raise 403 where a request comes by a name that may be a web page's.

        Names of Microsoft, of this machine, addresses, names without a dot, as those of
        containers, and those that were allowed are good. A request that came without a
        socket, or by the proxy, is from no web page.
        """
        host: str = environ.get("HTTP_HOST", "")
        if not host or host in self._known:  # HTTP/1.0 may do without; browsers do not
            return
        if "mockgraph.sender" in environ or environ.get("mockgraph.proxied"):
            return
        name = _name_of(host)
        if not name:
            raise BadRequest("The Host header is not a host.")
        if not (self.is_own(host) or host_matches(name, _MICROSOFT)):
            raise HostRefused(host)
        if len(self._known) < _MAX_KNOWN:
            self._known.add(host)

    def is_own(self, host: str) -> bool:
        """Return whether a host, its port behind it or not, is one of this server's."""
        name = _name_of(host)
        if not name:
            return False
        return "." not in name or name in self._names or is_loopback(name) or is_address(name)

    def is_named(self, origin: str) -> bool:
        """Return whether an origin was allowed: itself, or its host."""
        origin = origin.lower()
        return origin in self._origins or _name_of(_host_of(origin)) in self._names

    def check_control(self, environ: Environ) -> None:
        """Raise 403 where the control plane is asked by a web page that may not, or by a bad host.

        Pages of this server, of the loopback and of the allowed origins may; where a browser
        says that the page is of another site, only the last.
        """
        host = environ.get("HTTP_HOST", "")
        if not self.is_own(host):
            raise HostRefused(host)
        origin = environ.get("HTTP_ORIGIN")
        if origin is not None and self.is_named(origin):
            return
        if environ.get("HTTP_SEC_FETCH_SITE", "").lower() in _OTHER_SITES:
            raise OriginRefused(origin)
        if origin is None:
            return
        own = f"{environ['wsgi.url_scheme']}://{host}"
        if not (_is_same(origin, own) or is_loopback(_name_of(_host_of(origin)))):
            raise OriginRefused(origin)


def _name_of(host: str) -> str:
    """Return the name in a Host, in lower case and without its port, "" where it is malformed."""
    found = _HOST.fullmatch(host)
    return found[1].lower().strip("[]").removesuffix(".") if found else ""


def _host_of(origin: str) -> str:
    """Return the host of an origin of the web, "" where it is none, as that of an extension."""
    scheme, mark, host = origin.partition("://")
    return host if mark and scheme.lower() in _PORTS else ""


def _is_same(one: str, other: str) -> bool:
    return _split(one) == _split(other) is not None


def _split(origin: str) -> tuple[str, str, int | None] | None:
    try:
        parts = urlsplit(origin)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    if origin.count("/") != 2 or parts.scheme not in _PORTS or not _name_of(parts.netloc):
        return None
    return parts.scheme, _name_of(parts.netloc), port
