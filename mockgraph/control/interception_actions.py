"""Actions on what answers before the emulation: a tenant's faults and stubs."""

from __future__ import annotations

from typing import Annotated, Any, Unpack

from mockgraph.control.actions import ActionContext, Actions, Choice, Document
from mockgraph.control.answers import FaultAnswer, Listing, StubAnswer
from mockgraph.control.parameters import form_of, read_members
from mockgraph.errors import BadRequest
from mockgraph.spelling import suggestion
from mockgraph.testing.faults import PRESETS, Faults, Rule
from mockgraph.testing.stubs import StubOptions

ACTIONS = Actions()

FaultId = Annotated[str, "The id of the fault."]
StubId = Annotated[str, "The id of the stub."]


@ACTIONS.post(
    "/faults", status=201, command="faults add", choice=Choice("preset", PRESETS, Faults.add)
)
def add_fault(context: ActionContext, fault: Document) -> Annotated[Any, FaultAnswer]:
    """Put a fault in force: a preset by its name and parameters, or one made up of effects."""
    return _enforce(context.tenant.faults, fault).as_json()


@ACTIONS.get("/faults", command="faults list")
def list_faults(context: ActionContext) -> Annotated[Any, Listing[FaultAnswer]]:
    """Return the faults in force, and how often each struck."""
    return {"value": [rule.as_json() for rule in context.tenant.faults]}


@ACTIONS.delete("/faults", command="faults clear")
def clear_faults(context: ActionContext) -> None:
    """Take all faults out of force."""
    context.tenant.faults.reset()


@ACTIONS.get("/faults/{id}", command="faults show")
def read_fault(context: ActionContext, id: FaultId) -> Annotated[Any, FaultAnswer]:
    """Return a fault in force, and how often it struck."""
    return context.tenant.faults[id].as_json()


@ACTIONS.delete("/faults/{id}", command="faults remove")
def remove_fault(context: ActionContext, id: FaultId) -> None:
    """Take a fault out of force."""
    context.tenant.faults[id].remove()


@ACTIONS.post("/stubs", status=201, command="stubs add")
def add_stub(
    context: ActionContext,
    path: Annotated[str, "A pattern of whole paths, /users/{id}."],
    method: Annotated[str | None, "The method; any if left out."] = None,
    **options: Unpack[StubOptions],
) -> Annotated[Any, StubAnswer]:
    """Answer requests for a path ahead of the emulation."""
    return context.tenant.stubs.add(method, path, **options).as_json()


@ACTIONS.get("/stubs", command="stubs list")
def list_stubs(context: ActionContext) -> Annotated[Any, Listing[StubAnswer]]:
    """Return the stubs in force, and how many requests each answered."""
    return {"value": [stub.as_json() for stub in context.tenant.stubs]}


@ACTIONS.delete("/stubs", command="stubs clear")
def clear_stubs(context: ActionContext) -> None:
    """Take all stubs away."""
    context.tenant.stubs.reset()


@ACTIONS.get("/stubs/{id}", command="stubs show")
def read_stub(context: ActionContext, id: StubId) -> Annotated[Any, StubAnswer]:
    """Return a stub, and how many requests it answered."""
    return context.tenant.stubs[id].as_json()


@ACTIONS.delete("/stubs/{id}", command="stubs remove")
def remove_stub(context: ActionContext, id: StubId) -> None:
    """Take a stub away."""
    context.tenant.stubs[id].remove()


def _enforce(faults: Faults, value: Any) -> Rule:
    """Put a fault in force that is given in JSON. Raises BadRequest."""
    if not isinstance(value, dict) or "preset" not in value:
        return faults.add(**read_members(form_of(Faults.add), value))
    members = dict(value)
    name = members.pop("preset")
    preset = PRESETS.get(name) if isinstance(name, str) else None
    if preset is None:
        near = suggestion(name, PRESETS) if isinstance(name, str) else ""
        raise BadRequest(f"preset: The choices are {', '.join(PRESETS)}.{near}")
    return preset(faults, **read_members(form_of(preset), members))
