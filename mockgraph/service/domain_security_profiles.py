"""Profiles of domains (`/domainSecurityProfiles`)."""

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


class ReputationCategory(ComplexType):
    """A category that a vendor puts a domain in."""

    description = String()
    name = String()
    vendor = String()


class DomainRegistrant(ComplexType):
    """Who registered a domain, according to a vendor."""

    countryOrRegionCode = String()
    organization = String()
    url = String()
    vendor = String()


class DomainSecurityProfile(EntityType):
    """What is known of a domain."""

    is_open = True

    activityGroupNames = Collection(String())
    azureSubscriptionId = String()
    azureTenantId = String(nullable=False)
    countHits = Int32()
    countInOrg = Int32()
    domainCategories = Collection(Complex(ReputationCategory))
    domainRegisteredDateTime = DateTimeOffset()
    firstSeenDateTime = DateTimeOffset()
    lastSeenDateTime = DateTimeOffset()
    name = String()
    registrant = Complex(DomainRegistrant)
    riskScore = String()
    tags = Collection(String())
    vendorInformation = Complex(SecurityVendorInformation)


DOMAIN_SECURITY_PROFILES = EntitySet(
    name="domainSecurityProfiles", type=DomainSecurityProfile, permissions=SECURITY_EVENTS
)
