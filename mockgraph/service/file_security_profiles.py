"""Profiles of files (`/fileSecurityProfiles`)."""

from __future__ import annotations

from mockgraph.metadata import Collection, Complex, DateTimeOffset, EntityType, Int64, String
from mockgraph.metadata.declarations import EntitySet
from mockgraph.service.permissions import SECURITY_EVENTS
from mockgraph.service.shared_types import (
    FileHash,
    MalwareState,
    SecurityVendorInformation,
    VulnerabilityState,
)


class FileSecurityProfile(EntityType):
    """What is known of a file."""

    is_open = True

    activityGroupNames = Collection(String())
    azureSubscriptionId = String()
    azureTenantId = String(nullable=False)
    certificateThumbprint = String()
    extensions = Collection(String())
    fileType = String()
    firstSeenDateTime = DateTimeOffset()
    hashes = Collection(Complex(FileHash))
    lastSeenDateTime = DateTimeOffset()
    malwareStates = Collection(Complex(MalwareState))
    names = Collection(String())
    riskScore = String()
    size = Int64()
    tags = Collection(String())
    vendorInformation = Complex(SecurityVendorInformation)
    vulnerabilityStates = Collection(Complex(VulnerabilityState))


FILE_SECURITY_PROFILES = EntitySet(
    name="fileSecurityProfiles", type=FileSecurityProfile, permissions=SECURITY_EVENTS
)
