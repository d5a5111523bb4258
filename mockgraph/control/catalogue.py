"""All actions of the control plane, those about the plane itself among them."""

from __future__ import annotations

from typing import Annotated, Any

from mockgraph import __version__
from mockgraph.control import PREFIX
from mockgraph.control import entity_actions as entities
from mockgraph.control import hunting_actions as hunting
from mockgraph.control import interception_actions as interception
from mockgraph.control import journal_actions as journal
from mockgraph.control import sign_in_actions as sign_in
from mockgraph.control import state_actions as state
from mockgraph.control.actions import ActionContext, Actions, ControlAction
from mockgraph.control.answers import HealthAnswer, JsonObject, Listing
from mockgraph.control.openapi import description
from mockgraph.errors import NotFound
from mockgraph.spelling import suggestion

_ABOUT = Actions()


@_ABOUT.get("", command="actions")
def list_actions(_: ActionContext) -> Listing[str]:
    """Return all endpoints of the control plane."""
    endpoints = sorted((each.path, each.method) for each in ACTIONS)
    return {"value": [f"{method} {PREFIX}{path}" for path, method in endpoints]}


@_ABOUT.get("/health", command="health")
def read_health(_: ActionContext) -> HealthAnswer:
    """Return 200 when the server is ready."""
    return {"status": "ready", "version": __version__}


@_ABOUT.get("/openapi.json", command="openapi")
def read_openapi(context: ActionContext) -> Annotated[Any, JsonObject]:
    """Return the description of the control plane as OpenAPI 3.1 has it."""
    return description(ACTIONS, context.origin)


@_ABOUT.get("/openapi/{root}.json", command="describe")
def describe_service(
    context: ActionContext,
    root: Annotated[str, "The root: v1.0, beta or localtest."],
    below: Annotated[str | None, "Only the paths that begin so: /security/alerts_v2."] = None,
) -> Annotated[Any, JsonObject]:
    """Return the description of the served service as OpenAPI 3.1 has it, a root at a time."""
    from mockgraph.control.service_openapi import service_description

    service, behaviours = context.tenant.state.service, context.tenant.state.behaviours
    return service_description(service, behaviours, root, context.origin, below)


ACTIONS: tuple[ControlAction, ...] = (
    *_ABOUT,
    *state.ACTIONS,
    *entities.ACTIONS,
    *interception.ACTIONS,
    *hunting.ACTIONS,
    *journal.ACTIONS,
    *sign_in.ACTIONS,
)


def named(name: str) -> ControlAction:
    """Return the action of a name, ``read_report``."""
    (found,) = (each for each in ACTIONS if each.name == name)
    return found


def unknown_endpoint(path: str) -> NotFound:
    """Return the refusal of a path below the prefix that no action has, with those near it."""
    known = sorted({f"{PREFIX}{each.path}" for each in ACTIONS})
    return NotFound(f"The control plane has no endpoint {path[:200]}.{suggestion(path, known)}")
