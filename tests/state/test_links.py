"""References: they are there as long as who refers, and what is referred to, and no longer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import state_of
from flask.testing import FlaskClient
from refusals import message_of

from state.stores import count_looks, serving, state

CASES = "/v1.0/security/cases/ediscoveryCases"
TAGS = "security/cases/ediscoveryCases/tags"
LINKS = f"{TAGS}/childTags/$ref"
BIND = "childTags@odata.bind"
SEED: Any = {
    "Security": {
        "cases": {
            "ediscoveryCases": [
                {
                    "id": "c",
                    "tags": [
                        {
                            "id": "all",
                            BIND: [f"{TAGS}".replace("/tags", f"/c/tags/{n}") for n in "ab"],
                        },
                        {"id": "a", "parent@odata.bind": f"{TAGS}".replace("/tags", "/c/tags/all")},
                        {"id": "b"},
                    ],
                },
                {"id": "d", "tags": [{"id": "all"}]},
            ]
        }
    }
}


@pytest.fixture(params=["memory", "file"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FlaskClient]:
    store = tmp_path / "graph.store" if request.param == "file" else None
    with serving(store, seed=(SEED,)) as client:
        yield client


def children(client: FlaskClient, of: str = "c/tags/all") -> list[str]:
    answer: Any = client.get(f"{CASES}/{of}/childTags")
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json["value"]]


def links(client: FlaskClient, table: str = LINKS) -> list[str]:
    return [each["key"] for each in state(client).db.snapshot().rows(table).in_order]


def test_a_document_names_what_is_referred_to(client: FlaskClient) -> None:
    assert children(client) == ["a", "b"]
    case = state_of(client)["Security"]["cases"]["ediscoveryCases"][0]
    assert case["tags"][0][BIND] == [f"security/cases/ediscoveryCases/c/tags/{n}" for n in "ab"]
    assert case["tags"][1]["parent@odata.bind"] == "security/cases/ediscoveryCases/c/tags/all"
    before = state_of(client)
    assert client.put("/_mockgraph/state", json=before).status_code == 204
    assert state_of(client) == before
    assert children(client) == ["a", "b"]


def test_a_reference_goes_with_its_target(client: FlaskClient) -> None:
    assert client.delete(f"{CASES}/c/tags/a").status_code == 204
    assert children(client) == ["b"]
    assert links(client) == ["c/b"]
    # The one that it held itself went with its owner.
    assert links(client, f"{TAGS}/parent/$ref") == []
    client.post(f"{CASES}/c/tags", json={"id": "a"})
    assert children(client) == ["b"]


def test_it_goes_with_what_contains_its_target_or_its_owner(client: FlaskClient) -> None:
    assert client.delete(f"{CASES}/c").status_code == 204
    assert links(client) == links(client, f"{TAGS}/parent/$ref") == []
    client.post("/_mockgraph/reset")
    tags: Any = state(client).db.table(TAGS)
    tags.remove(doc_ids=["c/b"])
    assert children(client) == ["a"]


def test_it_is_added_and_removed(client: FlaskClient) -> None:
    url = f"http://localhost{CASES}/c/tags/a"
    added = client.post(f"{CASES}/d/tags/all/childTags/$ref", json={"@odata.id": url})
    assert added.status_code == 204
    assert children(client, "d/tags/all") == ["a"]
    assert client.delete(f"{CASES}/d/tags/all/childTags/a/$ref").status_code == 204
    assert children(client, "d/tags/all") == []
    assert client.get(f"{CASES}/c/tags/a").status_code == 200
    gone = client.delete(f"{CASES}/d/tags/all/childTags/a/$ref")
    assert gone.status_code == 404


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("security/cases/ediscoveryCases/c/tags/none", "There is no entity at"),
        ("security/nowhere/x", "There is no entity at"),
        (
            "security/cases/ediscoveryCases/c",
            "is no 'microsoft.graph.security.ediscoveryReviewTag'",
        ),
        ("", "There is no entity at"),
    ],
)
def test_a_document_refers_to_what_it_has(client: FlaskClient, url: str, says: str) -> None:
    before = state_of(client)
    tags = [{"id": "t", BIND: [url]}]
    document = {"Security": {"cases": {"ediscoveryCases": [{"id": "c", "tags": tags}]}}}
    refused = client.put("/_mockgraph/state", json=document)
    assert refused.status_code == 400
    where = f"Security/cases/ediscoveryCases/0/tags/0/{BIND}: "
    _, message = message_of(refused.status_code, refused.headers, refused.data)
    assert message.startswith(where)
    assert says in message
    assert state_of(client) == before


def test_what_refers_to_an_entity_is_found_by_an_index(monkeypatch: pytest.MonkeyPatch) -> None:
    tags: Any = [{"id": f"t{n}"} for n in range(600)]
    tags.append(
        {"id": "all", BIND: [f"security/cases/ediscoveryCases/c/tags/t{n}" for n in range(600)]}
    )
    seed = {"Security": {"cases": {"ediscoveryCases": [{"id": "c", "tags": tags}]}}}

    with serving(None, seed=(seed,)) as client:
        for n in range(3):  # indexes are made of what is asked again
            assert client.delete(f"{CASES}/c/tags/t{n}").status_code == 204
        looked = count_looks(monkeypatch)
        assert client.delete(f"{CASES}/c/tags/t500").status_code == 204
        assert len(looked) <= 20
        assert len(links(client)) == 596


def test_references_are_not_written_by_hand(client: FlaskClient) -> None:
    with pytest.raises(Exception, match="set by requests and state documents"):
        state(client).db.table(LINKS).truncate()
    assert children(client) == ["a", "b"]


def test_what_comes_with_its_owner_may_refer_too(client: FlaskClient) -> None:
    parent = {"parent@odata.bind": f"http://localhost{CASES}/c/tags/all"}
    body = {"tags": [{"id": "new", **parent}]}
    assert client.patch(f"{CASES}/c", json=body).status_code == 204
    found: Any = client.get(f"{CASES}/c/tags/new/parent").json
    assert found["id"] == "all"
    before = state_of(client)
    for url, status in ((f"{CASES}/c/tags/none", 404), ("nowhere/x", 400), (f"{CASES}/c", 400)):
        refused = {"id": "more", "tags": [{"id": "t", "parent@odata.bind": url}]}
        assert client.post(CASES, json=refused).status_code == status
    assert state_of(client) == before
