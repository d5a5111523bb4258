"""The controls that secure scores add up (`/secureScoreControlProfiles`)."""

from __future__ import annotations

from mockgraph.metadata import (
    Boolean,
    Collection,
    Complex,
    ComplexType,
    DateTimeOffset,
    Double,
    EntityType,
    Int32,
    String,
)
from mockgraph.metadata.declarations import EntitySet
from mockgraph.service.permissions import SECURITY_EVENTS
from mockgraph.service.shared_types import SecurityVendorInformation


class CertificationControl(ComplexType):
    """One control of a certification."""

    is_open = True

    name = String()
    url = String()


class ComplianceInformation(ComplexType):
    """A certification that a control counts for."""

    is_open = True

    certificationControls = Collection(Complex(CertificationControl))
    certificationName = String()


class SecureScoreControlStateUpdate(ComplexType):
    """One change of a control's state."""

    assignedTo = String()
    comment = String()
    state = String()
    updatedBy = String()
    updatedDateTime = DateTimeOffset()


class SecureScoreControlProfile(EntityType):
    """A measure that counts towards the secure score."""

    is_open = True

    actionType = String()
    actionUrl = String()
    azureTenantId = String(nullable=False)
    complianceInformation = Collection(Complex(ComplianceInformation))
    controlCategory = String()
    controlStateUpdates = Collection(Complex(SecureScoreControlStateUpdate))
    deprecated = Boolean()
    implementationCost = String()
    lastModifiedDateTime = DateTimeOffset(computed=True)
    maxScore = Double()
    rank = Int32()
    remediation = String()
    remediationImpact = String()
    service = String()
    threats = Collection(String())
    tier = String()
    title = String()
    userImpact = String()
    vendorInformation = Complex(SecurityVendorInformation)


SECURE_SCORE_CONTROL_PROFILES = EntitySet(
    name="secureScoreControlProfiles", type=SecureScoreControlProfile, permissions=SECURITY_EVENTS
)
