"""Requests over a socket, byte for byte where that matters, and answers as they came."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx

JSON = {"Authorization": "Bearer token", "Content-Type": "application/json"}
TIMEOUT = 20

# For clients that httpx makes: each would read the authorities of the system, which takes 30 ms.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
# A client of all tests, with a connection for each request.
plain = httpx.Client(
    verify=NO_TLS, timeout=TIMEOUT, limits=httpx.Limits(max_keepalive_connections=0)
)


class Answer(NamedTuple):
    """A response; ``headers`` are looked up without regard to case."""

    status: int
    reason: str
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def port_of(origin: str) -> int:
    port = urlsplit(origin).port
    assert port is not None
    return port


def ask(
    origin: str,
    method: str,
    path: str,
    body: bytes | Iterable[bytes] | None = None,
    headers: Mapping[str, str] = JSON,
) -> Answer:
    """Send a request on a connection of its own; a body of several pieces goes out chunked."""
    connection = http.client.HTTPConnection("127.0.0.1", port_of(origin), timeout=TIMEOUT)
    try:
        connection.request(method, path, body, dict(headers))
        return _read(connection.getresponse())
    finally:
        connection.close()


def patch(origin: str, body: Any, path: str = "/localtest/Security", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask(origin, "PATCH", path, json.dumps(body).encode(), {**JSON, **named})


def exchange(origin: str, data: bytes, *, half_close: bool = False) -> Answer:
    """Send bytes as they are and read one answer, which may come before all were sent."""
    with socket.create_connection(("127.0.0.1", port_of(origin)), timeout=TIMEOUT) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(data)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
        response = http.client.HTTPResponse(connection)
        try:
            response.begin()
            return _read(response)
        finally:
            response.close()


def _read(response: http.client.HTTPResponse) -> Answer:
    return Answer(response.status, response.reason, response.headers, response.read())
