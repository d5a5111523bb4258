"""Helpers of the tests of the service over HTTP: its sets as documented, and its URLs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from refusals import message_of

from mockgraph import metadata as edm
from mockgraph.errors import MethodNotAllowed
from mockgraph.metadata.resources import Resource
from mockgraph.metadata.schemas import Schemas
from mockgraph.odata.addressing import resolve
from mockgraph.service import SERVICE

Json = Any

# The twelve collections of the localtest metadata, and what the official roots have beyond them.
DOCUMENTED = (
    "alerts",
    "cloudAppSecurityProfiles",
    "domainSecurityProfiles",
    "fileSecurityProfiles",
    "hostSecurityProfiles",
    "ipSecurityProfiles",
    "providerTenantSettings",
    "secureScoreControlProfiles",
    "secureScores",
    "securityActions",
    "tiIndicators",
    "userSecurityProfiles",
)
NEWER = ("alerts_v2", "incidents", "subjectRightsRequests")
SETS = (*DOCUMENTED, *NEWER)
OFFICIAL = ("v1.0", "beta")
ROOTS = ("localtest", *OFFICIAL)
# Of the twelve, v1.0 has three left; beta has all.
LASTING = ("alerts", "secureScoreControlProfiles", "secureScores")
SETS_OF = {"localtest": DOCUMENTED, "v1.0": (*LASTING, *NEWER), "beta": SETS}
SERVED = [(root, name) for root in ROOTS for name in SETS_OF[root]]

VENDOR = {"provider": "Lighthouse", "vendor": "Contoso"}

ALERTS: tuple[dict[str, Json], ...] = (
    {
        "id": "malware",
        "title": "Malware on two hosts",
        "severity": "high",
        "confidence": 90,
        "tags": ["red", "blue"],
        "hostStates": [{"fqdn": "web-1", "isAzureAdJoined": True}, {"fqdn": "web-2"}],
        "vendorInformation": {"provider": "Lighthouse", "vendor": "Contoso"},
        "eventDateTime": "2024-03-01T10:00:00Z",
    },
    {
        "id": "phish",
        "title": "Phishing & spoofing",
        "severity": "medium",
        "confidence": 40,
        "tags": ["blue"],
        "vendorInformation": {"provider": "Harbour", "vendor": "Contoso"},
        "eventDateTime": "2024-02-01T10:00:00+03:00",
    },
    {"id": "quiet", "title": "It's nothing", "severity": "low", "category": "a+b", "score": 7},
    {"id": "blank"},
)

COUNT = 7
KEYS = [f"k{number}" for number in range(COUNT)]

on_every_root = pytest.mark.parametrize("root", ROOTS)
# The roots that have all that is documented of localtest.
on_documented_roots = pytest.mark.parametrize("root", ["localtest", "beta"])
on_every_set = pytest.mark.parametrize(("root", "name"), SERVED)


def creatable() -> list[tuple[str, str]]:
    """The sets in which callers may create and delete; of others the service makes them all."""
    return [pair for pair in SERVED if resource_of(*pair).rules.insert.insertable]


def at(root: str, *segments: str) -> str:
    """The URL below a root's singleton; segments are encoded, all but ``$`` and parentheses."""
    singleton = "Security" if root == "localtest" else "security"
    return "/".join(["", root, singleton, *(quote(each, safe="$()'") for each in segments)])


def resource_of(root: str, name: str) -> Resource:
    """The set of a root."""
    found = SERVICE.views[root].resource(f"security/{name}")
    assert found is not None
    return found


def concrete(schema: type[edm.StructuredSchema]) -> type[edm.StructuredSchema]:
    """A schema, or the first that derives from it where its type is abstract."""
    if not schema.is_abstract:
        return schema
    find: Any = schema.schemas  # a method of the schemas of its model
    schemas: Schemas = find.__self__
    heirs = map(schemas.__getitem__, schemas.model.derived(schema.type_name))
    return next(each for each in heirs if not each.is_abstract)


on_every_creatable_set = pytest.mark.parametrize(("root", "name"), creatable())


