"""Random requests: no 5xx that was not meant, no HTML, no failure that changes something."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, quote_from_bytes, unquote_to_bytes

from conftest import state_of
from edm_strategies import values_of
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from profiles import examples

from mockgraph.metadata.elements import TypeRef
from mockgraph.service import SERVICE

from . import ROOTS, SETS, at, refused, resource_of

Json = Any

READING = ("GET", "HEAD", "OPTIONS")
METHODS = (*READING, "POST", "PATCH", "DELETE", "PUT", "TRACE", "FOO")
SEED = {
    "Security": {
        "providerStatus": [{"provider": "p"}],
        **{name: [{"id": "a"}, {"id": "O'H"}] for name in SETS},
    }
}
TYPES = [resource_of("beta", name).type for name in SETS]
ACTIONS = sorted(
    {
        operation.rpartition(".")[2]
        for each in TYPES
        for many in (True, False)
        for operation in SERVICE.views["beta"].model.bound_operations(TypeRef(each.type_name, many))
    }
)
PROPERTIES = sorted({name for each in TYPES for name in each.properties()})

# -- what may be sent ---------------------------------------------------------------------

junk = st.text(max_size=12).map(lambda text: quote(text, safe="")) | st.binary(max_size=6).map(
    lambda octets: quote_from_bytes(octets, safe="")
)
segments = st.one_of(
    st.sampled_from([*SETS, "a", "a", "gone", "O'H", *ACTIONS]),
    st.sampled_from(
        ["$count", "$ref", "$value", "$links", "", ".", "providerStatus", "id", "cases"]
    ),
    st.sampled_from(PROPERTIES),
    st.sampled_from(SETS).map(lambda name: f"{name}('a')"),
    junk,
)
paths = st.builds(
    lambda root, rest: "/".join(["", root, "security", *rest]),
    st.sampled_from([*ROOTS, "LOCALTEST"]),
    st.lists(segments, max_size=4),
)

expressions = st.one_of(
    st.sampled_from(
        [
            "id eq 'a'",
            "tags/any(t:t eq 'x')",
            "createdDateTime gt 2020-01-01T00:00:00Z",
            "severity eq 'high'",
            "not contains(title,'x')",
            "extra/deep gt 5",
            "length(id) add 1 eq 2",
            "1 div 0 eq 1",
            "now() gt createdDateTime",
            "id in ('a','b')",
        ]
    ),
    st.lists(
        st.sampled_from(
            [*"()',/ :$-1a", "eq", "and", "not", "null", "any", "id", "tags", "concat("]
        ),
        max_size=12,
    ).map(" ".join),
)
values = st.one_of(
    expressions,
    st.sampled_from(["0", "1", "5", "true", "false", "id", "tags,id", "alerts($top=1)", "json"]),
    st.sampled_from(["id desc", "*", "n1-1", "w1-1", "title,severity desc", '"x" OR y']),
    st.text(max_size=12),
)
names = st.sampled_from(
    [
        *("filter", "orderby", "select", "expand", "top", "skip", "count", "search", "format"),
        *("skiptoken", "apply", "", "levels"),
    ]
).flatmap(lambda name: st.sampled_from([f"${name}", f"%24{name}", name, f"${name.upper()}"]))
queries = st.lists(
    st.builds(lambda name, value: f"{name}={quote(value)}", names, values) | junk, max_size=3
).map("&".join)

bodies = st.one_of(
    st.just(b""),
    st.binary(max_size=20),
    st.sampled_from(TYPES).flatmap(
        lambda each: values_of(each, partial=True).map(lambda body: json.dumps(body).encode())
    ),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.just("a"),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["id", "value", "title", "tags", "@odata.type", "x", ""]), inner
            )
        ),
        max_leaves=6,
    ).map(lambda body: json.dumps(body).encode()),
)
headers = st.fixed_dictionaries(
    {},
    optional={
        "Content-Type": st.sampled_from(
            ["application/json", "application/json", "application/json; charset=utf-8", "text/x"]
        ),
        "Prefer": st.sampled_from(["return=minimal", "odata.maxpagesize=1", "return=x;y,,="]),
        "Accept": st.sampled_from(["*/*", "application/json;odata.metadata=full", "text/html"])
        | st.just("application/json;odata.metadata=none"),
        "If-Match": st.sampled_from(["*", '"x"', ",", 'W/"0"']),
        "If-None-Match": st.sampled_from(["*", '"x"', ",", 'W/"0"']),
        "Authorization": st.sampled_from(["Bearer t", "Bearer forbidden", "Bearer", "x"]),
    },
)


def check(
    client: FlaskClient, method: str, path: str, query: str, body: bytes, sent: dict[str, str]
) -> None:
    assert client.put("/_mockgraph/state", json=SEED).status_code == 204
    before = state_of(client)
    response = client.open(
        method=method,
        query_string=query,
        data=body,
        headers=sent,
        # As a server passes it on; the client would take the start of //x/y for a host.
        environ_overrides={"PATH_INFO": unquote_to_bytes(path).decode("latin-1")},
    )
    status = response.status_code
    assert "html" not in response.headers.get("Content-Type", "")
    assert response.headers["request-id"]
    if status >= 400:
        assert status < 500 or status == 501, response.text
        if method != "HEAD":
            assert len(refused(response, status)) < 2000
    elif response.data and response.mimetype == "application/json":
        json.loads(response.data)
    if status >= 400 or method in READING:
        assert state_of(client) == before


fuzz = settings(
    max_examples=examples(250),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@fuzz
@given(method=st.sampled_from(METHODS), path=paths, query=queries, body=bodies, sent=headers)
def test_any_request(
    shared_graph: FlaskClient, method: str, path: str, query: str, body: bytes, sent: dict[str, str]
) -> None:
    check(shared_graph, method, path, query, body, sent)


@fuzz
@given(path=st.text(max_size=40) | st.lists(junk, max_size=4).map("/".join), query=queries)
def test_any_path(shared_graph: FlaskClient, path: str, query: str) -> None:
    check(shared_graph, "GET", f"/{quote(path, safe='/%()')}", query, b"", {})


@fuzz
@given(data=st.data())
def test_any_query_of_a_list(shared_graph: FlaskClient, data: st.DataObject) -> None:
    name, query = data.draw(st.sampled_from(SETS)), data.draw(queries)
    check(shared_graph, "GET", at("v1.0", name), query, b"", {})


@fuzz
@given(data=st.data())
def test_any_body_of_a_write(shared_graph: FlaskClient, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(SETS))
    method, rest = data.draw(st.sampled_from([("POST", ()), ("PATCH", ("a",))]))
    body = data.draw(bodies)
    sent = {"Content-Type": "application/json"}
    check(shared_graph, method, at("v1.0", name, *rest), "", body, sent)
