"""The load generator where there is no wrk: non-blocking sockets, one thread.

    python sockets.py SCHEME PORT REQUESTS CONNECTIONS SECONDS BEGIN

Sends the requests of a file in turn, each connection one after another, and prints what it
measured as one line of JSON. Answers are told apart by Content-Length, by chunks or by the
end of the connection; a server that closes is connected to again.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)


def read_requests(path: str) -> list[bytes]:
    """The requests of a file in which each comes after its length in bytes and a line end."""
    content, found = Path(path).read_bytes(), []
    while content:
        length, _, content = content.partition(b"\n")
        found.append(content[: int(length)])
        content = content[int(length) :]
    return found


def in_turn(requests: list[bytes], begin: int) -> Iterator[bytes]:
    while True:
        yield from requests[begin:]
        begin = 0


class Connection:
    """One connection, which has one request under way."""

    def __init__(self, scheme: str, port: int, requests: Iterator[bytes]):
        self._port = port
        self._context = _trusting_all() if scheme == "https" else None
        self._requests = requests
        self.failed = 0
        self.latencies: list[float] = []
        self._connect()

    def _connect(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self._port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._context is not None:
            self.socket = self._context.wrap_socket(self.socket)

    def send(self) -> None:
        self._answer = b""
        self._end = -1
        self._began = time.perf_counter()
        self.socket.sendall(next(self._requests))

    def receive(self) -> bool:
        """Take what has come and, where the answer is whole, send the next request.

        False where the connection was closed and is another now.
        """
        try:
            piece = self.socket.recv(1 << 18)
            while isinstance(self.socket, ssl.SSLSocket) and self.socket.pending():
                piece += self.socket.recv(1 << 18)
        except ConnectionError:
            piece = b""
        self._answer += piece
        closed = not piece
        if self._whole(closed):
            self.latencies.append(time.perf_counter() - self._began)
            self.failed += self._answer[9:10] >= b"4"
            closed = closed or _CLOSE.search(self._answer) is not None
        elif piece:
            return True
        elif self._answer:
            self.failed += 1  # cut in the middle
        if closed:
            self.socket.close()
            self._connect()
        self.send()
        return not closed

    def _whole(self, closed: bool) -> bool:
        head = self._answer.find(b"\r\n\r\n")
        if head < 0:
            return False
        if self._end < 0 and (length := _LENGTH.search(self._answer, 0, head + 2)):
            self._end = head + 4 + int(length[1])
        if self._end >= 0:
            return len(self._answer) >= self._end
        if _CHUNKED.search(self._answer, 0, head + 2):
            return self._answer.endswith(b"\r\n0\r\n\r\n")
        return closed or self._answer[9:12] == b"204"


def _trusting_all() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def main(scheme: str, port: int, path: str, connections: int, seconds: int, begin: int) -> None:
    requests = in_turn(read_requests(path), begin)
    pool = [Connection(scheme, port, requests) for _ in range(connections)]
    began = time.perf_counter()
    with selectors.DefaultSelector() as selector:
        for connection in pool:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send()
        while time.perf_counter() < began + seconds:
            for key, _ in selector.select(0.1):
                if not key.data.receive():
                    selector.unregister(key.fileobj)
                    selector.register(key.data.socket, selectors.EVENT_READ, key.data)
    took = time.perf_counter() - began
    times = sorted(latency * 1e3 for each in pool for latency in each.latencies) or [0.0]
    measured = {
        "requests": sum(len(each.latencies) for each in pool),
        "seconds": took,
        "p50": times[len(times) // 2],
        "p99": times[len(times) * 99 // 100],
        "failed": sum(each.failed for each in pool),
    }
    print(json.dumps(measured))


if __name__ == "__main__":
    scheme, port, path, *numbers = sys.argv[1:]
    main(scheme, int(port), path, *map(int, numbers))
