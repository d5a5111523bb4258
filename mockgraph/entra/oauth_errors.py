"""Errors of the sign-in, each with its AADSTS number, OAuth error code and HTTP status.

Numbers and texts are those of Microsoft's "Microsoft Entra authentication and authorization
error codes" and of the live service's answers.
"""

from __future__ import annotations

from typing import Any, ClassVar

# Errors repeat what the caller sent, so many characters of it at most.
_LONGEST = 200


class EntraError(Exception):
    """An error in Entra's shape (RFC 6749, 5.2).

    ``error`` is the OAuth error code, ``number`` the one after ``AADSTS``, ``text`` a template of
    the description that the constructor's arguments fill in.
    """

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
        """Return the error object that clients parse; ids are GUIDs, ``timestamp`` is in UTC."""
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


class InvalidGrant(EntraError):
    """A user who may not sign in, or a code or a refresh token that is not valid."""

    error = "invalid_grant"


# -- the request ---------------------------------------------------------------------------


class MalformedRequest(EntraError):
    """A form or a query that cannot be read, or a parameter that makes no sense."""

    number = 9002313
    text = "Invalid request. Request is malformed or invalid."


class RequestTooLarge(MalformedRequest):
    """A form of more than 64 KiB."""

    status = 413


class MissingParameter(EntraError):
    """A required parameter that is missing or empty."""

    number = 900144
    text = "The request body must contain the following parameter: '{}'."


class WrongMethod(EntraError):
    """An HTTP method that the endpoint does not accept."""

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
    """An instance discovery about a host that is neither Entra's nor this server's."""

    number = 50049
    error = "invalid_instance"
    text = "Unknown or invalid instance."


# -- the tenant ----------------------------------------------------------------------------


class TenantNotFound(EntraError):
    """A path with a tenant that is not in the directory, or is not a valid name of one."""

    number = 90002
    error = "invalid_tenant"
    text = (
        "Tenant '{}' not found. Check to make sure you have the correct tenant ID and are "
        "signing into the correct cloud. Check with your subscription administrator, this may "
        "happen if there are no active subscriptions for the tenant."
    )


class NoTenant(EntraError):
    """An app-only sign-in at ``common`` or ``organizations``, which are no tenant."""

    number = 50059
    text = (
        "No tenant-identifying information found in either the request or implied by any "
        "provided credentials."
    )


class GrantNeedsTenant(EntraError):
    """A grant of work accounts at ``common`` or at the tenant of personal accounts."""

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
    """A client authentication that failed (RFC 6749, 5.2)."""

    error = "invalid_client"
    status = 401


class WrongSecret(InvalidClient):
    """A client secret that the app does not have."""

    number = 7000215
    text = (
        "Invalid client secret provided. Ensure the secret being sent in the request is the "
        "client secret value, not the client secret ID, for a secret added to app '{}'."
    )


class ExpiredSecret(InvalidClient):
    """A client secret of the app that has expired."""

    number = 7000222
    text = (
        "The provided client secret keys for app '{}' are expired. Create new keys for your app "
        "in Azure Portal, or consider using certificate credentials for added security."
    )


class NoCredential(InvalidClient):
    """An app-only sign-in without a secret or an assertion."""

    number = 7000216
    text = (
        "'client_assertion', 'client_secret' or 'request' is required for the "
        "'client_credentials' grant type."
    )


class NotPublic(InvalidClient):
    """A confidential app that sends no credential."""

    number = 7000218
    text = (
        "The request body must contain the following parameter: 'client_assertion' or "
        "'client_secret'."
    )


class PublicWithCredential(InvalidClient):
    """A public app that sends a secret or an assertion."""

    number = 700025
    text = "Client is public so neither 'client_assertion' nor 'client_secret' should be presented."


class MalformedAssertion(InvalidClient):
    """A client assertion that is no signed JWT with the claims that are needed."""

    number = 50027
    text = "JWT token is invalid or malformed."


class AssertionOfAnother(InvalidClient):
    """A client assertion whose issuer and subject are not the app."""

    number = 700021
    text = "Client assertion application identifier doesn't match 'client_id' parameter."


