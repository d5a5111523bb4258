"""Faults as a real client meets them, over a socket."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import pytest
import requests
from line import ALERT, answer, make_request, work
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from mockgraph.clock import Clock
from mockgraph.http import Request, Response
from mockgraph.testing.faults import Faults


class Handler(BaseHTTPRequestHandler):
    """The line behind a socket that can be cut."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        service = cast("Server", self.server).service
        request = make_request(
            self.command,
            self.path,
            dict(self.headers.items()),
            mockgraph_cut=self.cut,
            mockgraph_sleep=service.slept.append,
        )
        response = answer(request, service.faults, work=service.work)
        pieces = response.send(request.method, self.begin)
        for piece in pieces:
            self.wfile.write(piece)
            self.wfile.flush()

    do_PATCH = do_GET

    def begin(self, status: str, headers: list[tuple[str, str]]) -> None:
        if self.close_connection:
            return
        code, _, reason = status.partition(" ")
        self.send_response_only(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """A server of one alert."""

    daemon_threads = True

    def __init__(self, service: Service):
        super().__init__(("127.0.0.1", 0), Handler)
        self.service = service

    def handle_error(self, *_: Any) -> None:
        """A client that went away is none of ours; all else fails the test."""
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, ConnectionError):
            raise error


class Service:
    """A server of one alert, with faults; it remembers what it did."""

    def __init__(self) -> None:
        self.faults = Faults(Clock())
        self.slept: list[float] = []
        self.worked: list[str] = []
        self._server = Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1.0/security/alerts"

    def work(self, request: Request) -> Response:
        self.worked.append(request.method)
        return work(request)

    def __enter__(self) -> Service:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as service:
        yield service


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


def get(session: requests.Session, service: Service, **options: Any) -> requests.Response:
    return session.get(service.url, timeout=20, **options)


def test_a_client_that_retries_gets_through(service: Service, session: requests.Session) -> None:
    retries = Retry(4, status_forcelist=[429, 503], respect_retry_after_header=True)
    session.mount("http://", HTTPAdapter(max_retries=retries))
    throttled = service.faults.throttle(times=2, retry_after=0)
    down = service.faults.unavailable(retry_after=0)
    assert get(session, service).json()["id"] == "1"
    assert (throttled.struck, down.struck, service.worked) == (2, 1, ["GET"])


def test_a_connection_cut_before_the_work(service: Service, session: requests.Session) -> None:
    service.faults.cut()
    with pytest.raises(requests.ConnectionError):
        session.patch(service.url, timeout=20)
    assert service.worked == []
    assert session.patch(service.url, timeout=20).status_code == 200


def test_a_connection_cut_after_the_work(service: Service, session: requests.Session) -> None:
    service.faults.cut("unanswered")
    with pytest.raises(requests.ConnectionError):
        session.patch(service.url, timeout=20)
    assert service.worked == ["PATCH"]


def test_a_connection_cut_during_the_answer(service: Service, session: requests.Session) -> None:
    service.faults.cut("during")
    response = get(session, service, stream=True)
    assert response.headers["Content-Length"] == str(len(ALERT))
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        response.content  # noqa: B018
    assert service.worked == ["GET"]


def test_a_connection_cut_after_the_answer(service: Service, session: requests.Session) -> None:
    service.faults.cut("after")
    with get(session, service, stream=True) as response:
        connection = cast("socket.socket", response.raw.connection.sock)
        assert response.content == ALERT
        assert "Connection" not in response.headers  # the client means to use it again
        # Who asks before the end has come in asks in vain, as over any stale connection.
        connection.settimeout(20)
        assert connection.recv(1) == b""
    assert get(session, service).content == ALERT  # on a connection of its own


def test_a_slow_body_comes_whole(service: Service, session: requests.Session) -> None:
    service.faults.slow_body(4, 100)
    assert get(session, service).content == ALERT
    assert service.slept == [0.1, 0.1, 0.1]


def test_latency(service: Service, session: requests.Session) -> None:
    with service.faults.latency(250):
        get(session, service)
    get(session, service)
    assert service.slept == [0.25]


@pytest.mark.parametrize("kind", ["truncated", "html", "empty"])
def test_what_is_no_json(service: Service, session: requests.Session, kind: Any) -> None:
    service.faults.malformed(kind)
    with pytest.raises(requests.exceptions.JSONDecodeError):
        get(session, service).json()


def test_warnings_of_several_providers(service: Service, session: requests.Session) -> None:
    service.faults.provider_warning("V", "one", 504, 10_000)
    service.faults.provider_warning("V", "two", 403, 10)
    response = get(session, service)
    assert response.status_code == 206
    assert response.headers["Warning"] == '199 - "V/one/504/10000", 199 - "V/two/403/10"'


def test_a_quota_of_a_client(service: Service, session: requests.Session) -> None:
    service.faults.quota(2, 3600)
    session.headers["Authorization"] = "Bearer one"
    answers = [get(session, service) for _ in range(3)]
    assert [each.status_code for each in answers] == [200, 200, 429]
    assert 3590 <= int(answers[-1].headers["Retry-After"]) <= 3600
