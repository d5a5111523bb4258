"""``/_mockgraph/state``, ``snapshots`` and ``clock``: a tenant's state by HTTP."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, request

from mockgraph.control.forms import Form, a_number, a_text, read, sent
from mockgraph.settings import MAX_STATE
from mockgraph.testing.tenant import Tenant

_STATE = "/_mockgraph/state"
_SNAPSHOTS = "/_mockgraph/snapshots"
_CLOCK = "/_mockgraph/clock"


class _Clock(Form):
    """Where to set the clock: ``freeze`` at a moment, or at the present one where null."""

    freeze = a_text()
    advance = a_number()


def add(plane: Blueprint, tenant: Callable[[], Tenant], answer: Callable[..., Response]) -> None:
    """Register the routes."""

    @plane.get(_STATE)
    def read_state() -> Response:
        return answer(tenant().state.document())

    @plane.put(_STATE)
    def write_state() -> Response:
        request.max_content_length = MAX_STATE
        tenant().replace(sent())
        return Response(status=204)

    @plane.get(_SNAPSHOTS)
    def list_snapshots() -> Response:
        return answer({"value": list(tenant().snapshots)})

    @plane.post(f"{_SNAPSHOTS}/<name>")
    def take_snapshot(name: str) -> Response:
        tenant().keep(name)
        return answer({"name": name}, 201)

    @plane.get(f"{_SNAPSHOTS}/<name>")
    def read_snapshot(name: str) -> Response:
        return answer(tenant().document(name))

    @plane.put(f"{_SNAPSHOTS}/<name>")
    def write_snapshot(name: str) -> Response:
        request.max_content_length = MAX_STATE
        tenant().keep(name, tenant().read(sent()))
        return Response(status=204)

    @plane.post(f"{_SNAPSHOTS}/<name>/restore")
    def restore_snapshot(name: str) -> Response:
        tenant().restore(name)
        return Response(status=204)

    @plane.delete(f"{_SNAPSHOTS}/<name>")
    def delete_snapshot(name: str) -> Response:
        tenant().forget(name)
        return Response(status=204)

    @plane.get(_CLOCK)
    def read_clock() -> Response:
        return answer({"now": tenant().state.clock.text()})

    @plane.post(_CLOCK)
    def set_clock() -> Response:
        clock = tenant().state.clock
        asked = read(_Clock, sent())
        if "freeze" in asked:
            clock.freeze(asked["freeze"])
        clock.advance(asked.get("advance", 0))
        return read_clock()

    @plane.delete(_CLOCK)
    def reset_clock() -> Response:
        tenant().state.clock.reset()
        return Response(status=204)
