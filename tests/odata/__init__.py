"""The model that the tests of query options share: open and closed types, and what they lead to."""

from __future__ import annotations

from typing import Any

from mockgraph import metadata as edm
from mockgraph.metadata import notation
from mockgraph.metadata.resources import View
from mockgraph.odata.filter import Filter
from mockgraph.state.indexes import Condition, Equality

_MODEL = """
namespace microsoft.graph
  alias graph

enum severity
  unknown 0
  low 2
  medium 3
  high 4
  unknownFutureValue 127

enum access flags
  none 0
  read 1
  write 2
  full 3

complex vendor
  provider: String
  vendor: String

complex process
  name: String
  arguments: String[]

complex host
  fqdn: String
  risk: Int32
  seen: DateTimeOffset
  vendor: vendor
  processes: process[]

complex extra open
  label: String

entity entity abstract
  key id
  id: String not null

# A closed type: only what is declared. The last names begin with, or are, words of the grammar.
entity closed : entity
  title: String
  severity: severity
  access: access
  confidence: Int32
  size: Int64
  score: Double
  isActive: Boolean
  createdDateTime: DateTimeOffset
  closedDateTime: DateTimeOffset
  vendorInformation: vendor
  host: host
  extra: extra
  tags: String[]
  levels: severity[]
  scores: Double[]
  moments: DateTimeOffset[]
  hosts: host[]
  allowed: Boolean
  anyone: String
  nullable: Boolean
  trueName: String
  notes: String
  order: String

# An open type: dynamic properties besides.
entity open : closed open

entity tenant : entity
  name: String
  contains alerts: alert[]
  contains things: thing[]

entity alert : closed
  contains things: thing[]
  links parent: tenant

entity thing : open
  links alerts: alert[]
  contains parts: thing[]

container Service
  set tenants: tenant
"""

VIEW = View("test", lambda: notation.parse([("the tests' model", _MODEL)]))
Closed = VIEW.schemas["microsoft.graph.closed"]
Open = VIEW.schemas["microsoft.graph.open"]
SEVERITIES = {"unknown": 0, "low": 2, "medium": 3, "high": 4, "unknownFutureValue": 127}


def closed(**properties: Any) -> dict[str, Any]:
    """A whole entity of the closed type, as the state keeps it."""
    return edm.whole(Closed, edm.load(Closed, {"id": "1", **properties}, partial=True))


def opened(**properties: Any) -> dict[str, Any]:
    """A whole entity of the open type."""
    return edm.whole(Open, edm.load(Open, {"id": "1", **properties}, partial=True))


def is_met(condition: Condition, entity: Any) -> bool:
    """Whether an entity is among those that an index tells for a condition."""
    value = condition.key.of(entity)
    if isinstance(condition, Equality):
        return value in condition.values
    return condition.low < (value, 1) < condition.high


def equalities(compiled: Filter) -> dict[str, list[Any]]:
    """The values of the equalities that a filter has for indexes, by the paths of properties."""
    found = {}
    for each in compiled.conditions:
        if isinstance(each, Equality):
            name: Any = each.key.name
            path = name if isinstance(name[0], str) else name[0]
            found["/".join(path)] = list(each.values)
    return found
