"""Tables of hunting that are views of what the state holds: alerts, their evidence, users, hosts.

Each is a function of entities as plain objects. How a type of evidence fills the columns of
``AlertEvidence`` stands in one table, by the paths of its properties.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import orjson

from mockgraph.service.hunting.schema import Row

Entity = Mapping[str, Any]
Entities = Callable[[str], Iterable[Entity]]
"""What gives the entities of a set by its name."""

# The service sources and severities of alerts_v2 as hunting spells them.
_SOURCES = {
    "microsoftDefenderForEndpoint": "Microsoft Defender for Endpoint",
    "microsoftDefenderForIdentity": "Microsoft Defender for Identity",
    "microsoftDefenderForCloudApps": "Microsoft Defender for Cloud Apps",
    "microsoftDefenderForOffice365": "Microsoft Defender for Office 365",
    "microsoft365Defender": "Microsoft 365 Defender",
    "azureAdIdentityProtection": "AAD Identity Protection",
    "microsoftAppGovernance": "App Governance",
    "dataLossPrevention": "Microsoft Data Loss Prevention",
    "microsoftDefenderForCloud": "Microsoft Defender for Cloud",
    "microsoftSentinel": "Microsoft Sentinel",
}

# By type of evidence: its EntityType, and the path of the property behind each column.
_EVIDENCE: dict[str, tuple[str, dict[str, str]]] = {
    "userEvidence": (
        "User",
        {
            "AccountName": "userAccount/accountName",
            "AccountDomain": "userAccount/domainName",
            "AccountSid": "userAccount/userSid",
            "AccountObjectId": "userAccount/azureAdUserId",
            "AccountUpn": "userAccount/userPrincipalName",
        },
    ),
    "deviceEvidence": ("Machine", {"DeviceId": "mdeDeviceId", "DeviceName": "deviceDnsName"}),
    "ipEvidence": ("Ip", {"RemoteIP": "ipAddress"}),
    "urlEvidence": ("Url", {"RemoteUrl": "url"}),
    "fileEvidence": (
        "File",
        {
            "FileName": "fileDetails/fileName",
            "FolderPath": "fileDetails/filePath",
            "SHA1": "fileDetails/sha1",
            "SHA256": "fileDetails/sha256",
            "FileSize": "fileDetails/fileSize",
            "DeviceId": "mdeDeviceId",
        },
    ),
    "processEvidence": (
        "Process",
        {
            "FileName": "imageFile/fileName",
            "FolderPath": "imageFile/filePath",
            "SHA1": "imageFile/sha1",
            "SHA256": "imageFile/sha256",
            "FileSize": "imageFile/fileSize",
            "ProcessCommandLine": "processCommandLine",
            "AccountName": "userAccount/accountName",
            "AccountDomain": "userAccount/domainName",
            "AccountUpn": "userAccount/userPrincipalName",
            "DeviceId": "mdeDeviceId",
        },
    ),
    "registryKeyEvidence": ("RegistryKey", {"RegistryKey": "registryKey"}),
    "registryValueEvidence": (
        "RegistryValue",
        {
            "RegistryKey": "registryKey",
            "RegistryValueName": "registryValueName",
            "RegistryValueData": "registryValue",
        },
    ),
    "mailboxEvidence": (
        "Mailbox",
        {
            "AccountUpn": "primaryAddress",
            "AccountObjectId": "userAccount/azureAdUserId",
            "AccountName": "userAccount/accountName",
        },
    ),
    "analyzedMessageEvidence": (
        "MailMessage",
        {"NetworkMessageId": "networkMessageId", "EmailSubject": "subject"},
    ),
    "cloudApplicationEvidence": (
        "CloudApplication",
        {"Application": "displayName", "ApplicationId": "saasAppId"},
    ),
    "oauthApplicationEvidence": (
        "OAuthApplication",
        {"OAuthApplicationId": "appId", "Application": "displayName"},
    ),
    "azureResourceEvidence": (
        "CloudResource",
        {"ResourceID": "resourceId", "CloudResource": "resourceName"},
    ),
}


def alert_info(entities: Entities) -> Iterator[Row]:
    """Return a row for each alert."""
    for alert in entities("alerts_v2"):
        yield _alert(alert) | {
            "Category": alert.get("category"),
            "AttackTechniques": _techniques(alert),
        }


def alert_evidence(entities: Entities) -> Iterator[Row]:
    """Return a row for each piece of evidence of each alert."""
    for alert in entities("alerts_v2"):
        evidence = alert.get("evidence") or ()
        machine: Entity = next((each for each in evidence if _short(each) == "deviceEvidence"), {})
        for each in evidence:
            kind, paths = _EVIDENCE.get(_short(each), (_short(each), {}))
            columns = {column: at(each, path) for column, path in paths.items()}
            columns.setdefault("DeviceId", machine.get("mdeDeviceId"))
            columns.setdefault("DeviceName", machine.get("deviceDnsName"))
            roles = each.get("roles") or ()
            yield (
                _alert(alert)
                | columns
                | {
                    "Categories": orjson.dumps([alert.get("category")]).decode(),
                    "AttackTechniques": _techniques(alert),
                    "EntityType": kind,
                    "EvidenceRole": "Impacted" if "compromised" in roles else "Related",
                    "EvidenceDirection": "Source" if "source" in roles else "",
                    "AdditionalFields": orjson.dumps(each, default=dict).decode(),
                }
            )


def identity_info(entities: Entities) -> Iterator[Row]:
    """Return a row for each user that evidence or a profile names."""
    found: dict[str, Row] = {}
    for alert in entities("alerts_v2"):
        for each in alert.get("evidence") or ():
            account = each.get("userAccount") or {}
            upn = account.get("userPrincipalName")
            if upn:
                row = found.setdefault(upn, {"AccountUpn": upn, "IsAccountEnabled": True})
                row |= _given(
                    Timestamp=alert.get("lastUpdateDateTime") or alert.get("createdDateTime"),
                    AccountName=account.get("accountName"),
                    AccountDomain=account.get("domainName"),
                    AccountDisplayName=account.get("displayName"),
                    AccountObjectId=account.get("azureAdUserId"),
                    OnPremSid=account.get("userSid"),
                )
    for profile in entities("userSecurityProfiles"):
        upn = profile.get("userPrincipalName")
        if upn:
            row = found.setdefault(upn, {"AccountUpn": upn, "IsAccountEnabled": True})
            row |= _given(
                Timestamp=profile.get("lastModifiedDateTime"),
                AccountObjectId=profile.get("azureAdUserId") or profile.get("id"),
                AccountDisplayName=profile.get("displayName"),
            )
    yield from found.values()


def device_info(entities: Entities) -> Iterator[Row]:
    """Return a row for each state of a device that evidence shows."""
    for alert in entities("alerts_v2"):
        for each in alert.get("evidence") or ():
            if _short(each) != "deviceEvidence":
                continue
            system = each.get("osPlatform") or ""
            users = [
                {"UserName": user.get("accountName"), "DomainName": user.get("domainName")}
                for user in each.get("loggedOnUsers") or ()
            ]
            yield {
                "Timestamp": each.get("createdDateTime"),
                "DeviceId": each.get("mdeDeviceId"),
                "DeviceName": each.get("deviceDnsName"),
                "AadDeviceId": each.get("azureAdDeviceId"),
                "OSPlatform": system.replace(" ", ""),
                "OSVersion": each.get("version"),
                "DeviceType": "Server" if "Server" in system else "Workstation",
                "PublicIP": each.get("lastExternalIpAddress"),
                "LoggedOnUsers": orjson.dumps(users).decode(),
                "OnboardingStatus": "Onboarded"
                if each.get("onboardingStatus") == "onboarded"
                else each.get("onboardingStatus"),
                "SensorHealthState": (each.get("healthStatus") or "").capitalize(),
            }


VIEWS: Mapping[str, Callable[[Entities], Iterator[Row]]] = {
    "AlertInfo": alert_info,
    "AlertEvidence": alert_evidence,
    "IdentityInfo": identity_info,
    "DeviceInfo": device_info,
}
# The sets that the views are made of.
SETS = ("alerts_v2", "userSecurityProfiles")


def at(entity: Entity, path: str) -> Any:
    """Return the value at a path of properties; None where there is none."""
    value: Any = entity
    for name in path.split("/"):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _short(evidence: Entity) -> str:
    """Return the type of evidence without its namespace."""
    return str(evidence.get("@odata.type", "")).rpartition(".")[2].removeprefix("#")


def _alert(alert: Entity) -> Row:
    severity = alert.get("severity") or ""
    source = alert.get("serviceSource") or ""
    return {
        "Timestamp": alert.get("lastActivityDateTime") or alert.get("createdDateTime"),
        "AlertId": alert.get("id"),
        "Title": alert.get("title"),
        "Severity": severity[:1].upper() + severity[1:],
        "ServiceSource": _SOURCES.get(source, source),
        "DetectionSource": alert.get("detectionSource"),
    }


def _techniques(alert: Entity) -> str:
    techniques = alert.get("mitreTechniques") or []
    return orjson.dumps(list(techniques)).decode() if techniques else ""


def _given(**columns: Any) -> Row:
    return {name: value for name, value in columns.items() if value is not None}
