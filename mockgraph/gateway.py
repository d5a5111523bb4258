"""Between WSGI and the line: whose request it is, its ids, its errors in Graph's shape.

Graph's own paths do not pass through Flask's contexts, routing and hooks, which cost as much as
the whole line does; the control plane does.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from email.utils import format_datetime
from typing import Any, cast

from flask import Blueprint, Flask, request
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import MethodNotAllowed as WrongMethod
from werkzeug.wrappers import Response as WerkzeugResponse

from mockgraph import control
from mockgraph.errors import BY_STATUS, GraphError, MethodNotAllowed
from mockgraph.http import Environ, Headers, Request, Response, StartResponse, error_body, identity
from mockgraph.odata import addressing, rendering
from mockgraph.service import SERVICE
from mockgraph.settings import Settings
from mockgraph.testing.tenant import Tenant
from mockgraph.testing.tenants import NOTED, Tenants

Answer = Callable[[Request, Tenant], Response]

_logger = logging.getLogger("mockgraph")


class Gateway(Flask):
    """Flask, but that every path outside the control plane is Graph's, whatever the method."""

    request_class = Request

    def __init__(
        self,
        tenants: Tenants,
        settings: Settings,
        answer: Answer,
        control_plane: Callable[[], Blueprint],
    ):
        super().__init__("mockgraph", static_folder=None)
        self.url_map.merge_slashes = False
        self.url_map.strict_slashes = False  # or a path is answered with a redirect, in HTML
        self.config["MAX_CONTENT_LENGTH"] = settings.max_body
        self.extensions["mockgraph"] = tenants
        self._tenants = tenants
        self._settings = settings
        self._answer = answer
        self._control_plane = control_plane
        self._registering = threading.Lock()
        self.after_request(_sign_control)
        self.register_error_handler(Exception, self._refuse)

    def wsgi_app(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, as WSGI has it."""
        try:
            tenant = self._tenants.enter(environ)
        except GraphError as error:
            asked = Request(environ)
            refusal = self._error(error, asked)
            refusal.headers += identity(asked)
            return refusal.send(asked.method, start_response)
        path = environ["PATH_INFO"]
        if path in ("/", control.FAVICON) or path[: len(control.PREFIX)].lower() == control.PREFIX:
            self._open_control_plane()
            return super().wsgi_app(environ, start_response)
        if "//" in path:
            environ["PATH_INFO"] = addressing.joined(path, SERVICE)
        asked = Request(environ, populate_request=False)
        asked.max_content_length = self._settings.max_body
        began = time.perf_counter()
        response = self._attempt(asked, tenant)
        if response.status >= 400 and not addressing.is_rooted(asked.path, SERVICE):
            tenant.entra.reword(asked, response)
        _sign(response, asked)
        tenant.record(asked, response, time.perf_counter() - began)
        return response.send(asked.method, start_response)

    def _open_control_plane(self) -> None:
        """Register it with the first request that is for it: no start has to wait for that."""
        with self._registering:
            if not self.blueprints:
                self.register_blueprint(self._control_plane())

    def _attempt(self, asked: Request, tenant: Tenant) -> Response:
        """The answer, an error too, after what faults do to it."""
        try:
            response = self._answer(asked, tenant)
        except Exception as error:
            response = self._error(error, asked)
        if asked.strike is None:
            return response
        try:
            return asked.strike.mar(response)
        except Exception as error:
            return self._error(error, asked)

    def _error(self, error: Exception, asked: Request) -> Response:
        """Any error as Graph's, the framework's own and unforeseen ones too."""
        if isinstance(error, WrongMethod):
            error = MethodNotAllowed(asked.method, sorted(error.valid_methods or ()))
        elif isinstance(error, HTTPException):
            error = BY_STATUS.get(error.code or 500, GraphError)()
        elif not isinstance(error, GraphError):
            _logger.error("%s %s failed", asked.method, asked.path, exc_info=error)
            error = GraphError()
        tenant: Tenant | None = asked.environ.get(NOTED)
        at = None if tenant is None else tenant.state.clock.now()
        body = error_body(error, asked, at)
        response = rendering.render_json(body, error.status, self._settings.json)
        response.headers.extend(error.headers)
        return response

    def _refuse(self, error: Exception) -> WerkzeugResponse:
        refusal = self._error(error, cast("Request", request))
        return WerkzeugResponse(refusal.body, refusal.status, refusal.headers)


def _sign(response: Response, asked: Request) -> None:
    """Add the headers that every answer has, unless a test gave it its own."""
    headers = identity(asked) + _date(asked)
    if asked.strike is not None or asked.answered_by != "emulation":
        headers = [pair for pair in headers if response.get(pair[0]) is None]
    response.headers += headers


def _date(asked: Request) -> Headers:
    """The ``Date`` of the tenant's clock; in real time it is the server's own."""
    clock = asked.environ[NOTED].state.clock
    return [] if clock.is_real else [("Date", format_datetime(clock.now(), usegmt=True))]


def _sign_control(response: Any) -> Any:
    asked = cast("Request", request)
    response.headers.extend(identity(asked) + _date(asked))
    if response.status_code in (204, 304):
        response.headers.pop("Content-Type", None)  # the framework's: there is no content
    return response
