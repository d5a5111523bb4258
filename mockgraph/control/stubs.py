"""``/_mockgraph/stubs``: a tenant's stubs by HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response
from marshmallow import fields

from mockgraph.control.forms import a_text, a_whole_number, read, sent
from mockgraph.control.matching import MatchingForm, header_values
from mockgraph.testing.stubs import Stub, Stubs

if TYPE_CHECKING:
    from mockgraph.testing.tenant import Tenant

_AT = "/_mockgraph/stubs"


class _Stub(MatchingForm):
    """What a stub is made up of, see :class:`mockgraph.testing.stubs.Reply`."""

    method = a_text()
    path = a_text(null=False, required=True)
    status = a_whole_number()
    headers = header_values()
    json = fields.Raw(allow_none=True)
    text = a_text(null=False)
    body = fields.Raw(allow_none=True)
    times = a_whole_number(null=True)


def add(plane: Blueprint, tenant: Callable[[], Tenant], answer: Callable[..., Response]) -> None:
    """Register the routes."""

    @plane.post(_AT)
    def add_stub() -> Response:
        return answer(put(tenant().stubs, sent()).as_json(), 201)

    @plane.get(_AT)
    def list_stubs() -> Response:
        return answer({"value": [stub.as_json() for stub in tenant().stubs]})

    @plane.delete(_AT)
    def clear_stubs() -> Response:
        tenant().stubs.reset()
        return Response(status=204)

    @plane.get(f"{_AT}/<id>")
    def read_stub(id: str) -> Response:
        return answer(tenant().stubs[id].as_json())

    @plane.delete(f"{_AT}/<id>")
    def remove_stub(id: str) -> Response:
        tenant().stubs[id].remove()
        return Response(status=204)


def put(stubs: Stubs, value: Any) -> Stub:
    """Add a stub as it was asked for in JSON. Raises BadRequest."""
    members = read(_Stub, value)
    return stubs.add(members.pop("method", None), members.pop("path"), **members)
