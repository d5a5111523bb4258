"""Incidents (`/incidents`): the alerts of one attack, handled as one."""

from __future__ import annotations

from mockgraph.metadata import (
    Collection,
    Complex,
    DateTimeOffset,
    EntityType,
    Enum,
    Enumeration,
    String,
)
from mockgraph.metadata.declarations import EntitySet, Navigation, Permissions
from mockgraph.service.alerts_v2 import ALERTS_V2
from mockgraph.service.security_types import (
    ROOTS,
    AlertClassification,
    AlertComment,
    AlertDetermination,
    AlertSeverity,
    InSecurityNamespace,
)


class IncidentStatus(InSecurityNamespace, Enumeration):
    """Where an incident stands in its handling."""

    active = 1
    resolved = 2
    inProgress = 4
    redirected = 64
    unknownFutureValue = 127
    awaitingAction = 128


class Incident(InSecurityNamespace, EntityType):
    """An incident: its main properties, and dynamic ones beside them.

    Its alerts are those whose ``incidentId`` is its id.
    """

    is_open = True

    assignedTo = String()
    classification = Enum(AlertClassification)
    comments = Collection(Complex(AlertComment))
    createdDateTime = DateTimeOffset(nullable=False, computed=True)
    customTags = Collection(String())
    description = String()
    determination = Enum(AlertDetermination)
    displayName = String()
    incidentWebUrl = String()
    lastModifiedBy = String()
    lastUpdateDateTime = DateTimeOffset(nullable=False, computed=True)
    redirectIncidentId = String()
    severity = Enum(AlertSeverity, nullable=False)
    status = Enum(IncidentStatus, nullable=False)
    systemTags = Collection(String())
    tenantId = String()


INCIDENTS = EntitySet(
    name="incidents",
    type=Incident,
    permissions=Permissions(
        read=("SecurityIncident.Read.All", "SecurityIncident.ReadWrite.All"),
        write=("SecurityIncident.ReadWrite.All",),
    ),
    roots=ROOTS,
    navigations=(Navigation("alerts", ALERTS_V2, by="incidentId"),),
    appendable=("comments",),
)