def create(client: FlaskClient, name: str, /, **properties: Json) -> Json:
    """A new entity, as beta shows it, which has every set; whether or not callers may make it."""
    if resource_of("beta", name).rules.insert.insertable:
        response = client.post(at("beta", name), json=properties)
        assert response.status_code == 201, response.text
        return response.json
    state = client.application.extensions["mockgraph"].default.state
    made = state.create(f"security/{name}", properties)
    response = client.get(at("beta", name, made["id"]))
    assert response.status_code == 200, response.text
    return response.json


def create_at(client: FlaskClient, url: str, resource: Resource, body: Json) -> str:
    """The URL of a new entity of a collection, whether or not callers may make it."""
    if not resource.rules.insert.insertable:
        state = client.application.extensions["mockgraph"].default.state
        owner = "/".join(key for _, key in keyed(url, resource))
        return f"{url}/{state.create(resource.home.path, body, owner)['id']}"
    made = client.post(url, json=body)
    if made.status_code == 202:  # it is under way, and the location is that of an operation
        return f"{url}/{ids(client.get(url))[-1]}"
    assert made.status_code == 201, made.text
    shown = client.get(made.headers["Location"]).json
    assert without_control(shown) == without_control(made.json)
    return str(made.headers["Location"]).removeprefix("http://localhost")


def keyed(url: str, resource: Resource) -> Iterator[tuple[str, str]]:
    """The names and the keys of the entities above a collection, by its URL."""
    segments = iter(url.strip("/").split("/")[1:])
    for each in resource.chain[:-1]:
        next(segments)
        if each.is_collection:
            yield each.name, next(segments)


def refused(response: Any, status: int = 400) -> str:
    """The message of a refusal, once it has the status and Graph's shape."""
    assert response.status_code == status, response.text
    return message_of(status, response.headers, response.data)[1]


def ids(response: Any) -> list[str]:
    """The keys of the entities in a collection."""
    assert response.status_code == 200, response.text
    return [each["id"] for each in response.json["value"]]


def without_control(value: Json) -> Json:
    """A JSON value without any annotation, at any level."""
    if isinstance(value, list):
        return [without_control(each) for each in value]
    if isinstance(value, dict):
        return {name: without_control(each) for name, each in value.items() if "@" not in name}
    return value


def may(method: str, root: str, *segments: str) -> bool:
    """Whether a method is one that an address takes."""
    try:
        resolve(method, at(root, *segments), SERVICE)
    except MethodNotAllowed:
        return False
    return True


# Those that the service does not write alone.
on_every_updatable_set = pytest.mark.parametrize(
    ("root", "name"), [each for each in SERVED if may("PATCH", *each, "x")]
)


def text_property(name: str) -> str:
    """A String that each entity of a set has and that an update may change on every root."""
    return {
        **dict.fromkeys(("alerts", "alerts_v2", "incidents"), "assignedTo"),
        "subjectRightsRequests": "displayName",
    }.get(name, "azureTenantId")


def change(name: str, value: str) -> dict[str, Json]:
    """A body that changes that property, on every root."""
    return {
        text_property(name): value,
        **({"vendorInformation": VENDOR} if name == "alerts" else {}),
    }


def touch(root: str, name: str) -> dict[str, Json]:
    """A body that changes something, whatever the rules of the root for the set."""
    if name == "secureScoreControlProfiles" and root in OFFICIAL:
        return {"controlStateUpdates": [{"comment": "x"}], "vendorInformation": VENDOR}
    return change(name, "x")


def shown(client: FlaskClient, root: str, name: str, /, **properties: Json) -> Json:
    """A new entity, as a root shows it."""
    key = create(client, name, **properties)["id"]
    return client.get(at(root, name, key)).json


def seeded(client: FlaskClient, count: int = COUNT) -> FlaskClient:
    """The client, once its app holds that many alerts, ``k0`` and so on."""
    alerts = [
        {"id": f"k{n}", "title": "even" if n % 2 == 0 else "odd", "confidence": -n}
        for n in range(count)
    ]
    document = {"Security": {"providerStatus": [], "alerts": alerts}}
    assert client.put("/_mockgraph/state", json=document).status_code == 204
    return client


def get(client: FlaskClient, options: str, root: str = "v1.0") -> Any:
    """The list of alerts with options as they stand in the URL."""
    return client.get(f"{at(root, 'alerts')}?{options}")


def ask(client: FlaskClient, root: str = "v1.0", /, **options: str) -> Any:
    return get(client, "&".join(f"${name}={quote(text)}" for name, text in options.items()), root)
