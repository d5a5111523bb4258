"""Calls of legacy alerts, and what takes the place of each: calls, properties, permissions.

The properties are those of the table in Microsoft's page "Migrate from the legacy alerts API".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from mockgraph.metadata.names import Json
from mockgraph.service import SINGLETON
from mockgraph.service.legacy_alerts import is_legacy
from mockgraph.state.intent import Address, RequestKind

RETIRED_ON: Final = "2026-10-15"

# What takes the place of each property; None where nothing does. Those left out keep their name.
PROPERTIES: Final[Mapping[str, str | None]] = {
    "activityGroupName": "actorDisplayName",
    "alertDetections": None,
    "azureSubscriptionId": None,
    "azureTenantId": "tenantId",
    "closedDateTime": "resolvedDateTime",
    "cloudAppStates": "cloudApplicationEvidence",
    "comments": "comments, each POSTed to /comments",
    "confidence": None,
    "detectionIds": "detectorId",
    "eventDateTime": "firstActivityDateTime, lastActivityDateTime",
    "feedback": "classification, determination",
    "fileStates": "fileEvidence.fileDetails",
    "historyStates": None,
    "hostStates": "deviceEvidence, hostStates/fqdn as deviceEvidence.deviceDnsName",
    "incidentIds": "incidentId",
    "investigationSecurityStates": None,
    "lastEventDateTime": "lastActivityDateTime",
    "lastModifiedDateTime": "lastUpdateDateTime",
    "malwareStates": "malwareEvidence",
    "messageSecurityStates": "analyzedMessageEvidence",
    "networkConnections": "urlEvidence, ipEvidence",
    "processes": "processEvidence",
    "registryKeyStates": "registryKeyEvidence, registryValueEvidence",
    "securityResources": "evidence",
    "sourceMaterials": "alertWebUrl, incidentWebUrl",
    "tags": "systemTags; customTags of its incident",
    "triggers": None,
    "uriClickSecurityStates": "urlEvidence",
    "userStates": "userEvidence.userAccount",
    "vendorInformation": "serviceSource, productName; no update has to send it",
    "vulnerabilityStates": None,
}
# Members of enumerations that have other names.
MEMBERS: Final[Mapping[str, str]] = {"newAlert": "new", "dismissed": "resolved"}
PERMISSIONS: Final[Mapping[str, str]] = {
    "SecurityEvents.Read.All": "SecurityAlert.Read.All, SecurityIncident.Read.All",
    "SecurityEvents.ReadWrite.All": "SecurityAlert.ReadWrite.All, SecurityIncident.ReadWrite.All",
}

_QUOTED = re.compile(r"'(?:[^']|'')*'")
_INNERMOST = re.compile(r"\([^()]*\)")
_NAME = re.compile(r"[A-Za-z_]\w*")


class Replacement(NamedTuple):
    """The call that takes the place of one of the legacy alerts, or None where there is none.

    ``properties``, ``members`` of enumerations and ``permissions`` name what takes the place of
    each that the call used, None where nothing does.
    """

    call: str | None
    properties: Mapping[str, str | None]
    members: Mapping[str, str]
    permissions: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """Return it as the control plane shows it."""
        return self._asdict()

    def lines(self) -> Iterator[str]:
        """Give a line for each thing that is to be replaced."""
        yield f"instead: {self.call or 'nothing; the service makes alerts by itself'}"
        for name, other in self.properties.items():
            yield f"{name}: {other or 'has no counterpart'}"
        for name, other in self.members.items():
            yield f"'{name}': '{other}'"
        for name, other in self.permissions.items():
            yield f"permission {name}: {other}"


def replacement(
    address: Address | None, method: str, options: Sequence[tuple[str, str]], body: Json
) -> Replacement | None:
    """Return what replaces a call, None where it is not of the legacy alerts."""
    if address is None or not (is_legacy(address) or _expands(address, options)):
        return None
    used = [name for name in _names(address, options, body) if name in PROPERTIES]
    wanted = "ReadWrite" if address.writes else "Read"
    permission = f"SecurityEvents.{wanted}.All"
    return Replacement(
        _call(address, method),
        {name: PROPERTIES[name] for name in dict.fromkeys(used)},
        {each: MEMBERS[each] for each in _texts(options, body) if each in MEMBERS},
        {permission: PERMISSIONS[permission]},
    )


def _expands(address: Address, options: Sequence[tuple[str, str]]) -> bool:
    """Whether a call of the singleton expands its legacy alerts."""
    if address.view.documented or [each.resource.path for each in address.steps] != [SINGLETON]:
        return False
    texts = (text for name, text in options if name.lower().removeprefix("$") == "expand")
    return any("alerts" in _outermost(text).lower().split(",") for text in texts)


def _outermost(text: str) -> str:
    """Return what stands outside of all parentheses in the text of an option."""
    text, inner = _QUOTED.sub("", text).replace(" ", ""), 1
    while inner:
        text, inner = _INNERMOST.subn("", text)
    return text


def _call(address: Address, method: str) -> str | None:
    if address.kind in (RequestKind.CREATE, RequestKind.DELETE):
        return None
    url = "/security/alerts_v2"
    if address.kind is RequestKind.ACT:
        return f"PATCH {url}/{{id}}, one by one or in a batch"
    url += "" if address.key is None else "/{id}"
    return f"{method} {url}{'/$count' if address.kind is RequestKind.COUNT else ''}"


def _names(address: Address, options: Sequence[tuple[str, str]], body: Json) -> Iterator[str]:
    """Give the names that a call uses, in its path, its query options and its body."""
    yield from address.path
    for _, text in options:
        yield from _NAME.findall(_QUOTED.sub("", text))
    items = body.get("value") if isinstance(body, dict) and address.call else body
    for item in items if isinstance(items, list) else [items]:
        if isinstance(item, dict):
            yield from item


def _texts(options: Sequence[tuple[str, str]], body: Json) -> Iterator[str]:
    """Give the texts in the query options of a call, and those in its body."""
    for _, text in options:
        yield from (each[1:-1] for each in _QUOTED.findall(text))
    items = body.get("value", [body]) if isinstance(body, dict) else []
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict):
            yield from (each for each in item.values() if isinstance(each, str))
