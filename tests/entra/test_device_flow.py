"""The device flow: its endpoint, and the page on which a user enters the code."""

from __future__ import annotations

import pytest

from . import (
    GRAPH,
    READ,
    Caller,
    granted,
    hidden_fields,
    pending,
    refused,
)

PAGE = "/common/oauth2/deviceauth"


def test_the_codes_and_where_they_go(caller: Caller) -> None:
    body = caller.device()
    assert body["verification_uri"] == body["verification_url"] == f"https://login.test{PAGE}"
    assert body["verification_uri"] in body["message"]
    assert body["user_code"] in body["message"]
    assert (body["expires_in"], body["interval"]) == (900, 1)
    assert len(body["user_code"]) == 9


def test_version_1(caller: Caller) -> None:
    form = {"client_id": "some-app", "resource": GRAPH}
    answer = caller.post("/contoso.com/oauth2/devicecode", form)
    assert answer.json is not None
    code = answer.json["device_code"]
    refused(caller.token("device_code", 1, code=code), 70016, "authorization_pending")
    assert granted(caller.token("device_code", 1, code=code))["resource"] == GRAPH


@pytest.mark.parametrize(
    ("form", "number", "error"),
    [
        ({"scope": READ}, 900144, "invalid_request"),
        ({"client_id": "some-app"}, 900144, "invalid_request"),
        ({"client_id": "nobody", "scope": READ}, 700016, "unauthorized_client"),
        ({"client_id": "some-app", "scope": "https://x"}, 70011, "invalid_scope"),
    ],
)
def test_requests_for_codes(manual: Caller, form: dict[str, str], number: int, error: str) -> None:
    refused(manual.post("/common/oauth2/v2.0/devicecode", form), number, error)


def test_the_page_asks_for_a_code(manual: Caller) -> None:
    page = manual.get(PAGE)
    assert page.status_code == 200
    assert 'name="user_code"' in page.text
    page = manual.get(PAGE, query_string={"user_code": "<b>"})
    assert page.status_code == 400
    assert "<b>" not in page.text


def test_signing_a_device_in_on_the_page(manual: Caller) -> None:
    body = manual.device()
    page = manual.get(PAGE, query_string={"user_code": body["user_code"]})
    assert "Sign in as" in page.text
    fields = {"user_code": hidden_fields(page.text)["user_code"], "username": "ada@contoso.com"}
    page = manual.post(PAGE, {**fields, "password": "wrong"})
    assert page.status_code == 401
    assert "AADSTS50126" in page.text
    pending(manual.poll(body["device_code"]))
    page = manual.post(PAGE, {**fields, "password": "p"})
    assert "The device is signed in" in page.text
    assert granted(manual.poll(body["device_code"]))["access_token"]
    assert manual.post(PAGE, {**fields, "password": "p"}).status_code == 400


def test_declining_on_the_page(manual: Caller) -> None:
    body = manual.device()
    page = manual.post(PAGE, {"user_code": body["user_code"], "declined": "1"})
    assert "was not signed in" in page.text
    refused(manual.poll(body["device_code"]), 65004, "authorization_declined")
