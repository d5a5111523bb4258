"""The control plane under ``/_mockgraph``: what a test does to the server, not to Graph."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from mockgraph import rendering, validation
from mockgraph.errors import NotEmulated
from mockgraph.model import Service
from mockgraph.settings import Settings
from mockgraph.state import State
from mockgraph.version import __version__

PREFIX = "/_mockgraph"

_ANY = ("GET", "POST", "PUT", "DELETE")

# A whole state is larger than any request that Graph takes.
MAX_STATE = 512 * 1024 * 1024


def blueprint(service: Service, state: State, settings: Settings) -> Blueprint:
    """The control plane of one app."""
    plane = Blueprint("control", __name__)

    @plane.get("/")
    def index() -> Response:
        return _answer(
            {
                "name": "MockGraph",
                "version": __version__,
                "roots": {
                    name: f"/{name}/{root.singleton}" for name, root in service.roots.items()
                },
                "control": PREFIX,
            }
        )

    @plane.get(f"{PREFIX}/health")
    def health() -> Response:
        return _answer({"status": "ready", "version": __version__})

    @plane.post(f"{PREFIX}/reset")
    def reset() -> Response:
        state.reset()
        return Response(status=204)

    @plane.get(f"{PREFIX}/state")
    def read_state() -> Response:
        return _answer(state.document())

    @plane.put(f"{PREFIX}/state")
    def write_state() -> Response:
        request.max_content_length = MAX_STATE
        state.replace(validation.read_json(request))
        return Response(status=204)

    @plane.route(f"{PREFIX}/<any(requests, faults, snapshots):what>", methods=_ANY)
    @plane.route(f"{PREFIX}/<any(requests, faults, snapshots):what>/<path:_>", methods=_ANY)
    def missing(what: str, _: str = "") -> Response:
        raise NotEmulated(f"'{PREFIX}/{what}' yet")

    def _answer(value: Any) -> Response:
        return rendering.render_json(value, 200, settings.json)

    return plane
