"""An exchange: the parts that it keeps, those that it never keeps, how it is shown."""

from __future__ import annotations

import gc
import io
import weakref
from functools import partial
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from mockgraph.clock import Clock
from mockgraph.http import Response
from mockgraph.redaction import is_guarded, redacted
from mockgraph.testing.exchange import Exchange
from mockgraph.testing.exchange_records import recorded
from mockgraph.testing.matching import claims_of
from mockgraph.testing.tenant import Tenants

from .exchanges import ALERT, ALERTS, Past, journal_of, make_request

SECRET = "s3cr3t"


JWT = "e30.eyJhcHBpZCI6ICJhcHAiLCAicm9sZXMiOiBbIlJlYWQiXX0.x"


FORM = "application/x-www-form-urlencoded"


def record(response: Response | None = None, by: str = "emulation", **asked: Any) -> Exchange:
    request = make_request(**asked)
    request.answered_by = by
    return Exchange(recorded(request, response or Response(200), Clock().setting, 0))


def all_of(exchange: Exchange) -> str:
    """All that an exchange keeps, looked at or not."""
    return repr([getattr(exchange, name) for name in Exchange.__slots__])


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "Cookie",
        "Proxy-Authorization",
        "Secret",
        "X-Mockgraph-Token",
        "X-Identity-Header",
    ],
)
@pytest.mark.parametrize("value", [f"Bearer {SECRET}", f"bEARER {SECRET}", SECRET])
def test_nothing_of_a_secret_header_is_kept(name: str, value: str) -> None:
    exchange = record(headers={name: value})
    assert SECRET not in all_of(exchange)
    scheme = "Bearer " if value.lower().startswith("bearer") else ""
    assert exchange.headers[name] == f"{scheme}***"


def test_nothing_secret_of_where_a_browser_came_from_is_kept() -> None:
    exchange = record(headers={"Referer": f"https://app.example/?x=1&code={SECRET}"})
    assert SECRET not in all_of(exchange)
    assert exchange.headers["Referer"] == "https://app.example/?x=1&code=***"


@pytest.mark.parametrize(
    "member",
    ["client_secret", "CLIENT_SECRET", "password", "refresh_token", "client_assertion", "code"],
)
def test_nothing_of_a_form_that_signs_in_is_kept_wherever_it_went(member: str) -> None:
    form = f"grant_type=x&{member}={SECRET}&scope=y".encode()
    headers = {"Content-Type": f"{FORM}; charset=utf-8"}
    exchange = record(method="POST", url="/tenant/oauth2/v2.0/token", body=form, headers=headers)
    assert SECRET not in all_of(exchange)
    assert exchange.body == f"grant_type=x&{member}=***&scope=y".encode()


def test_nothing_of_a_token_in_a_query_is_kept() -> None:
    exchange = record(url=f"/v1.0/security/alerts?$top=1&access_token={SECRET}")
    assert SECRET not in all_of(exchange)
    assert exchange.query == {"$top": "1", "access_token": "***"}


def test_nothing_of_the_tokens_of_a_batch_is_kept() -> None:
    item = {"id": "1", "headers": {"Authorization": f"Bearer {SECRET}"}}
    exchange = record(method="POST", url="/v1.0/$batch", body=orjson.dumps({"requests": [item]}))
    assert SECRET not in all_of(exchange)
    assert exchange.json["requests"][0]["headers"] == {"Authorization": "Bearer ***"}


def test_nothing_of_a_sign_in_is_kept_but_that_it_was() -> None:
    exchange = record(
        Response(200, f'{{"access_token": "{SECRET}"}}'.encode()),
        "sign-in",
        method="POST",
        url=f"/tenant/oauth2/v2.0/token?client-request-id=7&code={SECRET}",
        body=f"password={SECRET}".encode(),
    )
    assert SECRET not in all_of(exchange)
    assert (exchange.body, exchange.response, exchange.status) == (b"", None, 200)
    assert exchange.query == {"client-request-id": "7", "code": "***"}
    assert exchange.answered_by == "sign-in"


def test_a_query_that_is_encoded_as_part_of_the_path_has_no_secret() -> None:
    exchange = record(url=f"{ALERTS}%3Fcode={SECRET}")
    assert exchange.path == f"{ALERTS}?code=***"
    assert SECRET not in all_of(exchange)


