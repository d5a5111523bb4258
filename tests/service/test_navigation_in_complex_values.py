"""Navigation properties of complex types: what they contain, and what they refer to."""

from __future__ import annotations

from flask.testing import FlaskClient

from . import at, refused
from .museum import changed, museum, read, shared_museum

__all__ = ["museum", "shared_museum"]

VISITOR = "/v1.0/visitors(1)"
GUIDES = f"{VISITOR}/kit/guides"


def visit(museum: FlaskClient) -> None:
    kit = {
        "colour": "red",
        "guides": [{"id": "a", "text": "first"}],
        "guideRoom@odata.bind": "rooms(floor=1,name='a%2Fb')",
    }
    made = museum.post("/v1.0/visitors", json={"card": {"number": 1}, "kit": kit})
    assert made.status_code == 201, made.text
    assert made.get_json()["kit"] == {"colour": "red"}


def test_they_are_created_read_changed_counted_and_deleted(museum: FlaskClient) -> None:
    visit(museum)
    made = museum.post(GUIDES, json={"id": "b", "text": "second"})
    assert made.status_code == 201
    assert made.headers["Location"].endswith("/v1.0/visitors/1/kit/guides/b")
    assert changed(museum, f"{GUIDES}/b", {"text": "third"})["text"] == "third"
    body = read(museum, f"{GUIDES}?$orderby=id desc")
    assert body["@odata.context"].endswith("#visitors(1)/kit/guides")
    assert [each["text"] for each in body["value"]] == ["third", "first"]
    assert museum.get(f"{GUIDES}/$count").text == "2"
    assert read(museum, f"{GUIDES}('a')/text")["value"] == "first"
    refused(museum.post(GUIDES, json={"id": "a"}), 409)
    assert museum.delete(f"{GUIDES}/a").status_code == 204
    refused(museum.get(f"{GUIDES}/a"), 404)
    changed(museum, VISITOR, {"kit": {"guides": [{"id": "b", "text": "fourth"}]}})
    assert read(museum, f"{GUIDES}/b")["text"] == "fourth"
    assert read(museum, f"{VISITOR}/kit/colour")["value"] == "red"


def test_references(museum: FlaskClient) -> None:
    visit(museum)
    room = f"{VISITOR}/kit/guideRoom"
    assert read(museum, room)["name"] == "a/b"
    assert read(museum, f"{room}/$ref")["@odata.id"].endswith("/v1.0/rooms(floor=1,name='a%2Fb')")
    assert museum.delete(f"{room}/$ref").status_code == 204
    refused(museum.get(room), 404)
    link = {"@odata.id": "rooms(floor=1,name='a%2Fb')"}
    assert museum.put(f"{room}/$ref", json=link).status_code == 204
    changed(museum, VISITOR, {"kit": {"guideRoom": None}})
    refused(museum.get(room), 404)


def test_queries_go_through_them(museum: FlaskClient) -> None:
    visit(museum)
    museum.post("/v1.0/visitors", json={"card": {"number": 2}, "kit": {}})
    for wanted in (
        "kit/guides/any(g: g/text eq 'first')",
        "kit/guides/$count eq 1",
        "kit/guideRoom/name eq 'a/b'",
        "kit/colour eq 'red'",
    ):
        found = read(museum, f"/v1.0/visitors?$filter={wanted}")["value"]
        assert [each["card"]["number"] for each in found] == [1], wanted
    expand = "kit/guides($select=text;$count=true),kit/guideRoom($select=name)"
    kit = read(museum, f"{VISITOR}?$select=card&$expand={expand}")["kit"]
    assert [each["text"] for each in kit["guides"]] == ["first"]
    assert kit["guides@odata.count"] == 1
    assert kit["guideRoom"]["name"] == "a/b"
    assert "guides" not in read(museum, f"{VISITOR}?$expand=*")["kit"]


def test_the_state_document_has_them_in_their_places(museum: FlaskClient) -> None:
    visit(museum)
    document = read(museum, "/_mockgraph/state")
    (visitor,) = document["visitors"]
    assert [each["id"] for each in visitor["kit"]["guides"]] == ["a"]
    assert visitor["kit"]["guideRoom@odata.bind"] == "rooms(floor=1,name='a/b')"
    assert museum.put("/_mockgraph/state", json=document).status_code == 204
    assert read(museum, "/_mockgraph/state") == document
    assert read(museum, f"{GUIDES}/a")["text"] == "first"
    assert museum.delete(VISITOR).status_code == 204
    assert "visitors" in read(museum, "/_mockgraph/state")
    refused(museum.get(GUIDES), 404)


def test_values_of_collections_have_none(museum: FlaskClient) -> None:
    body = {"card": {"number": 1}, "kits": [{"guides": [{"id": "a"}]}]}
    assert "'guides'" in refused(museum.post("/v1.0/visitors", json=body), 501)
    wanted = "$filter=kits/any(k: k/guides/any())"
    assert "'guides'" in refused(museum.get(f"/v1.0/visitors?{wanted}"), 501)


def test_those_of_the_bundled_metadata(graph: FlaskClient) -> None:
    sensors = at("v1.0", "identities", "sensors")
    sent = {"id": "s", "settings": {"networkAdapters": [{"id": "n", "name": "eth0"}]}}
    assert graph.post(sensors, json=sent).status_code == 201
    adapters = graph.get(f"{sensors}/s/settings/networkAdapters").get_json()
    assert [each["name"] for each in adapters["value"]] == ["eth0"]
