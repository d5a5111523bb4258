"""Every set on every root: list, create, get, update, delete, and one state behind them."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient

from mockgraph.metadata.resources import ResourceKind
from mockgraph.service import SERVICE

from . import (
    DOCUMENTED,
    LASTING,
    NEWER,
    ROOTS,
    SERVED,
    SETS,
    at,
    change,
    create,
    ids,
    may,
    on_every_creatable_set,
    on_every_root,
    on_every_set,
    refused,
    resource_of,
    text_property,
    touch,
    without_control,
)

Json = Any

REPRESENTATION = {"Prefer": "return=representation"}


def test_the_sets_are_those_of_the_metadata() -> None:
    served = {
        (root, each.name)
        for root in ROOTS
        for each in SERVICE.views[root].children["security"].children().values()
        if each.is_collection and each.kind is ResourceKind.CONTAINED
    }
    assert served == set(SERVED)
    assert len(DOCUMENTED) == 12


@on_every_set
def test_a_set_starts_empty(graph: FlaskClient, root: str, name: str) -> None:
    response = graph.get(at(root, name))
    singleton = at(root).rpartition("/")[2]
    assert response.status_code == 200
    assert response.json == {
        "@odata.context": f"http://localhost/{root}/$metadata#{singleton}/{name}",
        "value": [],
    }


@on_every_creatable_set
def test_the_life_of_an_entity(graph: FlaskClient, root: str, name: str) -> None:
    known = text_property(name)
    made = graph.post(at(root, name), json={known: "first"})
    assert made.status_code == 201
    location, key = made.headers["Location"], made.get_json()["id"]
    assert uuid.UUID(key)
    assert location == f"http://localhost{at(root, name, key)}"
    assert made.get_json()["@odata.context"].endswith(f"/{name}/$entity")
    assert made.headers["ETag"] == made.get_json()["@odata.etag"]

    read = graph.get(location)
    assert read.status_code == 200
    assert read.json == made.json
    assert read.get_json()[known] == "first"

    listed = graph.get(at(root, name))
    assert without_control(listed.get_json()["value"]) == [without_control(made.json)]

    updated = graph.patch(location, json=change(name, "second"), headers=REPRESENTATION)
    assert updated.status_code == 200
    assert updated.get_json()[known] == "second"
    assert graph.get(location).json == updated.json

    deleted = graph.delete(location)
    assert (deleted.status_code, deleted.data) == (204, b"")
    assert key in refused(graph.get(location), 404)
    refused(graph.patch(location, json=change(name, "third")), 404)
    refused(graph.delete(location), 404)
    assert ids(graph.get(at(root, name))) == []


@on_every_creatable_set
def test_a_given_id_is_respected_while_it_is_free(graph: FlaskClient, root: str, name: str) -> None:
    assert graph.post(at(root, name), json={"id": "mine"}).get_json()["id"] == "mine"
    before = graph.get(at("beta", name)).json
    for other in ROOTS:
        if (other, name) in SERVED:
            is_taken = may("POST", other, name)
            answer = graph.post(at(other, name), json={"id": "mine"})
            assert ("mine" in refused(answer, 409)) if is_taken else refused(answer, 405)
    assert graph.get(at("beta", name)).json == before
    graph.delete(at(root, name, "mine"))
    assert graph.post(at(root, name), json={"id": "mine"}).status_code == 201


@pytest.mark.parametrize("name", SETS)
def test_the_same_id_may_stand_in_every_set(graph: FlaskClient, name: str) -> None:
    for each in SETS:
        create(graph, each, id="shared")
    root = next(each for each in ("localtest", "beta") if (each, name) in SERVED)
    gone = {name} if may("DELETE", root, name, "shared") else set[str]()
    answer = graph.delete(at(root, name, "shared"))
    assert answer.status_code == (204 if gone else 405)
    left = {each for each in SETS if graph.get(at("beta", each, "shared")).status_code == 200}
    assert left == set(SETS) - gone


@pytest.mark.parametrize(
    "key", ["a b", "x(y)", "id='x'", "%41", "größe", "'q'", "a?b#c", "+", "Ä&=;"]
)
@on_every_root
def test_the_location_works_whatever_the_id(graph: FlaskClient, root: str, key: str) -> None:
    made = graph.post(at(root, "alerts"), json={"id": key})
    assert made.status_code == 201
    read = graph.get(made.headers["Location"])
    assert read.status_code == 200
    assert read.get_json()["id"] == key


@pytest.mark.parametrize(
    "key",
    [
        "a/b",
        "$count",
        "$x",
        "line\nbreak",
        "\x00",
        "x" * 513,
        ".",
        "..",
        "updateAlerts",
        "UPDATEALERTS",
        "microsoft.graph.updateAlerts",
    ],
)
def test_an_id_that_no_url_could_name_is_refused(graph: FlaskClient, key: str) -> None:
    assert refused(graph.post(at("v1.0", "alerts"), json={"id": key})).startswith("id: ")
    assert ids(graph.get(at("v1.0", "alerts"))) == []


@pytest.mark.parametrize("given", [None, ""])
def test_an_id_that_says_nothing_is_made(graph: FlaskClient, given: str | None) -> None:
    assert uuid.UUID(create(graph, "alerts", id=given)["id"])


def test_ids_are_matched_exactly(graph: FlaskClient) -> None:
    create(graph, "alerts", id="Key")
    assert graph.get(at("v1.0", "alerts", "Key")).status_code == 200
    refused(graph.get(at("v1.0", "alerts", "key")), 404)


@on_every_creatable_set
def test_one_state_is_seen_through_all_roots(graph: FlaskClient, root: str, name: str) -> None:
    key = graph.post(at(root, name), json={"id": "one"}).get_json()["id"]
    roots = [each for each in ROOTS if (each, name) in SERVED]
    whole = without_control(graph.get(at("beta", name, key)).json)
    for each in roots:
        shown = without_control(graph.get(at(each, name, key)).json)
        assert shown.items() <= whole.items()
        assert list(shown) == list(resource_of(each, name).type.properties())
    graph.patch(at(root, name, key), json=change(name, "changed"))
    for each in roots:
        assert graph.get(at(each, name, key)).get_json()[text_property(name)] == "changed"
    etags = {graph.get(at(each, name, key)).headers["ETag"] for each in roots}
    assert len(etags) == 1
    graph.delete(at(root, name, key))
    assert {graph.get(at(each, name, key)).status_code for each in roots} == {404}


def test_what_another_root_declares_shows_on_an_open_type_once_it_is_set(
    graph: FlaskClient,
) -> None:
    create(graph, "alerts", id="a")
    assert "incidentIds" not in graph.get(at("localtest", "alerts", "a")).get_json()
    create(graph, "alerts", id="b", incidentIds=["7"])
    assert graph.get(at("localtest", "alerts", "b")).get_json()["incidentIds"] == ["7"]


@pytest.mark.parametrize(
    ("root", "name"),
    [(root, name) for root in ROOTS for name in SETS if (root, name) not in SERVED],
)
@pytest.mark.parametrize("rest", [(), ("x",), ("x", "title"), ("$count",), ("$ref",)])
def test_a_set_of_another_root_is_told_where_it_is_served(
    graph: FlaskClient, root: str, name: str, rest: tuple[str, ...]
) -> None:
    create(graph, name, id="x")
    others = [each for each in ROOTS if (each, name) in SERVED]
    expected = (
        f"Resource not found for the segment '{name}'. It is served under {' and '.join(others)}."
    )
    assert refused(graph.get(at(root, name, *rest))) == expected
    if not rest:
        assert refused(graph.post(at(root, name), json={})) == expected


@pytest.mark.parametrize(
    ("method", "segments", "others"),
    [
        ("POST", ("alerts", "updateAlerts"), "localtest and beta"),
        ("POST", ("alerts", "microsoft.graph.updateAlerts"), "localtest and beta"),
    ],
)
def test_what_else_another_root_serves(
    graph: FlaskClient, method: str, segments: tuple[str, ...], others: str
) -> None:
    message = refused(graph.open(at("v1.0", *segments), method=method, json={}))
    assert message == (
        f"Resource not found for the segment '{segments[-1]}'. It is served under {others}."
    )


def test_v1_has_lost_most_of_the_twelve() -> None:
    assert {name for root, name in SERVED if root == "v1.0"} == {*LASTING, *NEWER}


@on_every_root
@pytest.mark.parametrize("name", ["nope", "alert", "Alerts2", "$all"])
def test_an_unknown_set_is_an_unknown_segment(graph: FlaskClient, root: str, name: str) -> None:
    assert name in refused(graph.get(at(root, name)))
    assert name in refused(graph.post(at(root, name), json={}))


@pytest.mark.parametrize(("root", "version"), [("v2.0", "v2.0"), ("localtest2", "localtest2")])
def test_an_unknown_root(graph: FlaskClient, root: str, version: str) -> None:
    assert refused(graph.get(at(root, "alerts"))) == f"Invalid version: {version}"


@pytest.mark.parametrize(
    ("root", "name"), [each for each in SERVED if not may("PATCH", *each, "x")]
)
def test_what_the_service_alone_writes_is_not_updated(
    graph: FlaskClient, root: str, name: str
) -> None:
    url = at(root, name, create(graph, name)["id"])
    before = graph.get(url).json
    refused(graph.patch(url, json=touch(root, name)), 405)
    assert graph.get(url).json == before


@on_every_creatable_set
def test_methods_that_a_set_and_an_entity_do_not_take(
    graph: FlaskClient, root: str, name: str
) -> None:
    for segments, allowed in [
        ([name], "GET, POST, HEAD, OPTIONS"),
        ([name, "x"], "GET, PATCH, DELETE, HEAD, OPTIONS"),
    ]:
        for method in {"PUT", "POST", "PATCH", "DELETE", "TRACE"} - set(allowed.split(", ")):
            response = graph.open(at(root, *segments), method=method, json={})
            refused(response, 405)
            assert response.headers["Allow"] == allowed
        assert graph.options(at(root, *segments)).headers["Allow"] == allowed
        assert graph.options(at(root, *segments)).status_code == 204


@on_every_set
def test_head_is_get_without_a_body(graph: FlaskClient, root: str, name: str) -> None:
    key = create(graph, name)["id"]
    for url in (at(root, name), at(root, name, key), at(root, name, "$count")):
        got, head = graph.get(url), graph.head(url)
        assert (head.status_code, head.data) == (200, b"")
        for header in ("Content-Type", "Content-Length", "ETag", "OData-Version"):
            assert head.headers.get(header) == got.headers.get(header)
