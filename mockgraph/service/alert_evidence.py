"""The evidence that comes with an alert of the second generation."""

from __future__ import annotations

from typing import Any

from marshmallow import post_load

from mockgraph.metadata import (
    Collection,
    ComplexType,
    DateTimeOffset,
    Enum,
    Enumeration,
    Json,
    String,
    qualified,
)
from mockgraph.service.security_types import InSecurityNamespace


class EvidenceRemediationStatus(InSecurityNamespace, Enumeration):
    """What was done about a piece of evidence."""

    none = 0
    remediated = 1
    prevented = 2
    blocked = 3
    notFound = 4
    unknownFutureValue = 5


class EvidenceRole(InSecurityNamespace, Enumeration):
    """The part that a piece of evidence has in an attack."""

    unknown = 0
    contextual = 1
    scanned = 2
    source = 3
    destination = 4
    created = 5
    added = 6
    compromised = 7
    edited = 8
    attacked = 9
    attacker = 10
    commandAndControl = 11
    loaded = 12
    suspicious = 13
    policyViolator = 14
    unknownFutureValue = 31


class EvidenceVerdict(InSecurityNamespace, Enumeration):
    """What an automated investigation made of a piece of evidence."""

    unknown = 0
    suspicious = 1
    malicious = 2
    noThreatsFound = 3
    unknownFutureValue = 4


_DERIVED = frozenset(
    qualified(f"security.{kind}Evidence")
    for kind in (
        "amazonResource",
        "analyzedMessage",
        "azureResource",
        "blob",
        "blobContainer",
        "cloudApplication",
        "cloudLogonRequest",
        "cloudLogonSession",
        "container",
        "containerImage",
        "containerRegistry",
        "device",
        "file",
        "gitHubOrganization",
        "gitHubRepo",
        "gitHubUser",
        "googleCloudResource",
        "hostLogonSession",
        "ioTDevice",
        "ip",
        "kubernetesCluster",
        "kubernetesController",
        "kubernetesNamespace",
        "kubernetesPod",
        "kubernetesSecret",
        "kubernetesService",
        "kubernetesServiceAccount",
        "mailbox",
        "mailCluster",
        "malware",
        "networkConnection",
        "nic",
        "oauthApplication",
        "process",
        "registryKey",
        "registryValue",
        "sasToken",
        "securityGroup",
        "teamsMessage",
        "url",
        "user",
    )
)


class AlertEvidence(InSecurityNamespace, ComplexType):
    """The base of all evidence; what a derived type adds is kept as dynamic properties.

    Which derived type a value is stays with it as ``@odata.type``, without which the clients
    build the base class.
    """

    is_open = True

    createdDateTime = DateTimeOffset(nullable=False)
    detailedRoles = Collection(String())
    remediationStatus = Enum(EvidenceRemediationStatus, nullable=False)
    remediationStatusDetails = String()
    roles = Collection(Enum(EvidenceRole))
    tags = Collection(String())
    verdict = Enum(EvidenceVerdict, nullable=False)

    def _check_type(self, value: Json) -> None:
        if type(value) is not str or value.removeprefix("#") not in _DERIVED:
            super()._check_type(value)

    @post_load(pass_original=True)
    def _keep_type(
        self, data: dict[str, Json], original: dict[str, Json], **_: Any
    ) -> dict[str, Json]:
        derived = original.get("@odata.type", "").removeprefix("#")
        return {"@odata.type": f"#{derived}", **data} if derived in _DERIVED else data