class AssertionForAnother(InvalidClient):
    """A client assertion whose audience is not a token endpoint of this server."""

    number = 700023
    text = "Client assertion audience claim does not match Realm issuer."


class AssertionOutOfTime(InvalidClient):
    """A client assertion that has expired, or is not valid yet."""

    number = 700024
    text = "Client assertion is not within its valid time range."


class AssertionNotSigned(InvalidClient):
    """A client assertion that no certificate of the app signed."""

    number = 700027
    text = (
        "The certificate with identifier used to sign the client assertion is not registered on "
        "application, or the client assertion contains an invalid signature."
    )


# -- scopes and resources ------------------------------------------------------------------


class InvalidScope(EntraError):
    """A ``scope`` that cannot be read."""

    number = 70011
    error = "invalid_scope"
    text = (
        "The provided request must include a 'scope' input parameter. The provided value for "
        "the input parameter 'scope' is not valid. The scope {} is not valid."
    )


class SeveralResources(EntraError):
    """A ``scope`` of more than one resource: a token is for one."""

    number = 28000
    error = "invalid_scope"
    text = (
        "Provided value for the input parameter scope is not valid because it contains more "
        "than one resource. Scope {} is not valid."
    )


class AppScopeNotDefault(EntraError):
    """An app-only sign-in with a scope other than ``.default``."""

    number = 1002012
    error = "invalid_scope"
    text = (
        "The provided value for scope {} is not valid. Client credential flows must have a "
        "scope value with /.default suffixed to the resource identifier (application ID URI)."
    )


class ResourceNotFound(EntraError):
    """A resource that is neither Graph, nor an API of the directory, nor Microsoft's."""

    number = 500011
    error = "invalid_resource"
    text = (
        "The resource principal named {} was not found in the tenant named {}. This can happen "
        "if the application has not been installed by the administrator of the tenant or "
        "consented to by any user in the tenant. You might have sent your authentication "
        "request to the wrong tenant."
    )


class ScopeNotFound(EntraError):
    """A permission that Graph does not have."""

    number = 650053
    error = "invalid_scope"
    text = (
        "The application '{}' asked for scope '{}' that doesn't exist on the resource '{}'. "
        "Contact the app vendor."
    )


class NoConsent(InvalidGrant):
    """A permission that the app does not have in the directory."""

    number = 65001
    suberror = "consent_required"
    text = (
        "The user or administrator has not consented to use the application with ID '{}' named "
        "'{}'. Send an interactive authorization request for this user and resource."
    )


# -- users ---------------------------------------------------------------------------------


class UserNotFound(InvalidGrant):
    """A user name that is not in the directory."""

    number = 50034
    text = (
        "The user account {} does not exist in the {} directory. To sign into this application, "
        "the account must be added to the directory."
    )


class WrongPassword(InvalidGrant):
    """A password that is not the user's."""

    number = 50126
    text = "Error validating credentials due to invalid username or password."


class UserDisabled(InvalidGrant):
    """A user whose ``accountEnabled`` is false."""

    number = 50057
    text = "The user account is disabled."


class NotSignedIn(EntraError):
    """A request with ``prompt=none`` where no user can be signed in."""

    number = 50058
    error = "login_required"
    text = "A silent sign-in request was sent but no user is signed in."


class Declined(EntraError):
    """A sign-in that the user cancelled on the page."""

    number = 65004
    error = "access_denied"
    text = "User declined to consent to access the app."


# -- codes and refresh tokens --------------------------------------------------------------


class MalformedGrant(InvalidGrant):
    """A code or a refresh token that is unknown."""

    number = 9002313
    text = "Invalid request. Request is malformed or invalid."


class ExpiredCode(InvalidGrant):
    """An authorization code that is more than ten minutes old."""

    number = 70008
    text = (
        "The provided authorization code or refresh token has expired due to inactivity. Send a "
        "new interactive authorization request for this user and resource."
    )


class CodeRedeemed(InvalidGrant):
    """An authorization or a device code that is redeemed a second time."""

    number = 54005
    text = (
        "OAuth2 Authorization code was already redeemed, please retry with a new valid code or "
        "use an existing refresh token."
    )


