"""Revoked tokens, and the challenges that clients answer."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from mockgraph.entra.entra import Entra
from mockgraph.entra.signing_keys import SigningKey
from mockgraph.errors import NotFound, Unauthenticated

from . import HOST, Caller, Make, claims_of, granted, opened, reason

CP1 = json.dumps({"access_token": {"xms_cc": {"values": ["CP1"]}}})


@pytest.fixture
def entra(keys: SigningKey) -> Entra:
    return opened(keys)


def challenge_of(entra: Entra, token: str) -> dict[str, Any]:
    """What a client is to ask for, from the challenge to its revoked token."""
    with pytest.raises(Unauthenticated) as caught:
        entra.verify(token, HOST)
    ((_, header),) = caught.value.headers
    assert 'error="insufficient_claims"' in header
    assert "TokenIssuedBeforeRevocationTimestamp" in caught.value.message
    encoded = header.partition('claims="')[2].partition('"')[0]
    claims: dict[str, Any] = json.loads(base64.b64decode(encoded))
    return claims


def answered(claims: dict[str, Any]) -> str:
    claims["access_token"]["xms_cc"] = {"values": ["CP1"]}
    return json.dumps(claims)


def test_a_challenge_and_its_answer(entra: Entra) -> None:
    entra.clock.freeze()
    caller = Caller(entra)
    token = granted(caller.app_token(claims=CP1))["access_token"]
    assert claims_of(token)["xms_cc"] == ["CP1"]
    entra.verify(token, HOST)
    entra.revoke(app="some-app")
    claims = challenge_of(entra, token)
    now = str(int(entra.clock.now().timestamp()))
    assert claims == {"access_token": {"nbf": {"essential": True, "value": now}}}
    renewed = granted(caller.app_token(claims=answered(claims)))["access_token"]
    entra.verify(renewed, HOST)
    challenge_of(entra, token)


def test_a_client_that_takes_no_challenge_gets_a_plain_401(entra: Entra) -> None:
    token = granted(Caller(entra).app_token())["access_token"]
    entra.revoke()
    assert reason(entra, token) == "Access token has been revoked."
    entra.verify(granted(Caller(entra).app_token())["access_token"], HOST)


def test_revoked_of_one_user(entra: Entra) -> None:
    ada, bob = entra.mint(user="ada@x.example"), entra.mint(user="bob@x.example")
    entra.revoke(user="ada@x.example")
    assert reason(entra, ada) == "Access token has been revoked."
    entra.verify(bob, HOST)
    entra.reset()
    entra.verify(ada, HOST)


def test_an_app_is_found_whatever_its_letter_case(make: Make) -> None:
    entra = make().entra
    token = entra.mint(app="reader-app")
    with pytest.raises(NotFound):
        entra.revoke(app="nobody")
    entra.revoke(app="READER-APP")
    assert reason(entra, token) == "Access token has been revoked."


def test_of_the_user_in_one_app_and_of_both(entra: Entra) -> None:
    here, there = entra.mint(user="ada@x.example", app="a"), entra.mint(app="b")
    entra.revoke(app="a")
    assert reason(entra, here) == "Access token has been revoked."
    entra.verify(there, HOST)
    entra.revoke(app="b", user="ada@x.example")
    assert reason(entra, there) == "Access token has been revoked."


def test_revoked_by_the_seed_until_a_challenge_is_answered(make: Make) -> None:
    caller = make(
        apps=[{"appId": "some-app", "revoked": True}, {"appId": "fine"}],
        users=[{"userPrincipalName": "ada@contoso.com", "revoked": True}],
    )
    entra = caller.entra
    for _ in range(2):
        plain = granted(caller.app_token())["access_token"]
        assert reason(entra, plain) == "Access token has been revoked."
    claims = challenge_of(entra, granted(caller.app_token(claims=CP1))["access_token"])
    entra.verify(granted(caller.app_token(claims=answered(claims)))["access_token"], HOST)
    entra.verify(granted(caller.app_token())["access_token"], HOST)

    form = {"client_id": "fine", "password": "x", "claims": CP1}
    body = granted(caller.user_token("offline_access User.Read", **form))
    claims = challenge_of(entra, body["access_token"])
    form["claims"] = answered(claims)
    entra.verify(granted(caller.user_token("User.Read", **form))["access_token"], HOST)
    entra.reset()
    challenge_of(entra, body["access_token"])


@pytest.mark.parametrize(
    "claims",
    [
        "{",
        "[]",
        "5",
        '"x"',
        '{"access_token": 5}',
        '{"access_token": {"xms_cc": 5}}',
        '{"access_token": {"xms_cc": {"values": 5}}}',
        "[" * 20_000,
    ],
)
def test_claims_that_make_no_sense(caller: Caller, claims: str) -> None:
    answer = caller.app_token(claims=claims)
    assert answer.status_code == 400
    assert "AADSTS9002313" in answer.text


@pytest.mark.parametrize("claims", ["{}", '{"id_token": {"x": null}}', '{"access_token": null}'])
def test_claims_that_ask_for_nothing_here(caller: Caller, claims: str) -> None:
    assert "xms_cc" not in claims_of(granted(caller.app_token(claims=claims))["access_token"])
