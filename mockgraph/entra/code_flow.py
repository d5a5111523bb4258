"""The authorization code flow: a browser signs a user in and takes a code to the app.

It is RFC 6749, 4.1, with PKCE (RFC 7636).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import SplitResult, urlencode, urlsplit

from werkzeug.wrappers import Response

from mockgraph.entra.codes import AuthorizationCode
from mockgraph.entra.credentials import (
    AuthenticatedClient,
    authenticate_user,
    find_app,
    find_user,
)
from mockgraph.entra.directory import App, User
from mockgraph.entra.entra import Entra
from mockgraph.entra.grants import delegate, read_scope
from mockgraph.entra.oauth_errors import (
    Declined,
    EntraError,
    InvalidCodeChallenge,
    NoRedirectUri,
    NotSignedIn,
    UnsupportedResponseMode,
    UnsupportedResponseType,
    WrongRedirectUri,
)
from mockgraph.entra.oauth_messages import (
    Parameters,
    TenantRequest,
    check_method,
    query_parameters,
    read_form,
    require,
)
from mockgraph.entra.scopes import GRAPH, LOOPBACK, RequestedScope
from mockgraph.entra.sign_in_pages import PAGE_FIELDS, form_post_page, message_page, sign_in_page
from mockgraph.guids import new_guid

_CHALLENGE = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_PROMPTS_THAT_ASK = frozenset({"login", "select_account", "consent", "create"})
_RESPONSE_MODES = ("query", "fragment", "form_post")

# Schemes that a browser runs or reads instead of sending a request.
_LOCAL_SCHEMES = frozenset({"about", "blob", "data", "file", "javascript", "vbscript"})
# The characters of a URI (RFC 3986, 2). Browsers read a backslash as a slash, so that the host
# that they go to would be another than the one that was compared.
_URI = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]{3,2048}")


class _Reply(NamedTuple):
    """The redirect URI, the response mode and the state of an authorization response."""

    uri: str
    mode: str
    state: str | None

    def send(self, **values: str) -> Response:
        state = {} if self.state is None else {"state": self.state}
        return _send_browser(self.uri, self.mode, {**values, **state})

    def refuse(self, error: EntraError) -> Response:
        return self.send(error=error.error, error_description=error.message)


class _AuthorizationRequest(NamedTuple):
    """An authorization request: the app's parameters, and those that the sign-in page adds."""

    call: TenantRequest
    parameters: Parameters
    typed: Parameters
    app: App


def authorization_endpoint(entra: Entra, call: TenantRequest) -> Response:
    """Answer an authorization request (RFC 6749, 4.1.1).

    Raises EntraError where the app or its redirect URI is wrong: that is shown to the user.
    Other errors are sent to the app.
    """
    request = _read(entra, call)
    parameters = request.parameters
    uri = _check_redirect_uri(parameters.get("redirect_uri"), request.app)
    reply = _Reply(uri, "query", parameters.get("state"))
    try:
        reply = reply._replace(mode=_response_mode(parameters))
        return _sign_in(entra, request, reply)
    except EntraError as error:
        return reply.refuse(error)


def logout_endpoint(entra: Entra, call: TenantRequest) -> Response:
    """Answer a sign-out: there is no session to end, so return to the app or show a page.

    The browser returns to a redirect URI of the app that ``client_id`` names, else of any app
    (OpenID Connect RP-Initiated Logout, 3).
    """
    check_method(call.request, "GET", "POST")
    parameters = {**query_parameters(call.request), **read_form(call.request)}
    uri = parameters.get("post_logout_redirect_uri", "")
    apps = entra.directory.named_apps(parameters.get("client_id"))
    if not any(_is_redirect_uri(uri, app) for app in apps):
        return message_page("You signed out", "You may close this page.")
    if "state" in parameters:
        return _send_browser(uri, "query", {"state": parameters["state"]})
    return _redirect(uri)


# -- the request ---------------------------------------------------------------------------


def _read(entra: Entra, call: TenantRequest) -> _AuthorizationRequest:
    check_method(call.request, "GET", "POST")
    sent = read_form(call.request)
    typed = {name: value for name, value in sent.items() if name in PAGE_FIELDS}
    repeated = {name: value for name, value in sent.items() if name not in PAGE_FIELDS}
    parameters = {**query_parameters(call.request), **repeated}
    if call.version == 1:
        parameters = {"resource": GRAPH, **parameters}
    app = find_app(require(parameters, "client_id"), entra.directory, call.authority)
    return _AuthorizationRequest(call, parameters, typed, app)


def _check_redirect_uri(given: str | None, app: App) -> str:
    """Return the redirect URI of a request, by default the first of the app. Raises EntraError."""
    registered = app.redirect_uris
    if not given:
        if not registered:
            raise NoRedirectUri
        return registered[0]
    if not _is_redirect_uri(given, app):
        raise WrongRedirectUri(given, app.app_id)
    return given


