"""Retention events: created, and carried to the places that they are about by the clock.

Pages "Create retentionEvent", "retentionEventStatus" and "eventPropagationResult resource type".
"""

from __future__ import annotations

from mockgraph.metadata.names import Json, Properties
from mockgraph.state.behaviours import Behaviour, Invocation
from mockgraph.state.runs import FAILED, NOT_STARTED, RUNNING, SUCCEEDED, Run
from mockgraph.state.transactions import Transaction

EVENTS = "security/triggers/retentionEvents"

_EVENT = "microsoft.graph.security.retentionEvent"
# Page "eventQuery resource type": files are those of SharePoint, messages those of Exchange.
_SERVICES = {"files": "SharePoint", "messages": "Exchange"}
# The statuses of an event and of its distribution, by that of the run.
_STATUSES = {
    NOT_STARTED: ("pending", "none"),
    RUNNING: ("pending", "inProcessing"),
    SUCCEEDED: ("success", "success"),
    FAILED: ("error", "failed"),
}
_ERROR = {"code": "InternalError", "message": "The event could not be distributed."}


def _created(transaction: Transaction, call: Invocation) -> None:
    if call.before is None and call.key is not None:
        transaction.compute(EVENTS, call.key, _status(transaction, call.parameters, NOT_STARTED))
        transaction.run(_EVENT, EVENTS, call.key, starts=call.parameters["eventTriggerDateTime"])


def _distributed(transaction: Transaction, run: Run) -> None:
    event = transaction.get(EVENTS, run.key)
    if event is None:
        return
    transaction.compute(EVENTS, run.key, _status(transaction, event, run.status))


def _status(transaction: Transaction, event: Properties, run_status: str) -> dict[str, Json]:
    status, propagation = _STATUSES[run_status]
    return {
        "eventStatus": {"status": status, "error": _ERROR if status == "error" else None},
        "eventPropagationResults": [
            {
                "serviceName": _SERVICES.get(query["queryType"]),
                "location": query["query"],
                "status": propagation,
            }
            for query in event["eventQueries"]
        ],
        "lastStatusUpdateDateTime": transaction.now(),
    }


BEHAVIOURS = {_EVENT: Behaviour(_created, progress=_distributed)}
