"""Who an app is, and how it proves it (RFC 6749, 2.3; RFC 7523)."""

from __future__ import annotations

from collections.abc import Iterable
from hmac import compare_digest
from typing import NamedTuple
from urllib.parse import unquote_plus

from mockgraph.entra.assertions import check_assertion
from mockgraph.entra.directory import App, Directory
from mockgraph.entra.errors import (
    AppNotFound,
    ExpiredSecret,
    MalformedAssertion,
    NotPublic,
    PublicWithCredential,
    WrongSecret,
)
from mockgraph.entra.forms import Authority, Call, Form, need

# The one secret and the one password that are wrong where any other will do.
WRONG = "wrong"

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Client(NamedTuple):
    """An app, and what it proved itself by: ``0`` nothing, ``1`` a secret, ``2`` an assertion."""

    app: App
    credential: str

    @property
    def is_confidential(self) -> bool:
        return self.credential != "0"


def find_app(app_id: str, directory: Directory, authority: Authority) -> App:
    """The app of this id. Raises EntraError where there is none."""
    app = directory.app(app_id)
    if app is None:
        raise AppNotFound(app_id, authority.named)
    return app


def identify(call: Call, form: Form, directory: Directory) -> Client:
    """The client of a request to the token endpoint. Raises EntraError where it is another.

    A secret comes in the form or by HTTP Basic, whether or not it is percent-encoded there.
    """
    basic = call.request.authorization
    if basic is None or basic.type != "basic":
        app_id = need(form, "client_id")
        secrets = [form["client_secret"]] if "client_secret" in form else []
    else:
        app_id = unquote_plus(basic.username or "") or need(form, "client_id")
        secrets = [basic.password, unquote_plus(basic.password)] if basic.password else []
    app = find_app(app_id, directory, call.authority)
    assertion = form.get("client_assertion")
    if app.public and (secrets or assertion):
        raise PublicWithCredential
    if assertion:
        if need(form, "client_assertion_type") != _ASSERTION:
            raise MalformedAssertion
        check_assertion(assertion, app, call.root)
        return Client(app, "2")
    if secrets:
        _check_secret(secrets, app)
        return Client(app, "1")
    return Client(app, "0")


def identify_any(call: Call, form: Form, directory: Directory) -> Client:
    """The client, which has to prove itself only where it is not public. Raises EntraError."""
    client = identify(call, form, directory)
    if not client.is_confidential and not client.app.may_be_public:
        raise NotPublic
    return client


def is_one_of(sent: str, known: Iterable[str]) -> bool:
    """Whether a secret is among the known ones; how long that takes does not tell which."""
    return True in [compare_digest(sent.encode(), each.encode()) for each in known]


def _check_secret(sent: list[str], app: App) -> None:
    """One of the readings of what was sent is a secret of the app."""
    if any(is_one_of(each, app.expired_secrets) for each in sent):
        raise ExpiredSecret(app.app_id)
    if app.takes_any_credential:
        right = WRONG not in sent
    else:
        right = any(is_one_of(each, app.secrets or ()) for each in sent)
    if not right:
        raise WrongSecret(app.app_id)
