"""Permissions of sets: callers need them however an answer comes to show the set."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from mockgraph.app import create_app
from mockgraph.metadata.resources import Resource
from mockgraph.server_options import Settings
from mockgraph.service import SERVICE
from mockgraph.testing.tenant import Tenants

DEPTH = 4


def resources(view: str) -> Iterator[Resource]:
    """All resources of a root that need a permission, down to some depth."""
    level = list(SERVICE.views[view].children.values())
    for _ in range(DEPTH):
        yield from (each for each in level if each.permissions("read"))
        level = [child for each in level for child in each.children().values()]


def url_of(resource: Resource, key: str = "x") -> str:
    """The URL of a resource below the entities of this key."""
    parts = [f"{each.name}/{key}" if each.is_collection else each.name for each in resource.chain]
    return f"/{resource.view.name}/{'/'.join(parts)}".removesuffix(
        f"/{key}" if resource.is_collection else ""
    )


def ways(resource: Resource) -> Iterator[str]:
    """The URLs whose answers show entities of a resource, or how many there are."""
    url = url_of(resource)
    yield url
    yield f"{url}/$ref"
    if resource.is_collection:
        yield f"{url}/$count"
        yield f"{url}/x"
        yield f"{url}('x')/id"
        yield f"{url}/{resource.type_name}"
    if resource.owner is not None:
        owner, name = url_of(resource.owner), resource.name
        if resource.owner.is_collection:
            yield f"{owner}/x?$expand={name}"
            many = f"{name}/$count gt 0" if resource.is_collection else f"{name} ne null"
            yield f"{owner}?$filter={many}"
            yield f"{owner}/$count?$filter={many}"
            if resource.is_collection:
                yield f"{owner}?$filter={name}/any()"
                yield f"{owner}?$orderby={name}/$count"
        yield f"{owner}?$expand={name}"
        yield f"{owner}?$expand={name}($select=id)"
        yield f"{owner}?$expand={name}/$ref"
        yield f"{owner}?$expand=*"
        if resource.is_collection:
            yield f"{owner}?$expand={name}/$count"
        above = resource.owner.owner
        if above is not None:
            yield f"{url_of(above)}?$expand={resource.owner.name}($expand={name})"


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Settings(auth="jwt")).test_client()


def bearing(client: FlaskClient, permissions: set[str]) -> dict[str, str]:
    tenants: Tenants = client.application.extensions["mockgraph"]
    token = tenants.default.entra.mint(permissions=sorted(permissions))
    return {"Authorization": f"Bearer {token}"}


EVERY = {
    scope
    for view in SERVICE.views
    for each in resources(view)
    for scope in (*each.permissions("read"), *each.home.permissions("read"))
}
GROUPS = sorted({each.home.permissions("read") for v in SERVICE.views for each in resources(v)})


@pytest.mark.parametrize("view", SERVICE.views)
@pytest.mark.parametrize("needed", GROUPS, ids=lambda needed: needed[0])
def test_without_the_permission_nothing_is_shown(
    client: FlaskClient, view: str, needed: tuple[str, ...]
) -> None:
    headers = bearing(client, EVERY - {*needed})
    asked = [
        url
        for each in resources(view)
        if each.home.permissions("read") == needed
        for url in ways(each)
    ]
    for url in asked:
        status = client.get(url, headers=headers).status_code
        # What the metadata does not let be asked may be refused as that.
        assert status in (400, 403, 405), url
    below = [
        {"id": f"{n}", "method": "GET", "url": url[len(view) + 1 :]} for n, url in enumerate(asked)
    ]
    for start in range(0, len(below), 20):
        items = {"requests": below[start : start + 20]}
        answer = client.post(f"/{view}/$batch", json=items, headers=headers).get_json()
        assert {each["status"] for each in answer["responses"]} <= {400, 403, 404, 405}


def test_with_the_permissions_it_is_shown(client: FlaskClient) -> None:
    headers = bearing(client, {"SecurityEvents.Read.All", "SecurityAlert.Read.All"})
    for url in (
        "/v1.0/security?$expand=alerts_v2",
        "/v1.0/security/alerts_v2",
        "/v1.0/security/alerts_v2/$count",
    ):
        assert client.get(url, headers=headers).status_code == 200
    both = bearing(client, {"SecurityIncident.Read.All", "SecurityAlert.Read.All"})
    assert client.get("/v1.0/security/incidents?$expand=alerts", headers=both).status_code == 200


@pytest.mark.parametrize("held", ["SecurityIncident.Read.All", "SecurityEvents.Read.All"])
def test_alerts_are_shown_by_their_own_permission_alone(client: FlaskClient, held: str) -> None:
    headers = bearing(client, {held})
    for url in (
        "/v1.0/security?$expand=alerts_v2",
        "/v1.0/security?$expand=incidents($expand=alerts)",
        "/v1.0/security/incidents?$expand=alerts",
        "/v1.0/security/incidents?$filter=alerts/any(a:a/severity eq 'high')",
        "/v1.0/security/incidents/1/alerts",
        "/v1.0/security/incidents/1/alerts/$count",
    ):
        assert client.get(url, headers=headers).status_code == 403, url
        item = {"id": "1", "method": "GET", "url": url[5:]}
        answer = client.post("/v1.0/$batch", json={"requests": [item]}, headers=headers)
        assert [each["status"] for each in answer.get_json()["responses"]] == [403]
