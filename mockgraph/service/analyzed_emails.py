"""Analysed emails: moved and deleted by a remediation, which the clock ends.

Page "analyzedEmail: remediate": 202, and a link to the action centre, where people follow it.
"""

from __future__ import annotations

from urllib.parse import quote

from mockgraph.errors import BadRequest, NotFound
from mockgraph.guids import new_guid
from mockgraph.metadata.names import Json, Properties
from mockgraph.state.behaviours import Behaviour, Invocation, Result
from mockgraph.state.entities import Entity
from mockgraph.state.runs import RUNNING, Run
from mockgraph.state.transactions import Transaction

EMAILS = "security/collaboration/analyzedEmails"

_REMEDIATE = "microsoft.graph.security.remediate"
_ACTION_CENTRE = "https://security.microsoft.com/action-center/history?filters="
# Where each action leaves an email, and what it counts as then.
_PLACES = {
    "moveToJunk": ("junkFolder", "deliveredToJunk"),
    "moveToInbox": ("inbox_folder", "delivered"),
    "hardDelete": ("deletedFolder", "blocked"),
    "softDelete": ("deletedFolder", "blocked"),
    "moveToDeletedItems": ("deletedFolder", "delivered"),
}


def _remediate(transaction: Transaction, call: Invocation) -> Result:
    action, sent = call.parameters["action"], call.parameters["analyzedEmails"]
    if action is None:
        raise BadRequest("action: The action must be given.")
    if action not in _PLACES:
        raise BadRequest(f"action: '{action}' is not supported.")
    if not sent:
        raise BadRequest("analyzedEmails: At least one email must be given.")
    emails = [_email(transaction, each, index) for index, each in enumerate(sent)]
    about = {"action": action, "displayName": call.parameters["displayName"]}
    for email in emails:
        transaction.run(_REMEDIATE, EMAILS, email.key, about)
    filters = quote(f'{{"bulkId":["{new_guid()}"]}}', safe="")
    return Result(status=202, location=f"{_ACTION_CENTRE}{filters}")


def _email(transaction: Transaction, sent: Properties, index: int) -> Entity:
    """Return the email that has the message and the recipient. Raise 400 and 404."""
    path = f"analyzedEmails/{index}"
    message, recipient = sent["networkMessageId"], sent["recipientEmailAddress"]
    for name in ("networkMessageId", "recipientEmailAddress"):
        if not sent[name]:
            raise BadRequest(f"{path}/{name}: The property must be given.")
    for email in transaction.having(EMAILS, "networkMessageId", {message}):
        if (email["recipientEmailAddress"] or "").casefold() == recipient.casefold():
            return email
    raise NotFound(f"{path}: No email '{message}' to '{recipient}' was analysed.")


def _remediated(transaction: Transaction, run: Run) -> None:
    email = transaction.get(EMAILS, run.key)
    if run.status == RUNNING or email is None:
        return
    event = {
        "eventDateTime": transaction.now(),
        "eventDetails": run.about["displayName"],
        "eventResult": "success" if run.has_succeeded else "failure",
        "eventSource": "admin",
        "eventType": "unknown",
    }
    changes: dict[str, Json] = {"timelineEvents": [*email["timelineEvents"], event]}
    if run.has_succeeded:
        location, action = _PLACES[run.about["action"]]
        changes["latestDelivery"] = {"location": location, "action": action}
    transaction.compute(EMAILS, run.key, changes)


BEHAVIOURS = {_REMEDIATE: Behaviour(_remediate, progress=_remediated)}
