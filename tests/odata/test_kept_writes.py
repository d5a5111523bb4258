"""Writes that come again do what they did, where what they mean is kept and where it is not."""

from __future__ import annotations

import itertools
import re
from copy import deepcopy
from io import BytesIO
from typing import Any

import flask
import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from profiles import examples
from werkzeug.test import EnvironBuilder

from mockgraph.app import create_app
from mockgraph.clock import Clock
from mockgraph.http import Request
from mockgraph.odata import addressing, validation
from mockgraph.odata.kept_requests import KeptRequests
from mockgraph.server_options import Settings
from mockgraph.service import SERVICE
from mockgraph.state import Transaction
from mockgraph.state.behaviours import Behaviour, Invocation
from mockgraph.state.intent import Caller, Intent
from mockgraph.testing.tenant import Tenants

from .forgetful import nothing_kept

# GUIDs and etags, which differ from state to state.
_MADE = re.compile(r'[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=W/)\\*"[0-9a-f]+')
ALERTS = "/v1.0/security/alerts_v2"
LEGACY = "/v1.0/security/alerts"
CASES = "/v1.0/security/cases/ediscoveryCases"
PLAIN = {"Content-Type": "application/json"}
VENDOR = {"vendorInformation": {"provider": "P", "vendor": "V"}}
ALERT = {"title": "new", **VENDOR}
_IN_BATCH = "/security/alerts/a"

WRITES: list[tuple[str, str, Any]] = [
    ("PATCH", "/localtest/Security", {"providerStatus": [{"provider": "one"}]}),
    ("PATCH", "/localtest/Security", {"providerStatus": None}),
    ("PATCH", "/t/other/localtest/Security", {"providerStatus": [{"provider": "one"}]}),
    ("POST", LEGACY, {**ALERT, "id": "a", "tags": ["x"], "hostStates": [{"fqdn": "h"}]}),
    ("POST", LEGACY, {**ALERT, "tags": ["x"]}),
    ("POST", LEGACY, {"title": "no vendor"}),
    ("POST", f"{LEGACY}?$select=id,tags", {**ALERT, "tags": ["x"]}),
    ("PATCH", f"{LEGACY}/a", {"tags": ["x"], "comments": ["c"], "status": "newAlert"}),
    ("PATCH", f"{LEGACY}/a", {**VENDOR, "tags": ["x"], "comments": ["c"]}),
    ("PATCH", f"{LEGACY}/a", {"status": "unheardOf"}),
    ("PATCH", f"{LEGACY}/a?$filter=title eq now()", {"tags": []}),
    ("DELETE", f"{LEGACY}/a", None),
    ("POST", f"{ALERTS}/b/comments", {"comment": "said"}),
    ("POST", f"{ALERTS}/b/comments", [{"comment": "one"}, {"comment": "two"}]),
    ("PATCH", f"{ALERTS}/b", {"status": "resolved", "customDetails": {"a": [1, 2]}}),
    ("PATCH", f"{ALERTS}/b", {"status": "resolved", "classification": "truePositive"}),
    ("PATCH", f"{ALERTS}/b", {"assignedTo": None}),
    ("POST", CASES, {"displayName": "case", "id": "c"}),
    ("POST", f"{CASES}/c/custodians", {"id": "k", "email": "k@contoso.com"}),
    ("PATCH", f"{CASES}/c/custodians/k", {"userSources": [{"id": "u", "email": "u@contoso.com"}]}),
    ("DELETE", f"{CASES}/c/custodians/k", None),
    ("POST", f"{CASES}/c/tags", {"displayName": "t", "id": "t"}),
    ("POST", f"{CASES}/c/microsoft.graph.security.close", {}),
    ("POST", f"{CASES}/c/noncustodialDataSources", b"{"),
    ("POST", LEGACY, b""),
    ("PATCH", f"{LEGACY}/a", b"[" * 200 + b"]" * 200),
    ("PUT", f"{LEGACY}/a", {}),
    ("POST", "/v1.0/nowhere", {}),
    ("POST", "/v1.0/$batch", {"requests": [{"id": "1", "method": "DELETE", "url": _IN_BATCH}]}),
]  # fmt: skip
WRITE_HEADERS: list[dict[str, str]] = [
    PLAIN,
    PLAIN,
    PLAIN,
    {**PLAIN, "Prefer": "return=minimal"},
    {**PLAIN, "Prefer": "return=representation"},
    {**PLAIN, "If-Match": "*"},
    {**PLAIN, "If-Match": 'W/"1"'},
    {**PLAIN, "Authorization": "Bearer forbidden"},
    {**PLAIN, "Authorization": "Bearer expired"},
    {**PLAIN, "Content-Encoding": "gzip"},
    {"Content-Type": "text/plain"},
    {"Content-Type": "application/json; charset=utf-8"},
    {**PLAIN, "Host": "graph.microsoft.com"},
]
SEED = {"Security": {"alerts": [{"id": "a"}], "alerts_v2": [{"id": "b", "comments": []}]}}


