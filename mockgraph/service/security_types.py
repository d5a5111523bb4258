"""What alerts_v2 and incidents share: types of the namespace microsoft.graph.security.

Members and values are those of the v1.0 metadata.
"""

from __future__ import annotations

from mockgraph.metadata import ComplexType, DateTimeOffset, Enumeration, String

# The sample service has none of this; its metadata knows the older generation alone.
ROOTS = frozenset({"v1.0", "beta"})


class InSecurityNamespace:
    """A type of microsoft.graph.security: its name is qualified within microsoft.graph."""

    @classmethod
    def edm_name(cls) -> str:
        return f"security.{cls.__name__[0].lower()}{cls.__name__[1:]}"


class AlertClassification(InSecurityNamespace, Enumeration):
    """Whether an alert or incident is a true threat."""

    unknown = 0
    falsePositive = 10
    truePositive = 20
    informationalExpectedActivity = 30
    unknownFutureValue = 39


class AlertDetermination(InSecurityNamespace, Enumeration):
    """What an investigation found an alert or incident to be."""

    unknown = 0
    apt = 10
    malware = 20
    securityPersonnel = 30
    securityTesting = 40
    unwantedSoftware = 50
    other = 60
    multiStagedAttack = 70
    compromisedAccount = 80
    phishing = 90
    maliciousUserActivity = 100
    notMalicious = 110
    notEnoughDataToValidate = 120
    confirmedActivity = 130
    lineOfBusinessApplication = 140
    unknownFutureValue = 149


class AlertSeverity(InSecurityNamespace, Enumeration):
    """How much an alert or incident matters."""

    unknown = 0
    informational = 32
    low = 64
    medium = 128
    high = 256
    unknownFutureValue = 511


class AlertComment(InSecurityNamespace, ComplexType):
    """An analyst's comment on an alert or incident."""

    comment = String()
    createdByDisplayName = String()
    createdDateTime = DateTimeOffset(nullable=False)
