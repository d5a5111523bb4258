"""Threat indicators: many are submitted, changed and deleted at once."""

from __future__ import annotations

from mockgraph.errors import BadRequest
from mockgraph.metadata.names import Properties
from mockgraph.service.bulk import answer, changes_by_key, failed, succeeded
from mockgraph.state.behaviours import Behaviour, Invocation, Result
from mockgraph.state.transactions import Transaction

# Page "tiIndicator: submitTiIndicators".
_MOST_SUBMITTED = 100


def _submit(transaction: Transaction, call: Invocation) -> Result:
    indicators = call.parameters["value"]
    if len(indicators) > _MOST_SUBMITTED:
        raise BadRequest(f"value: At most {_MOST_SUBMITTED} indicators can be submitted at once.")
    results, created = [], []
    for indicator in indicators:
        key = indicator["id"]
        if key and transaction.get(call.table, key) is not None:
            results.append(failed(409, f"An indicator with the id '{key}' exists already."))
            continue
        created.append(transaction.make(call.table, indicator))
        results.append(succeeded())
    return answer(results, created)


def _update(transaction: Transaction, call: Invocation) -> Result:
    results, updated = [], []
    for key, changes in changes_by_key(call.parameters["value"]):
        before = transaction.get(call.table, key)
        if before is None:
            results.append(_unknown("id", key))
            continue
        updated.append(transaction.change(call.table, before, changes))
        results.append(succeeded())
    return answer(results, updated)


def _delete(transaction: Transaction, call: Invocation) -> Result:
    results = []
    for key in call.parameters["value"]:
        if transaction.get(call.table, key) is None:
            results.append(_unknown("id", key))
            continue
        transaction.delete(call.table, key)
        results.append(succeeded())
    return answer(results, results)


def _delete_by_external_id(transaction: Transaction, call: Invocation) -> Result:
    wanted = call.parameters["value"]
    carriers: dict[str, list[str]] = {}
    for indicator in transaction.having(call.table, "externalId", set(wanted)):
        carriers.setdefault(indicator["externalId"], []).append(indicator["id"])
    results = []
    for external_id in wanted:
        keys = carriers.pop(external_id, [])
        for key in keys:
            transaction.delete(call.table, key)
        results.append(succeeded() if keys else _unknown("externalId", external_id))
    return answer(results, results)


def _unknown(name: str, value: str) -> Properties:
    return failed(404, f"No indicator has the {name} '{value}'.")


BEHAVIOURS = {
    "microsoft.graph.submitTiIndicators": Behaviour(_submit, creates=True),
    "microsoft.graph.updateTiIndicators": Behaviour(_update, changes=True),
    "microsoft.graph.deleteTiIndicators": Behaviour(_delete),
    "microsoft.graph.deleteTiIndicatorsByExternalId": Behaviour(_delete_by_external_id),
}
