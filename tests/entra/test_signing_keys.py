"""The signing key: made once and late, and the tokens that it did and did not sign."""

from __future__ import annotations

import base64
import hashlib
import threading

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import RSAAlgorithm

from mockgraph.entra.entra import Entra
from mockgraph.entra.signing_keys import SigningKey
from mockgraph.errors import Unauthenticated

from . import (
    DEFAULT,
    HOST,
    Caller,
    claims_of,
    granted,
    opened,
    reason,
)


def test_the_keys_are_those_that_sign(caller: Caller) -> None:
    token = granted(caller.app_token())["access_token"]
    answers = [caller.get(f"/common/discovery{between}/keys").json for between in ("", "/v2.0")]
    assert answers[0] == answers[1]
    assert answers[0] is not None
    (key,) = answers[0]["keys"]
    assert (key["kty"], key["use"], key["e"]) == ("RSA", "sig", "AQAB")
    certificate = x509.load_der_x509_certificate(base64.b64decode(key["x5c"][0]))
    der = certificate.public_bytes(serialization.Encoding.DER)
    thumbprint = base64.urlsafe_b64encode(hashlib.sha1(der).digest()).decode().rstrip("=")
    assert key["kid"] == key["x5t"] == thumbprint
    public = RSAAlgorithm.from_jwk(key)
    own = certificate.public_key()
    assert isinstance(public, RSAPublicKey)
    assert isinstance(own, RSAPublicKey)
    assert public.public_numbers() == own.public_numbers()
    assert claims_of("." + token.split(".")[0])["kid"] == thumbprint
    assert claims_of("." + token.split(".")[0])["x5t"] == thumbprint


def test_a_key_is_made_when_it_is_needed_and_once() -> None:
    keys = SigningKey()
    entra = opened(keys)
    caller = Caller(entra)
    caller.get("/common/v2.0/.well-known/openid-configuration")
    caller.app_token(secret="wrong")
    assert keys._made is None
    key = caller.get("/common/discovery/v2.0/keys").json
    assert Caller(entra.fork(entra.clock)).get("/common/discovery/keys").json == key


def test_another_server_did_not_sign_it(entra: Entra) -> None:
    assert reason(opened(SigningKey()), entra.mint()) == WRONG_SIGNATURE


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


WRONG_SIGNATURE = "Access token validation failure. Invalid signature."
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
