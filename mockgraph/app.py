"""One request, from the wire to the answer."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from typing import Any

from flask import Flask, g, request
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import MethodNotAllowed as WrongMethod
from werkzeug.wrappers import Response

from mockgraph import addressing, auth, control, rendering, validation
from mockgraph.errors import BY_STATUS, GraphError, MethodNotAllowed
from mockgraph.examples import initial_document
from mockgraph.model import Intent, Operation, Outcome
from mockgraph.odata import batch
from mockgraph.resources import SERVICE
from mockgraph.settings import Settings
from mockgraph.state import State
from mockgraph.subrequests import sender

_logger = logging.getLogger("mockgraph")


def create_app(settings: Settings | None = None) -> Flask:
    """A WSGI app that emulates the service, with a state of its own.

    Raises MockGraphError where the store, a seed or a page cannot be used. The app's state
    is ``app.extensions["mockgraph"]``; close it to let go of a store.
    """
    settings = settings or Settings()
    service = SERVICE
    state = State(service, initial_document(service, settings), settings.store)

    def answer() -> Response:
        caller = auth.authenticate(request, settings.auth)
        address = addressing.resolve(request.method, request.path, service)
        auth.authorize(caller, address)
        intent = validation.read(request, address, service)
        is_batch = address.operation is Operation.BATCH
        outcome = run_batch(intent) if is_batch else state.apply(intent)
        return rendering.render(outcome, intent, service, settings.json)

    def run_batch(intent: Intent) -> Outcome:
        send = sender(app.wsgi_app, request.environ)
        items = batch.read(intent.body)
        prefix = request.root_path
        return Outcome(value=batch.run(items, intent.address.root, service, send, prefix=prefix))

    app = _App(answer)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body
    app.extensions["mockgraph"] = state
    app.register_blueprint(control.blueprint(service, state, settings))
    app.before_request(_identify)
    app.after_request(_sign)
    app.register_error_handler(Exception, lambda error: _refuse(error, settings.json))
    return app


class _App(Flask):
    """Flask, but that every path outside the control plane is Graph's, whatever the method."""

    def __init__(self, answer: Callable[[], Response]):
        super().__init__("mockgraph", static_folder=None)
        self.url_map.merge_slashes = False
        self.url_map.strict_slashes = False  # or a path is answered with a redirect, in HTML
        self._answer = answer

    def dispatch_request(self) -> Any:
        if request.path == "/" or request.path.lower().startswith(control.PREFIX):
            return super().dispatch_request()
        return self._answer()


def _identify() -> None:
    g.request_id = str(uuid.uuid4())
    g.client_request_id = request.headers.get("client-request-id") or g.request_id


def _sign(response: Any) -> Any:
    response.headers["request-id"] = g.request_id
    response.headers["client-request-id"] = g.client_request_id
    response.headers["OData-Version"] = "4.0"
    if response.status_code in (204, 304):
        response.headers.pop("Content-Type", None)  # the framework's: there is no content
    return response


def _refuse(error: Exception, layout: str) -> Response:
    """Any error as Graph's error body, the framework's own and unforeseen ones too."""
    if isinstance(error, WrongMethod):
        error = MethodNotAllowed(request.method, sorted(error.valid_methods or ()))
    elif isinstance(error, HTTPException):
        error = BY_STATUS.get(error.code or 500, GraphError)()
    elif not isinstance(error, GraphError):
        _logger.error("%s %s failed", request.method, request.path, exc_info=error)
        error = GraphError()
    body = error.body(g.request_id, g.client_request_id)
    response = rendering.render_json(body, error.status, layout)
    response.headers.extend(error.headers)
    return response
