"""Levels of control information: odata.metadata=none, minimal and full."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from . import (
    OFFICIAL,
    ROOTS,
    at,
    create,
    on_documented_roots,
    on_every_root,
    on_every_set,
    without_control,
)

Json = Any

EVIDENCE = {"@odata.type": "#microsoft.graph.security.deviceEvidence", "deviceDnsName": "web-1"}


def annotations_of(value: Json) -> Iterator[str]:
    """The names of all annotations, at any level."""
    if isinstance(value, dict):
        for name, each in value.items():
            if "@" in name:
                yield name
            yield from annotations_of(each)
    elif isinstance(value, list):
        for each in value:
            yield from annotations_of(each)


def by_accept(url: str, level: str) -> dict[str, Any]:
    return {"path": url, "headers": {"Accept": f"application/json;odata.metadata={level}"}}


def by_short_accept(url: str, level: str) -> dict[str, Any]:
    return {"path": url, "headers": {"Accept": f"text/plain, application/json; metadata={level}"}}


def by_format(url: str, level: str) -> dict[str, Any]:
    value = quote(f"application/json;odata.metadata={level}")
    return {"path": f"{url}{'&' if '?' in url else '?'}$format={value}"}


def by_format_rather_than_accept(url: str, level: str) -> dict[str, Any]:
    other = "none" if level == "full" else "full"
    return {**by_accept(url, other), **by_format(url, level)}


ways = pytest.mark.parametrize(
    "way", [by_accept, by_short_accept, by_format, by_format_rather_than_accept]
)


@pytest.fixture
def alert(graph: FlaskClient) -> FlaskClient:
    create(
        graph,
        "alerts",
        id="a",
        title="t",
        vendorInformation={"provider": "p"},
        hostStates=[{"fqdn": "web"}],
        anObject={"x": 1},
    )
    create(graph, "alerts", id="b")
    return graph


@ways
@on_every_root
def test_the_level_is_named_in_the_answer(alert: FlaskClient, root: str, way: Any) -> None:
    for level in ("none", "minimal", "full"):
        response = alert.get(**way(at(root, "alerts", "a"), level))
        assert response.headers["Content-Type"] == (
            f"application/json;odata.metadata={level};odata.streaming=true;"
            "IEEE754Compatible=false;charset=utf-8"
        )


@ways
@on_every_root
def test_none(alert: FlaskClient, root: str, way: Any) -> None:
    for url in (at(root), at(root, "alerts", "a"), at(root, "alerts", "a", "hostStates")):
        body = alert.get(**way(url, "none")).json
        assert list(annotations_of(body)) == []
        assert body == without_control(alert.get(url).json)
    listed = alert.get(**way(f"{at(root, 'alerts')}?$count=true&$top=1", "none")).json
    assert sorted(annotations_of(listed)) == ["@odata.count", "@odata.nextLink"]


@on_every_root
def test_none_within_what_is_expanded(alert: FlaskClient, root: str) -> None:
    body = alert.get(**by_accept(f"{at(root)}?$expand=alerts($count=true)", "none")).get_json()
    assert list(annotations_of(body)) == ["alerts@odata.count"]
    assert len(body["alerts"]) == 2


@on_every_set
def test_minimal_names_no_type_that_is_known(graph: FlaskClient, root: str, name: str) -> None:
    create(graph, name, id="a")
    body = graph.get(at(root, name, "a")).get_json()
    assert list(body)[:2] == ["@odata.context", "@odata.etag"]
    found = set(annotations_of(body)) - {"@odata.context", "@odata.etag"}
    assert found == ({"@odata.type"} if root == "localtest" else set())


def test_the_documented_root_names_types_at_each_level(alert: FlaskClient) -> None:
    body = alert.get(at("localtest", "alerts", "a")).get_json()
    assert body["@odata.type"] == "#microsoft.graph.alert"
    assert body["hostStates"][0]["@odata.type"] == "microsoft.graph.hostSecurityState"
    vendor = body["vendorInformation"]
    assert vendor["@odata.type"] == "microsoft.graph.securityVendorInformation"
    assert body["anObject"] == {"x": 1}


@ways
@on_every_root
def test_full(alert: FlaskClient, root: str, way: Any) -> None:
    url = at(root, "alerts", "a")
    body = alert.get(**way(url, "full")).get_json()
    assert without_control(body) == without_control(alert.get(url).json)
    assert body["@odata.id"] == body["@odata.editLink"] == f"http://localhost{url}"
    assert body["@odata.type"] == "#microsoft.graph.alert"
    assert body["eventDateTime@odata.type"] == "#DateTimeOffset"
    assert body["confidence@odata.type"] == "#Int32"
    assert body["severity@odata.type"] == "#microsoft.graph.alertSeverity"
    assert body["tags@odata.type"] == "#Collection(String)"
    assert body["hostStates@odata.type"] == "#Collection(microsoft.graph.hostSecurityState)"
    assert body["hostStates"][0]["@odata.type"] == "#microsoft.graph.hostSecurityState"
    assert "title@odata.type" not in body
    listed = alert.get(**way(at(root, "alerts"), "full")).get_json()["value"]
    assert listed[0] == {name: each for name, each in body.items() if name != "@odata.context"}


@ways
@on_documented_roots
def test_full_types_of_numbers(graph: FlaskClient, root: str, way: Any) -> None:
    create(graph, "tiIndicators", id="a", fileSize=5, isActive=True)
    body = graph.get(**way(at(root, "tiIndicators", "a"), "full")).get_json()
    assert body["fileSize@odata.type"] == "#Int64"
    assert "isActive@odata.type" not in body


@pytest.mark.parametrize("root", OFFICIAL)
def test_a_derived_type_is_named_but_at_the_level_none(graph: FlaskClient, root: str) -> None:
    create(graph, "alerts_v2", id="a", evidence=[EVIDENCE, {}])
    url = at(root, "alerts_v2", "a")
    derived, base = graph.get(url).get_json()["evidence"]
    assert derived["@odata.type"] == EVIDENCE["@odata.type"]
    assert "@odata.type" not in base
    derived, base = graph.get(**by_accept(url, "full")).get_json()["evidence"]
    assert derived["@odata.type"] == EVIDENCE["@odata.type"]
    assert base["@odata.type"] == "#microsoft.graph.security.alertEvidence"
    assert list(annotations_of(graph.get(**by_accept(url, "none")).json)) == []


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/xml", "", "text/html"])
def test_whatever_is_accepted_the_answer_is_json(alert: FlaskClient, accept: str) -> None:
    response = alert.get(at("v1.0", "alerts"), headers={"Accept": accept})
    assert response.status_code == 200
    assert response.mimetype == "application/json"
    assert "@odata.context" in response.get_json()


@ways
@on_documented_roots
def test_answers_to_writes_have_the_level_too(graph: FlaskClient, root: str, way: Any) -> None:
    request = way(at(root, "fileSecurityProfiles"), "none")
    made = graph.post(**request, json={"id": "a"})
    assert list(annotations_of(made.json)) == []
    assert made.headers["ETag"]
    request = way(at(root, "fileSecurityProfiles", "a"), "none")
    assert list(annotations_of(graph.patch(**request, json={"size": 1}).json)) == []
    acted = way(at(root, "tiIndicators", "submitTiIndicators"), "none")
    assert list(annotations_of(graph.post(**acted, json={"value": [{}]}).json)) == []


def test_the_service_document(graph: FlaskClient) -> None:
    for root in ROOTS:
        name = at(root).rpartition("/")[2]
        for path in (f"/{root}", f"/{root}/"):
            assert graph.get(path).json == {
                "@odata.context": f"http://localhost/{root}/$metadata",
                "value": [{"name": name, "kind": "Singleton", "url": name}],
            }
