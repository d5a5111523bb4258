"""The operations of eDiscovery cases: what an action sets going, answered 202 with its place.

Page "caseOperation resource type", and those of the types that derive from it. An operation goes
from ``notStarted`` by ``running`` to ``succeeded`` by the tenant's clock, or to ``failed``.
"""

from __future__ import annotations

from collections.abc import Mapping

from mockgraph.metadata.names import Json, Properties
from mockgraph.state.behaviours import Result
from mockgraph.state.intent import Target
from mockgraph.state.runs import RUNNING, Run
from mockgraph.state.transactions import Transaction

CASES = "security/cases/ediscoveryCases"
OPERATIONS = f"{CASES}/operations"

_FAILED = {"code": 500, "message": "The operation failed.", "subcode": 0}


def begin(
    transaction: Transaction,
    name: str,
    case: str,
    type_name: str,
    action: str,
    properties: Properties | None = None,
    *,
    links: Mapping[str, Target] | None = None,
    about: Properties | None = None,
) -> Target:
    """Make an operation of a case, set it going, and return its place.

    ``type_name`` is that of the operation, ``properties`` are its own, ``links`` what it refers to
    by its navigation properties; ``about`` is handed on to the progress of ``name``.
    """
    made = transaction.create(
        OPERATIONS,
        {"@odata.type": f"#{type_name}", "action": action, **(properties or {})},
        owner=case,
    )
    for link, target in (links or {}).items():
        transaction.link(f"{OPERATIONS}/{link}", made.key, *target)
    transaction.run(name, OPERATIONS, made.key, about)
    return Target(OPERATIONS, made.key)


def accepted(operation: Target) -> Result:
    """Return the answer to an action that set an operation going."""
    return Result(status=202, location=operation)


def progress(transaction: Transaction, run: Run, done: Properties | None = None) -> None:
    """Bring an operation to where its run is, and give it what it found once it is ``done``."""
    changes: dict[str, Json] = {"status": run.status}
    if run.status == RUNNING:
        changes["percentProgress"] = 50
    else:
        changes["completedDateTime"] = transaction.now()
        if run.has_succeeded:
            changes |= {"percentProgress": 100, **(done or {})}
        else:
            changes["resultInfo"] = _FAILED
    transaction.compute(run.table, run.key, changes)
