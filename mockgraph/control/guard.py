"""Access to the control plane: no web page of another site, and nobody without the token."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from werkzeug.wrappers import Request

from mockgraph.control import FAVICON, PREFIX
from mockgraph.errors import ControlNotProxied, ControlRefused, ControlTokenMissing

TOKEN_HEADER = "x-mockgraph-token"

# These tell nothing and do nothing: anybody may ask for them. The first two by a proxy, too.
_OF_BROWSERS = ("/", FAVICON)
_OPEN = (*_OF_BROWSERS, f"{PREFIX}/health")


def check(request: Request, token: str | None, allowed_hosts: Collection[str]) -> None:
    """Raise 403 for a host name that may be a foreign site's, 401 without the token.

    A page of a foreign site reaches the loopback under the site's own name, once its DNS says
    so ("DNS rebinding"), or says in ``Origin`` where it comes from. Names without a dot, as
    those of containers, are no site's. The control plane is not behind the proxy: 403.
    """
    if "mockgraph.proxied" in request.environ and request.path not in _OF_BROWSERS:
        raise ControlNotProxied
    if request.path in _OPEN:
        return
    if not _is_local(f"//{request.environ.get('HTTP_HOST', '')}", allowed_hosts):
        raise ControlRefused("host", "--allowed-host")
    origin = request.headers.get("Origin")
    if origin and not _is_local(origin, allowed_hosts):
        raise ControlRefused("origin", "--allowed-host")
    if token is not None and not _is_token(request, token):
        raise ControlTokenMissing


def _is_token(request: Request, token: str) -> bool:
    given = request.headers.get(TOKEN_HEADER, "")
    return hmac.compare_digest(given.encode(), token.encode())


def _is_local(url: str, allowed_hosts: Collection[str]) -> bool:
    try:
        host = (urlsplit(url).hostname or "").rstrip(".").lower()
    except ValueError:
        return False
    if host in allowed_hosts or host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        ip_address(host)
    except ValueError:
        return bool(host) and "." not in host and ":" not in host
    return True
