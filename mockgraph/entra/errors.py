"""What Entra refuses: each fault with its AADSTS number, OAuth error and HTTP status.

Numbers and texts are those of Microsoft's "Microsoft Entra authentication and authorization
error codes" and of the live service's answers.
"""

from __future__ import annotations

from typing import Any, ClassVar

# What a caller sent is repeated to them, but never all of something huge.
_LONGEST = 200


class EntraError(Exception):
    """A refusal: ``error`` is OAuth's word for it, ``number`` and ``text`` are Entra's."""

    number: ClassVar[int]
    text: ClassVar[str]
    error: ClassVar[str] = "invalid_request"
    status: ClassVar[int] = 400
    suberror: ClassVar[str | None] = None

    def __init__(self, *values: object):
        shown = self.text.format(*(str(value)[:_LONGEST] for value in values))
        self.message = f"AADSTS{self.number}: {shown}"
        super().__init__(self.message)

    def body(self, trace_id: str, correlation_id: str, timestamp: str) -> dict[str, Any]:
        """The error object that clients parse; ids are GUIDs, ``timestamp`` is in UTC."""
        body: dict[str, Any] = {
            "error": self.error,
            "error_description": f"{self.message} Trace ID: {trace_id} "
            f"Correlation ID: {correlation_id} Timestamp: {timestamp}",
            "error_codes": [self.number],
            "timestamp": timestamp,
            "trace_id": trace_id,
            "correlation_id": correlation_id,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.number}",
        }
        if self.suberror:
            body["suberror"] = self.suberror
        return body


# -- the request ---------------------------------------------------------------------------


class MalformedRequest(EntraError):
    """A form or a query that cannot be read, or a parameter that makes no sense."""

    number = 9002313
    text = "Invalid request. Request is malformed or invalid."


class RequestTooLarge(MalformedRequest):
    """A form beyond what a sign-in needs."""

    status = 413


class MissingParameter(EntraError):
    """A parameter that must be there is not, or is empty."""

    number = 900144
    text = "The request body must contain the following parameter: '{}'."


class WrongMethod(EntraError):
    """A method that the endpoint does not take."""

    number = 900561
    text = "The endpoint only accepts {}, OPTIONS requests. Received a {} request."

    def __init__(self, allowed: str, method: str):
        self.allowed = f"{allowed}, OPTIONS"
        super().__init__(allowed, method)


class UnsupportedGrantType(EntraError):
    """A ``grant_type`` that Entra does not know."""

    number = 70003
    error = "unsupported_grant_type"
    text = "The app requested an unsupported grant type '{}'."


class GrantTypeNotEmulated(UnsupportedGrantType):
    """A ``grant_type`` that Entra knows, and MockGraph does not."""

    text = f"{UnsupportedGrantType.text} MockGraph does not emulate it."


class UnknownInstance(EntraError):
    """Instance discovery was asked about another's host."""

    number = 50049
    error = "invalid_instance"
    text = "Unknown or invalid instance."


# -- the tenant ----------------------------------------------------------------------------


class TenantNotFound(EntraError):
    """The path names a tenant that is not in the directory, or can be none."""

    number = 90002
    error = "invalid_tenant"
    text = (
        "Tenant '{}' not found. Check to make sure you have the correct tenant ID and are "
        "signing into the correct cloud. Check with your subscription administrator, this may "
        "happen if there are no active subscriptions for the tenant."
    )


class NoTenant(EntraError):
    """An app signs in by itself, and names no tenant to do so in."""

    number = 50059
    text = (
        "No tenant-identifying information found in either the request or implied by any "
        "provided credentials."
    )


class GrantNeedsTenant(EntraError):
    """A grant for organizations was asked for where personal accounts are at home."""

    number = 9001023
    text = (
        "The grant type is not supported over the /common or /consumers endpoints. Please use "
        "the /organizations or tenant-specific endpoint."
    )


# -- the client ----------------------------------------------------------------------------


class AppNotFound(EntraError):
    """A ``client_id`` that is not in the directory."""

    number = 700016
    error = "unauthorized_client"
    text = (
        "Application with identifier '{}' was not found in the directory '{}'. This can happen "
        "if the application has not been installed by the administrator of the tenant or "
        "consented to by any user in the tenant. You may have sent your authentication request "
        "to the wrong tenant."
    )


class InvalidClient(EntraError):
    """An app that does not prove who it is."""

    error = "invalid_client"
    status = 401


class WrongSecret(InvalidClient):
    """A secret that is none of the app's."""

    number = 7000215
    text = (
        "Invalid client secret provided. Ensure the secret being sent in the request is the "
        "client secret value, not the client secret ID, for a secret added to app '{}'."
    )


class ExpiredSecret(InvalidClient):
    """A secret that was the app's."""

    number = 7000222
    text = (
        "The provided client secret keys for app '{}' are expired. Create new keys for your app "
        "in Azure Portal, or consider using certificate credentials for added security."
    )


class NoCredential(InvalidClient):
    """An app signs in by itself, without a secret or an assertion."""

    number = 7000216
    text = (
        "'client_assertion', 'client_secret' or 'request' is required for the "
        "'client_credentials' grant type."
    )


class NotPublic(InvalidClient):
    """An app that has a secret acts for a user without it."""

    number = 7000218
    text = (
        "The request body must contain the following parameter: 'client_assertion' or "
        "'client_secret'."
    )


class PublicWithCredential(InvalidClient):
    """A public app shows a secret or an assertion."""

    number = 700025
    text = "Client is public so neither 'client_assertion' nor 'client_secret' should be presented."


class MalformedAssertion(InvalidClient):
    """A client assertion that is no signed JWT with the claims that are needed."""

    number = 50027
    text = "JWT token is invalid or malformed."


class AssertionOfAnother(InvalidClient):
    """The assertion's issuer and subject are not the app."""

    number = 700021
    text = "Client assertion application identifier doesn't match 'client_id' parameter."


class AssertionForAnother(InvalidClient):
    """The assertion's audience is not this tenant's token endpoint."""

    number = 700023
    text = "Client assertion audience claim does not match Realm issuer."


class AssertionOutOfTime(InvalidClient):
    """The assertion has expired, or is not valid yet."""

    number = 700024
    text = "Client assertion is not within its valid time range."


class AssertionNotSigned(InvalidClient):
    """No certificate of the app's signed the assertion."""

    number = 700027
    text = (
        "The certificate with identifier used to sign the client assertion is not registered on "
        "application, or the client assertion contains an invalid signature."
    )


# -- what was granted ----------------------------------------------------------------------


class InvalidGrant(EntraError):
    """A user, or what they granted, that does not count here and now."""

    error = "invalid_grant"
