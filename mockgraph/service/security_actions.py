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


def _written(transaction: Transaction, call: Invocation) -> None:
    """Say of a new action when something was last done about it, as beta does: just now."""
    assert call.resource is not None
    assert call.key is not None
    action = transaction.get(call.table, call.key)
    is_new = call.before is None and not call.resource.view.documented
    if is_new and action is not None and action["lastActionDateTime"] is None:
        now = {"lastActionDateTime": transaction.now()}
        transaction.compute(call.table, call.key, now)


BEHAVIOURS = {
    "microsoft.graph.cancelSecurityAction": Behaviour(_cancel),
    "microsoft.graph.securityAction": Behaviour(_written),
}
