"""Whatever is sent to what pages describe is answered, and never by an internal error."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

from mockgraph.app import create_app
from mockgraph.errors import GraphError, MockGraphError
from mockgraph.pages import read_pages
from mockgraph.pages.examples import DocumentedExchange, read_exchange
from mockgraph.pages.served_pages import service_with
from mockgraph.server_options import Settings
from pages.generated_pages import GeneratedPages
from pages.test_zoo import ZOO, put

BODIES: list[Any] = [
    None, {}, [], [{}], "x", 5, {"value": {}}, {"value": [None]}, {"id": 5}, {"@odata.type": 5},
    {"@odata.type": "#microsoft.graph.nothing"}, {"@odata.bind": 5}, {"x@odata.bind": "/y"},
]  # fmt: skip


def exchanges(folder: Path) -> Iterator[DocumentedExchange]:
    service = service_with([folder])
    for page in read_pages(folder):
        for example in page.examples:
            try:
                yield read_exchange(example, service, page)
            except (GraphError, MockGraphError):
                continue


def bodies(exchange: DocumentedExchange) -> Iterator[Any]:
    yield from BODIES
    sent = exchange.body if isinstance(exchange.body, dict) else {}
    for name, value in sent.items():
        for other in (None, 5, "x", [], [value], {}, {"value": value}, True):
            yield {**sent, name: other}
            yield {name: other}


@pytest.mark.parametrize("kind", ["generated", "zoo"])
def test_no_body_and_no_path_is_an_internal_error(tmp_path: Path, kind: str) -> None:
    if kind == "generated":
        GeneratedPages(tmp_path, types=12, seed=8).write()
    else:
        put(tmp_path, ZOO)
    app = create_app(Settings(docs=(str(tmp_path),)))
    client = FlaskClient(app)
    statuses = set()
    for exchange in exchanges(tmp_path):
        for path in (exchange.path, f"{exchange.path}/x", exchange.path.rpartition("/")[0]):
            for body in bodies(exchange) if exchange.body is not None else BODIES[:4]:
                data = b"" if body is None else orjson.dumps(body)
                answer = client.open(path, method=exchange.method, data=data, headers=HEADERS)
                assert answer.status_code != 500, (exchange.method, path, body)
                statuses.add(answer.status_code)
    assert {200, 400} <= statuses


HEADERS = {"Authorization": "Bearer x", "Content-Type": "application/json"}
