"""The control plane as a blueprint."""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, Response, current_app, request

from mockgraph.control import (
    FAVICON,
    PREFIX,
    faults,
    journal,
    sign_in,
    state,
    stubs,
    tenants,
)
from mockgraph.metadata.resources import Service
from mockgraph.odata import rendering
from mockgraph.settings import Settings
from mockgraph.testing.tenant import Tenant
from mockgraph.testing.tenants import NOTED, Tenants
from mockgraph.version import __version__


def blueprint(service: Service, all_tenants: Tenants, settings: Settings) -> Blueprint:
    """The control plane of one app."""
    plane = Blueprint("control", __name__)

    def tenant() -> Tenant:
        return cast("Tenant", request.environ[NOTED])

    def answer(value: Any, status: int = 200) -> Response:
        rendered = rendering.render_json(value, status, settings.json)
        return Response(rendered.body, status, rendered.headers)

    @plane.get("/")
    def index() -> Response:
        return answer(
            {
                "name": "MockGraph",
                "version": __version__,
                "roots": {
                    name: f"{tenant().prefix}/{name}/{next(iter(view.children.values())).name}"
                    for name, view in service.views.items()
                },
                "control": f"{tenant().prefix}{PREFIX}",
            }
        )

    @plane.get(FAVICON)
    def favicon() -> Response:
        return Response(status=204)

    @plane.get(PREFIX)
    def routes() -> Response:
        found = [
            f"{method} {str(rule).replace('<', '{').replace('>', '}')}"
            for rule in current_app.url_map.iter_rules()
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
            if rule.rule.startswith(PREFIX)
        ]
        return answer({"value": sorted(found, key=lambda each: each.split()[::-1])})

    @plane.get(f"{PREFIX}/health")
    def health() -> Response:
        return answer({"status": "ready", "version": __version__})

    @plane.post(f"{PREFIX}/reset")
    def reset() -> Response:
        tenant().reset()
        return Response(status=204)

    sign_in.add(plane, tenant, answer)
    state.add(plane, tenant, answer)
    faults.add(plane, tenant, answer)
    journal.add(plane, tenant, answer)
    stubs.add(plane, tenant, answer)
    tenants.add(plane, all_tenants, answer)
    return plane
