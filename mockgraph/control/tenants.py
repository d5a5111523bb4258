"""``/_mockgraph/tenants``: which there are, and dropping them."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response

from mockgraph.testing.tenants import Tenants

_AT = "/_mockgraph/tenants"


def add(plane: Blueprint, tenants: Tenants, answer: Callable[..., Response]) -> None:
    """Register the routes."""

    @plane.get(_AT)
    def list_tenants() -> Response:
        return answer({"value": [each.name for each in tenants]})

    @plane.delete(_AT)
    def drop_tenants() -> Response:
        tenants.clear()
        return Response(status=204)

    @plane.delete(f"{_AT}/<name>")
    def drop_tenant(name: str) -> Response:
        tenants.drop(name)
        return Response(status=204)
