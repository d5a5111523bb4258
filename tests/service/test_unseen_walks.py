"""A walk over all that metadata declares which does not come with MockGraph: served and kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from conftest import state_of
from flask.testing import FlaskClient

from mockgraph import metadata as edm
from mockgraph.app import create_app
from mockgraph.metadata import csdl, csdl_writer, primitives
from mockgraph.metadata.elements import NavigationProperty
from mockgraph.metadata.resources import Resource, ResourceKind
from mockgraph.odata.addressing import entity_methods, set_methods
from mockgraph.server_options import Settings

from . import concrete, museum, refused, without_control
from .walks import below, change_of, entity_of

Json = Any

FEATURES = Path(__file__).parent.parent / "metadata" / "data" / "features.csdl"
FILES = {"museum": museum.CSDL, "features": FEATURES}

_QUOTED = (primitives.String, primitives.Enum)
_PREFIXED = {primitives.Binary: "binary", primitives.Duration: "duration"}


@pytest.fixture(scope="module", params=FILES)
def served(request: pytest.FixtureRequest) -> Iterator[FlaskClient]:
    app = create_app(Settings(auth="off", csdl=(str(FILES[request.param]),)))
    yield app.test_client()
    app.extensions["mockgraph"].close()


def resources(client: FlaskClient) -> Iterator[Resource]:
    """Return the resources of v1.0 at its root beside Security, and all below them."""
    view = client.application.extensions["mockgraph"].default.state.service.views["v1.0"]
    for name, root in view.children.items():
        if name != "security":
            yield from below(root)


def literal(declared: edm.PropertyField, value: Json) -> str | None:
    """A value as a filter has it, None where there is no such literal."""
    if isinstance(declared, _QUOTED):
        return f"'{value}'"
    if type(declared) in _PREFIXED:
        return f"{_PREFIXED[type(declared)]}'{value}'"
    if isinstance(declared, edm.Complex | edm.Collection | primitives.Untyped) or not declared.edm:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def made(client: FlaskClient, resource: Resource, url: str) -> str:
    """The URL of a new entity of a collection."""
    answer = client.post(url, json=entity_of(resource.type))
    assert answer.status_code == 201, answer.text
    location = str(answer.headers["Location"]).removeprefix("http://localhost")
    if "GET" in entity_methods(resource):
        shown = client.get(location).get_json()
        assert without_control(shown) == without_control(answer.get_json())
    return location


def url_of(client: FlaskClient, resource: Resource) -> str:
    """The URL of a resource, below owners that are made for it; of a derived type by a cast."""
    url = "/v1.0"
    for number, each in enumerate(resource.chain):
        url += f"/{each.name}"
        if each is resource:
            return url
        if each.is_collection:
            url = made(client, each, url)
        elif each.owner is not None or each.type.is_abstract:
            assert client.patch(url, json=entity_of(each.type)).status_code == 200
        follower = resource.chain[number + 1]
        assert isinstance(follower.navigation, NavigationProperty)
    return url


def check_properties(client: FlaskClient, resource: Resource, url: str, listed: str) -> None:
    """Read each property of an entity by its path, and find the entity by its value."""
    entity = client.get(url).get_json()
    own = concrete(resource.type)
    cast = "" if own is resource.type else f"{own.type_name}/"
    for name, declared in own.properties().items():
        answer = client.get(f"{url}/{cast}{name}")
        value = entity[name]
        if value is None:
            assert answer.status_code == 204
            continue
        assert answer.status_code == 200, answer.text
        if not isinstance(value, dict):
            assert answer.get_json()["value"] == value
        selected = client.get(f"{url}?$select={cast}{name}")
        assert selected.get_json()[name] == value, selected.text
        text = literal(declared, value)
        if text is not None:
            raw = client.get(f"{url}/{cast}{name}/$value")
            assert raw.status_code == 200
            wanted = quote(f"{cast}{name} eq {text}")
            if listed:
                found = client.get(f"{listed}?$filter={wanted}&$orderby={cast}id")
                if found.status_code == 400:  # no such property to order by
                    found = client.get(f"{listed}?$filter={wanted}")
                assert found.status_code == 200, found.text
                assert len(found.get_json()["value"]) == 1, (name, text)
        elif isinstance(declared, edm.Collection):
            assert client.get(f"{url}/{cast}{name}/$count").text == str(len(value))


def test_a_walk(served: FlaskClient) -> None:
    walked: dict[tuple[ResourceKind, bool], int] = {}
    for resource in resources(served):
        assert served.post("/_mockgraph/reset").status_code == 204
        url = url_of(served, resource)
        if resource.kind is not ResourceKind.CONTAINED:
            check_references(served, resource, url)
        elif resource.is_collection:
            check_collection(served, resource, url)
        else:
            check_single(served, resource, url)
        of = resource.kind, resource.is_collection
        walked[of] = walked.get(of, 0) + 1
    assert sum(walked.values()) > 5
    assert walked[ResourceKind.CONTAINED, True]


def check_collection(client: FlaskClient, resource: Resource, url: str) -> None:
    one = made(client, resource, url)
    if "GET" not in set_methods(resource):
        refused(client.get(url), 405)
        return
    refused(client.post(url, json=client.get(one).get_json()), 409)
    assert len(client.get(url).get_json()["value"]) == 1
    check_properties(client, resource, one, url)
    own = concrete(resource.type).type_name
    assert len(client.get(f"{url}/{own}").get_json()["value"]) == 1
    assert client.get(f"{one}/{own}").status_code == 200
    after = client.patch(one, json=change_of(resource), headers={"If-Match": "*"})
    assert after.status_code == 200, after.text
    check_document(client)
    assert without_control(client.get(one).get_json()) == without_control(after.get_json())
    assert client.delete(one).status_code == 204
    refused(client.get(one), 404)
    refused(client.delete(one), 404)


def check_document(client: FlaskClient) -> None:
    """Check that the state document says all: put back, it is the same."""
    kept = state_of(client)
    assert client.put("/_mockgraph/state", json=kept).status_code == 204
    assert state_of(client) == kept


def check_single(client: FlaskClient, resource: Resource, url: str) -> None:
    change = change_of(resource)
    if resource.type.is_abstract:
        change = {"@odata.type": f"#{concrete(resource.type).type_name}", **change}
    after = client.patch(url, json=change)
    assert after.status_code == 200, after.text
    check_properties(client, resource, url, "")
    check_document(client)
    if resource.owner is not None:
        assert client.delete(url).status_code == 204
        refused(client.get(url), 404)


def check_references(client: FlaskClient, resource: Resource, url: str) -> None:
    if resource.home.owner is not None or resource.kind is ResourceKind.RELATED:
        return  # walked by tests of their own
    target = next(
        (
            each["@odata.id"]
            for each in client.get(f"/v1.0/{resource.home.name}/$ref").get_json()["value"]
        ),
        None,
    ) or made(client, resource.home, f"/v1.0/{resource.home.name}")
    body = {"@odata.id": target}
    if resource.is_collection:
        assert client.post(f"{url}/$ref", json=body).status_code == 204
        listed = client.get(f"{url}/$ref").get_json()["value"]
        assert [
            each["@odata.id"].endswith(target.removeprefix("http://localhost")) for each in listed
        ] == [True]
        assert client.delete(f"{url}/$ref?$id={quote(target)}").status_code == 204
        return
    assert client.put(f"{url}/$ref", json=body).status_code == 204
    assert client.get(url).status_code == 200
    assert client.delete(f"{url}/$ref").status_code == 204
    refused(client.get(url), 404)


def test_the_metadata_comes_back(served: FlaskClient) -> None:
    for root in ("v1.0", "beta"):
        shown = served.get(f"/{root}/$metadata").data
        model = csdl.parse([("shown", shown)])
        view = served.application.extensions["mockgraph"].default.state.service.views[root]
        assert model == view.model
        assert csdl_writer.write(model).encode() == shown


def test_the_service_document_lists_what_it_includes() -> None:
    shown = {}
    for name, path in FILES.items():
        app = create_app(Settings(auth="off", csdl=(str(path),)))
        body = app.test_client().get("/v1.0").get_json()
        shown[name] = {each["name"]: each["kind"] for each in body["value"]}
        app.extensions["mockgraph"].close()
    assert shown["features"] == {
        "security": "Singleton",
        "ports": "EntitySet",
        "flagship": "Singleton",
        "nearest": "FunctionImport",
    }
    assert shown["museum"]["works"] == "EntitySet"
    assert "find" not in shown["museum"]
