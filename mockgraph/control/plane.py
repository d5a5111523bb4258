"""The control plane by HTTP: an endpoint for each action."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import chain
from typing import Any, cast

import flask
import orjson
from flask import Blueprint

from mockgraph import __version__
from mockgraph.control import CONSOLE, FAVICON, PREFIX, guard
from mockgraph.control.actions import ActionContext, ControlAction, EventStream
from mockgraph.control.catalogue import ACTIONS
from mockgraph.control.console.pages import Console
from mockgraph.control.parameters import form_of, read_members, read_query_parameters
from mockgraph.errors import BadRequest, ConsoleLinkRefused, ConsoleTokenMissing
from mockgraph.http import Request
from mockgraph.metadata.resources import Service
from mockgraph.odata import rendering, validation
from mockgraph.server_options import Settings
from mockgraph.serving.origins import Origins
from mockgraph.state.document_writer import WrittenDocument
from mockgraph.state.documents import is_apart
from mockgraph.testing.nearest_names import with_meant_properties
from mockgraph.testing.tenant import NOTED, Tenant, Tenants

# Bytes of the form in which the console takes the control token.
_MAX_FORM = 64 * 1024


def max_body(method: str, path: str) -> int | None:
    """Return the bytes that a body for an action may have, 0 where there is no such action.

    None is as many as the server takes of any request.
    """
    if (method, path) == ("POST", f"{CONSOLE}/token"):
        return _MAX_FORM
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
    origins = Origins(settings)
    plane = Blueprint("control", __name__, template_folder="console/templates")

    def answer(value: Any, status: int = 200) -> flask.Response:
        if value is None:
            return flask.Response(status=204)
        rendered = rendering.render_json(value, status, settings.json)
        return flask.Response(rendered.body, status, rendered.headers)

    def endpoint(action: ControlAction) -> Callable[..., flask.Response]:
        def view(**in_path: Any) -> flask.Response:
            request = cast("Request", flask.request)
            context = context_of(request, tenants)
            arguments = {**in_path, **_arguments(action, request, service)}
            try:
                value = action.run(context, **arguments)
            except BadRequest as refusal:
                refusal.message = with_meant_properties(refusal.message, service.stored)
                raise
            if not action.only_reads:
                tenants.keep(context.tenant)
            if isinstance(value, EventStream):
                return _streamed(value)
            if isinstance(value, WrittenDocument):
                return _in_pieces(value.pieces(indented=settings.json != "graph"))
            return answer(value, action.status)

        return view

    for action in ACTIONS:
        rule = PREFIX + action.path.replace("{", "<").replace("}", ">")
        plane.add_url_rule(rule, action.name, endpoint(action), methods=[action.method])

    console = Console(settings, lambda request: context_of(request, tenants))
    console.register(plane)

    @plane.errorhandler(ConsoleTokenMissing)
    def ask_for_the_token(_: ConsoleTokenMissing) -> Any:
        return flask.redirect(f"{flask.request.script_root}{CONSOLE}/token")

    @plane.errorhandler(ConsoleLinkRefused)
    def tell_of_the_link(refusal: ConsoleLinkRefused) -> Any:
        return console.refuse_link(refusal)

    @plane.get("/")
    def index() -> flask.Response:
        request = cast("Request", flask.request)
        wanted = request.accept_mimetypes.best_match(("application/json", "text/html"))
        if wanted == "text/html" and "mockgraph.proxied" not in request.environ:
            if settings.control_token is not None:
                return cast("flask.Response", flask.redirect(request.script_root + CONSOLE))
            guard.check_caller(request.environ, request.path, None, origins)
            return console.open()
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


def context_of(request: Request, tenants: Tenants) -> ActionContext:
    """Return what a request is about."""
    sleep = request.environ.get("mockgraph.sleep")
    more = {} if sleep is None else {"sleep": sleep}
    tenant: Tenant = request.environ[NOTED]
    try:
        origin = request.server_origin
    except BadRequest:  # no host, which is nothing to an action
        origin = tenant.prefix
    return ActionContext(tenant, tenants, origin, **more)


def _streamed(stream: EventStream) -> flask.Response:
    """Answer with server-sent events, each sent when it comes."""

    def written() -> Iterator[bytes]:
        yield b": events\n\n"
        for each in stream.events:
            if each is None:
                yield b":\n\n"
            else:
                name, value = each
                yield b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps(value))

    response = flask.Response(written(), content_type="text/event-stream; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    return response


def _in_pieces(pieces: Iterator[bytes]) -> flask.Response:
    """Answer with a document, chunked where it is more than one piece."""
    first = next(pieces)
    second = next(pieces, None)
    content = first if second is None else chain((first, second), pieces)
    return flask.Response(content, content_type="application/json")


def _arguments(action: ControlAction, request: Request, service: Service) -> dict[str, Any]:
    """Return the parameters of an action in a request's query or body. Raises 400, 413, 415."""
    if action.max_body is not None:
        request.max_content_length = action.max_body
    if action.document is not None:
        if action.takes_state:
            apart = partial(is_apart, service=service)
            return {action.document: validation.read_large_json(request, apart)}
        return {action.document: validation.read_json(request)}
    if not action.members:
        return {}
    if action.is_asked_by_query:
        return read_query_parameters(action.members, request.args.to_dict(flat=False))
    sent = validation.read_json(request) if action.needs_body or request.content else {}
    return read_members(form_of(action.run, action.path_names), sent)
