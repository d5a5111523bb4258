"""Sign-in in a browser: the authorization endpoint, its page, and the codes that it gives."""

from __future__ import annotations

import base64
import hashlib
import html
import threading
from typing import Any
from urllib.parse import urlsplit

import pytest

from . import (
    CONTOSO,
    PERSONAL,
    READER,
    Caller,
    Make,
    claims_of,
    granted,
    hidden_fields,
    refused,
    sent_back,
)

VERIFIER = "v" * 43
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
)
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
PUBLIC = {"client_id": "public-app"}


def on_page(answer: Any, status: int = 400) -> str:
    """The text of an error page: never a redirect, never JSON."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Location" not in answer.headers
    return html.unescape(answer.text)


# -- who signs in --------------------------------------------------------------------------


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


def test_signing_in_on_the_page(strict: Caller) -> None:
    page = strict.authorize(**PUBLIC, nonce="n<1>", **PKCE)
    fields = {**hidden_fields(html.unescape(page.text)), "username": "ada@contoso.com"}
    fields.pop("declined")
    path = urlsplit("https://login.test/contoso.com/oauth2/v2.0/authorize").path
    again = strict.post(path, {**fields, "password": "wrong"})
    assert "AADSTS50126" in on_page(again, 401)
    assert "wrong" not in again.text.replace("AADSTS50126", "")
    assert hidden_fields(again.text)["state"] == "st"
    answer = strict.post(path, {**fields, "password": "enchantress"})
    values = sent_back(answer)
    assert values["state"] == "st"
    body = granted(strict.redeem(values["code"], code_verifier=VERIFIER, **PUBLIC))
    assert claims_of(body["id_token"])["nonce"] == "n<1>"
    assert claims_of(body["access_token"])["upn"] == "Ada@contoso.com"


def test_signing_in_by_a_click(strict: Caller) -> None:
    fields = {**hidden_fields(strict.authorize(**PUBLIC).text), "username": "bob@fabrikam.com"}
    fields.pop("declined")
    code = sent_back(strict.post("/common/oauth2/v2.0/authorize", fields))["code"]
    strict.tenant = "common"
    claims = claims_of(granted(strict.redeem(code, **PUBLIC))["access_token"])
    assert claims["upn"] == "bob@fabrikam.com"


def test_who_signs_in_is_not_taken_from_the_address(strict: Caller) -> None:
    answer = strict.authorize(**PUBLIC, username="bob@fabrikam.com", password="x")
    assert answer.status_code == 200
    assert "Sign in as" in answer.text


def test_declining(strict: Caller) -> None:
    fields = hidden_fields(strict.authorize(**PUBLIC).text)
    values = sent_back(strict.post("/contoso.com/oauth2/v2.0/authorize", fields))
    assert (values["error"], values["state"]) == ("access_denied", "st")
    assert values["error_description"].startswith("AADSTS65004: ")


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"login_hint": "bob@fabrikam.com"}, "bob@fabrikam.com"),
        ({"login_hint": "bob@fabrikam.com", "prompt": "none"}, "bob@fabrikam.com"),
        ({"prompt": "none"}, "Ada@contoso.com"),
    ],
)
def test_at_once(strict: Caller, query: dict[str, str], name: str) -> None:
    code = sent_back(strict.authorize(**PUBLIC, **query))["code"]
    assert claims_of(granted(strict.redeem(code, **PUBLIC))["access_token"])["upn"] == name


@pytest.mark.parametrize(
    "query",
    [
        {"login_hint": "nobody@contoso.com"},
        {"login_hint": "ada@contoso.com", "prompt": "login"},
        {"login_hint": "ada@contoso.com", "prompt": "select_account"},
        {"login_hint": "ada@contoso.com", "prompt": "consent"},
        {},
    ],
)
def test_a_person_is_asked(strict: Caller, query: dict[str, str]) -> None:
    assert "Sign in as" in strict.authorize(**PUBLIC, **query).text


def test_nobody_to_sign_in_silently(strict: Caller, make: Make) -> None:
    for caller, hint in ((strict, {"login_hint": "nobody@contoso.com"}), (make(users=[]), {})):
        values = sent_back(caller.authorize(**PUBLIC, prompt="none", **hint))
        assert values["error"] == "login_required"
        assert values["error_description"].startswith("AADSTS50058: ")
        assert values["state"] == "st"


def test_a_disabled_user_by_hint(strict: Caller) -> None:
    values = sent_back(strict.authorize(**PUBLIC, login_hint="gone@contoso.com"))
    assert values["error_description"].startswith("AADSTS50057: ")


def test_anyone_by_name_in_an_open_directory(caller: Caller) -> None:
    page = caller.authorize()
    assert 'name="username" required' in page.text
    code = caller.code(login_hint="zoe@outlook.com")
    caller.tenant = "common"
    claims = claims_of(granted(caller.redeem(code))["access_token"])
    assert claims["upn"] == "zoe@outlook.com"
    assert claims["tid"] != PERSONAL  # a guest of the tenant that was asked


def test_a_personal_account_by_way_of_common(caller: Caller) -> None:
    caller.tenant = "common"
    code = caller.code(login_hint="zoe@outlook.com")
    assert claims_of(granted(caller.redeem(code))["access_token"])["tid"] == PERSONAL


# -- how the answer is sent ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "start"),
    [
        (None, "https://app.example/done?x=1&code="),
        ("query", "https://app.example/done?x=1&code="),
        ("fragment", "https://app.example/done?x=1#code="),
    ],
)
def test_response_modes(strict: Caller, mode: str | None, start: str) -> None:
    query = {"response_mode": mode} if mode else {}
    answer = strict.authorize(
        client_id=READER,
        redirect_uri="https://app.example/done?x=1",
        login_hint="ada@contoso.com",
        state="a&b=c#d é",
        **query,
    )
    assert answer.headers["Location"].startswith(start)
    assert sent_back(answer)["state"] == "a&b=c#d é"


@pytest.mark.parametrize(
    ("uri", "start"),
    [
        ("http://localhost:5000", "http://localhost:5000/?code="),
        ("http://localhost:5000/", "http://localhost:5000/?code="),
        ("https://app.example?x=1", "https://app.example/?x=1&code="),
        ("msal-app://auth", "msal-app://auth?code="),
    ],
)
def test_an_address_without_a_path(caller: Caller, uri: str, start: str) -> None:
    answer = caller.authorize(redirect_uri=uri, login_hint="a@b.example")
    assert answer.headers["Location"].startswith(start)
    granted(caller.redeem(sent_back(answer)["code"], redirect_uri=uri))


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


def test_an_app_without_state_gets_none(caller: Caller) -> None:
    query = {"client_id": "x", "response_type": "code", "redirect_uri": "https://app.example/cb"}
    answer = caller.get(
        "/common/oauth2/v2.0/authorize", query_string={**query, "scope": "openid", "prompt": "none"}
    )
    assert sent_back(answer).keys() == {"code", "session_state"}


@pytest.mark.parametrize(
    ("query", "error", "number"),
    [
        ({"response_type": "token"}, "unsupported_response_type", 70005),
        ({"response_type": "code id_token"}, "unsupported_response_type", 70005),
        ({"response_type": ""}, "invalid_request", 900144),
        ({"response_mode": "carrier_pigeon"}, "invalid_request", 70007),
        ({"scope": ""}, "invalid_request", 900144),
        ({"scope": "SecurityEvents.Raed.All"}, "invalid_scope", 650053),
        ({"scope": "api://nobody/.default"}, "invalid_resource", 500011),
        ({"code_challenge": "short"}, "invalid_request", 50147),
        ({"code_challenge": "x" * 129}, "invalid_request", 50147),
        ({"code_challenge": CHALLENGE, "code_challenge_method": "S512"}, "invalid_request", 50147),
        ({"claims": "{"}, "invalid_request", 9002313),
        ({"nonce": "n" * 1001}, "invalid_request", 9002313),
    ],
)
def test_what_is_wrong_is_told_to_the_app(
    strict: Caller, query: dict[str, str], error: str, number: int
) -> None:
    values = sent_back(strict.authorize(**{**PUBLIC, "login_hint": "ada@contoso.com", **query}))
    assert (values["error"], values["state"]) == (error, "st")
    assert values["error_description"].startswith(f"AADSTS{number}: ")
    assert "code" not in values


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ({"client_id": "nobody"}, 700016),
        ({"client_id": ""}, 900144),
        ({"client_id": READER, "redirect_uri": "https://app.example/done"}, 50011),
        ({"client_id": READER, "redirect_uri": "https://APP.example/done?x=1"}, 50011),
        ({"client_id": READER, "redirect_uri": "https://app.example/done?x=1&y"}, 50011),
        ({"client_id": READER, "redirect_uri": "https://app.example:444/done?x=1"}, 50011),
        ({"client_id": READER, "redirect_uri": "http://127.0.0.1/done"}, 50011),
        ({"redirect_uri": ""}, 500113),
        ({"redirect_uri": "javascript:alert(1)"}, 50011),
        ({"redirect_uri": "JavaScript:alert(1)"}, 50011),
        ({"redirect_uri": "data:text/html,x"}, 50011),
        ({"redirect_uri": "/relative"}, 50011),
        ({"redirect_uri": "https:///no-host"}, 50011),
        ({"redirect_uri": "https://app.example/cb#fragment"}, 50011),
        ({"redirect_uri": "https://app.example/\r\nSet-Cookie: x"}, 50011),
        ({"redirect_uri": "https://app.example/größe"}, 50011),
        ({"redirect_uri": "https://[::1/cb"}, 50011),
        ({"redirect_uri": "https://a:99999/cb"}, 50011),
        ({"redirect_uri": f"https://a/{'x' * 2048}"}, 50011),
        ({"redirect_uri": "https://a/<script>alert(1)</script>\n"}, 50011),
    ],
)
def test_what_is_wrong_with_the_app_is_told_to_the_person(
    strict: Caller, query: dict[str, str], number: int
) -> None:
    answer = strict.authorize(**{**PUBLIC, "login_hint": "ada@contoso.com", **query})
    assert f"AADSTS{number}: " in on_page(answer)
    assert "<script>" not in answer.text


@pytest.mark.parametrize(
    "uri", ["http://localhost/done", "http://localhost:8400/done", "https://app.example/done?x=1"]
)
def test_registered_addresses(strict: Caller, uri: str) -> None:
    answer = strict.authorize(client_id=READER, redirect_uri=uri, login_hint="ada@contoso.com")
    assert answer.headers["Location"].startswith(uri)


def test_the_first_registered_address_is_the_default(strict: Caller) -> None:
    answer = strict.authorize(client_id=READER, redirect_uri="", login_hint="ada@contoso.com")
    assert answer.headers["Location"].startswith("https://app.example/done?x=1&code=")


def test_a_native_app_has_a_scheme_of_its_own(caller: Caller) -> None:
    answer = caller.authorize(redirect_uri="msal-my-app://auth", login_hint="a@b.example")
    assert answer.headers["Location"].startswith("msal-my-app://auth?code=")


# -- redeeming -----------------------------------------------------------------------------


def test_a_code_is_good_once(strict: Caller) -> None:
    code = strict.code(**PUBLIC, nonce="n")
    body = granted(strict.redeem(code, **PUBLIC))
    assert claims_of(body["id_token"])["nonce"] == "n"
    assert claims_of(body["access_token"])["tid"] == CONTOSO
    refused(strict.redeem(code, **PUBLIC), 54005, "invalid_grant")


def test_a_code_is_good_for_ten_minutes(strict: Caller) -> None:
    in_time, late = strict.code(**PUBLIC), strict.code(**PUBLIC)
    strict.entra.clock.advance(599)
    granted(strict.redeem(in_time, **PUBLIC))
    strict.entra.clock.advance(1)
    refused(strict.redeem(late, **PUBLIC), 70008, "invalid_grant")


@pytest.mark.parametrize(
    ("challenge", "method", "verifier", "passes"),
    [
        (CHALLENGE, "S256", VERIFIER, True),
        (VERIFIER, "plain", VERIFIER, True),
        (VERIFIER, None, VERIFIER, True),
        (CHALLENGE, "S256", "w" * 43, False),
        (CHALLENGE, "S256", CHALLENGE, False),
        (CHALLENGE, "plain", VERIFIER, False),
        (CHALLENGE, "S256", "größe", False),
    ],
)
def test_proof_key(
    caller: Caller, challenge: str, method: str | None, verifier: str, passes: bool
) -> None:
    query = {"code_challenge_method": method} if method else {}
    code = caller.code(code_challenge=challenge, **query)
    answer = caller.redeem(code, code_verifier=verifier)
    if passes:
        granted(answer)
    else:
        refused(answer, 501481, "invalid_grant")


def test_a_code_with_a_challenge_needs_a_verifier_and_waits_for_it(caller: Caller) -> None:
    code = caller.code(**PKCE)
    refused(caller.redeem(code), 900144, "invalid_request")
    granted(caller.redeem(code, code_verifier=VERIFIER))


def test_a_verifier_for_a_code_whose_challenge_was_taken_out(caller: Caller) -> None:
    refused(caller.redeem(caller.code(), code_verifier=VERIFIER), 501481, "invalid_grant")


@pytest.mark.parametrize(
    ("form", "number", "error"),
    [
        ({"code": "x"}, 9002313, "invalid_grant"),
        ({"code": ""}, 900144, "invalid_request"),
        ({"redirect_uri": None}, 900144, "invalid_request"),
        ({"redirect_uri": "https://app.example/cb/"}, 500112, "invalid_grant"),
        ({"client_id": "another"}, 70000, "invalid_grant"),
        ({"scope": "nonsense"}, 650053, "invalid_scope"),
    ],
)
def test_codes_that_cannot_be_redeemed(
    caller: Caller, form: dict[str, str | None], number: int, error: str
) -> None:
    code = caller.code()
    asked = {"code": code, "redirect_uri": "https://app.example/cb", **form}
    refused(caller.token("authorization_code", **asked), number, error)
    granted(caller.redeem(code))


def test_a_confidential_app_proves_itself(strict: Caller) -> None:
    form = {"client_id": READER, "redirect_uri": "http://localhost/done"}
    code = strict.code(**form)
    refused(strict.redeem(code, **form), 7000218, "invalid_client", 401)
    refused(strict.redeem(code, **form, client_secret="x"), 7000215, "invalid_client", 401)
    body = granted(strict.redeem(code, **form, client_secret="s3cret"))
    assert claims_of(body["access_token"])["appidacr"] == "1"


def test_another_scope_when_the_code_is_redeemed(caller: Caller) -> None:
    body = granted(caller.redeem(caller.code(), scope="offline_access User.Read"))
    assert body["scope"] == "openid offline_access User.Read"  # openid was granted with the code
    assert body["refresh_token"]


def test_what_was_granted_with_the_code_holds_whatever_it_is_redeemed_for(caller: Caller) -> None:
    code = caller.code(scope="openid offline_access SecurityEvents.Read.All")
    body = granted(caller.redeem(code, scope="User.Read"))
    assert {"refresh_token", "id_token"} <= body.keys()
    assert claims_of(body["access_token"])["scp"] == "openid User.Read"


def test_version_1(caller: Caller) -> None:
    for resource in ("https://graph.microsoft.com", "https://vault.azure.net"):
        code = sent_back(caller.authorize(1, login_hint="a@b.example", resource=resource))["code"]
        body = granted(caller.redeem(code, 1))
        assert body["resource"] == resource
        assert body["id_token"]
        assert body["refresh_token"]
    code = sent_back(caller.authorize(1, login_hint="a@b.example"))["code"]
    assert granted(caller.redeem(code, 1))["resource"] == "https://graph.microsoft.com"


def test_of_threads_that_redeem_one_code_one_gets_tokens(caller: Caller) -> None:
    code = caller.code()
    barrier = threading.Barrier(8)
    statuses = []

    def redeem() -> None:
        barrier.wait()
        statuses.append(caller.redeem(code).status_code)

    threads = [threading.Thread(target=redeem) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(statuses) == [200] + [400] * 7


def test_old_codes_make_room(caller: Caller) -> None:
    first = caller.code()
    last = [caller.code() for _ in range(1000)][-1]
    refused(caller.redeem(first), 9002313, "invalid_grant")
    granted(caller.redeem(last))


# -- signing out ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "location"),
    [
        ({}, None),
        ({"post_logout_redirect_uri": "javascript:alert(1)"}, None),
        ({"post_logout_redirect_uri": "https://app.example/bye"}, "https://app.example/bye"),
        (
            {"post_logout_redirect_uri": "https://app.example/bye?x=1", "state": "a b"},
            "https://app.example/bye?x=1&state=a+b",
        ),
    ],
)
@pytest.mark.parametrize("path", ["/common/oauth2/v2.0/logout", "/common/oauth2/logout"])
def test_signing_out(
    caller: Caller, path: str, query: dict[str, str], location: str | None
) -> None:
    answer = caller.get(path, query_string=query)
    assert answer.headers.get("Location") == location
    assert answer.status_code == (302 if location else 200)
    assert location or "You signed out" in answer.text
