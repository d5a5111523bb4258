"""An alert told once, and written as the first generation (`/alerts`) has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from demo_tenant.people import User
from demo_tenant.world import (
    CLOUD,
    SUBSCRIPTION_ID,
    TENANT_ID,
    Properties,
    Provider,
    at,
    given,
    guid,
    stamp,
)

CLOSED = ("resolved", "dismissed")
SEVERITIES = ("unknown", "informational", "low", "medium", "high")


@dataclass(frozen=True)
class Step:
    """A step of an analyst with an alert: when, to what status, with what words."""

    when: str
    analyst: User
    status: str
    comment: str | None = None
    feedback: str | None = None


@dataclass(frozen=True, kw_only=True)
class Alert:
    """An alert: what was noticed when, the entities it is about, and how it was handled.

    ``event`` is what names a moment; ``noticed`` are the minutes until the provider raised
    the alert, ``lasted`` those that the activity went on. ``category`` is the provider's word,
    ``tactic`` that of alerts_v2. The entities are the complex values of a legacy alert.
    """

    title: str
    provider: Provider
    category: str
    tactic: str
    severity: str
    event: str
    description: str
    advice: tuple[str, ...]
    noticed: int = 6
    lasted: int = 0
    techniques: tuple[str, ...] = ()
    confidence: int | None = None
    steps: tuple[Step, ...] = ()
    unhandled: str = "newAlert"
    determination: str | None = None
    remediation: str = "none"
    sub_provider: str | None = None
    group: str | None = None
    tags: tuple[str, ...] = ()
    triggers: Mapping[str, str] = field(default_factory=dict)
    users: tuple[Properties, ...] = ()
    hosts: tuple[Properties, ...] = ()
    files: tuple[Properties, ...] = ()
    malware: tuple[Properties, ...] = ()
    processes: tuple[Properties, ...] = ()
    registry: tuple[Properties, ...] = ()
    connections: tuple[Properties, ...] = ()
    apps: tuple[Properties, ...] = ()
    vulnerabilities: tuple[Properties, ...] = ()
    mail: tuple[Properties, ...] = ()

    @property
    def id(self) -> str:
        return guid("alert", self.event, self.title)

    @property
    def occurred(self) -> datetime:
        return at(self.event)

    @property
    def created(self) -> datetime:
        return self.occurred + timedelta(minutes=self.noticed, seconds=self.noticed * 7 % 60)

    @property
    def changed(self) -> datetime:
        return at(self.steps[-1].when) if self.steps else self.created

    @property
    def status(self) -> str:
        return self.steps[-1].status if self.steps else self.unhandled

    @property
    def assignee(self) -> str | None:
        return self.steps[-1].analyst.principal if self.steps else None

    @property
    def feedback(self) -> str | None:
        return next((step.feedback for step in reversed(self.steps) if step.feedback), None)

    @property
    def closed(self) -> str | None:
        return stamp(self.changed) if self.status in CLOSED else None

    def legacy(self) -> Properties:
        """The alert of the first generation."""
        vendor = dict(self.provider.information)
        if self.sub_provider:
            vendor["subProvider"] = self.sub_provider
        return given(
            id=self.id,
            activityGroupName=self.group,
            assignedTo=self.assignee,
            azureSubscriptionId=SUBSCRIPTION_ID if self.provider is CLOUD else None,
            azureTenantId=TENANT_ID,
            category=self.category,
            closedDateTime=self.closed,
            cloudAppStates=self.apps,
            comments=[step.comment for step in self.steps if step.comment],
            confidence=self.confidence,
            createdDateTime=stamp(self.created),
            description=self.description,
            detectionIds=[guid("detection", self.id)],
            eventDateTime=stamp(self.event),
            feedback=self.feedback,
            fileStates=self.files,
            historyStates=[_history(step) for step in self.steps],
            hostStates=self.hosts,
            lastModifiedDateTime=stamp(self.changed),
            malwareStates=self.malware,
            networkConnections=self.connections,
            processes=self.processes,
            recommendedActions=self.advice,
            registryKeyStates=self.registry,
            severity=self.severity,
            sourceMaterials=[f"https://soc.tidewell.example/alerts/{self.id}"],
            status=self.status,
            tags=self.tags,
            title=self.title,
            triggers=[
                {"name": name, "type": "String", "value": value}
                for name, value in self.triggers.items()
            ],
            userStates=self.users,
            vendorInformation=vendor,
            vulnerabilityStates=self.vulnerabilities,
        )


@dataclass(frozen=True)
class Story:
    """The alerts of one attack, and how they are handled together as an incident.

    ``determination`` is what the investigation found, None while it goes on.
    """

    name: str
    summary: str
    alerts: tuple[Alert, ...]
    determination: str | None = None
    tags: tuple[str, ...] = ()
    comments: tuple[Step, ...] = ()


def _history(step: Step) -> Properties:
    return given(
        assignedTo=step.analyst.principal,
        comments=[step.comment] if step.comment else [],
        feedback=step.feedback,
        status=step.status,
        updatedDateTime=stamp(step.when),
        user=step.analyst.principal,
    )
