"""``/_mockgraph/tokens``, ``devices`` and ``revocations``: what a test does to a tenant's Entra."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Blueprint, Response

from mockgraph.control.forms import Form, a_number, a_text, a_texts, read, sent_or_nothing

if TYPE_CHECKING:
    from mockgraph.testing.tenant import Tenant


class _Token(Form):
    """What a token is to say, see :meth:`mockgraph.entra.Entra.mint`."""

    app = a_text()
    user = a_text()
    tenant = a_text()
    permissions = a_texts()
    audience = a_text(null=False)
    authority = a_text()
    lifetime = a_number()
    flaw = a_text()


class _User(Form):
    user = a_text()


class _Revoked(Form):
    user = a_text()
    app = a_text()


def add(plane: Blueprint, tenant: Callable[[], Tenant], answer: Callable[..., Response]) -> None:
    """Register the routes."""

    @plane.post("/_mockgraph/tokens")
    def mint() -> Response:
        return answer({"access_token": tenant().entra.mint(**read(_Token, sent_or_nothing()))}, 201)

    @plane.post("/_mockgraph/devices/<code>/approve")
    def approve(code: str) -> Response:
        tenant().entra.approve_device_code(code, **read(_User, sent_or_nothing()))
        return Response(status=204)

    @plane.post("/_mockgraph/devices/<code>/deny")
    def deny(code: str) -> Response:
        tenant().entra.deny_device_code(code)
        return Response(status=204)

    @plane.post("/_mockgraph/revocations")
    def revoke() -> Response:
        tenant().entra.revoke(**read(_Revoked, sent_or_nothing()))
        return Response(status=204)
