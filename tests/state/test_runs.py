"""Runs: begun in a transaction, kept as entities are, brought on by the clock alone."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from wire import plain

from mockgraph import MockGraph
from mockgraph.errors import BadRequest
from mockgraph.state.behaviours import Invocation
from mockgraph.state.runs import Run
from mockgraph.state.transactions import Transaction

Json = Any

NOON = "2026-03-01T12:00:00.000000Z"
QUERIES = "security/auditLog/queries"


@pytest.fixture(scope="module")
def server() -> Iterator[MockGraph]:
    with MockGraph(auth="off", seed={"Security": {}}) as server:
        yield server


@pytest.fixture
def graph(server: MockGraph) -> MockGraph:
    server.reset()
    server.clock.freeze(NOON)
    return server


def begin(graph: MockGraph) -> str:
    """Set a query going, and return its URL."""
    made = plain.post(f"{graph.v1}/{QUERIES}", json={"displayName": "q"})
    assert made.status_code == 201, made.text
    return made.headers["Location"]


def status(url: str) -> str:
    text: str = plain.get(url).json()["status"]
    return text


def test_nothing_runs_at_first(graph: MockGraph) -> None:
    assert list(graph.operations) == []
    assert graph.operations.complete() == 0
    assert "Running" not in graph.state


def test_what_runs_is_shown(graph: MockGraph) -> None:
    url = begin(graph)
    (operation,) = graph.operations
    assert url.endswith(f"/{operation.path}")
    assert operation[1:] == (
        "notStarted",
        "2026-03-01T12:00:01.000000Z",
        "2026-03-01T12:00:10.000000Z",
        "succeeded",
    )
    graph.clock.advance(5)
    assert graph.operations[0].status == "running"
    shown = plain.get(f"{graph.origin}/_mockgraph/operations").json()
    assert shown == {"value": [graph.operations[0].as_json()]}
    assert plain.post(f"{graph.origin}/_mockgraph/operations/complete").json() == {"completed": 1}
    assert status(url) == "succeeded"


def test_what_runs_is_ended_as_a_test_says(graph: MockGraph) -> None:
    url = begin(graph)
    complete = f"{graph.origin}/_mockgraph/operations/complete"
    assert plain.post(complete, json={"status": "lost"}).status_code == 400
    with pytest.raises(BadRequest):
        graph.operations.complete(cast("Any", "lost"))
    assert plain.post(complete, json={"status": "failed"}).json() == {"completed": 1}
    assert status(url) == "failed"


def test_a_clock_that_goes_back_undoes_nothing(graph: MockGraph) -> None:
    url = begin(graph)
    graph.clock.advance(5)
    assert status(url) == "running"
    graph.clock.advance(-3600)
    assert status(url) == "running"
    graph.clock.advance(3606)
    assert status(url) == "succeeded"


def test_the_tables_of_a_test_are_those_of_now(graph: MockGraph) -> None:
    begin(graph)
    graph.clock.advance(10)
    (query,) = graph.db.table(QUERIES).all()
    assert query["status"] == "succeeded"


def test_a_snapshot_has_what_ran_then(graph: MockGraph) -> None:
    url = begin(graph)
    graph.snapshot("begun")
    assert graph.operations.complete() == 1
    graph.restore("begun")
    assert status(url) == "notStarted"
    graph.clock.advance(10)
    assert status(url) == "succeeded"
    graph.reset()
    assert list(graph.operations) == []


def test_a_state_document_has_what_runs(graph: MockGraph) -> None:
    url = begin(graph)
    graph.clock.advance(2)
    document = graph.state
    assert document["Running"][0]["status"] == "running"
    graph.reset()
    graph.clock.freeze(NOON)
    graph.state = document
    assert status(url) == "running"
    graph.clock.advance(10)
    assert status(url) == "succeeded"


@pytest.mark.parametrize(
    ("running", "message"),
    [
        ({}, "Running: an array is expected."),
        ([1], "Running/0: an object is expected."),
        ([{"who": "x"}], "Running/0/who: A run has no such member."),
        ([{}], "Running/0/name: a text is expected."),
        ([{"starts": "soon"}], "Running/0/starts: an instant is expected."),
        ([{"status": "done"}], "Running/0/status: One of notStarted, running is expected."),
        ([{"ending": "running"}], "Running/0/ending: One of succeeded, failed is expected."),
        ([{"about": []}], "Running/0/about: an object is expected."),
        ([{"caller": {"age": 5}}], "Running/0/caller: Its members are id, is_app, name."),
    ],
)
def test_what_is_no_run_is_refused(graph: MockGraph, running: Json, message: str) -> None:
    whole = {"name": "n", "table": QUERIES, "key": "k", "starts": NOON, "ends": NOON}
    if isinstance(running, list) and isinstance(running[0], dict) and running[0]:
        running = [{**whole, **running[0]}]
    before = graph.state
    with pytest.raises(BadRequest) as raised:
        graph.state = {"Security": {}, "Running": running}
    assert raised.value.message == message
    assert graph.state == before


def test_runs_about_nothing_end(graph: MockGraph, caplog: pytest.LogCaptureFixture) -> None:
    url = begin(graph)
    assert plain.delete(url).status_code == 204
    run = {"name": "n", "table": "nowhere", "key": "k", "starts": NOON, "ends": NOON}
    graph.state = {**graph.state, "Running": [*graph.state["Running"], run]}
    with caplog.at_level(logging.ERROR):
        assert graph.operations.complete() == 1  # the other one was due
    assert "The run of 'n' about 'k' failed." in caplog.text
    assert list(graph.operations) == []


def test_a_store_has_what_ran_when_it_was_closed(tmp_path: Path) -> None:
    store = tmp_path / "graph.store"
    with MockGraph(auth="off", seed={"Security": {}}, store=store) as graph:
        graph.clock.freeze(NOON)
        key = begin(graph).rpartition("/")[2]
    with MockGraph(auth="off", store=store) as graph:
        url = f"{graph.v1}/{QUERIES}/{key}"
        assert status(url) == "succeeded"  # real time has passed the end
    with MockGraph(auth="off", store=store) as graph:
        assert list(graph.operations) == []
        assert status(f"{graph.v1}/{QUERIES}/{key}") == "succeeded"


# -- behaviours of a test --------------------------------------------------------------------------


def test_a_test_has_work_of_its_own_go_on(graph: MockGraph) -> None:
    seen: list[tuple[str, str]] = []

    def progress(transaction: Transaction, run: Run) -> None:
        seen.append((run.status, transaction.now()))
        description = f"{run.about['what']} {run.status} for {transaction.caller}"
        transaction.update(run.table, run.key, {"description": description})

    @graph.operation("microsoft.graph.security.reopen", progress=progress)
    def reopen(transaction: Transaction, call: Invocation) -> None:
        assert call.key is not None
        transaction.run(call.name, call.table, call.key, {"what": "work"})

    case = plain.post(f"{graph.v1}/security/cases/ediscoveryCases", json={"id": "c"})
    url = case.headers["Location"]
    assert plain.post(f"{url}/reopen").status_code == 204
    graph.clock.advance(3600)
    after = plain.get(url).json()
    assert after["description"] == "work succeeded for MockGraph"
    assert after["lastModifiedDateTime"] == "2026-03-01T12:00:10.000000Z"
    assert seen == [
        ("running", "2026-03-01T12:00:01.000000Z"),
        ("succeeded", "2026-03-01T12:00:10.000000Z"),
    ]


def test_a_step_that_fails_changes_nothing_and_ends_the_run(
    graph: MockGraph, caplog: pytest.LogCaptureFixture
) -> None:
    def progress(transaction: Transaction, run: Run) -> None:
        transaction.update(run.table, run.key, {"description": "half"})
        raise ValueError("no further")

    @graph.operation("microsoft.graph.security.reopen", progress=progress)
    def reopen(transaction: Transaction, call: Invocation) -> None:
        assert call.key is not None
        transaction.run(call.name, call.table, call.key)

    case = plain.post(f"{graph.v1}/security/cases/ediscoveryCases", json={"id": "c"})
    url = case.headers["Location"]
    plain.post(f"{url}/reopen")
    graph.clock.advance(1)
    with caplog.at_level(logging.ERROR):
        assert plain.get(url).json()["description"] is None
    assert "no further" in caplog.text
    assert list(graph.operations) == []


def test_an_entity_type_has_a_behaviour_of_a_test(graph: MockGraph) -> None:
    written: list[tuple[str | None, Json]] = []

    @graph.operation("microsoft.graph.security.retentionEventType")
    def follow(transaction: Transaction, call: Invocation) -> None:
        assert call.key is not None
        before = None if call.before is None else call.before["displayName"]
        written.append((before, call.parameters["displayName"]))
        transaction.update(call.table, call.key, {"description": "seen"})

    url = f"{graph.v1}/security/triggerTypes/retentionEventTypes"
    made = plain.post(url, json={"id": "t", "displayName": "one"})
    assert made.json()["description"] == "seen"
    changed = plain.patch(f"{url}/t", json={"displayName": "two"})
    assert changed.json()["displayName"] == "two"
    assert written == [(None, "one"), ("one", "two")]
