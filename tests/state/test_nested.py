"""Writes at every depth: whole or not at all, against a plain model, and many at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from conftest import state_of
from flask.testing import FlaskClient

from state.stores import serving, state

CASES = "/v1.0/security/cases/ediscoveryCases"
NONE: Any = {"Security": {}}


@pytest.fixture(params=["memory", "file"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FlaskClient]:
    store = tmp_path / "graph.store" if request.param == "file" else None
    with serving(store, seed=(NONE,)) as client:
        yield client


def test_an_id_is_taken_within_its_owner_alone(client: FlaskClient) -> None:
    for name in "cd":
        assert client.post(CASES, json={"id": name}).status_code == 201
        assert client.post(f"{CASES}/{name}/reviewSets", json={"id": "r"}).status_code == 201
    again = client.post(f"{CASES}/c/reviewSets", json={"id": "r"})
    assert again.status_code == 409
    assert client.post(f"{CASES}/none/reviewSets", json={"id": "r"}).status_code == 404


def test_a_deep_insert_happens_whole(client: FlaskClient) -> None:
    body = {
        "id": "c",
        "settings": {"ocr": {"isEnabled": True}},
        "reviewSets": [{"id": "r", "queries": [{"id": "q"}, {"displayName": "made"}]}],
    }
    assert client.post(CASES, json=body).status_code == 201
    queries: Any = client.get(f"{CASES}/c/reviewSets/r/queries").json
    assert [each["displayName"] for each in queries["value"]] == [None, "made"]
    settings_of: Any = client.get(f"{CASES}/c/settings").json
    assert settings_of["ocr"]["isEnabled"] is True


@pytest.mark.parametrize(
    ("sets", "status"),
    [
        ([{"id": "r", "queries": [{"id": "q"}, {"id": "a/b"}]}], 400),
        ([{"id": "r", "queries": [{"colour": 1}]}], 400),
        ([{"id": "r"}, 5], 400),
    ],
)
def test_or_not_at_all(client: FlaskClient, sets: Any, status: int) -> None:
    before = state_of(client)
    refused = client.post(CASES, json={"id": "c", "reviewSets": sets})
    assert refused.status_code == status, refused.text
    assert state_of(client) == before


def test_writers_while_their_owner_is_deleted(client: FlaskClient) -> None:
    """Each is answered as if the others came before or after; nothing is left without an owner."""
    statuses: set[int] = set()
    begin = threading.Barrier(5)

    def write(name: str) -> None:
        mine = client.application.test_client()
        begin.wait()
        for n in range(40):
            made = mine.post(f"{CASES}/c/reviewSets", json={"id": f"{name}{n}"})
            inner = mine.post(f"{CASES}/c/reviewSets/{name}{n}/queries", json={"id": "q"})
            statuses.update((made.status_code, inner.status_code))

    def drop() -> None:
        mine = client.application.test_client()
        begin.wait()
        for _ in range(40):
            statuses.add(mine.delete(f"{CASES}/c").status_code)
            statuses.add(mine.post(CASES, json={"id": "c"}).status_code)

    client.post(CASES, json={"id": "c"})
    with ThreadPoolExecutor(5) as pool:
        running = [*(pool.submit(write, name) for name in "abde"), pool.submit(drop)]
        for each in running:
            each.result()
    assert statuses <= {201, 204, 404}
    database = state(client).db
    owners = {""}
    for table in ("", "/reviewSets", "/reviewSets/queries"):
        rows = database.table(f"security/cases/ediscoveryCases{table}").rows
        assert {each.owner for each in rows.in_order} <= owners
        owners = set(rows)
