"""The schema that the tests of query options share: every Edm type, open and closed types."""

from __future__ import annotations

from typing import Any

from mockgraph import metadata as edm


SEVERITY = edm.EnumValues(
    "microsoft.graph.severity",
    {"unknown": 0, "low": 2, "medium": 3, "high": 4, "unknownFutureValue": 127},
)
ACCESS = edm.EnumValues(
    "microsoft.graph.access", {"none": 0, "read": 1, "write": 2, "full": 3}, is_flags=True
)


class Vendor(edm.ComplexType):
    type_name = "microsoft.graph.vendor"
    provider = edm.String()
    vendor = edm.String()


class Process(edm.ComplexType):
    type_name = "microsoft.graph.process"
    name = edm.String()
    arguments = edm.Collection(edm.String())


class Host(edm.ComplexType):
    type_name = "microsoft.graph.host"
    fqdn = edm.String()
    risk = edm.Int32()
    seen = edm.DateTimeOffset()
    vendor = edm.Complex(Vendor)
    processes = edm.Collection(edm.Complex(Process))


class Extra(edm.ComplexType):
    type_name = "microsoft.graph.extra"
    is_open = True
    label = edm.String()


class Closed(edm.EntityType):
    """A closed type: only what is declared."""

    type_name = "microsoft.graph.closed"

    id = edm.String(nullable=False, computed=True)
    title = edm.String()
    severity = edm.Enum(SEVERITY)
    access = edm.Enum(ACCESS)
    confidence = edm.Int32()
    size = edm.Int64()
    score = edm.Double()
    isActive = edm.Boolean()
    createdDateTime = edm.DateTimeOffset()
    closedDateTime = edm.DateTimeOffset()
    vendorInformation = edm.Complex(Vendor)
    host = edm.Complex(Host)
    extra = edm.Complex(Extra)
    tags = edm.Collection(edm.String())
    levels = edm.Collection(edm.Enum(SEVERITY))
    scores = edm.Collection(edm.Double())
    moments = edm.Collection(edm.DateTimeOffset())
    hosts = edm.Collection(edm.Complex(Host))
    # Names that begin with, or are, words of the grammar.
    allowed = edm.Boolean()
    anyone = edm.String()
    nullable = edm.Boolean()
    trueName = edm.String()
    notes = edm.String()
    order = edm.String()


class Open(Closed):
    """An open type: dynamic properties besides."""

    type_name = "microsoft.graph.open"
    is_open = True


def closed(**properties: Any) -> dict[str, Any]:
    """A whole entity of the closed type, as the state keeps it."""
    return edm.whole(Closed, edm.load(Closed, {"id": "1", **properties}, partial=True))


def opened(**properties: Any) -> dict[str, Any]:
    """A whole entity of the open type."""
    return edm.whole(Open, edm.load(Open, {"id": "1", **properties}, partial=True))
