"""https over real sockets: clients that mean well, and others."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import trustme
from wire import TIMEOUT, ask

from mockgraph.errors import MockGraphError
from mockgraph.serving.server import Server
from mockgraph.serving.tls import NAMES, Authority, Certificate, authority, given

StartResponse = Callable[..., Any]


def app(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
    start("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/large":
        return [bytes(8 * 1024 * 1024)]
    body = environ["wsgi.input"].read()
    return [f"{environ['wsgi.url_scheme']} {environ.get('HTTP_HOST')} ".encode() + body]


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def certificate(ca: Authority) -> Certificate:
    return ca.issue()


@pytest.fixture
def server(certificate: Certificate) -> Iterator[Server]:
    server = Server(app, tls_port=0, certificate=certificate, max_body=1024 * 1024)
    server.start()
    yield server
    server.stop()


def tls_port(server: Server) -> int:
    assert server.tls_origin is not None
    return int(server.tls_origin.rpartition(":")[2])


def trusting(ca: Authority, *, strict: bool = False) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca.ca_path)
    if strict:  # as Python 3.13 has it
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT
    return context


def connect(server: Server, context: ssl.SSLContext, name: str = "localhost") -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", tls_port(server)), timeout=TIMEOUT)
    try:
        return context.wrap_socket(plain, server_hostname=name)
    except BaseException:
        plain.close()
        raise


# -- serving ------------------------------------------------------------------------------


def test_http_and_https_side_by_side(server: Server, ca: Authority) -> None:
    assert server.tls_origin == f"https://127.0.0.1:{tls_port(server)}"
    plain = requests.get(server.origin, timeout=TIMEOUT)
    secret = requests.get(server.tls_origin, verify=str(ca.ca_path), timeout=TIMEOUT)
    assert plain.text == f"http 127.0.0.1:{server.port} "
    assert secret.text == f"https 127.0.0.1:{tls_port(server)} "


def test_clients_that_trust_the_authority(server: Server, ca: Authority) -> None:
    url = f"https://localhost:{tls_port(server)}/"
    with requests.Session() as session:
        for body in (b"one", b"x" * 200_000, iter([b"in ", b"pieces"])):
            answer = session.put(url, data=body, verify=str(ca.ca_path), timeout=TIMEOUT)
            assert answer.status_code == 200
    with httpx.Client(verify=trusting(ca), timeout=TIMEOUT) as client:
        assert client.put(url, content=b"two").text == f"https localhost:{tls_port(server)} two"
        assert len(client.get(f"{url}large").content) == 8 * 1024 * 1024


def test_clients_that_do_not_trust_it(server: Server) -> None:
    assert server.tls_origin is not None
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(server.tls_origin, timeout=TIMEOUT)
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.tls_origin, timeout=TIMEOUT)
    assert ask(server.origin, "GET", "/").status == 200


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("strict", [False, True])
def test_every_name_is_in_the_certificate(
    server: Server, ca: Authority, name: str, strict: bool
) -> None:
    with connect(server, trusting(ca, strict=strict), name) as connection:
        assert connection.version() in ("TLSv1.2", "TLSv1.3")


def test_a_name_of_the_user_s(tmp_path: Path) -> None:
    ca = authority(tmp_path, ["graph.example"])
    certificate = ca.issue("graph.example", "10.1.2.3")
    server = Server(app, tls_port=0, certificate=certificate)
    server.start()
    for name in ("graph.example", "10.1.2.3", "localhost"):
        connect(server, trusting(ca), name).close()
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(server, trusting(ca), "other.example")
    server.stop()


def test_old_tls_is_refused(server: Server, ca: Authority) -> None:
    context = trusting(ca)
    with pytest.warns(DeprecationWarning, match="TLSv1 is deprecated"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError):
        connect(server, context)


def test_http_1_is_agreed_on(server: Server, ca: Authority) -> None:
    context = trusting(ca)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with connect(server, context) as connection:
        assert connection.selected_alpn_protocol() == "http/1.1"


def test_the_end_of_a_connection_is_said(server: Server, ca: Authority) -> None:
    with connect(server, trusting(ca)) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        received = b""
        while piece := connection.recv(65536):  # which raises at an end that was not said
            received += piece
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_client_that_does_not_read(server: Server, ca: Authority) -> None:
    with connect(server, trusting(ca)) as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        for _ in range(10):
            assert ask(server.origin, "GET", "/").status == 200
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert len(response.read()) == 8 * 1024 * 1024


def test_a_certificate_needs_a_port(certificate: Certificate) -> None:
    with pytest.raises(MockGraphError, match="both"):
        Server(app, tls_port=0)
    with pytest.raises(MockGraphError, match="both"):
        Server(app, certificate=certificate)


def test_a_port_in_use_lets_go_of_the_other(certificate: Certificate) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        socket.create_server(("127.0.0.1", 0)) as found,
    ):
        free = found.getsockname()[1]
        found.close()
        with pytest.raises(MockGraphError, match="--tls-port 0"):
            Server(app, port=free, tls_port=taken.getsockname()[1], certificate=certificate)
    again = Server(app, port=free)
    again.stop()


@pytest.mark.parametrize("kind", list(trustme.KeyType))
def test_a_certificate_of_the_user_s(tmp_path: Path, kind: trustme.KeyType) -> None:
    user_ca = trustme.CA(key_type=kind)
    leaf = user_ca.create_child_ca().issue_cert("localhost", key_type=kind)
    (tmp_path / "cert").write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    (tmp_path / "key").write_bytes(leaf.private_key_pem.bytes())
    user_ca.cert_pem.write_to_path(tmp_path / "ca")
    certificate = given(tmp_path / "cert", tmp_path / "key")
    server = Server(app, tls_port=0, certificate=certificate)
    server.start()
    url = f"https://localhost:{tls_port(server)}"
    assert requests.get(url, verify=str(tmp_path / "ca"), timeout=TIMEOUT).status_code == 200
    server.stop()


# -- clients that do not mean well --------------------------------------------------------


def test_plain_http_is_told_that_this_is_https(server: Server) -> None:
    answer = ask(f"http://127.0.0.1:{tls_port(server)}", "GET", "/")
    assert answer.status == 400
    assert answer.json["error"]["message"] == "This port speaks https, and was sent http."


def test_plain_http_is_told_without_a_reset(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", tls_port(server)), timeout=TIMEOUT) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"x-own: 1\r\n" * 1000 + b"\r\n")
        while client.recv(65536):  # a reset raises
            pass


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\x16",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 40,
        b"\x16\x03\x01\xff\xff" + b"\xff" * 100,
        b"\x00" * 1000,
        b"\x80\x2e\x01\x00\x02",
        b"SSH-2.0-OpenSSH\r\n",
    ],
)
def test_who_stalls_or_talks_nonsense_stalls_alone(
    server: Server, ca: Authority, sent: bytes
) -> None:
    strangers = [
        socket.create_connection(("127.0.0.1", tls_port(server)), timeout=TIMEOUT)
        for _ in range(20)
    ]
    try:
        for stranger in strangers:
            stranger.sendall(sent)
        assert server.tls_origin is not None
        for _ in range(3):
            answer = requests.get(server.tls_origin, verify=str(ca.ca_path), timeout=TIMEOUT)
            assert answer.status_code == 200
        assert ask(server.origin, "GET", "/").status == 200
    finally:
        for stranger in strangers:
            stranger.close()


def test_who_leaves_at_once(server: Server) -> None:
    for _ in range(20):
        socket.create_connection(("127.0.0.1", tls_port(server)), timeout=TIMEOUT).close()
    assert ask(server.origin, "GET", "/").status == 200


def test_a_cut_says_no_goodbye(ca: Authority, certificate: Certificate) -> None:
    def cutting(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        start("200 OK", [("Content-Length", "10")])
        yield b"four"
        environ["mockgraph.cut"]()

    server = Server(cutting, tls_port=0, certificate=certificate)
    server.start()
    with connect(server, trusting(ca)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        response = http.client.HTTPResponse(connection)
        response.begin()
        with pytest.raises((http.client.IncompleteRead, ssl.SSLError, ConnectionError)):
            response.read()
    server.stop()
