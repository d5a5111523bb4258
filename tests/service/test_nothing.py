"""Null: what it does to a relation, and what there is in its place where it will not do."""

from __future__ import annotations

from flask.testing import FlaskClient

from . import refused
from .museum import GUID, WORK, changed, museum, read, shared_museum

__all__ = ["museum", "shared_museum"]


def test_a_null_removes_what_is_contained(museum: FlaskClient) -> None:
    changed(museum, WORK, {"label": {"text": "oil"}})
    changed(museum, WORK, {"label": None})
    refused(museum.get(f"{WORK}/label"), 404)
    changed(museum, WORK, {"label": None})
    changed(museum, WORK, {"label": {"text": "again"}})
    assert read(museum, f"{WORK}/label")["text"] == "again"


def test_a_null_removes_a_reference(museum: FlaskClient) -> None:
    changed(museum, WORK, {"room@odata.bind": "rooms(floor=1,name='a%2Fb')"})
    changed(museum, WORK, {"room": None})
    refused(museum.get(f"{WORK}/room"), 404)
    assert refused(museum.patch(WORK, json={"kin": None})).startswith("kin: ")


def test_a_new_entity_has_no_relation_that_was_sent_as_null(museum: FlaskClient) -> None:
    made = museum.post("/v1.0/works", json={"title": "t", "label": None, "room": None})
    path = f"/v1.0/works/{made.get_json()['id']}"
    for name in ("label", "room"):
        refused(museum.get(f"{path}/{name}"), 404)


def test_a_null_removes_a_complex_value(museum: FlaskClient) -> None:
    assert changed(museum, WORK, {"size": {"width": 1}})["size"] == {"width": 1, "height": None}
    assert changed(museum, WORK, {"size": None})["size"] is None


def test_the_key_of_a_singleton_is_set_once(museum: FlaskClient) -> None:
    assert changed(museum, "/v1.0/lobby", {"floor": 1, "name": "hall"})["name"] == "hall"
    assert changed(museum, "/v1.0/lobby", {"floor": 2, "name": "cellar"})["name"] == "hall"


def test_what_is_not_nullable_is_never_null(museum: FlaskClient) -> None:
    first = read(museum, WORK)
    assert (first["wing"], first["sealed"], first["shown"], first["code"]) == (
        *("north", False, True),
        None,
    )
    made = museum.post("/v1.0/works", json={"title": None, "sealed": None, "size": {}}).get_json()
    assert (made["title"], made["sealed"], made["size"]["width"]) == ("", False, 0)
    assert refused(museum.patch(WORK, json={"title": None})) == (
        "title: The property is not nullable."
    )
    sizes: tuple[dict[str, int | None] | None, ...] = ({"width": 3, "height": None}, None)
    for before in sizes:
        changed(museum, WORK, {"size": before})
        assert refused(museum.patch(WORK, json={"size": {"width": None}})) == (
            "size/width: The property is not nullable."
        )
        assert read(museum, WORK)["size"] == before
    found = read(museum, "/v1.0/works?$filter=sealed eq false and wing eq 'north'&$select=id")
    assert GUID in [each["id"] for each in found["value"]]
    (layer,) = changed(museum, WORK, {"@odata.type": "#museum.Painting", "sizes": [{}]})["sizes"]
    assert layer == {"width": 0, "height": None}
