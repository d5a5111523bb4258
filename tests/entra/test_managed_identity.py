"""Tokens for programs on a machine, without a secret."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import TestResponse

from . import CONTOSO, GRAPH, READER, Caller, Make, claims_of

APP_SERVICE = {"api-version": "2019-08-01", "resource": GRAPH}
IMDS = {"api-version": "2018-02-01", "resource": GRAPH}


def app_service(caller: Caller, header: str | None = "h", **query: str) -> TestResponse:
    headers = {} if header is None else {"X-IDENTITY-HEADER": header}
    sent = {name: each for name, each in {**APP_SERVICE, **query}.items() if each}
    return caller.get("/msi/token", query_string=sent, headers=headers)


def imds(caller: Caller, header: str | None = "true", end: str = "", **query: str) -> TestResponse:
    headers = {} if header is None else {"Metadata": header}
    sent = {name: each for name, each in {**IMDS, **query}.items() if each}
    return caller.get(f"/metadata/identity/oauth2/token{end}", query_string=sent, headers=headers)


def body_of(answer: TestResponse) -> dict[str, Any]:
    body: dict[str, Any] | None = answer.json
    assert body is not None
    return body


def test_app_service(strict: Caller) -> None:
    strict.entra.clock.freeze()
    now = int(strict.entra.clock.now().timestamp())
    body = body_of(app_service(strict))
    assert body.keys() == {"access_token", "client_id", "expires_on", "resource", "token_type"}
    assert body["expires_on"] == str(now + 3599)
    assert (body["client_id"], body["resource"]) == (READER, GRAPH)
    claims = claims_of(body["access_token"])
    assert (claims["aud"], claims["tid"], claims["appid"]) == (GRAPH, CONTOSO, READER)
    assert claims["iss"] == f"https://sts.windows.net/{CONTOSO}/"
    assert claims["roles"] == ["SecurityEvents.Read.All"]
    assert strict.entra.verify(body["access_token"], "localhost:8365")


@pytest.mark.parametrize("end", ["", "/"])
def test_imds(strict: Caller, end: str) -> None:
    strict.entra.clock.freeze()
    now = int(strict.entra.clock.now().timestamp())
    body = body_of(imds(strict, end=end))
    assert body["expires_on"] == str(now + 3599)
    assert body["not_before"] == str(now)
    assert body["expires_in"] == body["ext_expires_in"] == "3599"
    assert strict.entra.verify(body["access_token"], "localhost:8365")


@pytest.mark.parametrize("ask", [app_service, imds])
def test_which_identity(strict: Caller, caller: Caller, make: Make, ask: Any) -> None:
    assert body_of(ask(strict, client_id=READER.upper()))["client_id"] == READER
    assert ask(strict, client_id="api-app").status_code == 400  # is no managed identity
    assert ask(strict, client_id="nobody").status_code == 400
    assert body_of(ask(caller, client_id="mine"))["client_id"] == "mine"
    assert body_of(ask(caller))["client_id"]
    assert ask(make(apps=[])).status_code == 400


@pytest.mark.parametrize("ask", [app_service, imds])
def test_resources(strict: Caller, ask: Any) -> None:
    body = body_of(ask(strict, resource="http://127.0.0.1:8365"))
    assert claims_of(body["access_token"])["roles"] == ["SecurityEvents.Read.All"]
    body = body_of(ask(strict, resource="https://vault.azure.net"))
    assert "roles" not in claims_of(body["access_token"])
    body = body_of(ask(strict, resource=f"{GRAPH}/.default"))
    assert claims_of(body["access_token"])["aud"] == GRAPH
    answer = ask(strict, resource="https://nothing.example")
    assert answer.status_code == 400
    assert "AADSTS500011" in answer.text


@pytest.mark.parametrize(
    ("header", "query", "status"),
    [
        (None, {}, 401),
        ("", {}, 401),
        ("wrong", {}, 401),
        ("h", {"api-version": ""}, 400),
        ("h", {"api-version": "2017-09-01"}, 400),
        ("h", {"resource": ""}, 400),
    ],
)
def test_app_service_refuses(
    caller: Caller, header: str | None, query: dict[str, str], status: int
) -> None:
    answer = app_service(caller, header, **query)
    assert answer.status_code == status
    body = body_of(answer)
    assert body["statusCode"] == status
    assert body["message"]


@pytest.mark.parametrize(
    ("header", "query", "text"),
    [
        (None, {}, "Required metadata header not specified"),
        ("false", {}, "Required metadata header not specified"),
        ("true", {"resource": ""}, "Required query variable 'resource' is missing"),
        ("True", {"api-version": ""}, "Required query variable 'api-version' is missing"),
    ],
)
def test_imds_refuses(caller: Caller, header: str | None, query: dict[str, str], text: str) -> None:
    answer = imds(caller, header, **query)
    assert answer.status_code == 400
    assert answer.json == {"error": "invalid_request", "error_description": text}


def test_methods_and_broken_queries(caller: Caller) -> None:
    headers = {"X-IDENTITY-HEADER": "h", "Metadata": "true"}
    answer = caller.post("/msi/token", headers=headers, query_string=APP_SERVICE)
    assert answer.status_code == 405
    answer = caller.post("/metadata/identity/oauth2/token", headers=headers)
    assert answer.status_code == 405
    for path in ("/msi/token", "/metadata/identity/oauth2/token"):
        for query in ("resource=%ff", "resource=a&resource=b"):
            answer = caller.get(f"{path}?{query}", headers=headers)
            assert answer.status_code == 400
            assert "AADSTS9002313" in answer.text
