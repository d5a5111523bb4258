"""Answers that go by way of the browser: where they may go, and how they are put."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, urlencode, urlsplit

from werkzeug.wrappers import Response

from mockgraph.entra.directory import App
from mockgraph.entra.pages import form_post
from mockgraph.entra.scopes import LOOPBACK
from mockgraph.entra.sign_in_errors import NoRedirectUri, UnsupportedResponseMode, WrongRedirectUri

MODES = ("query", "fragment", "form_post")

# What a browser would run rather than go to.
_ACTIVE = frozenset({"about", "blob", "data", "file", "javascript", "vbscript"})
_URI = re.compile(r"[\x21-\x7e]{3,2048}")


def check_redirect_uri(given: str | None, app: App) -> str:
    """The URI to answer to: one of the app's, character by character, but that the port of a
    loopback address is free (RFC 8252, 7.3). Raises EntraError."""
    registered = app.redirect_uris
    if not given:
        if not registered:
            raise NoRedirectUri
        return registered[0]
    parts = split_uri(given)
    if parts is None or parts.fragment:
        raise WrongRedirectUri(given, app.app_id)
    if registered is not None and _without_port(given) not in map(_without_port, registered):
        raise WrongRedirectUri(given, app.app_id)
    return given


def check_mode(given: str | None) -> str:
    """The response mode; that of codes is ``query``. Raises EntraError."""
    mode = given or MODES[0]
    if mode not in MODES:
        raise UnsupportedResponseMode(mode)
    return mode


def respond(uri: str, mode: str, values: Mapping[str, str]) -> Response:
    """Send the browser there with these values."""
    if mode == "form_post":
        return form_post(uri, values)
    uri = _with_path(uri)
    mark = "#" if mode == "fragment" else "&" if "?" in uri else "?"
    return redirect(f"{uri}{mark}{urlencode(values)}")


def redirect(uri: str) -> Response:
    """Send the browser there."""
    headers = {"Location": uri, "Cache-Control": "no-store, no-cache", "Pragma": "no-cache"}
    return Response(status=302, headers=headers)


def _with_path(uri: str) -> str:
    """The URI as a browser asks for it: an http one has a path (RFC 3986, 6.2.3)."""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https") or parts.path:
        return uri
    return parts._replace(path="/").geturl()


def split_uri(uri: str) -> SplitResult | None:
    """The parts of an absolute URI that a browser may be sent to; None where it is none."""
    if not _URI.fullmatch(uri):
        return None
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return None
    if not parts.scheme or parts.scheme in _ACTIVE:
        return None
    return None if parts.scheme in ("http", "https") and not parts.hostname else parts


def _without_port(uri: str) -> str:
    """The URI without its port, where that is free."""
    parts = split_uri(uri)
    if parts is None or parts.scheme != "http" or parts.hostname not in LOOPBACK:
        return uri
    return parts._replace(netloc=parts.hostname).geturl()
