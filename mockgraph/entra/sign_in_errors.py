"""What Entra refuses of users, of what they were given against a later return, and of sign-ins."""

from __future__ import annotations

from mockgraph.entra.errors import EntraError, InvalidGrant

# -- users ---------------------------------------------------------------------------------


class UserNotFound(InvalidGrant):
    """User not found."""

    number = 50034
    text = (
        "The user account {} does not exist in the {} directory. To sign into this application, "
        "the account must be added to the directory."
    )


class WrongPassword(InvalidGrant):
    """Wrong password."""

    number = 50126
    text = "Error validating credentials due to invalid username or password."


class UserDisabled(InvalidGrant):
    """User disabled."""

    number = 50057
    text = "The user account is disabled."


class NotSignedIn(EntraError):
    """Not signed in."""

    number = 50058
    error = "login_required"
    text = "A silent sign-in request was sent but no user is signed in."


class Declined(EntraError):
    """Declined."""

    number = 65004
    error = "access_denied"
    text = "User declined to consent to access the app."


# -- codes and refresh tokens --------------------------------------------------------------


class MalformedGrant(InvalidGrant):
    """Malformed grant."""

    number = 9002313
    text = "Invalid request. Request is malformed or invalid."


class ExpiredCode(InvalidGrant):
    """Expired code."""

    number = 70008
    text = (
        "The provided authorization code or refresh token has expired due to inactivity. Send a "
        "new interactive authorization request for this user and resource."
    )


class CodeRedeemed(InvalidGrant):
    """Code redeemed."""

    number = 54005
    text = (
        "OAuth2 Authorization code was already redeemed, please retry with a new valid code or "
        "use an existing refresh token."
    )


class GrantOfAnother(InvalidGrant):
    """Grant of another."""

    number = 70000
    text = "Provided grant is invalid or malformed: it was issued to another client than '{}'."


class OtherRedirectUri(InvalidGrant):
    """Other redirect uri."""

    number = 500112
    text = (
        "The reply address '{}' does not match the reply address '{}' provided when requesting "
        "Authorization code."
    )


class WrongVerifier(InvalidGrant):
    """Wrong verifier."""

    number = 501481
    text = (
        "The Code_Verifier does not match the code_challenge supplied in the authorization request."
    )


class ExpiredRefreshToken(InvalidGrant):
    """Expired refresh token."""

    number = 700082
    text = "The refresh token has expired due to inactivity. The token was issued on {}."


class RevokedGrant(InvalidGrant):
    """Revoked grant."""

    number = 50173
    suberror = "bad_token"
    text = (
        "The provided grant has expired due to it being revoked, a fresh auth token is needed. "
        "The user might have changed or reset their password."
    )


class DevicePending(EntraError):
    """Device pending."""

    number = 70016
    error = "authorization_pending"
    text = "OAuth 2.0 device flow error. Authorization is pending. Continue polling."


class DeviceDeclined(Declined):
    """Device declined."""

    error = "authorization_declined"


class BadDeviceCode(EntraError):
    """Bad device code."""

    number = 70018
    error = "bad_verification_code"
    text = "The provided value for the input parameter 'device_code' is not valid."


class ExpiredDeviceCode(EntraError):
    """Expired device code."""

    number = 70020
    error = "expired_token"
    text = (
        "The provided value for the input parameter 'device_code' is not valid. This device "
        "code has expired."
    )


# -- authorization requests ----------------------------------------------------------------


class WrongRedirectUri(EntraError):
    """Wrong redirect uri."""

    number = 50011
    text = (
        "The redirect URI '{}' specified in the request does not match the redirect URIs "
        "configured for the application '{}'."
    )


class NoRedirectUri(EntraError):
    """No redirect uri."""

    number = 500113
    text = "No reply address is registered for the application."


class UnsupportedResponseType(EntraError):
    """Unsupported response type."""

    number = 70005
    error = "unsupported_response_type"
    text = "The app requested an unsupported response type '{}'; the type 'code' is supported."


class UnsupportedResponseMode(EntraError):
    """Unsupported response mode."""

    number = 70007
    text = "'{}' is not a supported value of 'response_mode' when requesting a token."


class InvalidCodeChallenge(EntraError):
    """Invalid code challenge."""

    number = 50147
    text = "The code challenge, or its method, is not valid: S256 and plain are, of RFC 7636."
