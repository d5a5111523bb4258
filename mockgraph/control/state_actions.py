"""Actions on the state: reset, the state document, snapshots, the clock, tenants."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict, Unpack

from mockgraph.control.actions import ActionContext, Actions, Document
from mockgraph.control.answers import (
    CompletedAnswer,
    JsonObject,
    Listing,
    NameAnswer,
    OperationAnswer,
    TimeAnswer,
)
from mockgraph.server_options import MAX_STATE
from mockgraph.state.runs import Ending

ACTIONS = Actions()

SnapshotName = Annotated[str, "The name of the snapshot."]


class ClockOptions(TypedDict, total=False):
    """The changes of a clock."""

    freeze: Annotated[str | None, "The time to stop at, in ISO 8601; null stops at the present."]
    advance: Annotated[float, "Seconds to move the clock, after stopping it; may be negative."]


@ACTIONS.post("/reset", is_destructive=True, command="reset")
def reset(context: ActionContext) -> None:
    """Go back to the seeds, without faults, stubs and journal, in real time."""
    context.tenant.reset()


@ACTIONS.get("/state", command="state export")
def read_state(context: ActionContext) -> Annotated[Any, JsonObject]:
    """Return the whole state as one document."""
    return context.tenant.written()


@ACTIONS.put("/state", max_body=MAX_STATE, takes_state=True, command="state import")
def write_state(context: ActionContext, document: Document) -> None:
    """Replace the whole state, or nothing where the document is refused."""
    context.tenant.replace(document)


@ACTIONS.get("/snapshots", command="snapshot list")
def list_snapshots(context: ActionContext) -> Listing[str]:
    """Return the names of the snapshots."""
    return {"value": list(context.tenant.snapshots)}


@ACTIONS.post("/snapshots/{name}", status=201, command="snapshot take")
def take_snapshot(context: ActionContext, name: SnapshotName) -> NameAnswer:
    """Keep the present state under a name."""
    context.tenant.keep(name)
    return {"name": name}


@ACTIONS.get("/snapshots/{name}", command="snapshot show")
def read_snapshot(context: ActionContext, name: SnapshotName) -> Annotated[Any, JsonObject]:
    """Return a snapshot as a state document."""
    return context.tenant.written(name)


@ACTIONS.put("/snapshots/{name}", max_body=MAX_STATE, takes_state=True, command="snapshot put")
def write_snapshot(context: ActionContext, name: SnapshotName, document: Document) -> None:
    """Make a snapshot of a state document."""
    context.tenant.keep(name, context.tenant.read(document))


@ACTIONS.post("/snapshots/{name}/restore", is_destructive=True, command="snapshot restore")
def restore_snapshot(context: ActionContext, name: SnapshotName) -> None:
    """Go back to a snapshot."""
    context.tenant.restore(name)


@ACTIONS.delete("/snapshots/{name}", command="snapshot delete")
def delete_snapshot(context: ActionContext, name: SnapshotName) -> None:
    """Forget a snapshot."""
    context.tenant.forget(name)


@ACTIONS.get("/clock", command="clock show")
def read_clock(context: ActionContext) -> TimeAnswer:
    """Return the time of the clock."""
    return {"now": context.tenant.state.clock.text()}


@ACTIONS.post("/clock", command="clock set")
def set_clock(context: ActionContext, **options: Unpack[ClockOptions]) -> TimeAnswer:
    """Stop the clock, or move it, and return its time."""
    clock = context.tenant.state.clock
    if "freeze" in options:
        clock.freeze(options["freeze"])
    clock.advance(options.get("advance", 0))
    return read_clock(context)


@ACTIONS.post("/clock/advance", command="clock advance")
def advance_clock(
    context: ActionContext,
    seconds: Annotated[float, "Seconds to move it; may be negative."],
) -> TimeAnswer:
    """Move the clock, and return its time."""
    context.tenant.state.clock.advance(seconds)
    return read_clock(context)


@ACTIONS.post("/clock/freeze", command="clock freeze", needs_body=False)
def freeze_clock(
    context: ActionContext,
    at: Annotated[str | None, "The time to stop at, in ISO 8601; the present if left out."] = None,
) -> TimeAnswer:
    """Stop the clock, and return its time."""
    context.tenant.state.clock.freeze(at)
    return read_clock(context)


@ACTIONS.delete("/clock", is_destructive=False, command="clock reset")
def reset_clock(context: ActionContext) -> None:
    """Let the clock show real time."""
    context.tenant.state.clock.reset()


@ACTIONS.get("/operations", command="operations list")
def list_operations(context: ActionContext) -> Annotated[Any, Listing[OperationAnswer]]:
    """Return the operations that were set going and have not ended, with when they will."""
    return {"value": [each.as_json() for each in context.tenant.operations]}


@ACTIONS.post("/operations/complete", command="operations complete", needs_body=False)
def complete_operations(
    context: ActionContext,
    status: Annotated[
        Ending | None, "How they end; as they would by themselves if left out."
    ] = None,
) -> CompletedAnswer:
    """End now the operations that run, and return how many ended."""
    return {"completed": context.tenant.operations.complete(status)}


@ACTIONS.get("/tenants", command="tenants list")
def list_tenants(context: ActionContext) -> Listing[str]:
    """Return the names of the tenants."""
    return {"value": [each.name for each in context.tenants]}


@ACTIONS.delete("/tenants", command="tenants clear")
def drop_tenants(context: ActionContext) -> None:
    """Forget all tenants that have a name."""
    context.tenants.clear()


@ACTIONS.delete("/tenants/{name}", command="tenants drop")
def drop_tenant(context: ActionContext, name: Annotated[str, "The name of the tenant."]) -> None:
    """Forget a tenant."""
    context.tenants.drop(name)
