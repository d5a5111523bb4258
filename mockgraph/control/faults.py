"""``/_mockgraph/faults``: a tenant's faults by HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response
from marshmallow import fields

from mockgraph.control.forms import (
    Form,
    Given,
    a_number,
    a_text,
    a_truth,
    a_whole_number,
    read,
    sent,
)
from mockgraph.control.matching import MatchingForm, a_method, header_values
from mockgraph.errors import BadRequest
from mockgraph.testing.faults import Faults, Rule

if TYPE_CHECKING:
    from mockgraph.testing.tenant import Tenant

_AT = "/_mockgraph/faults"


class _Times(Given):
    """How often: a whole number, or for ever."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return value if value == "always" else super()._deserialize(value)


class _Matching(MatchingForm):
    method = a_method()
    path = a_text()


class _When(_Matching):
    """When a fault strikes, see :class:`mockgraph.testing.faults.When`."""

    times = _Times('a whole number, or "always"', int, null=True)
    after = a_whole_number()
    every = a_whole_number()
    probability = a_number()
    seed = a_whole_number()


class _Fault(_When):
    """What a fault is made up of, see :class:`mockgraph.testing.faults.Parts`."""

    status = a_whole_number(null=True)
    code = a_text()
    message = a_text()
    headers = header_values()
    body = fields.Raw(allow_none=True)
    delay_ms = a_number()
    retry_after = a_number(null=True)
    as_date = a_truth()
    carried_out = a_truth()
    cut = a_text()


class _Later(_When):
    retry_after = a_number(null=True)
    as_date = a_truth()


class _Timeout(_When):
    carried_out = a_truth()


class _Challenge(_When):
    claims = Given("an object", dict, null=True)


class _Quota(_Matching):
    limit = a_whole_number(required=True)
    window = a_number(required=True)
    per = a_text(null=False)
    as_date = a_truth()


class _Latency(_When):
    ms = a_number(required=True)


class _Cut(_When):
    at = a_text(null=False)


class _SlowBody(_When):
    pieces = a_whole_number()
    pause_ms = a_number()


class _Malformed(_When):
    kind = a_text(null=False)


class _ProviderWarning(_When):
    vendor = a_text(null=False)
    provider = a_text(null=False)
    status = a_whole_number()
    latency = a_whole_number()


# The presets are the methods of Faults by these names, with their parameters.
PRESETS: Mapping[str, type[Form]] = {
    "throttle": _Later,
    "unavailable": _Later,
    "gateway_timeout": _Timeout,
    "server_error": _When,
    "flaky": _When,
    "unauthorized": _When,
    "challenge": _Challenge,
    "forbidden": _When,
    "stale_etag": _When,
    "quota": _Quota,
    "latency": _Latency,
    "cut": _Cut,
    "slow_body": _SlowBody,
    "malformed": _Malformed,
    "outdated_etag": _When,
    "provider_warning": _ProviderWarning,
}


def add(plane: Blueprint, tenant: Callable[[], Tenant], answer: Callable[..., Response]) -> None:
    """Register the routes."""

    @plane.post(_AT)
    def add_fault() -> Response:
        return answer(enforce(tenant().faults, sent()).as_json(), 201)

    @plane.get(_AT)
    def list_faults() -> Response:
        return answer({"value": [rule.as_json() for rule in tenant().faults]})

    @plane.delete(_AT)
    def clear_faults() -> Response:
        tenant().faults.reset()
        return Response(status=204)

    @plane.get(f"{_AT}/<id>")
    def read_fault(id: str) -> Response:
        return answer(tenant().faults[id].as_json())

    @plane.delete(f"{_AT}/<id>")
    def remove_fault(id: str) -> Response:
        tenant().faults[id].remove()
        return Response(status=204)


def enforce(faults: Faults, value: Any) -> Rule:
    """Put a fault in force as it was asked for in JSON. Raises BadRequest."""
    if not isinstance(value, dict) or "preset" not in value:
        return faults.add(**read(_Fault, value))
    preset = value["preset"]
    form = PRESETS.get(preset) if isinstance(preset, str) else None
    if form is None:
        raise BadRequest(f"preset: The choices are {', '.join(PRESETS)}.")
    members = {name: each for name, each in value.items() if name != "preset"}
    made: Rule = getattr(faults, preset)(**read(form, members))
    return made
