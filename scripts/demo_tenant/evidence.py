"""The evidence of alerts_v2, made from the states that the legacy alerts carry.

The names of the derived types and of their properties are those of Microsoft's pages below
"alertEvidence resource type".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from demo_tenant.machines import BY_FQDN, BY_SHA256, Host
from demo_tenant.network import BY_ADDRESS, BY_SERVICE, Address
from demo_tenant.people import BY_PRINCIPAL, User
from demo_tenant.world import NETBIOS_DOMAIN, Properties, digest, given, guid, stamp

if TYPE_CHECKING:
    from demo_tenant.alert import Alert

_TYPE = "#microsoft.graph.security."


def message(
    recipient: User, sender: str, source: Address, subject: str, received: str, url: str
) -> Properties:
    """A message that was analysed, for an alert's ``mail``."""
    network_id = guid("message", sender, recipient.account)
    address = {
        "emailAddress": sender,
        "displayName": "Accounts",
        "domainName": sender.split("@")[1],
    }
    return {
        "@odata.type": f"{_TYPE}analyzedMessageEvidence",
        "roles": ["source"],
        "deliveryAction": "Delivered",
        "deliveryLocation": "Inbox",
        "internetMessageId": f"<{network_id}@tidewell-invoices.example>",
        "networkMessageId": network_id,
        "p1Sender": address,
        "p2Sender": address,
        "receivedDateTime": stamp(received),
        "recipientEmailAddress": recipient.principal,
        "senderIp": source.address,
        "subject": subject,
        "threatDetectionMethods": ["UrlReputation"],
        "threats": ["Phish"],
        "urls": [url],
        "urlCount": 1,
    }


def mailbox(user: User) -> Properties:
    """A user's mailbox, for an alert's ``mail``."""
    return {
        "@odata.type": f"{_TYPE}mailboxEvidence",
        "roles": ["compromised"],
        "displayName": user.name,
        "primaryAddress": user.principal,
        "userAccount": _account(user),
    }


def evidence(alert: Alert) -> list[Properties]:
    """The evidence of an alert, each piece with its verdict."""
    return [_judged(alert, piece) for piece in _pieces(alert)]


def _pieces(alert: Alert) -> Iterator[Properties]:
    yield from alert.mail
    for state in alert.users:
        yield _user(BY_PRINCIPAL[state["userPrincipalName"]])
    for state in alert.hosts:
        yield _device(BY_FQDN[state["fqdn"]])
    for state in alert.files:
        yield _file(state, alert)
    for state in alert.processes:
        yield _process(state, alert)
    for state in alert.registry:
        yield _registry_value(state)
    for address in _addresses(alert):
        yield _ip(address)
    for url in dict.fromkeys(each.get("destinationUrl") for each in alert.connections):
        if url:
            yield {"@odata.type": f"{_TYPE}urlEvidence", "roles": ["attacker"], "url": url}
    for state in alert.apps:
        yield _cloud_application(state)


def _judged(alert: Alert, piece: Properties) -> Properties:
    """The piece with the verdict and the remediation that the alert came to."""
    harmless = alert.feedback in ("falsePositive", "benignPositive")
    verdict = "malicious" if _is_malicious(piece) else "suspicious"
    kind, *rest = piece.items()
    return dict(
        [
            kind,
            ("createdDateTime", stamp(alert.created)),
            ("remediationStatus", alert.remediation),
            ("verdict", "noThreatsFound" if harmless else verdict),
            *rest,
        ]
    )


def _is_malicious(piece: Properties) -> bool:
    """Whether a piece does harm by itself: malware, and links and messages that attack."""
    if "fileDetails" in piece:
        return BY_SHA256[piece["fileDetails"]["sha256"]].malware is not None
    return "url" in piece or "urls" in piece


