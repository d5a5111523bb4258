"""HTTP/1.1 messages as bytes (RFC 9112): heads, chunks, and refusals of what is no request."""

from __future__ import annotations

import time
from collections.abc import Iterable
from email.utils import formatdate
from functools import lru_cache

import orjson

from mockgraph import __version__
from mockgraph.errors import PHRASES, GraphError
from mockgraph.guids import new_guid
from mockgraph.wsgi import Headers

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

SERVER_FIELD = ("Server", f"MockGraph/{__version__}")
SERVER_END = "{}: {}\r\n\r\n".format(*SERVER_FIELD).encode()  # of a head that has a date


def head(start_line: str, fields: Iterable[tuple[str, str]], end: bytes = b"\r\n") -> bytes:
    """Return a start line, header fields, and the end of a head, by default an empty line.

    Raises ValueError where one of them has a line break in it, or is not latin-1.
    """
    lines = [start_line, *map(": ".join, fields)]
    check_breaks("".join(lines))
    return "\r\n".join([*lines, ""]).encode("latin-1") + end


def check_breaks(text: str) -> None:
    """Raise ValueError where there is a line break in what is to be part of a line."""
    if "\n" in text or "\r" in text:
        raise ValueError("A header has a line break in it.")


def chunk(piece: bytes) -> bytes:
    """Return a piece of a body in the chunked coding; an empty one ends the body."""
    return b"%x\r\n%b\r\n" % (len(piece), piece)


def date_field() -> tuple[str, str]:
    """Return the header field ``Date`` of this second."""
    return _date_field(int(time.time()))


def dated_end() -> bytes:
    """Return the end of a head, with the fields ``Server`` and ``Date`` of this second."""
    return _dated_end(int(time.time()))


def refusal(error: GraphError) -> tuple[str, Headers, bytes]:
    """Return the status, headers and body of the answer to what is no request.

    The body is Graph's error object; the connection ends with it.
    """
    request_id = new_guid()
    body = orjson.dumps(error.body(request_id, request_id))
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
        ("request-id", request_id),
        ("client-request-id", request_id),
        ("OData-Version", "4.0"),
        SERVER_FIELD,
        date_field(),
    ]
    return f"{error.status} {PHRASES[error.status]}", headers, body


def refusal_message(error: GraphError) -> bytes:
    """Return a refusal as it is sent."""
    status, headers, body = refusal(error)
    return head(f"HTTP/1.1 {status}", headers) + body


@lru_cache(maxsize=1)
def _date_field(second: int) -> tuple[str, str]:
    return "Date", formatdate(second, usegmt=True)


@lru_cache(maxsize=1)
def _dated_end(second: int) -> bytes:
    fields = map(": ".join, (SERVER_FIELD, _date_field(second)))
    return "\r\n".join([*fields, "", ""]).encode()
