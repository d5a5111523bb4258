"""The pages of the sign-in: plain HTML that loads nothing else, filled in by Jinja2."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from mockgraph.entra.directory import App, Directory

if TYPE_CHECKING:
    from jinja2 import Environment

# The fields that the sign-in page adds to those that it repeats.
PAGE_FIELDS = frozenset({"username", "password", "declined"})

_MOST_USERS = 50

_LAYOUT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{ title }}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 26rem; margin: 4rem auto; padding: 0 1rem }
form { margin: 0 0 .75rem } input { font: inherit; padding: .4rem; width: 12rem }
button { font: inherit; padding: .4rem .8rem; cursor: pointer } .error { color: #a80000 }
</style>
<h1>{{ title }}</h1>
{% block body %}{% endblock %}
<p><small>MockGraph: no real account is used here.</small></p>
</html>
"""

_FIELDS = """{% for name, value in fields.items() -%}
<input type="hidden" name="{{ name }}" value="{{ value }}">
{% endfor %}"""

_SIGN_IN = """{% extends "layout" %}{% block body %}
{% if error %}<p class="error" role="alert">{{ error }}</p>{% endif %}
<p>{{ app }} wants to sign you in.</p>
{% for user in users %}
<form method="post" action="{{ action }}">
{% include "fields" %}<input type="hidden" name="username" value="{{ user.name }}">
{% if user.password is not none %}<input type="password" name="password" required
 placeholder="Password" aria-label="Password of {{ user.name }}">
{% endif %}<button>Sign in as {{ user.display_name }} ({{ user.name }})</button>
</form>
{% endfor %}
{% if anyone %}
<form method="post" action="{{ action }}">
{% include "fields" %}<input name="username" required placeholder="someone@example.com"
 aria-label="User name">
<input type="password" name="password" placeholder="Password" aria-label="Password">
<button>Sign in</button>
</form>
{% endif %}
<form method="post" action="{{ action }}">
{% include "fields" %}<input type="hidden" name="declined" value="1"><button>Cancel</button>
</form>
{% endblock %}"""

_FORM_POST = """{% extends "layout" %}{% block body %}
<form method="post" action="{{ action }}">
{% include "fields" %}<button>Continue</button>
</form>
<script>document.forms[0].submit()</script>
{% endblock %}"""

_ENTER_CODE = """{% extends "layout" %}{% block body %}
{% if error %}<p class="error" role="alert">{{ error }}</p>{% endif %}
<form method="get" action="{{ action }}">
<input name="user_code" required placeholder="Code" aria-label="Code"> <button>Next</button>
</form>
{% endblock %}"""

_MESSAGE = """{% extends "layout" %}{% block body %}<p>{{ message }}</p>{% endblock %}"""

_TEMPLATES = {
    "layout": _LAYOUT,
    "fields": _FIELDS,
    "sign_in": _SIGN_IN,
    "form_post": _FORM_POST,
    "enter_code": _ENTER_CODE,
    "message": _MESSAGE,
}


def sign_in_page(
    directory: Directory, app: App, action: str, fields: Mapping[str, str], error: str | None
) -> Response:
    """Make the page that lists the users who may sign in.

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
        app=app.name,
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


def _page(template: str, title: str, status: int = 200, **values: Any) -> Response:
    text = _environment().get_template(template).render(title=title, **values)
    response = Response(text, status, content_type="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "no-store, no-cache"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Frame-Options"] = "DENY"
    return response


@cache
def _environment() -> Environment:
    from jinja2 import DictLoader, Environment

    return Environment(autoescape=True, loader=DictLoader(_TEMPLATES), trim_blocks=True)
