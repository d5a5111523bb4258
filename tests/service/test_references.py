"""Entity references: /$ref on sets and on entities."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from . import ROOTS, at, create, on_every_creatable_set, on_every_set, refused

ALERTS = at("v1.0", "alerts")


@on_every_set
def test_references(graph: FlaskClient, root: str, name: str) -> None:
    for key in ("a", "b c"):
        create(graph, name, id=key)
    body = graph.get(at(root, name, "$ref")).get_json()
    assert body["@odata.context"] == f"http://localhost/{root}/$metadata#Collection($ref)"
    links = [each["@odata.id"] for each in body["value"]]
    assert links == [f"http://localhost{at(root, name, key)}" for key in ("a", "b c")]
    assert [graph.get(link).get_json()["id"] for link in links] == ["a", "b c"]
    assert all(set(each) == {"@odata.id"} for each in body["value"])


@on_every_set
def test_the_reference_of_one(graph: FlaskClient, root: str, name: str) -> None:
    create(graph, name, id="a")
    body = graph.get(at(root, name, "a", "$ref")).json
    assert body == {
        "@odata.context": f"http://localhost/{root}/$metadata#$ref",
        "@odata.id": f"http://localhost{at(root, name, 'a')}",
    }
    refused(graph.get(at(root, name, "gone", "$ref")), 404)


def test_references_are_filtered_and_ordered(graph: FlaskClient) -> None:
    for number, key in enumerate("abcd"):
        create(graph, "alerts", id=key, confidence=number)
    url = f"{at('beta', 'alerts', '$ref')}?$filter=confidence gt 0&$orderby=confidence desc&$skip=1"
    links = [each["@odata.id"].rpartition("/")[2] for each in graph.get(url).get_json()["value"]]
    assert links == ["c", "b"]
    counted = graph.get(f"{at('beta', 'alerts', '$ref')}?$count=true&$top=1").get_json()
    assert counted["@odata.count"] == 4
    assert len(counted["value"]) == 1


@on_every_creatable_set
def test_posting_to_the_references_creates_as_the_pages_print_it(
    graph: FlaskClient, root: str, name: str
) -> None:
    made = graph.post(at(root, name, "$ref"), json={"id": "new"})
    assert made.status_code == 201
    assert made.headers["Location"] == f"http://localhost{at(root, name, 'new')}"
    assert graph.get(made.headers["Location"]).get_json()["id"] == "new"


@pytest.mark.parametrize("segment", ["$ref", "$REF"])
@pytest.mark.parametrize("root", ROOTS)
def test_what_is_contained_takes_no_reference(graph: FlaskClient, root: str, segment: str) -> None:
    create(graph, "alerts", id="a")
    body = {"@odata.id": f"http://localhost{at(root, 'alerts', 'a')}"}
    refused(graph.post(at(root, "alerts", segment), json=body), 501)
    assert graph.get(at(root, "alerts", "$count")).text == "1"


@pytest.mark.parametrize("root", ROOTS)
def test_methods_that_references_do_not_take(graph: FlaskClient, root: str) -> None:
    create(graph, "alerts", id="a")
    for method in ("PUT", "PATCH", "DELETE"):
        refused(graph.open(at(root, "alerts", "$ref"), method=method, json={}), 405)
        refused(graph.open(at(root, "alerts", "a", "$ref"), method=method, json={}), 405)


def test_a_reference_is_not_taken_for_an_entity(graph: FlaskClient) -> None:
    refused = graph.post(f"{ALERTS}/$ref", json={"@odata.id": f"http://localhost{ALERTS}/a"})
    assert refused.status_code == 501
    assert graph.get(f"{ALERTS}/$count").data == b"0"
    # An entity may carry its own, as it was read.
    created = graph.post(ALERTS, json={"@odata.id": "http://localhost/x", "title": "t"})
    assert created.status_code == 201
