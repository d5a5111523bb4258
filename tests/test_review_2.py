"""Regressions: what a hostile reading of the first release found."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from mockgraph import MockGraph, server
from mockgraph.app import create_app
from mockgraph.errors import MockGraphError
from mockgraph.replay import replay_pages
from mockgraph.settings import Settings

HEADER = b'{"mockgraph":"store","version":2}\n'


@pytest.mark.parametrize("url", ["http://127.0.0.1:abc", "http://[::1", "http://:80", "http://a:0"])
def test_replay_refuses_what_is_no_url(url: str) -> None:
    with pytest.raises(MockGraphError, match="is no http or https URL"):
        replay_pages(url, (), "token", print)


@pytest.mark.parametrize("options", [{"auth": "nope"}, {"json": "nope"}])
def test_an_unknown_mode_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(MockGraphError, match="not 'nope'"):
        MockGraph(**options)


def test_a_server_is_not_started_twice() -> None:
    with MockGraph() as graph:
        origin = graph.origin
        with pytest.raises(MockGraphError, match="already"):
            graph.start()
        assert graph.origin == origin


def test_nothing_is_read_or_reset_before_the_start() -> None:
    graph = MockGraph()
    with pytest.raises(MockGraphError, match="not running"):
        graph.reset()
    with pytest.raises(MockGraphError, match="not running"):
        _ = graph.state


@pytest.mark.parametrize(
    "content",
    [
        b'{"revision":1,"table":"Security","put":{"a":{}},"remove":[]}\nnot a record',
        b'{"revision":1,"table":"alerts","put":{},"remove":[]}\n',
        b'{"revision":1,"table":"nope","put":{"a":{}},"remove":[]}\n',
    ],
    ids=["foreign-tail", "no-singleton", "unknown-table"],
)
def test_a_store_of_whole_lines_that_is_no_state_is_left_alone(
    tmp_path: Path, content: bytes
) -> None:
    store = tmp_path / "state.store"
    store.write_bytes(HEADER + content)
    with pytest.raises(MockGraphError, match=r"state\.store is damaged"):
        create_app(Settings(store=str(store)))
    assert store.read_bytes() == HEADER + content


def test_a_client_that_never_finishes_does_not_keep_the_server_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "_GRACE", 0.5)
    graph = MockGraph(auth="off").start()
    host, port = graph.origin.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall(
            b"PATCH /localtest/Security HTTP/1.1\r\nHost: a\r\n"
            b"Content-Type: application/json\r\nContent-Length: 21\r\n\r\n{"
        )
        time.sleep(0.2)  # until the request is under way
        began = time.monotonic()
        graph.stop()
        assert 0.4 < time.monotonic() - began < 10
