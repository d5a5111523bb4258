"""One request, from the wire to the answer."""

from __future__ import annotations

from flask import Flask

from mockgraph import addressing, auth, control, rendering, validation
from mockgraph.examples import initial_document
from mockgraph.gateway import Gateway
from mockgraph.model import Caller, Intent, Operation, Outcome
from mockgraph.odata import batch
from mockgraph.resources import SERVICE
from mockgraph.settings import Settings
from mockgraph.sign_in import check_directory, initial_entra
from mockgraph.state import State
from mockgraph.subrequests import sender
from mockgraph.tenants import Tenant, Tenants
from mockgraph.wire import Request, Response, plain


def create_app(settings: Settings | None = None) -> Flask:
    """A WSGI app that emulates the service, with a state of its own.

    Raises MockGraphError where the store, a seed or a page cannot be used. The app's tenants
    are ``app.extensions["mockgraph"]``; close them to let go of a store.
    """
    settings = settings or Settings()
    service = SERVICE
    initial = initial_document(service, settings)
    check_directory(initial, service)
    state = State(service, initial, settings.store, settings.durability)
    tenants = Tenants(state, initial_entra(service, state), settings)

    def answer(request: Request, tenant: Tenant) -> Response:
        tenant.check(request)
        signing_in = not addressing.is_rooted(request.path, service)
        stub = tenant.stubs.find(request)
        caller = Caller() if stub or signing_in else authenticate(request, tenant)
        strike = request.strike = tenant.faults.strike(request)
        return (
            strike.answer
            or (stub and stub.answer(request))
            or (signing_in and sign_in(request, tenant))
            or emulate(request, tenant, caller)
        )

    def authenticate(request: Request, tenant: Tenant) -> Caller:
        return auth.authenticate(request, settings.auth, tenant.entra)

    def sign_in(request: Request, tenant: Tenant) -> Response | None:
        answered = tenant.entra.answer(request)
        if answered is None:
            authenticate(request, tenant)
            return None
        request.answered_by = "sign-in"
        return plain(answered)

    def emulate(request: Request, tenant: Tenant, caller: Caller) -> Response:
        address = request.address = addressing.resolve(request.method, request.path, service)
        auth.authorize(caller, address, settings.auth)
        intent = validation.read(request, address, service)
        if address.writes and tenant.state.waits_for_disk:
            request.step_aside()
        is_batch = address.operation is Operation.BATCH
        outcome = run_batch(request, intent) if is_batch else tenant.state.apply(intent)
        return rendering.render(outcome, intent, service, settings.json)

    def run_batch(request: Request, intent: Intent) -> Outcome:
        send = sender(app.wsgi_app, request.environ)
        items = batch.read(intent.body)
        prefix = request.root_path
        return Outcome(value=batch.run(items, intent.address.root, service, send, prefix=prefix))

    app = Gateway(tenants, settings, answer)
    app.register_blueprint(control.blueprint(service, tenants, settings))
    return app
