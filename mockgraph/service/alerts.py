"""Alerts of the first generation: the update of many at once."""

from __future__ import annotations

from mockgraph.errors import NotFound
from mockgraph.service.bulk import changes_by_key
from mockgraph.state.behaviours import Behaviour, Invocation, Result
from mockgraph.state.transactions import Transaction


def _update(transaction: Transaction, call: Invocation) -> Result:
    changed = changes_by_key(call.parameters["value"])
    updated = [
        transaction.change(call.table, before, changes)
        for key, changes in changed
        if (before := transaction.get(call.table, key)) is not None
    ]
    if changed and not updated:
        raise NotFound("None of the alerts exists.")
    # An alert that no provider knows is left out; 206 says that the answer is not all of them.
    return Result(updated, 200 if len(updated) == len(changed) else 206)


BEHAVIOURS = {"microsoft.graph.updateAlerts": Behaviour(_update, changes=True)}
