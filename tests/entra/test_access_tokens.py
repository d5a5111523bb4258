"""Tokens: their claims, which of them are valid when, and revoked ones."""

from __future__ import annotations

import base64
import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from mockgraph.entra.access_tokens import FLAWS
from mockgraph.entra.entra import Entra
from mockgraph.errors import NotFound, Unauthenticated

from . import (
    CONTOSO,
    GOOD,
    GRAPH,
    GRAPH_ID,
    HOST,
    PERMISSIONS,
    READ,
    READER,
    TOKEN_URL,
    Caller,
    Make,
    claims_of,
    granted,
    reason,
)

EXPECTED = {
    "expired": "Lifetime validation failed, the token is expired.",
    "future": "Lifetime validation failed, the token is not yet valid.",
    "audience": "Access token validation failure. Invalid audience.",
    "issuer": "Access token validation failure. Invalid issuer.",
    "tenant": "Access token validation failure. Invalid issuer.",
    "key": "Access token validation failure. Invalid signature.",
    "none": "Access token validation failure. The token is not signed with RS256.",
    "hs256": "Access token validation failure. The token is not signed with RS256.",
    "tampered": "Access token validation failure. Invalid signature.",
}


# -- claims --------------------------------------------------------------------------------


def test_a_token_as_entra_issues_it(caller: Caller) -> None:
    caller.entra.clock.freeze()
    now = int(caller.entra.clock.now().timestamp())
    body = granted(caller.app_token(client_id="my-app"))
    assert body.keys() == {"token_type", "expires_in", "ext_expires_in", "access_token"}
    assert body["expires_in"] == body["ext_expires_in"] == 3599
    claims = claims_of(body["access_token"])
    tid = claims["tid"]
    assert str(uuid.UUID(tid)) == tid
    assert claims["aud"] == GRAPH
    assert claims["iss"] == f"https://login.test/{tid}/v2.0"
    assert claims["iat"] == claims["nbf"] == now - 300
    assert claims["exp"] == now + 3600
    assert claims["appid"] == claims["azp"] == "my-app"
    assert claims["appidacr"] == claims["azpacr"] == "1"
    assert claims["idtyp"] == "app"
    assert claims["oid"] == claims["sub"]
    assert claims["roles"] == sorted(PERMISSIONS)
    assert claims["ver"] == "2.0"
    assert not claims.keys() & {"scp", "upn", "xms_cc", "nonce"}
    assert caller.entra.verify(body["access_token"], "localhost")["appid"] == "my-app"


def test_each_token_is_another(caller: Caller) -> None:
    tokens = [claims_of(granted(caller.app_token())["access_token"]) for _ in range(3)]
    assert len({each["uti"] for each in tokens}) == 3
    assert len({each["oid"] for each in tokens}) == 1


def test_an_api_takes_tokens_of_its_own_version(strict: Caller) -> None:
    body = granted(
        strict.token(
            "client_credentials",
            1,
            client_id=READER,
            client_secret="s3cret",
            resource="api://api-app",
        )
    )
    claims = claims_of(body["access_token"])
    assert (claims["ver"], claims["aud"]) == ("2.0", "api-app")
    assert claims["iss"] == f"https://login.test/{CONTOSO}/v2.0"


def test_a_person_is_another_subject_to_each_app(caller: Caller) -> None:
    claims = [
        claims_of(granted(caller.user_token(READ, client_id=app))["access_token"])
        for app in ("one", "two", "one")
    ]
    assert claims[0]["sub"] == claims[2]["sub"] != claims[1]["sub"]
    assert len({each["oid"] for each in claims}) == 1


# -- verified ------------------------------------------------------------------------------


@pytest.mark.parametrize("flaw", FLAWS)
def test_each_flaw_is_found(entra: Entra, flaw: str) -> None:
    token = entra.mint(flaw=flaw)
    assert reason(entra, token) == EXPECTED[flaw]
    assert reason(entra, token) == EXPECTED[flaw]  # the second time as well


def test_each_flaw_is_tried() -> None:
    assert set(FLAWS) == set(EXPECTED)


def test_tokens_expire_by_the_clock(entra: Entra) -> None:
    entra.clock.freeze(datetime(2024, 1, 1, tzinfo=UTC))
    token, short = entra.mint(), entra.mint(lifetime=60)
    entra.verify(token, HOST)
    entra.clock.advance(62)
    assert reason(entra, short) == EXPECTED["expired"]
    entra.verify(token, HOST)
    entra.clock.advance(3600)
    assert reason(entra, token) == EXPECTED["expired"]
    entra.clock.freeze(datetime(2023, 1, 1, tzinfo=UTC))
    assert reason(entra, token) == EXPECTED["future"]


@pytest.mark.parametrize("year", [1, 1969, 9999])
def test_at_the_ends_of_time(entra: Entra, year: int) -> None:
    entra.clock.freeze(datetime(year, 12, 31, 23, 59, tzinfo=UTC))
    caller = Caller(entra)
    body = granted(caller.user_token("openid offline_access User.Read"))
    entra.verify(body["access_token"], HOST)
    granted(caller.token("refresh_token", refresh_token=body["refresh_token"]))


def test_issued_under_one_name_and_used_under_another(entra: Entra) -> None:
    token = granted(Caller(entra).app_token())["access_token"]
    assert claims_of(token)["iss"].startswith("https://login.test/")
    entra.verify(token, HOST)


def test_an_id_token_is_no_access_token(entra: Entra) -> None:
    body = granted(Caller(entra).user_token("openid", client_id=GRAPH_ID))
    assert claims_of(body["id_token"])["aud"] == GRAPH_ID
    assert reason(entra, body["id_token"]) == EXPECTED["audience"]


def test_another_tenant_of_the_server_did_not_issue_it(entra: Entra) -> None:
    token = granted(Caller(entra).app_token())["access_token"]
    other = entra.fork(entra.clock)
    assert reason(other, token) == EXPECTED["issuer"]


def test_a_token_stays_good_however_many_names_of_the_server_are_used_after(entra: Entra) -> None:
    caller = Caller(entra)
    first = granted(caller.app_token())["access_token"]
    for number in range(1001):
        caller.http.post(TOKEN_URL, base_url=f"https://{number}.test", data=GOOD)
    entra.verify(first, HOST)


# -- revoked -------------------------------------------------------------------------------


CP1 = json.dumps({"access_token": {"xms_cc": {"values": ["CP1"]}}})


def challenge_of(entra: Entra, token: str) -> dict[str, Any]:
    """The claims that a challenge to a revoked token requests."""
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
