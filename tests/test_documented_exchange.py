"""The main job: the documented GET and PATCH get their documented answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from wire import JSON, ask

from mockgraph import MockGraph
from mockgraph.files import fixtures
from mockgraph.pages import bundled_pages

PAGE = "security-update.md"

# As the reference page prints it; the facts, not our copy of the page, are what is held up.
DOCUMENTED = b"""\
{
  "@odata.type": "#microsoft.graph.security",
  "id": "2026c75e-c75e-2026-5ec7-26205ec72620",
  "providerStatus": [
    {
      "@odata.type": "microsoft.graph.securityProviderStatus",
      "enabled": true,
      "endpoint": "Endpoint value",
      "provider": "Provider value",
      "region": "Region value",
      "vendor": "Vendor value"
    }
  ]
}""".replace(b"\n", b"\r\n")

REQUEST = b"""\
{
  "@odata.type": "#microsoft.graph.security",
  "providerStatus": [
    {
      "@odata.type": "microsoft.graph.securityProviderStatus",
      "enabled": true,
      "endpoint": "Endpoint value",
      "provider": "Provider value",
      "region": "Region value",
      "vendor": "Vendor value"
    }
  ]
}""".replace(b"\n", b"\r\n")

SECURITY = "/localtest/Security"


@pytest.fixture(scope="module")
def documented() -> Iterator[MockGraph]:
    with MockGraph(json="documented") as graph:
        yield graph


def without_control(body: Any) -> Any:
    return {
        name: value for name, value in body.items() if name not in ("@odata.context", "@odata.etag")
    }


def test_the_page_says_what_the_reference_says() -> None:
    (page,) = (page for page in bundled_pages() if page.name == PAGE)
    (example,) = page.examples
    assert example.response is not None
    assert example.request.content == REQUEST
    assert len(REQUEST) == 320 == int(example.request.header("Content-Length") or 0)
    assert example.response.content == DOCUMENTED
    assert len(DOCUMENTED) == 369 == int(example.response.header("Content-Length") or 0)


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PATCH", REQUEST)])
def test_to_the_byte_over_a_socket(documented: MockGraph, method: str, body: bytes | None) -> None:
    documented.reset()
    answer = ask(documented.origin, method, SECURITY, body)
    assert (answer.status, answer.reason) == (200, "OK")
    assert answer.body == DOCUMENTED
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Length"] == "369"


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PATCH", REQUEST)])
def test_to_the_byte_through_the_test_client(
    make_client: Callable[..., FlaskClient], method: str, body: bytes | None
) -> None:
    client = make_client(json="documented")
    answer = client.open(SECURITY, method=method, data=body, content_type="application/json")
    assert answer.status == "200 OK"
    assert answer.data == DOCUMENTED
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Length"] == "369"


def test_a_change_is_read_back_over_a_socket_and_gone_after_a_reset() -> None:
    changed = REQUEST.replace(b"true", b"false").replace(b"Region value", b"westeurope")
    with MockGraph() as graph:
        fresh = ask(graph.origin, "GET", SECURITY).json
        answer = ask(graph.origin, "PATCH", SECURITY, changed)
        assert answer.status == 200
        assert without_control(answer.json) == {
            **json.loads(changed),
            "id": "2026c75e-c75e-2026-5ec7-26205ec72620",
        }
        assert ask(graph.origin, "GET", SECURITY).json == answer.json
        graph.reset()
        assert without_control(ask(graph.origin, "GET", SECURITY).json) == without_control(fresh)


def test_the_default_is_compact_and_adds_control_information_alone(client: FlaskClient) -> None:
    answer = client.get(SECURITY)
    body = json.loads(answer.data)
    assert answer.data == json.dumps(body, separators=(",", ":")).encode()
    assert body["@odata.context"] == "http://localhost/localtest/$metadata#Security"
    assert without_control(body) == json.loads(DOCUMENTED)
    assert answer.headers["Content-Type"].startswith("application/json;odata.metadata=minimal;")


def test_errors_are_laid_out_as_the_pages_print(documented: MockGraph) -> None:
    answer = ask(documented.origin, "PATCH", SECURITY, b"[]")
    assert answer.status == 400
    assert answer.body.startswith(b'{\r\n  "error": {\r\n    "code": "BadRequest",\r\n')


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    for page in fixtures().iterdir():
        if page.name.endswith(".md"):
            (tmp_path / page.name).write_bytes(page.read_bytes())
    return tmp_path


def test_the_page_is_the_fresh_state(pages: Path) -> None:
    text = (pages / PAGE).read_text()
    before, response = text.rsplit("HTTP/1.1 200 OK", 1)
    response = response.replace("Endpoint value", "https://one.example").replace("true", "false")
    (pages / PAGE).write_text(f"{before}HTTP/1.1 200 OK{response}")
    with MockGraph(docs=[pages]) as graph:
        (status,) = ask(graph.origin, "GET", SECURITY).json["providerStatus"]
    assert (status["endpoint"], status["enabled"]) == ("https://one.example", False)
    assert status["provider"] == "Provider value"


def test_a_client_asks_for_less_or_for_nothing_back(client: FlaskClient) -> None:
    body = client.get(f"{SECURITY}?$select=id").json
    assert body is not None
    assert set(without_control(body)) == {"@odata.type", "id"}
    answer = client.patch(SECURITY, data=REQUEST, headers={**JSON, "Prefer": "return=minimal"})
    assert (answer.status_code, answer.data) == (204, b"")
