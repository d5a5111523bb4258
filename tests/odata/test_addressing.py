"""From paths to addresses: OData's URL conventions."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockgraph import metadata as edm
from mockgraph.errors import (
    BadRequest,
    MethodNotAllowed,
    NotEmulated,
    UnknownRoot,
    UnknownSegment,
)
from mockgraph.metadata.resources import Service
from mockgraph.odata import addressing
from mockgraph.odata.addressing import resolve
from mockgraph.odata.routes import Route, routes
from mockgraph.service import BEHAVIOURS, SERVICE
from mockgraph.state.intent import Address, RequestKind

RESOLVED: list[tuple[str, str, RequestKind, dict[str, Any]]] = [
    ("GET", "/localtest", RequestKind.SERVICE_DOCUMENT, {}),
    ("GET", "/v1.0/", RequestKind.SERVICE_DOCUMENT, {}),
    ("GET", "/beta/$metadata", RequestKind.METADATA, {}),
    ("POST", "/beta/$batch", RequestKind.BATCH, {}),
    ("POST", "/beta/$BATCH", RequestKind.BATCH, {}),
    ("GET", "/localtest/Security", RequestKind.READ, {}),
    ("HEAD", "/localtest/Security", RequestKind.READ, {}),
    ("OPTIONS", "/localtest/Security", RequestKind.OPTIONS, {}),
    ("PATCH", "/LocalTest/SECURITY/", RequestKind.UPDATE, {}),
    ("GET", "/localtest/Security/id", RequestKind.READ_PROPERTY, {"path": ("id",)}),
    ("GET", "/localtest/Security/ID/$value", RequestKind.READ_VALUE, {"path": ("id",)}),
    (
        "GET",
        "/localtest/Security/providerstatus/$Count",
        RequestKind.COUNT_PROPERTY,
        {"path": ("providerStatus",)},
    ),
    ("GET", "/v1.0/security/alerts", RequestKind.LIST, {"set": "alerts"}),
    ("GET", "/v1.0/security/Alerts_V2", RequestKind.LIST, {"set": "alerts_v2"}),
    ("POST", "/v1.0/security/alerts", RequestKind.CREATE, {"set": "alerts"}),
    ("POST", "/localtest/security/alerts/$ref", RequestKind.CREATE, {"set": "alerts"}),
    ("GET", "/v1.0/security/alerts/$ref", RequestKind.LIST_REFERENCES, {"set": "alerts"}),
    ("GET", "/v1.0/security/alerts/$count", RequestKind.COUNT, {"set": "alerts"}),
    ("GET", "/v1.0/security/alerts/Key", RequestKind.READ, {"set": "alerts", "key": "Key"}),
    ("PATCH", "/v1.0/security/alerts/k", RequestKind.UPDATE, {"set": "alerts", "key": "k"}),
    ("DELETE", "/v1.0/security/alerts/k", RequestKind.DELETE, {"set": "alerts", "key": "k"}),
    ("GET", "/v1.0/security/alerts/k/$ref", RequestKind.READ_REFERENCE, {"key": "k"}),
    ("GET", "/v1.0/security/alerts('k')", RequestKind.READ, {"set": "alerts", "key": "k"}),
    ("GET", "/v1.0/security/alerts(k)", RequestKind.READ, {"key": "k"}),
    ("GET", "/v1.0/security/alerts(id='k')", RequestKind.READ, {"key": "k"}),
    ("GET", "/v1.0/security/alerts( id = 'k' )", RequestKind.READ, {"key": "k"}),
    ("GET", "/v1.0/security/alerts('it''s')", RequestKind.READ, {"key": "it's"}),
    (
        "GET",
        "/v1.0/security/alerts/k/vendorinformation/PROVIDER",
        RequestKind.READ_PROPERTY,
        {"key": "k", "path": ("vendorInformation", "provider")},
    ),
    (
        "GET",
        "/v1.0/security/alerts/k/myOwn/$value",
        RequestKind.READ_VALUE,
        {"key": "k", "path": ("myOwn",)},
    ),
    (
        "POST",
        "/beta/security/alerts/updateAlerts",
        RequestKind.ACT,
        {"set": "alerts", "action": "microsoft.graph.updateAlerts"},
    ),
    (
        "POST",
        "/localtest/security/alerts/Microsoft.Graph.updatealerts",
        RequestKind.ACT,
        {"action": "microsoft.graph.updateAlerts"},
    ),
    (
        "POST",
        "/beta/security/securityActions/k/cancelSecurityAction",
        RequestKind.ACT,
        {"key": "k", "action": "microsoft.graph.cancelSecurityAction"},
    ),
    ("GET", "/v1.0/security/incidents/k/alerts", RequestKind.LIST, {"keys": "k", "set": "alerts"}),
    (
        "GET",
        "/v1.0/security/incidents/k/alerts/$count",
        RequestKind.COUNT,
        {"keys": "k", "set": "alerts"},
    ),
    ("GET", "/v1.0/security/cases", RequestKind.READ, {"set": "cases"}),
    (
        "GET",
        "/v1.0/security/Cases/EdiscoveryCases('c')/custodians/k/userSources(id='u')",
        RequestKind.READ,
        {"set": "userSources", "keys": "c k u"},
    ),
    (
        "PATCH",
        "/v1.0/security/cases/ediscoveryCases/c/custodians/k/siteSources/s/site",
        RequestKind.UPDATE,
        {"set": "site", "keys": "c k s"},
    ),
    (
        "DELETE",
        "/v1.0/security/cases/ediscoveryCases/c/settings",
        RequestKind.DELETE,
        {"set": "settings", "keys": "c"},
    ),
    (
        "GET",
        "/v1.0/security/labels/retentionLabels/r/dispositionReviewStages(stageNumber='1')",
        RequestKind.READ,
        {"keys": "r 1"},
    ),
    (
        "GET",
        "/v1.0/security/threatIntelligence/hosts/h/microsoft.graph.security.ipAddress/countryOrRegion",
        RequestKind.READ_PROPERTY,
        {"cast": "microsoft.graph.security.ipAddress", "path": ("countryOrRegion",)},
    ),
    (
        "GET",
        "/v1.0/security/threatIntelligence/hosts/Microsoft.Graph.Security.Hostname",
        RequestKind.LIST,
        {"cast": "microsoft.graph.security.hostname"},
    ),
    (
        "GET",
        "/v1.0/security/alerts_v2/k/evidence/microsoft.graph.security.userEvidence",
        RequestKind.READ_PROPERTY,
        {"path": ("evidence",), "value_cast": "microsoft.graph.security.userEvidence"},
    ),
    (
        "POST",
        "/v1.0/security/cases/ediscoveryCases/c/tags/t/childTags/$ref",
        RequestKind.ADD_REFERENCE,
        {"set": "childTags", "keys": "c t"},
    ),
    (
        "PUT",
        "/v1.0/security/cases/ediscoveryCases/c/tags/t/parent/$ref",
        RequestKind.SET_REFERENCE,
        {"set": "parent", "keys": "c t"},
    ),
    (
        "DELETE",
        "/v1.0/security/cases/ediscoveryCases/c/tags/t/childTags/u/$ref",
        RequestKind.REMOVE_REFERENCE,
        {"set": "childTags", "keys": "c t u"},
    ),
    (
        "POST",
        "/v1.0/security/cases/ediscoveryCases/c/close",
        RequestKind.ACT,
        {"keys": "c", "action": "microsoft.graph.security.close"},
    ),
    (
        "POST",
        "/v1.0/security/microsoft.graph.security.runHuntingQuery",
        RequestKind.ACT,
        {"action": "microsoft.graph.security.runHuntingQuery"},
    ),
    (
        "GET",
        "/v1.0/security/cases/ediscoveryCases/c/tags/asHierarchy()",
        RequestKind.CALL,
        {"keys": "c", "action": "microsoft.graph.security.asHierarchy"},
    ),
    (
        "POST",
        "/v1.0/security/alerts_v2/k/comments",
        RequestKind.APPEND,
        {"key": "k", "path": ("comments",)},
    ),
]


@pytest.mark.parametrize(("method", "path", "operation", "expected"), RESOLVED)
def test_resolved(method: str, path: str, operation: RequestKind, expected: dict[str, Any]) -> None:
    address = resolve(method, path, SERVICE)
    assert address.kind is operation
    found = {
        "set": address.steps[-1].resource.name if address.steps else None,
        "key": address.key,
        "path": address.path,
        "keys": " ".join(step.key for step in address.steps if step.key),
        "action": address.call and address.call.name,
        "cast": address.cast,
        "value_cast": address.value_cast,
    }
    assert {name: found[name] for name in expected} == expected
    assert address.view.name == path.split("/")[1].lower()


NOWHERE: list[tuple[str, type[BadRequest], str]] = [
    ("/", UnknownRoot, "Invalid version: "),
    ("//", UnknownRoot, "Invalid version: "),
    ("/v2.0", UnknownRoot, "Invalid version: v2.0"),
    ("/localtest/$nothing", UnknownSegment, "'$nothing'"),
    ("/localtest/$metadata/more", UnknownSegment, "'more'"),
    ("/localtest/Security/$count", UnknownSegment, "'$count'"),
    ("/localtest/Security/alerts_v2", UnknownSegment, "'alerts_v2'. It is served under v1.0 and"),
    ("/v1.0/security/cases/ediscoveryCases/c/nothing", UnknownSegment, "'nothing'"),
    ("/v1.0/security/cases('c')", UnknownSegment, "'cases('c')'"),
    ("/v1.0/security/cases/$count", UnknownSegment, "'$count'"),
    (
        "/v1.0/security/threatIntelligence/hosts/h/microsoft.graph.security.article",
        BadRequest,
        "'microsoft.graph.security.article' does not derive from 'microsoft.graph.security.host'",
    ),
    (
        "/v1.0/security/alerts_v2/k/evidence/microsoft.graph.security.alertComment",
        BadRequest,
        "'microsoft.graph.security.alertComment' does not derive from",
    ),
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
    (
        "/v1.0/security/cases/ediscoveryCases/c/tags/t" + "/parent" * 1_000,
        BadRequest,
        "Too many segments",
    ),
]


@pytest.mark.parametrize(("path", "error", "says"), NOWHERE)
def test_nowhere(path: str, error: type[BadRequest], says: str) -> None:
    with pytest.raises(error) as raised:
        resolve("GET", path, SERVICE)
    assert says in raised.value.message


LISTED: list[Route] = list(routes(SERVICE, BEHAVIOURS))


def fill(template: str) -> str:
    """A template of ``routes`` with keys, arguments, and a property that is there."""
    path = re.sub(r"\{(?!property)\w+\}", "key", template)
    above, found, below = path.partition("/{property}")
    if not found:
        return path
    properties = resolve("GET", above, SERVICE).type.properties()
    name = next(name for name, each in properties.items() if not isinstance(each, edm.Collection))
    return f"{above}/{name}{below}"


@pytest.mark.parametrize("root", SERVICE.views)
def test_every_operation_that_is_listed_is_served(root: str) -> None:
    listed = [each for each in LISTED if each.template.startswith(f"/{root}")]
    assert len(listed) > 100
    for method, template, *_ in listed:
        path = fill(template)
        address = resolve(method, path, SERVICE)
        assert method in address.allowed, template
        with pytest.raises(MethodNotAllowed) as raised:
            resolve("BREW", path, SERVICE)
        assert raised.value.headers == (("Allow", ", ".join(address.allowed)),)


KEYED = [each for each in LISTED if each.template.endswith("/{id}")]
TEXTS = st.one_of(
    st.uuids().map(str),
    st.from_regex(r"[A-Za-z0-9_-]{1,8}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9_.$()'@ -]{0,8}", fullmatch=True),
)


def led_to(resolved: Callable[[str, str, Service], Address], method: str, path: str) -> Any:
    try:
        address = resolved(method, path, SERVICE)
    except (BadRequest, MethodNotAllowed, NotEmulated) as error:
        return type(error), error.message, error.headers
    return [getattr(address, name) for name in Address.__slots__ if name != "pattern"]


@given(st.sampled_from(KEYED), TEXTS, st.sampled_from(["", "/", "/id", "/$ref"]))
def test_addresses_of_one_pattern_are_those_of_their_paths(
    listed: Route, text: str, rest: str
) -> None:
    above = fill(listed.template).rpartition("/")[0]
    afresh = resolve.__wrapped__
    first, second = (afresh(listed.method, f"{above}/{key}", SERVICE) for key in ("k1", "k2"))
    assert second.pattern is (first.pattern or first)
    path = f"{above}/{text}{rest}"
    assert led_to(afresh, listed.method, path) == led_to(addressing._walked, listed.method, path)


def test_patterns_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addressing, "_MOST_PATTERNS", 2)
    cases = "/v1.0/security/cases/ediscoveryCases"
    for key in ("a", "b", "c", "x" * 2000):
        resolve.__wrapped__("GET", f"{cases}/{key}/custodians/k", SERVICE)
        assert len(addressing._PATTERNS) <= 2
    assert max(len(above) for _, above, _ in addressing._PATTERNS) < 100


def test_an_operation_of_a_collection_is_no_key_in_it() -> None:
    afresh, sets = resolve.__wrapped__, {fill(each.template).rpartition("/")[0] for each in KEYED}
    found = 0
    for listed in LISTED:
        above, _, name = fill(listed.template).rpartition("/")
        if above not in sets:
            continue
        for method in ("GET", "PATCH", "DELETE"):
            led_to(afresh, method, f"{above}/k1")
        for method in ("GET", "PATCH", "POST", "DELETE"):
            for text in {name, name.rpartition(".")[2], name.upper()}:
                path = f"{above}/{text}"
                led = led_to(addressing._walked, method, path)
                assert led_to(afresh, method, path) == led
                found += "key" not in name
    assert found


def test_no_operation_is_listed_twice() -> None:
    listed = {(each.method, each.template) for each in LISTED}
    assert len(listed) == len(LISTED)
    assert {("PATCH", "/localtest/Security"), ("GET", "/beta/security/alerts/{id}")} <= listed
    custodians = "/v1.0/security/cases/ediscoveryCases/{id}/custodians"
    assert {("POST", custodians), ("DELETE", f"{custodians}/{{id}}")} <= listed


def test_what_cannot_be_counted_has_no_count() -> None:
    counts = {each.template for each in LISTED if each.template.endswith("/$count")}
    intelligence = "/v1.0/security/threatIntelligence"
    assert f"{intelligence}/articles/$count" in counts
    assert f"{intelligence}/hosts/$count" not in counts
    with pytest.raises(MethodNotAllowed) as raised:
        resolve("GET", f"{intelligence}/hosts/$count", SERVICE)
    assert raised.value.headers == (("Allow", "OPTIONS"),)


def test_what_nobody_says_the_effect_of_is_marked() -> None:
    close = "microsoft.graph.security.close"
    said = BEHAVIOURS.keys() - {close}
    listed = routes(SERVICE, said)
    emulated = {each.template: each.emulated for each in listed if each.method == "POST"}
    assert emulated["/beta/security/alerts/updateAlerts"]
    assert not emulated[f"/v1.0/security/cases/ediscoveryCases/{{id}}/{close}"]


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
