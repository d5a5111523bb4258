"""An action of metadata of one's own: a function says what it does, and the rest is served."""

from pathlib import Path
from typing import Any

import requests

from mockgraph import MockGraph

CSDL = """\
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>
<Schema Namespace="microsoft.graph" xmlns="http://docs.oasis-open.org/odata/ns/edm">
  <EntityType Name="ticket">
    <Key><PropertyRef Name="id"/></Key>
    <Property Name="id" Type="Edm.String" Nullable="false"/>
    <Property Name="state" Type="Edm.String"/>
  </EntityType>
  <Action Name="close" IsBound="true">
    <Parameter Name="bindingParameter" Type="microsoft.graph.ticket"/>
  </Action>
  <EntityContainer Name="GraphService">
    <EntitySet Name="tickets" EntityType="microsoft.graph.ticket"/>
  </EntityContainer>
</Schema></edmx:DataServices></edmx:Edmx>
"""


def test_a_ticket_is_closed(tmp_path: Path) -> None:
    metadata = tmp_path / "tickets.csdl"
    metadata.write_text(CSDL)
    with MockGraph(csdl=[metadata], auth="off") as graph:

        @graph.operation("microsoft.graph.close")
        def close(transaction: Any, call: Any) -> None:
            transaction.update(call.table, call.key, {"state": "closed"})

        tickets = f"{graph.v1}/tickets"
        made = requests.post(tickets, json={"state": "open"}, timeout=10).json()
        closed = requests.post(f"{tickets}/{made['id']}/close", timeout=10)
        assert closed.status_code == 204
        found = requests.get(f"{tickets}?$filter=state eq 'closed'", timeout=10).json()["value"]
        assert [each["id"] for each in found] == [made["id"]]
