"""The authorization endpoint: a page that signs a user in and sends a code to the app."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, NamedTuple

from werkzeug.wrappers import Response

from mockgraph.entra.clients import Client, find_app
from mockgraph.entra.directory import App, User
from mockgraph.entra.errors import EntraError
from mockgraph.entra.forms import Call, Form, check_method, need, read_form, read_query
from mockgraph.entra.grants import delegated, read_asked
from mockgraph.entra.pages import TYPED, sign_in_page, told
from mockgraph.entra.redirects import check_mode, check_redirect_uri, redirect, respond, split_uri
from mockgraph.entra.scopes import GRAPH
from mockgraph.entra.sign_in_errors import (
    Declined,
    InvalidCodeChallenge,
    NotSignedIn,
    UnsupportedResponseType,
)
from mockgraph.entra.tickets import Code
from mockgraph.entra.users import find_user, typed_user

if TYPE_CHECKING:
    from mockgraph.entra.entra import Entra

_CHALLENGE = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_ASKS_A_PERSON = frozenset({"login", "select_account", "consent", "create"})


class _Reply(NamedTuple):
    """Where the app wants its answer."""

    uri: str
    mode: str
    state: str | None

    def send(self, **values: str) -> Response:
        state = {} if self.state is None else {"state": self.state}
        return respond(self.uri, self.mode, {**values, **state})

    def refuse(self, error: EntraError) -> Response:
        return self.send(error=error.error, error_description=error.message)


class _Request(NamedTuple):
    """An authorization request: ``form`` is the app's, ``typed`` what the page sent with it."""

    call: Call
    form: Form
    typed: Form
    app: App


def authorize(entra: Entra, call: Call) -> Response:
    """Answer an authorization request (RFC 6749, 4.1.1).

    What is wrong with the app or its address is told to the person; raises EntraError. All
    else is told to the app, at its address.
    """
    request = _read(entra, call)
    form = request.form
    uri = check_redirect_uri(form.get("redirect_uri"), request.app)
    reply = _Reply(uri, "query", form.get("state"))
    try:
        reply = reply._replace(mode=check_mode(form.get("response_mode")))
        return _sign_in(entra, request, reply)
    except EntraError as error:
        return reply.refuse(error)


def logout(_: Entra, call: Call) -> Response:
    """There is no session to end: say so, or go where the app wants the browser to be next."""
    check_method(call.request, "GET", "POST")
    form = {**read_query(call.request), **read_form(call.request)}
    uri = form.get("post_logout_redirect_uri", "")
    if split_uri(uri) is None:
        return told("You signed out", "You may close this page.")
    return respond(uri, "query", {"state": form["state"]}) if "state" in form else redirect(uri)


def _read(entra: Entra, call: Call) -> _Request:
    check_method(call.request, "GET", "POST")
    sent = read_form(call.request)
    typed = {name: value for name, value in sent.items() if name in TYPED}
    asked = {name: value for name, value in sent.items() if name not in TYPED}
    form = {**read_query(call.request), **asked}
    if call.version == 1:
        form = {"resource": GRAPH, **form}
    app = find_app(need(form, "client_id"), entra.directory, call.authority)
    return _Request(call, form, typed, app)


def _sign_in(entra: Entra, request: _Request, reply: _Reply) -> Response:
    response_type = need(request.form, "response_type")
    if response_type != "code":
        raise UnsupportedResponseType(response_type)
    asked = read_asked(entra, request.call, request.form)
    challenge = _challenge(request.form)
    if "declined" in request.typed:
        raise Declined
    try:
        user = _who(entra, request)
    except EntraError as error:
        if not request.typed:
            raise
        return _page(entra, request, error.message)
    if user is None:
        return _page(entra, request)
    client = Client(request.app, "0")
    grant = delegated(entra, request.call, request.form, client, user, asked)
    code = entra.codes.issue(Code(grant, reply.uri, challenge))
    return reply.send(code=code, session_state=str(uuid.uuid4()))


def _who(entra: Entra, request: _Request) -> User | None:
    """Who signs in: whom the page tells, or at once whom ``login_hint`` names, or whoever
    there is with ``prompt=none``. None where a person is to be asked."""
    directory, authority = entra.directory, request.call.authority
    if request.typed:
        return typed_user(request.typed, directory, authority)
    prompt, hint = request.form.get("prompt", ""), request.form.get("login_hint")
    if _ASKS_A_PERSON.intersection(prompt.split()):
        return None
    user = directory.user(hint) if hint else None
    if user is None and prompt == "none":
        user = None if hint else directory.default_user
        if user is None:
            raise NotSignedIn
    return user and find_user(user.name, directory, authority)


def _challenge(form: Form) -> tuple[str, str] | None:
    """The code challenge and its method (RFC 7636, 4.3); None where there is none."""
    challenge = form.get("code_challenge")
    if challenge is None:
        return None
    method = form.get("code_challenge_method", "plain")
    if method not in ("S256", "plain") or not _CHALLENGE.fullmatch(challenge):
        raise InvalidCodeChallenge
    return challenge, method


def _page(entra: Entra, request: _Request, error: str | None = None) -> Response:
    call = request.call
    action = f"{call.root.rstrip('/')}{call.request.path}"
    return sign_in_page(entra.directory, request.app, action, request.form, error)
