"""Codes are kept for a time, in a bounded number; devices wait until a user decides."""

from __future__ import annotations

import pytest

from mockgraph.errors import BadRequest, NotFound

from . import (
    DEVICE_GRANT,
    READ,
    Caller,
    Make,
    claims_of,
    granted,
    pending,
    refused,
)


def test_old_codes_make_room(caller: Caller) -> None:
    first = caller.code()
    last = [caller.code() for _ in range(1000)][-1]
    refused(caller.redeem(first), 9002313, "invalid_grant")
    granted(caller.redeem(last))


@pytest.mark.parametrize("grant", [DEVICE_GRANT, "device_code"])
def test_the_second_poll_finds_it_approved(caller: Caller, grant: str) -> None:
    code = caller.device()["device_code"]
    pending(caller.poll(code, grant))
    body = granted(caller.poll(code, grant))
    assert body["scope"] == f"offline_access {READ}"
    assert body["refresh_token"]
    assert claims_of(body["access_token"])["upn"] == "user@example.com"
    refused(caller.poll(code, grant), 54005, "invalid_grant")


def test_at_once(make: Make) -> None:
    caller = make(apps=[{"appId": "some-app"}], deviceApproval="immediate")
    body = granted(caller.poll(caller.device()["device_code"]))
    assert claims_of(body["access_token"])["upn"] == "Ada@contoso.com"


def test_without_users_nobody_approves(make: Make) -> None:
    caller = make(apps=[{"appId": "some-app"}], users=[], deviceApproval="immediate")
    code = caller.device()["device_code"]
    for _ in range(3):
        pending(caller.poll(code))


def test_by_the_control_plane(manual: Caller) -> None:
    body = manual.device()
    for _ in range(3):
        pending(manual.poll(body["device_code"]))
    manual.entra.approve_device_code(f" {body['user_code'].lower()} ", "bob@fabrikam.com")
    answer = granted(manual.poll(body["device_code"]))
    assert claims_of(answer["access_token"])["upn"] == "bob@fabrikam.com"
    with pytest.raises(BadRequest):
        manual.entra.approve_device_code(body["user_code"])


def test_the_first_user_approves_where_none_is_named(manual: Caller) -> None:
    body = manual.device()
    manual.entra.approve_device_code(body["user_code"])
    answer = granted(manual.poll(body["device_code"]))
    assert claims_of(answer["access_token"])["upn"] == "ada@contoso.com"


def test_a_device_that_is_denied(manual: Caller) -> None:
    body = manual.device()
    manual.entra.deny_device_code(body["user_code"])
    for _ in range(2):
        refused(manual.poll(body["device_code"]), 65004, "authorization_declined")
    with pytest.raises(BadRequest):
        manual.entra.approve_device_code(body["user_code"])


def test_device_codes_expire(manual: Caller) -> None:
    body = manual.device()
    manual.entra.clock.advance(899)
    pending(manual.poll(body["device_code"]))
    manual.entra.clock.advance(1)
    refused(manual.poll(body["device_code"]), 70020, "expired_token")
    with pytest.raises(NotFound):
        manual.entra.approve_device_code(body["user_code"])


def test_device_codes_that_are_none(manual: Caller) -> None:
    body = manual.device()
    for code in ("x", body["user_code"], f"{body['user_code']}.x", f"{body['device_code']}x", "é"):
        refused(manual.poll(code), 70018, "bad_verification_code")
    refused(manual.poll(""), 900144, "invalid_request")
    refused(manual.poll(body["device_code"], client_id="other"), 70018, "bad_verification_code")
    for missing in ("AAAAAAAAA", ""):
        with pytest.raises(NotFound):
            manual.entra.approve_device_code(missing)
    with pytest.raises(NotFound):
        manual.entra.approve_device_code(body["user_code"], "nobody@contoso.com")
    pending(manual.poll(body["device_code"]))


def test_old_devices_make_room(manual: Caller) -> None:
    first = manual.device()
    for _ in range(1000):
        last = manual.device()
    refused(manual.poll(first["device_code"]), 70018, "bad_verification_code")
    pending(manual.poll(last["device_code"]))


def test_a_reset_forgets_devices(manual: Caller) -> None:
    body = manual.device()
    manual.entra.reset()
    refused(manual.poll(body["device_code"]), 70018, "bad_verification_code")
