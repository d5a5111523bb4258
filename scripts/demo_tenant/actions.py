"""The security actions that analysts asked the providers to take."""

from __future__ import annotations

from datetime import timedelta

from demo_tenant import machines, network
from demo_tenant.people import BEA, CALLUM, INES, LEIF, NOOR, RAFAEL, User
from demo_tenant.world import (
    CLOUD_APPS,
    ENDPOINT,
    FIREWALL,
    SIGN_INS,
    TENANT_ID,
    Properties,
    Provider,
    at,
    given,
    guid,
    stamp,
)

_PORTAL_APP = guid("app", "soc portal")

# The statuses that lead to each, in order.
_WAY = {
    "NotStarted": ("NotStarted",),
    "Running": ("NotStarted", "Running"),
    "Completed": ("NotStarted", "Running", "Completed"),
    "Failed": ("NotStarted", "Running", "Failed"),
}


def _action(
    name: str,
    provider: Provider,
    asked: str,
    analyst: User,
    reason: str,
    target: tuple[str, str],
    status: str = "Completed",
    minutes: int = 3,
    error: Properties | None = None,
) -> Properties:
    """An action that took some minutes from one status to the next."""
    moments = [at(asked) + timedelta(minutes=minutes * turn) for turn in range(len(_WAY[status]))]
    states = [
        {
            "appId": _PORTAL_APP,
            "status": each,
            "updatedDateTime": stamp(moment),
            "user": analyst.principal,
        }
        for each, moment in zip(_WAY[status], moments, strict=True)
    ]
    kind, value = target
    return given(
        id=guid("securityAction", asked, name),
        actionReason=reason,
        appId=_PORTAL_APP,
        azureTenantId=TENANT_ID,
        clientContext=guid("context", asked, name),
        completedDateTime=stamp(moments[-1]) if status == "Completed" else None,
        createdDateTime=stamp(asked),
        errorInfo=error,
        lastActionDateTime=stamp(moments[-1]),
        name=name,
        parameters=[{"name": kind, "value": value}],
        states=states,
        status=status,
        user=analyst.principal,
        vendorInformation=provider.information,
    )


def actions() -> list[Properties]:
    """The actions, the oldest first."""
    return [
        _action(
            "BlockIp",
            FIREWALL,
            "09-01 06:52:00",
            LEIF,
            "Password guessing against WEB-VM-03.",
            ("IP", network.BRUTE_A.address),
        ),
        _action(
            "BlockDomain",
            FIREWALL,
            "09-08 08:33:00",
            NOOR,
            "Lure sent to finance.",
            ("Domain", network.LURE.name),
        ),
        _action(
            "RevokeSessions",
            SIGN_INS,
            "09-08 08:38:00",
            NOOR,
            "Password typed into a false page.",
            ("UserPrincipalName", INES.principal),
            minutes=1,
        ),
        _action(
            "BlockFile",
            ENDPOINT,
            "09-22 13:40:00",
            LEIF,
            "Patchwren installer.",
            ("SHA256", machines.CONVERTER.sha256),
        ),
        _action(
            "DisableUser",
            SIGN_INS,
            "10-01 06:41:00",
            LEIF,
            "Account in foreign hands.",
            ("UserPrincipalName", RAFAEL.principal),
            minutes=1,
        ),
        _action(
            "RevokeConsent",
            CLOUD_APPS,
            "10-01 06:52:00",
            NOOR,
            "Consent given by the intruder.",
            ("ApplicationName", network.CONSENT_APP.name),
        ),
        _action(
            "DisableUser",
            SIGN_INS,
            "10-22 20:20:00",
            NOOR,
            "Drawings leave the company.",
            ("UserPrincipalName", CALLUM.principal),
            minutes=1,
        ),
        _action(
            "BlockDomain",
            FIREWALL,
            "10-22 20:22:00",
            NOOR,
            "Unapproved storage.",
            ("Domain", network.DROPFOLD.name),
            "Failed",
            error={"code": 403, "subcode": 17, "message": "The domain is on the allow list."},
        ),
        _action(
            "IsolateHost",
            ENDPOINT,
            "11-18 07:10:00",
            NOOR,
            "Credentials stolen on this host.",
            ("FQDN", machines.LOG_22.fqdn),
            minutes=4,
        ),
        _action(
            "IsolateHost",
            ENDPOINT,
            "11-20 06:28:00",
            LEIF,
            "Used to move to FS-02.",
            ("FQDN", machines.WHS_03.fqdn),
        ),
        _action(
            "IsolateHost",
            ENDPOINT,
            "11-20 06:36:00",
            LEIF,
            "A command relay runs as a service.",
            ("FQDN", machines.FS_02.fqdn),
            "Failed",
            error={"code": 504, "subcode": 0, "message": "The host did not answer in time."},
        ),
        _action(
            "ScanHost",
            ENDPOINT,
            "11-20 06:44:00",
            BEA,
            "Is the relay here too?",
            ("FQDN", machines.DC_01.fqdn),
            "Running",
        ),
        _action(
            "IsolateHost",
            ENDPOINT,
            "11-20 06:46:00",
            BEA,
            "Shadow copies deleted.",
            ("FQDN", machines.BKP_01.fqdn),
            "NotStarted",
        ),
        _action(
            "CollectInvestigationPackage",
            ENDPOINT,
            "11-20 06:47:00",
            BEA,
            "For the forensics team.",
            ("FQDN", machines.WHS_03.fqdn),
            "NotStarted",
        ),
    ]
