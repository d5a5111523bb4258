"""A program of several writers to one store, to be killed: ``writers.py STORE DURABILITY PREFIX``.

Each writer creates, changes and deletes alerts of its own, and says after each answer how many
it has had.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from typing import Any

from mockgraph.app import create_app
from mockgraph.server_options import Settings
from mockgraph.state import store

ALERTS = "/localtest/Security/alerts"
WRITERS = 4
PADDING = "x" * 200


def steps(name: str) -> Iterator[tuple[str, str, Any]]:
    """The steps of a writer, one after another: method, id, body."""
    turn = 0
    while True:
        turn += 1
        key = f"{name}-{turn}"
        yield "POST", key, {"id": key, "title": "created", "own": PADDING}
        yield "PATCH", key, {"title": "changed", "own": [turn, PADDING, turn]}
        if turn > 2:
            yield "DELETE", f"{name}-{turn - 2}", None


def after(name: str, count: int) -> dict[str, Any]:
    """The state of a writer after so many steps: titles and more, by id."""
    stored: dict[str, Any] = {}
    for (method, key, body), _ in zip(steps(name), range(count), strict=False):
        if method == "DELETE":
            del stored[key]
        else:
            stored[key] = (body["title"], body["own"])
    return stored


def write(app: Any, name: str) -> None:
    client = app.test_client()
    for count, (method, key, body) in enumerate(steps(name), 1):
        path = ALERTS if method == "POST" else f"{ALERTS}/{key}"
        answer = client.open(path, method=method, json=body)
        assert answer.status_code < 300, answer.data
        os.write(1, f"{name} {count}\n".encode())


def main(path: str, durability: str, prefix: str) -> None:
    store._COMPACT_FROM = 8000
    app = create_app(Settings(store=path, durability=durability, auth="off"))
    for number in range(WRITERS):
        threading.Thread(target=write, args=[app, f"{prefix}{number}"]).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
