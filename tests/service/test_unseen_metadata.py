"""Metadata that does not come with MockGraph: what Graph Security's own does not use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from wire import plain

from mockgraph import MockGraph
from mockgraph.app import create_app
from mockgraph.server_options import Settings
from mockgraph.state.behaviours import Invocation
from mockgraph.state.transactions import Transaction

from . import refused

CSDL = """
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">
 <edmx:DataServices>
  <Schema Namespace="zoo" xmlns="http://docs.oasis-open.org/odata/ns/edm">
   <ComplexType Name="chip">
    <Property Name="maker" Type="Edm.String"/>
    <NavigationProperty Name="owner" Type="zoo.animal"/>
   </ComplexType>
   <EntityType Name="animal">
    <Key><PropertyRef Name="id"/></Key>
    <Property Name="id" Type="Edm.String" Nullable="false"/>
    <Property Name="picture" Type="Edm.Stream"/>
    <Annotation Term="Org.OData.Core.V1.Revisions">
     <Collection>
      <Record>
       <PropertyValue Property="Date" Date="2024-02-29"/>
       <PropertyValue Property="Kind" EnumMember="Org.OData.Core.V1.RevisionKind/Deprecated"/>
      </Record>
     </Collection>
    </Annotation>
    <Property Name="chip" Type="zoo.chip"/>
   </EntityType>
   <Action Name="feedAll" IsBound="true">
    <Parameter Name="bindingParameter" Type="Collection(zoo.animal)"/>
   </Action>
   <Function Name="near" IsBound="true">
    <Parameter Name="bindingParameter" Type="zoo.animal"/>
    <Parameter Name="km" Type="Edm.Int32" Nullable="false"/>
    <ReturnType Type="Edm.Int32"/>
   </Function>
   <Function Name="near" IsBound="true">
    <Parameter Name="bindingParameter" Type="zoo.animal"/>
    <ReturnType Type="Edm.Int32"/>
   </Function>
   <EntityContainer Name="Zoo"><EntitySet Name="animals" EntityType="zoo.animal"/></EntityContainer>
  </Schema>
 </edmx:DataServices>
</edmx:Edmx>
"""
LEO = "/v1.0/animals/leo"


@pytest.fixture
def zoo(tmp_path: Path) -> Iterator[FlaskClient]:
    path = tmp_path / "zoo.csdl"
    path.write_text(CSDL)
    with create_app(Settings(auth="off", csdl=(str(path),))).test_client() as client:
        assert client.post("/v1.0/animals", json={"id": "leo"}).status_code == 201
        yield client


def test_each_overload_of_a_function_has_its_own_parameters(zoo: FlaskClient) -> None:
    for call in ("near(km=1)", "near()", "near", "near(km=2)"):
        assert "'zoo.near'" in refused(zoo.get(f"{LEO}/{call}"), 501)
    assert "km" in refused(zoo.get(f"{LEO}/near(km='x')"))


@pytest.mark.parametrize("path", ["picture", "Picture", "picture/$value"])
def test_streams_are_not_emulated(zoo: FlaskClient, path: str) -> None:
    for answer in (zoo.get(f"{LEO}/{path}"), zoo.put(f"{LEO}/{path}", data=b"x")):
        assert "streams" in refused(answer, 501)


def test_what_is_had_of_the_collection_alone_is_not_looked_for_elsewhere(zoo: FlaskClient) -> None:
    message = refused(zoo.post(f"{LEO}/feedAll"))
    assert message == "Resource not found for the segment 'feedAll'."


def test_a_reference_within_a_value_is_kept(zoo: FlaskClient) -> None:
    body = {"chip": {"maker": "m", "owner@odata.bind": "animals/leo"}}
    assert zoo.patch(LEO, json=body).status_code == 200
    owner: Any = zoo.get(f"{LEO}/chip/owner").json
    assert (owner["id"], owner["chip"]) == ("leo", {"maker": "m"})


@pytest.mark.parametrize("body", [{"friends@delta": []}, {"@removed": {"reason": "deleted"}}])
def test_a_change_in_the_form_of_a_delta_is_not_passed_over(
    zoo: FlaskClient, body: dict[str, Any]
) -> None:
    (name,) = body
    assert f"'{name}'" in refused(zoo.patch(LEO, json=body), 501)


def test_what_is_deprecated_on_a_leap_day_ends_in_two_years(zoo: FlaskClient) -> None:
    headers = zoo.get(LEO).headers
    assert headers["Deprecation"] == "Thu, 29 Feb 2024 00:00:00 GMT"
    assert headers["Sunset"] == "Sat, 28 Feb 2026 00:00:00 GMT"


@pytest.mark.parametrize("key", ["zoo.animal", "ZOO.Animal", "zoo.chip", "feedAll()", "feedall(x)"])
def test_a_key_that_a_path_would_read_as_something_else_is_refused(
    zoo: FlaskClient, key: str
) -> None:
    message = refused(zoo.post("/v1.0/animals", json={"id": key}))
    assert message == f"id: '{key}' means something else in a URL."


@pytest.fixture
def graph(tmp_path: Path) -> Iterator[MockGraph]:
    path = tmp_path / "zoo.csdl"
    path.write_text(CSDL)
    with MockGraph(auth="off", csdl=[path]) as graph:
        yield graph


def test_a_behaviour_is_told_the_key_where_a_set_stands_at_the_root(graph: MockGraph) -> None:
    @graph.operation("zoo.near")
    def near(transaction: Transaction, call: Invocation) -> int:
        assert call.key is not None
        transaction.update(call.table, call.key, {"chip": {"maker": "m"}})
        return 5

    plain.post(f"{graph.v1}/animals", json={"id": "leo"})
    assert plain.get(f"{graph.v1}/animals/leo/near()").json()["value"] == 5
    assert plain.get(f"{graph.v1}/animals/leo").json()["chip"] == {"maker": "m"}


def test_what_is_registered_for_no_operation_is_told_of(
    graph: MockGraph, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("near", "zoo.beast", "zoo.animal", "zoo.near"):
        graph.operation(name)(lambda *_: None)
    plugin = tmp_path / "plugin.py"
    plugin.write_text(
        "import mockgraph\n@mockgraph.operation('zoo.nothing')\ndef nothing(*_): pass\n"
    )
    create_app(Settings(operations=(str(plugin),)))
    told = [re.findall("'(.*)'", each.getMessage())[0] for each in caplog.records]
    assert told == ["near", "zoo.beast", "zoo.nothing"]