class GrantOfAnother(InvalidGrant):
    """A code or a refresh token that was issued to another app."""

    number = 70000
    text = "Provided grant is invalid or malformed: it was issued to another client than '{}'."


class GrantOfAnotherTenant(InvalidGrant):
    """A code or a refresh token that is redeemed at another tenant than its own."""

    number = 700005
    text = (
        "Provided Authorization Code is intended to use against other tenant, thus rejected. "
        "OAuth2 Authorization Code must be redeemed against same tenant it was acquired for."
    )


class OtherRedirectUri(InvalidGrant):
    """A ``redirect_uri`` other than that of the authorization request."""

    number = 500112
    text = (
        "The reply address '{}' does not match the reply address '{}' provided when requesting "
        "Authorization code."
    )


class WrongVerifier(InvalidGrant):
    """A ``code_verifier`` that does not prove the challenge (RFC 7636, 4.6)."""

    number = 501481
    text = (
        "The Code_Verifier does not match the code_challenge supplied in the authorization request."
    )


class ExpiredRefreshToken(InvalidGrant):
    """A refresh token that is more than 90 days old."""

    number = 700082
    text = "The refresh token has expired due to inactivity. The token was issued on {}."


class RevokedGrant(InvalidGrant):
    """A refresh token that was revoked."""

    number = 50173
    suberror = "bad_token"
    text = (
        "The provided grant has expired due to it being revoked, a fresh auth token is needed. "
        "The user might have changed or reset their password."
    )


class DevicePending(EntraError):
    """A poll of a device that no user has approved or declined yet."""

    number = 70016
    error = "authorization_pending"
    text = "OAuth 2.0 device flow error. Authorization is pending. Continue polling."


class DeviceDeclined(Declined):
    """A poll of a device that a user has declined."""

    error = "authorization_declined"


class BadDeviceCode(EntraError):
    """A ``device_code`` that is unknown, or was issued to another app."""

    number = 70018
    error = "bad_verification_code"
    text = "The provided value for the input parameter 'device_code' is not valid."


class ExpiredDeviceCode(EntraError):
    """A ``device_code`` that is more than 15 minutes old."""

    number = 70020
    error = "expired_token"
    text = (
        "The provided value for the input parameter 'device_code' is not valid. This device "
        "code has expired."
    )


# -- authorization requests ----------------------------------------------------------------


class WrongRedirectUri(EntraError):
    """A ``redirect_uri`` that the app has not registered, or that is not a usable URI."""

    number = 50011
    text = (
        "The redirect URI '{}' specified in the request does not match the redirect URIs "
        "configured for the application '{}'."
    )


class NoRedirectUri(EntraError):
    """An authorization request of an app without any ``redirect_uri``."""

    number = 500113
    text = "No reply address is registered for the application."


class UnsupportedResponseType(EntraError):
    """A ``response_type`` other than ``code``."""

    number = 70005
    error = "unsupported_response_type"
    text = "The app requested an unsupported response type '{}'; the type 'code' is supported."


class UnsupportedResponseMode(EntraError):
    """A ``response_mode`` other than ``query``, ``fragment`` and ``form_post``."""

    number = 70007
    text = "'{}' is not a supported value of 'response_mode' when requesting a token."


class InvalidCodeChallenge(EntraError):
    """A ``code_challenge`` or a method that is malformed (RFC 7636, 4.2)."""

    number = 50147
    text = "The code challenge, or its method, is not valid: S256 and plain are, of RFC 7636."


# -- faults that a test injects ------------------------------------------------------------


class Refused(EntraError):
    """An injected refusal, with the message that it was given."""

    number = 90013
    text = "{}"


class Throttled(EntraError):
    """An injected 429."""

    number = 90055
    error = "temporarily_unavailable"
    text = "{}"


class ServerFailed(EntraError):
    """An injected 500."""

    number = 90024
    error = "server_error"
    text = "{}"


class Unavailable(EntraError):
    """An injected 5xx other than 500."""

    number = 90006
    error = "temporarily_unavailable"
    text = "{}"
