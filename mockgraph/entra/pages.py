"""The pages that a person sees: plain HTML, without anything from elsewhere.

Jinja2 fills them in, since it escapes what it is given; Flask has brought it along.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from mockgraph.entra.directory import App, Directory

if TYPE_CHECKING:
    from jinja2 import Environment

# What the page for signing in sends by itself.
TYPED = frozenset({"username", "password", "declined"})

_MOST_SHOWN = 50  # users; a name that is not among them can be typed

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

_TOLD = """{% extends "layout" %}{% block body %}<p>{{ message }}</p>{% endblock %}"""

_TEMPLATES = {
    "layout": _LAYOUT,
    "fields": _FIELDS,
    "sign_in": _SIGN_IN,
    "form_post": _FORM_POST,
    "enter_code": _ENTER_CODE,
    "told": _TOLD,
}


def page(template: str, title: str, status: int = 200, **values: Any) -> Response:
    """A page: ``sign_in``, ``form_post``, ``enter_code`` or ``told``, with its values."""
    text = _environment().get_template(template).render(title=title, **values)
    response = Response(text, status, content_type="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "no-store, no-cache"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Frame-Options"] = "DENY"
    return response


def sign_in_page(
    directory: Directory, app: App, action: str, fields: Mapping[str, str], error: str | None
) -> Response:
    """The page that lists who may sign in; it sends its form, and these fields, to ``action``.

    Of very many the first are listed, and a name can be typed. Who has no password signs in
    by a click. ``error`` says why they have to try again.
    """
    default = directory.default_user
    seeded = [each for each in (directory.users or {}).values() if each.enabled]
    return page(
        "sign_in",
        "Sign in",
        401 if error else 200,
        app=app.name,
        users=seeded[:_MOST_SHOWN] or [default] * (default is not None),
        anyone=directory.users is None or len(seeded) > _MOST_SHOWN,
        action=action,
        fields=fields,
        error=error,
    )


def form_post(action: str, fields: Mapping[str, str]) -> Response:
    """A page that sends a form on by itself."""
    return page("form_post", "Signing in", action=action, fields=fields)


def told(title: str, message: str, status: int = 200) -> Response:
    """A page that says one thing."""
    return page("told", title, status, message=message)


@cache
def _environment() -> Environment:
    from jinja2 import DictLoader, Environment

    return Environment(autoescape=True, loader=DictLoader(_TEMPLATES), trim_blocks=True)
