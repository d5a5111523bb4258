"""Profiles of hosts (`/hostSecurityProfiles`)."""

from __future__ import annotations

from mockgraph.metadata import (
    Boolean,
    Collection,
    Complex,
    ComplexType,
    DateTimeOffset,
    EntityType,
    Enum,
    String,
)
from mockgraph.metadata.declarations import EntitySet
from mockgraph.service.permissions import SECURITY_EVENTS
from mockgraph.service.shared_types import (
    LogonType,
    SecurityVendorInformation,
    UserAccountSecurityType,
)


class LogonUser(ComplexType):
    """A user seen on a host."""

    accountDomain = String()
    accountName = String()
    accountType = Enum(UserAccountSecurityType)
    firstSeenDateTime = DateTimeOffset()
    lastSeenDateTime = DateTimeOffset()
    logonId = String()
    logonTypes = Collection(Enum(LogonType))


class NetworkInterface(ComplexType):
    """A network interface of a host."""

    description = String()
    ipV4Address = String()
    ipV6Address = String()
    localIpV6Address = String()
    macAddress = String()


class HostSecurityProfile(EntityType):
    """What is known of a host."""

    is_open = True

    azureSubscriptionId = String()
    azureTenantId = String(nullable=False)
    firstSeenDateTime = DateTimeOffset()
    fqdn = String()
    isAzureAdJoined = Boolean()
    isAzureAdRegistered = Boolean()
    isHybridAzureDomainJoined = Boolean()
    lastSeenDateTime = DateTimeOffset()
    logonUsers = Collection(Complex(LogonUser))
    netBiosName = String()
    networkInterfaces = Collection(Complex(NetworkInterface))
    os = String()
    osVersion = String()
    parentHost = String()
    relatedHostIds = Collection(String())
    riskScore = String()
    tags = Collection(String())
    vendorInformation = Complex(SecurityVendorInformation)


HOST_SECURITY_PROFILES = EntitySet(
    name="hostSecurityProfiles", type=HostSecurityProfile, permissions=SECURITY_EVENTS
)
