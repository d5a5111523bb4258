"""Profiles of IP addresses (`/ipSecurityProfiles`)."""

from __future__ import annotations

from mockgraph.metadata import (
    Collection,
    Complex,
    ComplexType,
    DateTimeOffset,
    EntityType,
    Int32,
    String,
)
from mockgraph.metadata.declarations import EntitySet
from mockgraph.service.permissions import SECURITY_EVENTS
from mockgraph.service.shared_types import SecurityVendorInformation


class IpCategory(ComplexType):
    """A category that a vendor puts an IP address in."""

    description = String()
    name = String()
    vendor = String()


class IpReferenceData(ComplexType):
    """Where an IP address is, and whose, according to a vendor."""

    asn = Int32()
    city = String()
    countryOrRegionCode = String()
    organization = String()
    state = String()
    vendor = String()


class IpSecurityProfile(EntityType):
    """What is known of an IP address."""

    is_open = True

    activityGroupNames = Collection(String())
    address = String()
    azureSubscriptionId = String()
    azureTenantId = String(nullable=False)
    countHits = Int32()
    countHosts = Int32()
    firstSeenDateTime = DateTimeOffset()
    ipCategories = Collection(Complex(IpCategory))
    ipReferenceData = Collection(Complex(IpReferenceData))
    lastSeenDateTime = DateTimeOffset()
    riskScore = String()
    tags = Collection(String())
    vendorInformation = Complex(SecurityVendorInformation)


IP_SECURITY_PROFILES = EntitySet(
    name="ipSecurityProfiles", type=IpSecurityProfile, permissions=SECURITY_EVENTS
)
