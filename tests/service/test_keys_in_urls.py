"""Keys in URLs: one key by its value, however it is spelt, quoted, nested or given by an alias."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from . import refused
from .museum import GUID, ROOM, WORK, changed, museum, read, shared_museum

__all__ = ["museum", "shared_museum"]


@pytest.mark.parametrize(
    "path",
    [
        f"works/{GUID.lower()}",
        f"works({GUID.lower()})",
        f"works('{GUID}')",
        f"works(id={GUID.title()})",
        f"works(@k)?@k={GUID}",
        f"works(id=@k)?@k={GUID.lower()}&$select=title",
        f"works(@k)?@k={GUID}&$expand=kin($filter=id eq @k)",
    ],
)
def test_a_guid_is_found_in_any_spelling(museum: FlaskClient, path: str) -> None:
    assert read(museum, f"/v1.0/{path}")["title"] == "Sea"


def test_a_guid_is_given_once_in_any_spelling(museum: FlaskClient) -> None:
    refused(museum.post("/v1.0/works", json={"id": GUID.lower()}), 409)
    changed(museum, WORK, {"kin@odata.bind": [f"works('{GUID.lower()}')"]})
    assert len(read(museum, f"{WORK}/kin")["value"]) == 1


@pytest.mark.parametrize("path", ["works(@k)", "works(@k)?@j=1"])
def test_an_alias_has_a_value(museum: FlaskClient, path: str) -> None:
    assert "'@k' has no value" in refused(museum.get(f"/v1.0/{path}"))


def test_an_alias_that_is_not_used_is_not_known(museum: FlaskClient) -> None:
    assert "'@j' is not known" in refused(museum.get(f"/v1.0/works(@k)?@k={GUID}&@j=1"))


def test_a_slash_in_quotes_is_of_the_key(museum: FlaskClient) -> None:
    assert read(museum, f"{ROOM}/name")["value"] == "a/b"
    assert read(museum, "/v1.0/rooms(floor=@f,name=@n)?@f=1&@n='a%2Fb'")["name"] == "a/b"
    refused(museum.get("/v1.0/security/alerts_v2('a%2Fb')"), 404)
    message = refused(museum.get("/v1.0/find(path='a%2Fb')"), 501)
    assert "museum.find" in message


def test_a_quote_that_is_not_closed_holds_no_slash(museum: FlaskClient) -> None:
    refused(museum.get("/v1.0/works('a/title"))
    assert refused(museum.get("/v1.0/security/alerts_v2/o'neil/x(y")).endswith("'x(y'.")


def test_a_reference_names_a_key_with_a_slash(museum: FlaskClient) -> None:
    changed(museum, WORK, {"room@odata.bind": "rooms(floor=1,name='a%2Fb')"})
    assert read(museum, f"{WORK}/room")["name"] == "a/b"
    document = read(museum, "/_mockgraph/state")
    assert museum.put("/_mockgraph/state", json=document).status_code == 204
    assert read(museum, f"{WORK}/room")["name"] == "a/b"


def test_numbers_are_one_key_in_any_spelling(museum: FlaskClient) -> None:
    assert museum.post(f"{WORK}/museum.Painting/layers", json={"number": 7}).status_code == 201
    for key in ("7", "+7", "007"):
        found = read(museum, f"{WORK}/museum.Painting/layers({key})")
        assert found["number"] == 7
    refused(museum.get(f"{WORK}/museum.Painting/layers(8)"), 404)
    refused(museum.get(f"{WORK}/museum.Painting/layers(x)"), 404)


def test_a_key_may_lie_in_a_complex_property(museum: FlaskClient) -> None:
    body = {"mark": {"letter": "A", "number": 3}, "glass": "thick"}
    made = museum.post(f"{ROOM}/cases", json=body)
    assert made.headers["Location"].endswith("/cases(letter='A',number=3)")
    case = f"{ROOM}/cases(number=3,letter='A')"
    assert read(museum, case)["glass"] == "thick"
    # An update leaves the key as it is.
    after = changed(museum, case, {"mark": {"letter": "B"}, "glass": "thin"})
    assert (after["mark"]["letter"], after["glass"]) == ("A", "thin")
    assert refused(museum.post(f"{ROOM}/cases", json={"mark": {"number": 1}})).startswith(
        "mark/letter: The key must be given."
    )
    assert museum.post("/v1.0/visitors", json={"card": {"number": 2**53 + 1}}).status_code == 201
    assert read(museum, f"/v1.0/visitors({2**53 + 1})")["card"]["number"] == 2**53 + 1


def test_keys_in_answers_are_literals(museum: FlaskClient) -> None:
    museum.post(f"{WORK}/museum.Painting/layers", json={"number": 7})
    museum.post(f"{ROOM}/cases", json={"mark": {"letter": "A", "number": 3}})
    contexts = [
        read(museum, path)["@odata.context"].partition("#")[2]
        for path in (f"{WORK}/museum.Painting/layers/7/number", f"{ROOM}/cases", f"{ROOM}/name")
    ]
    room = "rooms(floor=1,name='a%2Fb')"
    assert contexts == [f"works({GUID.lower()})/layers(7)/number", f"{room}/cases", f"{room}/name"]
    full = museum.get(f"{ROOM}/cases", headers={"Accept": "application/json;odata.metadata=full"})
    (case,) = full.get_json()["value"]
    assert case["@odata.id"].endswith(f"/v1.0/{room}/cases(letter='A',number=3)")
    assert read(museum, case["@odata.id"].replace("http://localhost", ""))["mark"]["number"] == 3
