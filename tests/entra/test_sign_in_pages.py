"""The pages: the users that they list, and what they escape."""

from __future__ import annotations

import html
import re
from base64 import b64encode
from hashlib import sha256

from . import (
    PUBLIC,
    Caller,
    Make,
    claims_of,
    granted,
    hidden_fields,
    sent_back,
)


def test_the_page_lists_the_users_who_may_sign_in(strict: Caller) -> None:
    answer = strict.authorize(**PUBLIC)
    assert answer.status_code == 200
    for name in ("Ada@contoso.com", "bob@fabrikam.com", "eve@outlook.com"):
        assert f'value="{name}"' in answer.text
    assert "gone@contoso.com" not in answer.text
    assert answer.text.count('type="password"') == 1  # the one user who has one
    assert answer.headers["Cache-Control"] == "no-store, no-cache"
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_of_very_many_users_some_are_listed_and_all_can_be_typed(make: Make) -> None:
    users = [{"userPrincipalName": f"user{number}@contoso.com"} for number in range(51)]
    caller = make(users=users)
    page = caller.authorize(**PUBLIC).text
    assert "user49@contoso.com" in page
    assert "user50@contoso.com" not in page
    assert '<input name="username"' in page
    fields = {**hidden_fields(page), "username": "user50@contoso.com"}
    fields.pop("declined")
    code = sent_back(caller.post("/contoso.com/oauth2/v2.0/authorize", fields))["code"]
    claims = claims_of(granted(caller.redeem(code, **PUBLIC))["access_token"])
    assert claims["upn"] == "user50@contoso.com"


def test_form_post(caller: Caller) -> None:
    answer = caller.authorize(
        response_mode="form_post", login_hint="a@b.example", state='"><script>x</script>'
    )
    assert answer.status_code == 200
    assert '<form method="post" action="https://app.example/cb">' in answer.text
    assert "<script>x" not in answer.text
    fields = hidden_fields(answer.text)
    assert html.unescape(fields["state"]) == '"><script>x</script>'
    granted(caller.redeem(fields["code"]))


def test_the_page_says_which_app_asks_for_what(make: Make) -> None:
    app = {"appId": "triage", "displayName": "Triage <b>", "permissions": ["User.Read"]}
    page = make(apps=[app]).authorize(
        client_id="triage", scope="openid https://graph.microsoft.com/User.Read"
    )
    assert "Triage &lt;b&gt;" in page.text
    assert "<code>triage</code>" in page.text
    assert "<li><code>openid</code></li>" in page.text
    assert "<li><code>https://graph.microsoft.com/User.Read</code></li>" in page.text
    assert "no real account is used here" in page.text


def test_nothing_but_what_is_on_the_page_runs(caller: Caller) -> None:
    for answer in (
        caller.authorize(),
        caller.authorize(login_hint="a@b.c", response_mode="form_post"),
    ):
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in policy
        for tag, directive in (("style", "style-src"), ("script", "script-src")):
            for text in re.findall(rf"<{tag}>(.*?)</{tag}>", answer.text, re.DOTALL):
                digest = b64encode(sha256(text.encode()).digest()).decode()
                assert f"{directive} 'sha256-{digest}'" in policy
