"""The state document at every depth: written, read again, refused with the path of a fault."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from conftest import state_of
from flask.testing import FlaskClient
from refusals import message_of

from mockgraph.odata.rendering.texts import dump
from mockgraph.service import SERVICE
from mockgraph.state import State, documents
from mockgraph.state.entities import Entity
from mockgraph.state.packing import PackedProperties, json_of
from state.stores import serving, state

CASES = "/v1.0/security/cases/ediscoveryCases"
LABEL = "microsoft.graph.sensitivityLabel"
SEED: Any = {
    "Security": {
        "cases": {
            "ediscoveryCases": [
                {
                    "id": "c",
                    "settings": {"ocr": {"isEnabled": True}},
                    "custodians": [
                        {"id": "k", "userSources": [{"id": "u"}]},
                        {"id": "l", "siteSources": [{"id": "s", "site": {"id": "own"}}]},
                    ],
                    "reviewSets": [{"id": "r", "queries": [{"id": "q", "displayName": "Q"}]}],
                },
                {"id": "d", "custodians": [{"id": "k"}]},
            ]
        },
        "labels": {
            "retentionLabels": [
                {"id": "l", "dispositionReviewStages": [{"stageNumber": "2"}, {"stageNumber": "1"}]}
            ]
        },
        "dataSecurityAndGovernance": {
            "sensitivityLabels": [
                {"id": "a", "sublabels": [{"id": "b", "sublabels": [{"id": "c"}]}]}
            ]
        },
    }
}


@pytest.fixture
def client() -> Iterator[FlaskClient]:
    with serving(None, seed=(SEED,)) as client:
        yield client


def keys(client: FlaskClient, table: str) -> list[str]:
    return list(state(client).db.table(table).rows)


def holds(whole: Any, part: Any) -> bool:
    """Whether a value has all that another one says, in its order."""
    if isinstance(part, dict):
        return all(name in whole and holds(whole[name], part[name]) for name in part)
    if isinstance(part, list):
        pairs = zip(whole, part, strict=True)
        return len(whole) == len(part) and all(holds(*each) for each in pairs)
    return bool(whole == part)


def test_a_document_is_written_as_it_was_read(client: FlaskClient) -> None:
    written = state_of(client)
    assert holds(written, SEED)
    for _ in range(2):
        assert client.put("/_mockgraph/state", json=written).status_code == 204
        assert state_of(client) == written


def test_keys_are_those_of_all_owners(client: FlaskClient) -> None:
    below = "security/cases/ediscoveryCases"
    assert keys(client, f"{below}/custodians") == ["c/k", "c/l", "d/k"]
    assert keys(client, f"{below}/custodians/userSources") == ["c/k/u"]
    assert keys(client, f"{below}/custodians/siteSources/site") == ["c/l/s/$"]
    assert keys(client, f"{below}/settings") == ["c/$"]
    stages = "security/labels/retentionLabels/dispositionReviewStages"
    assert keys(client, stages) == ["l/2", "l/1"]
    labels = "security/dataSecurityAndGovernance/sensitivityLabels"
    assert keys(client, f"{labels}/sublabels/sublabels") == ["a/b/c"]
    # Nothing was said of them, so they are as if they had never been written.
    assert keys(client, "security/labels") == keys(client, "security/cases") == []


def test_what_a_document_says_is_served_at_its_url(client: FlaskClient) -> None:
    for path, name, value in [
        ("cases/ediscoveryCases/c/reviewSets/r/queries/q", "displayName", "Q"),
        ("cases/ediscoveryCases/c/custodians/l/siteSources/s/site", "id", "own"),
        ("labels/retentionLabels/l/dispositionReviewStages/1", "stageNumber", "1"),
    ]:
        answer: Any = client.get(f"/v1.0/security/{path}")
        assert answer.status_code == 200, answer.text
        assert answer.json[name] == value


def case(**members: Any) -> Any:
    return {"Security": {"cases": {"ediscoveryCases": [{"id": "c", **members}]}}}


CASE = "Security/cases/ediscoveryCases/0"


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (case(colour=1), f"{CASE}/colour: The property 'colour' does not exist"),
        (case(custodians={}), f"{CASE}/custodians: an array is expected"),
        (case(custodians=[5]), f"{CASE}/custodians/0: Cannot convert 5"),
        (
            case(custodians=[{}, {"userSources": [{"own": 1}]}]),
            f"{CASE}/custodians/1/userSources/0/own: The property 'own' does not exist",
        ),
        (case(settings=[]), f"{CASE}/settings: Cannot convert an array"),
        (case(settings={"ocr": 1}), f"{CASE}/settings/ocr: Cannot convert 1"),
        (
            case(custodians=[{"id": "k"}, {"id": "k"}]),
            f"{CASE}/custodians/id: 'k' is given twice.".replace("custodians", "custodians/1"),
        ),
        (case(custodians=[{"id": "a/b"}]), f"{CASE}/custodians/0/id: A key is at most"),
        (
            {"Security": {"labels": {"retentionLabels": [{"dispositionReviewStages": [{}, 1]}]}}},
            "Security/labels/retentionLabels/0/dispositionReviewStages/1: Cannot convert 1",
        ),
        ({"Security": {"cases": {"x": []}}}, "Security/cases/x: The property 'x' does not exist"),
        ({"Security": {}, "Nowhere": []}, "A state document is an object with the member"),
        (
            case(**{"x@odata.bind": []}),
            f"{CASE}/x@odata.bind: There is no navigation property of this name.",
        ),
        (
            case(**{"custodians@odata.bind": ["a"]}),
            f"{CASE}/custodians@odata.bind: This navigation property holds its entities itself.",
        ),
    ],
)
def test_a_fault_is_told_with_its_path_and_changes_nothing(
    client: FlaskClient, document: Any, says: str
) -> None:
    before = state_of(client)
    refused = client.put("/_mockgraph/state", json=document)
    assert refused.status_code == 400
    _, message = message_of(refused.status_code, refused.headers, refused.data)
    assert message.startswith(says)
    assert state_of(client) == before


def test_a_hostile_depth_is_refused(client: FlaskClient) -> None:
    label: Any = {"id": "x"}
    for _ in range(150):
        label = {"id": "x", "sublabels": [label]}
    document = {"Security": {"dataSecurityAndGovernance": {"sensitivityLabels": [label]}}}
    refused = client.put("/_mockgraph/state", json=document)
    assert refused.status_code == 400
    _, message = message_of(refused.status_code, refused.headers, refused.data)
    assert "nested more than 100 levels deep" in message


def test_stores_keep_every_depth(tmp_path: Path) -> None:
    store = tmp_path / "graph.store"
    with serving(store, seed=(SEED,)) as client:
        client.post(f"{CASES}/d/custodians", json={"id": "new", "email": "a@b.example"})
        client.delete(f"{CASES}/c/reviewSets/r")
        before = state_of(client)
        etag = client.get(f"{CASES}/d/custodians/new").headers["ETag"]
    with serving(store) as client:
        assert state_of(client) == before
        assert client.get(f"{CASES}/d/custodians/new").headers["ETag"] == etag
        assert client.get(f"{CASES}/c/reviewSets/r/queries/q").status_code == 404


def test_snapshots_and_resets_go_back_at_every_depth(client: FlaskClient) -> None:
    fresh = state_of(client)
    client.delete(f"{CASES}/c/custodians/k")
    client.post("/_mockgraph/snapshots/s")
    kept = state_of(client)
    client.delete(f"{CASES}/c")
    client.post(f"{CASES}/d/reviewSets", json={"id": "new"})
    client.post("/_mockgraph/snapshots/s/restore")
    assert state_of(client) == kept != fresh
    client.post("/_mockgraph/reset")
    assert state_of(client) == fresh


def test_a_tinydb_reaches_every_depth(client: FlaskClient) -> None:
    table: Any = state(client).db.table("security/cases/ediscoveryCases/custodians")
    assert [each["id"] for each in table.all()] == ["k", "l", "k"]
    table.update({"email": "a@b.example"}, doc_ids=["d/k"])
    body: Any = client.get(f"{CASES}/d/custodians/k").json
    assert body["email"] == "a@b.example"
    stored = table.rows.find("c/k")
    assert isinstance(stored, Entity)
    assert (stored.owner, stored["email"]) == ("c", None)


def test_the_entities_of_a_document_are_packed_one_after_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise all of them are in memory at once, each of many times its length."""
    steps: list[str] = []

    def noted(name: str) -> None:
        really = getattr(documents, name)

        def call(*given: Any) -> Any:
            steps.append(name)
            return really(*given)

        monkeypatch.setattr(documents, name, call)

    noted("_entry")
    noted("packed")
    alerts = [{"id": f"a{n}"} for n in range(10)]
    tables = documents.read_document({"Security": {"alerts": alerts}}, SERVICE)
    assert steps == ["_entry", "packed"] * 11
    assert [*tables["security/alerts"]] == [each["id"] for each in alerts]
    assert all(type(each) is PackedProperties for each in tables["security/alerts"].values())


@pytest.mark.parametrize("write", [json_of, partial(dump, layout="graph")])
def test_what_is_kept_as_json_takes_no_more_room_than_it_has(write: Callable[[Any], bytes]) -> None:
    value = {f"name{n}": None for n in range(100)}
    tracemalloc.start()
    kept = [write(value) for _ in range(100)]
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept[0] == orjson.dumps(value)
    assert taken < 1.5 * sum(map(len, kept))


def test_rows_for_hunting_are_stored_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "_ROWS", 3)
    rows = [{"n": n} for n in range(7)]
    document = {"Security": {}, "Hunting": {"A": rows, "B": [], "C": rows[:2]}}
    made = State(SERVICE, document)
    assert made.document()["Hunting"] == document["Hunting"]
    made.append_rows("C", rows)
    made.append_rows("B", rows[:1])
    made.append_rows("B", rows)
    stored = [each["rows"] for each in made.db.rows("_mockgraph/hunting").in_order]
    assert max(map(len, stored)) == 3
    expected = {"A": rows, "B": [*rows[:1], *rows], "C": [*rows[:2], *rows]}
    assert made.document()["Hunting"] == expected
    assert State(SERVICE, made.document()).document() == made.document()
