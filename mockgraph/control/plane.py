"""The control plane by HTTP: an endpoint for each action."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, cast

import flask
from flask import Blueprint

from mockgraph import __version__
from mockgraph.control import FAVICON, PREFIX
from mockgraph.control import hunting_actions as hunting
from mockgraph.control import interception_actions as interception
from mockgraph.control import journal_actions as journal
from mockgraph.control import sign_in_actions as sign_in
from mockgraph.control import state_actions as state
from mockgraph.control.actions import ActionContext, Actions, ControlAction
from mockgraph.control.parameters import form_of, read, read_query
from mockgraph.http import Request
from mockgraph.metadata.resources import Service
from mockgraph.odata import rendering, validation
from mockgraph.server_options import Settings
from mockgraph.testing.tenant import NOTED, Tenants

_ABOUT = Actions()


@_ABOUT.get("")
def list_actions(_: ActionContext) -> Any:
    """Return all endpoints of the control plane."""
    endpoints = sorted((each.path, each.method) for each in ACTIONS)
    return {"value": [f"{method} {PREFIX}{path}" for path, method in endpoints]}


@_ABOUT.get("/health")
def read_health(_: ActionContext) -> Any:
    """Return 200 when the server is ready."""
    return {"status": "ready", "version": __version__}


ACTIONS: tuple[ControlAction, ...] = (
    *_ABOUT,
    *state.ACTIONS,
    *interception.ACTIONS,
    *hunting.ACTIONS,
    *journal.ACTIONS,
    *sign_in.ACTIONS,
)


def max_body(method: str, path: str) -> int | None:
    """Return the bytes that a body for an action may have, 0 where there is no such action.

    None is as many as the server takes of any request.
    """
    for action, pattern in _patterns():
        if action.method == method and pattern.fullmatch(path):
            return action.max_body
    return 0


@cache
def _patterns() -> tuple[tuple[ControlAction, re.Pattern[str]], ...]:
    """The actions, and the paths of each."""
    return tuple(
        (each, re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(PREFIX + each.path)) + "/?"))
        for each in ACTIONS
    )


def blueprint(service: Service, tenants: Tenants, settings: Settings) -> Blueprint:
    """Return the control plane of one app."""
    plane = Blueprint("control", __name__)

    def answer(value: Any, status: int = 200) -> flask.Response:
        if value is None:
            return flask.Response(status=204)
        rendered = rendering.render_json(value, status, settings.json)
        return flask.Response(rendered.body, status, rendered.headers)

    def endpoint(action: ControlAction) -> Callable[..., flask.Response]:
        def view(**in_path: Any) -> flask.Response:
            request = cast("Request", flask.request)
            context = ActionContext(request.environ[NOTED], tenants)
            arguments = {**in_path, **_arguments(action, request)}
            value = action.run(context, **arguments)
            if not action.only_reads:
                tenants.keep(context.tenant)
            return answer(value, action.status)

        return view

    for action in ACTIONS:
        rule = PREFIX + action.path.replace("{", "<").replace("}", ">")
        plane.add_url_rule(rule, action.name, endpoint(action), methods=[action.method])

    @plane.get("/")
    def index() -> flask.Response:
        prefix = flask.request.environ[NOTED].prefix
        roots = {
            name: f"{prefix}/{name}/{next(iter(view.children.values())).name}"
            for name, view in service.views.items()
        }
        return answer(
            {
                "name": "MockGraph",
                "version": __version__,
                "roots": roots,
                "control": f"{prefix}{PREFIX}",
            }
        )

    @plane.get(FAVICON)
    def favicon() -> flask.Response:
        return answer(None)

    return plane


def _arguments(action: ControlAction, request: Request) -> dict[str, Any]:
    """Return the parameters of an action in a request's query or body. Raises 400, 413, 415."""
    if action.max_body is not None:
        request.max_content_length = action.max_body
    if action.document is not None:
        return {action.document: validation.read_json(request)}
    if not action.members:
        return {}
    if action.method == "GET":
        return read_query(action.members, request.args.to_dict(flat=False))
    sent = validation.read_json(request) if action.needs_body or request.content else {}
    return read(form_of(action.run, action.path_names), sent)
