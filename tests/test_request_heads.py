"""Heads of requests: what is noted on one holds for each request that has it."""

from __future__ import annotations

import io
import re
import sys
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from profiles import examples

from mockgraph.app import Emulator, create_app
from mockgraph.request_heads import RequestHead, RequestHeads
from mockgraph.server_options import Settings
from mockgraph.testing.tenant import Tenants
from mockgraph.wsgi import Environ

# What differs from app to app: GUIDs, etags, instants.
_OWN = re.compile(
    r'[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=W/)\\*"[0-9a-f]+|\d{4}-\d\d-\d\d[T ][\d:.]+'
)
# What depends on when a request came: the police tells clients apart by the time in between.
_TIMES = ("at", "durationMs", "misdeeds")
BODY = b'{"providerStatus": [{"provider": "one"}]}'

METHODS = ["GET", "GET", "PATCH", "PATCH", "get", "OPTIONS", "POST", "HEAD"]
PATHS = [
    "/localtest/Security",
    "/localtest/Security",
    "/t/other/localtest/Security",
    "/localtest//Security",
    "/v1.0/security/alerts",
    "/v1.0/security/alerts/\xc3\xa4",
    "/v1.0/security/alerts/\xe4",
    "/v1.0/security/alerts/a@b=c",
    "/t//v1.0/security",
    "/tenant/oauth2/v2.0/token",
    "/_mockgraph/clock",
    "/mine",
    "",
]
VALUES: dict[str, list[str]] = {
    "HTTP_AUTHORIZATION": ["Bearer token", "Bearer forbidden", "Bearer expired", "bare", ""],
    "HTTP_HOST": ["127.0.0.1:8365", "evil.example", "graph.microsoft.com", "a host"],
    "HTTP_X_MOCKGRAPH_TENANT": ["other", "another", "no name"],
    "HTTP_ORIGIN": ["http://localhost:3000", "http://evil.example"],
    "HTTP_ACCESS_CONTROL_REQUEST_METHOD": ["GET"],
    "HTTP_PREFER": ["return=minimal", "return=representation"],
    "HTTP_ACCEPT": ["application/json;odata.metadata=none", "application/json", "text/html"],
    "HTTP_IF_MATCH": ["*", 'W/"1"'],
    "HTTP_IF_NONE_MATCH": ["*", 'W/"1"'],
    "HTTP_CLIENT_REQUEST_ID": ["mine", "yours", ""],
    "HTTP_COOKIE": ["a=b", "c=d"],
    "QUERY_STRING": ["", "$select=id", "access_token=x", "$top=-1"],
    "SCRIPT_NAME": ["", "/app"],
    "SERVER_PORT": ["8365", "8366"],
    "wsgi.url_scheme": ["http", "https"],
    "REMOTE_PORT": ["1", "2"],
    "mockgraph.sender": ["1/", "2/"],
    "mockgraph.proxied": ["", "evil.example"],
    "CONTENT_TYPE": ["application/json", "text/plain", ""],
}
EVENTS = ["stub", "fault", "reset", "drop", "clock", "route"]
OPTIONS: list[dict[str, Any]] = [{}, {"auth": "off"}, {"auth": "jwt"}, {"json": "documented"}]


def make_environ(method: str, path: str, *fields: dict[str, str]) -> Environ:
    body = b"" if method.upper() in ("GET", "HEAD", "OPTIONS") else BODY
    environ: Environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8365",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "1",
        "HTTP_HOST": "127.0.0.1:8365",
        "HTTP_AUTHORIZATION": "Bearer token",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.input_terminated": True,
    }
    for each in fields:
        environ |= each
    return environ


class Line:
    """An app of its own, called as a server calls it."""

    def __init__(self, **options: Any):
        self.app: Emulator = create_app(Settings(**options))
        self.tenants: Tenants = self.app.extensions["mockgraph"]

    def send(self, method: str, path: str, *fields: dict[str, str]) -> Any:
        begun: list[Any] = []
        environ = make_environ(method, path, *fields)
        body = b"".join(self.app.wsgi_app(environ, lambda *given: begun.extend(given)))
        return begun[0], shown(begun[1]), shown(body)

    def happen(self, event: str) -> None:
        tenant = self.tenants.get("other")
        match event:
            case "stub":
                tenant.stubs.add("GET", "/security/alerts", status=418)
            case "fault":
                self.tenants.default.faults.throttle(times=1)
            case "reset":
                self.tenants.default.reset()
            case "drop":
                self.tenants.drop("other")
            case "clock":
                self.tenants.default.state.clock.freeze("2026-01-01T00:00:00Z")
            case "route" if "mine" not in self.app.view_functions:
                with suppress(AssertionError):  # Flask's: the control plane was asked before
                    self.app.add_url_rule("/mine", "mine", lambda: "mine")

    def journal(self) -> Any:
        tenants = [self.tenants.default, self.tenants.get("other")]
        exchanges = [each.as_json() for tenant in tenants for each in tenant.requests()]
        return shown(orjson.dumps([each | dict.fromkeys(_TIMES) for each in exchanges]))