def spoil(value: Any) -> None:
    """Edit all that can be edited in a value."""
    if isinstance(value, list):
        for each in value:
            spoil(each)
        value += deepcopy(value)
    elif isinstance(value, dict):
        for each in value.values():
            spoil(each)
        value["spoilt"] = "spoilt"


def spoiling(transaction: Transaction, call: Invocation) -> None:
    """Edit the parameters, and what is stored: neither may be, and it must harm no other write."""
    spoil(call.parameters)
    entity = transaction.get(call.table, call.key or "")
    for name in ("tags", "comments", "hostStates"):
        spoil(None if entity is None else entity.get(name))


def happen(client: FlaskClient, event: str) -> None:
    tenants: Tenants = client.application.extensions["mockgraph"]
    match event:
        case "reset":
            client.post("/_mockgraph/reset")
            for tenant in ("", "/t/other"):  # an error tells the time, too
                client.post(f"{tenant}/_mockgraph/clock", json={"freeze": "2025-01-01T00:00:00Z"})
        case "spoil":
            for name in ("microsoft.graph.alert", "microsoft.graph.security.alert"):
                tenants.default.state.behaviours[name] = Behaviour(spoiling)
            close = "microsoft.graph.security.close"
            tenants.default.state.behaviours[close] = Behaviour(spoiling, changes=True)
        case "fault":
            fault = {"preset": "failed_operation", "times": 2}
            client.post("/_mockgraph/faults", json=fault)
        case "clock":
            client.post("/_mockgraph/clock", json={"freeze": "2026-01-01T00:00:00Z"})


def rewriting(app: Flask) -> None:
    """Have a user's hook make another request of every second one."""
    turns = itertools.cycle([False, True])

    @app.before_request
    def rewrite() -> None:
        environ = flask.request.environ
        if next(turns) and not flask.request.path.startswith("/_mockgraph"):
            environ["HTTP_PREFER"] = "return=minimal"
            body = environ["wsgi.input"].getvalue().replace(b'"x"', b'"y"')
            environ["wsgi.input"] = BytesIO(body)


class Written:
    """A client of an app of its own; what is made is shown by the order in which it came."""

    def __init__(self, is_rewritten: bool = False, **options: Any):
        app = create_app(Settings(seed=(SEED,), **options))
        if is_rewritten:
            rewriting(app)
        self.tenants: Tenants = app.extensions["mockgraph"]
        self.client = app.test_client()
        self.begin()

    def begin(self) -> None:
        """Have no state, and no names for what is made; what is kept of requests stays."""
        self._made: dict[str, str] = {}
        self.tenants.clear()
        happen(self.client, "reset")

    def write(self, method: str, url: str, body: Any, headers: dict[str, str]) -> tuple[Any, ...]:
        data = body if isinstance(body, bytes) else None if body is None else orjson.dumps(body)
        sent = {"Authorization": "Bearer token", **headers}
        answer = self.client.open(url, method=method, data=data, headers=sent)
        fields = dict(answer.headers)
        del fields["request-id"], fields["client-request-id"]
        own = re.sub(rb'"(?:client-)?request-id": ?"[^"]+"', b"", answer.data)
        return answer.status_code, self.shown(repr(fields)), self.shown(own.decode())

    def state(self) -> str:
        tenants = [self.tenants.default, *self.tenants]
        return self.shown(repr([each.state.document() for each in tenants]))

    def shown(self, text: str) -> str:
        return _MADE.sub(lambda found: self._named(found[0].lstrip("\\")), text)

    def _named(self, made: str) -> str:
        return self._made.setdefault(made, f"made {len(self._made)}")


_EVENTS = ["reset", "spoil", "fault", "clock", "get", "get"]
_OPTIONS: list[dict[str, Any]] = [
    {},
    {"json": "documented"},
    {"max_body": 100},
    {"legacy_alerts": "retired"},
]


@pytest.fixture(scope="module")
def pairs() -> list[tuple[Written, Written]]:
    made = [(Written(**options), Written(**options)) for options in _OPTIONS]
    return [*made, (Written(is_rewritten=True), Written(is_rewritten=True))]


