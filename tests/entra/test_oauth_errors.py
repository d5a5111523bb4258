"""Errors: the object that clients parse."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mockgraph.entra.oauth_errors import AppNotFound, EntraError, NoConsent

# RFC 6749, 4.1.2.1 and 5.2; RFC 8628, 3.5; OpenID Connect Core, 3.1.2.6; and Entra's own.
CODES = {
    *("invalid_request", "invalid_client", "invalid_grant", "unauthorized_client"),
    *("unsupported_grant_type", "unsupported_response_type", "invalid_scope", "access_denied"),
    *("server_error", "temporarily_unavailable", "authorization_pending", "expired_token"),
    *("authorization_declined", "bad_verification_code", "login_required"),
    *("invalid_instance", "invalid_resource", "invalid_tenant"),
}


def kinds(base: type[EntraError] = EntraError) -> Iterator[type[EntraError]]:
    """All kinds of error that have a number."""
    for kind in base.__subclasses__():
        if hasattr(kind, "number"):
            yield kind
        yield from kinds(kind)


@pytest.mark.parametrize("kind", list(kinds()), ids=lambda kind: kind.__name__)
def test_each_error_has_a_code_that_clients_know(kind: type[EntraError]) -> None:
    assert kind.error in CODES
    assert 400 <= kind.status < 500
    assert kind.number > 0


def test_the_error_object() -> None:
    body = NoConsent("mine", "My app").body("trace", "correlation", "2026-01-01 00:00:00Z")
    assert body.pop("error_description") == (
        "AADSTS65001: The user or administrator has not consented to use the application with ID "
        "'mine' named 'My app'. Send an interactive authorization request for this user and "
        "resource. Trace ID: trace Correlation ID: correlation Timestamp: 2026-01-01 00:00:00Z"
    )
    assert body == {
        "error": "invalid_grant",
        "suberror": "consent_required",
        "error_codes": [65001],
        "timestamp": "2026-01-01 00:00:00Z",
        "trace_id": "trace",
        "correlation_id": "correlation",
        "error_uri": "https://login.microsoftonline.com/error?code=65001",
    }


def test_errors_repeat_so_much_of_what_was_sent() -> None:
    assert len(AppNotFound("x" * 10_000, "y" * 10_000).message) < 900
