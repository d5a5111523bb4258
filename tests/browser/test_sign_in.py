"""A program in the browser, of another origin: MSAL.js signs in, fetch reads alerts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tools import need

from mockgraph import MockGraph

from . import shoot

pytestmark = pytest.mark.long

_MSAL = Path(__file__).parents[2] / ".browser" / "node_modules" / "@azure" / "msal-browser" / "lib"
TRIAGE = "7f1d2c7e-5f0e-4a57-9c0e-1f3a9f6f8b11"
PROGRAM = """<!doctype html><meta charset="utf-8"><title>Triage</title>
<h1>Triage</h1><button id="go">Sign in</button><pre id="out"></pre>
<script src="/msal-browser.min.js"></script>
<script type="module">
const origin = "ORIGIN";
const scopes = ["https://graph.microsoft.com/SecurityAlert.Read.All"];
const app = new msal.PublicClientApplication({
  auth: {
    clientId: "TRIAGE",
    authority: `${origin}/contoso.example`,
    knownAuthorities: [new URL(origin).host],
    redirectUri: location.origin + "/",
  },
});
const out = document.getElementById("out");
await app.initialize();
const answered = await app.handleRedirectPromise();
document.getElementById("go").onclick = () =>
  app.loginRedirect({ scopes, prompt: "select_account" });
if (answered) {
  const read = async (headers) => {
    const url = `${origin}/v1.0/security/alerts_v2?$top=3&$select=title`;
    const answer = await fetch(url, { headers });
    return [answer.status, answer.headers.get("request-id"), answer.headers.get("Retry-After"),
      await answer.json()];
  };
  const Authorization = `Bearer ${answered.accessToken}`;
  const [status, id, , body] = await read({ Authorization });
  const [refused, refusedId] = await read({});
  const [throttled, , seconds] = await read({ Authorization, "client-request-id": "THROTTLE" });
  let control = "read";
  try { await fetch(`${origin}/_mockgraph/state`); } catch { control = "kept out"; }
  out.textContent = [answered.account.username, status, body.value.length, Boolean(id), refused,
    Boolean(refusedId), throttled, seconds, control].join(" ");
}
</script>
"""


@pytest.fixture
def graph(tmp_path: Path) -> Iterator[MockGraph]:
    users = [{"userPrincipalName": "ada@contoso.example", "displayName": "Ada"}]
    app = {"appId": TRIAGE, "displayName": "Triage", "publicClient": True}
    seeds: list[Any] = ["demo", {"Directory": {"apps": [app], "users": users}}]
    with MockGraph(seed=seeds, tls=True, auth="jwt", ca_dir=tmp_path) as graph:
        graph.faults.throttle(
            retry_after=7, times=None, request_headers={"client-request-id": "THROTTLE"}
        )
        yield graph


@pytest.fixture
def program(graph: MockGraph, tmp_path: Path) -> Iterator[str]:
    """The origin of a site that serves the program."""
    msal = _MSAL / "msal-browser.min.js"
    need(msal.is_file(), "MSAL.js", "browser")
    site = tmp_path / "site"
    site.mkdir()
    (site / msal.name).write_bytes(msal.read_bytes())
    origin = graph.tls_origin.replace("127.0.0.1", "localhost")
    text = PROGRAM.replace("ORIGIN", origin).replace("TRIAGE", TRIAGE)
    (site / "index.html").write_text(text, encoding="utf-8")
    handler = partial(_Quiet, directory=str(site))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None: ...


def test_a_program_of_another_origin_signs_in_and_reads(
    chromium: Any, program: str, axe: str
) -> None:
    context = chromium.new_context(ignore_https_errors=True, bypass_csp=True)
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto(program)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Sign in", exact=True).wait_for()
    assert page.get_by_text("Triage", exact=True).is_visible()
    assert page.get_by_text("SecurityAlert.Read.All").is_visible()
    shoot(page, "sign-in")
    page.evaluate(axe)
    found = page.evaluate("axe.run()")["violations"]
    assert [each["id"] for each in found] == []
    page.get_by_role("button", name="Ada").click()
    page.wait_for_function("document.getElementById('out')?.textContent")
    told = page.locator("#out").inner_text()
    assert told == "ada@contoso.example 200 3 true 401 true 429 7 kept out"
    context.close()
