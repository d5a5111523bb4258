"""Metadata that uses all of CSDL, in two schemas, and a server of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from mockgraph.app import create_app
from mockgraph.server_options import Settings

CSDL = Path(__file__).parent / "data" / "museum.csdl"
GUID = "01234567-89AB-CDEF-0123-456789ABCDEF"
WORK = f"/v1.0/works/{GUID}"
ROOM = "/v1.0/rooms(floor=1,name='a%2Fb')"


@pytest.fixture(scope="module")
def shared_museum() -> Iterator[FlaskClient]:
    app = create_app(Settings(auth="off", csdl=(str(CSDL),)))
    yield app.test_client()
    app.extensions["mockgraph"].close()


@pytest.fixture
def museum(shared_museum: FlaskClient) -> FlaskClient:
    """A client of a museum with a painting and a room."""
    assert shared_museum.post("/_mockgraph/reset").status_code == 204
    painting = {"id": GUID, "@odata.type": "#museum.Painting", "title": "Sea"}
    for path, body in (("works", painting), ("rooms", {"floor": 1, "name": "a/b"})):
        assert shared_museum.post(f"/v1.0/{path}", json=body).status_code == 201
    return shared_museum


def read(client: FlaskClient, path: str, status: int = 200) -> Any:
    """The JSON at a path."""
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    return answer.get_json()


def changed(client: FlaskClient, path: str, body: Any) -> Any:
    """The entity after a PATCH."""
    answer = client.patch(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.get_json()
