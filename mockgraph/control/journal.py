"""``/_mockgraph/requests``, ``verify`` and ``misdeeds``: a tenant's journal by HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from flask import Blueprint, Response, request
from marshmallow import fields

from mockgraph.control.forms import Form, Given, Named, a_text, a_truth, a_whole_number, read, sent
from mockgraph.errors import BadRequest, ExpectationFailed, MockGraphError
from mockgraph.testing.expectations import Expectation, Expected, check_called
from mockgraph.testing.police import misdeeds, rules

if TYPE_CHECKING:
    from mockgraph.testing.journal import Requests
    from mockgraph.testing.tenant import Tenant

_REQUESTS = "/_mockgraph/requests"
_TRUTHS = {"true": True, "false": False}


class _Verification(Form):
    """What is expected, see :class:`mockgraph.testing.expectations.Expected`, and how often."""

    method = a_text()
    path = a_text(null=False, required=True)
    json = fields.Raw(allow_none=True)
    exact = a_truth()
    query = Named(Given("a text, a number, null or a list of texts", str, int, list, null=True))
    headers = Named(Given("a text or null", str, null=True))
    status = a_whole_number(null=True)
    in_batch = a_truth(null=True)
    times = a_whole_number(null=True)
    at_least = a_whole_number()
    at_most = a_whole_number(null=True)


def add(plane: Blueprint, tenant: Callable[[], Tenant], answer: Callable[..., Response]) -> None:
    """Register the routes."""

    @plane.get(_REQUESTS)
    def list_requests() -> Response:
        requests = tenant().requests()
        return answer(
            {"value": [each.as_json() for each in _chosen(requests)], "dropped": requests.dropped}
        )

    @plane.delete(_REQUESTS)
    def clear_requests() -> Response:
        tenant().journal.clear()
        return Response(status=204)

    @plane.post("/_mockgraph/verify")
    def verify() -> Response:
        asked = read(_Verification, sent())
        times = {
            name: asked.pop(name) for name in ("times", "at_least", "at_most") if name in asked
        }
        method, path = asked.pop("method", None), asked.pop("path")
        expectation = Expectation(method, path, cast("Expected", asked))
        try:
            found = check_called(tenant().requests(), expectation, **times)
        except AssertionError as error:
            raise ExpectationFailed(str(error)) from None
        return answer({"count": len(found), "value": [each.number for each in found]})

    @plane.get("/_mockgraph/unemulated")
    def list_unemulated() -> Response:
        lacking = tenant().requests().unemulated
        return answer({"value": [each.as_json() for each in lacking]})

    @plane.get("/_mockgraph/misdeeds")
    def list_misdeeds() -> Response:
        allow = [*filter(None, request.args.getlist("allow")), *tenant().allowed]
        try:
            allowed = rules(allow)
        except MockGraphError as error:
            raise BadRequest(f"allow: {error}") from None
        found = misdeeds(tenant().journal.requests())
        return answer({"value": [each.as_json() for each in found if each.rule not in allowed]})


def _chosen(requests: Requests) -> Requests:
    """The requests that the query string asks for. Raises BadRequest."""
    choices = ("method", "path", "status", "answeredBy", "inBatch", "limit")
    unknown = request.args.keys() - choices
    if unknown:
        raise BadRequest(f"{min(unknown)}: The choices are {', '.join(choices)}.")
    in_batch = _given("inBatch")
    if in_batch is not None and in_batch not in _TRUTHS:
        raise BadRequest("inBatch: Give true or false.")
    found = requests.filter(
        _given("method"),
        _given("path"),
        _number("status"),
        answered_by=_given("answeredBy"),
        in_batch=None if in_batch is None else _TRUTHS[in_batch],
    )
    limit = _number("limit")
    return found if limit is None else found[max(len(found) - limit, 0) :]


def _given(name: str) -> str | None:
    """A choice; an empty one is none."""
    return request.args.get(name) or None


def _number(name: str) -> int | None:
    given = _given(name)
    if given is None:
        return None
    if not (given.isascii() and given.isdigit()) or len(given) > 9:
        raise BadRequest(f"{name}: Give a whole number.")
    return int(given)
