"""The providers that a tenant takes data from (`/providerTenantSettings`)."""

from __future__ import annotations

from mockgraph.metadata import Boolean, DateTimeOffset, EntityType, String
from mockgraph.metadata.declarations import EntitySet
from mockgraph.service.permissions import SECURITY_EVENTS


class ProviderTenantSetting(EntityType):
    """Whether a tenant takes data from a provider."""

    azureTenantId = String(nullable=False)
    enabled = Boolean()
    lastModifiedDateTime = DateTimeOffset(computed=True)
    provider = String()
    vendor = String()


PROVIDER_TENANT_SETTINGS = EntitySet(
    name="providerTenantSettings", type=ProviderTenantSetting, permissions=SECURITY_EVENTS
)
