"""MockGraph as a proxy, as tests have it: the settings of clients, and raw tunnels."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from wire import TIMEOUT, Answer, ask, port_of

from mockgraph import MockGraph

GRAPH = "graph.microsoft.com"
LOGIN = "login.microsoftonline.com"
ALERTS = f"https://{GRAPH}/v1.0/security/alerts"
BEARER = {"Authorization": "Bearer x"}
SEED = {"Security": {"alerts": [{"id": f"a{n}", "title": f"{n}"} for n in range(3)]}}

# All that could steer a client otherwise, where the tests are run.
_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def environment(graph: MockGraph) -> dict[str, str]:
    """Return all that a program is given: its proxy, and the authority to trust."""
    return {
        "HTTPS_PROXY": graph.proxy_url,
        "REQUESTS_CA_BUNDLE": graph.ca,
        "SSL_CERT_FILE": graph.ca,
        "CURL_CA_BUNDLE": graph.ca,
    }


def set_variables(patch: pytest.MonkeyPatch, **variables: str) -> None:
    """Tell this process, and those that it starts, these variables."""
    for name in _VARIABLES:
        patch.delenv(name, raising=False)
        patch.delenv(name.upper(), raising=False)
    for name, value in variables.items():
        patch.setenv(name, value)


def proxied(graph: MockGraph, method: str, target: str, **headers: str) -> Answer:
    """A request as a proxy is sent it in the clear."""
    return ask(graph.proxy_url, method, target, headers={**BEARER, **headers})


def connect(graph: MockGraph) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port_of(graph.proxy_url)), timeout=TIMEOUT)


def connect_head(authority: str = f"{GRAPH}:443") -> bytes:
    return f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode()


def head_of(connection: socket.socket) -> bytes:
    """Receive up to the end of a head, and not a byte more."""
    received = b""
    while not received.endswith(b"\r\n\r\n"):
        piece = connection.recv(1)
        assert piece, received
        received += piece
    return received


@contextmanager
def tunnel(graph: MockGraph, host: str = GRAPH) -> Iterator[ssl.SSLSocket]:
    """A connection in the tunnel to a host, its certificate checked."""
    with connect(graph) as plain:
        plain.sendall(connect_head(f"{host}:443"))
        assert head_of(plain).startswith(b"HTTP/1.1 200 ")
        context = ssl.create_default_context(cafile=graph.ca)
        context.verify_flags |= ssl.VERIFY_X509_STRICT  # as Python 3.13 has it
        with context.wrap_socket(plain, server_hostname=host) as secure:
            yield secure
