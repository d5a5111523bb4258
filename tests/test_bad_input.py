"""Bad input: a clear refusal in Graph's shape, and a state that is as it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest
from conftest import state_of
from flask.testing import FlaskClient
from refusals import message_of

from mockgraph.app import create_app
from mockgraph.server_options import Settings

SECURITY = "/localtest/Security"
MIB = 1024 * 1024

EMPTY = "Empty Payload. JSON content expected."
MALFORMED = "Unable to read JSON request payload."
NO_CONTENT_TYPE = "must contain the Content-Type header"


class Bad(NamedTuple):
    """A request, and how it is refused: ``says`` is part of the message."""

    name: str
    says: str
    body: bytes | None = None
    status: int = 400
    code: str = "BadRequest"
    method: str = "PATCH"
    path: str = SECURITY
    content_type: str | None = "application/json"
    headers: Mapping[str, str] = {}


def status_item(text: str) -> bytes:
    return b'{"providerStatus":[%s]}' % text.encode()


def wrong_type(name: str, value: str, shown: str, edm: str) -> Bad:
    body = status_item(f'{{"{name}":{value}}}')
    says = f"providerStatus/0/{name}: Cannot convert {shown} to the type 'Edm.{edm}'."
    return Bad(f"{name} is {value}", says, body)


NO_JSON = [
    Bad("empty", EMPTY, b""),
    Bad("no body", EMPTY, None),
    Bad("blank", MALFORMED, b"  \r\n"),
    Bad("cut short", MALFORMED, b'{"providerStatus":['),
    Bad("two values", MALFORMED, b"{}{}"),
    Bad("trailing comma", MALFORMED, b'{"id":"x",}'),
    Bad("single quotes", MALFORMED, b"{'id':'x'}"),
    Bad("a comment", MALFORMED, b"{} // no"),
    Bad("form data", MALFORMED, b"id=x"),
    Bad("xml", MALFORMED, b"<security/>"),
    Bad("not UTF-8", MALFORMED, b'{"id":"\xff"}'),
    Bad("UTF-16", MALFORMED, "{}".encode("utf-16")),
    Bad("a lone surrogate", MALFORMED, b'{"id":"\\ud800"}'),
    Bad("a raw control character", MALFORMED, b'{"id":"a\nb"}'),
    Bad("NaN", MALFORMED, status_item('{"region":NaN}')),
    Bad("Infinity", MALFORMED, status_item('{"region":-Infinity}')),
    Bad("a thousand arrays deep", "nested more than 100 levels", b"[" * 1_000 + b"]" * 1_000),
    Bad("a hundred thousand arrays deep", MALFORMED, b"[" * 100_000 + b"]" * 100_000),
    Bad("a million objects deep", MALFORMED, b'{"a":' * (MIB // 2)),
]

WRONG_TYPES = [
    Bad("an array", "Cannot convert an array to the type 'microsoft.graph.security'", b"[]"),
    Bad("an array of objects", "Cannot convert an array", b'[{"providerStatus":[]}]'),
    Bad("null", "Cannot convert null to the type 'microsoft.graph.security'", b"null"),
    Bad("a text", "Cannot convert 'x' to the type 'microsoft.graph.security'", b'"x"'),
    Bad("a number", "Cannot convert 1 to the type 'microsoft.graph.security'", b"1"),
    Bad("a Boolean", "Cannot convert true to the type", b"true"),
    Bad("id is a number", "id: Cannot convert 5 to the type 'Edm.String'", b'{"id":5}'),
    Bad(
        "null collection", "providerStatus: A collection cannot be null", b'{"providerStatus":null}'
    ),
    *(
        Bad(
            f"collection is {value}",
            f"providerStatus: Cannot convert {shown} to the type "
            "'Collection(microsoft.graph.securityProviderStatus)'.",
            f'{{"providerStatus":{value}}}'.encode(),
        )
        for value, shown in [
            ("{}", "an object"),
            ('"[]"', "'[]'"),
            ("0", "0"),
            ("false", "false"),
        ]
    ),
    # JSON can say it, and no double can hold it.
    Bad("1e400", MALFORMED, b'{"providerStatus":1e400}'),
    Bad(
        "null item", "providerStatus/0: An item of a collection cannot be null", status_item("null")
    ),
    Bad("second item", "providerStatus/1: Cannot convert 'x' to the type", status_item('{},"x"')),
    Bad("an array for an item", "providerStatus/0: Cannot convert an array", status_item("[]")),
    wrong_type("enabled", '"true"', "'true'", "Boolean"),
    wrong_type("enabled", "1", "1", "Boolean"),
    wrong_type("enabled", "[]", "an array", "Boolean"),
    wrong_type("region", "5", "5", "String"),
    wrong_type("region", "true", "true", "String"),
    wrong_type("region", "{}", "an object", "String"),
    wrong_type("vendor", "1.5", "1.5", "String"),
    Bad(
        "a long value is shown short",
        "Cannot convert '" + "x" * 64 + "...' to the type 'Edm.Boolean'.",
        status_item(f'{{"enabled":"{"x" * MIB}"}}'),
    ),
]

UNKNOWN_NAMES = [
    Bad(
        "unknown property",
        "The property 'colour' does not exist on type 'microsoft.graph.security'.",
        b'{"colour":"red"}',
    ),
    Bad(
        "unknown property of an item",
        "The property 'colour' does not exist on type 'microsoft.graph.securityProviderStatus'.",
        status_item('{"colour":"red"}'),
    ),
    Bad("another case", "The property 'providerstatus' does not exist", b'{"providerstatus":[]}'),
    Bad("no name", "The property '' does not exist", b'{"":1}'),
    Bad("an @ alone", "The property '@' does not exist", b'{"@":1}'),
    Bad("one unknown beside known", "'x' does not exist", b'{"providerStatus":[],"x":null}'),
    Bad("entities that are no array", "alerts: an array is expected", b'{"alerts":{}}'),
]

ODATA_TYPE = [
    *(
        Bad(
            f"@odata.type {value}",
            f"@odata.type: {shown} does not name the type 'microsoft.graph.security'",
            f'{{"@odata.type":{value}}}'.encode(),
        )
        for value, shown in [
            ('"#microsoft.graph.alert"', "'#microsoft.graph.alert'"),
            ('"security"', "'security'"),
            ('"##microsoft.graph.security"', "'##microsoft.graph.security'"),
            ('""', "''"),
            ("null", "null"),
            ("5", "5"),
            ('["microsoft.graph.security"]', "an array"),
            ('{"a":1}', "an object"),
        ]
    ),
    Bad(
        "@odata.type of an item",
        "providerStatus/0/@odata.type: 'microsoft.graph.security' does not name the type",
        status_item('{"@odata.type":"microsoft.graph.security"}'),
    ),
]

BODIES = [
    Bad(
        "one byte too many",
        f"larger than the {4 * MIB} bytes",
        b"{}".ljust(4 * MIB + 1),
        413,
        "RequestEntityTooLarge",
    ),
    Bad("no content type", NO_CONTENT_TYPE, b"{}", content_type=None),
    *(
        Bad(
            kind,
            f"The media type '{kind}' is not supported",
            b"{}",
            415,
            "UnsupportedMediaType",
            content_type=kind,
        )
        for kind in (
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "application/jsonx",
        )
    ),
]

METHODS = [
    Bad(
        f"{method} {path}",
        "Specified HTTP method is not allowed for the request target.",
        b"{}",
        405,
        "MethodNotAllowed",
        method,
        path,
    )
    for method, path in [
        ("POST", SECURITY),
        ("PUT", SECURITY),
        ("DELETE", SECURITY),
        ("TRACE", SECURITY),
        ("BREW", SECURITY),
        ("PATCH", f"{SECURITY}/alerts"),
        ("DELETE", f"{SECURITY}/alerts"),
        ("PATCH", f"{SECURITY}/providerStatus"),
        ("DELETE", "/localtest"),
        ("POST", f"{SECURITY}/alerts/$count"),
        ("GET", f"{SECURITY}/alerts/updateAlerts"),
        ("POST", "/"),
        ("DELETE", "/_mockgraph/state"),
        ("GET", "/_mockgraph/reset"),
    ]
]


def nowhere(path: str, segment: str, method: str = "PATCH") -> Bad:
    says = f"Resource not found for the segment '{segment}'."
    return Bad(f"{method} {path}", says, b'{"providerStatus":[]}', method=method, path=path)


PATHS = [
    Bad("wrong root", "Invalid version: v2.0", b"{}", path="/v2.0/security"),
    Bad("no root", "Invalid version: Security", b"{}", path="/Security"),
    nowhere("/localtest/alerts", "alerts"),
    nowhere(f"{SECURITY}/colour", "colour"),
    nowhere(f"{SECURITY}/alerts/x/title/y", "y"),
    nowhere(f"{SECURITY}/providerStatus/0", "0", "GET"),
    nowhere(f"{SECURITY}/providerStatus/$value", "$value", "GET"),
    nowhere(f"{SECURITY}/$value", "$value", "GET"),
    nowhere(f"{SECURITY}//", ""),
    nowhere("/localtest///Security", ""),
    nowhere(f"{SECURITY}//alerts", ""),
    nowhere("/localtest/../localtest/Security", ".."),
    nowhere(f"{SECURITY}/..", ".."),
    nowhere(f"{SECURITY}/../../etc/passwd", ".."),
    nowhere("/localtest/%2e%2e/Security", ".."),
    nowhere(f"{SECURITY}/.", "."),
    nowhere(f"{SECURITY}/alerts/..", ".."),
    nowhere(f"{SECURITY}\\alerts", "Security\\alerts"),
    nowhere(f"{SECURITY}{'x' * 20_000}", f"Security{'x' * 20_000}"),
    Bad(
        "no such key",
        "does not exist",
        None,
        404,
        "ResourceNotFound",
        "GET",
        f"{SECURITY}/alerts/x",
    ),
    Bad("no such control", "", None, 404, "ResourceNotFound", "GET", "/_mockgraph/nothing"),
]

OPTIONS = [
    Bad(option, says, b'{"providerStatus":[]}', path=f"{SECURITY}?{option}")
    for option, says in [
        ("$colour=red", "'$colour' is not known"),
        ("$filter=id%20eq%20'x'", "'$filter' is not allowed here"),
        ("$top=1", "'$top' is not allowed here"),
        ("$select=colour", "The property 'colour' does not exist"),
        ("$select=", "'$select' is not valid"),
        ("$select=id&$select=id", "'$select'"),
        ("$format=xml", "'$format'"),
        ("$select=%ff", "not UTF-8"),
    ]
]


def token(value: str | None, says: str, status: int = 401) -> Bad:
    code = "InvalidAuthenticationToken" if status == 401 else "Authorization_RequestDenied"
    headers = {"Authorization": "" if value is None else value}
    body = b'{"providerStatus":[]}'
    return Bad(f"token {value}", says, body, status, code, headers=headers)


TOKENS = [
    token(None, "Access token is empty."),
    token("Bearer", "Access token is empty."),
    token("Bearer  ", "Access token is empty."),
    token("Basic dTpw", "Access token is empty."),
    token("token", "Access token is empty."),
    token("Bearer invalid", "the access token is not valid"),
    token("bearer expired", "the token is expired"),
    token("Bearer forbidden", "Insufficient privileges", 403),
]

ALL = [
    *NO_JSON,
    *WRONG_TYPES,
    *UNKNOWN_NAMES,
    *ODATA_TYPE,
    *BODIES,
    *METHODS,
    *PATHS,
    *OPTIONS,
    *TOKENS,
]


@pytest.fixture(scope="module")
def client() -> Iterator[FlaskClient]:
    app = create_app(Settings())
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = "Bearer token"
    yield client
    app.extensions["mockgraph"].close()


def refused(client: FlaskClient, bad: Bad) -> tuple[int, str, str]:
    answer = client.open(
        bad.path,
        method=bad.method,
        data=bad.body,
        content_type=bad.content_type,
        headers=dict(bad.headers),
    )
    return answer.status_code, *message_of(answer.status_code, answer.headers, answer.data)


@pytest.mark.parametrize("bad", ALL, ids=lambda bad: bad.name[:60])
def test_bad_input_is_refused_and_changes_nothing(client: FlaskClient, bad: Bad) -> None:
    before = state_of(client), client.get(SECURITY).headers["ETag"]
    status, code, message = refused(client, bad)
    assert (status, code) == (bad.status, bad.code)
    assert bad.says in message
    assert (state_of(client), client.get(SECURITY).headers["ETag"]) == before


DOCUMENTS: list[tuple[Any, str]] = [
    ([], "A state document is an object"),
    ({}, "A state document is an object"),
    ({"security": {}}, "A state document is an object"),
    ({"Security": {}, "more": 1}, "A state document is an object"),
    ({"Security": []}, "Security: an object is expected."),
    ({"Security": {"alerts": {}}}, "Security/alerts: an array is expected."),
    ({"Security": {"alerts": [5]}}, "Security/alerts/0: Cannot convert 5 to the type"),
    ({"Security": {"alerts": [{"title": 5}]}}, "Security/alerts/0/title: Cannot convert 5"),
    (
        {"Security": {"alerts": [{"id": "a"}, {"id": "a"}]}},
        "Security/alerts/1/id: 'a' is given twice.",
    ),
    ({"Security": {"colour": 1}}, "Security/colour: The property 'colour' does not exist"),
    (
        {"Security": {"providerStatus": [{"enabled": 1}]}},
        "Security/providerStatus/0/enabled: Cannot convert 1 to the type 'Edm.Boolean'.",
    ),
]


@pytest.mark.parametrize(("document", "says"), DOCUMENTS)
def test_a_state_that_does_not_fit_is_refused(
    client: FlaskClient, document: Any, says: str
) -> None:
    before = state_of(client)
    answer = client.put("/_mockgraph/state", json=document)
    code, message = message_of(answer.status_code, answer.headers, answer.data)
    assert (answer.status_code, code) == (400, "BadRequest")
    assert message.startswith(says)
    assert state_of(client) == before


def test_a_body_as_large_as_allowed_is_taken(client: FlaskClient) -> None:
    body = b'{"id":"x"}'.ljust(4 * MIB)
    answer = client.patch(SECURITY, data=body, content_type="application/json")
    assert answer.status_code == 200
