"""Tokens made to order, and which of them are good where and when."""

from __future__ import annotations

import base64
import threading
from datetime import UTC, datetime

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockgraph.entra.access_tokens import FLAWS
from mockgraph.entra.entra import Entra
from mockgraph.entra.signing_keys import SigningKey
from mockgraph.errors import BadRequest, NotFound, Unauthenticated

from . import (
    CONTOSO,
    DEFAULT,
    FABRIKAM,
    GRAPH,
    GRAPH_ID,
    HOST,
    PERMISSIONS,
    PERSONAL,
    READER,
    Caller,
    Make,
    claims_of,
    granted,
    opened,
    reason,
    seeded,
)


@pytest.fixture
def entra(keys: SigningKey) -> Entra:
    return opened(keys)


@pytest.fixture
def known(keys: SigningKey) -> Entra:
    return seeded(keys)


def test_minted_tokens(known: Entra) -> None:
    claims = known.verify(known.mint(), HOST)
    assert (claims["appid"], claims["tid"], claims["ver"]) == (READER, CONTOSO, "1.0")
    assert claims["roles"] == ["SecurityEvents.Read.All"]
    assert claims["iss"] == f"https://sts.windows.net/{CONTOSO}/"
    claims = known.verify(known.mint(user="ada@contoso.com", app="api-app", version=2), HOST)
    assert claims["scp"] == "SecurityAlert.Read.All SecurityEvents.Read.All"
    assert claims["iss"] == f"https://login.microsoftonline.com/{CONTOSO}/v2.0"
    claims = known.verify(known.mint(permissions=["Any.Thing"], tenant="fabrikam.com"), HOST)
    assert (claims["roles"], claims["tid"]) == (["Any.Thing"], FABRIKAM)
    claims = known.verify(known.mint(user="bob@fabrikam.com", permissions=["A.B"]), HOST)
    assert (claims["scp"], claims["tid"]) == ("A.B", FABRIKAM)
    assert known.verify(known.mint(user="eve@outlook.com"), HOST)["tid"] == PERSONAL
    assert known.verify(known.mint(tenant="consumers"), HOST)["tid"] == PERSONAL
    assert known.verify(known.mint(authority="http://x.test/t/one/common"), HOST)["iss"].startswith(
        "http://x"
    )
    assert known.verify(known.mint(capabilities=["cp1"]), HOST)["xms_cc"] == ["cp1"]


def test_minted_in_an_open_directory(entra: Entra) -> None:
    claims = entra.verify(entra.mint(app="mine", user="who@ever.example"), HOST)
    assert (claims["appid"], claims["upn"]) == ("mine", "who@ever.example")
    assert entra.verify(entra.mint(), HOST)["roles"] == sorted(PERMISSIONS)


def test_what_cannot_be_minted(known: Entra, make: Make) -> None:
    with pytest.raises(NotFound):
        known.mint(app="nobody")
    with pytest.raises(NotFound):
        known.mint(user="nobody@x.example")
    with pytest.raises(NotFound):
        known.mint(tenant="x.example")
    with pytest.raises(NotFound):
        make(apps=[]).entra.mint(app="")
    with pytest.raises(BadRequest, match="one of the flaws expired, future"):
        known.mint(flaw="ugly")
    with pytest.raises(BadRequest):
        known.mint(version=3)
    for lifetime in (1e300, -1e300, float("inf"), float("nan")):
        with pytest.raises(BadRequest):
            known.mint(lifetime=lifetime)


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


