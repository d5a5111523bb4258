"""From paths to addresses: OData's URL conventions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockgraph.errors import BadRequest, MethodNotAllowed, UnknownRoot, UnknownSegment
from mockgraph.odata.addressing import operations, resolve
from mockgraph.service import SERVICE
from mockgraph.state.intent import Operation

RESOLVED: list[tuple[str, str, Operation, dict[str, Any]]] = [
    ("GET", "/localtest", Operation.SERVICE_DOCUMENT, {}),
    ("GET", "/v1.0/", Operation.SERVICE_DOCUMENT, {}),
    ("GET", "/beta/$metadata", Operation.METADATA, {}),
    ("POST", "/beta/$batch", Operation.BATCH, {}),
    ("POST", "/beta/$BATCH", Operation.BATCH, {}),
    ("GET", "/localtest/Security", Operation.READ, {}),
    ("HEAD", "/localtest/Security", Operation.READ, {}),
    ("OPTIONS", "/localtest/Security", Operation.OPTIONS, {}),
    ("PATCH", "/LocalTest/SECURITY/", Operation.UPDATE, {}),
    ("GET", "/localtest/Security/id", Operation.READ_PROPERTY, {"path": ("id",)}),
    ("GET", "/localtest/Security/ID/$value", Operation.READ_VALUE, {"path": ("id",)}),
    (
        "GET",
        "/localtest/Security/providerstatus/$Count",
        Operation.COUNT_PROPERTY,
        {"path": ("providerStatus",)},
    ),
    ("GET", "/v1.0/security/alerts", Operation.LIST, {"set": "alerts"}),
    ("GET", "/v1.0/security/Alerts_V2", Operation.LIST, {"set": "alerts_v2"}),
    ("POST", "/v1.0/security/alerts", Operation.CREATE, {"set": "alerts"}),
    ("POST", "/localtest/security/alerts/$ref", Operation.CREATE, {"set": "alerts"}),
    ("GET", "/v1.0/security/alerts/$ref", Operation.LIST_REFERENCES, {"set": "alerts"}),
    ("GET", "/v1.0/security/alerts/$count", Operation.COUNT, {"set": "alerts"}),
    ("GET", "/v1.0/security/alerts/Key", Operation.READ, {"set": "alerts", "key": "Key"}),
    ("PATCH", "/v1.0/security/alerts/k", Operation.UPDATE, {"set": "alerts", "key": "k"}),
    ("DELETE", "/v1.0/security/alerts/k", Operation.DELETE, {"set": "alerts", "key": "k"}),
    ("GET", "/v1.0/security/alerts/k/$ref", Operation.READ_REFERENCE, {"key": "k"}),
    ("GET", "/v1.0/security/alerts('k')", Operation.READ, {"set": "alerts", "key": "k"}),
    ("GET", "/v1.0/security/alerts(k)", Operation.READ, {"key": "k"}),
    ("GET", "/v1.0/security/alerts(id='k')", Operation.READ, {"key": "k"}),
    ("GET", "/v1.0/security/alerts( id = 'k' )", Operation.READ, {"key": "k"}),
    ("GET", "/v1.0/security/alerts('it''s')", Operation.READ, {"key": "it's"}),
    (
        "GET",
        "/v1.0/security/alerts/k/vendorinformation/PROVIDER",
        Operation.READ_PROPERTY,
        {"key": "k", "path": ("vendorInformation", "provider")},
    ),
    (
        "GET",
        "/v1.0/security/alerts/k/myOwn/$value",
        Operation.READ_VALUE,
        {"key": "k", "path": ("myOwn",)},
    ),
    (
        "POST",
        "/v1.0/security/alerts/updateAlerts",
        Operation.ACT,
        {"set": "alerts", "action": "updateAlerts"},
    ),
    (
        "POST",
        "/v1.0/security/alerts/Microsoft.Graph.updatealerts",
        Operation.ACT,
        {"action": "updateAlerts"},
    ),
    (
        "POST",
        "/v1.0/security/securityActions/k/cancelSecurityAction",
        Operation.ACT,
        {"key": "k", "action": "cancelSecurityAction"},
    ),
    ("GET", "/v1.0/security/incidents/k/alerts", Operation.LIST, {"key": "k", "within": "alerts"}),
    (
        "GET",
        "/v1.0/security/incidents/k/alerts/$count",
        Operation.COUNT,
        {"key": "k", "within": "alerts"},
    ),
    (
        "POST",
        "/v1.0/security/alerts_v2/k/comments",
        Operation.APPEND,
        {"key": "k", "path": ("comments",)},
    ),
]


@pytest.mark.parametrize(("method", "path", "operation", "expected"), RESOLVED)
def test_resolved(method: str, path: str, operation: Operation, expected: dict[str, Any]) -> None:
    address = resolve(method, path, SERVICE)
    assert address.operation is operation
    found = {
        "set": address.resource.name,
        "key": address.key,
        "path": address.path,
        "action": address.action and address.action.name,
        "within": address.within and address.within.name,
    }
    assert {name: found[name] for name in expected} == expected
    assert address.root.name == path.split("/")[1].lower()


NOWHERE: list[tuple[str, type[BadRequest], str]] = [
    ("/", UnknownRoot, "Invalid version: "),
    ("//", UnknownRoot, "Invalid version: "),
    ("/v2.0", UnknownRoot, "Invalid version: v2.0"),
    ("/localtest/$nothing", UnknownSegment, "'$nothing'"),
    ("/localtest/$metadata/more", UnknownSegment, "'more'"),
    ("/localtest/Security/$count", UnknownSegment, "'$count'"),
    ("/localtest/Security/alerts_v2", UnknownSegment, "'alerts_v2'"),
    ("/localtest/Security/alerts/$count/more", UnknownSegment, "'more'"),
    ("/localtest/Security/alerts/$nothing", UnknownSegment, "'$nothing'"),
    ("/localtest/Security/alerts//title", UnknownSegment, "''"),
    ("/localtest/Security/alerts()", UnknownSegment, "'alerts()'"),
    ("/localtest/Security/alerts('k'", UnknownSegment, "alerts('k'"),
    ("/localtest/Security/alerts/k/title/more", UnknownSegment, "'more'"),
    ("/localtest/Security/alerts/k/title/$count", UnknownSegment, "'$count'"),
    ("/localtest/Security/alerts/k/tags/$value", UnknownSegment, "'$value'"),
    ("/localtest/Security/alerts/k/no name", UnknownSegment, "'no name'"),
    ("/localtest/Security/alerts/updateAlerts/more", UnknownSegment, "'more'"),
    ("/localtest/Security/alerts('')", UnknownSegment, "'alerts('')'"),
    ("/localtest/Security/alerts('a'b')", UnknownSegment, "'alerts('a'b')'"),
]


@pytest.mark.parametrize(("path", "error", "says"), NOWHERE)
def test_nowhere(path: str, error: type[BadRequest], says: str) -> None:
    with pytest.raises(error) as raised:
        resolve("GET", path, SERVICE)
    assert says in raised.value.message


def fill(template: str) -> str:
    """A template of ``operations`` with a key and a property that has what is asked for."""
    name = "tags" if template.endswith("/$count") else "id"
    return template.replace("{id}", "key").replace("{property}", name)


@pytest.mark.parametrize(("method", "template"), list(operations(SERVICE)))
def test_every_operation_that_is_listed_is_served(method: str, template: str) -> None:
    path = fill(template)
    address = resolve(method, path, SERVICE)
    assert method in address.allowed
    with pytest.raises(MethodNotAllowed) as raised:
        resolve("BREW", path, SERVICE)
    assert raised.value.headers == (("Allow", ", ".join(address.allowed)),)


def test_no_operation_is_listed_twice() -> None:
    listed = list(operations(SERVICE))
    assert len(listed) == len(set(listed))
    assert {("PATCH", "/localtest/Security"), ("GET", "/beta/security/alerts/{id}")} <= set(listed)


@given(st.text(st.characters(codec="utf-8"), max_size=40), st.sampled_from(["GET", "POST", "X"]))
def test_any_path_is_resolved_or_refused(rest: str, method: str) -> None:
    for path in (f"/{rest}", f"/localtest/Security/{rest}", f"/v1.0/security/alerts/{rest}"):
        try:
            address = resolve(method, path, SERVICE)
        except (BadRequest, MethodNotAllowed):
            continue
        assert method in address.allowed


def test_long_paths_are_quick_to_refuse() -> None:
    for path in ("/localtest" * 20_000, f"/localtest/Security/alerts({' ' * 100_000}"):
        with pytest.raises(BadRequest):
            resolve("GET", path, SERVICE)
