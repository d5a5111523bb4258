"""``graph.db``: the state as a TinyDB in the hands of a test, held to the schemas."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tinydb import where
from tinydb.table import Document
from wire import ask, patch

from mockgraph import MockGraph
from mockgraph.errors import BadRequest, MockGraphError
from mockgraph.state import EntityDB

ALERTS = "/v1.0/security/alerts_v2"
TABLE = "security/alerts_v2"
SEED = {
    "Security": {
        "alerts_v2": [{"id": "a", "severity": "high"}, {"id": "b", "severity": "low"}],
        "incidents": [{"id": "i"}],
    },
    "Directory": {"apps": []},
}


@pytest.fixture
def graph() -> Iterator[MockGraph]:
    with MockGraph(seed=SEED, auth="off") as graph:
        yield graph


def table_of(graph: MockGraph, name: str = TABLE) -> Any:
    """A table whose keys are of text, which TinyDB's annotations take for numbers."""
    return graph.db.table(name)


def document(value: Any, key: str) -> Any:
    made: Any = Document
    return made(value, key)


def etag(graph: MockGraph, path: str) -> str:
    return str(ask(graph.origin, "GET", path).headers["ETag"])


def test_reads_are_copies(graph: MockGraph) -> None:
    (alert,) = table_of(graph).search(where("severity") == "high")
    assert (alert["id"], alert.doc_id) == ("a", "a")
    alert["comments"].append("mine")
    assert table_of(graph).get(where("id") == "a")["comments"] == []
    assert graph.db.tables() >= {"security", TABLE, "security/alerts", "security/incidents"}


def test_the_next_request_sees_what_is_written_and_so_do_its_etags(graph: MockGraph) -> None:
    before, other = etag(graph, f"{ALERTS}/a"), etag(graph, f"{ALERTS}/b")
    assert table_of(graph).update({"status": "resolved"}, where("id") == "a") == ["a"]
    assert ask(graph.origin, "GET", f"{ALERTS}/a").json["status"] == "resolved"
    assert etag(graph, f"{ALERTS}/a") != before
    assert etag(graph, f"{ALERTS}/b") == other
    stale = patch(graph.origin, {"status": "new"}, f"{ALERTS}/a", If_Match=before)
    assert stale.status == 412


def test_a_request_is_seen_by_the_database(graph: MockGraph) -> None:
    table = table_of(graph)
    patch(graph.origin, {"status": "resolved"}, f"{ALERTS}/a")
    assert [each["id"] for each in table.search(where("status") == "resolved")] == ["a"]


def test_what_is_inserted_is_whole_and_has_an_id(graph: MockGraph) -> None:
    table = table_of(graph)
    made = table.insert({"title": "t"})
    assert table.insert({"id": "own"}) == "own"
    assert table.upsert({"id": "up", "title": "u"}, where("id") == "up") == ["up"]
    assert table.insert_multiple([{"id": "x"}, {"id": "y"}]) == ["x", "y"]
    listed = ask(graph.origin, "GET", ALERTS).json["value"]
    assert [each["id"] for each in listed] == ["a", "b", made, "own", "up", "x", "y"]
    assert listed[2]["evidence"] == []
    assert table.remove(where("id").one_of(["x", "y"])) == ["x", "y"]
    table.truncate()
    assert ask(graph.origin, "GET", f"{ALERTS}/$count").body == b"0"


def test_an_id_is_there_once(graph: MockGraph) -> None:
    with pytest.raises(ValueError, match="a already exists"):
        table_of(graph).insert({"id": "a"})


REFUSED: list[tuple[Callable[[EntityDB], Any], str]] = [
    (lambda db: db.table(TABLE).insert({"id": "n", "severity": 5}), f"{TABLE}/n/severity: "),
    (lambda db: db.table(TABLE).update({"severity": "worst"}), f"{TABLE}/a/severity: "),
    (
        lambda db: db.table(TABLE).update({"evidence": [{"tags": 1}]}, where("id") == "b"),
        f"{TABLE}/b/evidence/0/tags: ",
    ),
    (lambda db: db.table(TABLE).upsert(document({"title": 1}, "n")), f"{TABLE}/n/title: "),
    (lambda db: db.table(TABLE).update({"id": "n"}, where("id") == "a"), f"{TABLE}/a/id: "),
    (lambda db: db.table(TABLE).insert({"id": "a/b"}), f"{TABLE}/a/b/id: "),
    (lambda db: db.table(TABLE).insert({"id": "n", "own": {1, 2}}), f"{TABLE}/n: .* JSON"),
    (
        lambda db: db.table(TABLE).insert({"id": "n", "own": datetime.datetime.now(datetime.UTC)}),
        f"{TABLE}/n: .* JSON",
    ),
    (lambda db: db.table(TABLE).insert_multiple([{"id": "n"}, {"title": 1}]), "title: "),
    (lambda db: db.table("security").truncate(), "security/.*: The singleton"),
    (lambda db: db.table("security").insert({"id": "second"}), "security/.*: The singleton"),
    (lambda db: db.drop_table("security"), "The singleton"),
    (lambda db: db.drop_tables(), "The singleton|Who may sign in"),
    (lambda db: db.table("security/alerts_2"), "no table 'security/alerts_2'; .* security/alerts,"),
    (lambda db: db.insert({"n": 1}), "no table '_default'"),
    (lambda db: db.table("_mockgraph/directory").truncate(), "a state document, or a seed"),
]


