"""The line of a request, from WSGI to the signed and recorded answer.

:meth:`Emulator.respond` is the whole line, top to bottom; the stages that it names are modules of
the rooms below.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from email.utils import format_datetime
from typing import Any, cast

import flask
from flask import Flask
from flask.ctx import RequestContext
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import MethodNotAllowed as MethodNotRouted
from werkzeug.exceptions import NotFound as NotRouted
from werkzeug.wrappers import Response as WerkzeugResponse

from mockgraph import control, work
from mockgraph.entra import authorization, initial_entra
from mockgraph.errors import BY_STATUS, GraphError, MethodNotAllowed, Overtaken
from mockgraph.http import (
    SAFE_METHODS,
    Request,
    Response,
    check_path,
    error_body,
    from_werkzeug,
    identifying_headers,
)
from mockgraph.metadata.resources import Service, View
from mockgraph.odata import addressing, kept_requests, rendering, validation
from mockgraph.request_heads import RequestHead, RequestHeads
from mockgraph.seeds import check_document, initial_document, naming_seeds
from mockgraph.server_options import Settings
from mockgraph.service import (
    BEHAVIOURS,
    behaviours_of,
    guarded,
    legacy_alerts,
    service_of,
    tell_of_unknown,
)
from mockgraph.serving import cors
from mockgraph.serving.origins import Origins
from mockgraph.state import Snapshot, State
from mockgraph.state.intent import Caller, Intent, Outcome, RequestKind
from mockgraph.testing.tenant import NOTED, Tenant, Tenants
from mockgraph.wsgi import HOLD, Environ, Headers, StartResponse, WSGIApp

Handler = Callable[[Any], Any]

_logger = logging.getLogger("mockgraph")


def create_app(settings: Settings | None = None) -> Emulator:
    """Make a Flask app that emulates the service, with a state of its own.

    Raises MockGraphError where the store, a seed or a page cannot be used. The app's tenants
    are ``app.extensions["mockgraph"]``; close them to let go of a store.
    """
    settings = settings or Settings()
    service, behaviours = _served(settings), behaviours_of(settings.operations)
    tell_of_unknown(behaviours.keys() - BEHAVIOURS.keys(), service)
    if settings.docs or settings.csdl:
        behaviours = guarded(behaviours)
    if settings.docs:
        from mockgraph.pages.served_pages import merged_behaviours

        behaviours = merged_behaviours(settings.docs, service, behaviours)
    initial = initial_document(service, settings)
    with naming_seeds(service, settings):
        check_document(initial, service)
        state = State(service, initial, settings.store, settings.durability, behaviours)
    if state.goes_on and settings.seeds:
        _logger.info(
            "The store %s goes on with the state in it: the seeds are for resets and new tenants.",
            settings.store,
        )
    return Emulator(Tenants(state, initial_entra(service, state), settings), settings)


def _served(settings: Settings) -> Service:
    if not settings.docs:
        return service_of(settings.csdl)
    from mockgraph.pages.served_pages import service_with  # most have none

    return service_with(settings.docs, settings.csdl)


class Emulator(Flask):
    """A Flask app in which every path that no route has is Graph's, whatever the method.

    Graph's paths take no part in Flask's contexts, routing and hooks, which cost as much as the
    whole line does, until a user registers a route, a blueprint, a hook or an error handler.
    """

    request_class = Request

    def __init__(self, tenants: Tenants, settings: Settings):
        super().__init__("mockgraph", static_folder=None)
        self.url_map.merge_slashes = False
        self.url_map.strict_slashes = False  # or a path is answered with a redirect, in HTML
        self.config["MAX_CONTENT_LENGTH"] = settings.max_body
        self.extensions["mockgraph"] = tenants
        self._tenants = tenants
        self._settings = settings
        self._origins = Origins(settings)
        self._heads = RequestHeads()
        self._kept = kept_requests.KeptRequests()
        self._service = tenants.default.state.service
        self._registering = threading.Lock()
        self._own_views = 0  # those of the control plane, once it is registered
        self._error_handlers: dict[Any, Handler] = {}
        super().register_error_handler(Exception, self._refuse_route)

    # -- the line -------------------------------------------------------------------------

    def wsgi_app(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, as WSGI has it."""
        head = self._heads.find(environ)
        if not head.is_good or self._is_extended:
            return self._answer_anew(environ, head, start_response)
        self._tenants.enter(environ)
        request = Request(environ, populate_request=False, head=head)
        return self.respond(request).send(request.method, start_response)

    def _answer_anew(
        self, environ: Environ, head: RequestHead, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer a request whose head is not known to be good, or is not for the line alone."""
        try:
            self._origins.check_host(environ)
            check_path(environ["PATH_INFO"])
            self._tenants.enter(environ)
        except GraphError as error:
            request = Request(environ)
            response = self._sign(self._refusal(error, request), request)
            return response.send(request.method, start_response)
        path = environ["PATH_INFO"]
        if control.is_control(path) or self._is_extended:
            self._open_control_plane()
            environ.pop(HOLD, None)  # Flask, and what a user registered, would have it first
            return super().wsgi_app(environ, start_response)
        if "//" in path:
            environ["PATH_INFO"] = addressing.joined(path, self._service)
        head.read(environ)
        head.is_good = environ["PATH_INFO"] == path
        request = Request(environ, populate_request=False, head=head)
        return self.respond(request).send(request.method, start_response)

    def body_limit(self, environ: Environ) -> int:
        """Return how many bytes of a body are worth reading, by the head of its request.

        They are few where the host, the path or the token say already that it is refused.
        """
        path, tenant = self._tenants.known(environ)
        try:
            self._origins.check_host(environ)
            if self._is_extended:
                return self._settings.max_body
            if control.is_control(path):
                return self._control_body_limit(environ, path)
            may_stub = tenant is not None and tenant.is_stubbed
            root = addressing.root_of(path, self._service)
            if root is not None and not may_stub:
                head = Request(environ, populate_request=False, shallow=True)
                self._authenticate(head, tenant or self._tenants.default, root)
        except GraphError:
            return 0
        return self._settings.max_body

    def _control_body_limit(self, environ: Environ, path: str) -> int:
        from mockgraph.control import guard, plane

        guard.check_request(environ, path, self._settings.control_token, self._origins)
        most = plane.max_body(environ["REQUEST_METHOD"], path)
        return self._settings.max_body if most is None else most

    def respond(self, request: Request) -> Response:
        """Answer a request of Graph's: the whole line, errors, faults, ids and journal included."""
        began = time.perf_counter()
        if request.method == "OPTIONS" and cors.is_preflight(request.environ):
            return cors.preflight(request.environ)
        tenant: Tenant = request.environ[NOTED]
        request.max_content_length = self._settings.max_body
        request.service = self._service
        is_whole = work.enter(request, _check_work)
        try:
            response = self._answer(request, tenant)
        except Exception as error:
            response = self._refuse(error, request)
        finally:
            if is_whole:
                work.leave()
        if request.strike is not None:
            response = self._apply_faults(response, request)
        if response.status >= 400 and addressing.root_of(request.path, self._service) is None:
            from mockgraph.entra import endpoints

            endpoints.restate_error(tenant.entra, request, response)
        self._sign(response, request)
        if request.settle is not None:
            return self._settle(response, request, began)
        tenant.record(request, response, began)
        return response

    def _settle(self, response: Response, request: Request, began: float) -> Response:
        """Return the response to a write that is on its way to the disk; its server holds it.

        Where the write does not get there, an error is sent in place of the response. One that
        comes bit by bit, or has faults' effects, waits here.
        """
        tenant: Tenant = request.environ[NOTED]
        concluded = response

        def settle() -> None:
            nonlocal concluded
            try:
                assert request.settle is not None
                request.settle()
            except Exception as error:
                concluded = self._sign(self._refusal(error, request), request)

        def conclude() -> WSGIApp | None:
            tenant.record(request, concluded, began)
            if concluded is response:
                return None
            return lambda environ, start: concluded.send(environ["REQUEST_METHOD"], start)

        if response.chunks is None and request.strike is None:
            request.environ[HOLD](settle, conclude)
        else:
            request.step_aside()
            settle()
            conclude()
        return concluded

    def _answer(self, request: Request, tenant: Tenant) -> Response:
        """Answer by a fault, by a stub, by the sign-in or by the emulation, in this order."""
        tenant.check(request)
        head, stub = request.head, tenant.stub(request)
        if head.root is None:
            head.root = addressing.root_of(request.path, self._service)
        root: View | None = head.root
        is_emulated = root is not None and stub is None
        caller = self._authenticate(request, tenant, root) if is_emulated else Caller()
        strike = request.strike = tenant.strike(request)
        if strike is not None and strike.answer is not None:
            return strike.answer
        if stub is not None:
            return stub.answer(request)
        if is_emulated:
            return self._emulate(request, tenant, caller)
        return self._sign_in(request, tenant)

    def _emulate(self, request: Request, tenant: Tenant, caller: Caller) -> Response:
        """Answer as before where the same was asked of the same state; else by doing it."""
        asked = kept_requests.question(request, caller)
        kept = None if asked is None else self._kept.find(asked)
        state = tenant.state.present()
        if kept is not None and (response := kept.response(state, tenant.state)) is not None:
            request.address = kept.address
            return response
        spent = work.spent()
        intent = None if kept is None else kept.intent()
        if intent is None:
            intent = self._read(request, tenant, caller)
            if kept is None and asked is not None:
                kept = self._kept.keep(asked, intent)
        request.address = intent.address
        outcome = self._apply(request, intent, tenant, state)
        response = rendering.render(outcome, intent, self._settings.json)
        if self._settings.legacy_alerts == "current" and legacy_alerts.is_legacy(intent.address):
            legacy_alerts.unmark(response)
        if kept is not None and not intent.address.writes:
            spent = work.spent().since(spent)
            self._kept.renew(kept, intent, state, outcome, response, spent)
        return response

    def _read(self, request: Request, tenant: Tenant, caller: Caller) -> Intent:
        """Address, authorize, validate."""
        mode, state, path = self._settings.auth, tenant.state, request.path
        aliases = addressing.aliases_in(request.query_string) if "@" in path else ()
        address = addressing.resolve(request.method, path, self._service, aliases)
        request.address = address
        authorization.authorize(caller, address, mode)
        intent = validation.read(request, address, state.behaviours, state.clock, caller)
        authorization.authorize_query(caller, intent.query, mode)
        return intent

    def _apply(
        self, request: Request, intent: Intent, tenant: Tenant, present: Snapshot
    ) -> Outcome:
        """Do what was asked, by the state or by the items of a batch."""
        address, state = intent.address, tenant.state
        if request.method not in SAFE_METHODS:
            self._tenants.keep(tenant)
        if address.kind is RequestKind.BATCH:
            return self._run_batch(request, intent, tenant)
        if self._settings.legacy_alerts == "retired" and not address.view.documented:
            if legacy_alerts.is_legacy(address):
                return legacy_alerts.retired(intent)
            if intent.query.expand:
                intent = intent._replace(query=legacy_alerts.unexpanded(intent.query))
        settle_later = None
        if address.call is not None and state.runs_apart(address):
            request.step_aside()
        elif address.writes and state.waits_for_disk:
            if HOLD in request.environ:
                settle_later = request.settle_later
            else:
                request.step_aside()
        return state.apply(intent, present, settle_later)

    def _run_batch(self, request: Request, intent: Intent, tenant: Tenant) -> Outcome:
        from mockgraph.odata import batch
        from mockgraph.odata.subrequests import sender

        send = sender(self.wsgi_app, request.environ)
        items = batch.read(intent.body)
        view, prefix = intent.address.view, request.root_path
        at = tenant.state.clock.now()
        return Outcome(
            value=batch.run_batch(items, view, self._service, send, prefix=prefix, at=at)
        )

    def _sign_in(self, request: Request, tenant: Tenant) -> Response:
        from mockgraph.entra import endpoints

        answered = endpoints.dispatch(tenant.entra, request)
        if answered is None:  # no endpoint of Entra's: an unknown root, for whoever may ask
            caller = self._authenticate(request, tenant, None)
            return self._emulate(request, tenant, caller)
        request.answered_by = "sign-in"
        if request.method not in SAFE_METHODS and answered.status_code < 400:
            self._tenants.keep(tenant)
        return from_werkzeug(answered)

    def _authenticate(self, request: Request, tenant: Tenant, root: View | None) -> Caller:
        caller: Caller | None = request.head.caller
        if caller is None:
            mode, bare = self._settings.auth, root is None or not root.documented
            caller = authorization.authenticate(request, mode, tenant, bare=bare)
            if mode != "jwt":  # by the clock and the directory a token is good or not
                request.head.caller = caller
        return caller

    def _apply_faults(self, response: Response, request: Request) -> Response:
        """Return the response after the effects of the faults that struck."""
        assert request.strike is not None
        try:
            return request.strike.apply(response)
        except Exception as error:
            return self._refuse(error, request)

    def _refuse(self, error: Exception, request: Request) -> Response:
        """Answer an error: by a user's handler where there is one, else in Graph's shape."""
        if self._error_handlers and flask.has_request_context():
            status = error.status if isinstance(error, GraphError) else 500
            for key in (*type(error).__mro__, status):
                handler = self._error_handlers.get(key)
                if handler is not None:
                    return from_werkzeug(self.make_response(handler(error)))
        return self._refusal(error, request)

    def _refusal(self, error: Exception, request: Request) -> Response:
        """Any error in Graph's shape, the framework's own and unforeseen ones too."""
        if isinstance(error, MethodNotRouted):
            error = MethodNotAllowed(sorted(error.valid_methods or ()))
        elif isinstance(error, HTTPException):
            error = BY_STATUS.get(error.code or 500, GraphError)()
        elif not isinstance(error, GraphError):
            _logger.error("%s %s failed", request.method, request.path, exc_info=error)
            error = GraphError()
        tenant: Tenant | None = request.environ.get(NOTED)
        at = None if tenant is None else tenant.state.clock.now()
        body = error_body(error, request, at)
        response = rendering.render_json(body, error.status, self._settings.json)
        response.headers.extend(error.headers)
        return response

    def _sign(self, response: Response, request: Request) -> Response:
        """Add the headers that every answer has, unless a test gave it its own."""
        headers = _identity(request)
        if request.strike is not None or request.answered_by != "emulation":
            headers = [pair for pair in headers if response.get(pair[0]) is None]
        if "HTTP_ORIGIN" in request.environ:
            headers += [pair for pair in cors.readable() if response.get(pair[0]) is None]
        response.headers += headers
        return response

    # -- Flask's way: the control plane, and what a user registers -----------------------------

    @property
    def _is_extended(self) -> bool:
        """Whether a user has registered a route, a hook or an error handler."""
        return (
            len(self.view_functions) != self._own_views
            or bool(self._error_handlers)
            or bool(self.teardown_appcontext_funcs)
            or None in self.before_request_funcs
            or None in self.after_request_funcs
            or None in self.teardown_request_funcs
            or None in self.url_value_preprocessors
        )

    def _open_control_plane(self) -> None:
        """Register it with the first request of Flask's: no start has to wait for that."""
        with self._registering:
            if "control" not in self.blueprints:
                from mockgraph.control.plane import blueprint

                before = len(self.view_functions)
                self.register_blueprint(blueprint(self._service, self._tenants, self._settings))
                self._own_views = len(self.view_functions) - before

    def request_context(self, environ: Environ) -> RequestContext:
        """Begin a request that goes Flask's way."""
        context = super().request_context(environ)
        context.request.max_content_length = self.config["MAX_CONTENT_LENGTH"]
        return context

    def _check_access(self, request: Request) -> None:
        from mockgraph.control import guard

        token = self._settings.control_token
        guard.check_request(request.environ, request.path, token, self._origins)

    def register_error_handler(self, code_or_exception: type[Exception] | int, f: Handler) -> None:
        """Register a handler, of Graph's errors too: by their class or by their status."""
        self._error_handlers[code_or_exception] = f
        super().register_error_handler(code_or_exception, f)

    def dispatch_request(self) -> Any:
        """Answer by the line where no route has the path."""
        request = cast("Request", flask.request)
        if control.is_control(request.path):
            if cors.is_preflight(request.environ) and (origin := self._named_origin(request)):
                return _as_werkzeug(cors.preflight(request.environ, origin), request.method)
            self._check_access(request)
            if isinstance(request.routing_exception, NotRouted):
                from mockgraph.control.catalogue import unknown_endpoint

                raise unknown_endpoint(request.path)
            return self._dispatch_control(request)
        if not isinstance(request.routing_exception, NotRouted):
            return super().dispatch_request()
        if "//" in request.path:
            request.path = addressing.joined(request.path, self._service)
        request.is_recorded = True
        return _as_werkzeug(self.respond(request), request.method)

    def _dispatch_control(self, request: Request) -> Any:
        """Answer by the control plane's route, its work bounded as that of others is."""
        is_whole = work.enter(request, lambda each: work.check_client(each.environ))
        try:
            return super().dispatch_request()
        finally:
            if is_whole:
                work.leave()

    def process_response(self, response: Any) -> Any:
        """Sign what a route or a hook answered, and record it, unless it is the control plane's."""
        response = super().process_response(response)
        request = cast("Request", flask.request)
        if response.status_code in (204, 304):
            response.headers.pop("Content-Type", None)  # the framework's: there is no content
        if request.is_recorded:
            return response
        response.headers.extend(_identity(request))
        if control.is_control(request.path):
            if origin := self._named_origin(request):
                response.headers.extend([*cors.readable(origin), ("Vary", "Origin")])
        else:
            request.answered_by = "route"
            tenant: Tenant = request.environ[NOTED]
            tenant.record(request, from_werkzeug(response), time.perf_counter())
        return response

    def _named_origin(self, request: Request) -> str | None:
        """Return the origin of a page that may ask the control plane from elsewhere."""
        origin: str | None = request.environ.get("HTTP_ORIGIN")
        return origin if origin is not None and self._origins.is_named(origin) else None

    def _refuse_route(self, error: Exception) -> WerkzeugResponse:
        request = cast("Request", flask.request)
        return _as_werkzeug(self._refusal(error, request), request.method)


def _check_work(request: Request) -> None:
    """Raise where the work for a request is in vain: by a reset, without its client."""
    tenant: Tenant = request.environ[NOTED]
    if tenant.overtook(request):
        raise Overtaken
    work.check_client(request.environ)


def _identity(request: Request) -> Headers:
    """The ids of a request, and the ``Date`` where its tenant's clock does not show real time."""
    headers = identifying_headers(request)
    tenant: Tenant | None = request.environ.get(NOTED)
    if tenant is not None and not tenant.state.clock.is_real:
        headers.append(("Date", format_datetime(tenant.state.clock.now(), usegmt=True)))
    return headers


def _as_werkzeug(response: Response, method: str) -> WerkzeugResponse:
    """A response of the line as Flask has it; its body still goes out as faults have it."""
    begun: list[Any] = []
    pieces = response.send(method, lambda *given: begun.extend(given))
    return WerkzeugResponse(pieces, *begun)
