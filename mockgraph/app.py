"""One request, from the wire to the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockgraph.entra import authorization as auth
from mockgraph.entra import check_directory, initial_entra
from mockgraph.gateway import Gateway
from mockgraph.http import Request, Response, plain
from mockgraph.odata import addressing, rendering, validation
from mockgraph.seeds import initial_document
from mockgraph.service import SERVICE
from mockgraph.settings import Settings
from mockgraph.state import State
from mockgraph.state.intent import Caller, Intent, Operation, Outcome
from mockgraph.testing.tenant import Tenant
from mockgraph.testing.tenants import Tenants

if TYPE_CHECKING:
    from flask import Blueprint, Flask


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
        stub = tenant.stub(request)
        caller = Caller() if stub or signing_in else authenticate(request, tenant)
        strike = request.strike = tenant.strike(request)
        return (
            (strike and strike.answer)
            or (stub and stub.answer(request))
            or (signing_in and sign_in(request, tenant))
            or emulate(request, tenant, caller)
        )

    def authenticate(request: Request, tenant: Tenant) -> Caller:
        return auth.authenticate(request, settings.auth, tenant)

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
        intent = validation.read(request, address, service, tenant.state.clock)
        if address.writes and tenant.state.waits_for_disk:
            request.step_aside()
        is_batch = address.operation is Operation.BATCH
        outcome = run_batch(request, intent) if is_batch else tenant.state.apply(intent)
        return rendering.render(outcome, intent, service, settings.json)

    def run_batch(request: Request, intent: Intent) -> Outcome:
        from mockgraph.odata import batch
        from mockgraph.odata.subrequests import sender

        send = sender(app.wsgi_app, request.environ)
        items = batch.read(intent.body)
        prefix = request.root_path
        return Outcome(value=batch.run(items, intent.address.root, service, send, prefix=prefix))

    def control_plane() -> Blueprint:
        from mockgraph.control.plane import blueprint

        return blueprint(service, tenants, settings)

    app = Gateway(tenants, settings, answer, control_plane)
    return app