# What fails is not made smaller: that takes minutes.
@settings(max_examples=examples(100), phases=[Phase.generate])
@given(st.data())
def test_writes_that_come_again_do_what_they_did(
    pairs: list[tuple[Written, Written]], data: st.DataObject
) -> None:
    quick, slow = data.draw(st.sampled_from(pairs))
    quick.begin()
    slow.begin()
    few = st.tuples(st.sampled_from(WRITES), st.sampled_from(WRITE_HEADERS))
    pool = data.draw(st.lists(few, min_size=1, max_size=3))
    steps = st.one_of(*4 * [st.sampled_from(pool)], st.sampled_from(_EVENTS))
    before = data.draw(st.sampled_from(["nothing", "spoil"]))
    for step in [before, *data.draw(st.lists(steps, min_size=6, max_size=16))]:
        if isinstance(step, str):
            happen(quick.client, step)
            happen(slow.client, step)
            wanted: Any = ("GET", f"{LEGACY}/a", None), {}
        else:
            wanted = step
        (method, url, body), headers = wanted
        answered = quick.write(method, url, body, headers)
        with nothing_kept():
            assert slow.write(method, url, body, headers) == answered
    assert quick.state() == slow.state()


@pytest.mark.parametrize(("method", "url", "body"), [WRITES[0], WRITES[4], WRITES[12], WRITES[15]])
def test_what_a_write_means_is_read_twice(method: str, url: str, body: Any) -> None:
    written = Written()
    first = written.write(method, url, body, PLAIN)
    assert first[0] < 300
    written.write(method, url, body, PLAIN)
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(validation, "read")
        assert written.write(method, url, body, PLAIN)[0] == first[0]
        with pytest.raises(AttributeError):
            _ = validation.read


@pytest.mark.parametrize(("method", "url", "body"), [WRITES[4], WRITES[8]])
def test_what_a_behaviour_edits_harms_no_other_write(method: str, url: str, body: Any) -> None:
    quick, slow = Written(), Written()
    for written in (quick, slow):
        happen(written.client, "spoil")
    sent = {**PLAIN, "Prefer": "return=representation"}
    for _ in range(5):
        answered = quick.write(method, url, body, sent)
        with nothing_kept():
            assert slow.write(method, url, body, sent) == answered
    assert answered[0] < 300
    assert quick.state() == slow.state()


def test_a_batch_is_done_each_time() -> None:
    written = Written()
    item = {"id": "1", "method": "GET", "url": "/security/alerts/$count"}
    for _ in range(3):
        written.write("POST", "/v1.0/$batch", {"requests": [item]}, PLAIN)
    assert [each.in_batch for each in written.tenants.default.requests()] == [True, False] * 3


def test_a_write_of_somebody_else_is_another_one() -> None:
    """By the caller the service writes who did it."""
    written = Written(auth="jwt")
    entra = written.tenants.default.entra
    tokens = [entra.mint(), entra.mint(user="ann@contoso.com")]
    said = {"comment": "said", "createdByDisplayName": None}
    shown = set()
    for token in 3 * tokens:
        bearer = {**PLAIN, "Authorization": f"Bearer {token}"}
        answer = written.client.post(f"{ALERTS}/b/comments", json=said, headers=bearer)
        assert answer.json is not None
        shown.add(answer.json["value"][-1]["createdByDisplayName"])
    assert len(shown) == 2


@pytest.fixture
def update() -> Intent:
    path = f"{LEGACY}/a"
    body = {**ALERT, "comments": ["c"]}
    request = Request(EnvironBuilder(path, method="PATCH", json=body).get_environ())
    address = addressing.resolve("PATCH", path, SERVICE)
    return validation.read(request, address, {}, Clock(), Caller())


def test_writes_are_bounded_in_number_and_in_bytes(update: Intent) -> None:
    requests = KeptRequests()
    large = update._replace(body={"title": "x" * 4000})
    for number in range(3000):
        for _ in range(2):
            requests.keep((str(number), None), large)
    found = [requests.find((str(number), None)) for number in range(3000)]
    assert 0 < sum(each.size for each in found if each is not None) < 10_000_000
    assert found[-1] is not None


def test_a_write_is_kept_when_it_comes_again(update: Intent) -> None:
    requests = KeptRequests()
    asked = ("one", None)
    assert requests.keep(asked, update) is None
    kept = requests.keep(asked, update)
    assert kept is not None
    assert requests.find(asked) is kept
    first, second = kept.intent(), kept.intent()
    assert first == second == update._replace(entry=None)
    assert first is not None
    assert second is not None
    assert first.body["comments"] is not second.body["comments"]
