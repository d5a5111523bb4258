"""Dynamic properties of open types: their types, their paths, and what other roots say of them."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from . import at, refused
from .museum import WORK, changed, museum, read, shared_museum

__all__ = ["museum", "shared_museum"]


def test_paths_lead_into_dynamic_values(museum: FlaskClient) -> None:
    changed(museum, WORK, {"extra": {"a": {"b": [1, 2]}}, "more": {"x": "y"}})
    assert read(museum, f"{WORK}/extra/a/b")["value"] == [1, 2]
    assert read(museum, f"{WORK}/more/x")["value"] == "y"
    assert museum.get(f"{WORK}/extra/a/b/$count").text == "2"
    assert museum.get(f"{WORK}/more/x/$value").text == "y"
    refused(museum.get(f"{WORK}/extra/a/c"), 404)
    refused(museum.get(f"{WORK}/title/a"))
    found = read(museum, "/v1.0/works?$filter=extra/a/b/any(x: x eq 2)&$select=extra/a")
    assert found["value"][0]["extra"] == {"a": {"b": [1, 2]}}


def test_the_type_of_a_dynamic_value_is_kept_with_it(museum: FlaskClient) -> None:
    since = {"since@odata.type": "#DateTimeOffset", "since": "2024-01-01T03:00:00+03:00"}
    after = changed(museum, WORK, since)
    expected = {"since@odata.type": "#DateTimeOffset", "since": "2024-01-01T00:00:00Z"}
    assert {name: after[name] for name in expected} == expected
    assert read(museum, f"{WORK}?$select=since").items() >= expected.items()
    document = read(museum, "/_mockgraph/state")
    assert document["works"][0].items() >= expected.items()
    assert museum.put("/_mockgraph/state", json=document).status_code == 204
    assert read(museum, WORK).items() >= expected.items()
    bare = museum.get(WORK, headers={"Accept": "application/json;odata.metadata=none"}).get_json()
    assert bare["since"] == "2024-01-01T00:00:00Z"
    assert "since@odata.type" not in bare
    # A new value is of a new type.
    assert "since@odata.type" not in changed(museum, WORK, {"since": "soon"})


@pytest.mark.parametrize(
    ("type_name", "value", "path"),
    [
        ("#Guid", "x", "since"),
        ("#Int64", 2**63, "since"),
        ("Edm.Int64", "7", "since"),
        ("#Collection(Int32)", [1, "x"], "since/1"),
        ("#museum.Mark", {"number": "x"}, "since/number"),
        ("#Nothing", 1, "since@odata.type"),
        (7, 1, "since@odata.type"),
    ],
)
def test_a_dynamic_value_is_of_its_type(
    museum: FlaskClient, type_name: Any, value: Any, path: str
) -> None:
    message = refused(museum.patch(WORK, json={"since@odata.type": type_name, "since": value}))
    assert message.startswith(f"{path}: ")
    assert "since" not in read(museum, WORK)


def test_what_is_dynamic_here_fits_what_another_root_declares(graph: FlaskClient) -> None:
    # Declared in v1.0 alone; alerts of localtest are open.
    declared = graph.get("/v1.0/$metadata").text
    assert 'Name="alertDetections"' in declared
    alerts = at("localtest", "alerts")
    assert refused(graph.post(alerts, json={"alertDetections": 7})).startswith("alertDetections: ")
    assert refused(graph.post(alerts, json={"alertDetections": None})).startswith(
        "alertDetections: "
    )
    made = graph.post(alerts, json={"id": "a", "alertDetections": [{"name": "n"}]})
    assert made.status_code == 201
    shown = graph.get(at("v1.0", "alerts", "a")).get_json()
    assert shown["alertDetections"][0]["name"] == "n"
    refused(graph.patch(f"{alerts}/a", json={"alertDetections": [{"name": 7}]}))


def test_a_new_value_may_be_what_members_that_came_later_are_shown_as(museum: FlaskClient) -> None:
    shown = {"side": "unknownFutureValue"}
    assert changed(museum, WORK, shown).items() >= shown.items()
    assert read(museum, WORK).items() >= shown.items()
