"""Behaviours: their writes are held to the metadata, as a request's are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from wire import plain

from mockgraph import MockGraph
from mockgraph.state.behaviours import Invocation
from mockgraph.state.transactions import Transaction

from . import museum

CASES = "security/cases/ediscoveryCases"
CUSTODIANS = f"{CASES}/custodians"
SEED = {
    "Security": {
        "alerts_v2": [{"id": "a", "title": "t"}],
        "cases": {"ediscoveryCases": [{"id": "c1", "displayName": "Leak"}]},
    }
}
Write = Callable[[Transaction], Any]


@pytest.fixture(scope="module")
def graph() -> Iterator[MockGraph]:
    with MockGraph(auth="off", seed=SEED) as graph:
        yield graph


def closed(graph: MockGraph, write: Write) -> httpx.Response:
    """Close the case, by a behaviour that writes."""

    @graph.operation("microsoft.graph.security.close")
    def close(transaction: Transaction, call: Invocation) -> None:
        assert call.key is not None
        transaction.update(call.table, call.key, {"description": "first"})
        write(transaction)

    return plain.post(f"{graph.v1}/{CASES}/c1/close")


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (
            lambda to: to.update(CASES, "c1", {"displayName": 5}),
            f"{CASES}/c1/displayName: ",
        ),
        (
            lambda to: to.update(CASES, "c1", {"displayname": "x"}),
            f"{CASES}/c1/displayname: ",
        ),
        (
            lambda to: to.update("security/alerts_v2", "a", {"evidence": [{"@odata.type": "x"}]}),
            "security/alerts_v2/a/evidence/0/@odata.type: ",
        ),
        (
            lambda to: to.update(CASES, "c1", {"displayName": {1, 2}}),
            f"{CASES}/c1: It cannot be written as JSON",
        ),
        (
            lambda to: to.append("security/alerts_v2", "a", "comments", {"comment": 1}),
            "security/alerts_v2/a/comments/0/comment: ",
        ),
        (lambda to: to.create(CASES, {"displayName": 5}), f"{CASES}/displayName: "),
        (
            lambda to: to.create(CUSTODIANS, {"email": "k@contoso.example"}, owner="nobody"),
            f"{CUSTODIANS}: There is no 'nobody' in {CASES} to contain it.",
        ),
        (
            lambda to: to.create(CUSTODIANS, {}),
            f"{CUSTODIANS}: There is no '' in {CASES} to contain it.",
        ),
        (
            lambda to: to.create("security/alerts_v2", {}, owner="c1"),
            "security/alerts_v2: No entity contains these",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_its_path(
    graph: MockGraph, write: Write, message: str
) -> None:
    before = graph.db.snapshot()
    answer = closed(graph, write)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(message)
    assert graph.db.snapshot() is before


def test_what_fits_is_stored_as_a_request_would_have_it(graph: MockGraph) -> None:
    def write(transaction: Transaction) -> None:
        transaction.create(CUSTODIANS, {"id": "k", "@odata.etag": "x"}, owner="c1")
        transaction.update(CUSTODIANS, "c1/k", {"email": "k@contoso.example"})
        transaction.append("security/alerts_v2", "a", "comments", {"comment": "seen"})

    assert closed(graph, write).status_code == 204
    custodian = plain.get(f"{graph.v1}/{CASES}/c1/custodians/k").json()
    assert custodian["email"] == "k@contoso.example"
    assert graph.db.rows(CUSTODIANS)["c1/k"].keys().isdisjoint({"@odata.etag"})
    comments = plain.get(f"{graph.v1}/security/alerts_v2/a").json()["comments"]
    assert [each["comment"] for each in comments] == ["seen"]


@pytest.fixture(scope="module")
def museum_graph() -> Iterator[MockGraph]:
    with MockGraph(auth="off", csdl=[museum.CSDL]) as graph:
        body = {"id": museum.GUID, "title": "Sea"}
        assert plain.post(f"{graph.v1}/works", json=body).status_code == 201
        yield graph


WORTH = f"works/{museum.GUID}/worth(currency='x')"
SIZES = "works/sizesOf()"
FIND = "find(path='a')"


@pytest.mark.parametrize(
    ("name", "path", "value", "fault"),
    [
        ("worth", WORTH, "much", "value: Cannot convert 'much' to the type 'Edm.Decimal'."),
        ("worth", WORTH, None, "it returned nothing, and not 'Edm.Decimal'."),
        ("worth", WORTH, [1], "value: Cannot convert an array to the type 'Edm.Decimal'."),
        ("worth", WORTH, {1, 2}, "value: "),
        ("sizesOf", SIZES, None, "it returned nothing, and not 'Collection(museum.base.Size)'."),
        (
            "sizesOf",
            SIZES,
            {"width": 1},
            "value: Cannot convert an object to the type 'Collection(",
        ),
        ("sizesOf", SIZES, [{"width": "x"}], "value/0/width: Cannot convert 'x'"),
        ("sizesOf", SIZES, [{"width": 1}, None], "value/1: it returned null"),
        ("find", FIND, {"id": museum.GUID, "wing": "east"}, "value/wing: 'east' is not a member"),
        ("find", FIND, {"notes": [{"id": 7}]}, "value/notes/0/id: Cannot convert 7"),
        ("find", FIND, 7, "value: Cannot convert 7 to the type 'museum.Work'."),
    ],
)
def test_what_a_behaviour_returns_is_of_the_declared_type(
    museum_graph: MockGraph, name: str, path: str, value: Any, fault: str
) -> None:
    @museum_graph.operation(f"museum.{name}")
    def returning(transaction: Transaction, _: Invocation) -> Any:
        transaction.create("works", {"title": "not kept"})
        return value

    answer = plain.get(f"{museum_graph.v1}/{path}")
    assert answer.status_code == 500
    message = answer.json()["error"]["message"]
    assert message.startswith(f"What is registered with MockGraph for 'museum.{name}' is wrong: ")
    assert message.partition("wrong: ")[2].startswith(fault)
    assert len(plain.get(f"{museum_graph.v1}/works").json()["value"]) == 1


@pytest.mark.parametrize(
    ("name", "path", "value", "shown"),
    [
        ("worth", WORTH, 1.5, {"value": 1.5}),
        ("sizesOf", SIZES, [], {"value": []}),
        ("sizesOf", SIZES, [{"width": 1}], {"value": [{"width": 1, "height": None}]}),
        ("find", FIND, {"title": "t"}, {"title": "t", "wing": "north", "tags": []}),
        ("find", FIND, {"notes": [{"id": "n"}]}, {"notes": [{"id": "n", "text": None}]}),
        ("find", FIND, {"label": None}, {"label": None}),
    ],
)
def test_what_a_behaviour_returns_is_answered_whole(
    museum_graph: MockGraph, name: str, path: str, value: Any, shown: Any
) -> None:
    museum_graph.operation(f"museum.{name}")(lambda *_: value)
    answer = plain.get(f"{museum_graph.v1}/{path}")
    assert answer.status_code == 200
    assert answer.json().items() >= shown.items()


def test_a_function_is_called_each_time(museum_graph: MockGraph) -> None:
    values = iter([1.5, 2.5])
    museum_graph.operation("museum.worth")(lambda *_: next(values))
    answers = [plain.get(f"{museum_graph.v1}/{WORTH}").json()["value"] for _ in range(2)]
    assert answers == [1.5, 2.5]


def test_an_entity_that_is_returned_is_of_the_declared_type(museum_graph: MockGraph) -> None:
    @museum_graph.operation("museum.find")
    def find(transaction: Transaction, call: Invocation) -> Any:
        table, key = call.parameters["path"].split(" ")
        return transaction.get(table, key)

    path = f"{museum_graph.v1}/find(path='%s')"
    found = plain.get(path % f"works {museum.GUID.lower()}").json()
    assert found["title"] == "Sea"
    plain.post(f"{museum_graph.v1}/rooms", json={"floor": 1, "name": "a"})
    answer = plain.get(path % "rooms floor=1,name=a")
    assert answer.status_code == 500
    assert "no 'museum.Work'" in answer.json()["error"]["message"]
