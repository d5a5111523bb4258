"""Properties as paths: values, raw values, counts, and the keys on the way there."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from . import OFFICIAL, ROOTS, at, create, ids, on_every_root, refused, without_control

Json = Any

ALERT: dict[str, Json] = {
    "id": "one",
    "title": "Größe & Co",
    "confidence": 7,
    "eventDateTime": "2024-01-01T03:00:00.5+03:00",
    "severity": "high",
    "tags": ["a", "b"],
    "vendorInformation": {"provider": "Lighthouse"},
    "hostStates": [{"fqdn": "web"}, {}],
    "aNumber": 1.5,
    "anObject": {"inner": [1, 2]},
    "aList": [1, "x"],
    "aFlag": True,
}


@pytest.fixture
def alert(graph: FlaskClient) -> FlaskClient:
    create(graph, "alerts", **ALERT)
    return graph


PRIMITIVE = [
    (("title",), "Größe & Co", "Größe & Co"),
    (("confidence",), 7, "7"),
    (("eventDateTime",), "2024-01-01T00:00:00.5Z", "2024-01-01T00:00:00.5Z"),
    (("severity",), "high", "high"),
    (("id",), "one", "one"),
    (("vendorInformation", "provider"), "Lighthouse", "Lighthouse"),
    (("aNumber",), 1.5, "1.5"),
    (("aFlag",), True, "true"),
]


@pytest.mark.parametrize(("path", "value", "raw"), PRIMITIVE)
@on_every_root
def test_a_primitive_property(
    alert: FlaskClient, root: str, path: tuple[str, ...], value: Json, raw: str
) -> None:
    singleton = at(root).rpartition("/")[2]
    response = alert.get(at(root, "alerts", "one", *path))
    assert response.status_code == 200
    context = f"http://localhost/{root}/$metadata#{singleton}/alerts('one')/{'/'.join(path)}"
    assert response.json == {"@odata.context": context, "value": value}
    got = alert.get(at(root, "alerts", "one", *path, "$value"))
    assert (got.status_code, got.text) == (200, raw)
    assert got.mimetype == "text/plain"


@on_every_root
def test_a_complex_property(alert: FlaskClient, root: str) -> None:
    body = alert.get(at(root, "alerts", "one", "vendorInformation")).get_json()
    assert without_control(body) == {
        "provider": "Lighthouse",
        "providerVersion": None,
        "subProvider": None,
        "vendor": None,
    }
    assert body["@odata.context"].endswith("/alerts('one')/vendorInformation")
    if root == "localtest":
        assert body["@odata.type"] == "microsoft.graph.securityVendorInformation"
    else:
        assert "@odata.type" not in body


COLLECTIONS = [("tags", ["a", "b"]), ("aList", [1, "x"]), ("comments", [])]


@pytest.mark.parametrize(("name", "value"), COLLECTIONS)
@on_every_root
def test_a_collection_property(alert: FlaskClient, root: str, name: str, value: Json) -> None:
    assert alert.get(at(root, "alerts", "one", name)).get_json()["value"] == value
    counted = alert.get(at(root, "alerts", "one", name, "$count"))
    assert (counted.status_code, counted.text, counted.mimetype) == (
        200,
        str(len(value)),
        "text/plain",
    )


@on_every_root
def test_a_collection_of_complex_values(alert: FlaskClient, root: str) -> None:
    web, blank = alert.get(at(root, "alerts", "one", "hostStates")).get_json()["value"]
    assert (web["fqdn"], blank["fqdn"]) == ("web", None)
    assert ("@odata.type" in web) == (root == "localtest")
    assert alert.get(at(root, "alerts", "one", "hostStates", "$count")).text == "2"


@on_every_root
def test_the_singletons_properties(graph: FlaskClient, root: str) -> None:
    graph.patch(at(root), json={"providerStatus": [{"provider": "p"}]})
    singleton = at(root).rpartition("/")[2]
    body = graph.get(at(root, "providerStatus")).get_json()
    assert body["@odata.context"].endswith(f"$metadata#{singleton}/providerStatus")
    assert body["value"][0]["provider"] == "p"
    assert graph.get(at(root, "providerStatus", "$count")).text == "1"
    assert graph.get(at(root, "id", "$value")).text == graph.get(at(root)).get_json()["id"]


@pytest.mark.parametrize(
    "path",
    [("category",), ("feedback",), ("closedDateTime",), ("vendorInformation", "vendor")],
)
@on_every_root
def test_null_is_no_content(alert: FlaskClient, root: str, path: tuple[str, ...]) -> None:
    for segments in (path, (*path, "$value")):
        response = alert.get(at(root, "alerts", "one", *segments))
        assert (response.status_code, response.data) == (204, b"")


def test_below_a_null_is_null_too(graph: FlaskClient) -> None:
    create(graph, "alerts", id="bare")
    url = at("v1.0", "alerts", "bare", "vendorInformation")
    assert graph.get(url).status_code == 204
    assert graph.get(f"{url}/provider").status_code == 204


@pytest.mark.parametrize(
    "path",
    [("nope", "$value"), ("nope",), ("nope", "$count"), ("anObject", "$count")],
)
def test_a_dynamic_property_that_is_not_there(alert: FlaskClient, path: tuple[str, ...]) -> None:
    refused(alert.get(at("v1.0", "alerts", "one", *path)), 404)


@pytest.mark.parametrize(
    ("path", "segment"),
    [
        (("title", "x"), "x"),
        (("title", "$count"), "$count"),
        (("title", "$ref"), "$ref"),
        (("title", "$value", "$value"), "$value"),
        (("tags", "$value"), "$value"),
        (("tags", "0"), "0"),
        (("hostStates", "$value"), "$value"),
        (("hostStates", "fqdn"), "fqdn"),
        (("vendorInformation", "nope"), "nope"),
        (("vendorInformation", "$count"), "$count"),
        (("$value",), "$value"),
        (("$count",), "$count"),
        (("$nope",), "$nope"),
        (("no pe",), "no pe"),
        (("", "title"), ""),
        (("title", "", "$value"), ""),
    ],
)
@on_every_root
def test_paths_that_lead_nowhere(
    alert: FlaskClient, root: str, path: tuple[str, ...], segment: str
) -> None:
    message = refused(alert.get(at(root, "alerts", "one", *path)))
    assert message == f"Resource not found for the segment '{segment}'."


def test_a_closed_type_has_no_other_property(graph: FlaskClient) -> None:
    create(graph, "providerTenantSettings", id="one")
    assert "nope" in refused(graph.get(at("beta", "providerTenantSettings", "one", "nope")))
    assert "nope" in refused(graph.get(at("v1.0", "nope")))


@on_every_root
def test_an_entity_that_is_not_there(graph: FlaskClient, root: str) -> None:
    for path in (("title",), ("title", "$value"), ("tags", "$count"), ("vendorInformation",)):
        assert "'gone'" in refused(graph.get(at(root, "alerts", "gone", *path)), 404)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@on_every_root
def test_properties_are_read_only(alert: FlaskClient, root: str, method: str) -> None:
    for path in (("title",), ("title", "$value"), ("tags",), ("tags", "$count"), ("comments",)):
        response = alert.open(at(root, "alerts", "one", *path), method=method, json={})
        refused(response, 405)
        assert response.headers["Allow"] == "GET, HEAD, OPTIONS"


# -- keys and letter case -----------------------------------------------------------------

KEYS = ["one", "O'Hara", "a b", "a%20b", "x(y)z", "(", "größe", "a=b&c", "it''s", "'", "id='x'"]


@pytest.mark.parametrize("key", KEYS)
@on_every_root
def test_keys_in_parentheses(graph: FlaskClient, root: str, key: str) -> None:
    create(graph, "alerts", id=key, title="found")
    literal = "'" + key.replace("'", "''") + "'"
    for segment in (f"alerts({literal})", f"alerts(id={literal})", f"ALERTS( {literal} )"):
        assert graph.get(at(root, segment.replace("%", "%"))).get_json()["id"] == key
        assert graph.get(at(root, segment, "title", "$value")).text == "found"
    assert graph.delete(at(root, f"alerts({literal})")).status_code == 204
    assert ids(graph.get(at(root, "alerts"))) == []


@pytest.mark.parametrize(
    "segment", ["alerts()", "alerts('')", "alerts(id=)", "alerts('x'", "alerts)"]
)
@on_every_root
def test_keys_that_are_none(alert: FlaskClient, root: str, segment: str) -> None:
    refused(alert.get(at(root, segment)))


def test_a_key_in_parentheses_of_nothing(alert: FlaskClient) -> None:
    refused(alert.get(at("v1.0", "alerts('nope')")), 404)


@pytest.mark.parametrize(
    "path",
    [
        "/{root}/SECURITY/ALERTS/one/TITLE/$VALUE",
        "/{root}/Security/alerts/one/Title/%24value",
        "/{root}/security/Alerts('one')/tITLE/$value/",
        "/{root}/security/alerts/%6Fne/title/$value",
    ],
)
@on_every_root
def test_segments_in_any_letter_case(alert: FlaskClient, root: str, path: str) -> None:
    for spelt in {root, root.upper()}:
        assert alert.get(path.format(root=spelt)).text == "Größe & Co"


@pytest.mark.parametrize("root", OFFICIAL)
def test_the_property_of_an_incident(graph: FlaskClient, root: str) -> None:
    create(graph, "incidents", id="i", displayName="storm")
    assert graph.get(at(root, "incidents", "i", "displayname", "$value")).text == "storm"
    assert graph.get(at(root, "incidents", "i", "comments")).get_json()["value"] == []


def test_every_root_gives_the_same_values(alert: FlaskClient) -> None:
    for name in ALERT:
        shown = [without_control(alert.get(at(root, "alerts", "one", name)).json) for root in ROOTS]
        assert shown == shown[:1] * 3
