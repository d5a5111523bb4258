"""Attack simulation: campaigns that are scheduled, run and reported by the clock.

Pages "Create simulation" (202, and where it can be followed), "Update simulation", "simulation"
and "attackSimulationOperation resource type". A simulation runs from its launch for as many days as
it is to last; nobody in it is deceived, and nobody reports anything.
"""

from __future__ import annotations

from datetime import timedelta

from mockgraph.metadata.names import Json, Properties
from mockgraph.state.behaviours import Behaviour, Invocation, Result
from mockgraph.state.entities import Entity
from mockgraph.state.intent import Target
from mockgraph.state.runs import LASTS, Run
from mockgraph.state.transactions import Transaction

SIMULATIONS = "security/attackSimulation/simulations"
OPERATIONS = "security/attackSimulation/operations"

_GRAPH = "microsoft.graph."
_SIMULATION = f"{_GRAPH}simulation"
_OPERATION = f"{_GRAPH}attackSimulationOperation"
_PROGRESS = {"running": 50, "succeeded": 100}
_UNDER_WAY = ("scheduled", "running")


def _written(transaction: Transaction, call: Invocation) -> Result | None:
    """Have a simulation run that is created, or no draft any more, and its operation with it."""
    assert call.key is not None
    simulation = transaction.get(SIMULATIONS, call.key)
    assert simulation is not None
    is_new = call.before is None
    was_under_way = call.before is not None and call.before["status"] in _UNDER_WAY
    if simulation["status"] in _UNDER_WAY and not was_under_way:
        _launch(transaction, simulation)
    if not is_new:
        return None
    operation = transaction.create(
        OPERATIONS,
        {
            "type": "createSimualation",  # so the metadata spells it
            "percentageCompleted": 0,
            "lastActionDateTime": transaction.now(),
            "resourceLocation": f"/{SIMULATIONS}/{simulation.key}",
        },
    )
    transaction.run(_OPERATION, OPERATIONS, operation.key)
    return Result(status=202, location=Target(OPERATIONS, operation.key))


def _launch(transaction: Transaction, simulation: Entity) -> None:
    days = simulation["durationInDays"]
    transaction.run(
        _SIMULATION,
        SIMULATIONS,
        simulation.key,
        starts=simulation["launchDateTime"],
        lasts=timedelta(days=days) if days and days > 0 else LASTS,
    )


def _operation_ran(transaction: Transaction, run: Run) -> None:
    changes: dict[str, Json] = {"status": run.status, "lastActionDateTime": transaction.now()}
    if run.status in _PROGRESS:
        changes["percentageCompleted"] = _PROGRESS[run.status]
    else:
        changes["statusDetail"] = "The simulation could not be created."
    transaction.compute(OPERATIONS, run.key, changes)


def _simulation_ran(transaction: Transaction, run: Run) -> None:
    simulation = transaction.get(SIMULATIONS, run.key)
    if simulation is None or simulation["status"] not in _UNDER_WAY:
        return  # it was cancelled meanwhile
    changes: dict[str, Json] = {"status": run.status}
    if run.is_over:
        changes["completionDateTime"] = transaction.now()
    elif simulation["launchDateTime"] is None:
        changes["launchDateTime"] = transaction.now()
    if run.has_succeeded:
        changes["report"] = _report(simulation)
    transaction.compute(SIMULATIONS, run.key, changes)


def _report(simulation: Properties) -> Properties:
    """Return the report of a simulation in which nobody did anything."""
    target = simulation["includedAccountTarget"] or {}
    emails: list[str] = target.get("accountTargetEmails") or []
    return {
        "overview": {
            "recommendedActions": [],
            "resolvedTargetsCount": len(emails),
            "simulationEventsContent": {
                "compromisedRate": 0,
                "events": [],
            },
            "trainingEventsContent": {
                "assignedTrainingsInfos": [],
                "trainingsAssignedUserCount": 0,
            },
        },
        "simulationUsers": [
            {
                "assignedTrainingsCount": 0,
                "completedTrainingsCount": 0,
                "inProgressTrainingsCount": 0,
                "isCompromised": False,
                "simulationUser": {"email": email},
            }
            for email in emails
        ],
    }


BEHAVIOURS = {
    _SIMULATION: Behaviour(_written, progress=_simulation_ran),
    _OPERATION: Behaviour(lambda *_: None, progress=_operation_ran),
}
