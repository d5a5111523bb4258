"""The authorization code flow: who signs in, where the browser is sent, signing out."""

from __future__ import annotations

import html
from typing import Any
from urllib.parse import urlsplit

import pytest

from . import (
    CHALLENGE,
    PERSONAL,
    PKCE,
    PUBLIC,
    READER,
    SEED,
    VERIFIER,
    Caller,
    Make,
    claims_of,
    granted,
    hidden_fields,
    sent_back,
)


def on_page(answer: Any, status: int = 400) -> str:
    """The text of an error page: never a redirect, never JSON."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Location" not in answer.headers
    return html.unescape(answer.text)


# -- the user ------------------------------------------------------------------------------


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


# -- redirects -----------------------------------------------------------------------------


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
        ({"client_id": READER, "redirect_uri": r"http://evil.example\@localhost/done"}, 50011),
        ({"client_id": READER, "redirect_uri": "http://evil.example@localhost/done"}, 50011),
        ({"client_id": READER, "redirect_uri": "http://@localhost/done"}, 50011),
        ({"client_id": READER, "redirect_uri": r"http://localhost\done"}, 50011),
        ({"redirect_uri": ""}, 500113),
        ({"redirect_uri": "javascript:alert(1)"}, 50011),
        ({"redirect_uri": "JavaScript:alert(1)"}, 50011),
        ({"redirect_uri": "data:text/html,x"}, 50011),
        ({"redirect_uri": "/relative"}, 50011),
        ({"redirect_uri": "https:///no-host"}, 50011),
        ({"redirect_uri": r"https://evil.example\.app.example/cb"}, 50011),
        ({"redirect_uri": "https://user:password@app.example/cb"}, 50011),
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


@pytest.mark.parametrize(
    ("query", "returns"),
    [
        ({"post_logout_redirect_uri": "https://app.example/done?x=1"}, True),
        ({"post_logout_redirect_uri": "http://localhost:8400/done", "client_id": READER}, True),
        ({"post_logout_redirect_uri": "https://evil.example/"}, False),
        ({"post_logout_redirect_uri": "https://evil.example/", "client_id": READER}, False),
        (
            {"post_logout_redirect_uri": "https://app.example/done?x=1", "client_id": "nobody"},
            False,
        ),
        ({"post_logout_redirect_uri": r"http://evil.example\@localhost/done"}, False),
        ({"post_logout_redirect_uri": "http://evil.example@localhost/done"}, False),
    ],
)
def test_signing_out_returns_to_addresses_that_apps_have_registered(
    make: Make, query: dict[str, str], returns: bool
) -> None:
    (reader,) = (each for each in SEED["apps"] if each["appId"] == READER)
    caller = make(apps=[reader, {"appId": "no-addresses", "redirectUris": []}])
    answer = caller.get("/common/oauth2/v2.0/logout", query_string=query)
    sent_to = query["post_logout_redirect_uri"] if returns else None
    assert answer.headers.get("Location") == sent_to
    assert returns or "You signed out" in answer.text


def test_signing_out_of_an_app_whose_addresses_are_left_open(strict: Caller) -> None:
    query = {"post_logout_redirect_uri": "https://bye.example/", **PUBLIC}
    answer = strict.get("/common/oauth2/v2.0/logout", query_string=query)
    assert answer.headers["Location"] == "https://bye.example/"
    answer = strict.get("/common/oauth2/v2.0/logout", query_string={**query, "client_id": READER})
    assert "Location" not in answer.headers