_FIELDS = ["Authorization", "Cookie", "Referer", "Origin", "Accept", "X-Api-Key", "X-Own"]
_VALUES = [
    "Bearer a",
    "bearer a.b.c",
    "Basic eA==",
    "a=b; c=d",
    "https://u:p@a.example/?code=1",
    "",
]


@given(
    st.dictionaries(
        st.sampled_from(_FIELDS), st.sampled_from(_VALUES) | st.text("aä=&", max_size=9)
    ),
    st.sampled_from(["", "?$top=1", "?x=1&access_token=2", "?%63ode=3"]),
    st.binary(max_size=20),
    st.binary(max_size=20),
)
def test_a_head_is_kept_without_secrets_and_its_bytes_are_counted(
    headers: dict[str, str], query: str, body: bytes, answer: bytes
) -> None:
    request = make_request("POST", f"{ALERTS}{query}", body, headers)
    exchange = Exchange(recorded(request, Response(200, answer), Clock().setting, 0))
    environ = request.environ
    shown = {
        name: redacted(environ, [name])[0] if is_guarded(name) else str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_") or name in ("CONTENT_TYPE", "CONTENT_LENGTH")
    }
    assert dict(exchange.headers) == {
        name.removeprefix("HTTP_").replace("_", "-").title(): value
        for name, value in shown.items()
        if value
    }
    shown |= {"method": "POST", "scheme": "http"}
    asked = (ALERTS, exchange.query_text, exchange.body, answer, *shown.values())
    common = len(shown.pop("HTTP_AUTHORIZATION", ""))  # exchanges have that of a token together
    common += len(shown.pop("CONTENT_LENGTH", ""))
    own = len(request.client_request_id)
    assert exchange.size == sum(map(len, asked)) - common + own


@given(
    st.sampled_from(["", "Bearer any", "Basic eA==", "Bearer e30.e30.", "a.b.c", f"Bearer {JWT}"])
)
def test_what_is_known_of_a_token_is_what_it_says(header: str) -> None:
    exchange = record(headers={"Authorization": header})
    claims = claims_of(header.partition(" ")[2])
    assert (exchange.claims, exchange.token) == (claims, hash(header))
    assert exchange.caller == hash(claims.app or header)


def test_the_time_is_that_of_the_clock_when_it_was_answered() -> None:
    clock = Clock()
    for way in (clock.reset, clock.freeze, partial(clock.advance, -3600), clock.reset):
        way()
        before = clock.now()
        exchange = Exchange(recorded(make_request(), Response(200), clock.setting, 0))
        after = clock.now()
        clock.advance(86400)
        assert before <= exchange.at <= after


def test_cookies_in_answers_are_not_shown() -> None:
    exchange = record(Response(200, headers=[("Set-Cookie", SECRET), ("X-Own", "1")]))
    assert dict(exchange.response_headers) == {"Set-Cookie": "***", "X-Own": "1"}


class _Stream(io.BytesIO):
    pass


@pytest.mark.usefixtures("whole_collections")
def test_nothing_of_the_server_is_kept_alive() -> None:
    stream, cut = _Stream(b"{}"), _Stream()
    gone = [weakref.ref(each) for each in (stream, cut)]
    environ: dict[str, Any] = {"wsgi.input": stream, "mockgraph.cut": cut, "CONTENT_LENGTH": "2"}
    exchange = record(method="PATCH", **environ)
    assert exchange.json == {}
    environ.clear()
    del stream, cut
    gc.collect()
    assert [each() for each in gone] == [None, None]


class _Connection:
    def cut(self) -> None:
        pass


@pytest.mark.usefixtures("whole_collections")
def test_a_response_that_faults_alter_keeps_no_connection_alive(client: FlaskClient) -> None:
    client.post("/_mockgraph/faults", json={"preset": "cut", "at": "after"})
    connection = _Connection()
    gone = weakref.ref(connection)
    client.get(ALERTS, environ_overrides={"mockgraph.cut": connection.cut}).close()
    tenants: Tenants = client.application.extensions["mockgraph"]
    assert tenants.default.journal.marks[1] == 1
    del connection
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    ("path", "root", "below"),
    [
        ("/v1.0/security/alerts", "v1.0", "/security/alerts"),
        ("/LocalTest/Security", "localtest", "/Security"),
        ("/beta", "beta", "/"),
        ("/v9/security", None, "/v9/security"),
        ("/", None, "/"),
    ],
)
def test_the_root_and_what_is_below_it(path: str, root: str | None, below: str) -> None:
    exchange = record(url=path)
    assert (exchange.root, exchange.below) == (root, below)


