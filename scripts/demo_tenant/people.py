"""The people of the tenant, and its service account."""

from __future__ import annotations

from dataclasses import dataclass

from demo_tenant.world import DOMAIN, NETBIOS_DOMAIN, Json, Properties, guid

_SID = "S-1-5-21-3141500926-1618033988-2718281828"


@dataclass(frozen=True)
class User:
    """An account: ``risk`` is a share of one, ``rid`` the last part of its security id."""

    name: str
    account: str
    job: str
    rid: int
    rights: str = "standard"
    risk: float = 0.05
    status: str = "active"

    @property
    def id(self) -> str:
        return guid("user", self.account)

    @property
    def principal(self) -> str:
        return f"{self.account}@{DOMAIN}"

    @property
    def sid(self) -> str:
        return f"{_SID}-{self.rid}"


INES = User("Ines Okafor", "ines.okafor", "Accounts payable", 1104, risk=0.82)
TOMAS = User("Tomáš Kubát", "tomas.kubat", "Purchasing", 1109, risk=0.21)
HANA = User("Hana Lindqvist", "hana.lindqvist", "Finance controller", 1111, risk=0.18)
RAFAEL = User("Rafael Quispe", "rafael.quispe", "Sales, Americas", 1123, risk=0.91)
MEI = User("Mei Tanabrook", "mei.tanabrook", "Product marketing", 1130, risk=0.34)
YUKI = User("Yuki Marsh", "yuki.marsh", "Marketing design", 1131, risk=0.41)
CALLUM = User("Callum Strand", "callum.strand", "Sonar design", 1142, risk=0.95, status="suspended")
GRETA = User("Greta Pohl", "greta.pohl", "Freight planning", 1150, risk=0.88)
SAMIR = User("Samir Belhaj", "samir.belhaj", "Warehouse shift lead", 1152, risk=0.52)
JONAS = User("Jonas Petri", "jonas.petri", "Web development", 1160, "power", 0.37)
DANA = User("Dana Whitlock", "dana.whitlock", "Systems administration", 1171, "administrator", 0.76)
BACKUP = User("Backup Service", "svc-backup", "Service account", 1190, "administrator", 0.84)
NOOR = User("Noor Haddad", "noor.haddad", "Security analysis", 1201, "power")
LEIF = User("Leif Arnesen", "leif.arnesen", "Security analysis", 1202, "power")
BEA = User("Bea Castellan", "bea.castellan", "Security operations lead", 1200, "power")

USERS = (
    INES,
    TOMAS,
    HANA,
    RAFAEL,
    MEI,
    YUKI,
    CALLUM,
    GRETA,
    SAMIR,
    JONAS,
    DANA,
    BACKUP,
    NOOR,
    LEIF,
    BEA,
)
BY_PRINCIPAL = {user.principal: user for user in USERS}


def user_state(user: User, **seen: Json) -> Properties:
    """A user as an alert mentions them; ``seen`` is what else the alert knows."""
    return {
        "aadUserId": user.id,
        "accountName": user.account,
        "domainName": NETBIOS_DOMAIN,
        "onPremisesSecurityIdentifier": user.sid,
        "riskScore": str(user.risk),
        "userAccountType": user.rights,
        "userPrincipalName": user.principal,
        **seen,
    }