@pytest.mark.parametrize(("write", "says"), REFUSED)
def test_what_does_not_fit_is_refused_with_its_path_and_changes_nothing(
    graph: MockGraph, write: Callable[[EntityDB], Any], says: str
) -> None:
    before, known = graph.state, etag(graph, f"{ALERTS}/a")
    with pytest.raises(BadRequest, match=says):
        write(graph.db)
    assert graph.state == before
    assert etag(graph, f"{ALERTS}/a") == known


def test_the_singleton_is_updated(graph: MockGraph) -> None:
    graph.db.table("security").update({"providerStatus": [{"region": "here"}]})
    (status,) = ask(graph.origin, "GET", "/localtest/Security").json["providerStatus"]
    assert status["region"] == "here"


def test_a_transaction_writes_all_or_nothing(graph: MockGraph) -> None:
    before = graph.state
    with pytest.raises(BadRequest), graph.db.transaction() as db:  # noqa: PT012
        db.table("security/incidents").truncate()
        assert len(db.table("security/incidents")) == 0
        assert len(graph.db.table("security/incidents")) == 1
        db.table(TABLE).update({"severity": "worst"})
    assert graph.state == before
    with graph.db.transaction() as db:
        db.table("security/incidents").insert({"id": "j"})
        db.table(TABLE).update({"incidentId": "j"})
        db.drop_table("security/alerts")
    found = ask(graph.origin, "GET", "/v1.0/security/incidents/j?$expand=alerts").json
    assert [each["id"] for each in found["alerts"]] == ["a", "b"]


def test_a_transaction_is_written_by_itself_alone(graph: MockGraph) -> None:
    with graph.db.transaction() as db:
        with pytest.raises(RuntimeError, match="A transaction is open in this thread"):
            table_of(graph).truncate()
        with pytest.raises(RuntimeError, match="none within it"), db.transaction():
            pass
        db.table(TABLE).truncate()
    assert graph.state["Security"]["alerts_v2"] == []


def test_a_transaction_is_written_to_in_its_block_alone(graph: MockGraph) -> None:
    transaction = graph.db.transaction()
    table: Any = transaction.table(TABLE)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="write in its block"):
            table.insert({"id": "c"})
        with pytest.raises(RuntimeError, match="write in its block"):
            table.store("c", {"id": "c"})
        with transaction:
            pass
    assert [each["id"] for each in graph.state["Security"]["alerts_v2"]] == ["a", "b"]


def test_a_second_block_writes_nothing_of_the_first_once_more(tmp_path: Path) -> None:
    store = tmp_path / "graph.store"
    with MockGraph(seed=SEED, auth="off", store=store) as graph:
        transaction = graph.db.transaction()
        with transaction as db:
            db.table(TABLE).update({"status": "inProgress"})
        assert patch(graph.origin, {"status": "resolved"}, f"{ALERTS}/a").status == 200
        with transaction as db:
            db.table("security/incidents").update({"displayName": "later"})
        before = graph.state
    with MockGraph(auth="off", store=store) as graph:
        assert graph.state == before


def test_true_is_another_value_than_one(graph: MockGraph) -> None:
    table = graph.db.table("security/alerts")
    table.insert({"id": "a", "own": 1})
    table.update({"own": True})
    assert ask(graph.origin, "GET", "/v1.0/security/alerts/a").json["own"] is True


def test_closing_it_leaves_the_server_its_state(graph: MockGraph) -> None:
    with graph.db as db:
        db.table(TABLE).truncate()
    assert ask(graph.origin, "GET", ALERTS).json["value"] == []
    assert patch(graph.origin, {"providerStatus": []}).status == 200


def test_tenants_have_databases_of_their_own(graph: MockGraph) -> None:
    team = graph.tenant("team")
    team.db.table(TABLE).truncate()
    assert len(table_of(graph)) == 2
    graph.reset()
    assert len(table_of(graph)) == 2


def test_a_stopped_server_has_none() -> None:
    with pytest.raises(MockGraphError, match="not running"):
        MockGraph().db  # noqa: B018
