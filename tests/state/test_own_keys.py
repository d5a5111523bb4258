"""Own keys that are numbers, or several properties: of types that a CSDL file adds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import state_of
from flask.testing import FlaskClient

from state.stores import serving, state

CSDL = """<?xml version="1.0"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>
<Schema Namespace="own" xmlns="http://docs.oasis-open.org/odata/ns/edm">
 <EntityType Name="point">
  <Key><PropertyRef Name="x"/><PropertyRef Name="name"/></Key>
  <Property Name="x" Type="Edm.Int32" Nullable="false"/>
  <Property Name="name" Type="Edm.String" Nullable="false"/>
  <NavigationProperty Name="notes" Type="Collection(own.note)" ContainsTarget="true"/>
  <NavigationProperty Name="next" Type="own.point"/>
 </EntityType>
 <EntityType Name="note">
  <Key><PropertyRef Name="n"/></Key>
  <Property Name="n" Type="Edm.Int32" Nullable="false"/>
  <Property Name="title" Type="Edm.String"/>
 </EntityType>
 <EntityContainer Name="C"><EntitySet Name="points" EntityType="own.point"/></EntityContainer>
</Schema></edmx:DataServices></edmx:Edmx>"""
POINTS = "/beta/points"
FIRST = f"{POINTS}(x=1,name='a''b')"


@pytest.fixture(params=["memory", "file"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FlaskClient]:
    csdl = tmp_path / "own.xml"
    csdl.write_text(CSDL, encoding="utf-8")
    store = tmp_path / "graph.store" if request.param == "file" else None
    with serving(store, csdl=(str(csdl),)) as client:
        body = {"x": 1, "name": "a'b", "notes": [{"n": 1}, {"n": 2, "title": "two"}]}
        assert client.post(POINTS, json=body).status_code == 201
        yield client


def rows(client: FlaskClient, table: str) -> list[str]:
    return list(state(client).db.table(table).rows)


def test_an_entity_is_found_by_all_of_its_key(client: FlaskClient) -> None:
    for url in (FIRST, f"{POINTS}(name='a''b',x=1)"):
        body: Any = client.get(url).json
        assert (body["x"], body["name"]) == (1, "a'b")
    note: Any = client.get(f"{FIRST}/notes/2").json
    assert (note["n"], note["title"]) == (2, "two")
    assert client.get(f"{POINTS}(x=1,name='a')").status_code == 404
    assert client.post(POINTS, json={"x": 1, "name": "a'b"}).status_code == 409
    assert client.post(POINTS, json={"x": 1, "name": "b"}).status_code == 201
    assert client.post(POINTS, json={"x": 1}).status_code == 400


def test_an_update_of_what_it_contains_finds_it(client: FlaskClient) -> None:
    changed = client.patch(FIRST, json={"notes": [{"n": 2, "title": "changed"}, {"n": 3}]})
    assert changed.status_code == 200
    listed: Any = client.get(f"{FIRST}/notes").json
    shown = [(each["n"], each["title"]) for each in listed["value"]]
    assert shown == [(1, None), (2, "changed"), (3, None)]


def test_a_reference_names_all_of_it(client: FlaskClient) -> None:
    bound = {"x": 2, "name": "c", "next@odata.bind": "points(name='a''b',x=1)"}
    assert client.post(POINTS, json=bound).status_code == 201
    following: Any = client.get(f"{POINTS}(x=2,name='c')/next").json
    assert following["name"] == "a'b"
    document = state_of(client)
    assert client.put("/_mockgraph/state", json=document).status_code == 204
    assert state_of(client) == document
    assert client.get(f"{POINTS}(x=2,name='c')/next").status_code == 200
    assert client.delete(FIRST).status_code == 204
    assert client.get(f"{POINTS}(x=2,name='c')/next").status_code == 404
    assert rows(client, "points/notes") == []


def test_a_tinydb_takes_the_key_from_the_document(client: FlaskClient) -> None:
    table = state(client).db.table("points")
    key = table.insert({"x": 9, "name": "n"})
    assert client.get(f"{POINTS}(x=9,name='n')").status_code == 200
    assert rows(client, "points")[-1] == key
    with pytest.raises(ValueError, match="already exists"):
        table.insert({"x": 9, "name": "n"})
