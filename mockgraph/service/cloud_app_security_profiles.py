"""Profiles of cloud applications (`/cloudAppSecurityProfiles`)."""

from __future__ import annotations

from mockgraph.metadata import (
    Boolean,
    Collection,
    Complex,
    DateTimeOffset,
    EntityType,
    Enum,
    Enumeration,
    String,
)
from mockgraph.metadata.declarations import EntitySet
from mockgraph.service.permissions import SECURITY_EVENTS
from mockgraph.service.shared_types import SecurityVendorInformation


class ApplicationPermissionsRequired(Enumeration):
    """What an application asks of whoever installs it."""

    unknown = 0
    anonymous = 1
    guest = 2
    user = 3
    administrator = 4
    system = 5
    unknownFutureValue = 127


class CloudAppSecurityProfile(EntityType):
    """What is known of a cloud application."""

    is_open = True

    azureSubscriptionId = String()
    azureTenantId = String()
    createdDateTime = DateTimeOffset(computed=True)
    deploymentPackageUrl = String()
    destinationServiceName = String()
    isSigned = Boolean()
    lastModifiedDateTime = DateTimeOffset(computed=True)
    manifest = String()
    name = String()
    permissionsRequired = Enum(ApplicationPermissionsRequired)
    platform = String()
    policyName = String()
    publisher = String()
    riskScore = String()
    tags = Collection(String())
    type = String()
    vendorInformation = Complex(SecurityVendorInformation)


CLOUD_APP_SECURITY_PROFILES = EntitySet(
    name="cloudAppSecurityProfiles", type=CloudAppSecurityProfile, permissions=SECURITY_EVENTS
)