def _response_mode(parameters: Parameters) -> str:
    """Return the response mode, by default ``query``. Raises EntraError."""
    mode = parameters.get("response_mode", _RESPONSE_MODES[0])
    if mode not in _RESPONSE_MODES:
        raise UnsupportedResponseMode(mode)
    return mode


def _challenge(parameters: Parameters) -> tuple[str, str] | None:
    """Return the code challenge and its method (RFC 7636, 4.3); None where there is none."""
    challenge = parameters.get("code_challenge")
    if challenge is None:
        return None
    method = parameters.get("code_challenge_method", "plain")
    if method not in ("S256", "plain") or not _CHALLENGE.fullmatch(challenge):
        raise InvalidCodeChallenge
    return challenge, method


# -- the user ------------------------------------------------------------------------------


def _sign_in(entra: Entra, request: _AuthorizationRequest, reply: _Reply) -> Response:
    parameters = request.parameters
    response_type = require(parameters, "response_type")
    if response_type != "code":
        raise UnsupportedResponseType(response_type)
    requested = read_scope(entra, request.call, parameters)
    challenge = _challenge(parameters)
    if "declined" in request.typed:
        raise Declined
    try:
        user = _signed_in_user(entra, request)
    except EntraError as error:
        if not request.typed:
            raise
        return _page(entra, request, requested, error.message)
    if user is None:
        return _page(entra, request, requested)
    client = AuthenticatedClient(request.app, "0")
    grant = delegate(entra, request.call, parameters, client, user, requested)
    code = entra.codes.issue(AuthorizationCode(grant, reply.uri, challenge))
    return reply.send(code=code, session_state=new_guid())


def _signed_in_user(entra: Entra, request: _AuthorizationRequest) -> User | None:
    """Return the user that the page sent, that ``login_hint`` names, or the default one.

    The default one signs in with ``prompt=none``. None where the page has to ask.
    """
    directory, authority, typed = entra.directory, request.call.authority, request.typed
    if typed:
        name, password = typed.get("username", ""), typed.get("password", "")
        return authenticate_user(name, password, directory, authority)
    prompt, hint = request.parameters.get("prompt", ""), request.parameters.get("login_hint")
    if _PROMPTS_THAT_ASK.intersection(prompt.split()):
        return None
    user = directory.user(hint) if hint else None
    if user is None and prompt == "none":
        user = None if hint else directory.default_user
        if user is None:
            raise NotSignedIn
    return user and find_user(user.name, directory, authority)


def _page(
    entra: Entra,
    request: _AuthorizationRequest,
    requested: RequestedScope,
    error: str | None = None,
) -> Response:
    call = request.call
    action = f"{call.root.rstrip('/')}{call.request.path}"
    fields = request.parameters
    return sign_in_page(entra.directory, request.app, requested, action, fields, error)


# -- redirects -----------------------------------------------------------------------------


def _send_browser(uri: str, mode: str, values: Mapping[str, str]) -> Response:
    """Send the browser to a URI with these values, in a response mode."""
    if mode == "form_post":
        return form_post_page(uri, values)
    uri = _with_path(uri)
    mark = "#" if mode == "fragment" else "&" if "?" in uri else "?"
    return _redirect(f"{uri}{mark}{urlencode(values)}")


def _redirect(uri: str) -> Response:
    headers = {"Location": uri, "Cache-Control": "no-store, no-cache", "Pragma": "no-cache"}
    return Response(status=302, headers=headers)


def _is_redirect_uri(uri: str, app: App) -> bool:
    """Tell whether the browser may be sent there: an app's URI, character by character.

    The port of a loopback address may differ (RFC 8252, 7.3).
    """
    parts = _split_uri(uri)
    if parts is None or parts.fragment:
        return False
    registered = app.redirect_uris
    return registered is None or _without_port(uri) in map(_without_port, registered)


def _with_path(uri: str) -> str:
    """Return the URI as a browser requests it: an http one has a path (RFC 3986, 6.2.3)."""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https") or parts.path:
        return uri
    return parts._replace(path="/").geturl()


def _split_uri(uri: str) -> SplitResult | None:
    """Split an absolute URI that a browser may be sent to; None for any other text.

    One with a user name is not: it is there to disguise the host.
    """
    if not _URI.fullmatch(uri):
        return None
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return None
    if not parts.scheme or parts.scheme in _LOCAL_SCHEMES or "@" in parts.netloc:
        return None
    return None if parts.scheme in ("http", "https") and not parts.hostname else parts


def _without_port(uri: str) -> str:
    """Return a loopback URI without its port, others as they are."""
    parts = _split_uri(uri)
    if parts is None or parts.scheme != "http" or parts.hostname not in LOOPBACK:
        return uri
    return parts._replace(netloc=parts.hostname).geturl()
