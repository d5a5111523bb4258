"""Single-valued resources: they are there, all unset, until they are deleted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import state_of
from flask.testing import FlaskClient
from tinydb.table import Document

from state.stores import serving, state

CASES = "/v1.0/security/cases/ediscoveryCases"
SETTINGS = f"{CASES}/c/settings"
TABLE = "security/cases/ediscoveryCases/settings"
SEED = {"Security": {"cases": {"ediscoveryCases": [{"id": "c"}, {"id": "d"}]}}}


@pytest.fixture(params=["memory", "file"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FlaskClient]:
    store = tmp_path / "graph.store" if request.param == "file" else None
    with serving(store, seed=(SEED,)) as client:
        yield client


def cases(client: FlaskClient) -> Any:
    return state_of(client)["Security"]["cases"]["ediscoveryCases"]


def test_it_is_there_before_it_is_written(client: FlaskClient) -> None:
    body: Any = client.get(SETTINGS).json
    assert body["id"] == "settings"
    assert client.get(f"{CASES}/none/settings").status_code == 404
    assert client.patch(f"{CASES}/none/settings", json={}).status_code == 404
    assert "settings" not in cases(client)[0]
    assert state(client).db.table(TABLE).all() == []


def test_a_deleted_one_is_gone_everywhere_until_it_is_written(client: FlaskClient) -> None:
    assert client.patch(SETTINGS, json={"ocr": {"isEnabled": True}}).status_code == 204
    assert cases(client)[0]["settings"]["ocr"]["isEnabled"] is True
    for _ in range(2):  # written, and not yet written
        assert client.delete(SETTINGS).status_code == 204
        assert client.get(SETTINGS).status_code == client.delete(SETTINGS).status_code == 404
        assert client.get(f"{CASES}/d/settings").status_code == 200
        expanded: Any = client.get(f"{CASES}/c?$expand=settings").json
        assert expanded["settings"] is None
        assert cases(client)[0]["settings"] is None
        table = state(client).db.table(TABLE)
        assert (len(table), table.all(), list(table)) == (0, [], [])
        document = state_of(client)
        assert client.put("/_mockgraph/state", json=document).status_code == 204
        assert state_of(client) == document
        assert client.get(SETTINGS).status_code == 404
        del document["Security"]["cases"]["ediscoveryCases"][0]["settings"]
        client.put("/_mockgraph/state", json=document)
        assert client.get(SETTINGS).status_code == 200
    client.delete(SETTINGS)
    assert client.patch(SETTINGS, json={}).status_code == 204
    body: Any = client.get(SETTINGS).json
    assert body["ocr"] is None
    assert client.delete(SETTINGS).status_code == 204


def test_a_new_owner_has_a_new_one(client: FlaskClient) -> None:
    client.delete(SETTINGS)
    client.delete(f"{CASES}/c")
    client.post(CASES, json={"id": "c"})
    assert client.get(SETTINGS).status_code == 200


def test_snapshots_and_stores_know_that_it_was_deleted(tmp_path: Path) -> None:
    with serving(tmp_path / "x.store", seed=(SEED,)) as client:
        client.delete(SETTINGS)
        client.post("/_mockgraph/snapshots/s")
        client.patch(SETTINGS, json={})
        client.post("/_mockgraph/snapshots/s/restore")
        assert client.get(SETTINGS).status_code == 404
    with serving(tmp_path / "x.store", seed=(SEED,)) as client:
        assert client.get(SETTINGS).status_code == 404
        client.post("/_mockgraph/reset")
        assert client.get(SETTINGS).status_code == 200


def test_a_tinydb_writes_and_deletes_it_as_requests_do(client: FlaskClient) -> None:
    table, made = state(client).db.table(TABLE), Document
    key: Any = "c/$"
    table.insert(made({"ocr": {"isEnabled": True}}, key))
    body: Any = client.get(SETTINGS).json
    assert (body["id"], body["ocr"]["isEnabled"]) == ("settings", True)
    table.remove(doc_ids=[key])
    assert client.get(SETTINGS).status_code == 404
    table.upsert(made({}, key))
    assert client.get(SETTINGS).status_code == 200
    state(client).db.table(TABLE).update({"ocr": None})
    assert client.get(SETTINGS).status_code == 200


LABELS = "/v1.0/security/labels"


def test_what_it_contains_goes_with_it(client: FlaskClient) -> None:
    """Whether its owner is the singleton or an entity of a collection."""
    state(client).db.table("security/labels/authorities").insert({"id": "a"})
    assert client.get(f"{LABELS}/authorities/a").status_code == 200
    with state(client).db.transaction() as database:
        database.table("security/labels").discard("$")
    assert client.get(f"{LABELS}/authorities/a").status_code == 404
    assert state(client).db.table("security/labels/authorities").all() == []


THREATS = "security/threatIntelligence"
INDICATORS = f"/v1.0/{THREATS}/articleIndicators"


def test_one_of_an_abstract_type_is_there_once_its_type_is_told(client: FlaskClient) -> None:
    table = f"{THREATS}/articleIndicators/artifact"
    state(client).db.table(f"{THREATS}/articleIndicators").insert({"id": "i"})
    assert client.get(f"{INDICATORS}/i/artifact").status_code == 404
    kind = "#microsoft.graph.security.hostname"
    with state(client).db.transaction() as database:
        made: Any = Document
        database.table(table).insert(made({"@odata.type": kind}, "i/$"))
    body: Any = client.get(f"{INDICATORS}/i/artifact").json
    assert body["@odata.type"] == kind
    before = state_of(client)
    assert client.put("/_mockgraph/state", json=before).status_code == 204
    assert state_of(client) == before
    assert client.get(f"{INDICATORS}/i/artifact").status_code == 200