def shown(value: Any) -> str:
    return _OWN.sub("own", repr(value))


# What fails is not made smaller: that takes minutes.
@settings(max_examples=examples(60), phases=[Phase.generate])
@given(st.data())
def test_a_known_head_changes_no_answer(data: st.DataObject) -> None:
    options = data.draw(st.sampled_from(OPTIONS))
    quick, slow = Line(**options), Line(**options)
    method, path = data.draw(st.sampled_from(METHODS)), data.draw(st.sampled_from(PATHS))
    names = data.draw(st.lists(st.sampled_from([*VALUES]), min_size=1, max_size=3, unique=True))
    fields = st.fixed_dictionaries({each: st.sampled_from(VALUES[each]) for each in names})
    calls = st.tuples(st.just(method), st.just(path), fields)
    steps = st.one_of(*9 * [calls], st.sampled_from(EVENTS))
    for step in data.draw(st.lists(steps, min_size=9, max_size=20)):
        if isinstance(step, str):
            quick.happen(step)
            slow.happen(step)
            continue
        answered = quick.send(*step)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(RequestHeads, "find", lambda *_: RequestHead())
            assert slow.send(*step) == answered
    assert quick.journal() == slow.journal()


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_a_head_that_came_twice_is_known(method: str) -> None:
    line = Line()
    asked = (method, "/localtest/Security", {"HTTP_CLIENT_REQUEST_ID": "one"})
    sent = [line.send(*asked) for _ in range(2)]
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(Emulator, "_answer_anew")
        own = {"HTTP_CLIENT_REQUEST_ID": "two", "REMOTE_PORT": "2"}
        assert line.send(method, "/localtest/Security", own)[0] == sent[0][0]
        with pytest.raises(AttributeError):
            line.send(method, "/localtest/Security", own, {"HTTP_ACCEPT": "*/*"})
    one, _, two = line.tenants.default.requests()
    assert (one.client_request_id, one.sender) == ("one", "1")
    assert (two.client_request_id, two.sender) == ("two", "2")


def test_a_token_is_verified_each_time() -> None:
    line = Line(auth="jwt")
    token = line.tenants.default.entra.mint(lifetime=3600)
    asked = ("GET", "/localtest/Security", {"HTTP_AUTHORIZATION": f"Bearer {token}"})
    assert [line.send(*asked)[0][:3] for _ in range(3)] == ["200"] * 3
    line.tenants.default.state.clock.advance(7200)
    assert line.send(*asked)[0][:3] == "401"


def test_a_stub_and_a_route_that_come_later_count() -> None:
    line = Line()
    asked = ("GET", "/v1.0/security/alerts")
    assert [line.send(*asked)[0][:3] for _ in range(2)] == ["200"] * 2
    line.tenants.default.stubs.add("GET", "/security/alerts", status=418)
    assert line.send(*asked)[0][:3] == "418"
    line.app.add_url_rule("/v1.0/security/alerts", "mine", lambda: "mine")
    assert line.send(*asked)[2] == shown(b"mine")


@pytest.mark.parametrize("value", [None, 5, ["a"]])
def test_what_is_no_text_does_no_harm(value: Any) -> None:
    line = Line()
    odd = {"HTTP_ODD": value, "HTTP_COOKIE": value, "HTTP_ORIGIN": value}
    asked = ("GET", "/localtest/Security", odd)
    assert {line.send(*asked)[0][:3] for _ in range(3)} == {"200"}
    shown = [each.headers for each in line.tenants.default.requests()]
    assert [(each["Odd"], each["Cookie"]) for each in shown] == 3 * [(str(value), "***")]


def test_heads_are_bounded() -> None:
    heads = RequestHeads()

    def is_kept(**fields: Any) -> bool:
        first, second, third = (heads.find(make_environ("GET", "/", fields)) for _ in range(3))
        return first is not second and second is third

    assert not is_kept(HTTP_LONG="x" * 10_000)
    assert not is_kept(**{"HTTP_" + "X" * 10_000: "x"})
    assert not is_kept(HTTP_HOST=None)
    assert not all(is_kept(HTTP_LONG=f"{number}" * 2000) for number in range(1000, 2000))
    for name in ("HTTP_ONE", "HTTP_{}"):  # other values, then other names
        asked = [{name.format(number): str(number)} for number in range(5000)]
        kept = [heads.find(make_environ("GET", "/", each)) for each in asked for _ in range(3)]
        found = [heads.find(make_environ("GET", "/", each)) for each in reversed(asked)]
        assert kept[-1] is found[0]
        assert len({*kept} & {*found}) <= 4096


def test_the_names_of_fields_tell_heads_apart() -> None:
    heads = RequestHeads()
    one, other = (make_environ("GET", "/", {name: "x"}) for name in ("HTTP_ONE", "HTTP_OTHER"))
    _, kept = heads.find(one), heads.find(one)
    assert heads.find(one) is kept
    assert heads.find(other) is not kept
