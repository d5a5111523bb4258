"""Capabilities that restrict single properties, and the order that lists come in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from mockgraph.app import create_app
from mockgraph.server_options import Settings

from . import refused
from .museum import museum, shared_museum

__all__ = ["museum", "shared_museum"]

CSDL = """
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">
 <edmx:DataServices>
  <Schema Namespace="zoo" xmlns="http://docs.oasis-open.org/odata/ns/edm">
   <ComplexType Name="chip"><Property Name="maker" Type="Edm.String"/></ComplexType>
   <EntityType Name="animal">
    <Key><PropertyRef Name="id"/></Key>
    <Property Name="id" Type="Edm.String" Nullable="false"/>
    <Property Name="name" Type="Edm.String"/>
    <Property Name="age" Type="Edm.Int32"/>
    <Property Name="chip" Type="zoo.chip"/>
    <Property Name="chips" Type="Collection(zoo.chip)"/>
    <NavigationProperty Name="parent" Type="zoo.animal"/>
    <NavigationProperty Name="young" Type="Collection(zoo.animal)"/>
   </EntityType>
   <EntityContainer Name="Zoo"><EntitySet Name="animals" EntityType="zoo.animal"/></EntityContainer>
   <Annotations Target="zoo.Zoo/animals">
    <Annotation Term="Org.OData.Capabilities.V1.%sRestrictions">
     <Record><PropertyValue Property="%s">%s</PropertyValue></Record>
    </Annotation>
   </Annotations>
  </Schema>
 </edmx:DataServices>