def test_apps_are_told_apart_by_id_and_tokens_are_still_two(client: FlaskClient) -> None:
    for _ in range(2):
        issued = client.post("/_mockgraph/tokens", json={}).json
        assert issued is not None
        client.get(ALERTS, headers={"Authorization": f"Bearer {issued['access_token']}"})
    client.get(ALERTS)
    first, second, other = journal_of(client)
    assert first.caller == second.caller != other.caller
    assert len({first.token, second.token, other.token}) == 3


@pytest.mark.parametrize(
    ("method", "url", "operation", "creates"),
    [
        ("POST", ALERTS, "create security/alerts", True),
        ("POST", "/beta/security/alerts/updateAlerts", "act security/alerts/updateAlerts", False),
        (
            "POST",
            "/beta/security/tiIndicators/submitTiIndicators",
            "act security/tiIndicators/submitTiIndicators",
            True,
        ),
        ("PATCH", f"{ALERTS}/1", "update security/alerts/{id}", False),
        ("PUT", ALERTS, None, False),
        ("GET", "/v1.0/me", None, False),
    ],
)
def test_the_operation_is_known_where_a_fault_kept_it_from_being_found(
    method: str, url: str, operation: str | None, creates: bool
) -> None:
    exchange = record(method=method, url=url)
    assert (exchange.operation, exchange.creates) == (operation, creates)


def test_ids_of_the_request() -> None:
    named = record(headers={"client-request-id": "mine"})
    assert named.client_request_id == "mine"
    bare = record()
    assert bare.client_request_id == bare.request_id


def test_what_was_sent_however_it_was_written() -> None:
    exchange = record(
        method="POST",
        url="/v1.0/a%20b?%24top=5&q=Gr%C3%BC%C3%9Fe&q=&%ff=%fe",
        body=b"\xef\xbb\xbf{}",
        headers={"Content-Type": "application/json"},
    )
    assert exchange.path == "/v1.0/a b"
    assert exchange.query == {"$top": "5", "q": ["Grüße", ""], "\ufffd": "\ufffd"}
    assert exchange.json == {}
    assert record(url="/v1.0", QUERY_STRING="q=Gr\xc3\xbcn").query == {"q": "Grün"}


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b'{"error": {"code": "A", "message": "B"}}', "A", "B"),
        (b'{"error": {"code": 5}}', None, None),
        (b'{"error": "invalid_client"}', None, None),
        (b"[]", None, None),
        (b"<html>", None, None),
        (b"", None, None),
    ],
)
def test_the_error_of_an_answer(body: bytes, code: str | None, message: str | None) -> None:
    exchange = record(Response(400, body))
    assert (exchange.error, exchange.error_message) == (code, message)


def test_it_is_shown_in_one_line_of_a_bounded_length() -> None:
    past = Past()
    shown = repr(past.exchange(400, by="stub", in_batch=True, url="/v1.0/me?$top=1"))
    assert shown == "<1: GET /v1.0/me?$top=1 -> 400 by stub in a batch>"
    assert len(repr(past.exchange(url="/v1.0/" + "x" * 9000))) < 300
    cut = past.exchange(503, by="fault", method="POST", body=ALERT)
    assert cut.is_unanswered
    assert repr(cut) == f"<3: POST {ALERTS} -> no answer by fault>"
    assert not past.exchange(503, by="fault", answer={"error": {}}).is_unanswered


@pytest.mark.parametrize("levels", [200, 500, 1000])
def test_a_body_that_is_nested_deep_is_shown_as_it_was(client: FlaskClient, levels: int) -> None:
    deep = b'{"a":' * levels + b"12345678901234567890123" + b"}" * levels
    client.patch("/v1.0/security", data=deep, content_type="application/json")
    answer = client.get("/_mockgraph/requests")
    assert answer.status_code == 200
    assert deep in answer.data


@pytest.mark.parametrize("body", [b"[" * 100_000, b'"\\ud800"', b"\xff", b"NaN", b"null"])
def test_a_body_that_is_no_json_value_is_shown_as_text(client: FlaskClient, body: bytes) -> None:
    client.patch("/v1.0/security", data=body, content_type="application/json")
    (shown,) = orjson.loads(client.get("/_mockgraph/requests").data)["value"]
    assert shown["json"] is None
    assert shown["body"] == body.decode(errors="replace")


