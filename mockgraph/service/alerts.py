"""Alerts of the first generation (`/alerts`)."""

from __future__ import annotations

from mockgraph.errors import NotFound
from mockgraph.metadata import Collection, Complex, DateTimeOffset, EntityType, Enum, Int32, String
from mockgraph.metadata.declarations import Action, ActionResult, EntitySet, Rules
from mockgraph.metadata.names import Properties
from mockgraph.service.alert_states import (
    AlertFeedback,
    AlertHistoryState,
    AlertSeverity,
    AlertStatus,
    AlertTrigger,
    CloudAppSecurityState,
    FileSecurityState,
    HostSecurityState,
    NetworkConnection,
    Process,
    RegistryKeyState,
    UserSecurityState,
)
from mockgraph.service.bulk import BulkParameters, changes_by_key
from mockgraph.service.permissions import SECURITY_EVENTS
from mockgraph.service.shared_types import (
    MalwareState,
    SecurityVendorInformation,
    VulnerabilityState,
)
from mockgraph.state.transactions import Transaction

_TABLE = "security/alerts"


class Alert(EntityType):
    """A security alert of the first generation, as a provider raised it."""

    is_open = True

    activityGroupName = String()
    assignedTo = String()
    azureSubscriptionId = String()
    azureTenantId = String(nullable=False)
    category = String()
    closedDateTime = DateTimeOffset()
    cloudAppStates = Collection(Complex(CloudAppSecurityState))
    comments = Collection(String())
    confidence = Int32()
    createdDateTime = DateTimeOffset(computed=True)
    description = String()
    detectionIds = Collection(String())
    eventDateTime = DateTimeOffset()
    feedback = Enum(AlertFeedback)
    fileStates = Collection(Complex(FileSecurityState))
    historyStates = Collection(Complex(AlertHistoryState))
    hostStates = Collection(Complex(HostSecurityState))
    lastModifiedDateTime = DateTimeOffset(computed=True)
    malwareStates = Collection(Complex(MalwareState))
    networkConnections = Collection(Complex(NetworkConnection))
    processes = Collection(Complex(Process))
    recommendedActions = Collection(String())
    registryKeyStates = Collection(Complex(RegistryKeyState))
    severity = Enum(AlertSeverity, nullable=False)
    sourceMaterials = Collection(String())
    status = Enum(AlertStatus, nullable=False)
    tags = Collection(String())
    title = String()
    triggers = Collection(Complex(AlertTrigger))
    userStates = Collection(Complex(UserSecurityState))
    vendorInformation = Complex(SecurityVendorInformation)
    vulnerabilityStates = Collection(Complex(VulnerabilityState))


class UpdateAlertsParameters(BulkParameters):
    """The alerts to change, each with its id and what changes."""

    value = Collection(Complex(Alert), partial=True)


def _update(transaction: Transaction, _: str | None, parameters: Properties) -> ActionResult:
    changed = changes_by_key(parameters["value"])
    updated = [
        transaction.update(_TABLE, key, changes)
        for key, changes in changed
        if transaction.get(_TABLE, key) is not None
    ]
    if changed and not updated:
        raise NotFound("None of the alerts exists.")
    # An alert that no provider knows is left out; 206 says that the answer is not all of them.
    return ActionResult(200 if len(updated) == len(changed) else 206, updated)


ALERTS = EntitySet(
    name="alerts",
    type=Alert,
    permissions=SECURITY_EVENTS,
    actions=(Action("updateAlerts", _update, parameters=UpdateAlertsParameters, returns=Alert),),
    # Microsoft's pages "Update alert" and "security-error-codes", under "Constraints".
    rules=Rules(
        max_skip=500,
        updatable=frozenset(
            ["assignedTo", "closedDateTime", "comments", "feedback", "status", "tags"]
        ),
        update_needs=("vendorInformation/provider", "vendorInformation/vendor"),
        update_answers="minimal",
    ),
)
