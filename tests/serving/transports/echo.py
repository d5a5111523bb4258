"""A WSGI app that says what it was asked, and others that misbehave."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

LARGE = b"0123456789abcdef" * 16_384  # a quarter of a mebibyte
# What differs from server to server, or by what it is called.
_OMITTED = ("HTTP_HOST", "HTTP_CONNECTION")
_NOTED = ("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE")


def echo(environ: Environ, start: StartResponse) -> Iterable[bytes]:
    """Answers by the first segment of the path; by default with the request, as JSON."""
    answer = _ANSWERS.get(environ["PATH_INFO"].split("/")[1], _request)
    return answer(environ, start)


def _request(environ: Environ, start: StartResponse) -> Iterable[bytes]:
    body = environ["wsgi.input"].read()
    said = {name: environ[name] for name in _NOTED if name in environ}
    said |= {
        name: value
        for name, value in environ.items()
        if name.startswith("HTTP_") and name not in _OMITTED
    }
    said["CONTENT_LENGTH"] = environ.get("CONTENT_LENGTH") or None
    content = json.dumps(
        {**said, "body": hashlib.sha256(body).hexdigest()}, sort_keys=True
    ).encode()
    start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [content]


def _status(environ: Environ, start: StartResponse) -> Iterable[bytes]:
    status = environ["PATH_INFO"].rpartition("/")[2]
    environ["wsgi.input"].read()
    start(f"{status} As Asked", [("Content-Type", "text/plain")])
    return [] if status in ("204", "304") else [b"so it is"]


def _stream(_: Environ, start: StartResponse) -> Iterator[bytes]:
    start("200 OK", [("Content-Type", "application/octet-stream")])
    return iter([b"first,", b"", b"second,", LARGE])


def _sized(_: Environ, start: StartResponse) -> Iterator[bytes]:
    start("200 OK", [("Content-Length", str(len(LARGE)))])
    return (LARGE[at : at + 10_000] for at in range(0, len(LARGE), 10_000))


def _cookies(_: Environ, start: StartResponse) -> Iterable[bytes]:
    start("200 OK", [("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; Path=/")])
    return [b"cookies"]


def _redirect(environ: Environ, start: StartResponse) -> Iterable[bytes]:
    environ["wsgi.input"].read()
    start("307 Temporary Redirect", [("Location", "/elsewhere?from=redirect")])
    return [b""]


def _wide(_: Environ, start: StartResponse) -> Iterable[bytes]:
    start("200 OK", [("X-Wide", "w" * 8000), ("x-odd_name", "a, b")])
    return [b"wide"]


def _empty(_: Environ, start: StartResponse) -> Iterable[bytes]:
    start("200 OK", [])
    return []


_ANSWERS: dict[str, Callable[[Environ, StartResponse], Iterable[bytes]]] = {
    "status": _status,
    "stream": _stream,
    "sized": _sized,
    "cookies": _cookies,
    "redirect": _redirect,
    "wide": _wide,
    "empty": _empty,
}


def late(environ: Environ, start: StartResponse) -> Iterable[bytes]:
    """Waits for as many seconds as the query says before it answers."""
    environ["mockgraph.sleep"](float(environ["QUERY_STRING"]))
    return _request(environ, start)


def trickle(environ: Environ, start: StartResponse) -> Iterator[bytes]:
    """Waits for as many seconds as the query says in the middle of its answer."""
    start("200 OK", [("Content-Length", "8")])
    yield b"half"
    environ["mockgraph.sleep"](float(environ["QUERY_STRING"]))
    yield b"half"


def cut(environ: Environ, start: StartResponse) -> Iterable[bytes]:
    """Cuts the connection at the moment that the path names."""
    moment = environ["PATH_INFO"].strip("/")
    if moment == "before":
        environ["mockgraph.cut"]()
    length = [] if moment == "chunked" else [("Content-Length", "8")]
    start("200 OK", length)

    def pieces() -> Iterator[bytes]:
        if moment != "bare":
            yield b"half"
        if moment == "after":
            yield b"half"
        environ["mockgraph.cut"]()
        if moment == "during":
            yield b"lost"

    return pieces()


def named(name: str) -> Callable[[Environ, StartResponse], Iterable[bytes]]:
    """An app that answers with its name."""

    def app(environ: Environ, start: StartResponse) -> Iterable[bytes]:
        start("200 OK", [("X-Host", environ["HTTP_HOST"])])
        return [name.encode()]

    return app