def test_an_exchange_tells_what_was_asked_and_answered(client: FlaskClient) -> None:
    client.patch(
        "/t/a/localtest/Security?$select=providerStatus&x-a=1&x-a=2&x-a=3",
        json={"providerStatus": []},
        headers={"x-own": "Ünlaut", "Proxy-Authorization": "secret", "client-request-id": "mine"},
    )
    (exchange,) = journal_of(client, "a")
    assert (exchange.method, exchange.path) == ("PATCH", "/localtest/Security")
    assert exchange.query == {"$select": "providerStatus", "x-a": ["1", "2", "3"]}
    assert exchange.json == {"providerStatus": []}
    assert exchange.text == '{"providerStatus": []}'
    assert exchange.headers["X-OWN"] == "Ünlaut"
    assert exchange.headers["content-type"] == "application/json"
    assert exchange.headers["Authorization"] == "Bearer ***"
    assert exchange.headers["Proxy-Authorization"] == "***"
    assert exchange.status == 400
    assert exchange.error == "BadRequest"
    assert exchange.response["error"]["innerError"]["client-request-id"] == "mine"
    assert exchange.response_headers["request-id"] == exchange.request_id
    assert exchange.operation == "update Security"
    assert exchange.answered_by == "emulation"
    assert exchange.number == 1
    assert 0 <= exchange.seconds < 60
    assert "secret" not in str(exchange.as_json())


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("GET", "/localtest/Security", "read Security"),
        ("GET", ALERTS, "list security/alerts"),
        ("GET", f"{ALERTS}/1", "read security/alerts/{id}"),
        ("GET", f"{ALERTS}/1/title", "read property security/alerts/{id}/title"),
        ("POST", "/beta/security/alerts/updateAlerts", "act security/alerts/updateAlerts"),
        ("GET", "/v1.0/security/incidents/1/alerts", "list security/incidents/{id}/alerts"),
        ("GET", "/v2.0/nothing", None),
    ],
)
def test_the_operation_is_named(
    client: FlaskClient, method: str, path: str, operation: str | None
) -> None:
    client.open(path, method=method)
    (exchange,) = journal_of(client)
    assert exchange.operation == operation


def test_who_answered_is_told(client: FlaskClient) -> None:
    client.post("/_mockgraph/stubs", json={"path": "/me", "json": {}})
    client.post("/_mockgraph/faults", json={"path": "/alerts", "status": 503})
    for path in ("/v1.0/me", ALERTS, ALERTS):
        client.get(path)
    assert [each.answered_by for each in journal_of(client)] == ["stub", "fault", "emulation"]


def test_a_body_that_nothing_read_is_kept(client: FlaskClient) -> None:
    client.post("/_mockgraph/faults", json={"status": 503, "times": 2})
    client.post(ALERTS, json=ALERT)
    client.post("/v9/nothing", data=b"\xff\x00")
    assert journal_of(client)[0].json == ALERT
    assert journal_of(client)[1].body == b"\xff\x00"
    assert journal_of(client)[1].json is None


def test_a_body_that_is_too_large_is_left_out(client: FlaskClient) -> None:
    assert client.post(ALERTS, data=b"x" * (4 * 1024 * 1024 + 1)).status_code == 413
    (exchange,) = journal_of(client)
    assert (exchange.status, exchange.body) == (413, b"")


def test_what_faults_did_to_an_answer_is_told(client: FlaskClient) -> None:
    client.post("/_mockgraph/faults", json={"preset": "malformed", "kind": "html"})
    client.post("/_mockgraph/faults", json={"preset": "latency", "ms": 1, "times": 2})
    client.get("/localtest/Security")
    client.post("/_mockgraph/faults", json={"preset": "throttle", "retry_after": 30})
    client.get("/localtest/Security")
    client.get("/localtest/Security")
    altered, throttled, spared = journal_of(client)
    assert repr(altered) == ("<1: GET /localtest/Security -> 200 with an HTML page and 1 ms late>")
    assert repr(throttled) == "<2: GET /localtest/Security -> 429 by fault>"
    assert [each.as_json()["faults"] for each in (altered, throttled, spared)] == [
        ["an HTML page", "1 ms late"],
        ["1 ms late", "429 TooManyRequests, Retry-After 30"],
        [],
    ]
