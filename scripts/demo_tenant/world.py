"""The common ground of the demo tenant: its identity, its clock, its providers."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

Json = Any
Properties = dict[str, Json]

DOMAIN = "tidewell.example"
NETBIOS_DOMAIN = "TIDEWELL"
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, DOMAIN)

TODAY = date(2026, 11, 20)
DAYS = 90


def guid(*parts: str) -> str:
    """The same GUID for the same words."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(parts)))


TENANT_ID = guid("tenant")
SUBSCRIPTION_ID = guid("subscription")


def at(text: str) -> datetime:
    """The moment that ``MM-DD HH:MM:SS`` names in the tenant's year, in UTC."""
    return datetime.fromisoformat(f"{TODAY.year}-{text}").replace(tzinfo=UTC)


def stamp(moment: datetime | str) -> str:
    """A moment, or what names one to :func:`at`, as Graph writes it."""
    if isinstance(moment, str):
        moment = at(moment)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def days_ago(days: int, hour: int = 0) -> str:
    """The stamp of a full hour, some days before today."""
    midnight = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC)
    return stamp(midnight - timedelta(days=days) + timedelta(hours=hour))


def given(**properties: Json) -> Properties:
    """The properties without those that say nothing: null and empty collections."""
    return {name: value for name, value in properties.items() if value not in (None, [], {}, ())}


def digest(algorithm: str, name: str) -> str:
    """A made-up hash of a file: that of its name in this tenant."""
    return hashlib.new(algorithm, f"{DOMAIN}/{name}".encode()).hexdigest()


@dataclass(frozen=True)
class Provider:
    """A product that raises alerts.

    ``service`` and ``detection`` are the sources that alerts_v2 name; a product of another
    vendor has none, since alerts_v2 come from Microsoft's products alone.
    """

    vendor: str
    name: str
    product: str
    region: str
    version: str | None = None
    service: str | None = None
    detection: str | None = None
    enabled: bool = True

    @property
    def information(self) -> Properties:
        """As ``vendorInformation`` names it."""
        return given(provider=self.name, providerVersion=self.version, vendor=self.vendor)


ENDPOINT = Provider(
    "Microsoft",
    "Microsoft Defender ATP",
    "Microsoft Defender for Endpoint",
    "westeurope",
    service="microsoftDefenderForEndpoint",
    detection="microsoftDefenderForEndpoint",
)
IDENTITY = Provider(
    "Microsoft",
    "Azure Advanced Threat Protection",
    "Microsoft Defender for Identity",
    "westeurope",
    service="microsoftDefenderForIdentity",
    detection="microsoftDefenderForIdentity",
)
CLOUD_APPS = Provider(
    "Microsoft",
    "MCAS",
    "Microsoft Defender for Cloud Apps",
    "northeurope",
    service="microsoftDefenderForCloudApps",
    detection="cloudAppSecurity",
)
OFFICE = Provider(
    "Microsoft",
    "Office 365 Security and Compliance",
    "Microsoft Defender for Office 365",
    "northeurope",
    service="microsoftDefenderForOffice365",
    detection="microsoftDefenderForOffice365",
)
SIGN_INS = Provider(
    "Microsoft",
    "IPC",
    "Microsoft Entra ID Protection",
    "westeurope",
    service="azureAdIdentityProtection",
    detection="azureAdIdentityProtection",
)
CLOUD = Provider(
    "Microsoft",
    "ASC",
    "Microsoft Defender for Cloud",
    "westeurope",
    version="3.0",
    service="microsoftDefenderForCloud",
    detection="microsoftDefenderForServers",
)
SENTINEL = Provider(
    "Microsoft",
    "Azure Sentinel",
    "Microsoft Sentinel",
    "westeurope",
    service="microsoftSentinel",
    detection="scheduledAlerts",
)
FIREWALL = Provider(
    "Corvane", "Corvane Edge Firewall", "Corvane Edge Firewall", "eu-1", version="11.4.2"
)
DATA_LOSS = Provider("Lumitrace", "Lumitrace DLP", "Lumitrace DLP", "eu-central", version="7.9")
MAIL_GATEWAY = Provider(
    "Oakmere", "Oakmere Mail Gateway", "Oakmere Mail Gateway", "eu-west", enabled=False
)

PROVIDERS = (
    ENDPOINT,
    IDENTITY,
    CLOUD_APPS,
    OFFICE,
    SIGN_INS,
    CLOUD,
    SENTINEL,
    FIREWALL,
    DATA_LOSS,
    MAIL_GATEWAY,
)

# The day on which each provider was connected, or disconnected; all but these: January 12.
_LAST_CHANGED: Mapping[Provider, str] = {
    DATA_LOSS: "03-02 09:15:00",
    SENTINEL: "04-20 13:40:00",
    MAIL_GATEWAY: "08-28 16:05:00",
}


def provider_status() -> list[Properties]:
    """Whether each provider is connected, and where."""
    return [
        {
            "enabled": each.enabled,
            "endpoint": f"https://{each.name.lower().replace(' ', '-')}.providers.{DOMAIN}/v1",
            "provider": each.name,
            "region": each.region,
            "vendor": each.vendor,
        }
        for each in PROVIDERS
    ]


def provider_settings() -> list[Properties]:
    """Whether the tenant takes data from each provider."""
    return [
        {
            "id": guid("providerTenantSetting", each.vendor, each.name),
            "azureTenantId": TENANT_ID,
            "enabled": each.enabled,
            "lastModifiedDateTime": stamp(_LAST_CHANGED.get(each, "01-12 08:00:00")),
            "provider": each.name,
            "vendor": each.vendor,
        }
        for each in PROVIDERS
    ]
