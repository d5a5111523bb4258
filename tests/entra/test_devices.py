"""Sign-in on devices without a browser."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import TestResponse

from mockgraph.errors import BadRequest, NotFound

from . import GRAPH, Caller, Make, claims_of, granted, hidden_fields, refused

READ = "SecurityEvents.Read.All"
GRANT = "urn:ietf:params:oauth:grant-type:device_code"
PAGE = "/common/oauth2/deviceauth"


def start(caller: Caller, scope: str = f"offline_access {READ}") -> dict[str, Any]:
    form = {"client_id": "some-app", "scope": scope}
    answer = caller.post(f"/{caller.tenant}/oauth2/v2.0/devicecode", form)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] | None = answer.json
    assert body is not None
    return body


def poll(caller: Caller, code: str, grant: str = GRANT, **form: str) -> TestResponse:
    return caller.token(grant, device_code=code, **form)


@pytest.fixture
def manual(make: Make) -> Caller:
    """A caller of an Entra where someone has to approve a device."""
    users = [
        {"userPrincipalName": "ada@contoso.com", "password": "p"},
        {"userPrincipalName": "bob@fabrikam.com"},
    ]
    return make(
        apps=[{"appId": "some-app"}, {"appId": "other"}], users=users, deviceApproval="manual"
    )


def pending(answer: TestResponse) -> None:
    refused(answer, 70016, "authorization_pending")


def test_the_codes_and_where_they_go(caller: Caller) -> None:
    body = start(caller)
    assert body["verification_uri"] == body["verification_url"] == f"https://login.test{PAGE}"
    assert body["verification_uri"] in body["message"]
    assert body["user_code"] in body["message"]
    assert (body["expires_in"], body["interval"]) == (900, 1)
    assert len(body["user_code"]) == 9


@pytest.mark.parametrize("grant", [GRANT, "device_code"])
def test_the_second_poll_finds_it_approved(caller: Caller, grant: str) -> None:
    code = start(caller)["device_code"]
    pending(poll(caller, code, grant))
    body = granted(poll(caller, code, grant))
    assert body["scope"] == f"offline_access {READ}"
    assert body["refresh_token"]
    assert claims_of(body["access_token"])["upn"] == "user@example.com"
    refused(poll(caller, code, grant), 54005, "invalid_grant")


def test_at_once(make: Make) -> None:
    caller = make(apps=[{"appId": "some-app"}], deviceApproval="immediate")
    body = granted(poll(caller, start(caller)["device_code"]))
    assert claims_of(body["access_token"])["upn"] == "Ada@contoso.com"


def test_without_users_nobody_approves(make: Make) -> None:
    caller = make(apps=[{"appId": "some-app"}], users=[], deviceApproval="immediate")
    code = start(caller)["device_code"]
    for _ in range(3):
        pending(poll(caller, code))


def test_by_the_control_plane(manual: Caller) -> None:
    body = start(manual)
    for _ in range(3):
        pending(poll(manual, body["device_code"]))
    manual.entra.approve_device_code(f" {body['user_code'].lower()} ", "bob@fabrikam.com")
    answer = granted(poll(manual, body["device_code"]))
    assert claims_of(answer["access_token"])["upn"] == "bob@fabrikam.com"
    with pytest.raises(BadRequest):
        manual.entra.approve_device_code(body["user_code"])


def test_the_first_user_approves_where_none_is_named(manual: Caller) -> None:
    body = start(manual)
    manual.entra.approve_device_code(body["user_code"])
    answer = granted(poll(manual, body["device_code"]))
    assert claims_of(answer["access_token"])["upn"] == "ada@contoso.com"


def test_denied(manual: Caller) -> None:
    body = start(manual)
    manual.entra.deny_device_code(body["user_code"])
    for _ in range(2):
        refused(poll(manual, body["device_code"]), 65004, "authorization_declined")
    with pytest.raises(BadRequest):
        manual.entra.approve_device_code(body["user_code"])


def test_codes_expire(manual: Caller) -> None:
    body = start(manual)
    manual.entra.clock.advance(899)
    pending(poll(manual, body["device_code"]))
    manual.entra.clock.advance(1)
    refused(poll(manual, body["device_code"]), 70020, "expired_token")
    with pytest.raises(NotFound):
        manual.entra.approve_device_code(body["user_code"])


def test_codes_that_are_none(manual: Caller) -> None:
    body = start(manual)
    for code in ("x", body["user_code"], f"{body['user_code']}.x", f"{body['device_code']}x", "é"):
        refused(poll(manual, code), 70018, "bad_verification_code")
    refused(poll(manual, ""), 900144, "invalid_request")
    refused(poll(manual, body["device_code"], client_id="other"), 70018, "bad_verification_code")
    for missing in ("AAAAAAAAA", ""):
        with pytest.raises(NotFound):
            manual.entra.approve_device_code(missing)
    with pytest.raises(NotFound):
        manual.entra.approve_device_code(body["user_code"], "nobody@contoso.com")
    pending(poll(manual, body["device_code"]))


def test_old_devices_make_room(manual: Caller) -> None:
    first = start(manual)
    for _ in range(1000):
        last = start(manual)
    refused(poll(manual, first["device_code"]), 70018, "bad_verification_code")
    pending(poll(manual, last["device_code"]))


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


# -- the page ------------------------------------------------------------------------------


def test_the_page_asks_for_a_code(manual: Caller) -> None:
    page = manual.get(PAGE)
    assert page.status_code == 200
    assert 'name="user_code"' in page.text
    page = manual.get(PAGE, query_string={"user_code": "<b>"})
    assert page.status_code == 400
    assert "<b>" not in page.text


def test_signing_a_device_in_on_the_page(manual: Caller) -> None:
    body = start(manual)
    page = manual.get(PAGE, query_string={"user_code": body["user_code"]})
    assert "Sign in as" in page.text
    fields = {"user_code": hidden_fields(page.text)["user_code"], "username": "ada@contoso.com"}
    page = manual.post(PAGE, {**fields, "password": "wrong"})
    assert page.status_code == 401
    assert "AADSTS50126" in page.text
    pending(poll(manual, body["device_code"]))
    page = manual.post(PAGE, {**fields, "password": "p"})
    assert "The device is signed in" in page.text
    assert granted(poll(manual, body["device_code"]))["access_token"]
    assert manual.post(PAGE, {**fields, "password": "p"}).status_code == 400


def test_declining_on_the_page(manual: Caller) -> None:
    body = start(manual)
    page = manual.post(PAGE, {"user_code": body["user_code"], "declined": "1"})
    assert "was not signed in" in page.text
    refused(poll(manual, body["device_code"]), 65004, "authorization_declined")


def test_a_reset_forgets_devices(manual: Caller) -> None:
    body = start(manual)
    manual.entra.reset()
    refused(poll(manual, body["device_code"]), 70018, "bad_verification_code")