def _addresses(alert: Alert) -> list[Address]:
    """The addresses on the Internet that an alert mentions, each once."""
    found = [state.get("logonIp") for state in alert.users]
    for connection in alert.connections:
        found += [connection.get("sourceAddress"), connection.get("destinationAddress")]
    known = (BY_ADDRESS.get(each) for each in dict.fromkeys(found) if each)
    return [each for each in known if each]


def _account(user: User) -> Properties:
    return {
        "accountName": user.account,
        "azureAdUserId": user.id,
        "displayName": user.name,
        "domainName": NETBIOS_DOMAIN,
        "userPrincipalName": user.principal,
        "userSid": user.sid,
    }


def _user(user: User) -> Properties:
    return {
        "@odata.type": f"{_TYPE}userEvidence",
        "roles": ["compromised"] if user.risk > 0.5 else [],
        "userAccount": _account(user),
    }


def _device_id(host: Host) -> str:
    return digest("sha1", host.fqdn)


def _device(host: Host) -> Properties:
    return {
        "@odata.type": f"{_TYPE}deviceEvidence",
        "azureAdDeviceId": host.id,
        "deviceDnsName": host.fqdn,
        "healthStatus": "active",
        "ipInterfaces": [host.address],
        "loggedOnUsers": [
            {"accountName": user.account, "domainName": NETBIOS_DOMAIN} for user in host.users
        ],
        "mdeDeviceId": _device_id(host),
        "onboardingStatus": "onboarded",
        "osPlatform": host.system.replace(" ", ""),
        "riskScore": "high" if host.risk > 0.7 else "medium" if host.risk > 0.4 else "low",
        "version": host.build,
    }


def _file_details(sha256: str) -> Properties:
    file = BY_SHA256[sha256]
    return given(
        fileName=file.name,
        filePath=file.folder,
        fileSize=file.size,
        sha1=digest("sha1", file.name),
        sha256=sha256,
    )


def _on_device(alert: Alert) -> Properties:
    """The host that an alert's files and processes were found on: its last."""
    if not alert.hosts:
        return {}
    return {"mdeDeviceId": _device_id(BY_FQDN[alert.hosts[-1]["fqdn"]])}


def _file(state: Properties, alert: Alert) -> Properties:
    return {
        "@odata.type": f"{_TYPE}fileEvidence",
        "detectionStatus": "prevented" if alert.remediation == "prevented" else "detected",
        "fileDetails": _file_details(state["fileHash"]["hashValue"]),
        **_on_device(alert),
    }


def _process(state: Properties, alert: Alert) -> Properties:
    return given(
        **{"@odata.type": f"{_TYPE}processEvidence"},
        detectionStatus="prevented" if alert.remediation == "prevented" else "detected",
        imageFile=_file_details(state["fileHash"]["hashValue"]),
        **_on_device(alert),
        parentProcessId=state.get("parentProcessId"),
        parentProcessImageFile={"fileName": state["parentProcessName"]},
        processCommandLine=state["commandLine"],
        processCreationDateTime=state["createdDateTime"],
        processId=state["processId"],
        userAccount={
            "accountName": state["accountName"].split("\\")[1],
            "domainName": NETBIOS_DOMAIN,
        },
    )


def _registry_value(state: Properties) -> Properties:
    return {
        "@odata.type": f"{_TYPE}registryValueEvidence",
        "registryHive": state["hive"],
        "registryKey": state["key"],
        "registryValue": state["valueData"],
        "registryValueName": state["valueName"],
        "registryValueType": state["valueType"],
    }


def _ip(address: Address) -> Properties:
    return {
        "@odata.type": f"{_TYPE}ipEvidence",
        "roles": ["attacker"] if address.risk > 0.5 else ["contextual"],
        "countryLetterCode": address.country,
        "ipAddress": address.address,
    }


def _cloud_application(state: Properties) -> Properties:
    app = BY_SERVICE[state["destinationServiceName"]]
    return {
        "@odata.type": f"{_TYPE}cloudApplicationEvidence",
        "displayName": app.name,
        "instanceName": app.service,
        "saasAppId": int(guid("saas", app.service)[:5], 16),
    }
