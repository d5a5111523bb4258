"""The pages of the sign-in: HTML that loads nothing else, filled in by Jinja2."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from mockgraph.entra.directory import App, Directory
from mockgraph.entra.scopes import RequestedScope

if TYPE_CHECKING:
    from jinja2 import Environment

# The fields that the sign-in page adds to those that it repeats.
PAGE_FIELDS = frozenset({"username", "password", "declined"})

_MOST_USERS = 50

# What the page of a form post does; browsers that run no script show its button.
_SUBMIT = "document.forms[0].submit()"


def sign_in_page(
    directory: Directory,
    app: App,
    requested: RequestedScope,
    action: str,
    fields: Mapping[str, str],
    error: str | None,
) -> Response:
    """Make the page that says which app asks for what, and lists the users who may sign in.

    It posts the user's choice and these fields to ``action``. A user without a password signs
    in by a click. Of more than 50 users the first are listed, and any name can be typed.
    ``error`` is why the last attempt failed.
    """
    default = directory.default_user
    seeded = [each for each in (directory.users or {}).values() if each.enabled]
    return _page(
        "sign_in",
        "Sign in",
        401 if error else 200,
        app=app,
        scopes=_asked(app, requested),
        users=seeded[:_MOST_USERS] or [default] * (default is not None),
        anyone=directory.users is None or len(seeded) > _MOST_USERS,
        action=action,
        fields=fields,
        error=error,
    )


def code_page(action: str, error: str | None = None) -> Response:
    """Make the page on which a user enters a device's code; it goes to ``action``."""
    return _page("enter_code", "Enter code", 400 if error else 200, action=action, error=error)


def form_post_page(action: str, fields: Mapping[str, str]) -> Response:
    """Make a page that posts a form by itself (OAuth 2.0 Form Post Response Mode)."""
    return _page("form_post", "Signing in", action=action, fields=fields)


def message_page(title: str, message: str, status: int = 200) -> Response:
    """Make a page with one message."""
    return _page("message", title, status, message=message)


def _asked(app: App, requested: RequestedScope) -> list[str]:
    """Return what an app asks for, in words of the page where that is all that it may have."""
    if requested.names is not None:
        return requested.written(requested.names).split()
    known = ", ".join(sorted(app.permissions or ()))
    every = f"all that it was granted on {requested.resource}{f': {known}' if known else ''}"
    return [*requested.openid, every]


def _page(template: str, title: str, status: int = 200, **values: Any) -> Response:
    css = _source("pages.css")
    text = (
        _environment()
        .get_template(f"{template}.html")
        .render(title=title, css=css, script=_SUBMIT, **values)
    )
    response = Response(text, status, content_type="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "no-store, no-cache"
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src {_hash_of(css)}; script-src {_hash_of(_SUBMIT)}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    return response


@cache
def _source(name: str) -> str:
    return resources.files(__package__).joinpath("templates", name).read_text("utf-8")


@cache
def _hash_of(text: str) -> str:
    """Return what a Content-Security-Policy calls an inline style or script (CSP 3, 2.3.1)."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader

    return Environment(autoescape=True, loader=FunctionLoader(_source), trim_blocks=True)
