"""The second generation: alerts_v2 for what Microsoft's products raised, and incidents."""

from __future__ import annotations

from datetime import timedelta

from demo_tenant.alert import CLOSED, SEVERITIES, Alert, Step, Story
from demo_tenant.evidence import evidence
from demo_tenant.stories import STORIES
from demo_tenant.world import TENANT_ID, Properties, at, given, guid, stamp

_PORTAL = "https://soc.tidewell.example"

_STATUS = {
    "newAlert": "new",
    "inProgress": "inProgress",
    "resolved": "resolved",
    "dismissed": "resolved",
}
_CLASSIFICATION = {
    "truePositive": "truePositive",
    "falsePositive": "falsePositive",
    "benignPositive": "informationalExpectedActivity",
}


_FIRST = 1871  # what the first incident is numbered


def _id(story: Story) -> str:
    """The number of an incident, as text; those that were opened later have higher ones."""
    return str(_FIRST + 2 * _told().index(story))


def _told() -> list[Story]:
    """The stories that are incidents, the one opened first at the head."""
    told = [story for story in STORIES if _microsoft(story)]
    return sorted(told, key=_opened)


def alerts_v2() -> list[Properties]:
    """The alerts that Microsoft's products raised, the oldest first."""
    told = [(alert, story) for story in STORIES for alert in _microsoft(story)]
    return [_alert(*each) for each in sorted(told, key=lambda each: each[0].created)]


def incidents() -> list[Properties]:
    """The stories that have such alerts, as incidents, the oldest first."""
    return [_incident(story) for story in _told()]


def _microsoft(story: Story) -> list[Alert]:
    return [alert for alert in story.alerts if alert.provider.service]


def _opened(story: Story) -> str:
    return stamp(min(alert.created for alert in _microsoft(story)))


def _alert(alert: Alert, story: Story) -> Properties:
    key = guid("alert_v2", alert.id)
    family = alert.malware[0] if alert.malware else {}
    return given(
        id=key,
        actorDisplayName=alert.group,
        alertWebUrl=f"{_PORTAL}/alerts/{key}",
        assignedTo=alert.assignee,
        category=alert.tactic,
        classification=_CLASSIFICATION.get(alert.feedback or ""),
        comments=[_comment(step) for step in alert.steps if step.comment],
        createdDateTime=stamp(alert.created),
        description=alert.description,
        detectionSource=alert.provider.detection,
        detectorId=guid("detector", alert.provider.name, alert.category),
        determination=alert.determination if alert.feedback else None,
        evidence=evidence(alert),
        firstActivityDateTime=stamp(alert.event),
        incidentId=_id(story),
        incidentWebUrl=f"{_PORTAL}/incidents/{_id(story)}",
        lastActivityDateTime=stamp(alert.occurred + timedelta(minutes=alert.lasted)),
        lastUpdateDateTime=stamp(alert.changed),
        mitreTechniques=alert.techniques,
        productName=alert.provider.product,
        providerAlertId=alert.id,
        recommendedActions="\n".join(alert.advice),
        resolvedDateTime=alert.closed,
        serviceSource=alert.provider.service,
        severity=alert.severity,
        status=_STATUS[alert.status],
        systemTags=[],
        tenantId=TENANT_ID,
        threatDisplayName=family.get("name"),
        threatFamilyName=family.get("family"),
        title=alert.title,
    )


def _incident(story: Story) -> Properties:
    alerts = _microsoft(story)
    steps = story.comments or alerts[-1].steps
    over = all(alert.status in CLOSED for alert in alerts)
    feedback = alerts[-1].feedback or ""
    changes = [alert.changed for alert in alerts] + [at(step.when) for step in story.comments]
    return given(
        id=_id(story),
        assignedTo=steps[-1].analyst.principal,
        classification=_CLASSIFICATION.get(feedback) if over else None,
        comments=[_comment(step) for step in story.comments],
        createdDateTime=_opened(story),
        customTags=story.tags,
        description=story.summary,
        determination=story.determination,
        displayName=story.name,
        incidentWebUrl=f"{_PORTAL}/incidents/{_id(story)}",
        lastModifiedBy=steps[-1].analyst.principal,
        lastUpdateDateTime=stamp(max(changes)),
        severity=max((alert.severity for alert in alerts), key=SEVERITIES.index),
        status="resolved" if over else "active",
        systemTags=["Ransomware"] if "ransomware" in story.tags else [],
        tenantId=TENANT_ID,
    )


def _comment(step: Step) -> Properties:
    return {
        "comment": step.comment,
        "createdByDisplayName": step.analyst.name,
        "createdDateTime": stamp(step.when),
    }
