"""Alerts of the second generation (`/alerts_v2`): what Microsoft 365 Defender raises."""

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
from mockgraph.metadata.declarations import EntitySet, Permissions
from mockgraph.service.alert_evidence import AlertEvidence
from mockgraph.service.security_types import (
    ROOTS,
    AlertClassification,
    AlertComment,
    AlertDetermination,
    AlertSeverity,
    InSecurityNamespace,
)


class AlertStatus(InSecurityNamespace, Enumeration):
    """Where an alert stands in its handling."""

    unknown = 0
    new = 2
    inProgress = 4
    resolved = 8
    unknownFutureValue = 31


class DetectionSource(InSecurityNamespace, Enumeration):
    """The technology or sensor that noticed something.

    The metadata's values end with microsoftDefenderForCloud. The members after it are known
    from the reference pages, by name alone; they go on in the order given there.
    """

    unknown = 0
    microsoftDefenderForEndpoint = 1
    antivirus = 2
    smartScreen = 4
    customTi = 8
    microsoftDefenderForOffice365 = 512
    automatedInvestigation = 1024
    microsoftThreatExperts = 2048
    customDetection = 4096
    microsoftDefenderForIdentity = 8192
    cloudAppSecurity = 16384
    microsoft365Defender = 32768
    azureAdIdentityProtection = 65536
    manual = 262144
    microsoftDataLossPrevention = 524288
    appGovernancePolicy = 1048576
    appGovernanceDetection = 2097152
    unknownFutureValue = 4194303
    microsoftDefenderForCloud = 4194304
    microsoftDefenderForIoT = 4194305
    microsoftDefenderForServers = 4194306
    microsoftDefenderForStorage = 4194307
    microsoftDefenderForDNS = 4194308
    microsoftDefenderForDatabases = 4194309
    microsoftDefenderForContainers = 4194310
    microsoftDefenderForNetwork = 4194311
    microsoftDefenderForAppService = 4194312
    microsoftDefenderForKeyVault = 4194313
    microsoftDefenderForResourceManager = 4194314
    microsoftDefenderForApiManagement = 4194315
    nrtAlerts = 4194316
    scheduledAlerts = 4194317
    microsoftDefenderThreatIntelligenceAnalytics = 4194318
    builtInMl = 4194319
    microsoftInsiderRiskManagement = 4194320
    microsoftSentinel = 4194321


class ServiceSource(InSecurityNamespace, Enumeration):
    """The product that created an alert.

    As with DetectionSource, the members after microsoftDefenderForCloud are known by name
    alone.
    """

    unknown = 0
    microsoftDefenderForEndpoint = 1
    microsoftDefenderForIdentity = 2
    microsoftDefenderForCloudApps = 4
    microsoftDefenderForOffice365 = 8
    microsoft365Defender = 16
    azureAdIdentityProtection = 32
    microsoftAppGovernance = 64
    dataLossPrevention = 128
    unknownFutureValue = 255
    microsoftDefenderForCloud = 256
    microsoftSentinel = 257
    microsoftInsiderRiskManagement = 258
    microsoftThreatIntelligence = 259


class Alert(InSecurityNamespace, EntityType):
    """An alert of the second generation: its main properties, and dynamic ones beside them."""

    is_open = True

    actorDisplayName = String()
    alertPolicyId = String()
    alertWebUrl = String()
    assignedTo = String()
    category = String()
    classification = Enum(AlertClassification)
    comments = Collection(Complex(AlertComment))
    createdDateTime = DateTimeOffset(computed=True)
    description = String()
    detectionSource = Enum(DetectionSource)
    detectorId = String()
    determination = Enum(AlertDetermination)
    evidence = Collection(Complex(AlertEvidence))
    firstActivityDateTime = DateTimeOffset()
    incidentId = String()
    incidentWebUrl = String()
    lastActivityDateTime = DateTimeOffset()
    lastUpdateDateTime = DateTimeOffset(computed=True)
    mitreTechniques = Collection(String())
    productName = String()
    providerAlertId = String()
    recommendedActions = String()
    resolvedDateTime = DateTimeOffset()
    serviceSource = Enum(ServiceSource, nullable=False)
    severity = Enum(AlertSeverity, nullable=False)
    status = Enum(AlertStatus, nullable=False)
    systemTags = Collection(String())
    tenantId = String()
    threatDisplayName = String()
    threatFamilyName = String()
    title = String()


ALERTS_V2 = EntitySet(
    name="alerts_v2",
    type=Alert,
    permissions=Permissions(
        read=("SecurityAlert.Read.All", "SecurityAlert.ReadWrite.All"),
        write=("SecurityAlert.ReadWrite.All",),
    ),
    roots=ROOTS,
    appendable=("comments",),
)