</edmx:Edmx>
"""
ANIMALS = "/v1.0/animals"

Zoo = Callable[[str, str, str], FlaskClient]


@pytest.fixture
def zoo(tmp_path: Path) -> Zoo:
    """Makes a zoo with a restriction and a property of it: paths, or ``true``."""

    def make(restriction: str, name: str, value: str) -> FlaskClient:
        paths = "".join(f"<PropertyPath>{each}</PropertyPath>" for each in value.split())
        said = "<Bool>true</Bool>" if value == "true" else f"<Collection>{paths}</Collection>"
        path = tmp_path / "zoo.csdl"
        path.write_text(CSDL % (restriction, name, said))
        return create_app(Settings(auth="off", csdl=(str(path),))).test_client()

    return make


def listed(client: FlaskClient, options: str = "") -> list[str]:
    answer = client.get(f"{ANIMALS}?{options}")
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.get_json()["value"]]


@pytest.mark.parametrize(
    "text",
    [
        "name eq 'x'",
        "age eq 1 or startswith(tolower(name),'x')",
        "$it/name in ('x','y')",
        "chip/maker eq 'x'",
        "chips/any(c:c/maker eq 'x')",
        "chips/any(c:chips/all(d:d/maker eq c/maker))",
        "not (parent/name eq null) and name ne null",
    ],
)
def test_what_cannot_be_filtered_by(zoo: Zoo, text: str) -> None:
    client = zoo("Filter", "NonFilterableProperties", "name chip chips/maker")
    assert "cannot be filtered by" in refused(client.get(f"{ANIMALS}?$filter={text}"))
    assert "cannot be filtered by" in refused(client.get(f"{ANIMALS}/$count?$filter={text}"))
    for fine in ("age gt 3", "parent/name eq 'x'", "chips/any()", "chips/$count eq 1"):
        assert listed(client, f"$filter={fine}") == []


def test_a_filter_that_must_be_there(zoo: Zoo) -> None:
    client = zoo("Filter", "RequiresFilter", "true")
    for options in ("", "$top=1"):
        assert "'$filter' only" in refused(client.get(f"{ANIMALS}?{options}"))
    assert listed(client, "$filter=age eq 1") == []
    assert client.post(ANIMALS, json={"id": "a"}).status_code == 201
    assert client.get(f"{ANIMALS}/a").status_code == 200


def test_what_a_filter_must_use(zoo: Zoo) -> None:
    client = zoo("Filter", "RequiredProperties", "age")
    assert "it must use the property 'age'" in refused(client.get(f"{ANIMALS}?$filter=id eq 'a'"))
    assert listed(client, "$filter=id eq 'a' and age eq 1") == []
    assert listed(client) == []


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("NonSortableProperties", "age,name", "'name' cannot be ordered by"),
        ("NonSortableProperties", "length(name) desc", "'name' cannot be ordered by"),
        ("AscendingOnlyProperties", "name desc", "'name' can be ordered by ascending only"),
        ("DescendingOnlyProperties", "name", "'name' can be ordered by descending only"),
    ],
)
def test_what_cannot_be_ordered_by(zoo: Zoo, name: str, text: str, says: str) -> None:
    client = zoo("Sort", name, "name")
    assert says in refused(client.get(f"{ANIMALS}?$orderby={text}"))
    assert listed(client, "$orderby=age desc,id") == []


def test_an_order_in_the_one_direction_that_there_is(zoo: Zoo) -> None:
    assert listed(zoo("Sort", "AscendingOnlyProperties", "name"), "$orderby=name") == []
    assert listed(zoo("Sort", "DescendingOnlyProperties", "name"), "$orderby=name desc") == []


def test_what_cannot_be_expanded(zoo: Zoo) -> None:
    client = zoo("Expand", "NonExpandableProperties", "parent")
    assert client.post(ANIMALS, json={"id": "a"}).status_code == 201
    for options in ("$expand=young,parent", "$expand=parent/$ref"):
        assert "'parent' cannot be expanded" in refused(client.get(f"{ANIMALS}?{options}"))
    whole: Any = client.get(f"{ANIMALS}/a?$expand=*").json
    assert whole["young"] == []
    assert "parent" not in whole


def test_what_a_new_entity_must_and_must_not_have(zoo: Zoo) -> None:
    client = zoo("Insert", "RequiredProperties", "name chip/maker")
    lacking: tuple[Any, ...] = ({}, {"name": "x"}, {"name": "x", "chip": {}})
    for body in lacking:
        assert "must be in the body of a new entity" in refused(client.post(ANIMALS, json=body))
    body = {"id": "a", "name": "x", "chip": {"maker": "m"}}
    assert client.post(ANIMALS, json=body).status_code == 201
    client = zoo("Insert", "NonInsertableProperties", "name chips")
    too_much: tuple[Any, ...] = ({"name": "x"}, {"chips": [{}]})
    for body in too_much:
        assert "cannot be given to a new entity" in refused(client.post(ANIMALS, json=body))
    assert listed(client) == []
    assert client.post(ANIMALS, json={"id": "a", "chips": []}).status_code == 201
    assert client.patch(f"{ANIMALS}/a", json={"name": "x"}).status_code in (200, 204)


@pytest.mark.parametrize("root", ["v1.0", "beta"])
def test_the_latest_come_first_where_the_pages_say_so(root: str) -> None:
    days = {"a": "2026-01-02", "b": "2026-01-03", "c": "2026-01-01", "d": "2026-01-04"}
    scores = [{"id": key, "createdDateTime": f"{day}T00:00:00Z"} for key, day in days.items()]
    seed = {"Security": {"secureScores": scores}}
    client = create_app(Settings(auth="off", seed=(seed,))).test_client()

    def ids(url: str) -> list[str]:
        found: list[str] = []
        while url:
            page: Any = client.get(url).json
            found += [each["id"] for each in page["value"]]
            url = page.get("@odata.nextLink", "").removeprefix("http://localhost")
        return found

    path = f"/{root}/security/secureScores"
    assert ids(path) == ids(f"{path}?$top=1") == ids(f"{path}?$top=3") == ["d", "b", "a", "c"]
    assert ids(f"{path}?$filter=id ne 'b'&$top=2") == ["d", "a", "c"]
    assert ids(f"{path}?$orderby=id") == ["a", "b", "c", "d"]
    assert ids("/localtest/Security/secureScores") == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("$expand=cases/$count", "'cases' cannot be counted"),
        ("$expand=cases($count=true)", "'cases' does not support the option '$count'"),
        ("$filter=cases/$count gt 0", "'cases' cannot be counted"),
        ("$expand=films", "'films' cannot be read"),
        ("$expand=films/$count", "'films' cannot be counted"),
    ],
)
def test_restrictions_hold_in_expansions_and_paths(
    museum: FlaskClient, options: str, message: str
) -> None:
    assert message in refused(museum.get(f"/v1.0/rooms?{options}"))


def test_what_is_not_readable_is_not_counted(museum: FlaskClient) -> None:
    refused(museum.get("/v1.0/films/$count"), 405)
