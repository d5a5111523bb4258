"""The permissions that several families share, as Microsoft's permissions reference has them."""

from __future__ import annotations

from mockgraph.metadata.declarations import Permissions

SECURITY_EVENTS = Permissions(
    read=("SecurityEvents.Read.All", "SecurityEvents.ReadWrite.All"),
    write=("SecurityEvents.ReadWrite.All",),
)
# What runHuntingQuery takes (its reference page).
THREAT_HUNTING = Permissions(read=("ThreatHunting.Read.All",), write=())
