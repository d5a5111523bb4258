"""Refusals: each with its status and code, all in one shape."""

from __future__ import annotations

import inspect
import json
from datetime import UTC, datetime, timedelta

import pytest

from mockgraph import errors
from mockgraph.errors import GraphError

CASES: list[tuple[GraphError, int, str]] = [
    (errors.BadRequest(), 400, "BadRequest"),
    (errors.UnknownSegment("x"), 400, "BadRequest"),
    (errors.UnknownRoot("v2"), 400, "BadRequest"),
    (errors.EmptyPayload(), 400, "BadRequest"),
    (errors.LimitExceeded("Top", 50, 100), 400, "BadRequest"),
    (errors.MalformedPayload(), 400, "BadRequest"),
    (errors.Unauthenticated(), 401, "InvalidAuthenticationToken"),
    (errors.Forbidden(), 403, "Authorization_RequestDenied"),
    (errors.MissingRoles(["a"], ["b"], is_app=True), 403, "Forbidden"),
    (errors.HostRefused("evil.example"), 403, "Forbidden"),
    (errors.OriginRefused(None), 403, "Forbidden"),
    (errors.ControlNotProxied(), 403, "Forbidden"),
    (errors.ControlTokenMissing(), 401, "Unauthorized"),
    (errors.ConsoleTokenMissing(), 401, "Unauthorized"),
    (errors.ConsoleLinkRefused(None), 403, "Forbidden"),
    (errors.ProxyRefused("example.com"), 403, "Forbidden"),
    (errors.ClientMisbehaved("why"), 400, "ClientMisbehaved"),
    (errors.ExpectationFailed("why"), 417, "ExpectationFailed"),
    (errors.NotFound(), 404, "ResourceNotFound"),
    (errors.MethodNotAllowed(["GET"]), 405, "MethodNotAllowed"),
    (errors.UnknownKey("k"), 404, "ResourceNotFound"),
    (errors.NotAcceptable(), 406, "NotAcceptable"),
    (errors.Conflict(), 409, "Conflict"),
    (errors.Overtaken(), 410, "Gone"),
    (errors.PreconditionFailed(), 412, "PreconditionFailed"),
    (errors.PayloadTooLarge(10), 413, "RequestEntityTooLarge"),
    (errors.TooManyValues(10), 413, "RequestEntityTooLarge"),
    (errors.ServiceUnavailable(), 503, "ServiceUnavailable"),
    (errors.UnsupportedMediaType("text/plain"), 415, "UnsupportedMediaType"),
    (errors.UnsupportedCoding("br"), 415, "UnsupportedMediaType"),
    (errors.Misdirected("a.example", "b.example"), 421, "MisdirectedRequest"),
    (errors.FailedDependency(), 424, "FailedDependency"),
    (GraphError(), 500, "InternalServerError"),
    (errors.WrongResult("n.o", "why"), 500, "InternalServerError"),
    (errors.NotEmulated("that"), 501, "notImplemented"),
    (errors.StoreFailed("full"), 507, "InsufficientStorage"),
]


@pytest.mark.parametrize(("error", "status", "code"), CASES, ids=lambda each: str(each)[:40])
def test_the_shape(error: GraphError, status: int, code: str) -> None:
    body = json.loads(json.dumps(error.body("made-here", "of-the-caller")))
    date = body["error"]["innerError"].pop("date")
    assert body == {
        "error": {
            "code": code,
            "message": error.message,
            "innerError": {"request-id": "made-here", "client-request-id": "of-the-caller"},
        }
    }
    assert (error.status, error.code) == (status, code)
    assert error.message
    assert str(error) == error.message
    moment = datetime.strptime(date, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    assert abs(datetime.now(UTC) - moment) < timedelta(minutes=1)


def test_the_cases_are_all_there_are() -> None:
    declared = {
        each
        for _, each in inspect.getmembers(errors, inspect.isclass)
        if issubclass(each, GraphError)
    }
    assert declared == {type(error) for error, _, _ in CASES}


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (errors.UnknownSegment("x"), "Resource not found for the segment 'x'."),
        (errors.UnknownRoot("v2"), "Invalid version: v2"),
        (errors.EmptyPayload(), "Empty Payload. JSON content expected."),
        (
            errors.MalformedPayload(),
            "Unable to read JSON request payload. Please ensure Content-Type header is set and "
            "payload is of valid JSON format.",
        ),
        (errors.Forbidden(), "Insufficient privileges to complete the operation."),
        (errors.NotFound("No alert 'x'."), "No alert 'x'."),
        (errors.NotEmulated("sign-in"), "MockGraph does not emulate sign-in."),
        (errors.PayloadTooLarge(10), "The request body is larger than the 10 bytes allowed."),
    ],
)
def test_the_messages_of_the_live_service(error: GraphError, message: str) -> None:
    assert error.message == message


def test_what_a_framework_refuses_keeps_its_status() -> None:
    assert all(error.status == status for status, error in errors.BY_STATUS.items())
