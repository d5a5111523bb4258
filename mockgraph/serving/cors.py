"""Requests of web pages of other origins, as Graph and its sign-in answer them: any page may ask.

The protocol is that of https://fetch.spec.whatwg.org/#http-cors-protocol. A preflight carries no
token and is answered without one; answers of every kind, refusals too, say that a page may read
them, and which headers of theirs.
"""

from __future__ import annotations

from mockgraph.http import Response
from mockgraph.wsgi import Environ, Headers

_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_MAX_AGE = "600"  # seconds that a browser keeps the answer to a preflight
# What Graph's clients read of an answer.
_EXPOSED = (
    "ETag, Location, Preference-Applied, Content-Range, request-id, client-request-id, "
    "OData-Version, Retry-After, Deprecation, Sunset, Link, SdkVersion, WWW-Authenticate, Warning, "
    "ReadWriteConsistencyToken, x-ms-throttle-scope, x-ms-throttle-information, "
    "x-ms-throttle-limit-percentage, x-ms-resource-unit"
)


def is_preflight(environ: Environ) -> bool:
    """Return whether a browser asks if a page of another origin may send a request."""
    return (
        environ["REQUEST_METHOD"] == "OPTIONS"
        and "HTTP_ORIGIN" in environ
        and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
    )


def preflight(environ: Environ, origin: str = "*") -> Response:
    """Return the answer to a preflight, which allows what it asks for to pages of an origin."""
    response = Response(200)
    response.headers = [
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Methods", _METHODS),
        ("Access-Control-Max-Age", _MAX_AGE),
        ("Vary", "Origin, Access-Control-Request-Headers"),
    ]
    asked: str = environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")
    if asked:
        response.headers.append(("Access-Control-Allow-Headers", asked))
    return response


def readable(origin: str = "*") -> Headers:
    """Return the headers by which pages of an origin may read an answer."""
    return [("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", _EXPOSED)]
