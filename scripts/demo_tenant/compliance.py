"""Purview's part of the tenant: a case of eDiscovery, searches of the audit log, labels."""

from __future__ import annotations

from demo_tenant import network
from demo_tenant.people import BEA, CALLUM, INES, NOOR, RAFAEL, User
from demo_tenant.world import TENANT_ID, Properties, guid, stamp


def _by(user: User) -> Properties:
    return {"user": {"displayName": user.name, "id": user.id}}


def cases() -> list[Properties]:
    """The cases of eDiscovery: that of the designer who took drawings along."""
    opened, changed = "10-23 09:00:00", "11-12 15:20:00"
    return [
        {
            "id": guid("case", "drawings"),
            "createdDateTime": stamp(opened),
            "description": "Sonar drawings that left the company before a resignation.",
            "displayName": "TDW-2026-07 Sonar drawings",
            "externalId": "TDW-2026-07",
            "lastModifiedBy": _by(BEA),
            "lastModifiedDateTime": stamp(changed),
            "status": "active",
            "custodians": [_custodian(CALLUM, "applied"), _custodian(RAFAEL, "notApplied")],
            "searches": [
                _search("Mail to addresses outside", 'from:callum.strand AND subject:"drawing"'),
                _search("Uploads to Dropfold", f'"{network.DROPFOLD.name}"'),
            ],
            "reviewSets": [
                {
                    "id": guid("reviewSet", "drawings"),
                    "createdBy": _by(NOOR),
                    "createdDateTime": stamp("10-27 10:00:00"),
                    "displayName": "For counsel",
                }
            ],
            "tags": [
                {
                    "id": guid("tag", "privileged"),
                    "childSelectability": "One",
                    "createdBy": _by(NOOR),
                    "displayName": "Privileged",
                }
            ],
        }
    ]


def _custodian(user: User, hold: str) -> Properties:
    return {
        "id": guid("custodian", user.account),
        "createdDateTime": stamp("10-23 09:10:00"),
        "displayName": user.name,
        "email": user.principal,
        "holdStatus": hold,
        "lastModifiedDateTime": stamp("10-23 09:40:00"),
        "status": "active",
    }


def _search(name: str, query: str) -> Properties:
    return {
        "id": guid("search", name),
        "contentQuery": query,
        "createdBy": _by(NOOR),
        "createdDateTime": stamp("10-24 08:00:00"),
        "dataSourceScopes": "allCaseCustodians",
        "displayName": name,
        "lastModifiedBy": _by(NOOR),
        "lastModifiedDateTime": stamp("10-24 08:30:00"),
    }


# What was done, by whom, from where, to what, when.
_ACTIONS = (
    ("ExchangeItem", "Exchange", "MailItemsAccessed", INES, "09-08 08:20:11", "Inbox"),
    ("ExchangeAdmin", "Exchange", "New-InboxRule", RAFAEL, "10-01 06:31:40", "Move invoices"),
    (
        "AzureActiveDirectory",
        "AzureActiveDirectory",
        "Consent to application.",
        RAFAEL,
        "10-01 06:33:02",
        network.CONSENT_APP.name,
    ),
    ("OneDrive", "OneDrive", "FileDownloaded", CALLUM, "10-22 18:02:15", "Drawings.zip"),
    ("OneDrive", "OneDrive", "FileSyncDownloadedFull", CALLUM, "10-22 18:05:48", "SX40"),
)


def audit_queries() -> list[Properties]:
    """The searches of the audit log, with what they found."""
    return [
        _audit("What the intruders did in mailboxes", "09-01", "10-02", (INES, RAFAEL)),
        _audit("Downloads before a resignation", "10-15", "10-23", (CALLUM,)),
    ]


def _audit(name: str, first: str, last: str, users: tuple[User, ...]) -> Properties:
    return {
        "id": guid("auditQuery", name),
        "displayName": name,
        "filterEndDateTime": stamp(f"{last} 00:00:00"),
        "filterStartDateTime": stamp(f"{first} 00:00:00"),
        "status": "succeeded",
        "userPrincipalNameFilters": [each.principal for each in users],
        "records": [_record(*each) for each in _ACTIONS if each[3] in users],
    }


def _record(
    kind: str, service: str, operation: str, user: User, when: str, thing: str
) -> Properties:
    return {
        "id": guid("auditRecord", operation, when),
        "auditLogRecordType": kind,
        "clientIp": "192.0.2.10",
        "createdDateTime": stamp(when),
        "objectId": thing,
        "operation": operation,
        "organizationId": TENANT_ID,
        "service": service,
        "userId": user.principal,
        "userPrincipalName": user.principal,
        "userType": "Regular",
    }


def retention_labels() -> list[Properties]:
    """The labels that say how long things are kept."""
    return [
        _label("Contracts, ten years", 3652, "retain", "startDispositionReview"),
        _label("Incident evidence, three years", 1096, "retainAsRecord", "delete"),
        _label("Chat, ninety days", 90, "doNotRetain", "delete", used=False),
    ]


def _label(name: str, days: int, behaviour: str, after: str, used: bool = True) -> Properties:
    return {
        "id": guid("retentionLabel", name),
        "actionAfterRetentionPeriod": after,
        "behaviorDuringRetentionPeriod": behaviour,
        "createdBy": _by(BEA),
        "createdDateTime": stamp("02-03 10:00:00"),
        "defaultRecordBehavior": "startLocked",
        "descriptionForAdmins": f"Kept for {days} days.",
        "displayName": name,
        "isInUse": used,
        "lastModifiedBy": _by(BEA),
        "lastModifiedDateTime": stamp("02-03 10:00:00"),
        "retentionDuration": {
            "@odata.type": "#microsoft.graph.security.retentionDurationInDays",
            "days": days,
        },
        "retentionTrigger": "dateLabeled",
    }


def event_types() -> list[Properties]:
    """The events from which a retention may be counted."""
    return [
        {
            "id": guid("retentionEventType", "leaver"),
            "createdBy": _by(BEA),
            "createdDateTime": stamp("02-03 10:30:00"),
            "description": "Somebody left the company.",
            "displayName": "Employee leaves",
        }
    ]
