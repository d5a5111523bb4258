"""References to what another collection holds than the one that a type's entities are mostly in."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from mockgraph import work

from . import refused
from .museum import GUID, WORK, changed, museum, read, shared_museum

__all__ = ["museum", "shared_museum"]

OWN = "11111111-2222-3333-4444-555555555555"
LENT = f"/v1.0/visitors(1)/own({OWN})"
BEHIND = f"{WORK}/kin/{OWN}"


@pytest.fixture
def lent(museum: FlaskClient) -> FlaskClient:
    """The museum, whose painting is kin to one of a visitor's own, and to itself."""
    work = {"id": OWN, "@odata.type": "#museum.Painting", "title": "Own", "label": {"text": "l"}}
    body = {"card": {"number": 1}, "own": [work]}
    assert museum.post("/v1.0/visitors", json=body).status_code == 201
    bound = [f"visitors(1)/own({OWN})", f"works({GUID})"]
    changed(museum, WORK, {"kin@odata.bind": bound})
    return museum


def test_what_is_below_is_read_and_written_where_it_is_held(lent: FlaskClient) -> None:
    made = lent.post(f"{BEHIND}/notes", json={"id": "n", "text": "first"})
    assert made.status_code == 201
    assert made.headers["Location"] == f"http://localhost{LENT}/notes/n".replace(
        f"own({OWN})", f"own/{OWN}"
    ).replace("visitors(1)", "visitors/1")
    assert changed(lent, f"{BEHIND}/notes/n", {"text": "second"})["text"] == "second"
    for path in (BEHIND, LENT):
        assert read(lent, f"{path}/notes/n")["text"] == "second"
        assert [each["id"] for each in read(lent, f"{path}/notes")["value"]] == ["n"]
        assert lent.get(f"{path}/notes/$count").text == "1"
    assert read(lent, f"{BEHIND}/label/text")["value"] == "l"
    assert lent.post(f"{BEHIND}/museum.Painting/layers", json={"number": 1}).status_code == 201
    assert read(lent, f"{LENT}/museum.Painting/layers/1")["number"] == 1
    assert lent.delete(f"{BEHIND}/notes/n").status_code == 204
    refused(lent.get(f"{LENT}/notes/n"), 404)


def test_references_go_on_from_there(lent: FlaskClient) -> None:
    assert lent.post(f"{BEHIND}/kin/$ref", json={"@odata.id": f"works({GUID})"}).status_code == 204
    assert read(lent, f"{LENT}/kin/{GUID}")["title"] == "Sea"
    assert read(lent, f"{BEHIND}/kin/{GUID}/kin/{OWN}/title")["value"] == "Own"
    refused(lent.get(f"{BEHIND}/kin/{GUID}/kin/{OWN}/notes/x"), 404)
    refused(lent.get(f"{WORK}/kin/99999999-2222-3333-4444-555555555555/notes"), 404)


def test_expansions_and_filters_go_on_from_there(lent: FlaskClient) -> None:
    lent.post(f"{LENT}/notes", json={"id": "n", "text": "x"})
    inner = "notes($select=text),label($select=text)"
    options = f"$select=id&$expand=kin($select=title;$expand={inner})"
    kin = {each["title"]: each for each in read(lent, f"{WORK}?{options}")["kin"]}
    assert [each["text"] for each in kin["Own"]["notes"]] == ["x"]
    assert kin["Own"]["label"]["text"] == "l"
    assert kin["Sea"]["notes"] == []
    wanted = "kin/any(k: k/notes/any(n: n/text eq 'x'))"
    found = read(lent, f"/v1.0/works?$filter={wanted}")["value"]
    assert [each["title"] for each in found] == ["Sea"]
    wanted = "kin/any(k: k/notes/any(n: n/text eq 'y'))"
    assert not read(lent, f"/v1.0/works?$filter={wanted}")["value"]


def test_circles_of_references_are_not_followed_without_end(
    lent: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "MAX_STEPS", 8_000)
    levels = f"{WORK}?$select=id&$expand=kin($select=id;$levels=%s)"
    assert read(lent, levels % 3)
    for number in range(4):
        kin = {"title": str(number), "kin@odata.bind": [f"works({GUID})"]}
        other = lent.post("/v1.0/works", json=kin).get_json()["id"]
        lent.post(f"{WORK}/kin/$ref", json={"@odata.id": f"works({other})"})
    assert "more than the 8000 steps of work" in refused(lent.get(levels % "max"))
    assert read(lent, levels % 1)


def test_a_url_of_another_root_leads_to_the_same_entity(graph: FlaskClient) -> None:
    case = graph.post("/v1.0/security/cases/ediscoveryCases", json={"displayName": "C"}).get_json()
    path = f"security/cases/ediscoveryCases/{case['id']}"
    custodian = graph.post(f"/v1.0/{path}/custodians", json={"email": "a@contoso.com"}).get_json()
    source = graph.post(
        f"/v1.0/{path}/custodians/{custodian['id']}/userSources", json={"email": "a@contoso.com"}
    ).get_json()
    url = f"{path}/custodians/{custodian['id']}/userSources/{source['id']}"
    for root in ("v1.0", "beta"):
        made = graph.post(
            f"/v1.0/{path}/searches",
            json={
                "displayName": root,
                "custodianSources@odata.bind": [f"https://graph.microsoft.com/{root}/{url}"],
            },
        )
        assert made.status_code == 201
        found = graph.get(f"/v1.0/{path}/searches/{made.get_json()['id']}/custodianSources")
        assert [each["id"] for each in found.get_json()["value"]] == [source["id"]]


@pytest.mark.parametrize("end", ["/groups/g1", "/groups('g1')"])
def test_what_no_set_holds_is_referred_to_by_its_key(graph: FlaskClient, end: str) -> None:
    case = graph.post("/v1.0/security/cases/ediscoveryCases", json={"displayName": "C"}).get_json()
    path = f"/v1.0/security/cases/ediscoveryCases/{case['id']}/custodians"
    custodian = graph.post(path, json={"email": "a@contoso.com"}).get_json()
    sources = f"{path}/{custodian['id']}/unifiedGroupSources"
    url = f"https://graph.microsoft.com/v1.0{end}"
    sent = {"includedSources": "mailbox", "group@odata.bind": url}
    made = graph.post(sources, json=sent)
    assert made.status_code == 201, made.get_json()
    found = graph.get(f"{sources}/{made.get_json()['id']}/group").get_json()
    assert found["id"] == "g1"
    refused = graph.post(sources, json={**sent, "group@odata.bind": "https://contoso.com"})
    assert refused.status_code == 400
    assert graph.post(sources, json={**sent, "group@odata.bind": 5}).status_code == 400