@pytest.mark.parametrize(
    ("audience", "host", "good"),
    [
        (GRAPH, HOST, True),
        (f"{GRAPH}/", HOST, True),
        (GRAPH_ID, HOST, True),
        (GRAPH, "graph.microsoft.com", True),
        (GRAPH, "anything:1", True),
        ("http://localhost:8365", HOST, True),
        ("https://localhost:8365", HOST, True),
        ("http://localhost", HOST, True),
        ("http://127.0.0.1", HOST, True),
        ("http://127.0.0.1:8365", HOST, True),
        ("http://[::1]:8365", HOST, True),
        ("http://localhost:8365", "[::1]:8365", True),
        ("http://localhost:8365/localtest", HOST, True),
        ("http://graph:8365", "graph:8365", True),
        ("http://graph", "graph:8365", True),
        ("http://GRAPH", "graph:8365", True),
        ("http://localhost:8366", HOST, False),
        ("http://localhost:8365", "graph:8365", False),
        ("http://graph:8365", HOST, False),
        ("https://graph.microsoft.com.evil.example", HOST, False),
        ("https://graph.microsoft.de", HOST, False),
        ("api://localhost:8365", HOST, False),
        ("localhost:8365", HOST, False),
        ("", HOST, False),
        ("http://[", HOST, False),
        ("http://localhost:x", HOST, False),
    ],
)
def test_audiences(entra: Entra, audience: str, host: str, good: bool) -> None:
    token = entra.mint(audience=audience)
    if good:
        entra.verify(token, host)
    else:
        assert reason(entra, token, host) == EXPECTED["audience"]


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


def test_another_server_did_not_sign_it(entra: Entra) -> None:
    assert reason(opened(SigningKey()), entra.mint()) == EXPECTED["key"]


def test_very_many_names_of_one_server(entra: Entra) -> None:
    first = entra.mint(authority="https://first.test/")
    for number in range(1000):
        entra.tokens.issuers.add(f"https://{number}.test/")
    assert reason(entra, first) == EXPECTED["issuer"]
    entra.verify(entra.mint(authority="https://last.test/"), HOST)


def test_very_many_tokens() -> None:
    entra = opened(SigningKey())
    tokens = [entra.mint() for _ in range(3)]
    for token in tokens:
        entra.verify(token, HOST)
    entra.key._read.update({str(number): {} for number in range(997)})
    extra = entra.mint()
    entra.verify(extra, HOST)
    assert len(entra.key._read) == 1000
    assert tokens[0] not in entra.key._read
    entra.verify(tokens[0], HOST)


def test_reset_keeps_the_tokens_that_clients_have(entra: Entra) -> None:
    token = entra.mint()
    entra.reset()
    entra.verify(token, HOST)


HEADER = base64.urlsafe_b64encode(b'{"alg":"RS256"}').decode().rstrip("=")


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        "...",
        "größe.größe.größe",
        f"{HEADER}.e30.",
        f"{HEADER}.e30.!!!",
        base64.urlsafe_b64encode(b'{"alg":"RS256","x":' + b"[" * 15_000).decode() + ".e30.c2ln",
        "x" * 100_000,
        "\x00.\x00.\x00",
        "a" * 30_000 + ".b.c",
    ],
)
def test_what_is_no_token(entra: Entra, token: str) -> None:
    message = reason(entra, token)
    assert message.startswith(("CompactToken parsing failed", "Access token validation failure"))


@given(st.text(max_size=200))
def test_no_text_is_a_token(text: str) -> None:
    with pytest.raises(Unauthenticated):
        _ENTRA.verify(text, HOST)


@given(st.integers(0, 10_000), st.characters(codec="ascii"))
def test_a_token_with_one_letter_changed(position: int, letter: str) -> None:
    token = _ENTRA.mint()
    position %= len(token)
    changed = token[:position] + letter + token[position + 1 :]
    try:
        _ENTRA.verify(changed, HOST)
    except Unauthenticated:
        return
    # The last letter of base64 carries bits that do not count.
    assert jwt.utils.base64url_decode(changed.split(".")[2]) == jwt.utils.base64url_decode(
        token.split(".")[2]
    )
    assert changed.split(".")[:2] == token.split(".")[:2]


_ENTRA = opened()


def test_threads_share_one_key_and_its_tokens() -> None:
    entra = opened(SigningKey())
    barrier = threading.Barrier(8)
    good = []

    def sign_in() -> None:
        barrier.wait()
        token = granted(Caller(entra).app_token(DEFAULT))["access_token"]
        good.append(entra.verify(token, HOST)["uti"])

    threads = [threading.Thread(target=sign_in) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(set(good)) == 8
