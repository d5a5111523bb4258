"""Access to the control plane: no web page of another site, and nobody without the token."""

from __future__ import annotations

import hmac

from werkzeug.http import parse_cookie

from mockgraph.control import CONSOLE, FAVICON, PREFIX
from mockgraph.errors import (
    ConsoleLinkRefused,
    ConsoleTokenMissing,
    ControlNotProxied,
    ControlTokenMissing,
    OriginRefused,
)
from mockgraph.serving.origins import Origins
from mockgraph.wsgi import Environ

# Where the console keeps the token; a page of another site cannot have it sent along.
COOKIE = "mockgraph-token"

# These tell nothing and do nothing: any page may ask for them. The first two by a proxy, too.
_OF_BROWSERS = ("/", FAVICON)
_OPEN = (*_OF_BROWSERS, f"{PREFIX}/health", f"{CONSOLE}/token")
_STATIC = f"{CONSOLE}/static/"


def check_request(environ: Environ, path: str, token: str | None, origins: Origins) -> None:
    """Raise 403 for a host or a web page that is not the server's, 401 without the token.

    The head of a request is enough; ``path`` is that below its tenant's. The control plane is
    not behind the proxy: 403.
    """
    if "mockgraph.proxied" in environ and path not in _OF_BROWSERS:
        raise ControlNotProxied
    if path not in _OPEN and not path.startswith(_STATIC):
        check_caller(environ, path, token, origins)


def check_caller(environ: Environ, path: str, token: str | None, origins: Origins) -> None:
    """Raise as :func:`check_request` does, whatever is asked for."""
    is_page = path == "/" or path.startswith(CONSOLE)
    try:
        origins.check_control(environ)
    except OriginRefused:
        if is_page and _is_followed_link(environ):
            raise ConsoleLinkRefused(environ.get("HTTP_ORIGIN")) from None
        raise
    if token is not None and not _has_token(environ, token):
        raise ConsoleTokenMissing if is_page else ControlTokenMissing


def is_token(given: str, token: str | None) -> bool:
    """Return whether a text is the token; without one any is."""
    return token is None or hmac.compare_digest(given.encode(), token.encode())


def _is_followed_link(environ: Environ) -> bool:
    """Return whether a browser asks for what it shows a person as a page."""
    return (
        environ["REQUEST_METHOD"] == "GET"
        and environ.get("HTTP_SEC_FETCH_MODE", "").lower() == "navigate"
        and "text/html" in environ.get("HTTP_ACCEPT", "").lower()
    )


def _has_token(environ: Environ, token: str) -> bool:
    sent: str = environ.get("HTTP_X_MOCKGRAPH_TOKEN", "")
    return is_token(sent or parse_cookie(environ).get(COOKIE, ""), token)
