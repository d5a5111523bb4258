"""A walk over every resource that a root declares: each is served by its kind."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import state_of
from flask.testing import FlaskClient

from mockgraph import metadata as edm
from mockgraph.metadata.resources import Resource, ResourceKind
from mockgraph.odata.addressing import count_methods, entity_methods, set_methods
from mockgraph.service import SERVICE

from . import ROOTS, concrete, create_at, ids, refused, without_control
from .walks import below, change_of, entity_of

Json = Any

RESOURCES = [
    resource
    for root in ROOTS
    for resource in below(SERVICE.views[root].children["security"])
    if resource.owner is not None
]
REPRESENTATION = {"Prefer": "return=representation"}


def make(graph: FlaskClient, resource: Resource, at: str) -> str:
    """An entity in a collection, and its URL."""
    return create_at(graph, at, resource, entity_of(resource.type))


def at(graph: FlaskClient, resource: Resource) -> str:
    """The URL of a resource, below an owner that is made for it."""
    url = f"/{resource.view.name}"
    for each in resource.chain[:-1]:
        url += f"/{each.name}"
        if each.is_collection:
            url = make(graph, each, url)
    return f"{url}/{resource.name}"


def check_count(graph: FlaskClient, url: str, resource: Resource, number: int) -> None:
    """Check the number of entities, or that they are not counted in either way."""
    counted, listed = graph.get(f"{url}/$count"), graph.get(f"{url}?$count=true")
    if resource.rules.count.countable:
        assert counted.text == str(number)
        assert listed.get_json()["@odata.count"] == number
    else:
        refused(counted, 405)
        refused(listed, 400)


def name_of(resource: Resource) -> str:
    return f"{resource.view.name}/{resource.path}"


def of_kind(kind: ResourceKind, *, collections: bool) -> pytest.MarkDecorator:
    """Run a test for each resource of a kind."""
    found = [each for each in RESOURCES if (each.kind, each.is_collection) == (kind, collections)]
    return pytest.mark.parametrize("resource", found, ids=name_of)


@of_kind(ResourceKind.CONTAINED, collections=True)
def test_a_contained_collection(graph: FlaskClient, resource: Resource) -> None:
    url = at(graph, resource)
    assert ids_of(graph, url, resource) == []
    if "POST" not in set_methods(resource):
        refused(graph.post(url, json=entity_of(resource.type)), 405)
        return
    one = make(graph, resource, url)
    other = make(graph, resource, url) if edm.key_names(resource.type) == ("id",) else None
    kept = [each for each in (one, other) if each]
    assert len(ids_of(graph, url, resource)) == len(kept)
    check_count(graph, url, resource, len(kept))
    links = graph.get(f"{url}/$ref").get_json()["value"]
    assert [each["@odata.id"] for each in links] == [f"http://localhost{each}" for each in kept]

    if "PATCH" in entity_methods(resource):
        change = change_of(resource)
        after = graph.patch(one, json=change, headers=REPRESENTATION)
        assert after.status_code == 200, after.text
        shown = after.get_json()
        assert all(shown[name] == value for name, value in change.items() if is_plain(value))
        assert without_control(graph.get(one).json) == without_control(shown)
    else:
        refused(graph.patch(one, json={}), 405)
    if "DELETE" in entity_methods(resource):
        assert graph.delete(one).status_code == 204
        refused(graph.get(one), 404)
        refused(graph.delete(one), 404)
        check_count(graph, url, resource, len(kept) - 1)
    else:
        refused(graph.delete(one), 405)


def is_plain(value: Json) -> bool:
    """Whether a value comes back as it was sent: complex ones come back whole."""
    return not isinstance(value, dict) and not (
        isinstance(value, list) and any(isinstance(each, dict) for each in value)
    )


def ids_of(graph: FlaskClient, url: str, resource: Resource) -> list[Json]:
    """The keys of the entities of a collection."""
    response = graph.get(url)
    assert response.status_code == 200, response.text
    assert response.get_json()["@odata.context"].startswith(
        f"http://localhost/{resource.view.name}/$metadata#"
    )
    names = edm.key_names(resource.type)
    return [tuple(each[name] for name in names) for each in response.get_json()["value"]]


@of_kind(ResourceKind.CONTAINED, collections=False)
def test_a_contained_single_entity(graph: FlaskClient, resource: Resource) -> None:
    url = at(graph, resource)
    if resource.type.is_abstract:
        refused(graph.get(url), 404)
    else:
        implicit = graph.get(url)
        assert implicit.status_code == 200, implicit.text
    change = change_of(resource)
    if resource.type.is_abstract:
        refused(graph.patch(url, json=change), 404)
        change = entity_of(resource.type)
    after = graph.patch(url, json=change, headers=REPRESENTATION)
    assert after.status_code == 200, after.text
    read = graph.get(url)
    assert read.status_code == 200
    assert without_control(read.json) == without_control(after.json)
    assert read.headers["ETag"] == after.headers["ETag"]
    assert graph.delete(url).status_code == 204
    refused(graph.get(url), 404)
    refused(graph.delete(url), 404)
    assert graph.patch(url, json=change, headers=REPRESENTATION).status_code == 200
    assert graph.get(url).status_code == 200


@of_kind(ResourceKind.REFERENCE, collections=True)
def test_a_collection_of_references(graph: FlaskClient, resource: Resource) -> None:
    url = at(graph, resource)
    target = target_of(graph, resource, url)
    assert graph.get(url).get_json()["value"] == []
    body = {"@odata.id": f"http://localhost{target}"}
    assert graph.post(f"{url}/$ref", json=body).status_code == 204
    assert [each["@odata.id"] for each in graph.get(f"{url}/$ref").get_json()["value"]] == [
        f"http://localhost{target}"
    ]
    key = graph.get(target).get_json()["id"]
    assert ids(graph.get(url)) == [key]
    check_count(graph, url, resource, 1)
    assert graph.get(f"{url}/{key}").get_json()["id"] == key
    assert graph.delete(f"{url}/{key}/$ref").status_code == 204
    assert ids(graph.get(url)) == []
    assert graph.get(target).status_code == 200
    graph.post(f"{url}/$ref", json=body)
    assert graph.delete(target).status_code == 204
    assert ids(graph.get(url)) == []


@of_kind(ResourceKind.REFERENCE, collections=False)
def test_a_single_reference(graph: FlaskClient, resource: Resource) -> None:
    url = at(graph, resource)
    target = target_of(graph, resource, url)
    refused(graph.get(url), 404)
    body = {"@odata.id": f"http://localhost{target}"}
    assert graph.put(f"{url}/$ref", json=body).status_code == 204
    assert graph.get(f"{url}/$ref").get_json()["@odata.id"] == f"http://localhost{target}"
    assert graph.get(url).get_json()["id"] == graph.get(target).get_json()["id"]
    assert graph.delete(f"{url}/$ref").status_code == 204
    refused(graph.get(url), 404)
    graph.put(f"{url}/$ref", json=body)
    assert graph.delete(target).status_code == 204
    refused(graph.get(url), 404)


def target_of(graph: FlaskClient, resource: Resource, url: str) -> str:
    """An entity where a reference's are held, below owners that it has in common with it."""
    home = resource.home
    shared = f"/{home.view.name}"
    segments = url.split("/")[2:]
    for each in home.chain[:-1]:
        shared += f"/{each.name}"
        if segments and segments[0] == each.name:
            segments = segments[1:]
            if each.is_collection:
                shared += f"/{segments[0]}"
                segments = segments[1:]
        elif each.is_collection:
            shared = make(graph, each, shared)
            segments = []
        else:
            segments = []
    body = {"@odata.type": f"#{concrete(resource.type).type_name}", **entity_of(resource.type)}
    return create_at(graph, f"{shared}/{home.name}", home, body)


OWNED = [each for each in RESOURCES if any(above.is_collection for above in each.chain[:-1])]


@pytest.mark.parametrize("resource", OWNED, ids=name_of)
def test_below_an_owner_that_is_not_there(graph: FlaskClient, resource: Resource) -> None:
    url = f"/{resource.view.name}"
    for each in resource.chain[:-1]:
        url += f"/{each.name}"
        if each.is_collection:
            url += "/gone"
    before = state_of(graph)
    url += f"/{resource.name}"
    body = entity_of(resource.type)
    refused(graph.get(url), 404)
    if resource.is_collection:
        refused(graph.get(f"{url}/$count"), 404 if count_methods(resource) else 405)
        refused(graph.get(f"{url}/x"), 404)
        if "POST" in set_methods(resource):
            refused(graph.post(url, json=body), 404)
    elif resource.kind is ResourceKind.CONTAINED:
        refused(graph.patch(url, json=body), 404)
        refused(graph.delete(url), 404)
    assert state_of(graph) == before
