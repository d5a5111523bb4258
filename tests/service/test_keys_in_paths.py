"""Keys as paths spell them: each names one entity, or none."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from conftest import state_of
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from mockgraph.app import create_app
from mockgraph.server_options import Settings

IDS = ["a'b", "a''b", "'", "\ufffd", "é", "a b", "a(b)", "a,b=c", "a%b", "😀"]


@pytest.fixture
def client() -> FlaskClient:
    seed: dict[str, Any] = {"Security": {"alerts": [{"id": each} for each in IDS]}}
    return create_app(Settings(seed=seed, auth="off")).test_client()


@pytest.mark.parametrize(
    ("spelt", "key"),
    [
        ("('a''b')", "a'b"),
        ("('a%27%27b')", "a'b"),
        ("/a'b", "a'b"),
        ("/a%27b", "a'b"),
        ("('a''''b')", "a''b"),
        ("/a''b", "a''b"),
        ("('''')", "'"),
        ("/'", "'"),
        ("/%EF%BF%BD", "\ufffd"),
        ("/%C3%A9", "é"),
        ("('a%20b')", "a b"),
        ("('a(b)')", "a(b)"),
        ("/a(b)", "a(b)"),
        ("('a,b=c')", "a,b=c"),
        ("(id='a%25b')", "a%b"),
        ("/%F0%9F%98%80", "😀"),
    ],
)
def test_a_key_is_found_as_it_is_spelt(client: FlaskClient, spelt: str, key: str) -> None:
    answer = client.get(f"/v1.0/security/alerts{spelt}")
    assert answer.status_code == 200, answer.text
    assert answer.get_json()["id"] == key


def ask(client: FlaskClient, method: str, url: str) -> TestResponse:
    """Ask for a path as it is: the client by itself makes UTF-8 of whatever it is given."""
    path = unquote_to_bytes(url).decode("latin-1")
    body: dict[str, Any] | None = {} if method == "PATCH" else None
    return client.open("/", method=method, json=body, environ_overrides={"PATH_INFO": path})


NO_TEXT = ["%00", "%01", "%09", "%0a", "%0d", "%1f", "%7f", "%C2%80", "%C2%9F"]
NO_UTF_8 = ["%ff", "%E9", "%C0%AF", "%ED%A0%80", "%F4%90%80%80", "%C3"]


@pytest.mark.parametrize("bad", [*NO_TEXT, *NO_UTF_8])
@pytest.mark.parametrize("path", ["('a{}b')", "/a{}b", "/{}", "('{}')", "{}", "/a/{}"])
def test_what_is_no_text_is_refused(client: FlaskClient, path: str, bad: str) -> None:
    before = state_of(client)
    url = f"/v1.0/security/alerts{path.format(bad)}"
    says = "UTF-8" if bad in NO_UTF_8 else "control characters"
    for method in ("GET", "PATCH", "DELETE"):
        answer = ask(client, method, url)
        assert answer.status_code == 400
        assert says in answer.get_json()["error"]["message"]
    item = {"id": "1", "method": "DELETE", "url": url.removeprefix("/v1.0")}
    answer = client.post("/v1.0/$batch", json={"requests": [item]})
    assert [each["status"] for each in answer.get_json()["responses"]] == [400]
    assert state_of(client) == before


@pytest.mark.parametrize("bad", ["%00", "%ff"])
@pytest.mark.parametrize("path", ["/_mockgraph/snapshots/{}", "/t/{}/v1.0/security", "/x{}/y"])
def test_so_it_is_everywhere(client: FlaskClient, path: str, bad: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        assert ask(client, method, path.format(bad)).status_code == 400
