"""Messages: forms that are missing, broken or huge, and the ``claims`` parameter."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import urlencode

import pytest
from werkzeug.test import EnvironBuilder, TestResponse
from werkzeug.wrappers import Request

from mockgraph.entra.endpoints import dispatch
from mockgraph.entra.oauth_messages import MAX_FORM

from . import (
    GOOD,
    TOKEN_URL,
    Caller,
    claims_of,
    granted,
    refused,
)

FORM = "application/x-www-form-urlencoded"


def send(caller: Caller, data: bytes | str, content_type: str = FORM, **more: Any) -> TestResponse:
    return caller.post(TOKEN_URL, data, content_type=content_type, **more)


@pytest.mark.parametrize("missing", ["client_id", "grant_type", "scope"])
@pytest.mark.parametrize("how", ["left out", "empty"])
def test_missing_parameters(caller: Caller, missing: str, how: str) -> None:
    form = {name: value for name, value in GOOD.items() if name != missing}
    if how == "empty":
        form[missing] = ""
    text = refused(caller.post(TOKEN_URL, form), 900144, "invalid_request")
    assert f"must contain the following parameter: '{missing}'." in text


def test_a_body_without_a_type_is_a_form(caller: Caller) -> None:
    assert granted(send(caller, urlencode(GOOD), ""))["access_token"]


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (b"", FORM),
        (b"", ""),
        (urlencode(GOOD), "application/json"),
        ('{"grant_type": "client_credentials"}', "application/json"),
        (urlencode(GOOD), "text/plain"),
        (b"&&&===", FORM),
        (b"&&&===", ""),
    ],
)
def test_what_is_no_form_has_nothing_in_it(
    caller: Caller, data: bytes | str, content_type: str
) -> None:
    text = refused(send(caller, data, content_type), 900144, "invalid_request")
    assert "'grant_type'" in text


@pytest.mark.parametrize(
    "data",
    [
        b"grant_type=\xff\xfe",
        b"grant_type=%ff",
        b"grant_type=a&grant_type=b",
        b"client_secret=a&" + urlencode(GOOD).encode(),
        b"&".join(b"n%d=v" % number for number in range(201)),
    ],
)
def test_broken_forms(caller: Caller, data: bytes) -> None:
    refused(send(caller, data), 9002313, "invalid_request")


def test_a_form_with_its_charset(caller: Caller) -> None:
    granted(send(caller, urlencode(GOOD), f"{FORM}; charset=utf-8"))


def test_huge_forms(caller: Caller) -> None:
    fits = urlencode(GOOD) + "&x="
    granted(send(caller, fits + "y" * (MAX_FORM - len(fits))))
    for size in (MAX_FORM + 1, 10_000_000):
        refused(send(caller, fits + "y" * (size - len(fits))), 9002313, "invalid_request", 413)


@pytest.mark.parametrize(("extra", "status"), [(0, 200), (1, 413)])
def test_huge_forms_without_a_length(caller: Caller, extra: int, status: int) -> None:
    data = (urlencode(GOOD) + "&x=").encode()
    stream = io.BytesIO(data + b"y" * (MAX_FORM - len(data) + extra))
    environ = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    answer = caller.http.post(
        TOKEN_URL, input_stream=stream, content_type=FORM, environ_overrides=environ
    )
    assert answer.status_code == status


def test_a_form_can_be_read_again(caller: Caller) -> None:
    data = urlencode(GOOD).encode()
    request = Request(
        EnvironBuilder(TOKEN_URL, method="POST", data=data, content_type=FORM).get_environ()
    )
    answer = dispatch(caller.entra, request)
    assert answer is not None
    assert answer.status_code == 200
    assert request.get_data(cache=False) == data


def test_forms_that_break_off(caller: Caller) -> None:
    stream = io.BytesIO(b"grant_type=cl")
    answer = caller.http.post(
        TOKEN_URL,
        input_stream=stream,
        content_type=FORM,
        environ_overrides={"CONTENT_LENGTH": "100"},
    )
    refused(answer, 9002313, "invalid_request")


def test_secrets_are_never_taken_from_the_address(caller: Caller) -> None:
    answer = caller.post(f"{TOKEN_URL}?{urlencode(GOOD)}")
    refused(answer, 900144, "invalid_request")


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
