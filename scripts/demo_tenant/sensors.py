"""The sensors of Defender for Identity, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass

from demo_tenant.machines import BKP_01, DC_01, FS_02, Host
from demo_tenant.world import DOMAIN, Properties, guid, stamp

_HEALTH = {"low": "notHealthyLow", "medium": "notHealthyMedium", "high": "notHealthyHigh"}


@dataclass(frozen=True)
class Issue:
    """A health issue of a sensor; it is open until it is ``closed``."""

    host: Host
    name: str
    severity: str
    since: str
    changed: str
    description: str
    advice: str
    closed: bool = False

    @property
    def written(self) -> Properties:
        return {
            "id": guid("healthIssue", self.host.fqdn, self.name),
            "additionalInformation": [],
            "createdDateTime": stamp(self.since),
            "description": self.description,
            "displayName": self.name,
            "domainNames": [f"corp.{DOMAIN}"],
            "healthIssueType": "sensor",
            "lastModifiedDateTime": stamp(self.changed),
            "recommendations": [self.advice],
            "recommendedActionCommands": [],
            "sensorDNSNames": [self.host.fqdn],
            "severity": self.severity,
            "status": "closed" if self.closed else "open",
        }


_ISSUES = (
    Issue(
        DC_01,
        "Directory Services Advanced Auditing is not enabled as required",
        "medium",
        "10-05 09:00:00",
        "11-18 09:00:00",
        "Some audit policies are not set, so that attacks on the directory may go unseen.",
        "Set the policies of the group policy object 'Advanced auditing'.",
    ),
    Issue(
        FS_02,
        "Sensor stopped communicating",
        "high",
        "11-19 22:58:00",
        "11-20 07:30:00",
        "The sensor on FS-02 has not been heard of since a service was put there.",
        "Look at the host before the sensor is started again.",
    ),
    Issue(
        DC_01,
        "Sensor version is outdated",
        "low",
        "09-14 06:00:00",
        "09-16 06:00:00",
        "The sensor on DC-01 is three versions behind.",
        "Turn delayed updates off.",
        closed=True,
    ),
)

_SENSORS = (
    (DC_01, "domainControllerIntegrated", "upToDate", "running"),
    (FS_02, "adcsIntegrated", "unreachable", "stopped"),
    (BKP_01, "adConnectIntegrated", "outdated", "running"),
)


def health_issues() -> list[Properties]:
    """The health issues, the oldest first."""
    return [each.written for each in sorted(_ISSUES, key=lambda each: each.since)]


def sensors() -> list[Properties]:
    """The sensors, each with as many open issues as there are of its host."""
    return [_sensor(*each) for each in _SENSORS]


def _sensor(host: Host, kind: str, deployment: str, service: str) -> Properties:
    own = [each.severity for each in _ISSUES if each.host is host and not each.closed]
    worst = max(own, key=list(_HEALTH).index, default=None)
    return {
        "id": guid("sensor", host.fqdn),
        "createdDateTime": stamp("03-02 08:00:00"),
        "deploymentStatus": deployment,
        "displayName": host.name,
        "domainName": f"corp.{DOMAIN}",
        "healthStatus": _HEALTH[worst] if worst else "healthy",
        "openHealthIssuesCount": len(own),
        "sensorType": kind,
        "serviceStatus": service,
        "settings": {
            "description": "",
            "domainControllerDnsNames": [DC_01.fqdn],
            "isDelayedDeploymentEnabled": deployment == "outdated",
        },
        "version": "2.246.18960.41202" if deployment != "outdated" else "2.243.18870.33301",
    }
