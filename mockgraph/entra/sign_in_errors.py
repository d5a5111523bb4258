"""What Entra refuses of users, of what they were given against a later return, and of sign-ins."""

from __future__ import annotations

from mockgraph.entra.errors import EntraError, InvalidGrant

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
    """``prompt=none``, and nobody who could be signed in."""

    number = 50058
    error = "login_required"
    text = "A silent sign-in request was sent but no user is signed in."


class Declined(EntraError):
    """The person on the page chose to cancel."""

    number = 65004
    error = "access_denied"
    text = "User declined to consent to access the app."


# -- codes and refresh tokens --------------------------------------------------------------


class MalformedGrant(InvalidGrant):
    """A code or a refresh token that was never issued, or was forgotten."""

    number = 9002313
    text = "Invalid request. Request is malformed or invalid."


class ExpiredCode(InvalidGrant):
    """An authorization code after its ten minutes."""

    number = 70008
    text = (
        "The provided authorization code or refresh token has expired due to inactivity. Send a "
        "new interactive authorization request for this user and resource."
    )


class CodeRedeemed(InvalidGrant):
    """A code of either kind, for the second time."""

    number = 54005
    text = (
        "OAuth2 Authorization code was already redeemed, please retry with a new valid code or "
        "use an existing refresh token."
    )


class GrantOfAnother(InvalidGrant):
    """A code or a refresh token that another app was given."""

    number = 70000
    text = "Provided grant is invalid or malformed: it was issued to another client than '{}'."


class OtherRedirectUri(InvalidGrant):
    """A ``redirect_uri`` that is not the one that the code went to."""

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
    """A refresh token after its 90 days."""

    number = 700082
    text = "The refresh token has expired due to inactivity. The token was issued on {}."


class RevokedGrant(InvalidGrant):
    """A refresh token of a session that was revoked."""

    number = 50173
    suberror = "bad_token"
    text = (
        "The provided grant has expired due to it being revoked, a fresh auth token is needed. "
        "The user might have changed or reset their password."
    )


class DevicePending(EntraError):
    """Nobody has decided on the device yet."""

    number = 70016
    error = "authorization_pending"
    text = "OAuth 2.0 device flow error. Authorization is pending. Continue polling."


class DeviceDeclined(Declined):
    """Somebody decided against the device."""

    error = "authorization_declined"


class BadDeviceCode(EntraError):
    """A ``device_code`` that was never issued, or to another app."""

    number = 70018
    error = "bad_verification_code"
    text = "The provided value for the input parameter 'device_code' is not valid."


class ExpiredDeviceCode(EntraError):
    """A ``device_code`` after its quarter of an hour."""

    number = 70020
    error = "expired_token"
    text = (
        "The provided value for the input parameter 'device_code' is not valid. This device "
        "code has expired."
    )


# -- authorization requests ----------------------------------------------------------------


class WrongRedirectUri(EntraError):
    """A ``redirect_uri`` that is none of the app's, or where no browser may be sent."""

    number = 50011
    text = (
        "The redirect URI '{}' specified in the request does not match the redirect URIs "
        "configured for the application '{}'."
    )


class NoRedirectUri(EntraError):
    """No ``redirect_uri``, neither in the request nor in the directory."""

    number = 500113
    text = "No reply address is registered for the application."


class UnsupportedResponseType(EntraError):
    """A ``response_type`` other than ``code``."""

    number = 70005
    error = "unsupported_response_type"
    text = "The app requested an unsupported response type '{}'; the type 'code' is supported."


class UnsupportedResponseMode(EntraError):
    """A ``response_mode`` that is none of OAuth's."""

    number = 70007
    text = "'{}' is not a supported value of 'response_mode' when requesting a token."


class InvalidCodeChallenge(EntraError):
    """A ``code_challenge`` that can be none (RFC 7636, 4.2)."""

    number = 50147
    text = "The code challenge, or its method, is not valid: S256 and plain are, of RFC 7636."
