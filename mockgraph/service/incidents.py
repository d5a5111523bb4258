"""Incidents: merged into one another, and alerts moved between them.

Pages "incident: mergeIncidents" and "alert: moveAlerts"; by today's metadata both answer a
``mergeResponse``, which names the incident that has the alerts afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence

from mockgraph.errors import BadRequest, NotFound
from mockgraph.metadata.names import Json, Properties
from mockgraph.state.behaviours import Behaviour, Invocation
from mockgraph.state.entities import Entity
from mockgraph.state.transactions import Transaction

ALERTS = "security/alerts_v2"
INCIDENTS = "security/incidents"

_REDIRECTED = "redirected"
_SEVERITIES = ("unknown", "informational", "low", "medium", "high")


def _merge(transaction: Transaction, call: Invocation) -> Properties:
    keys = list(dict.fromkeys(call.parameters["incidentIds"]))
    if len(keys) < 2:
        raise BadRequest("incidentIds: At least two incidents are needed for a merge.")
    incidents = [_incident(transaction, key, "incidentIds") for key in keys]
    # The oldest stays; of several that are equally old the one that is named first.
    target = min(incidents, key=lambda each: each["createdDateTime"] or "")
    for incident in incidents:
        if incident is not target:
            alerts = transaction.having(ALERTS, "incidentId", {incident.key})
            _move(transaction, alerts, target)
            redirected = {"status": _REDIRECTED, "redirectIncidentId": target.key}
            transaction.compute(INCIDENTS, incident.key, redirected)
        _comment(transaction, INCIDENTS, incident.key, call.parameters["incidentComment"])
    _raise_severity(transaction, target.key)
    return {"targetIncidentId": target.key}


def _move_alerts(transaction: Transaction, call: Invocation) -> Properties:
    keys = list(dict.fromkeys(call.parameters["alertIds"]))
    if not keys:
        raise BadRequest("alertIds: At least one alert must be given.")
    alerts = [_alert(transaction, key, call.key) for key in keys]
    key = call.parameters["incidentId"]
    target = _incident(transaction, key, "incidentId") if key else _new(transaction, alerts)
    _move(transaction, alerts, target)
    for alert in alerts:
        _comment(transaction, ALERTS, alert.key, call.parameters["alertComment"])
    _raise_severity(transaction, target.key)
    return {"targetIncidentId": target.key}


def _incident(transaction: Transaction, key: str, parameter: str) -> Entity:
    """Return an incident that alerts may be moved to. Raise 404, and 400 for a merged one."""
    incident = transaction.get(INCIDENTS, key)
    if incident is None:
        raise NotFound(f"No incident has the id '{key}'.")
    if incident["status"] == _REDIRECTED:
        raise BadRequest(
            f"{parameter}: The incident '{key}' was merged into '{incident['redirectIncidentId']}'."
        )
    return incident


def _alert(transaction: Transaction, key: str, incident: str | None) -> Entity:
    """Return an alert, of an incident where the action is bound to that one's. Raise 404."""
    alert = transaction.get(ALERTS, key)
    if alert is None or (incident is not None and alert["incidentId"] != incident):
        of_which = "" if incident is None else f" of the incident '{incident}'"
        raise NotFound(f"No alert{of_which} has the id '{key}'.")
    return alert


def _new(transaction: Transaction, alerts: Sequence[Entity]) -> Entity:
    """Make an incident for alerts that are moved out of theirs."""
    first = alerts[0]
    return transaction.create(
        INCIDENTS,
        {
            "displayName": first["title"],
            "severity": first["severity"],
            "status": "active",
            "tenantId": first["tenantId"],
        },
    )


def _move(transaction: Transaction, alerts: Sequence[Entity], incident: Entity) -> None:
    changes = {"incidentId": incident.key, "incidentWebUrl": incident["incidentWebUrl"]}
    for alert in alerts:
        transaction.compute(ALERTS, alert.key, changes)


def _comment(transaction: Transaction, table: str, key: str, text: Json) -> None:
    if text:
        comment = {
            "comment": text,
            "createdByDisplayName": transaction.caller,
            "createdDateTime": transaction.now(),
        }
        transaction.append(table, key, "comments", comment)


def _raise_severity(transaction: Transaction, incident: str) -> None:
    """Make an incident as severe as the most severe of its alerts."""
    held = transaction.get(INCIDENTS, incident)
    assert held is not None
    alerts = transaction.having(ALERTS, "incidentId", {incident})
    worst = max((held, *alerts), key=lambda each: _rank(each["severity"]))["severity"]
    if worst != held["severity"]:
        transaction.compute(INCIDENTS, incident, {"severity": worst})


def _rank(severity: str | None) -> int:
    return _SEVERITIES.index(severity) if severity in _SEVERITIES else 0


BEHAVIOURS = {
    "microsoft.graph.security.mergeIncidents": Behaviour(_merge),
    "microsoft.graph.security.moveAlerts": Behaviour(_move_alerts),
}
