"""Broken, huge and hostile requests: Entra's errors, quickly, and no secret in a log."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder, TestResponse
from werkzeug.wrappers import Request

from mockgraph.entra.endpoints import dispatch
from mockgraph.entra.oauth_messages import MAX_FORM

from . import DEFAULT, Caller, granted, opened, refused

URL = "/contoso.com/oauth2/v2.0/token"
FORM = "application/x-www-form-urlencoded"
GOOD = {
    "client_id": "x",
    "client_secret": "y",
    "grant_type": "client_credentials",
    "scope": DEFAULT,
}


def send(caller: Caller, data: bytes | str, content_type: str = FORM, **more: Any) -> TestResponse:
    return caller.post(URL, data, content_type=content_type, **more)


@pytest.mark.parametrize("missing", ["client_id", "grant_type", "scope"])
@pytest.mark.parametrize("how", ["left out", "empty"])
def test_missing_parameters(caller: Caller, missing: str, how: str) -> None:
    form = {name: value for name, value in GOOD.items() if name != missing}
    if how == "empty":
        form[missing] = ""
    text = refused(caller.post(URL, form), 900144, "invalid_request")
    assert f"must contain the following parameter: '{missing}'." in text


@pytest.mark.parametrize(
    ("form", "missing"),
    [
        ({"grant_type": "password", "scope": "User.Read"}, "username"),
        ({"grant_type": "password", "scope": "User.Read", "username": "a@b.example"}, "password"),
        ({"grant_type": "refresh_token"}, "refresh_token"),
        ({"grant_type": "authorization_code"}, "code"),
        ({"grant_type": "device_code"}, "code"),
    ],
)
def test_missing_parameters_of_each_grant(
    caller: Caller, form: dict[str, str], missing: str
) -> None:
    text = refused(caller.post(URL, {"client_id": "x", **form}), 900144, "invalid_request")
    assert f"'{missing}'" in text


@pytest.mark.parametrize("grant", ["implicit", "Client_Credentials", "x" * 10_000, "\x00", "é"])
def test_unknown_grants(caller: Caller, grant: str) -> None:
    text = refused(caller.token(grant), 70003, "unsupported_grant_type")
    assert len(text) < 600
    assert "MockGraph" not in text


def test_a_grant_that_entra_has_is_said_to_be_lacking(caller: Caller) -> None:
    for name in ("jwt-bearer", "saml2-bearer"):
        grant = f"urn:ietf:params:oauth:grant-type:{name}"
        text = refused(caller.token(grant, assertion="x"), 70003, "unsupported_grant_type")
        assert f"'{grant}'. MockGraph does not emulate it." in text


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (b"", FORM),
        (b"", ""),
        (urlencode(GOOD), "application/json"),
        ('{"grant_type": "client_credentials"}', "application/json"),
        (urlencode(GOOD), "text/plain"),
        (b"&&&===", FORM),
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
        URL, input_stream=stream, content_type=FORM, environ_overrides=environ
    )
    assert answer.status_code == status


def test_a_form_can_be_read_again(caller: Caller) -> None:
    data = urlencode(GOOD).encode()
    request = Request(
        EnvironBuilder(URL, method="POST", data=data, content_type=FORM).get_environ()
    )
    answer = dispatch(caller.entra, request)
    assert answer is not None
    assert answer.status_code == 200
    assert request.get_data(cache=False) == data


def test_forms_that_break_off(caller: Caller) -> None:
    stream = io.BytesIO(b"grant_type=cl")
    answer = caller.http.post(
        URL, input_stream=stream, content_type=FORM, environ_overrides={"CONTENT_LENGTH": "100"}
    )
    refused(answer, 9002313, "invalid_request")


def test_secrets_are_never_taken_from_the_address(caller: Caller) -> None:
    answer = caller.post(f"{URL}?{urlencode(GOOD)}")
    refused(answer, 900144, "invalid_request")


@pytest.mark.parametrize(
    "header",
    ["Basic", "Basic !", "Basic eA==", "Basic Og==", "Basic /////w==", "Bearer x", "Digest a=b"],
)
def test_broken_basic_credentials(caller: Caller, header: str) -> None:
    form = {"grant_type": "client_credentials", "scope": DEFAULT}
    answer = caller.post(URL, form, headers={"Authorization": header})
    assert answer.status_code in (400, 401)
    assert answer.json is not None
    assert answer.json["error_codes"][0] in (900144, 7000216)


NAMES = [
    "assertion",
    "claims",
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "code",
    "code_verifier",
    "device_code",
    "grant_type",
    "nonce",
    "password",
    "redirect_uri",
    "refresh_token",
    "resource",
    "scope",
    "username",
]
GRANTS = [
    "authorization_code",
    "client_credentials",
    "password",
    "refresh_token",
    "urn:ietf:params:oauth:grant-type:device_code",
]
VALUES = st.one_of(
    st.text(max_size=40),
    st.sampled_from([DEFAULT, "openid", "a@b.example", "{}", "http://[", "https://x/.default"]),
)
_CALLER = Caller(opened())


@given(st.dictionaries(st.sampled_from(NAMES), VALUES), st.sampled_from(GRANTS), st.booleans())
def test_any_form_gets_an_answer(form: dict[str, str], grant: str, old: bool) -> None:
    path = "/contoso.com/oauth2/token" if old else URL
    answer = _CALLER.post(path, {**form, "grant_type": grant})
    assert answer.status_code in (200, 400, 401)
    assert answer.json is not None
    assert ("access_token" in answer.json) == (answer.status_code == 200)


@given(st.dictionaries(st.sampled_from([*NAMES, "login_hint", "prompt", "state"]), VALUES))
def test_any_authorization_request_gets_an_answer(query: dict[str, str]) -> None:
    query = {"client_id": "x", "redirect_uri": "https://app.example/cb", **query}
    answer = _CALLER.get("/common/oauth2/v2.0/authorize", query_string=query)
    assert answer.status_code in (200, 302, 400)


@given(
    st.text(
        alphabet=st.characters(codec="utf-8", exclude_characters="/?#\\"), min_size=1, max_size=50
    )
)
def test_any_tenant_gets_an_answer(tenant: str) -> None:
    answer = _CALLER.get(f"/{tenant}/v2.0/.well-known/openid-configuration")
    assert answer.status_code in (200, 400, 404)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("oauth2/v2.0/token", "POST, OPTIONS"),
        ("discovery/v2.0/keys", "GET, OPTIONS"),
        ("oauth2/v2.0/authorize", "GET, POST, OPTIONS"),
    ],
)
def test_options_tell_the_methods(caller: Caller, path: str, allowed: str) -> None:
    answer = caller.http.options(f"/contoso.com/{path}")
    assert (answer.status_code, answer.headers["Allow"], answer.data) == (200, allowed, b"")


def test_no_secret_is_logged(strict: Caller, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    said = []
    for each in (
        strict.app_token(client_id="reader-app", secret="hunter-2"),
        strict.user_token("User.Read", password="hunter-2", client_id="public-app"),
        strict.token("refresh_token", client_id="public-app", refresh_token="hunter-2"),
        strict.token(
            "authorization_code", client_id="public-app", code="hunter-2", redirect_uri="x"
        ),
        strict.token("client_credentials", client_id="api-app", client_assertion="hunter-2"),
    ):
        assert each.status_code in (400, 401)
        said.append(each.text)
    assert "hunter-2" not in caplog.text + "".join(said)
    assert "hunter-2" not in repr(strict.entra.directory)


def test_nothing_heavy_is_imported_before_someone_signs_in() -> None:
    program = (
        "import sys; from mockgraph.clock import Clock; "
        "from mockgraph.entra.entra import Entra; from mockgraph.entra.directory import Catalogue; "
        "from mockgraph.entra.directory import read_directory; "
        "entra = Entra(read_directory({'apps': [{'appId': 'x'}]}, Catalogue([])), Clock(), []); "
        "heavy = {'jwt', 'cryptography', 'jinja2', 'flask'} & sys.modules.keys(); "
        "print(sorted(heavy))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
