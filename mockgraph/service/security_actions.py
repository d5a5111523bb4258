"""Security actions: what a provider was asked to do is cancelled."""

from __future__ import annotations

from mockgraph.errors import Conflict, NotFound
from mockgraph.state.behaviours import Behaviour, Invocation, Result
from mockgraph.state.transactions import Transaction

# The status that Azure gives to what its client cancelled.
_CANCELLED = {"code": 499, "message": "The action was cancelled.", "subcode": 0}
_OVER = ("Completed", "Failed")


def _cancel(transaction: Transaction, call: Invocation) -> Result:
    action = transaction.get(call.table, call.key) if call.key else None
    if action is None or call.key is None:
        raise NotFound(f"No security action has the id '{call.key}'.")
    if action["status"] in _OVER:
        # The request is in order; it is the state of the action that forbids it.
        raise Conflict(f"The action cannot be cancelled: its status is '{action['status']}'.")
    # operationStatus has no member for cancelled: what will never complete has failed.
    now, status = transaction.now(), "Failed"
    past = {"appId": None, "status": status, "updatedDateTime": now, "user": None}
    changes = {
        "status": status,
        "lastActionDateTime": now,
        "states": [*action["states"], past],
        "errorInfo": _CANCELLED,
    }
    transaction.update(call.table, call.key, changes)
    # Page "securityAction: cancelSecurityAction" of beta: 200, and nothing in the body.
    is_documented = call.resource is not None and call.resource.view.documented
    return Result(status=None if is_documented else 200)


BEHAVIOURS = {"microsoft.graph.cancelSecurityAction": Behaviour(_cancel)}
