"""Profiles of users (`/userSecurityProfiles`)."""

from __future__ import annotations

from mockgraph.metadata import (
    Collection,
    Complex,
    ComplexType,
    DateTimeOffset,
    EntityType,
    Enum,
    Enumeration,
    String,
)
from mockgraph.metadata.declarations import EntitySet
from mockgraph.service.permissions import SECURITY_EVENTS
from mockgraph.service.shared_types import SecurityVendorInformation


class AccountStatus(Enumeration):
    """Where a user account stands in its life."""

    unknown = 0
    staged = 1
    active = 2
    suspended = 3
    deleted = 4
    unknownFutureValue = 127


class UserAccount(ComplexType):
    """An account that a user has with a service."""

    displayName = String()
    lastSeenDateTime = DateTimeOffset()
    riskScore = String()
    service = String()
    signinName = String()
    status = Enum(AccountStatus)


class UserSecurityProfile(EntityType):
    """What is known of a user."""

    is_open = True

    accounts = Collection(Complex(UserAccount))
    azureSubscriptionId = String()
    azureTenantId = String(nullable=False)
    createdDateTime = DateTimeOffset(computed=True)
    displayName = String()
    lastModifiedDateTime = DateTimeOffset(computed=True)
    riskScore = String()
    tags = Collection(String())
    userPrincipalName = String()
    vendorInformation = Complex(SecurityVendorInformation)


USER_SECURITY_PROFILES = EntitySet(
    name="userSecurityProfiles", type=UserSecurityProfile, permissions=SECURITY_EVENTS
)
